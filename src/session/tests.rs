//! Whole lives of a session: no network, no clock, no runtime.

use std::time::Duration;

use http::{HeaderMap, StatusCode};

use super::*;
use crate::error::{Error, ErrorKind, Refusal, Timeout};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// Rules whose waits have no random part.
fn rules() -> Rules {
    Rules {
        backoff: Backoff::new().first(Duration::ZERO),
        ..Rules::default()
    }
}

fn without_limits() -> Rules {
    Rules {
        initial_attempts: None,
        ..rules()
    }
}

fn status(status: u16) -> Error {
    busy(status, None)
}

fn busy(status: u16, retry_after: Option<Duration>) -> Error {
    Error::new(ErrorKind::Status).and_refusal(Refusal {
        status: StatusCode::from_u16(status).unwrap(),
        headers: HeaderMap::new(),
        body: bytes::Bytes::new(),
        retry_after,
    })
}

fn broken() -> Error {
    Error::new(ErrorKind::Body)
}

fn refused() -> Error {
    Error::new(ErrorKind::Connect)
}

/// A session and the time that passes for it.
struct Life {
    session: Session,
    now: Duration,
    reconnection_time: Option<Duration>,
}

impl Life {
    fn new(rules: Rules) -> Self {
        Self {
            session: Session::new(rules, 1),
            // Any moment will do for a beginning.
            now: 7 * HOUR,
            reconnection_time: None,
        }
    }

    fn state(&self) -> State {
        self.session.state()
    }

    /// Connects, having waited as long as it takes.
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

    fn lose(&mut self, error: Option<&Error>, advice: Retry, events: bool) -> Decision {
        let decision = self.session.reestablish(
            self.now,
            Loss {
                error,
                advice,
                events,
                reconnection_time: self.reconnection_time,
            },
        );
        match decision {
            Decision::Wait { delay, attempt } => {
                assert_eq!(self.state(), State::Waiting(self.now.saturating_add(delay)));
                assert!(attempt >= 1);
            }
            Decision::End | Decision::Fail => assert_eq!(self.state(), State::Closed),
        }
        decision
    }

    fn end(&mut self) -> Decision {
        self.lose(None, Retry::AsUsual, false)
    }

    fn end_after_events(&mut self) -> Decision {
        self.lose(None, Retry::AsUsual, true)
    }

    fn fail(&mut self, error: &Error) -> Decision {
        self.lose(Some(error), Retry::AsUsual, false)
    }

    fn fail_after_events(&mut self, error: &Error) -> Decision {
        self.lose(Some(error), Retry::AsUsual, true)
    }

    fn advised(&mut self, error: &Error, advice: Retry) -> Decision {
        self.lose(Some(error), advice, false)
    }
}

fn wait(attempt: u32, delay: Duration) -> Decision {
    Decision::Wait { attempt, delay }
}

/// What becomes of a source that was open, when this is what it meets.
fn met(rules: Rules, error: &Error) -> Decision {
    let mut life = Life::new(rules);
    life.open().end_after_events();
    life.connecting().fail(error)
}

/// A life: connect, lose, wait, resume, give up.
#[test]
fn a_whole_life() {
    let mut life = Life::new(Rules {
        max_attempts: Some(3),
        ..rules()
    });
    assert_eq!(life.state(), State::Start);
    assert_eq!(life.session.ready_state(), ReadyState::Connecting);

    life.connecting();
    assert_eq!(life.session.ready_state(), ReadyState::Connecting);
    life.session.announce(life.now);
    assert_eq!(life.session.ready_state(), ReadyState::Open);

    life.after(SECOND);
    assert_eq!(life.end_after_events(), wait(1, 3 * SECOND));
    assert_eq!(life.session.ready_state(), ReadyState::Connecting);
    let State::Waiting(until) = life.state() else {
        panic!("it waits")
    };
    life.session.wake(until - ms(1));
    assert_eq!(life.state(), State::Waiting(until), "not before its time");
    life.session.wake(until + HOUR);
    assert_eq!(life.state(), State::Start, "late is not too late");

    assert_eq!(life.connecting().fail(&refused()), wait(1, 3 * SECOND));
    assert_eq!(life.connecting().fail(&status(503)), wait(2, 3 * SECOND));
    assert_eq!(life.connecting().fail(&refused()), Decision::Fail);
    assert_eq!(life.session.ready_state(), ReadyState::Closed);
}

