//! A proxy for streamed answers: it sends a browser's request to an upstream, and forwards the answer to
//! the browser, event by event.
//!
//! ```text
//! cargo run --example proxy      # then open the address that it prints
//! cargo run --example proxy -- --upstream http://localhost:11434/v1/chat/completions
//! ```
//!
//! Without `--upstream`, it uses a built-in server. With such a proxy, your API key stays out of the
//! browser: `--header 'Authorization: Bearer …'`.
//!
//! - The browser's POST becomes one POST to the upstream, which is never sent again.
//! - Events keep their types and IDs. Comments, `retry` and blocks that only set an ID are forwarded,
//!   too, so that the browser resumes from the right ID.
//! - A browser that reads slowly slows down the upstream: the proxy queues nothing.
//! - When the browser disconnects, the connection to the upstream is closed.
//! - If the upstream fails before its answer begins, the browser gets an error status. If it fails later,
//!   the browser gets a last event of type `error`.
#![expect(clippy::print_stdout, reason = "it is a program for a terminal")]

#[path = "support/chat_server.rs"]
mod chat_server;
#[path = "support/explain.rs"]
mod explain;
#[path = "support/terminal.rs"]
mod terminal;

use std::{future::ready, io::Write, time::Duration};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{Html, IntoResponse, Response},
    routing::{get, post},
};
use clap::Parser;
use everstream::{
    Error, Event, EventStream, RequestBuilderExt, Signal,
    encode::{Encoder, EventBody, Outgoing},
};
use futures_util::TryStreamExt;

/// Forwards streamed answers from an upstream to browsers.
#[derive(Clone, Debug, Parser)]
#[command(name = "proxy", version)]
struct Args {
    /// Where to send the browsers' requests; by default, to a built-in server
    #[arg(long, value_name = "URL")]
    upstream: Option<String>,
    /// A header to send to the upstream, such as one with a key
    #[arg(short = 'H', long = "header", value_name = "NAME: VALUE", value_parser = parse_header)]
    headers: Vec<(HeaderName, HeaderValue)>,
    /// The address to listen on
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    listen: String,
    /// How long to wait for the upstream's headers, and for each event
    #[arg(long, value_name = "MS", default_value_t = 120_000)]
    event_timeout: u64,
    /// Send the browser a comment after this long without an event
    #[arg(long, value_name = "MS", default_value_t = 15_000)]
    keep_alive: u64,
}

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// Shared by all requests.
#[derive(Clone)]
struct Proxy {
    client: reqwest::Client,
    url: String,
    args: Args,
}

/// Sends the request to the upstream, and streams the answer.
///
/// When the browser disconnects, axum drops this future or the body that it returned, which closes the
/// connection to the upstream.
async fn ask(State(proxy): State<Proxy>, headers: HeaderMap, body: Bytes) -> Response {
    match proxy.open(&headers, body).await {
        Ok(events) => proxy.pass_on(events),
        Err(error) => refuse(&error),
    }
}

impl Proxy {
    /// Waits until the upstream's answer begins.
    async fn open(&self, headers: &HeaderMap, body: Bytes) -> Result<EventStream, Error> {
        let mut request = self.client.post(&self.url).body(body);
        // If a browser resumes, forward its ID; only the upstream knows what it means.
        for name in [header::CONTENT_TYPE, LAST_EVENT_ID] {
            if let Some(value) = headers.get(&name) {
                request = request.header(name, value);
            }
        }
        let of_the_proxy = self.args.headers.iter().cloned();
        let timeout = Duration::from_millis(self.args.event_timeout);
        request
            .headers(of_the_proxy.collect())
            .events()
            .last_event_id(resumes_from(headers))
            .headers_timeout(timeout)
            .event_timeout(timeout)
            .await
    }

    fn pass_on(&self, events: EventStream) -> Response {
        // The browser already has the ID that this stream started from.
        let encoder = Encoder::new().with_last_event_id(events.last_event_id());
        // Signals are the events and everything else in the stream, such as comments.
        let outgoing = events.signals().try_filter_map(|signal| {
            ready(Ok(match signal {
                Signal::Event(event) => Some(Outgoing::Event(event)),
                Signal::Comment(text) => Some(Outgoing::Comment(text)),
                Signal::Retry(time) => Some(Outgoing::Retry(time)),
                Signal::Undispatched { id, .. } => Some(Outgoing::Id(id)),
                _ => None,
            }))
        });
        let body = EventBody::new(outgoing)
            .encoder(encoder)
            .keep_alive(Duration::from_millis(self.args.keep_alive))
            .on_error(|error| error_event(&error));
        let headers = [
            (header::CONTENT_TYPE, "text/event-stream"),
            (header::CACHE_CONTROL, "no-cache"),
        ];
        (headers, Body::from_stream(body)).into_response()
    }
}

