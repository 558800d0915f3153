//! Everything that happens, in order.

use std::sync::{Arc, Mutex};

use everstream::{ErrorKind, Oversized, ReadyState, Retry};
use futures_util::stream::FusedStream;

use crate::*;

#[tokio::test(start_paused = true)]
async fn signals_are_in_order() {
    let script = Script::new()
        .fail(ErrorKind::Connect)
        .reply(Reply::status(503).header("retry-after", "9"))
        .reply(
            Reply::events()
                .comment("hello")
                .raw("retry: 1000\nid: 1\ndata: a\n\n")
                .pause(SECOND)
                .comment("alive")
                .data("b"),
        )
        .reply(Reply::events())
        .reply(events("data: c\n\n").cut())
        .reply(Reply::events().hold())
        .never()
        .reply(Reply::status(204));
    let source = builder(&script)
        .idle_timeout(MINUTE)
        .headers_timeout(SECOND)
        .build()
        .unwrap();
    assert_eq!(
        story(source).await,
        [
            "failure Connect 1 in 3000 ms",
            "failure Status 2 in 9000 ms",
            "open 200",
            "comment hello",
            "Retry(1s)",
            "event a",
            "comment alive",
            "event b",
            "end 0 in 1000 ms",
            "open 200",
            "end 1 in 1000 ms",
            "open 200",
            "event c",
            "failure Body 0 in 1000 ms",
            "open 200",
            "timeout Timeout(Idle) 1 in 1000 ms",
            "timeout Timeout(Headers) 2 in 1000 ms",
            "none",
        ]
    );
    script.verify();
}