/// Whatever is called out of turn changes nothing.
#[test]
fn spurious_calls_are_tolerated() {
    let mut life = Life::new(rules());
    life.session.announce(life.now);
    life.session.wake(life.now);
    assert_eq!(life.state(), State::Start);
    life.session.connect();
    life.session.connect();
    life.session.wake(life.now);
    assert_eq!(life.state(), State::Connecting);
    life.session.announce(life.now);
    let open = life.state();
    life.after(SECOND);
    life.session.announce(life.now);
    life.session.connect();
    life.session.wake(life.now);
    assert_eq!(life.state(), open);
    life.end_after_events();
    let waiting = life.state();
    life.session.connect();
    life.session.announce(life.now);
    assert_eq!(life.state(), waiting);
}

#[test]
fn closed_is_for_good() {
    let states: [fn(&mut Life); 5] = [
        |_| {},
        |life| {
            life.connecting();
        },
        |life| {
            life.open();
        },
        |life| {
            life.open().end_after_events();
        },
        |life| {
            life.connecting().fail(&status(404));
        },
    ];
    for reach in states {
        let mut life = Life::new(rules());
        reach(&mut life);
        life.session.close();
        assert_eq!(life.session.ready_state(), ReadyState::Closed);
        life.session.connect();
        life.session.announce(life.now);
        life.session.wake(life.now + HOUR);
        assert!(!life.session.ask());
        life.session.close();
        assert_eq!(life.state(), State::Closed);
    }
}

#[test]
fn a_connection_can_be_asked_for_in_every_state_but_closed() {
    let mut life = Life::new(rules());
    assert!(life.session.ask());
    assert!(life.connecting().session.ask());
    assert!(life.open().session.ask());
    life.open().end_after_events();
    assert!(life.session.ask());
    assert_eq!(life.state(), State::Start, "without waiting");
}

/// The table of what a response, a failure or an end leads to by default, and what it leads to
/// where the user wants it as browsers have it.
#[test]
fn what_happens_by_default_and_in_a_browser() {
    use Decision::{End, Fail};
    let again = wait(1, 3 * SECOND);
    let standard = Rules {
        standard: true,
        ..rules()
    };
    let kinds = |kind| Error::new(kind);
    let mut table = vec![
        (status(204), End, End),
        (kinds(ErrorKind::ContentType), Fail, Fail),
        (kinds(ErrorKind::ContentEncoding), Fail, Fail),
        (kinds(ErrorKind::Redirect), Fail, Fail),
        (kinds(ErrorKind::Request), Fail, Fail),
        (kinds(ErrorKind::LastEventId), Fail, Fail),
        (kinds(ErrorKind::EventTooLarge), Fail, Fail),
        (kinds(ErrorKind::Connect), again, again),
        (kinds(ErrorKind::Transport), again, again),
        (kinds(ErrorKind::Body), again, again),
        (kinds(ErrorKind::Other), again, again),
    ];
    for timeout in [
        Timeout::Headers,
        Timeout::FirstEvent,
        Timeout::Idle,
        Timeout::Event,
        Timeout::HttpClient,
    ] {
        table.push((kinds(ErrorKind::Timeout(timeout)), again, again));
    }
    for passing in [408, 425, 429, 500, 502, 503, 504, 507, 508, 511, 520, 599] {
        table.push((status(passing), again, Fail));
    }
    for last in [
        100, 201, 202, 203, 205, 206, 226, 300, 304, 305, 400, 401, 402, 403, 404, 405, 410, 418,
        422, 451, 501, 505, 600, 999,
    ] {
        table.push((status(last), Fail, Fail));
    }
    for (error, by_default, in_a_browser) in table {
        assert_eq!(met(rules(), &error), by_default, "{error}");
        assert_eq!(met(standard.clone(), &error), in_a_browser, "{error}");
    }
    let mut life = Life::new(standard);
    assert_eq!(life.open().end_after_events(), again, "an end is no error");
}

