//! [`EventSourceBuilder`]: the options of an `EventSource`.

use std::{fmt, time::Duration};

use super::{
    EventSource, Failure, RetryWhen,
    session::{Backoff, Retry, Rules, Session},
};
use crate::{
    error::Error,
    event::Event,
    parser::Oversized,
    response::ContentType,
    stream::{Options, body_setters, response_setters},
    transport::{
        Attempt, Connect, Connector, IntoConnector, IntoResponse, MaybeSend, MaybeSync,
        PrepareOptions,
    },
};

/// A builder for an [`EventSource`], with all of its options.
///
/// When a time limit is exceeded, the source drops the connection and reconnects.
///
/// ```no_run
/// # #[cfg(feature = "reqwest013")]
/// # fn doc(client: reqwest::Client) -> Result<(), everstream::Error> {
/// use everstream::{EventSource, Retry};
/// use std::time::Duration;
///
/// let source = EventSource::builder(client.get("https://example.com/feed"))
///     .last_event_id("42")
///     .idle_timeout(Duration::from_secs(60))
///     .max_consecutive_failures(10)
///     .retry_when(|failure| match failure.error().status() {
///         Some(status) if status == 404 => Retry::After(Duration::from_secs(30)),
///         _ => Retry::Default,
///     })
///     .build()?;
/// # Ok(())
/// # }
/// ```
#[must_use = "a source is made by `build`"]
pub struct EventSourceBuilder {
    connector: Connector,
    rules: Rules,
    resend_unsafe_methods: bool,
    seed: Option<u64>,
    options: Options,
    retry_when: Option<RetryWhen>,
    asks_on_end: bool,
}

impl EventSource {
    /// Creates a builder for a source from a request or from your own connector.
    pub fn builder(connector: impl IntoConnector) -> EventSourceBuilder {
        EventSourceBuilder::new(connector.into_connector())
    }

    /// Creates a builder for a source that calls an async function to create each request, for
    /// example with a fresh token, another URL or another body.
    ///
    /// The function receives the [`Attempt`]. It returns a
    /// [`Response`](crate::transport::Response), or a reqwest request builder, to which the source
    /// adds the headers of the attempt.
    ///
    /// Any error of the function counts as a failure to connect, because it may not come from the
    /// feed: a token service may have responded with 204 or 401. It becomes the source of an error
    /// of kind [`ErrorKind::Other`](crate::ErrorKind::Other). The exception is an error that the
    /// function creates with [`Error::new`]: with kind
    /// [`ErrorKind::Request`](crate::ErrorKind::Request), it ends the source. If all errors of your
    /// function are about the feed, use [`Connector::from_fn`].
    ///
    /// ```no_run
    /// # #[cfg(feature = "reqwest013")]
    /// # fn doc(client: reqwest::Client) -> Result<(), everstream::Error> {
    /// # async fn fresh_token() -> Result<String, std::io::Error> { Ok(String::new()) }
    /// use everstream::EventSource;
    ///
    /// let source = EventSource::factory(move |_attempt| {
    ///     let client = client.clone();
    ///     async move {
    ///         let token = fresh_token().await?;
    ///         Ok::<_, std::io::Error>(client.get("https://example.com/feed").bearer_auth(token))
    ///     }
    /// })
    /// .build()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn factory<F, Fut, R, E>(connect: F) -> EventSourceBuilder
    where
        F: FnMut(Attempt) -> Fut + MaybeSend + 'static,
        Fut: Future<Output = Result<R, E>> + MaybeSend + 'static,
        R: IntoResponse + 'static,
        E: Into<crate::BoxError> + 'static,
    {
        EventSourceBuilder::new(Connector::factory(connect))
    }
}

impl EventSourceBuilder {
    fn new(connector: Connector) -> Self {
        Self {
            connector,
            rules: Rules::default(),
            resend_unsafe_methods: false,
            seed: None,
            options: Options::default(),
            retry_when: None,
            asks_on_end: false,
        }
    }

    /// Sets how long to wait before reconnecting; see [`Backoff`] for the defaults.
    pub fn backoff(mut self, backoff: Backoff) -> Self {
        self.rules.backoff = backoff;
        self
    }

    /// Sets how many failures in a row end the source before its first connection has opened; 3 by
    /// default, `None` means no limit. The stream ends with the last failure as its error. Timeouts
    /// while waiting for the headers don't count.
    pub fn max_initial_failures(mut self, failures: impl Into<Option<u32>>) -> Self {
        self.rules.max_initial_failures = failures.into();
        self
    }

