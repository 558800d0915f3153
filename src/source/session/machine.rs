//! The state machine of an `EventSource`.

use std::{fmt, time::Duration};

use super::{
    backoff::Backoff,
    verdict::{Verdict, standard_verdict, verdict},
};
use crate::error::{Error, ErrorKind, Timeout};

/// A moment in time, as the duration since a fixed moment that the caller chooses.
pub type Time = Duration;

/// The state of an `EventSource`, as defined by the standard (WHATWG HTML 9.2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ReadyState {
    /// No connection is open. The source is connecting, or waiting to reconnect.
    Connecting,
    /// A connection is open.
    Open,
    /// The source is closed, and will not connect again.
    Closed,
}

impl fmt::Display for ReadyState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Connecting => "connecting",
            Self::Open => "open",
            Self::Closed => "closed",
        })
    }
}

/// What to do after a failure; returned by [`retry_when`](crate::EventSourceBuilder::retry_when).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Retry {
    /// Do what the source does without `retry_when`.
    #[default]
    Default,
    /// Reconnect immediately; from the second failure in a row on, after [`Backoff::min_delay`].
    Now,
    /// Reconnect after this time.
    After(Duration),
    /// Reconnect after the usual delay, but resume from this last event ID. For servers that no
    /// longer have the last event (410 Gone). An empty string starts without an ID.
    From(String),
    /// End the stream with the error.
    GiveUp,
}

/// The rules for reconnecting.
#[derive(Clone, Debug)]
pub struct Rules {
    /// How long to wait before reconnecting.
    pub backoff: Backoff,
    /// The maximum number of failures in a row before the first connection has opened.
    pub max_initial_failures: Option<u32>,
    /// The maximum number of failures in a row at any time.
    pub max_consecutive_failures: Option<u32>,
    /// The maximum time for failures in a row.
    pub max_elapsed: Option<Duration>,
    /// Whether the request may be sent again.
    pub repeats: bool,
    /// Whether each request is created afresh, so that the next one after a 401 may be accepted.
    pub fresh: bool,
    /// Whether to follow the standard to the letter, as browsers do.
    pub standard: bool,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            backoff: Backoff::default(),
            max_initial_failures: Some(3),
            max_consecutive_failures: None,
            max_elapsed: None,
            repeats: true,
            fresh: false,
            standard: false,
        }
    }
}

/// The state of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// A request has to be sent.
    Start,
    /// A request is under way.
    Connecting,
    /// The connection is open, since this moment.
    Open(Time),
    /// Waiting to reconnect at this moment.
    Waiting(Time),
    /// Closed for good.
    Closed,
}

/// How a connection was lost, or failed to open.
#[derive(Clone, Debug, Default)]
pub struct Loss<'a> {
    /// The error; `None` if the body ended cleanly.
    pub error: Option<&'a Error>,
    /// The decision of the user's `retry_when`.
    pub advice: Retry,
    /// Whether an event of progress was dispatched, or the last event ID has changed.
    pub progress: bool,
    /// The reconnection time, if the server has set one.
    pub reconnection_time: Option<Duration>,
}

/// What to do after a loss.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Wait, then reconnect.
    Wait {
        /// The number of failures in a row; 0 after an end that is not a failure.
        failure: u32,
        /// How long to wait.
        delay: Duration,
    },
    /// End the stream without an error.
    End,
    /// Fail the stream, with the error of the loss if there is one.
    Fail,
}

/// Decides when to connect, wait and give up.
#[derive(Debug)]
pub struct Session {
    rules: Rules,
    state: State,
    random: fastrand::Rng,
    /// The number of failures in a row, and the time of the first.
    failures: u32,
    failing_since: Option<Time>,
    /// Failures before the first connection opened, except those of a slow server.
    initial_failures: u32,
    was_open: bool,
    /// Whether a 401 has already led to another attempt since the last connection opened.
    reauthorized: bool,
}

