//! Writes events as the bytes of an event stream: for servers, proxies and tests.
//!
//! An [`Encoder`] writes the events of one response, one after another. It is the inverse of the
//! [`Parser`](crate::Parser): every event from a parser can be encoded, and is parsed as the same
//! event again, including its ID.
//!
//! ```
//! use everstream::{Event, Parser, encode::{self, Encoder}};
//! use std::time::Duration;
//!
//! let mut encoder = Encoder::new();
//! let mut wire = Vec::new();
//! encode::retry(Duration::from_secs(5)).append_to(&mut wire);
//! let event = Event::new("one\ntwo").with_event_type("greeting").with_id("7");
//! encoder.event(&event)?.append_to(&mut wire);
//! assert_eq!(
//!     wire,
//!     b"retry: 5000\n\nevent: greeting\nid: 7\ndata: one\ndata: two\n\n"
//! );
//!
//! let mut parser = Parser::new();
//! let mut feed = parser.feed(&wire);
//! assert_eq!(feed.next_owned()?, Some(event));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! All functions return an [`Encoded`], which you can write to a `Vec<u8>`, to `Bytes` or any
//! `BufMut`, or to any [`fmt::Write`].
//!
//! # No injection
//!
//! Data may contain anything: each of its lines becomes a `data` line. A type or an ID that
//! contains a line end is an [`EncodeError`], and each line of a comment becomes a comment. So text
//! from users can't inject a field or an event.
//!
//! # Every block ends with a blank line
//!
//! The standard requires the blank line only after an event. Here, comments and `retry` end with
//! one too: many clients split the stream at blank lines and only look at the start of each part,
//! so they would miss an event directly after a comment.

#[cfg(feature = "stream")]
mod body;
mod encoded;
#[cfg(test)]
mod tests;

use alloc::string::String;
use core::{fmt, time::Duration};

#[cfg(feature = "stream")]
pub use body::{EventBody, Outgoing};
pub use encoded::Encoded;

use crate::event::{self, Event, EventRef};
use encoded::Block;

/// An event that an event stream cannot carry.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EncodeError {
    /// The event type contains a CR or LF.
    #[error("an event type that contains a line end cannot be sent")]
    EventType,
    /// The ID contains a CR, LF or NUL. Parsers ignore an ID with NUL (9.2.6).
    #[error("an event ID that contains a line end or NUL cannot be sent")]
    Id,
}

/// Encodes the events of one response, in order.
///
/// It keeps track of the client's last event ID, and writes an `id` field if the ID of an event
/// differs from it: once for consecutive events with the same ID, and with an empty value if the ID
/// was reset.
///
/// ```
/// use everstream::{Event, encode::Encoder};
///
/// let mut encoder = Encoder::new();
/// let mut wire = String::new();
/// for id in ["1", "1", ""] {
///     wire += &encoder.event(&Event::new("x").with_id(id))?.to_string();
/// }
/// assert_eq!(wire, "id: 1\ndata: x\n\ndata: x\n\nid: \ndata: x\n\n");
/// # Ok::<(), everstream::encode::EncodeError>(())
/// ```
///
/// # If only some events have an ID
///
/// By default, an event without an ID resets the client's last event ID to the empty string, so the
/// client no longer knows where to resume. This is right for a proxy, whose events come from a
/// parser. If your server creates its own events, and some of them have no ID, use
/// [`without_id_resets`](Self::without_id_resets).
#[derive(Clone, Default)]
pub struct Encoder {
    /// The last event ID of the client's parser.
    last_event_id: String,
    keeps_id: bool,
}

impl Encoder {
    /// Creates an encoder at the start of a response, for a client without a last event ID.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the client's last event ID at the start; the empty string by default.
    ///
    /// In a proxy that starts the parser of the upstream response with the `Last-Event-ID` of the
    /// client's request, start the encoder with the same ID. Then the client's ID is reset if the
    /// upstream resets it. With the default, an event before the first ID does not change the
    /// client's ID.
    #[must_use]
    pub fn with_last_event_id(mut self, id: impl Into<String>) -> Self {
        self.last_event_id = id.into();
        self
    }

    /// Never resets the client's last event ID: an event with an empty ID does not change it.
    #[must_use]
    pub fn without_id_resets(mut self) -> Self {
        self.keeps_id = true;
        self
    }

    /// Returns the last event ID of a client that has read everything encoded so far.
    #[must_use]
    pub fn last_event_id(&self) -> &str {
        &self.last_event_id
    }

