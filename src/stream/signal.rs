//! [`Signal`]: everything that happens on a stream, not only its events.

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
/// Everything that a server sends is visible as a signal. `Debug` shows no data, IDs or header
/// values.
#[derive(Clone)]
#[non_exhaustive]
pub enum Signal {
    /// The connection opened: the server responded with an event stream.
    Open(Head),
    /// An event.
    Event(Event),
    /// An event that only keeps the connection alive, according to a `Contract`.
    KeepAlive(Event),
    /// A comment: everything after the colon.
    Comment(String),
    /// The server set the reconnection time.
    Retry(Duration),
    /// A block of lines that has an `id` or `event` field but no data, so the standard doesn't
    /// dispatch it.
    #[non_exhaustive]
    Undispatched {
        /// The event type; `message` if the block has no `event` field.
        event_type: String,
        /// The last event ID after the block.
        id: String,
    },
    /// An event or comment was skipped because it exceeded the size limit.
    Skipped(Skipped),
    /// The body ended in the middle of an event. The event is discarded, as the standard says.
    Unfinished,
    /// The connection was lost or failed to open, and the source reconnects after `delay`.
    #[cfg(feature = "client")]
    #[non_exhaustive]
    Reconnecting {
        /// The number of failures in a row, including this one. It is 0 if the connection ended
        /// without a failure.
        failure: u32,
        /// How long the source waits before it reconnects.
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

/// A source of signals: `EventStream` or `EventSource`. This trait is sealed.
pub trait PollSignal: sealed::Sealed {
    #[doc(hidden)]
    fn poll_signal(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Signal, Error>>>;
}

pub(crate) mod sealed {
    pub trait Sealed {}
}
