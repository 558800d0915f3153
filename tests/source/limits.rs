//! Time limits: which apply when, and what never counts.

use everstream::{
    Error, ErrorKind, ReadyState, Timeout,
    testing::{Gate, Reply, Script},
};
use futures_util::StreamExt;
use tokio::time::{Instant, advance, sleep};

use crate::*;

fn kind(timeout: Timeout) -> String {
    format!("timeout {:?}", ErrorKind::Timeout(timeout))
}

/// An event, but no progress.
const PING: &str = "event: ping\ndata: p\n\n";

/// A source that waits 30 seconds for an event other than pings.
fn ignoring_pings(script: &Script) -> EventSource {
    builder(script)
        .event_timeout(30 * SECOND)
        .progress_when(|event| event.event_type() != "ping")
        .build()
        .unwrap()
}

/// The first reconnection of a source, and at which second it was reported.
async fn first_loss(source: EventSource) -> (String, u64) {
    let start = Instant::now();
    let mut signals = source.signals();
    while let Some(signal) = signals.next().await {
        if let Ok(Signal::Reconnecting { cause, .. }) = signal {
            return (why(&cause), start.elapsed().as_secs());
        }
    }
    panic!("it ended");
}

#[tokio::test(start_paused = true)]
async fn headers_have_their_own_limit() {
    let script = Script::new().never().reply(events("data: a\n\n"));
    let source = builder(&script)
        .headers_timeout(7 * SECOND)
        .build()
        .unwrap();
    let story = story(source).await;
    assert_eq!(story[0], format!("{} 1 in 3000 ms", kind(Timeout::Headers)));
    assert_eq!(story[1..3], ["open 200", "event a"]);
    assert_eq!(times(&script), [0, 7_000 + 3_000, 13_000]);
}

#[tokio::test(start_paused = true)]
async fn the_idle_limit_applies_to_headers_too() {
    for (idle, seconds) in [(None, 300), (Some(20 * SECOND), 20)] {
        let script = Script::new().never();
        let mut builder = builder(&script);
        if let Some(idle) = idle {
            builder = builder.idle_timeout(idle);
        }
        let loss = first_loss(builder.build().unwrap()).await;
        assert_eq!(loss, (kind(Timeout::Idle), seconds));
    }
}

#[tokio::test(start_paused = true)]
async fn slow_headers_within_the_limit_are_no_timeout() {
    let script = Script::new().reply(events("data: a\n\n").delay_head(299 * SECOND));
    let (data, error) = collect(source(&script)).await;
    assert_eq!((data, error.is_none()), (vec!["a".to_owned()], true));
    assert_eq!(script.attempts().len(), 2);
}

/// Comments are signs of life, but not events.
#[tokio::test(start_paused = true)]
async fn silence_exceeds_the_idle_limit_and_comments_reset_it() {
    let keep_alive = || {
        events("data: a\n\n")
            .pause(200 * SECOND)
            .comment("alive")
            .pause(200 * SECOND)
    };
    let script = Script::new().reply(keep_alive().raw(":").hold());
    assert_eq!(
        first_loss(source(&script)).await,
        (kind(Timeout::Idle), 700)
    );

    let script = Script::new().reply(keep_alive().hold());
    let source = builder(&script).idle_timeout(10 * SECOND).build().unwrap();
    assert_eq!(first_loss(source).await, (kind(Timeout::Idle), 10));

    let script = Script::new().reply(events("data: a\n\n").pause(1000 * HOUR).data("b"));
    let source = builder(&script).idle_timeout(None).build().unwrap();
    assert_eq!(first_loss(source).await, ("end".into(), 3_600_000));
}

