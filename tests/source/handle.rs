//! A handle, in every state of its source, from the same task and from others.

use everstream::{EventSourceHandle, ReadyState, testing::Gate};
use tokio::time::advance;

use crate::*;

/// A state of a source, and how to get there. Before it, `script` has the replies.
struct Case {
    name: &'static str,
    script: Script,
    /// Items that are taken before it.
    items: usize,
    state: ReadyState,
    /// Connections open in it.
    open: usize,
}

fn cases() -> Vec<Case> {
    let case = |name, script, items, state, open| Case {
        name,
        script,
        items,
        state,
        open,
    };
    let gate = Gate::new();
    let refusal = Reply::status(503).raw("because").hold();
    vec![
        case(
            "connecting",
            Script::new().never(),
            0,
            ReadyState::Connecting,
            1,
        ),
        case(
            "before the head",
            Script::new().reply(Reply::events().gate_head(&gate)),
            0,
            ReadyState::Connecting,
            1,
        ),
        case(
            "refused",
            Script::new().reply(refusal),
            0,
            ReadyState::Connecting,
            1,
        ),
        case(
            "open",
            Script::new().reply(Reply::events().hold()),
            0,
            ReadyState::Open,
            1,
        ),
        case(
            "after an event",
            Script::new().reply(events("data: a\n\n").hold()),
            1,
            ReadyState::Open,
            1,
        ),
        case(
            "amid an event",
            Script::new().reply(events("data: a\n\ndata: b").hold()),
            1,
            ReadyState::Open,
            1,
        ),
        case(
            "waiting",
            Script::new().reply(events("data: a\n\n")),
            1,
            ReadyState::Connecting,
            0,
        ),
        case(
            "waiting after a failure",
            Script::new().fail(everstream::ErrorKind::Connect),
            0,
            ReadyState::Connecting,
            0,
        ),
    ]
}

/// The source in that state, polled until it waits.
async fn reach(case: &Case) -> (EventSource, EventSourceHandle) {
    let mut source = source(&case.script);
    let handle = source.handle();
    for _ in 0..case.items {
        source.next().await.unwrap().unwrap();
    }
    assert!(poll(&mut source).is_pending(), "{}", case.name);
    assert_eq!(source.ready_state(), case.state, "{}", case.name);
    assert_eq!(handle.ready_state(), case.state, "{}", case.name);
    assert_eq!(case.script.open_connections(), case.open, "{}", case.name);
    (source, handle)
}

#[tokio::test(start_paused = true)]
async fn close_closes_in_every_state() {
    for case in cases() {
        let (mut source, handle) = reach(&case).await;
        let attempts = case.script.attempts().len();
        handle.close();
        assert_eq!(handle.ready_state(), ReadyState::Closed);
        assert!(!handle.reconnect(), "it comes too late");
        for _ in 0..3 {
            assert!(source.next().await.is_none(), "{}", case.name);
        }
        assert_eq!(source.ready_state(), ReadyState::Closed);
        assert_eq!(source.closed_by(), None);
        assert_eq!(case.script.open_connections(), 0, "{}", case.name);
        assert_eq!(case.script.attempts().len(), attempts, "{}", case.name);
    }
}

#[tokio::test(start_paused = true)]
async fn the_sources_own_close_closes_in_every_state() {
    for case in cases() {
        let (mut source, handle) = reach(&case).await;
        source.close();
        assert_eq!(case.script.open_connections(), 0, "at once: {}", case.name);
        assert_eq!(handle.ready_state(), ReadyState::Closed);
        assert!(!handle.reconnect());
        assert!(source.next().await.is_none());
        source.close();
        assert!(source.next().await.is_none());
        assert_eq!(source.handle().ready_state(), ReadyState::Closed);
    }
}

#[tokio::test(start_paused = true)]
async fn reconnect_connects_at_once_in_every_state() {
    for case in cases() {
        let (source, handle) = reach(&case).await;
        let before = tokio::time::Instant::now();
        let attempts = case.script.attempts().len();
        let script = case.script.clone().reply(events("data: again\n\n").hold());
        assert!(handle.reconnect());
        let told = story_until(source, 3).await;
        assert_eq!(
            told,
            ["asked 0 in 0 ms", "open 200", "event again"],
            "{}",
            case.name
        );
        assert_eq!(before.elapsed(), Duration::ZERO, "{}", case.name);
        let attempts = &script.attempts()[attempts..];
        assert_eq!(attempts.len(), 1);
        assert!(matches!(attempts[0].cause(), Some(Cause::Requested)));
        assert_eq!(script.open_connections(), 0, "dropped with the source");
    }
}

#[tokio::test(start_paused = true)]
async fn before_the_first_poll_there_is_nothing_to_reconnect() {
    let script = Script::new().reply(events("data: a\n\n").hold());
    let mut source = source(&script);
    let handle = source.handle();
    assert_eq!(handle.ready_state(), ReadyState::Connecting);
    assert!(handle.reconnect(), "the first connection is to come");
    assert_eq!(story_until(source, 2).await, ["open 200", "event a"]);
    assert!(script.attempts()[0].cause().is_none());

    let script = Script::new();
    let mut source = crate::source(&script);
    source.handle().close();
    assert!(source.next().await.is_none());
    assert_eq!(script.attempts().len(), 0);
}