#[test]
fn the_first_attempts_are_few_and_the_last_failure_tells() {
    for (attempts, tried) in [(Some(0), 1), (Some(1), 1), (Some(2), 2), (Some(3), 3)] {
        let mut life = Life::new(Rules {
            initial_attempts: attempts,
            ..rules()
        });
        for attempt in 1..tried {
            assert_eq!(
                life.connecting().fail(&refused()),
                wait(attempt, 3 * SECOND)
            );
        }
        assert_eq!(life.connecting().fail(&refused()), Decision::Fail);
    }
    assert_eq!(Rules::default().initial_attempts, Some(3));

    let mut life = Life::new(without_limits());
    for attempt in 1..1000 {
        assert_eq!(
            life.connecting().fail(&refused()),
            wait(attempt, 3 * SECOND)
        );
    }
}

#[test]
fn once_it_was_open_the_first_attempts_do_not_count() {
    let mut life = Life::new(rules());
    life.connecting().fail(&refused());
    life.connecting().fail(&refused());
    life.open().fail(&broken());
    for attempt in 4..100 {
        assert_eq!(
            life.connecting().fail(&refused()),
            wait(attempt, 3 * SECOND)
        );
    }
}

/// A 200 that brings nothing is no success (reqwest-eventsource: 233 requests for three).
#[test]
fn max_attempts_counts_what_brought_nothing() {
    let mut life = Life::new(Rules {
        max_attempts: Some(3),
        ..rules()
    });
    assert_eq!(life.open().after(SECOND).end(), wait(1, 3 * SECOND));
    assert_eq!(life.connecting().fail(&refused()), wait(2, 3 * SECOND));
    assert_eq!(life.open().after(SECOND).end(), Decision::Fail);
}

/// What starts the count over, and what does not.
#[test]
fn only_an_event_or_a_minute_of_life_starts_the_count_over() {
    for (life_time, events, attempt) in [
        (Duration::ZERO, false, 3),
        (5 * SECOND, false, 3),
        (MINUTE - ms(1), false, 3),
        (MINUTE, false, 1),
        (Duration::ZERO, true, 1),
    ] {
        let mut life = Life::new(rules());
        life.open().fail(&broken());
        life.connecting().fail(&refused());
        life.open().after(life_time);
        let decision = life.lose(Some(&broken()), Retry::AsUsual, events);
        assert_eq!(decision, wait(attempt, 3 * SECOND), "{life_time:?}");
    }
}

/// Progress is what makes a clean end no failure.
#[test]
fn a_clean_end_without_progress_is_a_failure() {
    // The reconnection time, how long the connection lasted, whether it counts.
    for (reconnection_time, lasted, failure) in [
        (3 * SECOND, Duration::ZERO, true),
        (3 * SECOND, 5 * SECOND - ms(1), true),
        (3 * SECOND, 5 * SECOND, false),
        (ms(0), 5 * SECOND - ms(1), true),
        (ms(0), 5 * SECOND, false),
        (20 * SECOND, 20 * SECOND - ms(1), true),
        (20 * SECOND, 20 * SECOND, false),
    ] {
        let mut life = Life::new(Rules {
            max_attempts: Some(1),
            ..rules()
        });
        life.reconnection_time = Some(reconnection_time);
        let decision = life.open().after(lasted).end();
        assert_eq!(decision == Decision::Fail, failure, "{lasted:?}");
    }
}

