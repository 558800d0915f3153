//! It won't hang: every pending task is woken.
//!
//! An executor only polls tasks that were woken by the waker of their last poll, with various
//! amounts of the runtime's budget used up, in all the places where a stream can be polled. It runs
//! each scenario of a scripted server through each face, and checks the results.

#![allow(unreachable_pub, reason = "a module of tests has no outside")]

#[allow(dead_code, reason = "shared with a fuzz target")]
#[path = "../support/executor.rs"]
mod executor;
mod faces;
mod moves;
mod returns;
mod scenarios;
mod sockets;

use std::time::Duration;

use executor::{BUDGET, Place, Spending, Wakers};
use faces::Face;
use futures_util::StreamExt;

const SECOND: Duration = Duration::from_secs(1);

/// Runs every scenario through every face in this place, with this much of the budget used up, and
/// lists the failures.
fn check(place: Place, wakers: Wakers, spent: impl Fn(Face) -> Vec<usize>) {
    let runtime = executor::runtime();
    let mut faults = Vec::new();
    for scenario in scenarios::all() {
        for (way, face) in faces::all() {
            let expected = faces::expected(&scenario, way, face);
            let run = |units: usize| {
                let _context = runtime.enter();
                let stream = Spending::new(units, faces::play(&scenario, way, face)).boxed();
                let seen = executor::run(&runtime, wakers, place.collect(stream));
                (seen.as_ref() != Ok(&expected)).then_some((units, seen))
            };
            let wrong: Vec<_> = spent(face).into_iter().filter_map(run).collect();
            if let Some((units, seen)) = wrong.first() {
                faults.push(format!(
                    "{}, {way:?} {face:?}: {seen:?} in place of {expected:?}, \
                     first with {units} units spent, {} times in all",
                    scenario.name,
                    wrong.len()
                ));
            }
        }
    }
    let count = faults.len();
    assert_eq!(
        count,
        0,
        "{place:?}, {wakers:?} wakers:\n{}",
        faults.join("\n")
    );
}

/// Whether a face waits by itself. The others are combinators, which have no timer.
fn has_timers(face: Face) -> bool {
    matches!(face, Face::Events | Face::Signals)
}

/// Nothing, and almost all of it.
fn some(face: Face) -> Vec<usize> {
    match has_timers(face) {
        true => [0].into_iter().chain(BUDGET - 4..=BUDGET).collect(),
        false => vec![0, BUDGET - 1, BUDGET],
    }
}

fn all(face: Face) -> Vec<usize> {
    match has_timers(face) {
        true => (0..=BUDGET + 2).collect(),
        false => some(face),
    }
}

#[test]
fn a_single_stream_is_woken_with_any_budget() {
    check(Place::Alone, Wakers::Same, all);
}

#[test]
fn a_stream_with_new_wakers_is_woken_with_any_budget() {
    check(Place::Alone, Wakers::Fresh, all);
}

#[test]
fn a_stream_in_select_all_is_woken() {
    check(Place::SelectAll, Wakers::Same, some);
    check(Place::SelectAll, Wakers::Fresh, some);
}

#[test]
fn a_stream_in_futures_unordered_is_woken() {
    check(Place::FuturesUnordered, Wakers::Same, some);
    check(Place::FuturesUnordered, Wakers::Fresh, some);
}

#[test]
fn a_stream_in_select_is_woken() {
    check(Place::Select, Wakers::Same, some);
    check(Place::Select, Wakers::Fresh, some);
}

#[test]
fn a_stream_in_join_is_woken() {
    check(Place::Join, Wakers::Same, some);
    check(Place::Join, Wakers::Fresh, some);
}

#[test]
fn a_stream_moved_to_another_task_is_woken() {
    check(Place::HandedOn, Wakers::Same, some);
    check(Place::HandedOn, Wakers::Fresh, some);
}
