//! The delays, and how the server can change them.

use super::*;

#[test]
fn a_clean_end_waits_the_base_plus_at_most_a_quarter() {
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
        let mut life = Life::new(rules());
        life.reconnection_time = set;
        assert_eq!(life.open().end_after_events(), wait(0, base), "{set:?}");
        let mut life = Life::new(Rules::default());
        life.reconnection_time = set;
        let waits: Vec<_> = (0..200)
            .map(|turn| {
                life.open();
                // A connection that is cut after progress is treated the same.
                let decision = match turn % 2 {
                    0 => life.end_after_events(),
                    _ => life.fail_after_events(&broken()),
                };
                let Decision::Wait { failure: 0, delay } = decision else {
                    panic!("{decision:?}");
                };
                delay
            })
            .collect();
        let (least, most) = (waits.iter().min().unwrap(), waits.iter().max().unwrap());
        assert!(
            *least >= base && *most <= base + base / 4,
            "{set:?}: {least:?}, {most:?}"
        );
        assert!(
            *least < base + base / 40 && *most > base + base / 5,
            "all of it is used"
        );
    }
}

/// After the nth failure in a row, the delay is the base plus at most min(60 s, 1 s · 2ⁿ⁻¹), and
/// the whole range is used.
#[test]
fn a_failure_adds_a_random_time_that_doubles() {
    let most = |n: u32| (SECOND * 2_u32.saturating_pow(n - 1).min(60)).min(MINUTE);
    let mut shares = Vec::new();
    let seeds = if cfg!(miri) { 10 } else { 200 };
    for seed in 0..seeds {
        let mut session = Session::new(
            Rules {
                max_initial_failures: None,
                ..Rules::default()
            },
            seed,
        );
        let mut now = Duration::ZERO;
        for n in 1..=40 {
            session.connect();
            let error = refused();
            let Decision::Wait { failure, delay } = session.reestablish(
                now,
                Loss {
                    error: Some(&error),
                    ..Loss::default()
                },
            ) else {
                panic!("without an end")
            };
            assert_eq!(failure, n);
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
            max_initial_failures: None,
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
fn a_retry_after_replaces_the_base_once() {
    for (asked, waited) in [
        (Duration::ZERO, ms(50)),
        (ms(10), ms(50)),
        (SECOND, SECOND),
        (ms(4700), ms(4700)),
        (HOUR, HOUR),
        (HOUR + ms(1), HOUR),
        (Duration::MAX, HOUR),
    ] {
        let mut life = Life::new(rules());
        life.open().end_after_events();
        let error = busy(503, Some(asked));
        assert_eq!(life.connecting().fail(&error), wait(1, waited), "{asked:?}");
        assert_eq!(life.connecting().fail(&status(503)), wait(2, 3 * SECOND));
    }
}

#[test]
fn a_retry_after_is_the_minimum_and_gets_jitter_too() {
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
fn a_long_retry_after_is_an_error_before_the_first_open_and_a_delay_after_it() {
    let asked = |seconds| busy(503, Some(SECOND * seconds));
    let mut life = Life::new(rules());
    assert_eq!(life.connecting().fail(&asked(60)), wait(1, MINUTE));
    assert_eq!(life.connecting().fail(&asked(61)), Decision::Fail);
    assert_eq!(met(rules(), &asked(61)), wait(1, 61 * SECOND));
    assert_eq!(met(rules(), &asked(24 * 3600)), wait(1, HOUR));
}

#[test]
fn a_retry_after_is_ignored_for_a_final_status_and_in_a_browser() {
    assert_eq!(met(rules(), &busy(404, Some(SECOND))), Decision::Fail);
    let standard = Rules {
        standard: true,
        ..rules()
    };
    assert_eq!(met(standard, &busy(503, Some(SECOND))), Decision::Fail);
}

/// Extreme settings neither panic nor overflow.
#[test]
fn long_waits_do_not_overflow() {
    let max = Duration::MAX;
    let backoff = Backoff::new()
        .reconnection_time(max)
        .min_delay(max)
        .initial_backoff(max)
        .max_backoff(max)
        .jitter(f64::INFINITY);
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
