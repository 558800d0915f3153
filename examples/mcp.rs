//! An MCP client's call whose answer comes over more than one connection.
//!
//! `cargo run --example mcp`; it calls a tool of a server of its own.
//!
//! In MCP's Streamable HTTP transport (2025-11-25) a call is a POST. The server answers with JSON,
//! or with an event stream, which it may begin with an event that has an ID and no data, and may
//! close at any time. The client then waits as long as `retry` says and reads on by a GET with that
//! ID in `Last-Event-ID`. The POST is never sent again: the tool would run twice.
#![expect(clippy::print_stdout, reason = "it is a program for a terminal")]

use everstream::{
    Attempt, BoxError, Error, ErrorKind, Event, EventSource, EventStreamExt, Retry,
    bytes::Bytes,
    encode,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    reqwest013::client_builder,
    testing::{Reply, Server},
    transport::{Body, Response},
};
use futures_util::TryStreamExt;
use reqwest::Client;
use serde::Deserialize;
use serde_json::{Value, json};

/// What we read of a message: an answer has the ID of its call, a notification has none.
#[derive(Deserialize)]
struct Message {
    id: Option<u64>,
    method: Option<String>,
    result: Option<Value>,
}

/// A call of the session: POST, and GET from then on.
fn call(
    client: Client,
    url: String,
    session: String,
    message: Value,
) -> Result<EventSource, Error> {
    EventSource::factory(move |attempt: Attempt| {
        let client = client.clone();
        let request = match attempt.number() {
            1 => client
                .post(&url)
                .header("accept", "application/json, text/event-stream")
                .json(&message),
            _ => client.get(&url),
        };
        let request = request.header("mcp-session-id", &session);
        async move {
            if attempt.number() > 1 && attempt.last_event_id().is_empty() {
                let why = "the answer ended early and named no ID to resume from";
                return Err(Error::with_source(ErrorKind::Request, why).into());
            }
            let mut request = request.build()?;
            attempt.apply(request.headers_mut());
            into_stream(client.execute(request).await?).await
        }
    })
    // A call that was refused is not to be made again.
    .retry_when(|failure| match failure.attempt() {
        1 if failure.error().status().is_some() => Retry::GiveUp,
        _ => Retry::AsUsual,
    })
    .build()
}

/// A JSON answer is an event stream of one event to whoever reads it.
async fn into_stream(response: reqwest::Response) -> Result<Response, BoxError> {
    let content_type = response.headers().get(header::CONTENT_TYPE);
    if !content_type.is_some_and(|it| it.as_bytes().starts_with(b"application/json")) {
        return Ok(response.into());
    }
    if response.status() != StatusCode::OK {
        return Ok(response.into());
    }
    let mut wire = Vec::new();
    encode::event(&Event::new(response.text().await?), &mut wire)?;
    let stream = HeaderValue::from_static("text/event-stream");
    let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, stream)]);
    let body = Body::from(Bytes::from(wire));
    Ok(Response::new(StatusCode::OK, headers, body))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let progress = json!({ "jsonrpc": "2.0", "method": "notifications/progress" });
    let result = json!({ "jsonrpc": "2.0", "id": 2, "result": "It has run once." });
    let server = Server::script([
        Reply::events()
            .raw("id: a_0\nretry: 200\ndata: \n\n")
            .expect_method("POST"),
        Reply::events()
            .raw(format!("id: a_1\ndata: {progress}\n\n"))
            .expect_method("GET")
            .expect_header("mcp-session-id", "a session")
            .expect_last_event_id("a_0"),
        Reply::events()
            .raw(format!("id: a_2\ndata: {result}\n\n"))
            .expect_method("GET")
            .expect_last_event_id("a_1"),
    ])
    .await;
    // Whatever proxy there is cannot know a server within this program.
    let client = client_builder().no_proxy().build()?;

    let message = json!({
        "jsonrpc": "2.0",
        "id": 2,
        "method": "tools/call",
        "params": { "name": "long_task" },
    });
    let source = call(client, server.url("/mcp"), "a session".to_owned(), message)?;
    let is_answer = |event: &Event| event.json::<Message>().is_ok_and(|it| it.id == Some(2));
    let mut events = source.until(is_answer);
    while let Some(event) = events.try_next().await? {
        if event.data().is_empty() {
            continue; // It was sent for its ID alone.
        }
        let message = event.json::<Message>()?;
        match (message.method, message.result) {
            (Some(method), _) => println!("{method}"),
            (None, result) => println!("{}", result.unwrap_or_default()),
        }
    }
    server.verify();
    Ok(())
}