#[tokio::test(start_paused = true)]
async fn a_final_error_is_yielded_once() {
    let script = Script::new()
        .reply(events("data: a\n\n"))
        .reply(Reply::status(404));
    assert_eq!(
        story(source(&script)).await,
        [
            "open 200",
            "event a",
            "end 0 in 3000 ms",
            "error Status",
            "none"
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn the_ready_state_is_correct_at_every_signal() {
    let script = Script::new()
        .reply(Reply::status(503))
        .reply(events("data: a\n\n"))
        .reply(Reply::status(404));
    let mut signals = source(&script).signals();
    let mut states = vec![signals.get_ref().ready_state()];
    while let Some(signal) = signals.next().await {
        states.push(signals.get_ref().ready_state());
        let expected = match signal {
            Ok(Signal::Open(_) | Signal::Event(_)) => ReadyState::Open,
            Ok(_) => ReadyState::Connecting,
            Err(_) => ReadyState::Closed,
        };
        assert_eq!(states.last(), Some(&expected));
    }
    assert_eq!(states.len(), 6);
    assert_eq!(states[0], ReadyState::Connecting);
    assert_eq!(signals.get_mut().ready_state(), ReadyState::Closed);
}

#[tokio::test(start_paused = true)]
async fn an_open_signal_has_status_headers_and_url() {
    let script = Script::new().reply(events("data: a\n\n").header("x-who", "me"));
    let mut signals = source(&script).signals();
    let Some(Ok(Signal::Open(head))) = signals.next().await else {
        panic!("it opens")
    };
    assert_eq!(head.status().as_u16(), 200);
    assert_eq!(head.headers()["x-who"], "me");
    assert_eq!(head.headers()["content-type"], "text/event-stream");
    assert_eq!(head.url(), None, "a script has none");
}

/// Signals and events can alternate: neither loses items to the other.
#[tokio::test(start_paused = true)]
async fn signals_can_be_converted_to_events_and_back() {
    let script = Script::new()
        .reply(Reply::events().comment("c").data("a").data("b"))
        .reply(events("data: c\n\n"));
    let mut signals = source(&script).signals();
    for expected in ["open 200", "comment c"] {
        assert_eq!(describe(&signals.next().await.unwrap()), expected);
    }
    let mut source = signals.into_inner();
    assert_eq!(next_data(&mut source).await, "a");
    let mut signals = source.signals();
    for expected in ["event b", "end 0 in 3000 ms", "open 200", "event c"] {
        assert_eq!(describe(&signals.next().await.unwrap()), expected);
    }
}

/// A source that skips events of more than 50 bytes.
fn skipping(script: &Script) -> EventSource {
    let source = builder(script).max_event_bytes(50);
    source.oversized(Oversized::Skip).build().unwrap()
}

#[tokio::test(start_paused = true)]
async fn an_oversized_event_is_an_error_or_a_signal() {
    let reply = || {
        events("data: a\n\n")
            .raw(format!("id: 7\ndata: {}\n\n", "x".repeat(100)))
            .data("b")
    };
    let script = Script::new().reply(reply());
    let source = builder(&script).max_event_bytes(50).build().unwrap();
    let (data, error) = collect(source).await;
    let error = error.unwrap();
    assert_eq!(
        (data, error.kind()),
        (vec!["a".to_owned()], ErrorKind::EventTooLarge)
    );
    assert_eq!(error.events_before(), 1);
    assert_eq!(script.attempts().len(), 1, "it would come again");
    assert_eq!(script.open_connections(), 0);

    let script = Script::new().reply(reply());
    let told = story(skipping(&script)).await;
    assert_eq!(told[..2], ["open 200", "event a"]);
    assert!(told[2].starts_with("Event"), "{told:?}");
    assert_eq!(told[3], "event b");
    assert_eq!(ids(&script), ["", "7"], "its ID counts");
}

/// A skipped event counts: connections with only such events are not failures.
#[tokio::test(start_paused = true)]
async fn a_skipped_event_is_progress() {
    let reply = || events(format!("data: {}\n\n", "x".repeat(100)));
    let script = Script::new().reply(reply()).reply(reply()).reply(reply());
    let told = story(skipping(&script)).await;
    for life in told[..9].chunks(3) {
        assert_eq!((&*life[0], &*life[2]), ("open 200", "end 0 in 3000 ms"));
        assert!(life[1].starts_with("Event"), "{told:?}");
    }
}

/// `retry_when` sees each loss as the signals tell it, and a clean end only on request.
#[tokio::test(start_paused = true)]
async fn retry_when_sees_what_the_signals_tell() {
    use ErrorKind::{Body, Connect, Incomplete, Status};

    for on_end in [false, true] {
        let script = Script::new()
            .fail(Connect)
            .reply(Reply::status(503))
            .reply(events("data: a\n\n"))
            .reply(Reply::events())
            .reply(events("data: b\n\ndata: c"))
            .reply(events("data: d\n\n").cut())
            .reply(Reply::status(204));
        let asked = Arc::new(Mutex::new(Vec::new()));
        let asks = Arc::clone(&asked);
        let source = builder(&script)
            .retry_on_end(on_end)
            .retry_when(move |failure| {
                asks.lock().unwrap().push((
                    failure.attempt(),
                    failure.failures(),
                    failure.error().kind(),
                    failure.ended_cleanly(),
                ));
                Retry::Default
            })
            .build()
            .unwrap();
        assert_eq!(
            story(source).await,
            [
                "failure Connect 1 in 3000 ms",
                "failure Status 2 in 3000 ms",
                "open 200",
                "event a",
                "end 0 in 3000 ms",
                "open 200",
                "end 1 in 3000 ms",
                "open 200",
                "event b",
                "Unfinished",
                "failure Incomplete 1 in 3000 ms",
                "open 200",
                "event d",
                "failure Body 0 in 3000 ms",
                "none",
            ]
        );
        let mut expected = vec![
            (1, 1, Connect, false),
            (2, 2, Status, false),
            (3, 0, Incomplete, true),
            (4, 1, Incomplete, true),
            (5, 1, Incomplete, false),
            (6, 0, Body, false),
        ];
        expected.retain(|(_, _, _, ended_cleanly)| on_end || !ended_cleanly);
        assert_eq!(*asked.lock().unwrap(), expected);
    }
}

/// Also while it waits to reconnect, and also after an error.
#[tokio::test(start_paused = true)]
async fn a_source_is_terminated_once_it_has_no_more_items() {
    for last in [Reply::status(204), Reply::status(404)] {
        let script = Script::new()
            .reply(events("data: a\n\n"))
            .reply(events("data: b\n\n"))
            .reply(last);
        let mut source = source(&script);
        for data in ["a", "b"] {
            assert!(!source.is_terminated());
            assert_eq!(next_data(&mut source).await, data);
        }
        assert!(!source.is_terminated());
        let mut signals = source.signals();
        let error = loop {
            match signals.next().await {
                Some(Ok(_)) => assert!(!signals.is_terminated()),
                Some(Err(error)) => break Some(error),
                None => break None,
            }
        };
        assert!(error.is_none_or(|error| error.events_before() == 2));
        assert!(signals.is_terminated() && signals.get_ref().is_terminated());
        assert!(signals.next().await.is_none());
    }
}

#[tokio::test(start_paused = true)]
async fn an_error_counts_the_events_before_it_through_signals_too() {
    let script = Script::new()
        .reply(events("data: a\n\ndata: b\n\n"))
        .reply(Reply::status(404));
    let signals: Vec<_> = source(&script).signals().collect().await;
    let error = signals.last().unwrap().as_ref().unwrap_err();
    assert_eq!(error.events_before(), 2);
}

/// Nothing is lost or told twice when a program asks now for events and now for signals.
#[tokio::test(start_paused = true)]
async fn events_and_signals_can_be_mixed() {
    let script = Script::new()
        .reply(events("data: a\n\n:alive\n\ndata: b\n\n"))
        .reply(events("data: c\n\n"))
        .reply(Reply::status(204));
    let mut source = source(&script);
    let mut seen = Vec::new();
    while let Some(signal) = source.next_signal().await.unwrap() {
        seen.push(describe(&Ok(signal)));
        if let Some(event) = source.next_event().await.unwrap() {
            seen.push(event.into_data());
        }
    }
    assert_eq!(
        seen,
        [
            "open 200",
            "a",
            "comment alive",
            "b",
            "end 0 in 3000 ms",
            "c",
            "end 0 in 3000 ms"
        ]
    );
}
