//! Events to wire bytes, for servers and for tests.
//!
//! What is written here, [`Parser`](crate::Parser) reads back to the same event, whatever is in
//! its data. A type or an ID that no event stream can carry is refused, and never forges a field.
//!
//! ```
//! use everstream::{Event, Parser, encode};
//!
//! let event = Event::new("one\ntwo").with_event_type("greeting").with_id("7");
//! let mut wire = Vec::new();
//! encode::retry(std::time::Duration::from_secs(5), &mut wire);
//! encode::event(&event, &mut wire)?;
//! assert_eq!(
//!     wire,
//!     b"retry: 5000\nevent: greeting\nid: 7\ndata: one\ndata: two\n\n"
//! );
//!
//! let mut parser = Parser::new();
//! let mut feed = parser.feed(&wire);
//! assert_eq!(feed.next_owned()?, Some(event));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use alloc::{string::ToString, vec::Vec};
use core::time::Duration;

use crate::event::Event;

/// An event that no event stream can carry.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EncodeError {
    /// The event type holds a CR, LF or NUL.
    #[error("an event type with a line end or NUL in it cannot be sent")]
    EventType,
    /// The ID holds a CR, LF or NUL.
    #[error("an event ID with a line end or NUL in it cannot be sent")]
    Id,
}

/// Appends `event` and the blank line that dispatches it.
///
/// An event without an ID writes no `id` field, and so leaves the last event ID of the stream as
/// it is.
///
/// # Errors
///
/// Where its type or ID holds a CR, LF or NUL. Nothing is written then.
pub fn event(event: &Event, out: &mut Vec<u8>) -> Result<(), EncodeError> {
    if !fits_a_line(event.event_type()) {
        return Err(EncodeError::EventType);
    }
    if !fits_a_line(event.id()) {
        return Err(EncodeError::Id);
    }
    if event.event_type() != "message" {
        field("event", event.event_type(), out);
    }
    if !event.id().is_empty() {
        field("id", event.id(), out);
    }
    for line in event.data().split('\n') {
        field("data", line, out);
    }
    out.push(b'\n');
    Ok(())
}

/// Appends `text` as comment lines: what servers send to keep a connection alive.
///
/// Line ends in `text` begin another comment.
pub fn comment(text: &str, out: &mut Vec<u8>) {
    for line in text.split(['\n', '\r']) {
        out.push(b':');
        out.extend_from_slice(line.as_bytes());
        out.push(b'\n');
    }
}

/// Appends a `retry` field: how long clients are to wait before they reconnect, to the
/// millisecond.
pub fn retry(time: Duration, out: &mut Vec<u8>) {
    let millis = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    field("retry", &millis.to_string(), out);
}

fn fits_a_line(value: &str) -> bool {
    !value.contains(['\r', '\n', '\0'])
}

/// The space after the colon is always written, so that a value may begin with one.
fn field(name: &str, value: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b": ");
    out.extend_from_slice(value.as_bytes());
    out.push(b'\n');
}
