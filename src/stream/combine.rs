//! [`EventStreamExt`]: when an answer is complete, and which events are errors.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
};

use futures_util::{Stream, stream::FusedStream};
use pin_project::pin_project;

use super::EventStream;
use crate::{
    error::{Error, ErrorKind},
    event::Event,
    look,
    transport::{MaybeSend, maybe_send::Progress as Predicate},
};

/// What can be asked of any stream of events.
///
/// ```
/// use everstream::{EventStream, EventStreamExt};
/// use futures_util::{TryStreamExt, stream};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), everstream::Error> {
/// let wire = "data: {\"text\":\"Hi\"}\n\ndata: [DONE]\n\n";
/// let mut answer = EventStream::new(stream::iter([Ok::<_, std::io::Error>(wire)]))
///     .error_when(|event| event.event_type() == "error")
///     .complete_on_data("[DONE]");
/// while let Some(event) = answer.try_next().await? {
///     println!("{}", event.data());
/// }
/// # Ok(())
/// # }
/// ```
pub trait EventStreamExt: Stream<Item = Result<Event, Error>> + Sized {
    /// Ends the stream with the first event that `is_last`, which is yielded: it often carries
    /// what the answer has cost.
    ///
    /// The stream ends there, without waiting for the end of the body, and lets go of the
    /// connection; a stream that was only lent to it (`(&mut events).complete_when(…)`) can be read on from
    /// there. Where the stream beneath ends earlier, the answer was cut short: that is an
    /// error of kind [`ErrorKind::Incomplete`].
    fn complete_when(
        self,
        is_last: impl FnMut(&Event) -> bool + MaybeSend + 'static,
    ) -> CompleteWhen<Self> {
        CompleteWhen::new(self, Box::new(is_last), true)
    }

    /// Ends the stream at the first event with this data, which is not yielded: `[DONE]`, as
    /// the chat API of `OpenAI` and those that follow it have it. White space around it counts
    /// for nothing.
    ///
    /// Otherwise as [`complete_when`](Self::complete_when).
    fn complete_on_data(self, last: impl Into<String>) -> CompleteWhen<Self> {
        let last = last.into();
        let is_last = move |event: &Event| event.data().trim() == last.trim();
        CompleteWhen::new(self, Box::new(is_last), false)
    }

    /// Turns the first event that `is_error` into an error of kind [`ErrorKind::ErrorEvent`],
    /// which is final. [`Error::event`] gives the event, and [`Error::events_before`] says whether
    /// any came before it.
    fn error_when(
        self,
        is_error: impl FnMut(&Event) -> bool + MaybeSend + 'static,
    ) -> ErrorWhen<Self> {
        ErrorWhen {
            inner: Some(self),
            is_error: Box::new(is_error),
            events: 0,
        }
    }

    /// Reads the data of every event as a `T`.
    ///
    /// Data that does not fit is an item of its own, an error of kind [`ErrorKind::Json`] with
    /// the raw event: it is not final ([`Error::is_final`]), and the stream goes on after it.
    #[cfg(feature = "json")]
    fn json<T: serde::de::DeserializeOwned>(self) -> crate::JsonStream<T, Self> {
        crate::JsonStream::new(self)
    }
}

impl<S: Stream<Item = Result<Event, Error>>> EventStreamExt for S {}

/// The stream of [`EventStreamExt::complete_when`] and [`EventStreamExt::complete_on_data`].
#[pin_project]
#[must_use = "streams do nothing unless polled"]
pub struct CompleteWhen<S = EventStream> {
    #[pin]
    inner: Option<S>,
    is_last: Predicate,
    yields_last: bool,
    leaving: Leaving,
    events: u64,
}

/// How far the stream beneath is left behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Leaving {
    /// The last event has not come.
    No,
    /// It has. So many more looks at the stream beneath are due: a body that has ended gives its
    /// connection back to be used again if it is asked once more, and an HTTP client may need
    /// the time of a yield to see that it has.
    Looks(u8),
}

