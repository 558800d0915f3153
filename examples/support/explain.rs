//! One plain sentence for an error, with what the server said.

use std::error::Error as _;

use everstream::{Error, ErrorKind};
use serde_json::Value;

/// What went wrong, and in the server's own words why, in one line.
pub(crate) fn explain(error: &Error) -> String {
    let mut sentence = chain(error);
    if let Some(wait) = error.retry_after().filter(|wait| !wait.is_zero()) {
        sentence.push_str(&format!(", and asks to wait {} s", wait.as_secs().max(1)));
    }
    if let Some(said) = said(error) {
        sentence.push_str(": ");
        sentence.push_str(&said);
    }
    sentence
}

/// The error and what caused it. Each says only its own part, and many say that of the next, too.
pub(crate) fn chain(error: &Error) -> String {
    let mut sentence = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let part = cause.to_string();
        if !sentence.contains(&part) {
            sentence.push_str(": ");
            sentence.push_str(&part);
        }
        source = cause.source();
    }
    line(&sentence)
}

/// What the server said: in the response that it refused with, or in the event that reports an
/// error within a stream.
fn said(error: &Error) -> Option<String> {
    let text = match error.kind() {
        ErrorKind::ErrorEvent | ErrorKind::Json => error.event()?.data().into(),
        _ => error.body_text()?,
    };
    let json = serde_json::from_str::<Value>(&text).ok();
    let message = json.as_ref().and_then(message);
    let said = line(message.unwrap_or(&text));
    (!said.is_empty()).then_some(said)
}

/// Where the providers put their message: `{"error":{"message":…}}`, `{"error":…}`,
/// `{"message":…}`, or the same within a `response`.
fn message(json: &Value) -> Option<&str> {
    let places = [
        "/error/message",
        "/response/error/message",
        "/error",
        "/message",
        "/detail",
    ];
    places
        .iter()
        .find_map(|place| json.pointer(place)?.as_str())
}

/// As much of a text as fits a line, and nothing that a terminal would take for a command.
pub(crate) fn line(text: &str) -> String {
    const FITS: usize = 400;
    let text = text.replace(char::is_control, " ");
    let words: Vec<_> = text.split_whitespace().collect();
    let mut line = words.join(" ");
    if let Some((end, _)) = line.char_indices().nth(FITS) {
        line.truncate(end);
        line.push('…');
    }
    line
}