/// A long-poll that is held and closed empty lasts, so it is waited for exactly; but it is no
/// event, so failures before it still count.
#[test]
fn a_lasting_connection_neither_fails_nor_heals() {
    let mut life = Life::new(Rules {
        max_attempts: Some(3),
        ..Rules::default()
    });
    life.open().fail(&broken());
    for _ in 0..50 {
        let Decision::Wait { delay, .. } = life.open().after(30 * SECOND).end() else {
            panic!("no failure")
        };
        assert_eq!(delay, 3 * SECOND, "nothing random");
    }
    assert!(matches!(
        life.open().fail(&broken()),
        Decision::Wait { attempt: 2, .. }
    ));
    assert_eq!(life.open().fail(&broken()), Decision::Fail);
}

#[test]
fn max_elapsed_is_checked_before_the_wait() {
    let limited = Rules {
        max_elapsed: Some(10 * SECOND),
        ..without_limits()
    };
    let mut life = Life::new(limited.clone());
    // Failures at 0, 3, 6 seconds; a fourth at 9 would have to wait until 12.
    for attempt in 1..=3 {
        assert_eq!(
            life.connecting().fail(&refused()),
            wait(attempt, 3 * SECOND)
        );
    }
    assert_eq!(life.connecting().fail(&refused()), Decision::Fail);

    let mut life = Life::new(limited);
    life.reconnection_time = Some(10 * SECOND);
    assert_eq!(
        life.connecting().fail(&refused()),
        wait(1, 10 * SECOND),
        "exactly as long is allowed"
    );
    life.open().after(SECOND);
    assert_eq!(
        life.fail_after_events(&broken()),
        wait(1, 10 * SECOND),
        "an event starts the time over"
    );
    for _ in 0..100 {
        life.open().after(HOUR);
        assert_eq!(
            life.end_after_events(),
            wait(1, 10 * SECOND),
            "what does not fail may go on"
        );
    }
}

#[test]
fn an_end_with_progress_waits_exactly_the_base() {
    for (set, base) in [
        (None, 3 * SECOND),
        (Some(ms(0)), ms(50)),
        (Some(ms(49)), ms(50)),
        (Some(ms(51)), ms(51)),
        (Some(7 * SECOND), 7 * SECOND),
        (Some(2 * HOUR), HOUR),
        (Some(ms(u64::MAX)), HOUR),
        (Some(Duration::MAX), HOUR),
    ] {
        let mut life = Life::new(Rules::default());
        life.reconnection_time = set;
        for _ in 0..5 {
            assert_eq!(life.open().end_after_events(), wait(1, base), "{set:?}");
        }
    }
}

/// The nth failure in a row waits the base and at most min(60 s, 1 s · 2ⁿ⁻¹) more, and the whole
/// of that range is used.
#[test]
fn a_failure_waits_longer_by_a_random_time_that_doubles() {
    let most = |n: u32| (SECOND * 2_u32.saturating_pow(n - 1).min(60)).min(MINUTE);
    let mut shares = Vec::new();
    for seed in 0..200 {
        let mut session = Session::new(
            Rules {
                initial_attempts: None,
                ..Rules::default()
            },
            seed,
        );
        let mut now = Duration::ZERO;
        for n in 1..=40 {
            session.connect();
            let error = refused();
            let Decision::Wait { attempt, delay } = session.reestablish(
                now,
                Loss {
                    error: Some(&error),
                    ..Loss::default()
                },
            ) else {
                panic!("without an end")
            };
            assert_eq!(attempt, n);
            assert!(
                delay >= 3 * SECOND,
                "the base is never cut short: {delay:?}"
            );
            let random = delay - 3 * SECOND;
            assert!(random <= most(n), "failure {n}: {random:?}");
            shares.push(random.as_secs_f64() / most(n).as_secs_f64());
            now += delay;
            session.wake(now);
        }
    }
    let mean = shares.iter().sum::<f64>() / shares.len() as f64;
    assert!((0.45..0.55).contains(&mean), "uniform: {mean}");
    assert!(shares.iter().any(|share| *share < 0.05));
    assert!(shares.iter().any(|share| *share > 0.95));
}

