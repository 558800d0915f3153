//! The last event ID and the reconnection time, over many connections.

use everstream::transport::Connect;
use futures_util::TryStreamExt;

use crate::*;

/// The IDs that the attempts send, with these replies.
async fn sent<const N: usize>(replies: [Reply; N]) -> Vec<String> {
    let mut script = Script::new();
    for reply in replies {
        script = script.reply(reply);
    }
    let (_, error) = collect(source(&script)).await;
    assert!(error.is_none(), "{error:?}");
    ids(&script)
}

#[tokio::test(start_paused = true)]
async fn the_last_event_id_follows_the_standard() {
    let table: [(&[u8], &str); 15] = [
        (b"id: 1\ndata: a\n\n", "1"),
        (b"id: 1\ndata: a\n\nid: 2\ndata: b\n\n", "2"),
        (b"id: 1\ndata: a\n\ndata: b\n\n", "1"),
        // A block without data is not an event, but it has ended.
        (b"id: 7\n\n", "7"),
        (b"id: 1\ndata: a\n\nid: 7\nevent: x\n\n", "7"),
        // An unfinished block does not count.
        (b"id: 1\ndata: a\n\nid: 2\ndata: b\n", "1"),
        (b"id: 1\ndata: a\n\nid: 2\ndata: b", "1"),
        (b"id: 1\ndata: a\n\nid: 2", "1"),
        (b"id: 1\n", ""),
        // An empty ID resets the last one.
        (b"id: 1\ndata: a\n\nid\ndata: b\n\n", ""),
        (b"id: 1\ndata: a\n\nid:\n\n", ""),
        // One with NUL is ignored.
        (b"id: 1\ndata: a\n\nid: 2\0\ndata: b\n\n", "1"),
        (b"id: 1\nid: 2\ndata: a\n\n", "2"),
        ("id: größe €\ndata: a\n\n".as_bytes(), "größe €"),
        (b": only a comment\n\n", ""),
    ];
    for (wire, expected) in table {
        let text = String::from_utf8_lossy(wire);
        assert_eq!(sent([events(wire)]).await, ["", expected], "{text:?}");
        assert_eq!(
            sent([events(wire).split_every(1)]).await,
            ["", expected],
            "{text:?}"
        );
        let cut = events(wire).cut();
        assert_eq!(sent([cut]).await, ["", expected], "{text:?}");
    }
}

/// Peers forget it at the second reconnection.
#[tokio::test(start_paused = true)]
async fn the_id_is_kept_across_connections_without_ids() {
    let replies = [
        events("id: 1\ndata: a\n\n"),
        events("data: b\n\n"),
        events("data: c\n\n"),
        events("data: d\n\nid: 9\ndata: never finished"),
        events("id: 2\n\n"),
        events("data: e\n\n"),
    ];
    assert_eq!(sent(replies).await, ["", "1", "1", "1", "1", "2", "2"]);
}

#[tokio::test(start_paused = true)]
async fn an_initial_id_is_kept_until_the_server_changes_it() {
    for (seed, first) in [("42", "42"), ("größe", "größe"), ("", "")] {
        let script = Script::new()
            .reply(events("data: a\n\n"))
            .fail(everstream::ErrorKind::Connect)
            .reply(events("data: b\n\n"))
            .reply(events("id: 43\ndata: c\n\n"));
        let mut source = builder(&script).last_event_id(seed).build().unwrap();
        assert_eq!(source.last_event_id(), first);
        let handle = source.handle();
        assert_eq!(handle.last_event_id(), first);
        assert!(collect(&mut source).await.1.is_none());
        assert_eq!(ids(&script), [first, first, first, first, "43"]);
        assert_eq!(source.last_event_id(), "43", "also after the end");
        assert_eq!(handle.last_event_id(), "43");
    }
}

/// Exactly one header, as raw UTF-8, and none where there is no ID.
#[tokio::test(start_paused = true)]
async fn the_header_is_sent_at_most_once() {
    let script = Script::new()
        .reply(events("id: größe\ndata: a\n\n").expect_no_last_event_id())
        .reply(events("id\ndata: b\n\n").expect_last_event_id("größe"))
        .reply(events("data: c\n\n").expect_no_last_event_id());
    assert!(collect(source(&script)).await.1.is_none());
    script.verify();
    for attempt in script.attempts() {
        assert_eq!(attempt.headers()["accept"], "text/event-stream");
        assert_eq!(attempt.headers()["cache-control"], "no-cache");
        assert_eq!(attempt.headers()["accept-encoding"], "identity");
    }
}

/// It is always that of the last event yielded: an event that the user has not seen is not skipped
/// from.
#[tokio::test(start_paused = true)]
async fn the_id_is_never_ahead_of_the_yielded_events() {
    let wire = "id: 1\ndata: a\n\nid: 2\ndata: b\n\nid: 3\n\nid: 4\ndata: c\n\n";
    let script = Script::new().reply(events(wire).hold());
    let mut source = source(&script);
    let handle = source.handle();
    for (data, id) in [("a", "1"), ("b", "2"), ("c", "4")] {
        assert_eq!(next_data(&mut source).await, data);
        assert_eq!(source.last_event_id(), id);
        assert_eq!(handle.last_event_id(), id);
    }
    handle.reconnect();
    assert!(source.next().await.is_none());
    assert_eq!(ids(&script), ["", "4"]);
}

