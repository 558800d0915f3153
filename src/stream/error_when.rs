//! [`ErrorWhen`]: turns certain events into errors.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
};

use futures_util::{Stream, stream::FusedStream};
use pin_project::pin_project;

use super::{
    EventOrSignal, EventStream, next,
    release::{End, Release, ReleaseWith, of},
    sealed,
};
use crate::{
    error::{Error, ErrorKind},
    transport::{Head, maybe_send::EventPredicate},
};

/// The stream returned by [`error_when`](crate::EventStreamExt::error_when).
#[pin_project]
#[must_use = "streams do nothing unless polled"]
pub struct ErrorWhen<S = EventStream> {
    #[pin]
    inner: S,
    is_error: EventPredicate,
    release: ReleaseWith<S>,
    end: End,
    events: u64,
}

impl<S> ErrorWhen<S> {
    pub(crate) fn new(inner: S, is_error: EventPredicate, release: ReleaseWith<S>) -> Self {
        Self {
            inner,
            is_error,
            release,
            end: End::Open,
            events: 0,
        }
    }

    next::accessors!();
}

next::wrapper!(ErrorWhen);

impl<S, I> Stream for ErrorWhen<S>
where
    S: Stream<Item = Result<I, Error>>,
    I: EventOrSignal,
{
    type Item = Result<I, Error>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut this = self.project();
        if !this.end.is_open() {
            return this.end.poll(cx).map(|()| None);
        }
        let item = match ready!(this.inner.as_mut().poll_next(cx)) {
            Some(Ok(item)) => item,
            Some(Err(error)) => {
                if error.is_final() {
                    *this.end = End::Ended;
                }
                return Poll::Ready(Some(Err(error)));
            }
            None => {
                *this.end = End::Ended;
                return Poll::Ready(None);
            }
        };
        let is_error = item.as_event().map(|event| (this.is_error)(event));
        if is_error == Some(true) {
            let head = this.end.leave(this.inner, *this.release);
            let error = of(ErrorKind::ErrorEvent, *this.events, head.as_ref());
            let event = item.try_into_event().ok();
            return Poll::Ready(Some(Err(match event {
                Some(event) => error.and_event(event),
                None => error,
            })));
        }
        *this.events += u64::from(is_error.is_some());
        Poll::Ready(Some(Ok(item)))
    }
}

impl<S, I> FusedStream for ErrorWhen<S>
where
    S: Stream<Item = Result<I, Error>>,
    I: EventOrSignal,
{
    fn is_terminated(&self) -> bool {
        self.end == End::Ended
    }
}

impl<S> sealed::Sealed for ErrorWhen<S> {}

impl<S: Release> Release for ErrorWhen<S> {
    fn release(&mut self) -> Option<Head> {
        self.end = End::Ended;
        self.inner.release()
    }
}

impl<S: fmt::Debug> fmt::Debug for ErrorWhen<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ErrorWhen")
            .field("inner", &self.inner)
            .field("end", &self.end)
            .field("events", &self.events)
            .finish_non_exhaustive()
    }
}
