//! [`EventStreamBuilder`]: one request and what to hold its answer to.

use std::{
    fmt,
    future::{Future, IntoFuture},
    pin::Pin,
    time::Duration,
};

use futures_util::FutureExt;

use super::{
    EventStream, Unfinished,
    options::{Options, setters},
};
use crate::{
    error::{Error, ErrorKind},
    event::Event,
    parser::Oversized,
    response::{self, ContentType, Limits, Verdict},
    timer::{self, Instant},
    transport::{BoxFuture, MaybeSend, Response},
};

/// One request whose answer is an event stream: `.await` it for an [`EventStream`].
///
/// Made by `events()` on the request builder or the response of an HTTP client, or of any future
/// of a [`Response`] by [`EventStreamBuilder::new`]. The request is sent exactly once.
///
/// ```no_run
/// # #[cfg(feature = "reqwest013")]
/// # async fn doc(client: reqwest::Client) -> Result<(), everstream::Error> {
/// use everstream::RequestBuilderExt;
/// use futures_util::TryStreamExt;
/// use std::time::Duration;
///
/// let mut events = client
///     .post("https://example.com/v1/chat")
///     .body(r#"{"stream":true}"#)
///     .events()
///     .headers_timeout(Duration::from_secs(30))
///     .await?;
/// while let Some(event) = events.try_next().await? {
///     println!("{}", event.data());
/// }
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// A response that is not a 200 with the right content type, or is compressed, is an [`Error`]
/// that holds status, headers and the first 64 KiB of the body. So is a failure to connect, and
/// the headers' or the idle time limit.
///
/// # Cancel safety
///
/// Dropping the future, or the stream, closes the connection.
#[must_use = "nothing is sent until it is awaited"]
pub struct EventStreamBuilder {
    response: BoxFuture<'static, Result<Response, Error>>,
    options: Options,
    unfinished: Unfinished,
}

impl EventStreamBuilder {
    /// The answer that `response` will be, with any HTTP client.
    pub fn new<F>(response: F) -> Self
    where
        F: Future<Output = Result<Response, Error>> + MaybeSend + 'static,
    {
        Self {
            response: Box::pin(response),
            options: Options::default(),
            unfinished: Unfinished::default(),
        }
    }

    setters!();

    /// What becomes of an event that the end of the body leaves unfinished; it is discarded by
    /// default.
    pub fn unfinished(mut self, unfinished: Unfinished) -> Self {
        self.unfinished = unfinished;
        self
    }

    async fn open(self) -> Result<EventStream, Error> {
        let Limits { headers, idle, .. } = self.options.limits;
        let deadline = response::headers_deadline(headers, idle, Instant::now());
        let response = match deadline {
            None => self.response.await?,
            Some((at, timeout)) => timer::until(at, self.response)
                .await
                .unwrap_or_else(|| Err(Error::of(ErrorKind::Timeout(timeout))))?,
        };
        match response::judge(response, &self.options.content_type) {
            Verdict::Stream(head, body) => Ok(EventStream::open(
                Some(head),
                body,
                self.options,
                self.unfinished,
            )),
            Verdict::Refused(reading) => Err(reading.await),
        }
    }
}

impl IntoFuture for EventStreamBuilder {
    type Output = Result<EventStream, Error>;
    type IntoFuture = Opening;

    fn into_future(self) -> Opening {
        Opening(Box::pin(self.open()))
    }
}

impl fmt::Debug for EventStreamBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventStreamBuilder")
            .field("limits", &self.options.limits)
            .field("content_type", &self.options.content_type)
            .finish_non_exhaustive()
    }
}

/// The future of [`EventStreamBuilder`].
#[must_use = "nothing is sent until it is awaited"]
pub struct Opening(BoxFuture<'static, Result<EventStream, Error>>);

impl Future for Opening {
    type Output = Result<EventStream, Error>;

    fn poll(
        mut self: Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Self::Output> {
        self.0.poll_unpin(cx)
    }
}

impl fmt::Debug for Opening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opening").finish_non_exhaustive()
    }
}
