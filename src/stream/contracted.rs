//! [`Contracted`]: an answer under a contract.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
};

use futures_util::{Stream, stream::FusedStream};
use pin_project::pin_project;

use super::{
    Contract, EventOrSignal, EventStream, Meaning, next,
    release::{End, Release, ReleaseWith, failed, of, release},
    sealed,
};
use crate::{
    error::{Error, ErrorKind},
    transport::Head,
};

/// The stream returned by [`contract`](crate::EventStreamExt::contract): it yields a complete
/// answer, or ends with an error.
///
/// The stream ends when the answer is complete by the contract. If the inner stream ends earlier,
/// that is an error of kind [`ErrorKind::Incomplete`]. An error event becomes an error of kind
/// [`ErrorKind::ErrorEvent`], which holds the event. Keep-alive events are not yielded; a stream of
/// signals yields them as [`Signal::KeepAlive`](crate::Signal::KeepAlive).
///
/// After an event that proves the answer complete, such as one with a finish reason, connection
/// errors no longer matter: if the body ends, breaks off or exceeds a time limit, the stream ends
/// without an error.
#[pin_project]
#[must_use = "streams do nothing unless polled"]
pub struct Contracted<S = EventStream> {
    #[pin]
    inner: S,
    contract: Contract,
    release: ReleaseWith<S>,
    /// Tells the inner stream that an event was progress.
    confirm: Option<fn(Pin<&mut S>)>,
    end: End,
    events: u64,
}

impl Contracted {
    /// The answer to a request. Its `event_timeout` also follows the contract.
    pub(super) fn of_answer(answer: EventStream, contract: Contract) -> Self {
        Self {
            confirm: Some(|answer| answer.get_mut().confirm_progress()),
            ..Self::new(answer, contract, Some(release))
        }
    }
}

impl<S> Contracted<S> {
    pub(crate) fn new(inner: S, contract: Contract, release: ReleaseWith<S>) -> Self {
        Self {
            inner,
            contract,
            release,
            confirm: None,
            end: End::Open,
            events: 0,
        }
    }

    next::accessors!();
}

/// Whether this is an error of the connection, which a complete answer no longer needs.
fn is_of_the_connection(error: &Error) -> bool {
    let is_final_word = error.is_timeout() || error.is_incomplete();
    error.is_final() && (is_final_word || error.kind() == ErrorKind::Transport)
}

next::wrapper!(Contracted);

impl<S, I> Stream for Contracted<S>
where
    S: Stream<Item = Result<I, Error>>,
    I: EventOrSignal,
{
    type Item = Result<I, Error>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        /// Yields to other tasks after skipping this many keep-alives.
        const KEEP_ALIVES_AT_ONCE: usize = 32;

        let mut this = self.project();
        if !this.end.is_open() {
            return this.end.poll(cx).map(|()| None);
        }
        for _ in 0..KEEP_ALIVES_AT_ONCE {
            let item = match ready!(this.inner.as_mut().poll_next(cx)) {
                Some(Ok(item)) => item,
                Some(Err(error)) => {
                    if error.is_final() {
                        *this.end = End::Ended;
                    }
                    let has_all =
                        this.contract.is_proved_complete() && is_of_the_connection(&error);
                    return Poll::Ready((!has_all).then_some(Err(error)));
                }
                None => {
                    *this.end = End::Ended;
                    if this.contract.is_complete() {
                        return Poll::Ready(None);
                    }
                    let error = failed(
                        ErrorKind::Incomplete,
                        *this.events,
                        this.inner,
                        *this.release,
                    );
                    return Poll::Ready(Some(Err(error)));
                }
            };
            let Some(event) = item.as_event() else {
                return Poll::Ready(Some(Ok(item)));
            };
            let meaning = this.contract.observe(event);
            if let (true, Some(confirm)) = (meaning != Meaning::KeepAlive, *this.confirm) {
                confirm(this.inner.as_mut());
            }
            let mut head = None;
            if meaning.is_final() {
                head = this.end.leave(this.inner.as_mut(), *this.release);
            }
            match meaning {
                Meaning::Item | Meaning::Last => {
                    *this.events += 1;
                    return Poll::Ready(Some(Ok(item)));
                }
                Meaning::EndMarker => return this.end.poll(cx).map(|()| None),
                Meaning::KeepAlive => {
                    if let Some(item) = item.into_keep_alive() {
                        return Poll::Ready(Some(Ok(item)));
                    }
                }
                Meaning::Error => {
                    let mut error = of(ErrorKind::ErrorEvent, *this.events, head.as_ref());
                    if let Ok(event) = item.try_into_event() {
                        error = error.and_event(event);
                    }
                    return Poll::Ready(Some(Err(error)));
                }
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

impl<S, I> FusedStream for Contracted<S>
where
    S: Stream<Item = Result<I, Error>>,
    I: EventOrSignal,
{
    fn is_terminated(&self) -> bool {
        self.end == End::Ended
    }
}

impl<S> sealed::Sealed for Contracted<S> {}

impl<S: Release> Release for Contracted<S> {
    fn release(&mut self) -> Option<Head> {
        self.end = End::Ended;
        self.inner.release()
    }
}

impl<S: fmt::Debug> fmt::Debug for Contracted<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Contracted")
            .field("inner", &self.inner)
            .field("contract", &self.contract)
            .field("end", &self.end)
            .finish_non_exhaustive()
    }
}