#[test]
fn the_same_seed_gives_the_same_waits() {
    let waits = |seed| {
        let rules = Rules {
            initial_attempts: None,
            ..Rules::default()
        };
        let mut life = Life::new(rules.clone());
        life.session = Session::new(rules, seed);
        let waits = (0..10).map(|_| life.connecting().fail(&refused()));
        waits.collect::<Vec<_>>()
    };
    assert_eq!(waits(1), waits(1));
    assert_ne!(waits(1), waits(2));
}

#[test]
fn a_retry_after_takes_the_place_of_the_base_once() {
    let year = 365 * 24 * HOUR;
    for (asked, waited) in [
        (Duration::ZERO, ms(50)),
        (ms(10), ms(50)),
        (SECOND, SECOND),
        (2 * HOUR, 2 * HOUR),
        (Duration::MAX, year),
    ] {
        let mut life = Life::new(rules());
        life.open().end_after_events();
        let error = busy(503, Some(asked));
        assert_eq!(life.connecting().fail(&error), wait(1, waited), "{asked:?}");
        assert_eq!(life.connecting().fail(&status(503)), wait(2, 3 * SECOND));
    }
}

#[test]
fn a_retry_after_is_never_waited_less_than_and_has_its_random_time_too() {
    for seed in 0..50 {
        let mut session = Session::new(Rules::default(), seed);
        session.connect();
        let error = busy(429, Some(10 * SECOND));
        let loss = Loss {
            error: Some(&error),
            ..Loss::default()
        };
        let Decision::Wait { delay, .. } = session.reestablish(Duration::ZERO, loss) else {
            panic!("it waits")
        };
        assert!((10 * SECOND..=11 * SECOND).contains(&delay), "{delay:?}");
    }
}

#[test]
fn a_long_retry_after_is_told_before_the_first_open_and_waited_for_after_it() {
    let asked = |seconds| busy(503, Some(SECOND * seconds));
    let mut life = Life::new(rules());
    assert_eq!(life.connecting().fail(&asked(60)), wait(1, MINUTE));
    assert_eq!(life.connecting().fail(&asked(61)), Decision::Fail);
    assert_eq!(met(rules(), &asked(61)), wait(1, 61 * SECOND));
}

#[test]
fn a_retry_after_counts_for_nothing_where_the_status_is_final_or_in_a_browser() {
    assert_eq!(met(rules(), &busy(404, Some(SECOND))), Decision::Fail);
    let standard = Rules {
        standard: true,
        ..rules()
    };
    assert_eq!(met(standard, &busy(503, Some(SECOND))), Decision::Fail);
}

/// 401 is worth one more request for each connection that was accepted, where requests are made
/// anew.
#[test]
fn a_401_is_tried_again_once_per_accepted_connection() {
    let anew = Rules {
        anew: true,
        ..rules()
    };
    let unauthorized = status(401);

    let mut life = Life::new(anew.clone());
    assert_eq!(life.connecting().fail(&unauthorized), wait(1, 3 * SECOND));
    assert_eq!(life.connecting().fail(&unauthorized), Decision::Fail);

    let mut life = Life::new(anew.clone());
    for _ in 0..10 {
        assert_eq!(life.connecting().fail(&unauthorized), wait(1, 3 * SECOND));
        assert_eq!(life.open().end_after_events(), wait(1, 3 * SECOND));
    }
    assert_eq!(life.connecting().fail(&unauthorized), wait(1, 3 * SECOND));
    assert_eq!(
        life.connecting().fail(&status(503)),
        wait(2, 3 * SECOND),
        "something else in between"
    );
    assert_eq!(life.connecting().fail(&unauthorized), Decision::Fail);

    let mut life = Life::new(rules());
    assert_eq!(
        life.connecting().fail(&unauthorized),
        Decision::Fail,
        "the same request would fare no better"
    );
    let standard = Rules {
        standard: true,
        ..anew
    };
    assert_eq!(met(standard, &unauthorized), Decision::Fail);
}

