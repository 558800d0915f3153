//! [`Signals`]: the stream of everything that happens.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use futures_util::{Stream, stream::FusedStream};

use super::{EventStream, PollSignal, Signal, next, release::Release};
use crate::{error::Error, transport::Head};

impl EventStream {
    /// Turns it into a stream of everything that happens: its head, comments and skips, too.
    pub fn signals(self) -> Signals<Self> {
        Signals::new(self)
    }
}

/// A stream of everything that happens: made by [`EventStream::signals`] and
/// `EventSource::signals`.
///
/// It ends and fails exactly as the stream of events does. Dropping it closes the connection, and
/// a poll can be given up at any time without losing anything.
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

    /// Borrows the stream of events behind it.
    pub fn get_ref(&self) -> &S {
        &self.inner
    }

    /// Borrows the stream of events behind it mutably.
    pub fn get_mut(&mut self) -> &mut S {
        &mut self.inner
    }

    /// Returns the stream of events behind it, where it was left off.
    pub fn into_inner(self) -> S {
        self.inner
    }
}

impl<S: PollSignal + Unpin> Signals<S> {
    next::signal!(Signal);
}

impl<S: PollSignal + Unpin> Stream for Signals<S> {
    type Item = Result<Signal, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.ended {
            return Poll::Ready(None);
        }
        let item = ready!(self.inner.poll_signal(cx));
        self.ended = !matches!(item, Some(Ok(_)));
        Poll::Ready(item)
    }
}

impl<S: PollSignal + Unpin> FusedStream for Signals<S> {
    fn is_terminated(&self) -> bool {
        self.ended
    }
}

impl<S: Release> Release for Signals<S> {
    fn release(&mut self) -> Option<Head> {
        self.inner.release()
    }
}