    /// Encodes an event: an `&Event` or an [`EventRef`].
    ///
    /// The encoder assumes that the event is sent, so write it before you encode the next one.
    ///
    /// # Errors
    ///
    /// [`EncodeError`] if its type contains a CR or LF, or if its ID has to be written and contains
    /// a CR, LF or NUL. The encoder stays usable. Events from a parser never fail.
    pub fn event<'a>(&mut self, event: impl AnyEvent<'a>) -> Result<Encoded<'a>, EncodeError> {
        let parts = event.parts();
        let kept = parts.id == self.last_event_id || (self.keeps_id && parts.id.is_empty());
        let encoded = parts.encode(!kept)?;
        if !kept {
            self.set_last_event_id(parts.id);
        }
        Ok(encoded)
    }

    /// Encodes a block that sets the client's last event ID without an event, even if the client
    /// already has that ID.
    ///
    /// Use it to move a client past events that it doesn't need:
    ///
    /// ```
    /// use everstream::{Parser, encode::Encoder};
    ///
    /// let mut parser = Parser::new();
    /// let wire = Encoder::new().id("42")?.to_vec();
    /// assert_eq!(parser.feed(&wire).next_event()?, None);
    /// assert_eq!(parser.last_event_id(), "42");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`EncodeError::Id`] if `id` contains a CR, LF or NUL.
    pub fn id<'a>(&mut self, id: &'a str) -> Result<Encoded<'a>, EncodeError> {
        check_id(id)?;
        self.set_last_event_id(id);
        Ok(Encoded(Block::Id(id)))
    }

    fn set_last_event_id(&mut self, id: &str) {
        event::empty(&mut self.last_event_id);
        self.last_event_id.push_str(id);
    }
}

/// Does not show the ID, which may be secret.
impl fmt::Debug for Encoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Encoder")
            .field("keeps_id", &self.keeps_id)
            .finish_non_exhaustive()
    }
}

/// Encodes a single event, without regard to earlier events: an `&Event` or an [`EventRef`].
///
/// The ID is written if the event has one. An event without an ID does not change the client's last
/// event ID. To send several events, use an [`Encoder`].
///
/// # Errors
///
/// [`EncodeError`] if its type contains a CR or LF, or its ID a CR, LF or NUL.
pub fn event<'a>(event: impl AnyEvent<'a>) -> Result<Encoded<'a>, EncodeError> {
    let parts = event.parts();
    let has_id = !parts.id.is_empty();
    parts.encode(has_id)
}

/// Encodes a comment, which clients ignore. Servers send comments from time to time to keep a
/// connection alive (9.2.7).
///
/// Nothing is added between the colon and `text`. Each line of `text` becomes a comment.
///
/// ```
/// # use everstream::encode;
/// assert_eq!(encode::comment(" hello").to_string(), ": hello\n\n");
/// assert_eq!(encode::comment("").to_string(), ":\n\n");
/// ```
pub fn comment(text: &str) -> Encoded<'_> {
    Encoded(Block::Comment(text))
}

/// Encodes a `retry` field: how long clients should wait before they reconnect, in whole
/// milliseconds, rounded down. A longer time than 2⁶⁴ − 1 ms becomes 2⁶⁴ − 1 ms.
///
/// ```
/// # use everstream::encode;
/// # use std::time::Duration;
/// assert_eq!(encode::retry(Duration::from_secs(5)).to_string(), "retry: 5000\n\n");
/// ```
pub fn retry(time: Duration) -> Encoded<'static> {
    let millis = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    Encoded(Block::Retry(millis))
}

/// An event that can be encoded: a reference to an [`Event`], or an [`EventRef`].
///
/// Other crates can't implement it.
pub trait AnyEvent<'a>: sealed::Parted<'a> {}

impl<'a, T: sealed::Parted<'a>> AnyEvent<'a> for T {}

mod sealed {
    use super::{Event, EventRef};

    /// The parts of an event that are encoded.
    #[derive(Clone, Copy)]
    #[expect(missing_debug_implementations, reason = "nobody can name it")]
    pub struct Parts<'a> {
        pub(super) event_type: &'a str,
        pub(super) data: &'a str,
        pub(super) id: &'a str,
    }

    pub trait Parted<'a> {
        fn parts(self) -> Parts<'a>;
    }

    impl<'a> Parted<'a> for &'a Event {
        fn parts(self) -> Parts<'a> {
            Parts {
                event_type: self.event_type(),
                data: self.data(),
                id: self.id(),
            }
        }
    }

    impl<'a> Parted<'a> for EventRef<'a> {
        fn parts(self) -> Parts<'a> {
            Parts {
                event_type: self.event_type(),
                data: self.data(),
                id: self.id(),
            }
        }
    }

    impl<'a> Parted<'a> for &EventRef<'a> {
        fn parts(self) -> Parts<'a> {
            (*self).parts()
        }
    }
}

impl<'a> sealed::Parts<'a> {
    /// Encodes the event. Without `with_id`, the ID is not written, and may be anything.
    fn encode(self, with_id: bool) -> Result<Encoded<'a>, EncodeError> {
        if has_line_end(self.event_type) {
            return Err(EncodeError::EventType);
        }
        if with_id {
            check_id(self.id)?;
        }
        Ok(Encoded(Block::Event {
            event_type: (self.event_type != event::MESSAGE).then_some(self.event_type),
            id: with_id.then_some(self.id),
            data: self.data,
        }))
    }
}

fn check_id(id: &str) -> Result<(), EncodeError> {
    match has_line_end(id) || id.contains('\0') {
        true => Err(EncodeError::Id),
        false => Ok(()),
    }
}

fn has_line_end(value: &str) -> bool {
    value.contains(['\r', '\n'])
}
