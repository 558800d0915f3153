//! [`EventStream`]: the events of one response. It never reconnects.

mod builder;
mod complete_when;
mod contract;
mod contracted;
mod error_when;
mod ext;
mod item;
#[cfg(feature = "json")]
mod json;
mod next;
mod options;
mod release;
mod signal;
mod signals;

use std::{
    fmt,
    future::poll_fn,
    pin::Pin,
    task::{Context, Poll, ready},
};

use futures_util::{Stream, stream::FusedStream};

pub use builder::EventStreamBuilder;
pub use complete_when::CompleteWhen;
pub use contract::{Contract, Meaning};
pub use contracted::Contracted;
pub use error_when::ErrorWhen;
pub use ext::EventStreamExt;
#[cfg(feature = "client")]
pub(crate) use ext::combinators;
pub use item::{EventOrSignal, JsonSignal};
#[cfg(feature = "json")]
pub use json::JsonStream;
#[cfg(feature = "client")]
pub(crate) use next::event as next_event;
pub(crate) use options::Options;
#[cfg(feature = "client")]
pub(crate) use options::{body_setters, response_setters};
pub use release::Release;
pub(crate) use release::release;
pub(crate) use signal::sealed;
pub use signal::{PollSignal, Signal};
pub use signals::Signals;

use crate::{
    error::{Error, ErrorKind},
    event::{Event, EventRef},
    parser::EventAt,
    response::Events,
    trace,
    transport::{Body, Head},
};

/// What to do with an unfinished event: one whose blank line is missing when the body ends cleanly.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unfinished {
    /// Discards it, as the standard says. [`EventStream::has_unfinished`] then returns `true`.
    #[default]
    Discard,
    /// Dispatches it, for servers that omit the last blank line: the stream is read as if a line end
    /// and a blank line followed. In a stream of signals, this also completes a block without data,
    /// a `retry` field and a comment.
    Dispatch,
    /// Returns an error of kind [`ErrorKind::Incomplete`].
    Error,
}

/// The events of one response, or of any stream of bytes.
///
/// The stream ends when the body ends. It never reconnects and never sends a request. An error is
/// its last item. It is `Send`, `Unpin` and fused. Dropping it closes the connection.
///
/// ```
/// use everstream::EventStream;
/// use futures_util::{TryStreamExt, stream};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), everstream::Error> {
/// let chunks = stream::iter([Ok::<_, std::io::Error>("data: Hel"), Ok("lo\n\n")]);
/// let mut events = EventStream::new(chunks);
/// while let Some(event) = events.try_next().await? {
///     assert_eq!(event.data(), "Hello");
/// }
/// # Ok(())
/// # }
/// ```
#[must_use = "a stream does nothing unless it is polled"]
pub struct EventStream {
    body: Events,
    unfinished: Unfinished,
    state: State,
    events: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// The head was not yielded as a signal yet.
    Start,
    Open,
    Ended,
}

impl EventStream {
    fn open(head: Option<Head>, body: Body, options: Options, unfinished: Unfinished) -> Self {
        if let Some(head) = &head {
            trace::open(head.status());
        }
        let mut events = options.into_events();
        events.open(head, body);
        Self {
            body: events,
            unfinished,
            state: State::Start,
            events: 0,
        }
    }

    /// Returns the status, headers and URL of the response. `None` if the stream was made from
    /// bytes without a response.
    #[must_use]
    pub fn head(&self) -> Option<&Head> {
        self.body.head()
    }

    /// Returns the last event ID, as of the last complete block of lines; before the first block,
    /// the ID that the stream started from. Empty if there is none.
    #[must_use]
    pub fn last_event_id(&self) -> &str {
        self.body.parser().last_event_id()
    }

    /// Returns the reconnection time from the last valid `retry` field, if any. An `EventStream`
    /// doesn't use it.
    #[must_use]
    pub fn reconnection_time(&self) -> Option<std::time::Duration> {
        self.body.parser().reconnection_time()
    }

    /// Returns whether the bytes received so far end in the middle of an event. After the end of
    /// the stream: whether an unfinished event was discarded.
    #[must_use]
    pub fn has_unfinished(&self) -> bool {
        self.body.parser().has_unfinished()
    }

    next::event!(Event);