/// A block without data changes the ID without an item, but a handle sees it.
#[tokio::test(start_paused = true)]
async fn handles_see_an_id_without_an_event() {
    let script = Script::new().reply(events("id: 7\n\n").hold());
    let mut source = source(&script);
    let handle = source.handle();
    assert!(poll(&mut source).is_pending());
    assert_eq!(source.last_event_id(), "7");
    assert_eq!(handle.last_event_id(), "7");
}

#[tokio::test(start_paused = true)]
async fn the_server_sets_the_reconnection_time() {
    // What it sends, and how long the wait is then.
    let table: [(&str, u64); 13] = [
        ("data: a\n\n", 3000),
        ("retry: 500\ndata: a\n\n", 500),
        ("retry:500\n\ndata: a\n\n", 500),
        // Its line counts once it has ended, even in a block that is never finished.
        ("data: a\n\nretry: 700\n", 700),
        ("data: a\n\nretry: 700", 3000),
        ("retry: 0\ndata: a\n\n", 50),
        ("retry: 49\ndata: a\n\n", 50),
        ("retry: 18446744073709551615\ndata: a\n\n", 3_600_000),
        ("retry: 99999999999999999999\ndata: a\n\n", 3_600_000),
        ("retry: 5s\ndata: a\n\n", 3000),
        ("retry: -1\ndata: a\n\n", 3000),
        ("retry:\ndata: a\n\n", 3000),
        ("retry: 100\nretry: 200\ndata: a\n\n", 200),
    ];
    for (wire, expected) in table {
        let script = Script::new().reply(events(wire));
        collect(source(&script)).await;
        assert_eq!(times(&script), [0, u128::from(expected)], "{wire:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_reconnection_time_is_kept_across_connections() {
    let script = Script::new()
        .reply(events("retry: 100\ndata: a\n\n"))
        .reply(events("data: b\n\n"))
        .reply(events("retry: x\ndata: c\n\n"));
    let mut source = builder(&script)
        .backoff(exactly().reconnection_time(SECOND))
        .build()
        .unwrap();
    assert_eq!(source.reconnection_time(), SECOND);
    assert_eq!(next_data(&mut source).await, "a");
    assert_eq!(source.reconnection_time(), ms(100));
    collect(&mut source).await;
    assert_eq!(times(&script), [0, 100, 200, 300]);
    assert_eq!(source.reconnection_time(), ms(100));
}

/// A byte order mark is recognized at the start of every connection.
#[tokio::test(start_paused = true)]
async fn every_connection_starts_a_new_stream() {
    let script = Script::new()
        .reply(events("\u{feff}data: a\n\ndata: lost"))
        .reply(events("\u{feff}data: b\n\ndata: lost\r"))
        .reply(events("\ndata: c\n\n"));
    assert_eq!(collect(source(&script)).await.0, ["a", "b", "c"]);
}

/// A factory receives the last event ID, and the headers are added to the request that it builds.
#[tokio::test(start_paused = true)]
async fn a_factory_receives_the_id_and_the_cause() {
    let script = Script::new()
        .reply(events("id: 1\ndata: a\n\n"))
        .fail(everstream::ErrorKind::Connect)
        .reply(events("id: 2\ndata: b\n\n").cut())
        .reply(Reply::status(503))
        .reply(Reply::events().hold());
    let seen = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let connect = {
        let (seen, mut script) = (seen.clone(), script.clone());
        move |attempt: everstream::transport::Attempt| {
            seen.lock().unwrap().push(format!(
                "{} {:?} {}",
                attempt.number(),
                attempt.last_event_id(),
                attempt.cause().map_or("first".into(), why),
            ));
            script.connect(attempt)
        }
    };
    let mut source = EventSource::factory(connect)
        .idle_timeout(MINUTE)
        .backoff(exactly())
        .build()
        .unwrap();
    let handle = source.handle();
    assert_eq!(next_data(&mut source).await, "a");
    assert_eq!(next_data(&mut source).await, "b");
    let rest = async { source.try_next().await.unwrap() };
    let steer = async {
        script.wait_for_attempts(5).await;
        // Past the idle limit, to the next connection, which is the 204.
        script.wait_for_attempts(6).await;
        handle.reconnect();
    };
    let (rest, ()) = futures_util::join!(rest, steer);
    assert!(rest.is_none());
    let seen = seen.lock().unwrap().clone();
    assert_eq!(
        seen[..6],
        [
            "1 \"\" first",
            "2 \"1\" end",
            "3 \"1\" failure Connect",
            "4 \"2\" failure Body",
            "5 \"2\" failure Status",
            "6 \"2\" timeout Timeout(Idle)",
        ]
    );
}

/// Like a program that takes its cursor from the data (`starting_after=N`).
#[tokio::test(start_paused = true)]
async fn combinators_do_not_change_the_resume_position() {
    let script = Script::new()
        .reply(events("id: 1\ndata: 1\n\n").cut())
        .reply(events("id: 2\ndata: 2\n\n"));
    let source = source(&script).error_when(|event| event.event_type() == "error");
    let data: Vec<_> = source
        .map_ok(|event| event.into_data())
        .try_collect()
        .await
        .unwrap();
    assert_eq!(data, ["1", "2"]);
    assert_eq!(ids(&script), ["", "1", "2"]);
}
