//! Explains an error in one sentence, with the server's message.

use std::error::Error as _;

use everstream::{Error, ErrorKind, Parser};
use serde_json::Value;

use crate::terminal::line;

/// What went wrong, with the server's message, in one line.
pub(crate) fn explain(error: &Error) -> String {
    let mut sentence = plain(error);
    if let Some(wait) = error.retry_after().filter(|wait| !wait.is_zero()) {
        sentence.push_str(&format!(", and asks to wait {} s", wait.as_secs().max(1)));
    }
    if let Some(said) = said(error) {
        sentence.push_str(": ");
        sentence.push_str(&said);
    }
    sentence
}

/// The error and its root cause. It leaves out the sources in between, which are only useful in a log,
/// the text after a semicolon, which is advice for programmers, and the URL, which the user has given.
pub(crate) fn plain(error: &Error) -> String {
    let error = error.clone().without_url();
    let mut sentence = error.to_string();
    if let Some(advice) = sentence.find("; ") {
        sentence.truncate(advice);
    }
    let mut source = error.source();
    let mut root = None;
    while let Some(cause) = source {
        root = Some(cause.to_string());
        source = cause.source();
    }
    if let Some(root) = root.filter(|root| !sentence.contains(root)) {
        sentence.push_str(": ");
        sentence.push_str(&root);
    }
    line(&sentence)
}

/// The server's message, from the error response or from the event that reports an error.
fn said(error: &Error) -> Option<String> {
    let text = match error.kind() {
        ErrorKind::ErrorEvent | ErrorKind::Json => error.event()?.data().into(),
        _ => error.body_text()?,
    };
    if text.bytes().any(is_binary) {
        let bytes = error.body().map_or(text.len(), |body| body.len());
        return Some(format!("{bytes} bytes that are not text"));
    }
    // Some servers send an error response as an event stream, with the reason in the first event.
    let words = words(&text).or_else(|| words(&first_data(&text)?));
    let said = line(words.as_deref().unwrap_or(&text));
    (!said.is_empty()).then_some(said)
}

/// Whether the byte never occurs in text, in any 8-bit encoding.
fn is_binary(byte: u8) -> bool {
    byte < b' ' && !b"\t\n\x0b\x0c\r\x1b".contains(&byte)
}

/// The data of the first event, if the text is an event stream. Its end may be missing.
fn first_data(text: &str) -> Option<String> {
    let stream = format!("{text}\n\n");
    let mut parser = Parser::new();
    let mut feed = parser.feed(stream.as_bytes());
    let event = feed.next_event().ok()??;
    Some(event.data().to_owned())
}

/// The message in a provider's JSON.
fn words(json: &str) -> Option<String> {
    let json = serde_json::from_str::<Value>(json).ok()?;
    message(&json).map(str::to_owned)
}

/// Providers put their message into `{"error":{"message":…}}`, `{"error":…}` or `{"message":…}`, some of
/// them inside a `response` or a choice, or as the only item of a list.
fn message(json: &Value) -> Option<&str> {
    let places = [
        "/error/message",
        "/response/error/message",
        "/choices/0/error/message",
        "/error",
        "/message",
        "/detail",
        "/0/error/message",
    ];
    places
        .iter()
        .find_map(|place| json.pointer(place)?.as_str())
}