#[tokio::test(start_paused = true)]
async fn comments_do_not_reset_the_first_event_limit() {
    let reply = || {
        Reply::events()
            .pause(SECOND)
            .comment("wait")
            .pause(SECOND)
            .comment("wait")
    };
    let script = Script::new().reply(reply().hold());
    let source = builder(&script)
        .first_event_timeout(5 * SECOND)
        .build()
        .unwrap();
    assert_eq!(first_loss(source).await, (kind(Timeout::FirstEvent), 5));

    // Once it has arrived, the limit no longer applies.
    let script = Script::new().reply(reply().data("a").pause(MINUTE).data("b"));
    let source = builder(&script)
        .first_event_timeout(5 * SECOND)
        .build()
        .unwrap();
    assert_eq!(first_loss(source).await, ("end".into(), 62));
}

#[tokio::test(start_paused = true)]
async fn the_first_event_limit_restarts_with_each_connection() {
    let script = Script::new()
        .reply(events("data: a\n\n").pause(MINUTE))
        .reply(Reply::events().hold());
    let source = builder(&script)
        .first_event_timeout(5 * SECOND)
        .build()
        .unwrap();
    let story = story_until(source, 5).await;
    assert_eq!(story[2], "end 0 in 3000 ms");
    assert_eq!(
        story[4],
        format!("{} 1 in 3000 ms", kind(Timeout::FirstEvent))
    );
    assert_eq!(times(&script), [0, 63_000]);
}

#[tokio::test(start_paused = true)]
async fn keep_alives_do_not_reset_the_event_limit() {
    let reply = events("data: a\n\n")
        .pause(20 * SECOND)
        .comment("alive")
        .pause(20 * SECOND)
        .comment("alive")
        .hold();
    let script = Script::new().reply(reply);
    let source = builder(&script).event_timeout(30 * SECOND).build().unwrap();
    assert_eq!(first_loss(source).await, (kind(Timeout::Event), 30));
}

#[tokio::test(start_paused = true)]
async fn progress_when_decides_which_events_are_progress() {
    let reply = events("data: a\n\n")
        .pause(20 * SECOND)
        .raw(PING)
        .pause(20 * SECOND)
        .raw(PING)
        .hold();
    let script = Script::new().reply(reply);
    let source = ignoring_pings(&script);
    assert_eq!(first_loss(source).await, (kind(Timeout::Event), 30));
}

/// Several limits at once: the first to pass is reported.
#[tokio::test(start_paused = true)]
async fn the_shortest_limit_applies() {
    for (first, idle, event, expected) in [
        (1, 2, 3, Timeout::FirstEvent),
        (3, 1, 2, Timeout::Idle),
        (2, 3, 1, Timeout::Event),
    ] {
        let script = Script::new().reply(Reply::events().hold());
        let source = builder(&script)
            .first_event_timeout(first * SECOND)
            .idle_timeout(idle * SECOND)
            .event_timeout(event * SECOND)
            .build()
            .unwrap();
        assert_eq!(first_loss(source).await, (kind(expected), 1));
    }
}

/// When a source gives up because of a limit, the error is that of the last failure.
#[tokio::test(start_paused = true)]
async fn a_limit_exceeded_too_often_is_the_error() {
    let script = Script::new().never().never().never();
    let source = builder(&script)
        .headers_timeout(SECOND)
        .max_consecutive_failures(3)
        .build()
        .unwrap();
    let error = failure(source).await;
    assert_eq!(error.kind(), ErrorKind::Timeout(Timeout::Headers));
    assert!(error.is_timeout());
    assert_eq!(times(&script), [0, 4000, 8000]);
    assert_eq!(script.open_connections(), 0);
}