/// A connection that lasts this long resets the count of failures.
const HEALTHY: Duration = Duration::from_secs(60);
/// A connection that lasts this long is not a failure, even without an event.
const LASTING: Duration = Duration::from_secs(5);
/// Before the first connection has opened, a longer `Retry-After` is an error instead of a delay.
const MAX_INITIAL_WAIT: Duration = Duration::from_secs(60);

impl Session {
    /// Creates a session. `seed` is for its random delays.
    #[must_use]
    pub fn new(rules: Rules, seed: u64) -> Self {
        Self {
            rules,
            state: State::Start,
            random: fastrand::Rng::with_seed(seed),
            failures: 0,
            failing_since: None,
            initial_failures: 0,
            was_open: false,
            reauthorized: false,
        }
    }

    /// Returns the state.
    #[must_use]
    pub fn state(&self) -> State {
        self.state
    }

    /// Returns the state as the standard defines it.
    #[must_use]
    pub fn ready_state(&self) -> ReadyState {
        match self.state {
            State::Start | State::Connecting | State::Waiting(_) => ReadyState::Connecting,
            State::Open(_) => ReadyState::Open,
            State::Closed => ReadyState::Closed,
        }
    }

    /// Returns the rules.
    #[must_use]
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// A request was sent: Start → Connecting.
    pub fn connect(&mut self) {
        if self.state == State::Start {
            self.state = State::Connecting;
        }
    }

    /// "Announce the connection": Connecting → Open.
    pub fn announce(&mut self, now: Time) {
        if self.state == State::Connecting {
            self.state = State::Open(now);
            self.was_open = true;
            self.reauthorized = false;
        }
    }

    /// The delay is over: Waiting → Start.
    pub fn wake(&mut self, now: Time) {
        if matches!(self.state, State::Waiting(until) if now >= until) {
            self.state = State::Start;
        }
    }

    /// The user wants to reconnect now: any state but Closed → Start. Returns `false` if that is
    /// impossible: the session is closed, or its request must not be sent again.
    pub fn ask(&mut self, now: Time, progress: bool) -> bool {
        let possible = self.state != State::Closed && self.rules.repeats;
        if possible {
            if self.resets(now, progress) {
                self.reset();
            }
            self.state = State::Start;
        }
        possible
    }

    /// Closes the session: any state → Closed.
    pub fn close(&mut self) {
        self.state = State::Closed;
    }

    /// "Reestablish the connection", or fail it: Connecting, Open → Waiting or Closed.
    pub fn reestablish(&mut self, now: Time, loss: Loss<'_>) -> Decision {
        let decision = self.decide(now, loss);
        self.state = match decision {
            Decision::Wait { delay, .. } => State::Waiting(now.saturating_add(delay)),
            Decision::End | Decision::Fail => State::Closed,
        };
        decision
    }

    /// Returns the number of failures in a row, including this loss; 0 if it is not a failure.
    #[must_use]
    pub fn failures_with(&self, now: Time, loss: &Loss<'_>) -> u32 {
        let before = if self.resets(now, loss.progress) {
            0
        } else {
            self.failures
        };
        if self.is_failure(now, loss) {
            before.saturating_add(1)
        } else {
            0
        }
    }

    fn decide(&mut self, now: Time, loss: Loss<'_>) -> Decision {
        let failed = self.count(now, &loss);
        let failure = if failed { self.failures } else { 0 };
        let usual = match loss.error {
            None if self.rules.repeats => Retry::Default,
            None => return Decision::End,
            Some(error) => match self.judge(error) {
                Verdict::NoContent => return Decision::End,
                Verdict::Passing => Retry::Default,
                Verdict::Unauthorized | Verdict::Final => Retry::GiveUp,
            },
        };
        let advice = match loss.advice {
            Retry::Default => usual,
            advice => advice,
        };
        if advice == Retry::GiveUp || !self.rules.repeats || (failed && self.used_up()) {
            return Decision::Fail;
        }
        let delay = match advice {
            Retry::Now if self.failures <= 1 => Duration::ZERO,
            Retry::Now => self.rules.backoff.shortest(),
            Retry::After(delay) => delay,
            Retry::Default | Retry::From(_) | Retry::GiveUp => {
                let asked = loss.error.and_then(|error| self.asked_for(error));
                if !self.was_open && asked.is_some_and(|asked| asked > MAX_INITIAL_WAIT) {
                    return Decision::Fail;
                }
                let base = self.rules.backoff.base(asked.or(loss.reconnection_time));
                let share = self.random.f64();
                self.rules.backoff.delay(base, failure, share)
            }
        };
        if failed && self.too_late(now, delay) {
            return Decision::Fail;
        }
        Decision::Wait { failure, delay }
    }

