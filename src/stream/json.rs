//! [`JsonStream`]: the data of each event, deserialized from JSON.

use std::{
    fmt,
    marker::PhantomData,
    pin::Pin,
    task::{Context, Poll, ready},
};

use futures_util::{Stream, stream::FusedStream};
use pin_project::pin_project;
use serde::de::DeserializeOwned;

use super::{EventOrSignal, EventStream, JsonSignal, Signal, next};
use crate::{
    error::{Error, ErrorKind},
    event::Event,
};

/// A stream of typed events, returned by [`EventStreamExt::json`](crate::EventStreamExt::json).
///
/// ```
/// use everstream::{EventStream, EventStreamExt};
/// use futures_util::{StreamExt, stream};
///
/// #[derive(serde::Deserialize)]
/// struct Token { text: String }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), everstream::Error> {
/// let wire = "data: {\"text\":\"Hi\"}\n\ndata: oops\n\n";
/// let mut tokens = EventStream::new(stream::iter([Ok::<_, std::io::Error>(wire)]))
///     .json::<Token>();
/// while let Some(token) = tokens.next().await {
///     match token {
///         Ok(token) => println!("{}", token.text),
///         Err(error) if error.is_final() => return Err(error),
///         Err(error) => eprintln!("{error}: {:?}", error.event()),
///     }
/// }
/// # Ok(())
/// # }
/// ```
#[pin_project]
#[must_use = "streams do nothing unless polled"]
pub struct JsonStream<T, S = EventStream> {
    #[pin]
    inner: S,
    events: u64,
    ended: bool,
    item: PhantomData<fn() -> T>,
}

impl<T, S> JsonStream<T, S> {
    pub(crate) fn new(inner: S) -> Self {
        Self {
            inner,
            events: 0,
            ended: false,
            item: PhantomData,
        }
    }

    next::accessors!();
}

impl<T, S> JsonStream<T, S>
where
    T: DeserializeOwned,
    S: Stream<Item = Result<Event, Error>> + Unpin,
{
    next::event!(T);
}

impl<T, S> JsonStream<T, S>
where
    T: DeserializeOwned,
    S: Stream<Item = Result<Signal, Error>> + Unpin,
{
    next::signal!(JsonSignal<T>);
}

impl<T, S, I> Stream for JsonStream<T, S>
where
    T: DeserializeOwned,
    S: Stream<Item = Result<I, Error>>,
    I: EventOrSignal,
{
    type Item = Result<I::Json<T>, Error>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.project();
        if *this.ended {
            return Poll::Ready(None);
        }
        let item = match ready!(this.inner.poll_next(cx)) {
            Some(Ok(item)) => item,
            Some(Err(error)) => {
                *this.ended = error.is_final();
                return Poll::Ready(Some(Err(error)));
            }
            None => {
                *this.ended = true;
                return Poll::Ready(None);
            }
        };
        let events = this.events;
        let item = item.read(|event| {
            *events += 1;
            event.json().map_err(|error| {
                Error::of(ErrorKind::Json)
                    .and_source(error.into())
                    .and_event(event)
                    .passes_after(*events - 1)
            })
        });
        Poll::Ready(Some(item))
    }
}

impl<T, S, I> FusedStream for JsonStream<T, S>
where
    T: DeserializeOwned,
    S: Stream<Item = Result<I, Error>>,
    I: EventOrSignal,
{
    fn is_terminated(&self) -> bool {
        self.ended
    }
}

impl<T, S: fmt::Debug> fmt::Debug for JsonStream<T, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JsonStream")
            .field("inner", &self.inner)
            .finish_non_exhaustive()
    }
}
