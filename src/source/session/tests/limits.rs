//! What counts as a failure, what resets the count, and when the session gives up.

use super::*;

#[test]
fn initial_failures_are_limited_and_the_last_one_is_the_error() {
    for (attempts, tried) in [(Some(0), 1), (Some(1), 1), (Some(2), 2), (Some(3), 3)] {
        let mut life = Life::new(Rules {
            max_initial_failures: attempts,
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
    assert_eq!(Rules::default().max_initial_failures, Some(3));

    let mut life = Life::new(without_limits());
    for attempt in 1..1000 {
        assert_eq!(
            life.connecting().fail(&refused()),
            wait(attempt, 3 * SECOND)
        );
    }
}

#[test]
fn initial_failures_do_not_count_after_the_first_open() {
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

/// A 200 without an event is not a success (reqwest-eventsource: 233 requests instead of three).
#[test]
fn max_consecutive_failures_counts_connections_without_progress() {
    let mut life = Life::new(Rules {
        max_consecutive_failures: Some(3),
        ..rules()
    });
    assert_eq!(life.open().after(SECOND).end(), wait(1, 3 * SECOND));
    assert_eq!(life.connecting().fail(&refused()), wait(2, 3 * SECOND));
    assert_eq!(life.open().after(SECOND).end(), Decision::Fail);
}

/// What resets the count, and what doesn't.
#[test]
fn only_an_event_or_a_minute_resets_the_count() {
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
        let unfinished = Error::of(ErrorKind::Incomplete);
        let decision = life.lose(Some(&unfinished), Retry::Default, events);
        assert_eq!(decision, wait(attempt, 3 * SECOND), "{life_time:?}");
    }
}

/// A clean end after progress is not a failure.
#[test]
fn a_clean_end_without_progress_is_a_failure() {
    // The reconnection time, how long the connection lasted, whether it counts as a failure.
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
            max_consecutive_failures: Some(1),
            ..rules()
        });
        life.reconnection_time = Some(reconnection_time);
        let decision = life.open().after(lasted).end();
        assert_eq!(decision == Decision::Fail, failure, "{lasted:?}");
    }
}

/// A long poll that is held open and closed without an event is not a failure, so the delay is the
/// base. But it is not progress, so earlier failures still count.
#[test]
fn a_long_connection_is_no_failure_but_does_not_reset_the_count() {
    let mut life = Life::new(Rules {
        max_consecutive_failures: Some(3),
        ..rules()
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
        Decision::Wait { failure: 2, .. }
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
    // Failures at 0, 3 and 6 seconds; a fourth at 9 would have to wait until 12.
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
        wait(0, 10 * SECOND),
        "an event starts the time over"
    );
    for _ in 0..100 {
        life.open().after(HOUR);
        assert_eq!(
            life.end_after_events(),
            wait(0, 10 * SECOND),
            "what does not fail may go on"
        );
    }
}

/// The `standard` rules have no limits and ignore `Retry-After`, but keep the minimum delay and the
/// random time.
#[test]
fn the_standard_preset_never_gives_up() {
    let rules = Rules {
        standard: true,
        max_initial_failures: Some(1),
        max_consecutive_failures: Some(1),
        max_elapsed: Some(SECOND),
        ..Rules::default()
    };
    let mut life = Life::new(rules);
    life.reconnection_time = Some(Duration::ZERO);
    for n in 1..=100 {
        let Decision::Wait { failure, delay } = life.connecting().fail(&refused()) else {
            panic!("a network error never ends it")
        };
        assert_eq!(failure, n);
        assert!(delay >= ms(50) && delay <= ms(50) + MINUTE);
    }
    assert!(matches!(life.open().end(), Decision::Wait { .. }));
    assert_eq!(life.connecting().fail(&status(500)), Decision::Fail);
}

/// A server that accepted the connection but has not responded yet is slow, not down.
#[test]
fn late_headers_are_not_initial_failures() {
    for timeout in [Timeout::Headers, Timeout::Idle] {
        let late = Error::of(ErrorKind::Timeout(timeout));
        let mut life = Life::new(rules());
        for failure in 1..100 {
            assert_eq!(life.connecting().fail(&late), wait(failure, 3 * SECOND));
        }
        life.connecting().fail(&refused());
        life.connecting().fail(&refused());
        assert_eq!(life.connecting().fail(&refused()), Decision::Fail);
    }
}

/// For a server that greets and closes again and again, `reset_after` requires more than an event.
#[test]
fn reset_after_keeps_the_count_despite_a_first_event() {
    let limited = |reset_after| Rules {
        max_consecutive_failures: Some(3),
        backoff: rules().backoff.reset_after(reset_after),
        ..rules()
    };
    let mut greeted = Life::new(limited(None));
    for _ in 0..100 {
        assert_eq!(greeted.open().end_after_events(), wait(0, 3 * SECOND));
    }
    let mut life = Life::new(limited(Some(10 * SECOND)));
    assert_eq!(life.open().end_after_events(), wait(1, 3 * SECOND));
    assert_eq!(life.open().end_after_events(), wait(2, 3 * SECOND));
    life.open().after(10 * SECOND);
    assert_eq!(life.end_after_events(), wait(0, 3 * SECOND));
    life.open().end_after_events();
    life.open().fail_after_events(&broken());
    assert_eq!(life.open().end_after_events(), Decision::Fail);
}

/// When a handle reconnects, the time of the connection that it ends counts.
#[test]
fn a_requested_reconnection_resets_the_count_as_a_loss_does() {
    for (life_time, progress, failure) in [
        (Duration::ZERO, false, 3),
        (Duration::ZERO, true, 1),
        (MINUTE, false, 1),
    ] {
        let mut life = Life::new(without_limits());
        life.connecting().fail(&refused());
        life.connecting().fail(&refused());
        life.open().after(life_time);
        assert!(life.session.ask(life.now, progress));
        assert_eq!(
            life.connecting().fail(&refused()),
            wait(failure, 3 * SECOND)
        );
    }
}

#[test]
fn only_an_open_connection_makes_progress() {
    for error in [
        refused(),
        broken(),
        status(503),
        Error::of(ErrorKind::Timeout(Timeout::Idle)),
    ] {
        let mut life = Life::new(rules());
        let decision = life.connecting().fail_after_events(&error);
        assert_eq!(decision, wait(1, 3 * SECOND), "{error}");
    }
}