/// A user's pause of an hour between two events is not a timeout, whatever the limit, while bytes
/// are waiting.
#[tokio::test(start_paused = true)]
async fn a_pause_in_user_code_is_never_a_timeout() {
    let gate = Gate::new();
    let script = Script::new().reply(
        events("data: a\n\n")
            .data("b")
            .comment("c")
            .raw(PING)
            .gate(&gate)
            .data("d")
            .pause(SECOND)
            .data("e"),
    );
    let mut source = builder(&script)
        .headers_timeout(2 * SECOND)
        .first_event_timeout(2 * SECOND)
        .idle_timeout(2 * SECOND)
        .event_timeout(2 * SECOND)
        .progress_when(|event| event.event_type() != "ping")
        .build()
        .unwrap();
    for expected in ["a", "b", "p"] {
        advance(HOUR).await;
        assert_eq!(next_data(&mut source).await, expected);
    }
    // It waits, the poll is cancelled, and what it waits for arrives before the next poll.
    assert!(poll(&mut source).is_pending());
    gate.open();
    advance(HOUR).await;
    assert_eq!(next_data(&mut source).await, "d");
    advance(HOUR).await;
    assert_eq!(next_data(&mut source).await, "e");
    assert_eq!(script.attempts().len(), 1);
}

/// The same if the headers wait for the user.
#[tokio::test(start_paused = true)]
async fn headers_that_arrived_during_a_pause_are_in_time() {
    let gate = Gate::new();
    let script = Script::new().reply(events("data: a\n\n").gate_head(&gate));
    let mut source = builder(&script)
        .headers_timeout(2 * SECOND)
        .build()
        .unwrap();
    assert!(poll(&mut source).is_pending());
    gate.open();
    advance(HOUR).await;
    assert_eq!(next_data(&mut source).await, "a");
}

/// Time that the user spends on an event without progress, or on a comment, does not count.
#[tokio::test(start_paused = true)]
async fn a_user_pause_between_events_without_progress_does_not_count() {
    let reply = events("data: a\n\n")
        .pause(SECOND)
        .raw(PING)
        .pause(SECOND)
        .raw(PING)
        .pause(SECOND);
    let script = Script::new().reply(reply.data("b"));
    let mut source = ignoring_pings(&script);
    for expected in ["a", "p", "p", "b"] {
        assert_eq!(next_data(&mut source).await, expected);
        sleep(MINUTE).await;
    }
    assert_eq!(script.attempts().len(), 1);

    // But the server's own time adds up.
    let reply = events("data: a\n\n")
        .pause(20 * SECOND)
        .raw(PING)
        .pause(20 * SECOND)
        .raw(PING);
    let script = Script::new().reply(reply.hold());
    let mut source = ignoring_pings(&script);
    assert_eq!(next_data(&mut source).await, "a");
    assert_eq!(next_data(&mut source).await, "p");
    advance(HOUR).await;
    let start = Instant::now();
    let (loss, _) = first_loss(source).await;
    assert_eq!(
        (loss, start.elapsed().as_secs()),
        (kind(Timeout::Event), 10)
    );
}

/// Nothing is waited for longer because the user came late.
#[tokio::test(start_paused = true)]
async fn an_elapsed_delay_is_not_repeated() {
    let script = Script::new()
        .reply(events("data: a\n\n"))
        .reply(events("data: b\n\n"));
    let mut source = source(&script);
    assert_eq!(next_data(&mut source).await, "a");
    assert!(poll(&mut source).is_pending());
    advance(HOUR).await;
    assert_eq!(next_data(&mut source).await, "b");
    assert_eq!(times(&script), [0, HOUR.as_millis()]);
}

/// Waiting for the bodies of a 204 and of refusals is bounded too: an endless page does not hang.
#[tokio::test(start_paused = true)]
async fn the_body_of_a_refusal_is_awaited_for_five_seconds() {
    let page = Reply::status(404)
        .content_type("text/html")
        .raw("<h1>")
        .hold();
    let script = Script::new().reply(page);
    let start = Instant::now();
    let error = failure(source(&script)).await;
    assert_eq!(error.body_text().as_deref(), Some("<h1>"));
    assert_eq!(start.elapsed().as_secs(), 5);
    assert_eq!(script.open_connections(), 0);

    // Only the part that is kept is awaited.
    let long = "x".repeat(64 * 1024);
    let page = Reply::status(404).raw(&long).raw("yz").hold();
    let script = Script::new().reply(page);
    let start = Instant::now();
    let error = failure(source(&script)).await;
    assert!(error.body_text().as_deref() == Some(&long));
    assert_eq!(start.elapsed(), Duration::ZERO);
}

