//! Typed events: the data of each event read as JSON.

use std::{
    fmt,
    marker::PhantomData,
    pin::Pin,
    task::{Context, Poll, ready},
};

use futures_util::{Stream, stream::FusedStream};
use pin_project::pin_project;
use serde::de::DeserializeOwned;

use super::EventStream;
use crate::{
    error::{Error, ErrorKind},
    event::Event,
};

/// A stream of typed events: [`EventStreamExt::json`](crate::EventStreamExt::json).
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
    item: PhantomData<fn() -> T>,
}

impl<T, S> JsonStream<T, S> {
    pub(crate) fn new(inner: S) -> Self {
        Self {
            inner,
            events: 0,
            item: PhantomData,
        }
    }

    /// The stream of events beneath.
    pub fn get_ref(&self) -> &S {
        &self.inner
    }

    /// The stream of events beneath.
    pub fn get_mut(&mut self) -> &mut S {
        &mut self.inner
    }

    /// The stream of events beneath, where it was left off.
    pub fn into_inner(self) -> S {
        self.inner
    }
}

impl<T, S> Stream for JsonStream<T, S>
where
    T: DeserializeOwned,
    S: Stream<Item = Result<Event, Error>>,
{
    type Item = Result<T, Error>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.project();
        let Some(event) = ready!(this.inner.poll_next(cx)) else {
            return Poll::Ready(None);
        };
        let event = match event {
            Ok(event) => event,
            Err(error) => return Poll::Ready(Some(Err(error))),
        };
        let events_before = *this.events;
        *this.events += 1;
        Poll::Ready(Some(event.json().map_err(|error| {
            Error::new(ErrorKind::Json, error)
                .and_event(event)
                .and_events_before(events_before)
                .not_final()
        })))
    }
}

impl<T, S> FusedStream for JsonStream<T, S>
where
    T: DeserializeOwned,
    S: FusedStream<Item = Result<Event, Error>>,
{
    fn is_terminated(&self) -> bool {
        self.inner.is_terminated()
    }
}

impl<T, S: fmt::Debug> fmt::Debug for JsonStream<T, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JsonStream")
            .field("inner", &self.inner)
            .finish_non_exhaustive()
    }
}
