//! Writes events as the bytes of an event stream: for servers, proxies and tests.
//!
//! An [`Encoder`] writes the events of one response, one after another. It is the inverse of the
//! [`Parser`](crate::Parser): every event that a parser gave can be written, and reads back the
//! same, its ID included.
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
//! Everything here returns an [`Encoded`], which can be written wherever it is needed: to a
//! `Vec<u8>`, to `Bytes` or any `BufMut`, or to any [`fmt::Write`].
//!
//! # Nothing can be forged
//!
//! Data may hold anything: its line ends become further `data` lines. A type or an ID with a
//! line end in it is an [`EncodeError`], and a line end in a comment begins another comment. So
//! text from users can never add a field or an event.
//!
//! # Every block ends with a blank line
//!
//! The standard asks for the blank line only after an event. Comments and `retry` get one as well:
//! many clients split the stream at blank lines and look only at how each part begins, and would
//! miss an event right after a comment.

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
/// It remembers the last event ID that the client has, and writes an `id` field when the ID of an
/// event differs from it: once for several events with the same ID, and with an empty value where
/// the ID was reset.
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
/// # Servers that give an ID to some events only
///
/// To the encoder, an event without an ID says that the ID is the empty string now, and a client
/// that was sent it no longer knows where to resume. That is right for a proxy, whose events come
/// from a parser. A server that makes its own events, and some of them without an ID, wants
/// [`without_id_resets`](Self::without_id_resets).
#[derive(Clone, Default)]
pub struct Encoder {
    /// What the client's parser has.
    last_event_id: String,
    keeps_id: bool,
}

impl Encoder {
    /// An encoder at the start of a response, to a client without a last event ID.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The last event ID to start from. The empty string by default.
    ///
    /// A proxy that starts the parser of the upstream's answer with the `Last-Event-ID` of the
    /// client's request starts the encoder with the same, and so passes on that the upstream reset
    /// it. With the default, an event before the first ID leaves the client's as it is.
    #[must_use]
    pub fn with_last_event_id(mut self, id: impl Into<String>) -> Self {
        self.last_event_id = id.into();
        self
    }

    /// Never resets the client's last event ID: an event with an empty ID leaves it as it is.
    #[must_use]
    pub fn without_id_resets(mut self) -> Self {
        self.keeps_id = true;
        self
    }

    /// The last event ID of a client that has read everything encoded so far.
    #[must_use]
    pub fn last_event_id(&self) -> &str {
        &self.last_event_id
    }

    /// Encodes an event: an `&Event` or an [`EventRef`].
    ///
    /// The encoder counts it as sent: write it before the next one.
    ///
    /// # Errors
    ///
    /// If its type contains a CR or LF, or its ID has to be written and contains a CR, LF or NUL.
    /// The encoder can be used further. Events that a parser gave never fail.
    pub fn event<'a>(&mut self, event: impl AnyEvent<'a>) -> Result<Encoded<'a>, EncodeError> {
        let parts = event.parts();
        let kept = parts.id == self.last_event_id || (self.keeps_id && parts.id.is_empty());
        let encoded = parts.encode(!kept)?;
        if !kept {
            self.set_last_event_id(parts.id);
        }
        Ok(encoded)
    }

    /// Encodes a block that sets the client's last event ID and dispatches no event. It is written
    /// even if the client already has that ID.
    ///
    /// Such a block moves the position of a client past events that it need not see:
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
    /// If `id` contains a CR, LF or NUL.
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

/// Shows no ID: it may be a secret.
impl fmt::Debug for Encoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Encoder")
            .field("keeps_id", &self.keeps_id)
            .finish_non_exhaustive()
    }
}

/// Encodes a single event, whatever was sent before it: an `&Event` or an [`EventRef`].
///
/// Its ID is written if it has one. An event without an ID leaves the client's last event ID as it
/// is. To send several events, use an [`Encoder`].
///
/// # Errors
///
/// If its type contains a CR or LF, or its ID a CR, LF or NUL.
pub fn event<'a>(event: impl AnyEvent<'a>) -> Result<Encoded<'a>, EncodeError> {
    let parts = event.parts();
    let has_id = !parts.id.is_empty();
    parts.encode(has_id)
}

/// Encodes a comment, which clients ignore. Servers send one now and then to keep a connection
/// alive (9.2.7).
///
/// Nothing is put between the colon and `text`. Each further line of `text` becomes another
/// comment.
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
/// milliseconds, rounded down. Times of more than 2⁶⁴ − 1 ms become that.
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
/// It cannot be implemented by other crates.
pub trait AnyEvent<'a>: sealed::Parted<'a> {}

impl<'a, T: sealed::Parted<'a>> AnyEvent<'a> for T {}

mod sealed {
    use super::{Event, EventRef};

    /// What is encoded of an event.
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
    /// The ID is left out, and may be anything, unless it is to be written.
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
