//! [`Signal`]: everything that happens on a stream, where [`Event`] is only what was sent.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
};

use futures_util::{Stream, stream::FusedStream};

use super::EventStream;
#[cfg(feature = "client")]
use crate::transport::Cause;
use crate::{
    error::Error,
    event::Event,
    parser::{Skipped, Taken},
    transport::Head,
};

/// Something that happened on a stream.
///
/// `Debug` shows how long an event or a comment is, not what is in it.
#[derive(Clone)]
#[non_exhaustive]
pub enum Signal {
    /// A connection is open: the server's response is an event stream.
    Open(Head),
    /// An event.
    Event(Event),
    /// A comment: everything after the colon.
    Comment(String),
    /// Something was too large to be kept.
    Skipped(Skipped),
    /// The connection was lost, or did not come about, and will be made again after `delay`.
    #[cfg(feature = "client")]
    #[non_exhaustive]
    Reconnecting {
        /// Which failure in a row this is, at least 1: also after an end that is no failure.
        attempt: u32,
        /// How long the source waits.
        delay: std::time::Duration,
        /// What ended the last connection.
        cause: Cause,
    },
}

impl fmt::Debug for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open(head) => f.debug_tuple("Open").field(head).finish(),
            Self::Event(event) => f
                .debug_struct("Event")
                .field("data_bytes", &event.data().len())
                .finish_non_exhaustive(),
            Self::Comment(text) => f
                .debug_struct("Comment")
                .field("bytes", &text.len())
                .finish_non_exhaustive(),
            Self::Skipped(skipped) => f.debug_tuple("Skipped").field(skipped).finish(),
            #[cfg(feature = "client")]
            Self::Reconnecting {
                attempt,
                delay,
                cause,
            } => f
                .debug_struct("Reconnecting")
                .field("attempt", attempt)
                .field("delay", delay)
                .field("cause", cause)
                .finish(),
        }
    }
}

impl From<Taken> for Signal {
    fn from(taken: Taken) -> Self {
        match taken {
            Taken::Event(event) => Self::Event(event),
            Taken::Comment(comment) => Self::Comment(comment),
            Taken::Skipped(skipped) => Self::Skipped(skipped),
        }
    }
}

/// What yields signals.
pub trait PollSignal: sealed::Sealed {
    #[doc(hidden)]
    fn poll_signal(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Signal, Error>>>;
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for crate::EventStream {}
    #[cfg(feature = "client")]
    impl Sealed for crate::EventSource {}
}

/// A stream of everything that happens: made by [`EventStream::signals`] and
/// `EventSource::signals`.
///
/// It ends and fails exactly as the stream of events does.
#[must_use = "a stream does nothing unless it is polled"]
#[derive(Debug)]
pub struct Signals<S = EventStream> {
    inner: S,
    ended: bool,
}

impl<S> Signals<S> {
    pub(crate) fn new(inner: S) -> Self {
        Self {
            inner,
            ended: false,
        }
    }

    /// The stream of events behind it.
    pub fn get_ref(&self) -> &S {
        &self.inner
    }

    /// The stream of events behind it.
    pub fn get_mut(&mut self) -> &mut S {
        &mut self.inner
    }

    /// The stream of events behind it, where it was left off.
    pub fn into_inner(self) -> S {
        self.inner
    }
}

impl<S: PollSignal + Unpin> Stream for Signals<S> {
    type Item = Result<Signal, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.ended {
            return Poll::Ready(None);
        }
        let item = std::task::ready!(self.inner.poll_signal(cx));
        self.ended = !matches!(item, Some(Ok(_)));
        Poll::Ready(item)
    }
}

impl<S: PollSignal + Unpin> FusedStream for Signals<S> {
    fn is_terminated(&self) -> bool {
        self.ended
    }
}
