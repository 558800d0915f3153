//! A second implementation of the session, as simple as possible: the oracle of the property test
//! and of the fuzz target. It panics if the session differs.

use std::time::Duration;

use everstream::__session::{
    Decision, Loss, ReadyState, Retry, Rules, Session, State, Time, refused,
};
use everstream::{Error, ErrorKind, Timeout, http::StatusCode};

/// Something that happens. What cannot happen in the state at hand is called out of turn, which
/// must change nothing, or left out.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Op {
    Connect,
    Accept,
    /// A status, and the seconds of its `Retry-After`.
    Refuse(u16, Option<u64>),
    /// One of the other failures.
    Fail(u8),
    End,
    Event,
    /// This many milliseconds pass.
    Pass(u64),
    /// The current wait passes.
    PassDeadline,
    Wake,
    /// The server sets the reconnection time, in milliseconds; or nothing has set one.
    Retry(Option<u64>),
    /// The user's decision about the next failure.
    Advise(u8, u64),
    Ask,
    Close,
}

const BASE: Duration = Duration::from_secs(3);
const FLOOR: Duration = Duration::from_millis(50);
const HOUR: Duration = Duration::from_secs(3600);
const MINUTE: Duration = Duration::from_secs(60);

pub(crate) struct Model {
    session: Session,
    rules: Rules,
    now: Time,
    reconnection_time: Option<Duration>,
    advice: Retry,
    /// An event has arrived since the last loss.
    events: bool,
    opened_at: Option<Time>,
    was_open: bool,
    failures: u32,
    /// Those before the first connection, except for late headers.
    initial: u32,
    failing_since: Option<Time>,
    /// The last loss was a failure.
    last_failed: bool,
    tried_401: bool,
    requests: u64,
    asked: u64,
    waits: u64,
}

impl Model {
    pub(crate) fn new(rules: Rules, seed: u64) -> Self {
        Self {
            session: Session::new(rules.clone(), seed),
            rules,
            now: Duration::ZERO,
            reconnection_time: None,
            advice: Retry::Default,
            events: false,
            opened_at: None,
            was_open: false,
            failures: 0,
            initial: 0,
            failing_since: None,
            last_failed: false,
            tried_401: false,
            requests: 0,
            asked: 0,
            waits: 0,
        }
    }

    pub(crate) fn requests(&self) -> u64 {
        self.requests
    }

    pub(crate) fn waits(&self) -> u64 {
        self.waits
    }

    pub(crate) fn step(&mut self, op: Op) {
        let before = self.session.state();
        match op {
            Op::Connect => {
                self.session.connect();
                if before == State::Start {
                    self.requests += 1;
                    self.opened_at = None;
                    self.expect(State::Connecting);
                } else {
                    self.expect(before);
                }
            }
            Op::Accept => {
                self.session.announce(self.now);
                if before == State::Connecting {
                    self.opened_at = Some(self.now);
                    self.was_open = true;
                    self.tried_401 = false;
                    self.expect(State::Open(self.now));
                } else {
                    self.expect(before);
                }
            }
            Op::Refuse(status, seconds) if before == State::Connecting => {
                let status = StatusCode::from_u16(status).expect("three digits");
                let after = seconds.map(Duration::from_secs);
                self.lose(Some(&refused(status, after)));
            }
            Op::Fail(kind) if matches!(before, State::Connecting | State::Open(_)) => {
                self.lose(Some(&failure(kind)));
            }
            Op::End if matches!(before, State::Open(_)) => self.lose(None),
            Op::Event => self.events |= matches!(before, State::Open(_)),
            Op::Pass(millis) => {
                self.now = self.now.saturating_add(Duration::from_millis(millis));
            }
            Op::PassDeadline => {
                if let State::Waiting(until) = before {
                    self.now = self.now.max(until);
                }
            }
            Op::Wake => {
                self.session.wake(self.now);
                match before {
                    State::Waiting(until) if until <= self.now => self.expect(State::Start),
                    _ => self.expect(before),
                }
            }
            Op::Retry(millis) => self.reconnection_time = millis.map(Duration::from_millis),
            Op::Advise(kind, millis) => {
                self.advice = match kind {
                    0 => Retry::Default,
                    1 => Retry::Now,
                    2 => Retry::After(Duration::from_millis(millis)),
                    _ => Retry::GiveUp,
                };
            }
            Op::Ask => {
                let possible = before != State::Closed && self.rules.repeats;
                let events = possible && std::mem::take(&mut self.events);
                let life = match before {
                    State::Open(since) => self.now - since,
                    _ => Duration::ZERO,
                };
                if possible && (events || life >= MINUTE) {
                    self.failures = 0;
                    self.failing_since = None;
                }
                assert_eq!(self.session.ask(self.now, events), possible);
                self.asked += u64::from(possible);
                self.expect(if possible { State::Start } else { before });
            }
            Op::Close => {
                self.session.close();
                self.expect(State::Closed);
            }
            Op::Refuse(..) | Op::Fail(_) | Op::End => {}
        }
        if before == State::Closed {
            self.expect(State::Closed);
        }
        if !self.rules.repeats {
            assert!(self.requests <= 1, "an unsafe request was repeated");
        }
        assert!(
            self.requests <= 1 + self.waits + self.asked,
            "a request that nothing led to"
        );
    }