/// Repeated commands count once.
#[tokio::test(start_paused = true)]
async fn repeated_commands_count_once() {
    let script = Script::new()
        .reply(events("data: a\n\n").hold())
        .reply(events("data: b\n\n").hold());
    let mut source = source(&script);
    let handle = source.handle();
    assert_eq!(next_data(&mut source).await, "a");
    for _ in 0..10 {
        handle.clone().reconnect();
    }
    assert_eq!(next_data(&mut source).await, "b");
    assert_eq!(script.attempts().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_handle_does_not_repeat_an_unrepeatable_request() {
    let gate = Gate::new();
    let reply = events("data: a\n\n").gate(&gate).data("b");
    let script = Script::new().not_safe().reply(reply);
    let mut source = source(&script);
    let handle = source.handle();
    assert_eq!(next_data(&mut source).await, "a");
    assert!(!handle.reconnect());
    assert!(poll(&mut source).is_pending());
    assert_eq!(script.open_connections(), 1, "it stays as it is");
    gate.open();
    assert_eq!(collect(&mut source).await.0, ["b"]);
    handle.reconnect();
    assert!(source.next().await.is_none());
    assert_eq!(script.attempts().len(), 1);
}

/// From other tasks: the source is woken.
#[tokio::test(start_paused = true)]
async fn a_sleeping_source_is_woken() {
    for case in cases() {
        let script = case.script.clone();
        let mut source = builder(&script).idle_timeout(None).build().unwrap();
        let handle = source.handle();
        let items = case.items;
        let task = tokio::spawn(async move {
            for _ in 0..items {
                source.next().await.unwrap().unwrap();
            }
            source.next().await
        });
        script.wait_for_attempts(1).await;
        settle().await;
        assert_eq!(handle.ready_state(), case.state, "{}", case.name);
        handle.close();
        assert!(task.await.unwrap().is_none(), "{}", case.name);
        assert_eq!(script.open_connections(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_source_is_woken_wherever_it_was_polled_last() {
    let script = Script::new()
        .reply(Reply::events().hold())
        .reply(events("data: b\n\n").hold());
    let mut source = builder(&script).idle_timeout(None).build().unwrap();
    let handle = source.handle();
    assert!(poll(&mut source).is_pending());
    let task = tokio::spawn(async move { (next_data(&mut source).await, source) });
    settle().await;
    handle.reconnect();
    let (data, mut source) = task.await.unwrap();
    assert_eq!(data, "b");
    let task = tokio::spawn(async move { source.next().await.is_none() });
    settle().await;
    handle.close();
    assert!(task.await.unwrap());
}

#[tokio::test(start_paused = true)]
async fn a_handle_reports_the_current_state() {
    let script = Script::new()
        .reply(
            events("id: 1\ndata: a\n\n")
                .pause(SECOND)
                .raw("id: 2\ndata: b\n\n"),
        )
        .reply(Reply::status(404));
    let mut source = source(&script);
    let handle = source.handle();
    let states = |handle: &EventSourceHandle| (handle.ready_state(), handle.last_event_id());
    assert_eq!(states(&handle), (ReadyState::Connecting, String::new()));
    next_data(&mut source).await;
    assert_eq!(states(&handle), (ReadyState::Open, "1".into()));
    next_data(&mut source).await;
    assert_eq!(states(&handle), (ReadyState::Open, "2".into()));
    assert!(poll(&mut source).is_pending());
    assert_eq!(states(&handle), (ReadyState::Connecting, "2".into()));
    advance(3 * SECOND).await;
    assert!(source.next().await.unwrap().is_err());
    assert_eq!(states(&handle), (ReadyState::Closed, "2".into()));
    assert_eq!(states(&source.handle()), (ReadyState::Closed, "2".into()));
}

#[tokio::test(start_paused = true)]
async fn a_handle_outlives_its_source() {
    let script = Script::new().reply(events("id: 1\ndata: a\n\n").hold());
    let mut source = source(&script);
    let handle = source.handle();
    next_data(&mut source).await;
    drop(source);
    assert_eq!(script.open_connections(), 0, "it keeps nothing alive");
    assert_eq!(handle.ready_state(), ReadyState::Closed);
    assert_eq!(handle.last_event_id(), "1");
    assert!(!handle.reconnect());
    handle.close();
    assert_eq!(handle.ready_state(), ReadyState::Closed);
}

/// What arrived on the abandoned connection, and was not yielded, the next one has to send again:
/// it resumes from the last event yielded.
#[tokio::test(start_paused = true)]
async fn a_reconnection_in_the_middle_of_a_chunk_yields_nothing_twice() {
    let gate = Gate::new();
    let script = Script::new()
        .reply(events("id: 1\ndata: a\n\nid: 2\ndata: b\n\n").hold())
        .reply(events("id: 2\ndata: b\n\n").gate_head(&gate));
    let mut source = source(&script);
    let handle = source.handle();
    assert_eq!(next_data(&mut source).await, "a");
    handle.reconnect();
    let mut signals = source.signals();
    let asked = signals.next().await.unwrap();
    assert_eq!(describe(&asked), "asked 0 in 0 ms");
    assert_eq!(handle.ready_state(), ReadyState::Connecting);
    assert!(poll(&mut signals).is_pending());
    assert_eq!(script.open_connections(), 1, "the first is given up");
    gate.open();
    for expected in ["open 200", "event b", "end 0 in 3000 ms"] {
        assert_eq!(describe(&signals.next().await.unwrap()), expected);
    }
    assert_eq!(ids(&script), ["", "1"]);
}
