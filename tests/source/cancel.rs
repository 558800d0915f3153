//! Dropping cancels, at every point.

use everstream::testing::Gate;
use tokio::time::advance;

use crate::*;

/// A session with everything in it: a slow head, events, silence, a cut, a refusal with a body, a
/// failure and the end. It takes a while.
fn life() -> Script {
    Script::new()
        .reply(
            events("id: 1\ndata: a\n\n")
                .delay_head(SECOND)
                .pause(SECOND)
                .raw("data: b")
                .cut(),
        )
        .reply(Reply::status(503).raw("be").pause(SECOND).raw("cause"))
        .fail(everstream::ErrorKind::Connect)
        .reply(
            events("data: c\n\ndata: d\n\n")
                .split_every(3)
                .pace(ms(100)),
        )
}

/// Dropped after any number of polls, it leaves no connection open.
#[tokio::test(start_paused = true)]
async fn dropping_after_any_number_of_polls_closes_at_once() {
    let mut longest = 0;
    for polls in 0.. {
        let script = life();
        let mut source = source(&script);
        let mut ended = false;
        for _ in 0..polls {
            if let std::task::Poll::Ready(None) = poll(&mut source) {
                ended = true;
            }
            advance(ms(250)).await;
        }
        drop(source);
        assert_eq!(script.open_connections(), 0, "after {polls} polls");
        longest = polls;
        if ended {
            break;
        }
    }
    assert!(longest > 50, "{longest} polls are no sweep");
}

/// A cancelled poll loses nothing: the result is the same however often it is interrupted.
#[tokio::test(start_paused = true)]
async fn cancelling_a_poll_loses_nothing() {
    for patience in [1, 7, 50, 333, 1000, 10_000] {
        let script = life();
        let mut source = source(&script);
        let mut data = Vec::new();
        loop {
            match tokio::time::timeout(ms(patience), source.next()).await {
                Ok(Some(event)) => data.push(event.unwrap().into_data()),
                Ok(None) => break,
                Err(_) => {}
            }
        }
        assert_eq!(data, ["a", "c", "d"], "patience of {patience} ms");
        assert_eq!(ids(&script), ["", "1", "1", "1", "1"]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_is_closed_before_the_next_is_opened() {
    let gate = Gate::new();
    let script = Script::new()
        .reply(events("data: a\n\n").hold())
        .reply(Reply::events().gate_head(&gate));
    let mut source = builder(&script).idle_timeout(SECOND).build().unwrap();
    next_data(&mut source).await;
    let waited = tokio::time::timeout(SECOND + ms(1), source.next()).await;
    assert!(waited.is_err());
    assert_eq!(script.open_connections(), 0, "closed when it is given up");
}

#[tokio::test(start_paused = true)]
async fn wrappers_close_with_their_source() {
    let script = || Script::new().reply(events("data: 1\n\n").hold());
    let it = script();
    let mut until = source(&it).complete_on_data("[DONE]");
    until.next().await.unwrap().unwrap();
    assert_eq!(it.open_connections(), 1);
    drop(until);
    assert_eq!(it.open_connections(), 0);

    let it = script();
    let mut json = source(&it).json::<u32>();
    assert_eq!(json.next().await.unwrap().unwrap(), 1);
    drop(json.into_inner().signals());
    assert_eq!(it.open_connections(), 0);
}

/// A source can be polled on any thread, by any task.
#[tokio::test]
async fn a_source_can_be_moved_to_another_task() {
    let script = Script::new().reply(events("data: a\n\n").hold());
    let mut source = source(&script);
    let task = tokio::spawn(async move { next_data(&mut source).await });
    assert_eq!(task.await.unwrap(), "a");
    assert_eq!(script.open_connections(), 0, "dropped with the task");
}
