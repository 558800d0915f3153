//! The command line.

use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser};
use everstream::http::{self, HeaderMap, HeaderName, HeaderValue, Method, Request, header};
use reqwest::{Certificate, Url};

use crate::certificate;

/// Follows an event stream: prints its events, reconnects when it ends, and resumes where it stopped.
///
/// Without a URL, it follows a built-in server, which sends the time and sometimes drops the
/// connection.
#[derive(Debug, Parser)]
#[command(name = "tail", version, after_help = AFTER_HELP)]
pub(crate) struct Args {
    /// The URL to follow; you can leave out `http://`
    #[arg(value_parser = url)]
    pub(crate) url: Option<String>,

    /// The method; GET by default, POST with --data
    #[arg(
        short = 'X',
        long = "request",
        visible_alias = "method",
        value_name = "METHOD"
    )]
    method: Option<Method>,
    /// A header, which replaces any other of that name; 'Name;' sends an empty one, 'Name:' none
    #[arg(short = 'H', long = "header", value_name = "NAME: VALUE", value_parser = header, allow_hyphen_values = true)]
    headers: Vec<(HeaderName, Option<HeaderValue>)>,
    /// The body, sent unchanged; @FILE reads it from a file, @- from stdin
    #[arg(
        short = 'd',
        long = "data",
        value_name = "BODY",
        allow_hyphen_values = true
    )]
    data: Vec<String>,
    /// Keep cookies from one connection to the next
    #[arg(short = 'b', long)]
    cookies: bool,
    /// Don't keep cookies, not even with --standard
    #[arg(long, conflicts_with = "cookies")]
    no_cookies: bool,
    /// Trust the certificates in this PEM file, in addition to the system's
    #[arg(long, value_name = "FILE")]
    cacert: Option<PathBuf>,
    /// Accept any certificate; then others can read and change everything that is sent
    #[arg(short = 'k', long)]
    insecure: bool,

    /// The ID to resume from
    #[arg(long, value_name = "ID", allow_hyphen_values = true)]
    pub(crate) last_event_id: Option<String>,
    /// Store the last event ID in this file, and resume from it at the next start
    #[arg(long, value_name = "FILE")]
    pub(crate) resume: Option<PathBuf>,

    /// How long to wait before reconnecting, unless the server sets another time
    #[arg(long, value_name = "MS", default_value_t = 3000)]
    reconnection_time: u64,
    /// The shortest wait, even if the server asks for less
    #[arg(
        long,
        value_name = "MS",
        visible_alias = "min-delay",
        default_value_t = 50
    )]
    floor: u64,
    /// Reconnect if no byte arrives for this long; 0 means never
    #[arg(long, value_name = "MS", default_value_t = 300_000)]
    idle_timeout: u64,
    /// Reconnect if the response does not begin within this time; 0 means never
    #[arg(long, value_name = "MS", default_value_t = 0)]
    response_timeout: u64,
    /// Reconnect if no event arrives for this long, even if comments do; 0 means never
    #[arg(long, value_name = "MS", default_value_t = 0)]
    event_timeout: u64,
    /// Give up after this many failures if no connection was ever open; 0 means never
    #[arg(
        long,
        alias = "initial-attempts",
        value_name = "N",
        default_value_t = 3
    )]
    max_initial_failures: u32,
    /// Give up after this many failures in a row; 0 means never
    #[arg(long, alias = "max-attempts", value_name = "N", default_value_t = 0)]
    max_consecutive_failures: u32,
    /// The largest event to accept, in bytes
    #[arg(long, value_name = "N", default_value_t = everstream::Parser::DEFAULT_MAX_EVENT_BYTES)]
    max_event_bytes: usize,
    /// Also resend requests whose method is not safe, such as POST
    #[arg(long, alias = "repeat-unsafe")]
    resend_unsafe_methods: bool,
    /// Behave like a browser's EventSource, including cookies
    #[arg(long)]
    standard: bool,

    /// Also print comments
    #[arg(long)]
    pub(crate) comments: bool,
    /// Also print everything that is not an event: comments, reconnection times, and blocks without
    /// data
    #[arg(short, long)]
    pub(crate) verbose: bool,
    /// End after this many events
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) max_events: Option<u64>,
    /// Read commands from stdin, one per line: `reconnect` or `close`
    #[arg(long)]
    pub(crate) control: bool,
    /// Print a line of JSON for everything that happens, for other programs to read
    #[arg(long)]
    pub(crate) json: bool,
}

const AFTER_HELP: &str = "\
Events are printed to stdout, and everything else to stderr. With --json, everything is printed to
stdout.

Control characters from the server are printed as symbols, such as ␛. This also applies to pipes and
files, because their content may be shown in a terminal later. With --json they are escaped instead,
so that a program gets every character: tail --json URL | jq -r 'select(.kind == \"event\").data'

The exit code is 0 after a clean end, 1 after an error, 2 for invalid options.";

/// Applies the options to the crate's types.
impl Args {
    /// Parses the command line. Exits if an option is invalid.
    pub(crate) fn read() -> Self {
        let args = Self::parse();
        if args.control && args.data.iter().any(|data| data == "@-") {
            let why = "--control and --data @- cannot both read stdin";
            refuse(ErrorKind::ArgumentConflict, why);
        }
        args
    }

