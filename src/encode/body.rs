//! [`EventBody`]: the body of a server's response, from a stream of events.

use std::{
    fmt,
    pin::Pin,
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

/// What a server can send in an [`EventBody`].
///
/// A stream of [`Event`]s is sent as it is. One that has comments, reconnection times or IDs
/// between its events yields this.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outgoing {
    /// An event; see [`Encoder::event`].
    Event(Event),
    /// A change of the last event ID, without an event; see [`Encoder::id`].
    Id(String),
    /// A comment; see [`comment`](super::comment).
    Comment(String),
    /// How long clients should wait before they reconnect; see [`retry`](super::retry).
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

/// Shows what it is, never what it holds: that may be a secret.
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

/// The body of an event stream: encodes a stream of events, and keeps the connection alive while
/// there are none.
///
/// It is a stream of `Bytes`, one item for each event, as every server framework takes for a body:
/// axum's `Body::from_stream`, `StreamBody` of http-body-util for hyper, `streaming` of actix-web.
/// It asks `events` for the next event only when the framework asks for more bytes, so that a
/// client which reads slowly slows down the source of the events, and nothing is queued. When the
/// client leaves, the framework drops the body, and `events` with it.
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
/// `EventSource` is such a stream itself: what it yields is sent on with the same types and IDs.
///
/// # Errors
///
/// An error of `events` is the last item, unless [`on_error`](Self::on_error) makes an event of it.
/// A server that gets it breaks off the response, and the client sees that it is not whole. The same
/// goes for an event that cannot be encoded: it gives an [`EncodeError`].
///
/// # Panics
///
/// When polled outside a Tokio runtime with its timer enabled, unless
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

type ErrorEvent<E> = Box<dyn FnOnce(E) -> Event + Send>;

impl<S: TryStream> EventBody<S> {
    /// The body that sends `events`, with a keep-alive comment after each 15 seconds of silence.
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

    /// Encodes with this encoder. By default it is [`Encoder::new`].
    ///
    /// A server that gives an ID to some events only wants
    /// [`without_id_resets`](Encoder::without_id_resets).
    pub fn encoder(mut self, encoder: Encoder) -> Self {
        self.encoder = encoder;
        self
    }

    /// How long the body may be silent until it sends a comment: 15 seconds by default, as the
    /// standard suggests (9.2.7). `None` or zero sends none.
    ///
    /// The time counts from when the body first had nothing to send. Comments keep proxies from
    /// closing the connection, let clients tell a quiet server from a dead one, and let the server
    /// notice that a client has left.
    pub fn keep_alive(mut self, interval: impl Into<Option<Duration>>) -> Self {
        self.keep_alive = interval.into().filter(|interval| !interval.is_zero());
        self
    }

    /// The text of the keep-alive comment; empty by default. See [`comment`](super::comment).
    pub fn keep_alive_comment(mut self, text: impl AsRef<str>) -> Self {
        self.comment = super::comment(text.as_ref()).to_bytes();
        self
    }

    /// Makes an event of an error of the stream. It is sent as the last one, and the body ends as
    /// if it were whole.
    ///
    /// The event leaves the client's last event ID as it is, unless it has one itself.
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
        self.on_error = Some(Box::new(event));
        self
    }

    /// The stream of events.
    pub fn get_ref(&self) -> &S {
        &self.events
    }

    /// The stream of events. An event taken from it is not sent.
    pub fn get_mut(&mut self) -> &mut S {
        &mut self.events
    }

    /// The stream of events, from where the body left off.
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
