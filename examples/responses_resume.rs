//! An answer of OpenAI's Responses API that is resumed when its connection breaks.
//!
//! Run `cargo run --example responses_resume`. It uses a built-in server, which cuts every connection
//! after three events.
//!
//! The response is generated in the background, so it continues if the connection breaks. Its events
//! have a `sequence_number` instead of an ID, and `GET …?stream=true&starting_after=N` returns the events
//! after number N. So a single POST starts the response, and every other request only resumes it.
#![expect(clippy::print_stdout, reason = "it is a program for a terminal")]

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use everstream::{
    Backoff, Contract, Contracted, Error, ErrorKind, Event, EventSource, Retry, Timeout,
    testing::{Reply, Request, Server},
    transport::Attempt,
};
use futures_util::TryStreamExt;
use reqwest::{Client, RequestBuilder};
use serde::Deserialize;
use serde_json::json;

/// The fields of each event that we read.
#[derive(Deserialize)]
struct Message {
    sequence_number: u64,
    response: Option<Response>,
    delta: Option<String>,
}

#[derive(Deserialize)]
struct Response {
    id: String,
}

/// How far the answer was read. If you store it, your program can resume after a restart.
#[derive(Clone, Default)]
struct Cursor(Arc<Mutex<Option<Position>>>);

#[derive(Clone)]
struct Position {
    response: String,
    sequence_number: u64,
}

impl Cursor {
    fn get(&self) -> Option<Position> {
        let position = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        position.clone()
    }

    fn advance(&self, message: &Message) {
        let mut position = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(position) = &mut *position {
            position.sequence_number = message.sequence_number;
        } else if let Some(response) = &message.response {
            *position = Some(Position {
                response: response.id.clone(),
                sequence_number: message.sequence_number,
            });
        }
    }
}

/// The events of one response, over any number of connections.
fn ask(client: Client, base_url: String, cursor: Cursor) -> Result<Contracted<EventSource>, Error> {
    let known = cursor.clone();
    let source = EventSource::factory(move |attempt: Attempt| {
        let request = request(&client, &base_url, &attempt, known.get());
        async move { request }
    })
    // The server generates the response even while we wait, so reconnect soon.
    .backoff(Backoff::new().reconnection_time(Duration::from_millis(200)))
    .retry_when(move |failure| {
        let error = failure.error();
        // Without the response's ID it cannot be resumed, and the POST must not be sent again unless
        // the first one was never sent.
        let is_unknown = cursor.get().is_none() && !error.is_connect();
        // The server keeps the connection alive, but the response makes no progress.
        let is_stuck = error.kind() == ErrorKind::Timeout(Timeout::Event);
        if is_unknown || is_stuck {
            Retry::GiveUp
        } else {
            Retry::Default
        }
    })
    .event_timeout(Duration::from_secs(300))
    .build()?;
    Ok(source.contract(Contract::openai_responses()))
}

fn request(
    client: &Client,
    base_url: &str,
    attempt: &Attempt,
    position: Option<Position>,
) -> Result<RequestBuilder, Error> {
    let never_sent = match attempt.cause() {
        None => true,
        Some(cause) => cause.error().is_some_and(Error::is_connect),
    };
    match position {
        Some(Position {
            response,
            sequence_number,
        }) => {
            let query = format!("stream=true&starting_after={sequence_number}");
            Ok(client.get(format!("{base_url}/responses/{response}?{query}")))
        }
        None if never_sent => Ok(client.post(format!("{base_url}/responses")).json(&json!({
            "model": "gpt-4.1-mini",
            "input": "Say something that flows.",
            "background": true,
            "stream": true,
        }))),
        None => Err(Error::new(
            ErrorKind::Request,
            "the stream ended before it sent the response's ID",
        )),
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let server = Server::start(answer).await;
    // A proxy cannot reach the built-in server.
    let client = everstream::reqwest013::client_builder()
        .no_proxy()
        .build()?;

    let cursor = Cursor::default();
    let mut events = ask(client, server.url("/v1"), cursor.clone())?;
    let mut text = String::new();
    while let Some(event) = events.try_next().await? {
        let message = event.json::<Message>()?;
        text.extend(message.delta.as_deref());
        // Advance after the event has been handled, not before.
        cursor.advance(&message);
    }
    println!("{text}");
    for request in server.requests() {
        println!("  {} {}", request.method(), request.target());
    }
    Ok(())
}

/// The server: it sends the events after the requested number, but only three per connection.
fn answer(request: &Request) -> Reply {
    let first = match (request.method().as_str(), request.target()) {
        ("POST", "/v1/responses") => 0,
        ("GET", target) => {
            let after = target.strip_prefix("/v1/responses/resp_1?stream=true&starting_after=");
            match after.and_then(|after| after.parse::<usize>().ok()) {
                Some(after) => after + 1,
                None => return Reply::status(404),
            }
        }
        _ => return Reply::status(404),
    };
    let delta = |text: &str| json!({ "type": "response.output_text.delta", "delta": text });
    let response = json!({ "id": "resp_1" });
    let messages = [
        json!({ "type": "response.created", "response": response }),
        delta("Rivers"),
        delta(", lava"),
        delta(", time"),
        delta(" and"),
        delta(" this text."),
        json!({ "type": "response.completed", "response": response }),
    ];
    let mut reply = Reply::events();
    for (number, message) in messages.iter().enumerate().skip(first).take(3) {
        let mut message = message.clone();
        message["sequence_number"] = json!(number);
        let kind = message["type"].as_str().unwrap_or_default();
        reply = reply.event(&Event::new(message.to_string()).with_event_type(kind));
    }
    reply.cut()
}