    /// Counts the loss, and returns whether it is a failure.
    fn count(&mut self, now: Time, loss: &Loss<'_>) -> bool {
        let failed = self.is_failure(now, loss);
        if self.resets(now, loss.progress) {
            self.reset();
        }
        if failed {
            self.failures = self.failures.saturating_add(1);
            self.failing_since.get_or_insert(now);
            // A server that accepted the connection but has not responded yet is not down.
            let slow = loss.error.is_some_and(|error| {
                use Timeout::{Headers, Idle};
                matches!(error.kind(), ErrorKind::Timeout(Headers | Idle))
            });
            if !self.was_open && !slow {
                self.initial_failures = self.initial_failures.saturating_add(1);
            }
        }
        failed
    }

    /// How long the connection has been open.
    fn life(&self, now: Time) -> Duration {
        match self.state {
            State::Open(since) => now.saturating_sub(since),
            _ => Duration::ZERO,
        }
    }

    /// Whether the connection has done enough to reset the count of failures.
    fn resets(&self, now: Time, progress: bool) -> bool {
        match self.rules.backoff.reset_after_time() {
            None => progress || self.life(now) >= HEALTHY,
            Some(least) => self.life(now) >= least,
        }
    }

    fn reset(&mut self) {
        self.failures = 0;
        self.failing_since = None;
    }

    /// Whether the loss counts as a failure. A clean end is a failure if there was no progress. A
    /// connection that was cut after progress is not.
    fn is_failure(&self, now: Time, loss: &Loss<'_>) -> bool {
        let base = self.rules.backoff.base(loss.reconnection_time);
        let lasted = self.life(now) >= base.max(LASTING);
        let progress = match self.rules.backoff.reset_after_time() {
            None => loss.progress || lasted,
            Some(least) => self.life(now) >= least,
        };
        let was_open = matches!(self.state, State::Open(_));
        match loss.error.map(Error::kind) {
            None | Some(ErrorKind::Body | ErrorKind::Transport) => !(was_open && progress),
            // However long a silent connection lasts, that is not progress.
            Some(ErrorKind::Timeout(_)) => !(was_open && progress && loss.progress),
            Some(_) => true,
        }
    }

    fn judge(&mut self, error: &Error) -> Verdict {
        if self.rules.standard {
            return standard_verdict(error);
        }
        match verdict(error) {
            Verdict::Unauthorized if self.rules.fresh && !self.reauthorized => {
                self.reauthorized = true;
                Verdict::Passing
            }
            verdict => verdict,
        }
    }

    fn used_up(&self) -> bool {
        let reached = |limit: Option<u32>, count| limit.is_some_and(|limit| count >= limit);
        !self.rules.standard
            && (reached(self.rules.max_consecutive_failures, self.failures)
                || (!self.was_open
                    && reached(self.rules.max_initial_failures, self.initial_failures)))
    }

    fn too_late(&self, now: Time, delay: Duration) -> bool {
        let (Some(limit), Some(since)) = (self.rules.max_elapsed, self.failing_since) else {
            return false;
        };
        !self.rules.standard && now.saturating_add(delay).saturating_sub(since) > limit
    }

    /// The delay that the server asked for.
    fn asked_for(&self, error: &Error) -> Option<Duration> {
        error.retry_after().filter(|_| !self.rules.standard)
    }
}
