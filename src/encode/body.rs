//! [`EventBody`]: the body of a server's response, from a stream of events.

use std::{
    fmt,
    pin::Pin,
    sync::{Mutex, PoisonError},
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use futures_util::{Stream, TryStream, stream::FusedStream};
use pin_project::pin_project;

use super::{EncodeError, Encoded, Encoder};
use crate::{
    error::BoxError,
    event::Event,
    timer::{self, Alarm, Instant},
};

/// An item that a server can send in an [`EventBody`].
///
/// If your stream only yields [`Event`]s, you don't need this type. Use it to send comments,
/// reconnection times or IDs between events.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outgoing {
    /// An event; see [`Encoder::event`].
    Event(Event),
    /// A change of the last event ID, without an event; see [`Encoder::id`].
    Id(String),
    /// A comment; see [`comment`](super::comment).
    Comment(String),
    /// The time that clients should wait before they reconnect; see [`retry`](super::retry).
    Retry(Duration),
}

impl Outgoing {
    fn encode<'a>(&'a self, encoder: &mut Encoder) -> Result<Encoded<'a>, EncodeError> {
        match self {
            Self::Event(event) => encoder.event(event),
            Self::Id(id) => encoder.id(id),
            Self::Comment(text) => Ok(super::comment(text)),
            Self::Retry(time) => Ok(super::retry(*time)),
        }
    }
}

impl From<Event> for Outgoing {
    fn from(event: Event) -> Self {
        Self::Event(event)
    }
}

/// Shows the kind, but not the contents, which may be secret.
impl fmt::Debug for Outgoing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Event(_) => f.write_str("Event(..)"),
            Self::Id(_) => f.write_str("Id(..)"),
            Self::Comment(_) => f.write_str("Comment(..)"),
            Self::Retry(time) => f.debug_tuple("Retry").field(time).finish(),
        }
    }
}

/// The body of an event stream. It encodes a stream of events, and keeps the connection alive while
/// there are none.
///
/// It is a stream of `Bytes`, one item per event, which all server frameworks accept as a body:
/// `Body::from_stream` of axum, `StreamBody` of http-body-util for hyper, `streaming` of actix-web.
/// It polls `events` only when the framework polls the body. So a slow client slows down the source
/// of the events, and nothing is queued. When the client disconnects, the framework drops the body,
/// and `events` with it. The body is `Send` and `Sync` if `events` is; where a framework wants a
/// `Sync` body, and `events` is not, box it with http-body-util's `boxed_unsync`.
///
/// ```
/// use everstream::{Event, encode::EventBody};
/// use futures_util::{StreamExt, TryStreamExt, stream};
/// use std::convert::Infallible;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), everstream::BoxError> {
/// let events = stream::iter([Event::new("one"), Event::new("two")]);
/// let body = EventBody::new(events.map(Ok::<_, Infallible>));
/// let wire: Vec<_> = body.try_collect().await?;
/// assert_eq!(wire, ["data: one\n\n", "data: two\n\n"]);
/// # Ok(())
/// # }
/// ```
///
/// The stream's items are [`Event`]s or [`Outgoing`]s. An [`EventStream`](crate::EventStream) or
/// `EventSource` is such a stream, so you can forward its events with the same types and IDs.
///
/// # Errors
///
/// An error of `events` is the last item, unless [`on_error`](Self::on_error) turns it into an
/// event. The server then aborts the response, so that the client sees that it is incomplete. An
/// event that cannot be encoded is such an error too: an [`EncodeError`].
///
/// # Panics
///
/// Panics if polled outside a Tokio runtime with its timer enabled, unless
/// [`keep_alive`](Self::keep_alive) is `None`.
#[pin_project]
#[must_use = "streams do nothing unless polled"]
pub struct EventBody<S: TryStream> {
    #[pin]
    events: S,
    encoder: Encoder,
    on_error: Option<ErrorEvent<S::Error>>,
    keep_alive: Option<Duration>,
    comment: Bytes,
    /// When the next comment is due; `None` while there is something to send.
    due: Option<Instant>,
    alarm: Alarm,
    ended: bool,
}

/// In a `Mutex`, which is never locked, so that the body is `Sync` although the closure need not be.
type ErrorEvent<E> = Mutex<Box<dyn FnOnce(E) -> Event + Send>>;

impl<S: TryStream> EventBody<S> {
    /// Creates a body that sends `events`, and a keep-alive comment after every 15 seconds of
    /// silence.
    pub fn new(events: S) -> Self {
        Self {
            events,
            encoder: Encoder::new(),
            on_error: None,
            keep_alive: Some(Duration::from_secs(15)),
            comment: super::comment("").to_bytes(),
            due: None,
            alarm: Alarm::default(),
            ended: false,
        }
    }

