//! [`Events`]: one request and what to hold its answer to.

use std::{
    fmt,
    future::{Future, IntoFuture},
    pin::Pin,
    time::Duration,
};

use futures_util::FutureExt;

use crate::{
    error::{Error, ErrorKind},
    event::Event,
    parser::{Oversized, Parser},
    pump::{self, Limits, Verdict},
    session::ContentType,
    stream::{EventStream, Unfinished},
    timer::{self, Instant},
    transport::{BoxFuture, MaybeSend, Response, maybe_send::Progress},
};

/// One request whose answer is an event stream: `.await` it for an [`EventStream`].
///
/// Made by `events()` on the request builder or the response of an HTTP client, or of any future
/// of a [`Response`] by [`Events::new`]. The request is sent exactly once.
///
/// ```no_run
/// # #[cfg(feature = "reqwest")]
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
pub struct Events {
    response: BoxFuture<'static, Result<Response, Error>>,
    options: Options,
}

/// What to hold an answer to.
pub(crate) struct Options {
    pub(crate) limits: Limits,
    pub(crate) progress: Option<Progress>,
    pub(crate) content_type: ContentType,
    pub(crate) max_event_bytes: usize,
    pub(crate) oversized: Oversized,
    pub(crate) unfinished: Unfinished,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            progress: None,
            content_type: ContentType::default(),
            max_event_bytes: Parser::DEFAULT_MAX_EVENT_BYTES,
            oversized: Oversized::default(),
            unfinished: Unfinished::default(),
        }
    }
}

impl Events {
    /// The answer that `response` will be, with any HTTP client.
    pub fn new<F>(response: F) -> Self
    where
        F: Future<Output = Result<Response, Error>> + MaybeSend + 'static,
    {
        Self {
            response: Box::pin(response),
            options: Options::default(),
        }
    }

    /// How long to wait for the response's headers, the connecting included. No limit of its own
    /// by default; the [idle limit](Self::idle_timeout) holds for them too.
    pub fn headers_timeout(mut self, limit: impl Into<Option<Duration>>) -> Self {
        self.options.limits.headers = limit.into();
        self
    }

    /// How long to wait for the first event once the headers have come. No limit by default.
    pub fn first_event_timeout(mut self, limit: impl Into<Option<Duration>>) -> Self {
        self.options.limits.first_event = limit.into();
        self
    }

    /// How long to wait for the next byte, comments included: it tells a dead connection. Five
    /// minutes by default; `None` is for ever.
    pub fn idle_timeout(mut self, limit: impl Into<Option<Duration>>) -> Self {
        self.options.limits.idle = limit.into();
        self
    }

    /// How long to wait for the next event, whatever else comes: it tells a server that keeps the
    /// connection alive with comments but has stalled. No limit by default. Which events count
    /// can be said with [`progress`](Self::progress).
    ///
    /// Every limit counts only the time that the stream waits for the server, never the time that
    /// its user takes between two events.
    pub fn event_timeout(mut self, limit: impl Into<Option<Duration>>) -> Self {
        self.options.limits.event = limit.into();
        self
    }

    /// Says which events count for the [event limit](Self::event_timeout): `|e| e.event() !=
    /// "ping"`, for one.
    pub fn progress(
        mut self,
        is_progress: impl FnMut(&Event) -> bool + MaybeSend + 'static,
    ) -> Self {
        self.options.progress = Some(Box::new(is_progress));
        self
    }

    /// Which content types to take for an event stream; `text/event-stream` alone by default.
    pub fn content_type(mut self, content_type: ContentType) -> Self {
        self.options.content_type = content_type;
        self
    }

    /// The largest event to take, in bytes; 16 MiB by default. See
    /// [`Parser::with_max_event_bytes`].
    pub fn max_event_bytes(mut self, bytes: usize) -> Self {
        self.options.max_event_bytes = bytes;
        self
    }

    /// What to do with an event that is larger; an error by default.
    pub fn oversized(mut self, oversized: Oversized) -> Self {
        self.options.oversized = oversized;
        self
    }

    /// What becomes of an event that the end of the body leaves unfinished; it is discarded by
    /// default.
    pub fn unfinished(mut self, unfinished: Unfinished) -> Self {
        self.options.unfinished = unfinished;
        self
    }

    async fn open(self) -> Result<EventStream, Error> {
        let deadline = self.options.limits.headers_deadline(Instant::now());
        let response = match deadline {
            None => self.response.await?,
            Some((at, timeout)) => timer::until(at, self.response)
                .await
                .unwrap_or_else(|| Err(Error::new(ErrorKind::Timeout(timeout))))?,
        };
        match pump::judge(response, &self.options.content_type) {
            Verdict::Stream(head, body) => Ok(EventStream::open(Some(head), body, self.options)),
            Verdict::Refused(reading) => Err(reading.await),
        }
    }
}

impl IntoFuture for Events {
    type Output = Result<EventStream, Error>;
    type IntoFuture = Opening;

    fn into_future(self) -> Opening {
        Opening(Box::pin(self.open()))
    }
}

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Events")
            .field("limits", &self.options.limits)
            .field("content_type", &self.options.content_type)
            .finish_non_exhaustive()
    }
}

/// The future of [`Events`].
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
