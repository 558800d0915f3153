//! Checks the table in the documentation of [`Backoff`]: a thousand clients after a deploy.

use std::{cmp::Reverse, collections::BinaryHeap};

use super::*;

const CLIENTS: u64 = 1000;

/// Returns when each request arrives, if a thousand clients are disconnected at time zero. The
/// server refuses connections until it is `back`, and then accepts every client.
fn arrivals(backoff: &Backoff, lost: &Loss<'_>, back: Duration) -> Vec<Duration> {
    let rules = Rules {
        backoff: backoff.clone(),
        ..Rules::default()
    };
    let mut clients: Vec<_> = (0..CLIENTS)
        .map(|seed| Session::new(rules.clone(), seed))
        .collect();
    let mut due = BinaryHeap::new();
    for (client, session) in clients.iter_mut().enumerate() {
        session.connect();
        session.announce(Duration::ZERO);
        due.push(Reverse((next(session, Duration::ZERO, lost), client)));
    }
    let refused = refused();
    let refused = Loss {
        error: Some(&refused),
        reconnection_time: lost.reconnection_time,
        ..Loss::default()
    };
    let mut arrivals = Vec::new();
    while let Some(Reverse((now, client))) = due.pop() {
        arrivals.push(now);
        if now < back {
            let session = &mut clients[client];
            session.wake(now);
            session.connect();
            due.push(Reverse((next(session, now, &refused), client)));
        }
    }
    arrivals
}

/// When a client sends its next request.
fn next(session: &mut Session, now: Duration, lost: &Loss<'_>) -> Duration {
    match session.reestablish(now, lost.clone()) {
        Decision::Wait { delay, .. } => now + delay,
        decision => panic!("it was open before, so it goes on: {decision:?}"),
    }
}

/// The maximum number of arrivals within this time.
fn most_within(span: Duration, arrivals: &[Duration]) -> usize {
    let last = |at: &Duration| arrivals.partition_point(|other| *other < *at + span);
    let counts = arrivals.iter().enumerate().map(|(i, at)| last(at) - i);
    counts.max().unwrap_or(0)
}

fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}

fn row(what: &str, backoff: &Backoff, retry: Option<Duration>, back: Duration) -> String {
    let lost = Loss {
        progress: true,
        reconnection_time: retry,
        ..Loss::default()
    };
    let arrivals = arrivals(backoff, &lost, back);
    let early = arrivals.partition_point(|at| *at < back);
    let (early, late) = arrivals.split_at(early);
    assert_eq!(late.len() as u64, CLIENTS, "each is let in once");
    format!(
        "/// | {what} | {} | {} | {} | {} |",
        early.len(),
        most_within(SECOND / 10, late),
        most_within(SECOND, late),
        seconds(late[late.len() - 1] - back),
    )
}

#[test]
#[cfg_attr(miri, ignore = "a thousand clients take Miri too long")]
fn the_table_in_the_documentation_is_measured() {
    let usual = Backoff::new;
    let rows = [
        row("immediately", &usual(), None, Duration::ZERO),
        row(
            "immediately, `jitter(0.0)`",
            &usual().jitter(0.0),
            None,
            Duration::ZERO,
        ),
        row(
            "immediately, `jitter(1.0)`",
            &usual().jitter(1.0),
            None,
            Duration::ZERO,
        ),
        row(
            "immediately, `retry: 30000`",
            &usual(),
            Some(30 * SECOND),
            Duration::ZERO,
        ),
        row("after 10 s", &usual(), None, 10 * SECOND),
        row("after 1 min", &usual(), None, MINUTE),
        row("after 10 min", &usual(), None, 10 * MINUTE),
        row(
            "after 10 min, `max_backoff(10 s)`",
            &usual().max_backoff(10 * SECOND),
            None,
            10 * MINUTE,
        ),
    ];
    let table = rows.join("\n");
    let documented = include_str!("../backoff.rs");
    assert!(documented.contains(&table), "the table is now\n{table}");
}
