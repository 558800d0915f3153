//! The arrows of the diagram: which calls change the state, and which don't.

use super::*;

/// A whole session: connect, lose the connection, wait, resume, give up.
#[test]
fn a_whole_life() {
    let mut life = Life::new(Rules {
        max_consecutive_failures: Some(3),
        ..rules()
    });
    assert_eq!(life.state(), State::Start);
    assert_eq!(life.session.ready_state(), ReadyState::Connecting);

    life.connecting();
    assert_eq!(life.session.ready_state(), ReadyState::Connecting);
    life.session.announce(life.now);
    assert_eq!(life.session.ready_state(), ReadyState::Open);

    life.after(SECOND);
    assert_eq!(life.end_after_events(), wait(0, 3 * SECOND));
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

#[test]
fn a_ready_state_is_shown_in_the_words_of_the_standard() {
    use ReadyState::{Closed, Connecting, Open};
    let shown = [Connecting, Open, Closed].map(|state| state.to_string());
    assert_eq!(shown, ["connecting", "open", "closed"]);
}

/// A call in the wrong state changes nothing.
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
fn closed_is_final() {
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
        assert!(!life.session.ask(life.now, false));
        life.session.close();
        assert_eq!(life.state(), State::Closed);
    }
}

#[test]
fn reconnecting_is_possible_in_every_state_except_closed() {
    let mut life = Life::new(rules());
    assert!(life.session.ask(life.now, false));
    assert!(life.connecting().session.ask(Duration::ZERO, false));
    assert!(life.open().session.ask(Duration::ZERO, false));
    life.open().end_after_events();
    assert!(life.session.ask(life.now, false));
    assert_eq!(life.state(), State::Start, "without waiting");
}

/// The result of each response, failure or end, by default and with the `standard` rules.
#[test]
fn what_happens_by_default_and_in_a_browser() {
    use Decision::{End, Fail};
    let again = wait(1, 3 * SECOND);
    let standard = Rules {
        standard: true,
        ..rules()
    };
    let kinds = |kind| Error::of(kind);
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
    assert_eq!(
        life.open().end_after_events(),
        wait(0, 3 * SECOND),
        "an end is no error"
    );
}

/// With fresh requests, a 401 leads to one more request per accepted connection.
#[test]
fn a_401_is_retried_once_per_accepted_connection() {
    let fresh = Rules {
        fresh: true,
        ..rules()
    };
    let unauthorized = status(401);

    let mut life = Life::new(fresh.clone());
    assert_eq!(life.connecting().fail(&unauthorized), wait(1, 3 * SECOND));
    assert_eq!(life.connecting().fail(&unauthorized), Decision::Fail);

    let mut life = Life::new(fresh.clone());
    for _ in 0..10 {
        assert_eq!(life.connecting().fail(&unauthorized), wait(1, 3 * SECOND));
        assert_eq!(life.open().end_after_events(), wait(0, 3 * SECOND));
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
        ..fresh
    };
    assert_eq!(met(standard, &unauthorized), Decision::Fail);
}

/// A request that must not be repeated is sent exactly once, whatever the advice.
#[test]
fn an_unsafe_request_is_never_repeated() {
    let once = Rules {
        repeats: false,
        fresh: true,
        ..without_limits()
    };
    let errors = [
        status(401),
        status(429),
        busy(503, Some(SECOND)),
        refused(),
        broken(),
        Error::of(ErrorKind::Transport),
        Error::of(ErrorKind::Timeout(Timeout::Idle)),
    ];
    let advices = [
        Retry::Default,
        Retry::Now,
        Retry::After(SECOND),
        Retry::GiveUp,
    ];
    for error in &errors {
        for advice in &advices {
            let mut life = Life::new(once.clone());
            assert_eq!(
                life.connecting().advised(error, advice.clone()),
                Decision::Fail
            );
            let mut life = Life::new(once.clone());
            assert_eq!(life.open().advised(error, advice.clone()), Decision::Fail);
            let mut life = Life::new(Rules {
                standard: true,
                ..once.clone()
            });
            assert_eq!(life.open().advised(error, advice.clone()), Decision::Fail);
        }
    }
    for events in [true, false] {
        let mut life = Life::new(once.clone());
        assert_eq!(
            life.open().lose(None, Retry::Default, events),
            Decision::End,
            "an answer has an end"
        );
    }
    let mut life = Life::new(once);
    assert_eq!(life.connecting().fail(&status(204)), Decision::End);
}

#[test]
fn a_handle_cannot_repeat_an_unsafe_request() {
    let mut life = Life::new(Rules {
        repeats: false,
        ..rules()
    });
    for state in [State::Start, State::Connecting, State::Open(life.now)] {
        assert_eq!(life.state(), state);
        assert!(!life.session.ask(life.now, false));
        assert_eq!(life.state(), state, "it stays as it is");
        life.session.connect();
        if state != State::Start {
            life.session.announce(life.now);
        }
    }
}

#[test]
fn the_cause_of_a_reconnection_is_reported() {
    assert!(matches!(Cause::of(None), Cause::End));
    let timeout = Error::of(ErrorKind::Timeout(Timeout::Idle));
    assert!(matches!(Cause::of(Some(timeout)), Cause::Timeout(_)));
    let failure = Cause::of(Some(status(503)));
    assert!(matches!(failure, Cause::Failure(_)));
    assert_eq!(
        failure.error().and_then(Error::status),
        Some(StatusCode::SERVICE_UNAVAILABLE)
    );
    assert!(Cause::End.error().is_none() && Cause::Requested.error().is_none());
}
