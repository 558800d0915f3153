//! [`EventSourceBuilder`]: the options of an `EventSource`.

use std::{fmt, time::Duration};

use crate::{
    error::Error,
    event::Event,
    options::{self, Options},
    parser::Oversized,
    session::{Backoff, ContentType, Retry, Rules, Session},
    source::{EventSource, Failure},
    transport::{Connect, Connector, MaybeSend, PrepareOptions, maybe_send::RetryWhen},
};

/// Everything that can be said of an [`EventSource`] before it begins.
///
/// Where a time limit strikes, the connection is given up and another is made.
///
/// ```no_run
/// # #[cfg(feature = "reqwest")]
/// # fn doc(client: reqwest::Client) -> Result<(), everstream::Error> {
/// use everstream::{EventSource, Retry};
/// use std::time::Duration;
///
/// let source = EventSource::builder(client.get("https://example.com/feed"))
///     .last_event_id("42")
///     .idle_timeout(Duration::from_secs(60))
///     .max_attempts(10)
///     .retry_when(|failure| match failure.error().status() {
///         Some(status) if status == 404 => Retry::After(Duration::from_secs(30)),
///         _ => Retry::AsUsual,
///     })
///     .build()?;
/// # Ok(())
/// # }
/// ```
#[must_use = "a source is made by `build`"]
pub struct EventSourceBuilder {
    connector: Connector,
    rules: Rules,
    last_event_id: Option<String>,
    repeat_unsafe: bool,
    seed: Option<u64>,
    options: Options,
    retry_when: Option<RetryWhen>,
}

impl EventSourceBuilder {
    pub(crate) fn new(connector: Connector) -> Self {
        Self {
            connector,
            rules: Rules::default(),
            last_event_id: None,
            repeat_unsafe: false,
            seed: None,
            options: Options::default(),
            retry_when: None,
        }
    }

    /// The last event ID to resume from, such as one stored by an earlier run of the program.
    /// The empty string is none.
    pub fn last_event_id(mut self, id: impl Into<String>) -> Self {
        self.last_event_id = Some(id.into());
        self
    }

    /// How long to wait before connecting again; see [`Backoff`] for the defaults.
    pub fn backoff(mut self, backoff: Backoff) -> Self {
        self.rules.backoff = backoff;
        self
    }

    /// How many failures in a row are tried before a connection has ever opened; 3 by default,
    /// `None` without end. The last failure is the error.
    pub fn initial_attempts(mut self, attempts: impl Into<Option<u32>>) -> Self {
        self.rules.initial_attempts = attempts.into();
        self
    }

    /// How many failures in a row are tried at any time; without end by default. The last
    /// failure is the error.
    ///
    /// A connection that ends cleanly but has brought nothing, no event and no ID, and has not
    /// lasted 5 seconds nor the reconnection time, counts as a failure. Only an event, a changed
    /// ID or 60 seconds of life start the count over.
    pub fn max_attempts(mut self, attempts: impl Into<Option<u32>>) -> Self {
        self.rules.max_attempts = attempts.into();
        self
    }

    /// How long failures in a row may go on; for ever by default. It is checked before each
    /// wait, the wait included.
    pub fn max_elapsed(mut self, elapsed: impl Into<Option<Duration>>) -> Self {
        self.rules.max_elapsed = elapsed.into();
        self
    }

    options::setters!();

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
        self.retry_when = Some(Box::new(retry_when));
        self
    }

    /// Allows for a request that is not safe, such as a POST, to be sent again whenever a GET
    /// would be. Whatever it does on the server is then done more than once.
    ///
    /// Safe are GET, HEAD, OPTIONS and TRACE. A REPORT, SEARCH or QUERY, which is so by its own
    /// specification, needs this too.
    pub fn repeat_unsafe(mut self, repeat: bool) -> Self {
        self.repeat_unsafe = repeat;
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
        let options = PrepareOptions::new().with_resend_unsafe_methods(self.repeat_unsafe);
        let policy = self.connector.prepare(&options)?;
        self.rules.repeats = policy.resend;
        self.rules.anew = policy.fresh;
        let last_event_id = self.last_event_id.or(policy.last_event_id);
        let seed = self.seed.unwrap_or_else(|| fastrand::u64(..));
        let session = Session::new(self.rules, seed);
        Ok(EventSource::build(
            self.connector,
            session,
            last_event_id.unwrap_or_default(),
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
            .field("content_type", &self.options.content_type)
            .field("repeat_unsafe", &self.repeat_unsafe)
            .finish_non_exhaustive()
    }
}
