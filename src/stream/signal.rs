//! [`Signal`]: everything that happens on a stream, where [`Event`] is only what was sent.

use std::{
    fmt,
    task::{Context, Poll},
    time::Duration,
};

#[cfg(feature = "client")]
use crate::transport::attempt::Cause;
use crate::{
    error::Error,
    event::Event,
    parser::{Skipped, Taken},
    transport::Head,
};

/// Something that happened on a stream.
///
/// Nothing that a server sends vanishes without one. `Debug` shows no data, no IDs and no header
/// values.
#[derive(Clone)]
#[non_exhaustive]
pub enum Signal {
    /// A connection is open: the server's response is an event stream.
    Open(Head),
    /// An event.
    Event(Event),
    /// An event that only keeps the connection alive, under a `Contract` that says so.
    KeepAlive(Event),
    /// A comment: everything after the colon.
    Comment(String),
    /// The server set the reconnection time.
    Retry(Duration),
    /// A block of lines without data, which the standard doesn't dispatch: it set the last event
    /// ID, or named a type.
    #[non_exhaustive]
    Undispatched {
        /// The event type; `message` if the block named none.
        event_type: String,
        /// The last event ID after the block.
        id: String,
    },
    /// Something was too large to be kept.
    Skipped(Skipped),
    /// The body ended in the middle of an event, which is discarded, as the standard says.
    Unfinished,
    /// The connection was lost, or could not be made, and will be made again after `delay`.
    #[cfg(feature = "client")]
    #[non_exhaustive]
    Reconnecting {
        /// Which failure in a row this is, from 1. It is 0 after an end that isn't a failure.
        failure: u32,
        /// How long the source waits.
        delay: Duration,
        /// What ended the last connection.
        cause: Cause,
    },
}

impl From<Taken> for Signal {
    fn from(taken: Taken) -> Self {
        match taken {
            Taken::Event(event) => Self::Event(event),
            Taken::Comment(comment) => Self::Comment(comment),
            Taken::Retry(time) => Self::Retry(time),
            Taken::Undispatched { event_type, id } => Self::Undispatched { event_type, id },
            Taken::Skipped(skipped) => Self::Skipped(skipped),
        }
    }
}

impl fmt::Debug for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open(head) => f.debug_tuple("Open").field(head).finish(),
            Self::Event(event) => debug_event("Event", event, f),
            Self::KeepAlive(event) => debug_event("KeepAlive", event, f),
            Self::Comment(comment) => f
                .debug_struct("Comment")
                .field("bytes", &comment.len())
                .finish(),
            Self::Retry(time) => f.debug_tuple("Retry").field(time).finish(),
            Self::Undispatched { .. } => f.debug_struct("Undispatched").finish_non_exhaustive(),
            Self::Skipped(skipped) => f.debug_tuple("Skipped").field(skipped).finish(),
            Self::Unfinished => f.write_str("Unfinished"),
            #[cfg(feature = "client")]
            Self::Reconnecting {
                failure,
                delay,
                cause,
            } => f
                .debug_struct("Reconnecting")
                .field("failure", failure)
                .field("delay", delay)
                .field("cause", cause)
                .finish(),
        }
    }
}

fn debug_event(name: &str, event: &Event, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.debug_struct(name)
        .field("data_bytes", &event.data().len())
        .finish_non_exhaustive()
}

/// What yields signals: an `EventStream` or an `EventSource`. This trait is sealed.
pub trait PollSignal: sealed::Sealed {
    #[doc(hidden)]
    fn poll_signal(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Signal, Error>>>;
}

pub(crate) mod sealed {
    pub trait Sealed {}
}
