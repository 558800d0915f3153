//! [`EventSourceBuilder`]: the options of an `EventSource`.

use std::{fmt, time::Duration};

use crate::{
    error::Error,
    event::Event,
    parser::{Oversized, Parser},
    pump::Limits,
    session::{Backoff, ContentType, Retry, Rules, Session},
    source::{EventSource, Failure},
    transport::{
        Connect, Connector, MaybeSend,
        maybe_send::{Progress, RetryWhen},
    },
};

/// Everything that can be said of an [`EventSource`] before it begins.
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
    parser: Parser,
    last_event_id: Option<String>,
    repeat_unsafe: bool,
    seed: Option<u64>,
    options: Options,
}

/// What a source keeps of its options.
#[derive(Default)]
pub(crate) struct Options {
    pub(crate) limits: Limits,
    pub(crate) progress: Option<Progress>,
    pub(crate) content_type: ContentType,
    pub(crate) retry_when: Option<RetryWhen>,
}

impl EventSourceBuilder {
    pub(crate) fn new(connector: Connector) -> Self {
        Self {
            connector,
            rules: Rules::default(),
            parser: Parser::new(),
            last_event_id: None,
            repeat_unsafe: false,
            seed: None,
            options: Options::default(),
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

    /// How long to wait for a response's headers, the connecting included. No limit of its own by
    /// default; the [idle limit](Self::idle_timeout) holds for them too.
    pub fn headers_timeout(mut self, limit: impl Into<Option<Duration>>) -> Self {
        self.options.limits.headers = limit.into();
        self
    }

    /// How long to wait for a connection's first event once its headers have come. No limit by
    /// default.
    pub fn first_event_timeout(mut self, limit: impl Into<Option<Duration>>) -> Self {
        self.options.limits.first_event = limit.into();
        self
    }

    /// How long to wait for the next byte, comments included, before the connection counts as
    /// dead and another is made. Five minutes by default; `None` is for ever.
    pub fn idle_timeout(mut self, limit: impl Into<Option<Duration>>) -> Self {
        self.options.limits.idle = limit.into();
        self
    }

    /// How long to wait for the next event, whatever else comes, before another connection is
    /// made. No limit by default. Which events count can be said with
    /// [`progress`](Self::progress).
    ///
    /// Every limit counts only the time that the source waits for the server, never the time that
    /// its user takes between two events.
    pub fn event_timeout(mut self, limit: impl Into<Option<Duration>>) -> Self {
        self.options.limits.event = limit.into();
        self
    }

    /// Says which events count for the [event limit](Self::event_timeout).
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
        self.parser = self.parser.with_max_event_bytes(bytes);
        self
    }

    /// What to do with an event that is larger; the stream ends with an error by default.
    pub fn oversized(mut self, oversized: Oversized) -> Self {
        self.parser = self.parser.with_oversized(oversized);
        self
    }

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
        self.options.retry_when = Some(Box::new(retry_when));
        self
    }

    /// Allows for a request that is not safe, such as a POST, to be sent again whenever a GET
    /// would be. Whatever it does on the server is then done more than once.
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
        let prepared = self.connector.prepare(self.repeat_unsafe)?;
        self.rules.repeats = prepared.repeats;
        self.rules.anew = prepared.anew;
        let last_event_id = self.last_event_id.or(prepared.last_event_id);
        let parser = self
            .parser
            .with_last_event_id(last_event_id.unwrap_or_default());
        let seed = self.seed.unwrap_or_else(|| fastrand::u64(..));
        let session = Session::new(self.rules, seed);
        Ok(EventSource::build(
            self.connector,
            session,
            parser,
            self.options,
        ))
    }
}

impl fmt::Debug for EventSourceBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventSourceBuilder")
            .field("rules", &self.rules)
            .field("parser", &self.parser)
            .field("repeat_unsafe", &self.repeat_unsafe)
            .finish_non_exhaustive()
    }
}