/// Limits that no clock can represent mean no limit.
#[tokio::test(start_paused = true)]
async fn huge_limits_do_not_overflow() {
    let max = Duration::MAX;
    let script = Script::new().reply(events("data: a\n\n").pause(HOUR).data("b").cut());
    let mut source = builder(&script)
        .headers_timeout(max)
        .first_event_timeout(max)
        .idle_timeout(max)
        .event_timeout(max)
        .max_elapsed(max)
        .retry_when(move |_| everstream::Retry::After(max))
        .build()
        .unwrap();
    assert_eq!(next_data(&mut source).await, "a");
    assert_eq!(next_data(&mut source).await, "b");
    assert!(poll(&mut source).is_pending(), "it waits for ever");
    assert_eq!(source.ready_state(), ReadyState::Connecting);
    source.handle().reconnect();
    assert!(source.next().await.is_none(), "but can be told to go on");
}

#[tokio::test(start_paused = true)]
async fn the_http_clients_own_limit_is_a_timeout() {
    let kind = ErrorKind::Timeout(Timeout::HttpClient);
    let script = Script::new().fail_with(Error::new(kind, "reqwest's own"));
    let story = story(source(&script)).await;
    assert_eq!(story, ["timeout Timeout(HttpClient) 1 in 3000 ms", "none"]);
}

/// A limit that passes during a user's pause does not count, even if what arrives next is no
/// progress.
#[tokio::test(start_paused = true)]
async fn a_user_pause_while_waiting_does_not_count() {
    let gate = Gate::new();
    let reply = events("data: a\n\n")
        .gate(&gate)
        .raw(PING)
        .pause(SECOND)
        .raw("data: b\n\n");
    let script = Script::new().reply(reply);
    let mut source = ignoring_pings(&script);
    assert_eq!(next_data(&mut source).await, "a");
    assert!(poll(&mut source).is_pending());
    gate.open();
    advance(HOUR).await;
    assert_eq!(next_data(&mut source).await, "p");
    assert_eq!(next_data(&mut source).await, "b");
    assert_eq!(script.attempts().len(), 1);
}

/// Waiting time on a lost connection does not count on the next one.
#[tokio::test(start_paused = true)]
async fn the_event_limit_restarts_with_each_connection() {
    for reply in [
        events("data: a\n\n").pause(20 * SECOND),
        events("data: a\n\n").pause(20 * SECOND).raw(PING),
    ] {
        let script = Script::new().reply(reply).reply(Reply::events().hold());
        let source = ignoring_pings(&script);
        let mut signals = source.signals();
        let mut losses = Vec::new();
        let start = Instant::now();
        while losses.len() < 2 {
            if let Signal::Reconnecting { cause, .. } = signals.next().await.unwrap().unwrap() {
                losses.push((why(&cause), start.elapsed().as_secs()));
            }
        }
        let expected = [("end".to_owned(), 20), (kind(Timeout::Event), 53)];
        assert_eq!(losses, expected);
    }
}

/// An event of progress resets the waiting time.
#[tokio::test(start_paused = true)]
async fn progress_restarts_the_event_limit() {
    let reply = events("data: a\n\n")
        .pause(20 * SECOND)
        .raw(PING)
        .pause(5 * SECOND)
        .raw("data: b\n\n")
        .pause(20 * SECOND)
        .raw(format!("{PING}data: c\n\n"));
    let reply = reply.hold();
    let script = Script::new().reply(reply.clone()).reply(reply);
    assert_eq!(
        first_loss(ignoring_pings(&script)).await,
        (kind(Timeout::Event), 75)
    );

    // The same for events, with several of them in one chunk.
    let mut source = ignoring_pings(&script);
    for expected in ["a", "p", "b", "p", "c"] {
        assert_eq!(next_data(&mut source).await, expected);
    }
    assert_eq!(first_loss(source).await, (kind(Timeout::Event), 30));
}