/// The browser has no limits and no Retry-After; it keeps the floor and the random time.
#[test]
fn the_standard_preset_goes_on_for_ever() {
    let rules = Rules {
        standard: true,
        initial_attempts: Some(1),
        max_attempts: Some(1),
        max_elapsed: Some(SECOND),
        ..Rules::default()
    };
    let mut life = Life::new(rules);
    life.reconnection_time = Some(Duration::ZERO);
    for n in 1..=100 {
        let Decision::Wait { attempt, delay } = life.connecting().fail(&refused()) else {
            panic!("a network error never ends it")
        };
        assert_eq!(attempt, n);
        assert!(delay >= ms(50) && delay <= ms(50) + MINUTE);
    }
    assert!(matches!(life.open().end(), Decision::Wait { .. }));
    assert_eq!(life.connecting().fail(&status(500)), Decision::Fail);
}

/// A request that is not safe is sent exactly once, whatever anyone says.
#[test]
fn an_unsafe_request_is_never_repeated() {
    let once = Rules {
        repeats: false,
        anew: true,
        ..without_limits()
    };
    let errors = [
        status(401),
        status(429),
        busy(503, Some(SECOND)),
        refused(),
        broken(),
        Error::new(ErrorKind::Transport),
        Error::new(ErrorKind::Timeout(Timeout::Idle)),
    ];
    let advices = [
        Retry::AsUsual,
        Retry::Now,
        Retry::After(SECOND),
        Retry::GiveUp,
    ];
    for error in &errors {
        for advice in advices {
            let mut life = Life::new(once.clone());
            assert_eq!(life.connecting().advised(error, advice), Decision::Fail);
            let mut life = Life::new(once.clone());
            assert_eq!(life.open().advised(error, advice), Decision::Fail);
            let mut life = Life::new(Rules {
                standard: true,
                ..once.clone()
            });
            assert_eq!(life.open().advised(error, advice), Decision::Fail);
        }
    }
    for events in [true, false] {
        let mut life = Life::new(once.clone());
        assert_eq!(
            life.open().lose(None, Retry::AsUsual, events),
            Decision::End,
            "an answer has an end"
        );
    }
    let mut life = Life::new(once);
    assert_eq!(life.connecting().fail(&status(204)), Decision::End);
}

#[test]
fn an_unsafe_request_is_not_repeated_for_a_handle_either() {
    let mut life = Life::new(Rules {
        repeats: false,
        ..rules()
    });
    for state in [State::Start, State::Connecting, State::Open(life.now)] {
        assert_eq!(life.state(), state);
        assert!(!life.session.ask());
        assert_eq!(life.state(), state, "it stays as it is");
        life.session.connect();
        if state != State::Start {
            life.session.announce(life.now);
        }
    }
}

#[test]
fn the_user_has_the_last_word_on_failures() {
    let not_found = status(404);
    let html = Error::new(ErrorKind::ContentType);
    for error in [&not_found, &html] {
        let advise = |advice| {
            let mut life = Life::new(without_limits());
            life.connecting().advised(error, advice)
        };
        assert_eq!(advise(Retry::AsUsual), Decision::Fail);
        assert_eq!(advise(Retry::GiveUp), Decision::Fail);
        assert_eq!(advise(Retry::Now), wait(1, Duration::ZERO));
        assert_eq!(advise(Retry::After(ms(1))), wait(1, ms(1)), "no floor");
        assert_eq!(advise(Retry::After(2 * HOUR)), wait(1, 2 * HOUR));
    }
    let mut life = Life::new(without_limits());
    assert_eq!(
        life.connecting().advised(&status(503), Retry::GiveUp),
        Decision::Fail
    );
    let mut life = Life::new(without_limits());
    let long = busy(503, Some(HOUR));
    assert_eq!(
        life.connecting().advised(&long, Retry::After(SECOND)),
        wait(1, SECOND),
        "in the place of what the server asked for"
    );
}