    fn expect(&self, state: State) {
        assert_eq!(self.session.state(), state);
        let ready_state = match state {
            State::Closed => ReadyState::Closed,
            State::Open(_) => ReadyState::Open,
            _ => ReadyState::Connecting,
        };
        assert_eq!(self.session.ready_state(), ready_state);
    }

    fn lose(&mut self, error: Option<&Error>) {
        // The user is only asked about failures.
        let advice = match error {
            Some(_) => std::mem::take(&mut self.advice),
            None => Retry::Default,
        };
        let was_open = matches!(self.session.state(), State::Open(_));
        let events = std::mem::take(&mut self.events);
        let decision = self.session.reestablish(
            self.now,
            Loss {
                error,
                advice: advice.clone(),
                progress: events,
                reconnection_time: self.reconnection_time,
            },
        );
        let life = self
            .opened_at
            .take()
            .map_or(Duration::ZERO, |at| self.now - at);
        let expected = self.expected(error, &advice, events, life, was_open);
        match (decision, expected) {
            (Decision::End, Expected::End) | (Decision::Fail, Expected::Fail) => {
                self.expect(State::Closed);
            }
            (Decision::Wait { failure, delay }, Expected::Wait(least, most)) => {
                assert_eq!(failure, if self.last_failed { self.failures } else { 0 });
                assert!(
                    least <= delay && delay <= most,
                    "{delay:?} is not from {least:?} to {most:?}"
                );
                let late = self.too_late(delay);
                assert!(!late, "longer than max_elapsed");
                self.waits += 1;
                self.expect(State::Waiting(self.now.saturating_add(delay)));
            }
            // Whether there is time for a wait depends on its random part.
            (Decision::Fail, Expected::Wait(_, most)) if self.too_late(most) => {
                self.expect(State::Closed);
            }
            (decision, expected) => panic!("{decision:?}, expected {expected:?}"),
        }
    }

    fn too_late(&self, delay: Duration) -> bool {
        let (Some(limit), Some(since)) = (self.rules.max_elapsed, self.failing_since) else {
            return false;
        };
        self.last_failed && !self.rules.standard && self.now.saturating_add(delay) - since > limit
    }

