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

/// Everything that can be said of an [`EventSource`] before it begins.
///
/// Where a time limit strikes, the connection is given up and another is made.
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
    /// Options for a source: of a request, or of a connector of one's own.
    pub fn builder(connector: impl IntoConnector) -> EventSourceBuilder {
        EventSourceBuilder::new(connector.into_connector())
    }

    /// Options for a source each request of which is made anew, by an async function of the
    /// [`Attempt`]: with a fresh token, another URL, or another body.
    ///
    /// It gives a [`Response`](crate::transport::Response), or a request builder of reqwest, on which the headers of the
    /// attempt are put.
    ///
    /// Its own errors count as failures to connect, whatever they are: a token service that answers
    /// 204 or 401 doesn't speak for the feed. Such an error is the source of one of kind
    /// [`ErrorKind::Other`](crate::ErrorKind::Other). The exception is an error that it makes by [`Error::new`]: one of kind
    /// [`ErrorKind::Request`](crate::ErrorKind::Request) ends the source. A function that is a connector, all of whose errors
    /// are about the feed, goes to [`Connector::from_fn`].
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

    /// How long to wait before connecting again; see [`Backoff`] for the defaults.
    pub fn backoff(mut self, backoff: Backoff) -> Self {
        self.rules.backoff = backoff;
        self
    }

    /// How many failures in a row are tried before a connection has ever opened; 3 by default,
    /// `None` without end. The last failure is the error.
    pub fn max_initial_failures(mut self, failures: impl Into<Option<u32>>) -> Self {
        self.rules.max_initial_failures = failures.into();
        self
    }

    /// How many failures in a row are tried at any time; without end by default. The last
    /// failure is the error.
    ///
    /// A connection that ends cleanly but has brought nothing, no event and no ID, and has not
    /// lasted 5 seconds nor the reconnection time, counts as a failure. Only an event, a changed
    /// ID or 60 seconds of life start the count over.
    pub fn max_consecutive_failures(mut self, failures: impl Into<Option<u32>>) -> Self {
        self.rules.max_consecutive_failures = failures.into();
        self
    }

    /// How long failures in a row may go on; for ever by default. It is checked before each
    /// wait, the wait included.
    pub fn max_elapsed(mut self, elapsed: impl Into<Option<Duration>>) -> Self {
        self.rules.max_elapsed = elapsed.into();
        self
    }

    response_setters!();

    body_setters!();

    /// Has the last word on every failure: it sees status, headers and error, and says whether to
    /// connect again. It is asked of a 200 of the wrong content type, too, which is final
    /// otherwise, but not of a response that ended as it should.
    ///
    /// Limits on attempts and time hold nevertheless, and a request that is not safe is not
    /// repeated for it.
    pub fn retry_when(
        mut self,
        retry_when: impl FnMut(&Failure<'_>) -> Retry + MaybeSend + 'static,
    ) -> Self {
        self.retry_when = Some(RetryWhen::new(retry_when));
        self
    }

    /// Sets whether [`retry_when`](Self::retry_when) is asked about clean ends, too:
    /// [`Failure::ended_cleanly`]. It isn't by default.
    pub fn retry_on_end(mut self, ask: bool) -> Self {
        self.asks_on_end = ask;
        self
    }

    /// Allows for a request that is not safe, such as a POST, to be sent again whenever a GET
    /// would be. Whatever it does on the server is then done more than once.
    ///
    /// Safe are GET, HEAD, OPTIONS and TRACE. A REPORT, SEARCH or QUERY, which is so by its own
    /// specification, needs this too.
    pub fn resend_unsafe_methods(mut self, resend: bool) -> Self {
        self.resend_unsafe_methods = resend;
        self
    }

    /// Does as a browser does, to the letter of the standard: a status other than 200 and a wrong
    /// content type end the stream at any time, a network error never does, and `Retry-After`
    /// counts for nothing. There are no limits on attempts or time. The floor of the reconnection
    /// time and the random time after a failure stay, since the standard allows for waiting
    /// longer; so do the limits on silence and on the size of an event, which no browser is
    /// without: [`idle_timeout(None)`](Self::idle_timeout) and
    /// [`max_event_bytes`](Self::max_event_bytes) lift them.
    pub fn standard(mut self) -> Self {
        self.rules.standard = true;
        self
    }

    /// Makes the random part of the waits the same in every run, for tests.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// The source. Nothing is sent until it is polled.
    ///
    /// # Errors
    ///
    /// Of kind [`ErrorKind::Request`](crate::ErrorKind::Request), where the request is not valid,
    /// or may have to be repeated but has a body that cannot be.
    pub fn build(mut self) -> Result<EventSource, Error> {
        let prepare = PrepareOptions::new().with_resend_unsafe_methods(self.resend_unsafe_methods);
        let policy = self.connector.prepare(&prepare)?;
        self.rules.repeats = policy.resend;
        self.rules.anew = policy.fresh;
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