    /// Waits for the next event and borrows it from the stream's buffer, without allocating or
    /// copying. Returns `None` at the end of the stream.
    ///
    /// ```
    /// use everstream::EventStream;
    /// use futures_util::stream;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), everstream::Error> {
    /// let chunks = stream::iter([Ok::<_, std::io::Error>("data: 1\n\ndata: 2\n\n")]);
    /// let mut events = EventStream::new(chunks);
    /// let mut sum = 0;
    /// while let Some(event) = events.next_event_ref().await? {
    ///     sum += event.data().parse::<u32>().unwrap();
    /// }
    /// assert_eq!(sum, 3);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// The same errors as the stream's items. After an error, it returns `None`.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses no events.
    pub async fn next_event_ref(&mut self) -> Result<Option<EventRef<'_>>, Error> {
        match poll_fn(|cx| self.poll_found(cx)).await {
            Some(Ok(found)) => Ok(Some(self.body.lend(&found))),
            Some(Err(error)) => Err(error),
            None => Ok(None),
        }
    }

    /// Waits for the next signal. Returns `None` at the end of the stream.
    ///
    /// # Errors
    ///
    /// The same errors as the stream's items. After an error, it returns `None`.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses no events.
    pub async fn next_signal(&mut self) -> Result<Option<Signal>, Error> {
        poll_fn(|cx| self.poll_signal(cx)).await.transpose()
    }

    /// Counts the last event as progress, if a contract decides what progress is.
    fn confirm_progress(&mut self) {
        self.body.waiting.confirm_progress();
    }

    /// Finds the next event. The caller must take it before the next poll.
    #[inline]
    fn poll_found(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<EventAt, Error>>> {
        if self.state == State::Ended {
            return Poll::Ready(None);
        }
        self.state = State::Open;
        match ready!(self.body.poll_event(cx)) {
            Ok(Some(found)) => {
                self.events += 1;
                self.body.note(&found);
                Poll::Ready(Some(Ok(found)))
            }
            Ok(None) => self.poll_unfinished(cx),
            Err(error) => Poll::Ready(self.end(Err(error)).map(Err)),
        }
    }

    /// At the clean end of the body: finds the unfinished event, if it is to be dispatched.
    // Apart, because a loop around the poll above costs each event 56 instructions.
    #[cold]
    #[inline(never)]
    fn poll_unfinished(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<EventAt, Error>>> {
        if self.finishes_unfinished() {
            return self.poll_found(cx);
        }
        Poll::Ready(self.end(Ok(())).map(Err))
    }

    /// At the clean end of the body: adds the blank line that ends an unfinished event, if it is to
    /// be dispatched. Returns whether it did; what this completes comes next.
    fn finishes_unfinished(&mut self) -> bool {
        let finishes = self.unfinished == Unfinished::Dispatch;
        if finishes {
            // Nothing is left unfinished after it.
            self.unfinished = Unfinished::Discard;
            self.body.add_blank_line();
        }
        finishes
    }

    /// Ends the stream after the clean end or the failure of the body. Returns its last item if
    /// that is an error.
    fn end(&mut self, ended: Result<(), Error>) -> Option<Error> {
        self.state = State::Ended;
        let ended = ended.and_then(|()| match self.unfinished {
            Unfinished::Error if self.has_unfinished() => Err(Error::of(ErrorKind::Incomplete)
                .and_message("the stream ended in the middle of an event")),
            _ => Ok(()),
        });
        trace::ended(self.events, ended.as_ref().err());
        let error = ended.err()?;
        Some(self.body.located(error).ends_after(self.events))
    }
}

impl Stream for EventStream {
    type Item = Result<Event, Error>;

    #[inline]
    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        match ready!(self.poll_found(cx)) {
            Some(Ok(found)) => Poll::Ready(Some(Ok(self.body.take(&found)))),
            Some(Err(error)) => Poll::Ready(Some(Err(error))),
            None => Poll::Ready(None),
        }
    }
}

impl FusedStream for EventStream {
    fn is_terminated(&self) -> bool {
        self.state == State::Ended
    }
}

impl sealed::Sealed for EventStream {}

impl PollSignal for EventStream {
    fn poll_signal(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Signal, Error>>> {
        match self.state {
            State::Ended => return Poll::Ready(None),
            State::Open => {}
            State::Start => {
                self.state = State::Open;
                if let Some(head) = self.body.head() {
                    return Poll::Ready(Some(Ok(Signal::Open(head.clone()))));
                }
            }
        }
        let ended = loop {
            match ready!(self.body.poll_item(cx)) {
                Ok(Some((taken, _))) => {
                    let signal = Signal::from(taken);
                    self.events += u64::from(matches!(signal, Signal::Event(_)));
                    return Poll::Ready(Some(Ok(signal)));
                }
                Ok(None) if self.finishes_unfinished() => {}
                Ok(None) => break Ok(()),
                Err(error) => break Err(error),
            }
        };
        Poll::Ready(match self.end(ended) {
            Some(error) => Some(Err(error)),
            None => self.has_unfinished().then_some(Ok(Signal::Unfinished)),
        })
    }
}

impl Release for EventStream {
    fn release(&mut self) -> Option<Head> {
        self.state = State::Ended;
        self.body.close();
        self.body.head().cloned()
    }
}

impl fmt::Debug for EventStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventStream")
            .field("head", &self.head())
            .field("state", &self.state)
            .field("body", &self.body)
            .finish_non_exhaustive()
    }
}