    /// Sets how many failures in a row end the source at any time; no limit by default. The stream
    /// ends with the last failure as its error.
    ///
    /// A connection that ends cleanly counts as a failure if it delivered neither an event nor a
    /// changed ID, and lasted less than 5 seconds or less than the reconnection time. An event, a
    /// changed ID or a connection that lasts 60 seconds resets the count.
    pub fn max_consecutive_failures(mut self, failures: impl Into<Option<u32>>) -> Self {
        self.rules.max_consecutive_failures = failures.into();
        self
    }

    /// Sets the maximum time for failures in a row; no limit by default. It is checked before each
    /// delay, and includes that delay.
    pub fn max_elapsed(mut self, elapsed: impl Into<Option<Duration>>) -> Self {
        self.rules.max_elapsed = elapsed.into();
        self
    }

    response_setters!();

    body_setters!();

    /// Sets a closure that decides whether to reconnect after a failure. It can see the status, the
    /// headers and the error. It is also called for a 200 with a wrong content type, which is
    /// otherwise final. It is not called for a 204, nor for a clean end unless
    /// [`retry_on_end`](Self::retry_on_end) is set.
    ///
    /// The limits on failures and time still apply, and a request whose method is not safe is not
    /// sent again.
    pub fn retry_when(
        mut self,
        retry_when: impl FnMut(&Failure<'_>) -> Retry + MaybeSend + 'static,
    ) -> Self {
        self.retry_when = Some(RetryWhen::new(retry_when));
        self
    }

    /// Sets whether [`retry_when`](Self::retry_when) is also called for clean ends (see
    /// [`Failure::ended_cleanly`]); `false` by default.
    pub fn retry_on_end(mut self, ask: bool) -> Self {
        self.asks_on_end = ask;
        self
    }

    /// Sets whether a request whose method is not safe, such as POST, is sent again whenever a GET
    /// would be; `false` by default. The server may then process it more than once.
    ///
    /// GET, HEAD, OPTIONS and TRACE are safe. REPORT, SEARCH and QUERY are safe by their own
    /// specifications, but need this option, too.
    pub fn resend_unsafe_methods(mut self, resend: bool) -> Self {
        self.resend_unsafe_methods = resend;
        self
    }

    /// Follows the standard to the letter, as browsers do: a status other than 200 or a wrong
    /// content type always ends the stream, a network error never does, and `Retry-After` is
    /// ignored. There are no limits on attempts or time.
    ///
    /// The minimum reconnection time and the random delay after a failure still apply, because the
    /// standard allows longer delays. So do the limits on silence and on the size of an event,
    /// which browsers have, too; change them with [`idle_timeout(None)`](Self::idle_timeout) and
    /// [`max_event_bytes`](Self::max_event_bytes).
    pub fn standard(mut self) -> Self {
        self.rules.standard = true;
        self
    }

    /// Seeds the random part of the delays, to make it the same in every test run. By default, the
    /// seed is random.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Builds the source. It sends nothing until it is polled.
    ///
    /// # Errors
    ///
    /// Returns an error of kind [`ErrorKind::Request`](crate::ErrorKind::Request) if the request is
    /// invalid, or if it may have to be sent again but its body can't be.
    pub fn build(mut self) -> Result<EventSource, Error> {
        let prepare = PrepareOptions::new().with_resend_unsafe_methods(self.resend_unsafe_methods);
        let policy = self.connector.prepare(&prepare)?;
        self.rules.repeats = policy.resend;
        self.rules.fresh = policy.fresh;
        let id = &mut self.options.last_event_id;
        *id = id.take().or(policy.last_event_id);
        self.options.url = policy.url.map(String::into_boxed_str);
        if let Some(retry_when) = &mut self.retry_when {
            retry_when.on_end = self.asks_on_end;
        }
        let seed = self.seed.unwrap_or_else(|| fastrand::u64(..));
        let session = Session::new(self.rules, seed);
        Ok(EventSource::build(
            self.connector,
            session,
            self.options,
            self.retry_when,
        ))
    }
}

impl fmt::Debug for EventSourceBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventSourceBuilder")
            .field("rules", &self.rules)
            .field("limits", &self.options.limits)
            .field("content_type", &self.options.accepted.content_type)
            .field("resend_unsafe_methods", &self.resend_unsafe_methods)
            .finish_non_exhaustive()
    }
}