    /// The request for `url`, without the headers that each attempt adds. Exits if its body cannot be
    /// read.
    pub(crate) fn request(&self, url: &str) -> http::Result<Request<Vec<u8>>> {
        let mut headers = HeaderMap::new();
        let mut method = Method::GET;
        let mut body = Vec::new();
        if !self.data.is_empty() {
            method = Method::POST;
            body = self.body();
            let form = HeaderValue::from_static("application/x-www-form-urlencoded");
            headers.insert(header::CONTENT_TYPE, form);
        }
        for (name, value) in &self.headers {
            match value {
                Some(value) => headers.insert(name, value.clone()),
                None => headers.remove(name),
            };
        }
        let mut request = Request::builder()
            .method(self.method.clone().unwrap_or(method))
            .uri(url)
            .body(body)?;
        *request.headers_mut() = headers;
        Ok(request)
    }

    fn body(&self) -> Vec<u8> {
        let parts = self.data.iter().map(|data| match data.strip_prefix('@') {
            None => data.clone().into_bytes(),
            Some(file) => contents(file).unwrap_or_else(|error| {
                refuse(ErrorKind::Io, format!("cannot read {file}: {error}"));
            }),
        });
        parts.collect::<Vec<_>>().join(&b'&')
    }

    /// Applies the options for connections to a client. Exits if the certificates to trust cannot be
    /// read.
    pub(crate) fn connect(&self, client: reqwest::ClientBuilder) -> reqwest::ClientBuilder {
        let client = client
            .cookie_store((self.cookies || self.standard) && !self.no_cookies)
            .danger_accept_invalid_certs(self.insecure);
        let Some(file) = &self.cacert else {
            return client;
        };
        let trusted = trusted(file).unwrap_or_else(|why| {
            refuse(
                ErrorKind::Io,
                format!("cannot use {}: {why}", file.display()),
            );
        });
        client.tls_certs_merge(trusted)
    }

    /// Applies the other options to a source.
    pub(crate) fn apply(
        &self,
        source: everstream::EventSourceBuilder,
    ) -> everstream::EventSourceBuilder {
        let ms = Duration::from_millis;
        let backoff = everstream::Backoff::new()
            .reconnection_time(ms(self.reconnection_time))
            .min_delay(ms(self.floor));
        let source = source
            .backoff(backoff)
            .idle_timeout(unless_0(self.idle_timeout).map(ms))
            .headers_timeout(unless_0(self.response_timeout).map(ms))
            .event_timeout(unless_0(self.event_timeout).map(ms))
            .max_initial_failures(unless_0(self.max_initial_failures))
            .max_consecutive_failures(unless_0(self.max_consecutive_failures))
            .max_event_bytes(self.max_event_bytes)
            .resend_unsafe_methods(self.resend_unsafe_methods)
            .retry_when(certificate::retry_when);
        if self.standard {
            source.standard()
        } else {
            source
        }
    }
}

fn unless_0<T: Default + PartialEq>(n: T) -> Option<T> {
    (n != T::default()).then_some(n)
}

/// The certificates in a file, at least one.
fn trusted(file: &Path) -> Result<Vec<Certificate>, String> {
    let pem = std::fs::read(file).map_err(|error| error.to_string())?;
    match Certificate::from_pem_bundle(&pem) {
        Ok(trusted) if !trusted.is_empty() => Ok(trusted),
        _ => Err("it contains no PEM certificate".to_owned()),
    }
}

fn contents(file: &str) -> io::Result<Vec<u8>> {
    if file != "-" {
        return std::fs::read(file);
    }
    let mut all = Vec::new();
    io::stdin().lock().read_to_end(&mut all)?;
    Ok(all)
}

/// Accepts `localhost:8080/feed` and `http://localhost:8080/feed`. The source rejects URLs with other
/// schemes.
fn url(text: &str) -> Result<String, String> {
    let scheme = text.split_once(':').filter(|(scheme, rest)| {
        let is_port = rest.starts_with(|c: char| c.is_ascii_digit());
        scheme
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
            && !is_port
    });
    let url = match scheme {
        Some(_) => Url::parse(text),
        None => Url::parse(&format!("http://{text}")),
    };
    url.map(String::from).map_err(|error| error.to_string())
}

/// Like curl: `Name: value`, `Name;` for an empty value, `Name:` to remove the header.
fn header(text: &str) -> Result<(HeaderName, Option<HeaderValue>), String> {
    let (name, value) = match (text.split_once(':'), text.strip_suffix(';')) {
        (Some((name, value)), _) => (name, Some(value.trim()).filter(|value| !value.is_empty())),
        (None, Some(name)) => (name, Some("")),
        (None, None) => return Err("expected `Name: value`".to_owned()),
    };
    let name = HeaderName::from_bytes(name.trim().as_bytes()).map_err(|error| error.to_string())?;
    let always = [header::ACCEPT, header::CACHE_CONTROL, header::USER_AGENT];
    if value.is_none() && always.contains(&name) {
        return Err(format!("`{name}` cannot be removed"));
    }
    let value = value.map(|value| HeaderValue::from_bytes(value.as_bytes()));
    let value = value.transpose().map_err(|error| error.to_string())?;
    Ok((name, value))
}

fn refuse(kind: ErrorKind, why: impl std::fmt::Display) -> ! {
    Args::command().error(kind, why).exit()
}
