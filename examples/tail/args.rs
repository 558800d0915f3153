//! What can be asked for on the command line.

use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser};
use everstream::http::{self, HeaderMap, HeaderName, HeaderValue, Method, Request, header};
use reqwest::{Certificate, Url};

use crate::certificate;

/// Follows an event stream: prints what comes, reconnects when it ends, resumes where it was.
///
/// Without a URL it follows a server within this program, which tells the time and drops the
/// connection now and then.
#[derive(Debug, Parser)]
#[command(name = "tail", version, after_help = AFTER_HELP)]
pub(crate) struct Args {
    /// What to follow; `http://` may be left out
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
    /// A header, in the place of any other of that name; 'Name;' sends an empty one, 'Name:' none
    #[arg(short = 'H', long = "header", value_name = "NAME: VALUE", value_parser = header, allow_hyphen_values = true)]
    headers: Vec<(HeaderName, Option<HeaderValue>)>,
    /// The body, exactly as it is; of a file with @FILE, of stdin with @-
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
    /// Keep none, also with --standard
    #[arg(long, conflicts_with = "cookies")]
    no_cookies: bool,
    /// Trust the certificates in this file (PEM), beside those that the system trusts
    #[arg(long, value_name = "FILE")]
    cacert: Option<PathBuf>,
    /// Accept any certificate: whoever is in between can read and change everything
    #[arg(short = 'k', long)]
    insecure: bool,

    /// The ID to resume from
    #[arg(long, value_name = "ID", allow_hyphen_values = true)]
    pub(crate) last_event_id: Option<String>,
    /// Keep the last event ID in this file, and start from what it holds
    #[arg(long, value_name = "FILE")]
    pub(crate) resume: Option<PathBuf>,

    /// How long to wait before reconnecting until the server says otherwise
    #[arg(long, value_name = "MS", default_value_t = 3000)]
    reconnection_time: u64,
    /// The shortest wait, whatever the server says
    #[arg(
        long,
        value_name = "MS",
        visible_alias = "min-delay",
        default_value_t = 50
    )]
    floor: u64,
    /// Reconnect when not one byte has come for so long; 0 is never
    #[arg(long, value_name = "MS", default_value_t = 300_000)]
    idle_timeout: u64,
    /// Reconnect when the response has not begun after so long; 0 is never
    #[arg(long, value_name = "MS", default_value_t = 0)]
    response_timeout: u64,
    /// Reconnect when no event has come for so long, whatever else has; 0 is never
    #[arg(long, value_name = "MS", default_value_t = 0)]
    event_timeout: u64,
    /// Give up when nothing has ever worked after so many attempts; 0 is never
    #[arg(
        long,
        alias = "initial-attempts",
        value_name = "N",
        default_value_t = 3
    )]
    max_initial_failures: u32,
    /// Give up after so many failures in a row; 0 is never
    #[arg(long, alias = "max-attempts", value_name = "N", default_value_t = 0)]
    max_consecutive_failures: u32,
    /// The largest event to take
    #[arg(long, value_name = "N", default_value_t = everstream::Parser::DEFAULT_MAX_EVENT_BYTES)]
    max_event_bytes: usize,
    /// Send a request again that is not safe to repeat, such as a POST
    #[arg(long, alias = "repeat-unsafe")]
    resend_unsafe_methods: bool,
    /// Do exactly as a browser does, cookies included
    #[arg(long)]
    standard: bool,

    /// Print comments, too
    #[arg(long)]
    pub(crate) comments: bool,
    /// Print comments and whatever else the server sends that is not an event: reconnection times,
    /// and blocks of lines without data
    #[arg(short, long)]
    pub(crate) verbose: bool,
    /// End after so many events
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) max_events: Option<u64>,
    /// A line `reconnect` or `close` on stdin does so
    #[arg(long)]
    pub(crate) control: bool,
    /// Print one line of JSON for everything that happens, to be read by programs
    #[arg(long)]
    pub(crate) json: bool,
}

const AFTER_HELP: &str = "\
Events are printed to stdout, what else happens to stderr; with --json everything to stdout.

Control characters that the server sends are shown as pictures, such as ␛, also in a pipe or a file:
it may well be shown in a terminal later. With --json they are escaped, so that a program gets every
character as it was: tail --json URL | jq -r 'select(.kind == \"event\").data'

The exit code is 0 after a clean end, 1 after an error, 2 where an option is wrong.";

/// What was asked for, in the terms of the crate.
impl Args {
    /// Reads the command line. Ends the program where it makes no sense.
    pub(crate) fn read() -> Self {
        let args = Self::parse();
        if args.control && args.data.iter().any(|data| data == "@-") {
            let why = "--control and --data @- cannot both read stdin";
            refuse(ErrorKind::ArgumentConflict, why);
        }
        args
    }

    /// The request for `url`, ready but for what each attempt adds to it. Ends the program where
    /// its body cannot be read.
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

    /// Puts what concerns connections on a client. Ends the program where the certificates to
    /// trust cannot be read.
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

    /// Puts all options on a source.
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
        _ => Err("there is no certificate in it (PEM)".to_owned()),
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

/// `localhost:8080/feed` as well as `http://localhost:8080/feed`. What is a URL of another kind
/// is left to the source to refuse.
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

/// As curl has it: `Name: value`, `Name;` for an empty value, `Name:` for no such header.
fn header(text: &str) -> Result<(HeaderName, Option<HeaderValue>), String> {
    let (name, value) = match (text.split_once(':'), text.strip_suffix(';')) {
        (Some((name, value)), _) => (name, Some(value.trim()).filter(|value| !value.is_empty())),
        (None, Some(name)) => (name, Some("")),
        (None, None) => return Err("there is no colon in it".to_owned()),
    };
    let name = HeaderName::from_bytes(name.trim().as_bytes()).map_err(|error| error.to_string())?;
    let always = [header::ACCEPT, header::CACHE_CONTROL, header::USER_AGENT];
    if value.is_none() && always.contains(&name) {
        return Err(format!("`{name}` cannot be left out"));
    }
    let value = value.map(|value| HeaderValue::from_bytes(value.as_bytes()));
    let value = value.transpose().map_err(|error| error.to_string())?;
    Ok((name, value))
}

fn refuse(kind: ErrorKind, why: impl std::fmt::Display) -> ! {
    Args::command().error(kind, why).exit()
}
