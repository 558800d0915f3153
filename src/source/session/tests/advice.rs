//! What `retry_when` can decide, and what it can't.

use super::*;

#[test]
fn the_user_has_the_last_word_on_failures() {
    let not_found = status(404);
    let html = Error::of(ErrorKind::ContentType);
    for error in [&not_found, &html] {
        let advise = |advice| {
            let mut life = Life::new(without_limits());
            life.connecting().advised(error, advice)
        };
        assert_eq!(advise(Retry::Default), Decision::Fail);
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

/// `Retry::Now` is only immediate after the first failure, so that no loop spins.
#[test]
fn retry_now_waits_min_delay_from_the_second_failure_on() {
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
fn limits_apply_despite_advice() {
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

/// A 204 tells the client to stop reconnecting, and is not a failure.
#[test]
fn advice_cannot_override_a_204() {
    for advice in [Retry::Now, Retry::After(SECOND), Retry::GiveUp] {
        let mut life = Life::new(rules());
        assert_eq!(
            life.connecting().advised(&status(204), advice),
            Decision::End
        );
    }
}