    /// Sets the encoder; [`Encoder::new`] by default.
    ///
    /// If only some of your events have an ID, use
    /// [`without_id_resets`](Encoder::without_id_resets).
    pub fn encoder(mut self, encoder: Encoder) -> Self {
        self.encoder = encoder;
        self
    }

    /// Sets how long the body may be silent before it sends a comment: 15 seconds by default, as
    /// the standard suggests (9.2.7). With `None` or zero, it sends no comments.
    ///
    /// The time starts when the body first has nothing to send. Comments keep proxies from closing
    /// the connection, let clients distinguish a quiet server from a dead one, and let the server
    /// notice that a client has disconnected.
    pub fn keep_alive(mut self, interval: impl Into<Option<Duration>>) -> Self {
        self.keep_alive = interval.into().filter(|interval| !interval.is_zero());
        self
    }

    /// Sets the text of the keep-alive comment; empty by default. See [`comment`](super::comment).
    pub fn keep_alive_comment(mut self, text: impl AsRef<str>) -> Self {
        self.comment = super::comment(text.as_ref()).to_bytes();
        self
    }

    /// Turns an error of the stream into an event. It is sent as the last event, and the body then
    /// ends without an error.
    ///
    /// The event does not change the client's last event ID, unless it has an ID.
    ///
    /// ```
    /// use everstream::{Event, encode::EventBody};
    /// use futures_util::{TryStreamExt, stream};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), everstream::BoxError> {
    /// let events = stream::iter([Ok(Event::new("one")), Err(std::fmt::Error)]);
    /// let body = EventBody::new(events)
    ///     .on_error(|_| Event::new("upstream failed").with_event_type("error"));
    /// let wire: Vec<_> = body.try_collect().await?;
    /// assert_eq!(wire, ["data: one\n\n", "event: error\ndata: upstream failed\n\n"]);
    /// # Ok(())
    /// # }
    /// ```
    pub fn on_error(mut self, event: impl FnOnce(S::Error) -> Event + Send + 'static) -> Self {
        self.on_error = Some(Mutex::new(Box::new(event)));
        self
    }

    /// Returns the stream of events.
    pub fn get_ref(&self) -> &S {
        &self.events
    }

    /// Returns the stream of events. An event taken from it is not sent.
    pub fn get_mut(&mut self) -> &mut S {
        &mut self.events
    }

    /// Returns the stream of events, at the body's current position.
    pub fn into_inner(self) -> S {
        self.events
    }
}

impl<S> Stream for EventBody<S>
where
    S: TryStream,
    S::Ok: Into<Outgoing>,
    S::Error: Into<BoxError>,
{
    type Item = Result<Bytes, BoxError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.project();
        if *this.ended {
            return Poll::Ready(None);
        }
        let item = match this.events.try_poll_next(cx) {
            Poll::Ready(item) => item,
            Poll::Pending => {
                let Some(interval) = *this.keep_alive else {
                    return Poll::Pending;
                };
                let due = this.due.get_or_insert_with(|| in_future(interval));
                ready!(this.alarm.poll(cx, *due));
                *due = in_future(interval);
                return Poll::Ready(Some(Ok(this.comment.clone())));
            }
        };
        *this.due = None;
        let wire = match item {
            Some(Ok(item)) => {
                let item: Outgoing = item.into();
                item.encode(this.encoder).map(|wire| wire.to_bytes())
            }
            Some(Err(error)) => {
                *this.ended = true;
                let Some(event) = this.on_error.take() else {
                    return Poll::Ready(Some(Err(error.into())));
                };
                let event = event.into_inner().unwrap_or_else(PoisonError::into_inner);
                super::event(&event(error)).map(|wire| wire.to_bytes())
            }
            None => {
                *this.ended = true;
                return Poll::Ready(None);
            }
        };
        *this.ended |= wire.is_err();
        Poll::Ready(Some(wire.map_err(BoxError::from)))
    }
}

fn in_future(interval: Duration) -> Instant {
    timer::after(Instant::now(), interval)
}

impl<S> FusedStream for EventBody<S>
where
    S: TryStream,
    S::Ok: Into<Outgoing>,
    S::Error: Into<BoxError>,
{
    fn is_terminated(&self) -> bool {
        self.ended
    }
}

impl<S: TryStream + fmt::Debug> fmt::Debug for EventBody<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventBody")
            .field("events", &self.events)
            .field("keep_alive", &self.keep_alive)
            .field("ended", &self.ended)
            .finish_non_exhaustive()
    }
}
