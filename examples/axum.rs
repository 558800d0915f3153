//! A server with axum and everstream's `EventBody`, whose clients can resume.
//!
//! Run `cargo run --example axum`, and open the URL that it prints in a browser. The page follows the
//! feed with the browser's own `EventSource`. Or run `cargo run --example tail -- URL/feed`. To see
//! clients resume, start the server at a fixed address (`-- 127.0.0.1:8000`), stop it, and start it again.
#![expect(clippy::print_stdout, reason = "it is a program for a terminal")]

use std::{convert::Infallible, time::Duration};

use axum::{
    Router,
    body::Body,
    http::{HeaderMap, StatusCode, header},
    response::{Html, IntoResponse, Response},
    routing::get,
};
use everstream::{
    Event,
    encode::{EventBody, Outgoing},
};
use futures_util::{StreamExt, stream};

/// Sends one event per second, counting on from the last one that the client received. Ends after ten
/// events; the client then reconnects.
async fn feed(headers: HeaderMap) -> Response {
    let seen = match headers.get("last-event-id") {
        None => 0,
        Some(id) => match id.to_str().ok().and_then(|id| id.parse::<u64>().ok()) {
            Some(seen) => seen,
            None => return (StatusCode::BAD_REQUEST, "invalid Last-Event-ID").into_response(),
        },
    };
    let greeting = [
        Outgoing::Retry(Duration::from_secs(1)),
        Outgoing::Comment(" welcome".to_owned()),
    ];
    let events = stream::iter(seen + 1..=seen + 10).then(|number| async move {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let event = Event::new(format!("this is number {number}"))
            .with_event_type("count")
            .with_id(number.to_string());
        Outgoing::Event(event)
    });
    let all = stream::iter(greeting).chain(events);
    let body = Body::from_stream(EventBody::new(all.map(Ok::<_, Infallible>)));
    let headers = [
        (header::CONTENT_TYPE, "text/event-stream"),
        (header::CACHE_CONTROL, "no-cache"),
    ];
    (headers, body).into_response()
}

const PAGE: &str = r#"<!doctype html>
<meta charset="utf-8">
<title>a feed</title>
<pre id="log"></pre>
<script>
  const log = (line) => document.getElementById("log").append(line + "\n");
  const source = new EventSource("/feed");
  source.onopen = () => log("open");
  source.onerror = () => log("reconnecting");
  source.addEventListener("count", (event) => log(`${event.lastEventId}: ${event.data}`));
</script>
"#;

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let app = Router::new()
        .route("/", get(|| async { Html(PAGE) }))
        .route("/feed", get(feed));
    let address = std::env::args().nth(1);
    let address = address.as_deref().unwrap_or("127.0.0.1:0");
    let listener = tokio::net::TcpListener::bind(address).await?;
    println!("http://{}/", listener.local_addr()?);
    axum::serve(listener, app).await
}