/// For an upstream that failed before its answer began: the status can still report it.
fn refuse(error: &Error) -> Response {
    log(error);
    let status = match error.status() {
        // The upstream is busy, and may say for how long.
        Some(status @ (StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE)) => status,
        _ if error.is_timeout() => StatusCode::GATEWAY_TIMEOUT,
        _ => StatusCode::BAD_GATEWAY,
    };
    let retry_after = error
        .headers()
        .and_then(|headers| headers.get(header::RETRY_AFTER));
    let mut response = (status, to_the_browser(error)).into_response();
    if let Some(wait) = retry_after {
        let headers = response.headers_mut();
        headers.insert(header::RETRY_AFTER, wait.clone());
    }
    response
}

/// The last event for the browser if the upstream fails after its answer has started.
fn error_event(error: &Error) -> Event {
    log(error);
    let message = serde_json::json!({ "message": to_the_browser(error) });
    Event::new(message.to_string()).with_event_type("error")
}

/// What went wrong, without the upstream's URL, and without its own message, which may be about the
/// proxy's key.
fn to_the_browser(error: &Error) -> String {
    format!("the upstream failed: {}", error.clone().without_url())
}

/// The browser's last event ID.
fn resumes_from(headers: &HeaderMap) -> String {
    let id = headers.get(LAST_EVENT_ID).map(HeaderValue::as_bytes);
    String::from_utf8_lossy(id.unwrap_or_default()).into_owned()
}

fn log(error: &Error) {
    let _ = writeln!(std::io::stderr(), "proxy: {}", explain::explain(error));
}

fn parse_header(header: &str) -> Result<(HeaderName, HeaderValue), String> {
    let (name, value) = header.split_once(':').ok_or("expected NAME: VALUE")?;
    let name = name.trim().parse().map_err(|_| "invalid header name")?;
    let mut value: HeaderValue = value.trim().parse().map_err(|_| "invalid header value")?;
    value.set_sensitive(true);
    Ok((name, value))
}

/// The page for the browser. It uses `fetch`, which does not resend a POST, instead of `EventSource`.
const PAGE: &str = r#"<!doctype html>
<meta charset="utf-8">
<title>a streamed answer</title>
<form id="form">
  <input id="question" size="60" value="How does your answer get to my browser?">
  <button>Ask</button> <button type="button" id="stop">Stop</button>
</form>
<pre id="answer" style="white-space: pre-wrap"></pre>
<script>
  const [form, question, stop, answer] =
    ["form", "question", "stop", "answer"].map((id) => document.getElementById(id));
  let asked = new AbortController();
  stop.onclick = () => asked.abort();
  form.onsubmit = async (submit) => {
    submit.preventDefault();
    asked.abort();
    asked = new AbortController();
    answer.textContent = "";
    const messages = [{ role: "user", content: question.value }];
    try {
      const response = await fetch("/ask", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ stream: true, messages }),
        signal: asked.signal,
      });
      if (!response.ok) throw new Error(await response.text());
      await read(response.body.pipeThrough(new TextDecoderStream()).getReader());
    } catch (error) {
      answer.append(`\n[${error.message}]`);
    }
  };
  // The proxy ends every line with LF, and every block with a blank line.
  const read = async (chunks) => {
    for (let text = ""; ; ) {
      const { value, done } = await chunks.read();
      if (done) break;
      const blocks = (text + value).split("\n\n");
      text = blocks.pop();
      blocks.forEach(show);
    }
  };
  const show = (block) => {
    const lines = block.split("\n");
    const values = (field) =>
      lines.filter((line) => line.startsWith(field)).map((line) => line.slice(field.length));
    const data = values("data: ").join("\n");
    if (values("event: ").includes("error")) throw new Error(JSON.parse(data).message);
    if (data === "" || data === "[DONE]") return;
    answer.append(JSON.parse(data).choices[0]?.delta?.content ?? "");
  };
</script>
"#;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args = Args::parse();
    let mut client = everstream::reqwest013::client_builder();
    let mut built_in = None;
    let url = match &args.upstream {
        Some(url) => url.clone(),
        None => {
            // An HTTP proxy cannot reach the built-in server.
            client = client.no_proxy();
            let server = built_in.insert(chat_server::start().await);
            server.url("/v1/chat/completions")
        }
    };
    let listener = tokio::net::TcpListener::bind(&args.listen).await?;
    println!("http://{}/", listener.local_addr()?);
    let proxy = Proxy {
        client: client.build()?,
        url,
        args,
    };
    let app = Router::new()
        .route("/", get(|| async { Html(PAGE) }))
        .route("/ask", post(ask))
        .with_state(proxy);
    axum::serve(listener, app).await?;
    Ok(())
}
