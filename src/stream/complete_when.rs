//! [`CompleteWhen`]: an answer that ends with a certain event.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
};

use futures_util::{Stream, stream::FusedStream};
use pin_project::pin_project;

use super::{
    EventOrSignal, EventStream, next,
    release::{End, Release, ReleaseWith, failed},
    sealed,
};
use crate::{
    error::{Error, ErrorKind},
    event::Event,
    transport::{Head, maybe_send::EventPredicate},
};

/// The stream returned by [`complete_when`](crate::EventStreamExt::complete_when) and
/// [`complete_on_data`](crate::EventStreamExt::complete_on_data).
#[pin_project]
#[must_use = "streams do nothing unless polled"]
pub struct CompleteWhen<S = EventStream> {
    #[pin]
    inner: S,
    is_last: EventPredicate,
    yields_last: bool,
    release: ReleaseWith<S>,
    end: End,
    events: u64,
}

impl<S> CompleteWhen<S> {
    pub(crate) fn new(
        inner: S,
        is_last: EventPredicate,
        yields_last: bool,
        release: ReleaseWith<S>,
    ) -> Self {
        Self {
            inner,
            is_last,
            yields_last,
            release,
            end: End::Open,
            events: 0,
        }
    }

    pub(crate) fn on_data(inner: S, last: String, release: ReleaseWith<S>) -> Self {
        let is_last = move |event: &Event| event.data().trim() == last.trim();
        Self::new(inner, Box::new(is_last), false, release)
    }

    next::accessors!();
}

next::wrapper!(CompleteWhen);

impl<S, I> Stream for CompleteWhen<S>
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
        let Some(item) = ready!(this.inner.as_mut().poll_next(cx)) else {
            *this.end = End::Ended;
            let error = failed(
                ErrorKind::Incomplete,
                *this.events,
                this.inner,
                *this.release,
            );
            return Poll::Ready(Some(Err(error)));
        };
        let event = match &item {
            Ok(item) => item.as_event(),
            Err(error) => {
                if error.is_final() {
                    *this.end = End::Ended;
                }
                None
            }
        };
        if let Some(event) = event {
            if (this.is_last)(event) {
                this.end.leave(this.inner, *this.release);
                if !*this.yields_last {
                    return this.end.poll(cx).map(|()| None);
                }
            } else {
                *this.events += 1;
            }
        }
        Poll::Ready(Some(item))
    }
}

impl<S, I> FusedStream for CompleteWhen<S>
where
    S: Stream<Item = Result<I, Error>>,
    I: EventOrSignal,
{
    fn is_terminated(&self) -> bool {
        self.end == End::Ended
    }
}

impl<S> sealed::Sealed for CompleteWhen<S> {}

impl<S: Release> Release for CompleteWhen<S> {
    fn release(&mut self) -> Option<Head> {
        self.end = End::Ended;
        self.inner.release()
    }
}

impl<S: fmt::Debug> fmt::Debug for CompleteWhen<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CompleteWhen")
            .field("inner", &self.inner)
            .field("yields_last", &self.yields_last)
            .field("end", &self.end)
            .finish_non_exhaustive()
    }
}
