//! An MCP client whose call is answered over several connections.
//!
//! Run `cargo run --example mcp`. It calls tools on a built-in server.
//!
//! In MCP's Streamable HTTP transport (2025-11-25), a call is a POST. The server answers with JSON or
//! with an event stream. It may begin that stream with an event that has an ID and empty data, and may
//! close the stream at any time. The client then waits as long as `retry` asks, and continues with a GET
//! that has this ID in `Last-Event-ID`. It never sends the POST again: the tool would run twice. If only
//! keep-alive comments arrive for too long, it gives up, because the tool may never answer.
#![expect(clippy::print_stdout, reason = "it is a program for a terminal")]

use std::time::Duration;

use everstream::{
    BoxError, CompleteWhen, Error, ErrorKind, Event, EventSource, Retry, Timeout, encode,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    testing::{Reply, Server},
    transport::{Attempt, Body, Response},
};
use futures_util::TryStreamExt;
use reqwest::Client;
use serde::Deserialize;
use serde_json::{Value, json};

/// The fields of a message that we read. An answer has the ID of its call, and a result or an error.
/// Notifications have a method. So do requests from the server, whose ID may be the same as ours.
#[derive(Deserialize)]
struct Message {
    id: Option<u64>,
    method: Option<String>,
    result: Option<Value>,
    error: Option<Value>,
}

impl Message {
    fn answers(&self, id: u64) -> bool {
        self.id == Some(id) && self.method.is_none()
    }
}

/// The server to call tools on, and our session.
struct Mcp {
    client: Client,
    url: String,
    session: &'static str,
    /// How long to wait for the next message.
    limit: Duration,
}

impl Mcp {
    /// Calls a tool, prints the messages that come first, and returns the result.
    async fn call(&self, id: u64, tool: &str) -> Result<Value, BoxError> {
        let message = json!({
            "jsonrpc": "2.0",
            "id": id,
            "method": "tools/call",
            "params": { "name": tool },
        });
        let mut events = self.messages(id, message)?;
        while let Some(event) = events.try_next().await? {
            if event.data().is_empty() {
                continue; // This event was only sent for its ID.
            }
            let message = event.json::<Message>()?;
            if message.answers(id) {
                return match message.error {
                    Some(error) => Err(format!("the server returned an error: {error}").into()),
                    None => Ok(message.result.unwrap_or_default()),
                };
            }
            println!("{tool}: {}", message.method.unwrap_or_default());
        }
        Err("the server ended the session".into())
    }

    /// The messages up to the answer. The first request is a POST, all others are GETs.
    fn messages(&self, id: u64, call: Value) -> Result<CompleteWhen<EventSource>, Error> {
        let (client, url, session) = (self.client.clone(), self.url.clone(), self.session);
        let source = EventSource::factory(move |attempt: Attempt| {
            let request = match attempt.number() {
                1 => client
                    .post(&url)
                    .header("accept", "application/json, text/event-stream")
                    .json(&call),
                _ => client.get(&url),
            };
            let client = client.clone();
            let request = request.header("mcp-session-id", session);
            async move {
                if attempt.number() > 1 && attempt.last_event_id().is_empty() {
                    let why = "the answer ended early, without an ID to resume from";
                    return Err(Error::new(ErrorKind::Request, why).into());
                }
                let mut request = request.build()?;
                attempt.apply(request.headers_mut());
                into_stream(client.execute(request).await?).await
            }
        })
        .event_timeout(self.limit)
        .retry_when(|failure| {
            let kind = failure.error().kind();
            // The server refused the call: don't make it again.
            let is_refused = kind == ErrorKind::Status && failure.attempt() == 1;
            // The server keeps the connection alive, but the tool does not answer.
            let is_stuck = kind == ErrorKind::Timeout(Timeout::Event);
            if is_refused || is_stuck {
                Retry::GiveUp
            } else {
                Retry::Default
            }
        })
        .max_consecutive_failures(10)
        .build()?;
        let is_answer = move |event: &Event| event.json::<Message>().is_ok_and(|it| it.answers(id));
        Ok(source.complete_when(is_answer))
    }
}

/// Turns a JSON answer into an event stream of one event.
async fn into_stream(response: reqwest::Response) -> Result<Response, BoxError> {
    let content_type = response.headers().get(header::CONTENT_TYPE);
    if !content_type.is_some_and(|it| it.as_bytes().starts_with(b"application/json")) {
        return Ok(response.into());
    }
    if response.status() != StatusCode::OK {
        return Ok(response.into());
    }
    let event = Event::new(response.text().await?);
    let stream = HeaderValue::from_static("text/event-stream");
    let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, stream)]);
    let body = Body::from(encode::event(&event)?.to_bytes());
    Ok(Response::new(StatusCode::OK, headers, body))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), BoxError> {
    let server = server().await;
    // A proxy cannot reach the built-in server.
    let client = everstream::reqwest013::client_builder()
        .no_proxy()
        .build()?;
    let mcp = Mcp {
        client,
        url: server.url("/mcp"),
        session: "a session",
        limit: Duration::from_secs(60),
    };
    let result = mcp.call(1, "long_task").await?;
    println!("long_task: {result}");

    // A short limit, to see it pass.
    let limit = Duration::from_millis(200);
    match (Mcp { limit, ..mcp }).call(2, "stuck_task").await {
        Ok(result) => println!("stuck_task: {result}"),
        Err(error) => println!("stuck_task: {error}"),
    }
    server.verify();
    Ok(())
}

/// A server that closes the stream of the first call several times, and only sends keep-alive comments
/// for the second call.
async fn server() -> Server {
    let progress = json!({ "jsonrpc": "2.0", "method": "notifications/progress" });
    let result = json!({ "jsonrpc": "2.0", "id": 1, "result": "It has run once." });
    Server::script([
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
        Reply::events()
            .raw("id: b_0\nretry: 200\ndata: \n\n")
            .expect_method("POST"),
        Reply::events()
            .repeat(": keep-alive\n\n", None)
            .split_every(14)
            .pace(Duration::from_millis(10))
            .expect_method("GET")
            .expect_last_event_id("b_0"),
    ])
    .await
}