/// At once is at once for the first failure only: no loop spins.
#[test]
fn retry_now_keeps_the_floor_from_the_second_failure_on() {
    let mut life = Life::new(without_limits());
    let mut waits = Vec::new();
    for _ in 0..4 {
        match life.connecting().advised(&status(404), Retry::Now) {
            Decision::Wait { delay, .. } => waits.push(delay),
            end => panic!("{end:?}"),
        }
    }
    assert_eq!(waits, [ms(0), ms(50), ms(50), ms(50)]);
}

#[test]
fn limits_hold_against_advice() {
    let mut life = Life::new(rules());
    for attempt in 1..3 {
        let decision = life
            .connecting()
            .advised(&status(404), Retry::After(SECOND));
        assert_eq!(decision, wait(attempt, SECOND));
    }
    assert_eq!(
        life.connecting().advised(&status(404), Retry::Now),
        Decision::Fail,
        "three initial attempts"
    );

    let mut life = Life::new(Rules {
        max_elapsed: Some(MINUTE),
        ..rules()
    });
    let decision = life.connecting().advised(&refused(), Retry::After(HOUR));
    assert_eq!(decision, Decision::Fail, "an hour is more than a minute");
}

/// 204 is the server's wish to be left alone, not a failure.
#[test]
fn no_advice_overrules_a_204() {
    for advice in [Retry::Now, Retry::After(SECOND), Retry::GiveUp] {
        let mut life = Life::new(rules());
        assert_eq!(
            life.connecting().advised(&status(204), advice),
            Decision::End
        );
    }
}

/// Extremes that a user may set: no panic, no overflow.
#[test]
fn no_wait_is_too_long_to_be_counted() {
    let max = Duration::MAX;
    let backoff = Backoff::new()
        .reconnection_time(max)
        .floor(max)
        .first(max)
        .cap(max);
    let mut life = Life::new(Rules {
        backoff,
        max_elapsed: Some(max),
        ..without_limits()
    });
    life.now = Duration::ZERO;
    let decision = life.connecting().fail(&busy(503, Some(Duration::ZERO)));
    assert!(matches!(decision, Decision::Wait { .. }));
    assert_eq!(life.connecting().fail(&refused()), wait(2, max));
    let mut session = Session::new(without_limits(), 1);
    session.connect();
    let error = refused();
    let loss = Loss {
        error: Some(&error),
        advice: Retry::After(max),
        ..Loss::default()
    };
    let decision = session.reestablish(SECOND, loss);
    assert_eq!(decision, wait(1, max));
    assert_eq!(session.state(), State::Waiting(max));
    session.wake(max);
    assert_eq!(session.state(), State::Start);
}

#[test]
fn the_cause_of_a_reconnection_says_what_it_was() {
    assert!(matches!(Cause::of(None), Cause::End));
    let timeout = Error::new(ErrorKind::Timeout(Timeout::Idle));
    assert!(matches!(Cause::of(Some(timeout)), Cause::Timeout(_)));
    let failure = Cause::of(Some(status(503)));
    assert!(matches!(failure, Cause::Failure(_)));
    assert_eq!(
        failure.error().and_then(Error::status),
        Some(StatusCode::SERVICE_UNAVAILABLE)
    );
    assert!(Cause::End.error().is_none() && Cause::Asked.error().is_none());
}
