//! Tests whole sessions without a network, a clock or a runtime.

mod advice;
mod arrows;
mod delays;
mod deploy;
mod limits;

use std::time::Duration;

use http::StatusCode;

use super::*;
use crate::error::{Error, ErrorKind, Refusal, Timeout};
use crate::transport::attempt::Cause;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// Rules without random delays.
fn rules() -> Rules {
    Rules {
        backoff: Backoff::new().initial_backoff(Duration::ZERO).jitter(0.0),
        ..Rules::default()
    }
}

fn without_limits() -> Rules {
    Rules {
        max_initial_failures: None,
        ..rules()
    }
}

fn status(status: u16) -> Error {
    busy(status, None)
}

fn busy(status: u16, retry_after: Option<Duration>) -> Error {
    Error::of(ErrorKind::Status).and_refusal(Refusal {
        status: Some(StatusCode::from_u16(status).unwrap()),
        retry_after,
        ..Refusal::of_body(bytes::Bytes::new(), true)
    })
}

fn broken() -> Error {
    Error::of(ErrorKind::Body)
}

fn refused() -> Error {
    Error::of(ErrorKind::Connect)
}

/// A session and its current time.
struct Life {
    session: Session,
    now: Duration,
    reconnection_time: Option<Duration>,
}

impl Life {
    fn new(rules: Rules) -> Self {
        Self {
            session: Session::new(rules, 1),
            // Any start time works.
            now: 7 * HOUR,
            reconnection_time: None,
        }
    }

    fn state(&self) -> State {
        self.session.state()
    }

    /// Waits for the delay, then connects.
    fn connecting(&mut self) -> &mut Self {
        if let State::Waiting(until) = self.state() {
            self.now = until;
            self.session.wake(until);
        }
        assert_eq!(self.state(), State::Start);
        self.session.connect();
        assert_eq!(self.state(), State::Connecting);
        self
    }

    fn open(&mut self) -> &mut Self {
        self.connecting();
        self.session.announce(self.now);
        assert_eq!(self.state(), State::Open(self.now));
        self
    }

    fn after(&mut self, time: Duration) -> &mut Self {
        self.now += time;
        self
    }

    fn lose(&mut self, error: Option<&Error>, advice: Retry, progress: bool) -> Decision {
        let loss = Loss {
            error,
            advice,
            progress,
            reconnection_time: self.reconnection_time,
        };
        let announced = self.session.failures_with(self.now, &loss);
        let decision = self.session.reestablish(self.now, loss);
        match decision {
            Decision::Wait { failure, delay } => {
                assert_eq!(announced, failure, "what `retry_when` sees is what counts");
                assert_eq!(self.state(), State::Waiting(self.now.saturating_add(delay)));
            }
            Decision::End | Decision::Fail => assert_eq!(self.state(), State::Closed),
        }
        decision
    }

    fn end(&mut self) -> Decision {
        self.lose(None, Retry::Default, false)
    }

    fn end_after_events(&mut self) -> Decision {
        self.lose(None, Retry::Default, true)
    }

    fn fail(&mut self, error: &Error) -> Decision {
        self.lose(Some(error), Retry::Default, false)
    }

    fn fail_after_events(&mut self, error: &Error) -> Decision {
        self.lose(Some(error), Retry::Default, true)
    }

    fn advised(&mut self, error: &Error, advice: Retry) -> Decision {
        self.lose(Some(error), advice, false)
    }
}

fn wait(failure: u32, delay: Duration) -> Decision {
    Decision::Wait { failure, delay }
}

/// Returns what a session that was open before decides if it fails to reconnect with this error.
fn met(rules: Rules, error: &Error) -> Decision {
    let mut life = Life::new(rules);
    life.open().end_after_events();
    life.connecting().fail(error)
}