    fn expected(
        &mut self,
        error: Option<&Error>,
        advice: &Retry,
        events: bool,
        life: Duration,
        was_open: bool,
    ) -> Expected {
        let reconnection_time = self.reconnection_time.unwrap_or(BASE);
        let base = reconnection_time.clamp(FLOOR, HOUR);
        if events || life >= MINUTE {
            self.failures = 0;
            self.failing_since = None;
        }
        let lasted = life >= base && life >= Duration::from_secs(5);
        self.last_failed = match error.map(Error::kind) {
            None => !(events || lasted),
            Some(ErrorKind::Body | ErrorKind::Transport) => !(was_open && (events || lasted)),
            Some(ErrorKind::Timeout(_)) => !(was_open && events),
            Some(_) => true,
        };
        if self.last_failed {
            let slow = error.is_some_and(|error| {
                let kind = error.kind();
                kind == ErrorKind::Timeout(Timeout::Headers)
                    || kind == ErrorKind::Timeout(Timeout::Idle)
            });
            self.initial += u32::from(!slow && !self.was_open);
            self.failures += 1;
            self.failing_since = self.failing_since.or(Some(self.now));
        }
        let standard = self.rules.standard;
        let Some(error) = error else {
            if !self.rules.repeats {
                return Expected::End;
            }
            return self.usual_wait(base);
        };
        let status = error.status().map(|status| status.as_u16());
        if status == Some(204) {
            return Expected::End;
        }
        let unauthorized = status == Some(401) && self.rules.fresh && !standard;
        let again = match status {
            Some(_) if standard => false,
            Some(401) => unauthorized && !self.tried_401,
            Some(408 | 425 | 429) => true,
            Some(501 | 505) => false,
            Some(status) => (500..600).contains(&status),
            None => matches!(
                error.kind(),
                ErrorKind::Connect
                    | ErrorKind::Transport
                    | ErrorKind::Body
                    | ErrorKind::Other
                    | ErrorKind::Incomplete
                    | ErrorKind::Timeout(_)
            ),
        };
        if unauthorized {
            self.tried_401 = true;
        }
        if !self.rules.repeats || *advice == Retry::GiveUp || (*advice == Retry::Default && !again)
        {
            return Expected::Fail;
        }
        if self.last_failed && self.used_up() {
            return Expected::Fail;
        }
        match advice {
            Retry::Now if self.failures <= 1 => Expected::exactly(Duration::ZERO),
            Retry::Now => Expected::exactly(FLOOR),
            Retry::After(delay) => Expected::exactly(*delay),
            _ => {
                let asked = error.retry_after().filter(|_| !standard);
                if !self.was_open && asked.is_some_and(|asked| asked > MINUTE) {
                    return Expected::Fail;
                }
                self.usual_wait(asked.map_or(base, |asked| asked.clamp(FLOOR, HOUR)))
            }
        }
    }

    fn used_up(&self) -> bool {
        let at = |limit: Option<u32>, count| limit.is_some_and(|limit| count >= limit);
        let initial = !self.was_open && at(self.rules.max_initial_failures, self.initial);
        let all = at(self.rules.max_consecutive_failures, self.failures);
        !self.rules.standard && (all || initial)
    }

    fn usual_wait(&self, base: Duration) -> Expected {
        if !self.last_failed {
            return Expected::Wait(base, base + base / 4);
        }
        if self.used_up() {
            return Expected::Fail;
        }
        let doublings = (self.failures - 1).min(6);
        let random = Duration::from_secs(1 << doublings).min(MINUTE);
        Expected::Wait(base, base + random)
    }
}

#[derive(Debug)]
enum Expected {
    Wait(Duration, Duration),
    End,
    Fail,
}

impl Expected {
    fn exactly(delay: Duration) -> Self {
        Self::Wait(delay, delay)
    }
}

fn failure(kind: u8) -> Error {
    let kind = match kind % 16 {
        0 => ErrorKind::Body,
        1 => ErrorKind::Connect,
        2 => ErrorKind::Transport,
        3 => ErrorKind::Other,
        4 => ErrorKind::Timeout(Timeout::Headers),
        5 => ErrorKind::Timeout(Timeout::FirstEvent),
        6 => ErrorKind::Timeout(Timeout::Idle),
        7 => ErrorKind::Timeout(Timeout::Event),
        8 => ErrorKind::Timeout(Timeout::HttpClient),
        9 => ErrorKind::ContentType,
        10 => ErrorKind::ContentEncoding,
        11 => ErrorKind::Redirect,
        12 => ErrorKind::Request,
        13 => ErrorKind::LastEventId,
        14 => ErrorKind::EventTooLarge,
        _ => ErrorKind::Incomplete,
    };
    Error::new(kind, "as the model has it")
}
