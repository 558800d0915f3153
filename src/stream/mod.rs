//! [`EventStream`]: the events of one response. It never reconnects.

mod builder;
mod combine;
#[cfg(feature = "json")]
mod json;
mod options;
mod signal;

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use futures_util::{Stream, stream::FusedStream};

pub use builder::EventStreamBuilder;
pub use combine::{CompleteWhen, ErrorWhen, EventStreamExt};
#[cfg(feature = "json")]
pub use json::JsonStream;
pub(crate) use options::Options;
#[cfg(feature = "client")]
pub(crate) use options::setters;
pub(crate) use signal::PollSignal;
pub use signal::{Signal, Signals};

use crate::{
    error::{BoxError, Error, ErrorKind},
    event::Event,
    look,
    parser::Taken,
    response::Pump,
    trace,
    transport::{Body, Head, MaybeSend},
};

/// What becomes of an event that the stream leaves unfinished: one whose blank line has not come
/// when the body ends as it should.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unfinished {
    /// It is discarded, as the standard says; [`EventStream::has_unfinished`] tells of it.
    #[default]
    Discard,
    /// It is dispatched, for servers that leave out the last blank line.
    Dispatch,
    /// It is an error of kind [`ErrorKind::Incomplete`].
    Error,
}

/// The events of one response, or of any stream of bytes.
///
/// It ends when the bytes do, never reconnects and never sends anything. An error is its last
/// item. It is `Send`, `Unpin` and fused; dropping it closes the connection, and polling it can be
/// given up at any time without losing anything.
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
    pump: Pump,
    unfinished: Unfinished,
    head: Option<Head>,
    state: State,
    events: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// The head was not signalled yet.
    Start,
    Open,
    Ended,
}

impl EventStream {
    /// The events of any stream of byte chunks.
    ///
    /// An error of `chunks` is the source of one of kind [`ErrorKind::Body`]. The limit of five
    /// minutes without a byte holds here too, and needs a Tokio runtime with its timer enabled;
    /// [`EventStreamBuilder`](crate::EventStreamBuilder) sets other limits.
    pub fn new<S, B, E>(chunks: S) -> Self
    where
        S: Stream<Item = Result<B, E>> + MaybeSend + 'static,
        B: Into<Bytes>,
        E: Into<BoxError>,
    {
        Self::open(
            None,
            Body::new(chunks),
            Options::default(),
            Unfinished::default(),
        )
    }

    pub(crate) fn open(
        head: Option<Head>,
        body: Body,
        options: Options,
        unfinished: Unfinished,
    ) -> Self {
        if let Some(head) = &head {
            trace::open(head.status());
        }
        let mut pump = Pump::new(options.parser(), &options.limits, options.progress);
        pump.open(body);
        Self {
            pump,
            unfinished,
            head,
            state: State::Start,
            events: 0,
        }
    }

    /// The head of the response, where there was one: its status, headers and URL.
    #[must_use]
    pub fn head(&self) -> Option<&Head> {
        self.head.as_ref()
    }

    /// The last event ID of the stream: that of the last block of lines that has ended.
    #[must_use]
    pub fn last_event_id(&self) -> &str {
        self.pump.parser().last_event_id()
    }

    /// The reconnection time, once a `retry` field has set one. An `EventStream` makes no use of
    /// it.
    #[must_use]
    pub fn reconnection_time(&self) -> Option<std::time::Duration> {
        self.pump.parser().reconnection_time()
    }

    /// Whether what has come so far ends in the middle of an event. After the end of the stream:
    /// whether one was discarded.
    #[must_use]
    pub fn has_unfinished(&self) -> bool {
        self.pump.parser().has_unfinished()
    }

    /// The stream with everything else that happens on it: its head, comments and skips.
    pub fn signals(self) -> Signals<Self> {
        Signals::new(self)
    }

    fn end(&mut self) -> Result<Option<Event>, Error> {
        match self.unfinished {
            Unfinished::Dispatch => Ok(self.pump.parser_mut().take_unfinished()?),
            Unfinished::Error if self.has_unfinished() => Err(Error::of(ErrorKind::Incomplete)
                .and_message("the stream ended in the middle of an event")),
            Unfinished::Discard | Unfinished::Error => Ok(None),
        }
    }

    /// The body has ended, or failed: what is still to be said of it.
    fn last_item(&mut self, ended: Result<(), Error>) -> Option<Result<Event, Error>> {
        let ended = ended.and_then(|()| self.end());
        self.state = State::Ended;
        match ended {
            Ok(None) => {
                trace::ended(self.events, None);
                None
            }
            Ok(Some(event)) => {
                self.events += 1;
                Some(Ok(event))
            }
            Err(error) => {
                trace::ended(self.events, Some(&error));
                Some(Err(error.and_events_before(self.events)))
            }
        }
    }
}

impl Stream for EventStream {
    type Item = Result<Event, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if look::is_last() {
            self.pump.look(cx);
            return Poll::Pending;
        }
        if self.state == State::Ended {
            return Poll::Ready(None);
        }
        self.state = State::Open;
        match ready!(self.pump.poll_event(cx)) {
            Ok(Some(found)) => {
                self.events += 1;
                Poll::Ready(Some(Ok(self.pump.take(&found))))
            }
            Ok(None) => Poll::Ready(self.last_item(Ok(()))),
            Err(error) => Poll::Ready(self.last_item(Err(error))),
        }
    }
}

impl FusedStream for EventStream {
    fn is_terminated(&self) -> bool {
        self.state == State::Ended
    }
}

impl PollSignal for EventStream {
    fn poll_signal(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Signal, Error>>> {
        match self.state {
            State::Ended => return Poll::Ready(None),
            State::Open => {}
            State::Start => {
                self.state = State::Open;
                if let Some(head) = &self.head {
                    return Poll::Ready(Some(Ok(Signal::Open(head.clone()))));
                }
            }
        }
        let last = match ready!(self.pump.poll_item(cx)) {
            Ok(Some(taken)) => {
                self.events += u64::from(matches!(taken, Taken::Event(_)));
                return Poll::Ready(Some(Ok(taken.into())));
            }
            Ok(None) => self.last_item(Ok(())),
            Err(error) => self.last_item(Err(error)),
        };
        Poll::Ready(last.map(|event| event.map(Signal::Event)))
    }
}

impl fmt::Debug for EventStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventStream")
            .field("head", &self.head)
            .field("state", &self.state)
            .field("pump", &self.pump)
            .finish_non_exhaustive()
    }
}