/// Enough for a task that reads the connection to run in between.
const LOOKS: u8 = 2;

impl<S> CompleteWhen<S> {
    fn new(inner: S, is_last: Predicate, yields_last: bool) -> Self {
        Self {
            inner: Some(inner),
            is_last,
            yields_last,
            leaving: Leaving::No,
            events: 0,
        }
    }

    /// The stream beneath, until the end.
    pub fn get_ref(&self) -> Option<&S> {
        self.inner.as_ref()
    }
}

impl<S: Stream<Item = Result<Event, Error>>> Stream for CompleteWhen<S> {
    type Item = Result<Event, Error>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut this = self.project();
        let Some(inner) = this.inner.as_mut().as_pin_mut() else {
            return Poll::Ready(None);
        };
        if let Leaving::Looks(left) = *this.leaving {
            // Whatever else the server has to say: the answer is complete.
            if look::last_look(|| inner.poll_next(cx)).is_pending() && left > 1 {
                *this.leaving = Leaving::Looks(left - 1);
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            this.inner.set(None);
            return Poll::Ready(None);
        }
        match ready!(inner.poll_next(cx)) {
            Some(Ok(event)) if (this.is_last)(&event) => {
                *this.leaving = Leaving::Looks(LOOKS);
                if *this.yields_last {
                    return Poll::Ready(Some(Ok(event)));
                }
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            Some(Ok(event)) => {
                *this.events += 1;
                Poll::Ready(Some(Ok(event)))
            }
            Some(Err(error)) => {
                if error.is_final() {
                    this.inner.set(None);
                }
                Poll::Ready(Some(Err(error)))
            }
            None => {
                this.inner.set(None);
                let error = Error::of(ErrorKind::Incomplete).and_events_before(*this.events);
                Poll::Ready(Some(Err(error)))
            }
        }
    }
}

impl<S: Stream<Item = Result<Event, Error>>> FusedStream for CompleteWhen<S> {
    fn is_terminated(&self) -> bool {
        self.inner.is_none()
    }
}

impl<S: fmt::Debug> fmt::Debug for CompleteWhen<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CompleteWhen")
            .field("inner", &self.inner)
            .field("yields_last", &self.yields_last)
            .field("leaving", &self.leaving)
            .finish_non_exhaustive()
    }
}

/// The stream of [`EventStreamExt::error_when`].
#[pin_project]
#[must_use = "streams do nothing unless polled"]
pub struct ErrorWhen<S = EventStream> {
    #[pin]
    inner: Option<S>,
    is_error: Predicate,
    events: u64,
}

impl<S> ErrorWhen<S> {
    /// The stream beneath, until the end.
    pub fn get_ref(&self) -> Option<&S> {
        self.inner.as_ref()
    }
}

impl<S: Stream<Item = Result<Event, Error>>> Stream for ErrorWhen<S> {
    type Item = Result<Event, Error>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut this = self.project();
        let Some(inner) = this.inner.as_mut().as_pin_mut() else {
            return Poll::Ready(None);
        };
        let item = ready!(inner.poll_next(cx));
        let item = match item {
            Some(Ok(event)) if (this.is_error)(&event) => {
                Some(Err(Error::of(ErrorKind::ErrorEvent)
                    .and_event(event)
                    .and_events_before(*this.events)))
            }
            item => item,
        };
        match &item {
            Some(Ok(_)) => *this.events += 1,
            Some(Err(error)) if !error.is_final() => {}
            Some(Err(_)) | None => this.inner.set(None),
        }
        Poll::Ready(item)
    }
}

impl<S: Stream<Item = Result<Event, Error>>> FusedStream for ErrorWhen<S> {
    fn is_terminated(&self) -> bool {
        self.inner.is_none()
    }
}

impl<S: fmt::Debug> fmt::Debug for ErrorWhen<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ErrorWhen")
            .field("inner", &self.inner)
            .field("events", &self.events)
            .finish_non_exhaustive()
    }
}
