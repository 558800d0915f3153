//! [`Signals`]: the stream of everything that happens.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use futures_util::{Stream, stream::FusedStream};

use super::{EventStream, PollSignal, Signal, next, release::Release, sealed};
use crate::{error::Error, transport::Head};

impl EventStream {
    /// Turns this into a stream of everything that happens: not only events, but also the head of
    /// the response, comments, skipped events and so on.
    pub fn signals(self) -> Signals<Self> {
        Signals::new(self)
    }
}

/// A stream of everything that happens, returned by [`EventStream::signals`] and
/// `EventSource::signals`.
///
/// It ends and fails exactly as the stream of events does. Dropping it closes the connection.
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

    next::accessors!();
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

impl<S> sealed::Sealed for Signals<S> {}

impl<S: Release> Release for Signals<S> {
    fn release(&mut self) -> Option<Head> {
        self.inner.release()
    }
}
