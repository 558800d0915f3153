//! [`EventStreamBuilder`]: the options of an `EventStream`.

use std::{
    fmt,
    future::{Future, IntoFuture, poll_fn},
    time::Duration,
};

use bytes::Bytes;
use futures_util::Stream;

use super::{
    Contract, Contracted, EventStream, Unfinished,
    options::{Options, body_setters, response_setters},
};
use crate::{
    error::{BoxError, Error},
    event::Event,
    parser::Oversized,
    response::{ContentType, Opening, Progress, Waiting},
    transport::{Body, BoxFuture, MaybeSend, MaybeSync, Response},
};

/// A builder for an [`EventStream`]: `.await` sends the request; for a body without a request, call
/// [`build`](EventStreamBuilder::build).
///
/// To get one, call `events()` on the request builder or the response of an HTTP client, or pass a
/// future of a [`Response`] to [`EventStreamBuilder::new`], or a stream of bytes to
/// [`EventStream::builder`]. A request is sent exactly once.
///
/// ```no_run
/// # #[cfg(feature = "reqwest013")]
/// # async fn doc(client: reqwest::Client) -> Result<(), everstream::Error> {
/// use everstream::RequestBuilderExt;
/// use std::time::Duration;
///
/// let mut events = client
///     .post("https://example.com/v1/chat")
///     .body(r#"{"stream":true}"#)
///     .events()
///     .headers_timeout(Duration::from_secs(30))
///     .await?;
/// while let Some(event) = events.next_event().await? {
///     println!("{}", event.data());
/// }
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// If the status is not 200, the content type is wrong or the body is compressed, `.await` returns
/// an [`Error`] that holds the status, the headers and the first 64 KiB of the body. Failing to
/// connect and exceeding a time limit are errors, too.
///
/// # Cancel safety
///
/// Dropping the future or the stream closes the connection.
#[must_use = "nothing is sent until it is awaited"]
pub struct EventStreamBuilder<S = BoxFuture<'static, Result<Response, Error>>, C = ()> {
    source: S,
    contract: C,
    options: Options,
    unfinished: Unfinished,
}

impl EventStream {
    /// Creates an `EventStream` from any stream of byte chunks, with default options. To set
    /// options, use [`builder`](Self::builder).
    ///
    /// An error of `chunks` becomes the source of an error of kind
    /// [`ErrorKind::Body`](crate::ErrorKind::Body). The default
    /// [`idle_timeout`](EventStreamBuilder::idle_timeout) of five minutes applies, and needs a
    /// Tokio runtime with its timer enabled.
    pub fn new<S, B, E>(chunks: S) -> Self
    where
        S: Stream<Item = Result<B, E>> + MaybeSend + 'static,
        B: Into<Bytes>,
        E: Into<BoxError>,
    {
        Self::builder(chunks).build()
    }

    /// Creates a builder for an `EventStream` from any stream of byte chunks.
    ///
    /// ```
    /// use everstream::EventStream;
    /// use futures_util::stream;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), everstream::Error> {
    /// let chunks = stream::iter([Ok::<_, std::io::Error>("data: x\n\n")]);
    /// let mut events = EventStream::builder(chunks)
    ///     .last_event_id("42")
    ///     .idle_timeout(None)
    ///     .build();
    /// let event = events.next_event().await?.expect("there is one");
    /// assert_eq!((event.data(), event.id()), ("x", "42"));
    /// # Ok(())
    /// # }
    /// ```
    pub fn builder<S, B, E>(chunks: S) -> EventStreamBuilder<Body>
    where
        S: Stream<Item = Result<B, E>> + MaybeSend + 'static,
        B: Into<Bytes>,
        E: Into<BoxError>,
    {
        EventStreamBuilder::of(Body::new(chunks))
    }
}

impl EventStreamBuilder {
    /// Creates a builder from a future of a response, for any HTTP client. Building polls nothing:
    /// `response` runs once the builder is awaited.
    pub fn new<F>(response: F) -> Self
    where
        F: Future<Output = Result<Response, Error>> + MaybeSend + 'static,
    {
        Self::of(Box::pin(response))
    }

    /// Sets the URL of the request, for errors without a response.
    #[cfg(any(feature = "reqwest013", feature = "reqwest012"))]
    pub(crate) fn of_url(mut self, url: Option<String>) -> Self {
        self.options.url = url.map(String::into_boxed_str);
        self
    }
}

impl<C> EventStreamBuilder<BoxFuture<'static, Result<Response, Error>>, C> {
    response_setters!();

    async fn open(self) -> Result<EventStream, Error> {
        let accepted = self.options.accepted.clone();
        let mut waiting = Waiting::new(self.options.limits.clone(), Progress::Any);
        let url = self.options.url.clone();
        let mut opening = Opening::new(self.source, accepted, url, &mut waiting);
        let (head, body) = poll_fn(|cx| opening.poll(cx, &mut waiting)).await?;
        Ok(EventStream::open(
            Some(head),
            body,
            self.options,
            self.unfinished,
        ))
    }
}

impl EventStreamBuilder<Body> {
    /// Returns the stream. Nothing is polled before it is.
    pub fn build(self) -> EventStream {
        EventStream::open(None, self.source, self.options, self.unfinished)
    }
}

impl EventStreamBuilder<Body, Contract> {
    /// Returns the stream. Nothing is polled before it is.
    pub fn build(self) -> Contracted {
        let events = EventStream::open(None, self.source, self.options, self.unfinished);
        Contracted::of_answer(events, self.contract)
    }
}

impl<S> EventStreamBuilder<S> {
    fn of(source: S) -> Self {
        Self {
            source,
            contract: (),
            options: Options::default(),
            unfinished: Unfinished::default(),
        }
    }

    /// Applies a contract to the answer: it decides which events complete the answer, which are
    /// errors and which only keep the connection alive. Keep-alive events then don't count for
    /// [`event_timeout`](Self::event_timeout), unless [`progress_when`](Self::progress_when) is
    /// set.
    pub fn contract(mut self, contract: Contract) -> EventStreamBuilder<S, Contract> {
        self.options.progress_by_contract = true;
        EventStreamBuilder {
            source: self.source,
            contract,
            options: self.options,
            unfinished: self.unfinished,
        }
    }
}

impl<S, C> EventStreamBuilder<S, C> {
    body_setters!();

    /// Sets what to do with an event that is unfinished when the body ends. By default, it is
    /// discarded.
    pub fn unfinished(mut self, unfinished: Unfinished) -> Self {
        self.unfinished = unfinished;
        self
    }
}

impl IntoFuture for EventStreamBuilder<BoxFuture<'static, Result<Response, Error>>, Contract> {
    type Output = Result<Contracted, Error>;
    type IntoFuture = BoxFuture<'static, Result<Contracted, Error>>;

    fn into_future(mut self) -> Self::IntoFuture {
        Box::pin(async move {
            let contract = std::mem::take(&mut self.contract);
            let events = self.open().await?;
            Ok(Contracted::of_answer(events, contract))
        })
    }
}

impl IntoFuture for EventStreamBuilder {
    type Output = Result<EventStream, Error>;
    type IntoFuture = BoxFuture<'static, Result<EventStream, Error>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.open())
    }
}

impl<S, C> fmt::Debug for EventStreamBuilder<S, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventStreamBuilder")
            .field("limits", &self.options.limits)
            .field("content_type", &self.options.accepted.content_type)
            .finish_non_exhaustive()
    }
}
