//! The user's own pauses, as one table on the paused clock: each time limit, with a pause before
//! the stream waits, while it waits, and just before its limit passes; with the server's answer
//! present when the pause is over, still to come, or never to come. Only waiting counts.

use std::{future::IntoFuture, time::Duration};

use everstream::{
    Error, ErrorKind, Event, EventSource, Retry, Signal, Timeout,
    testing::{Gate, Reply, Script},
};
use futures_util::{FutureExt, Stream, StreamExt, TryFutureExt, stream::BoxStream};
use tokio::time::{Instant, sleep, timeout};

/// Each of the limits, alone.
const LIMIT: Duration = Duration::from_secs(16);
/// How long the user pauses.
const PAUSE: Duration = Duration::from_secs(600);
/// How much time a limit may lose in a pause: an unobserved tick, and the grace period.
const TOLERANCE: Duration = Duration::from_secs(2);

const LIMITS: [Timeout; 4] = [
    Timeout::Headers,
    Timeout::FirstEvent,
    Timeout::Idle,
    Timeout::Event,
];

/// When the server answers.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Server {
    /// Half way through the pause: bytes are waiting when it is over.
    InThePause,
    /// After the pause, with this much of the limit left.
    InTime,
    /// After the pause, too late by this much.
    TooLate,
    Never,
}

/// Which kind of stream it is.
#[derive(Clone, Copy, Debug)]
enum Face {
    Answer,
    Feed,
    FeedSignals,
}

/// The server's answer, which waits for the gate.
fn reply(limit: Timeout, gate: &Gate) -> Reply {
    let reply = Reply::events();
    match limit {
        Timeout::Headers => reply.gate_head(gate),
        Timeout::FirstEvent => reply.comment("alive").gate(gate),
        Timeout::Idle => reply.gate(gate),
        Timeout::Event => reply.data("first").comment("alive").gate(gate),
        other => panic!("{other:?} is new"),
    }
    .data("answer")
    .hold()
}

/// The stream with only that limit, as a stream of strings.
fn open(face: Face, limit: Timeout, reply: Reply) -> BoxStream<'static, Result<Event, ErrorKind>> {
    let only = |timeout| (limit == timeout).then_some(LIMIT);
    let script = Script::new().reply(reply);
    if let Face::Answer = face {
        let answer = script
            .events()
            .headers_timeout(only(Timeout::Headers))
            .first_event_timeout(only(Timeout::FirstEvent))
            .idle_timeout(only(Timeout::Idle))
            .event_timeout(only(Timeout::Event));
        return told(answer.into_future().try_flatten_stream());
    }
    let source = EventSource::builder(script)
        .headers_timeout(only(Timeout::Headers))
        .first_event_timeout(only(Timeout::FirstEvent))
        .idle_timeout(only(Timeout::Idle))
        .event_timeout(only(Timeout::Event))
        .retry_when(|_| Retry::GiveUp)
        .build()
        .unwrap();
    match face {
        Face::Feed => told(source),
        _ => told(source.signals().filter_map(|signal| async {
            match signal {
                Ok(Signal::Event(event)) => Some(Ok(event)),
                Ok(_) => None,
                Err(error) => Some(Err(error)),
            }
        })),
    }
}

fn told<S>(events: S) -> BoxStream<'static, Result<Event, ErrorKind>>
where
    S: Stream<Item = Result<Event, Error>> + Send + 'static,
{
    events
        .map(|item| item.map_err(|error| error.kind()))
        .boxed()
}

/// Plays a row: waits for `waited`, pauses, and waits again. Returns the item, and how long after
/// the pause.
///
/// During the pause, it polls the stream now and then, without waiting for it.
async fn play(
    face: Face,
    limit: Timeout,
    waited: Duration,
    looks: u32,
    server: Server,
) -> (Result<String, ErrorKind>, Duration) {
    let pause_ends = waited + PAUSE * (looks + 1);
    let left = LIMIT - waited;
    let delay = match server {
        Server::InThePause => Some(waited + PAUSE / 2),
        Server::InTime => Some(pause_ends + left / 4),
        Server::TooLate => Some(pause_ends + left + TOLERANCE * 2),
        Server::Never => None,
    };
    let gate = Gate::new();
    let mut stream = open(face, limit, reply(limit, &gate));
    if limit == Timeout::Event {
        let first = stream.next().await.unwrap().unwrap();
        assert_eq!(first.data(), "first");
    }
    tokio::spawn(async move {
        if let Some(delay) = delay {
            sleep(delay).await;
            gate.open();
        }
    });
    let early = timeout(waited, stream.next()).await;
    assert!(early.is_err(), "{early:?} while nothing has happened");
    for _ in 0..looks {
        sleep(PAUSE).await;
        let look = stream.next().now_or_never();
        assert!(look.is_none(), "{look:?} while nothing has happened");
    }
    sleep(PAUSE).await;
    let start = Instant::now();
    let item = stream.next().await.expect("an item");
    (item.map(Event::into_data), start.elapsed())
}

#[tokio::test(start_paused = true)]
async fn only_waiting_counts_whenever_the_user_pauses() {
    let nothing = Duration::ZERO;
    for limit in LIMITS {
        for face in [Face::Answer, Face::Feed, Face::FeedSignals] {
            // Before anything is waited for, in the middle, and just before the limit passes.
            // Then the limit passes during the pause, as far as the stream can tell.
            let last_moment = LIMIT - Duration::from_millis(10);
            for waited in [nothing, LIMIT / 2, LIMIT - LIMIT / 8, last_moment] {
                for server in [
                    Server::InThePause,
                    Server::InTime,
                    Server::TooLate,
                    Server::Never,
                ] {
                    let row = format!("{limit:?}, {face:?}, {waited:?}, {server:?}");
                    let left = LIMIT - waited;
                    let (item, after) = play(face, limit, waited, 0, server).await;
                    match server {
                        Server::InThePause => {
                            assert_eq!(item.as_deref(), Ok("answer"), "{row}");
                            assert_eq!(after, nothing, "{row}");
                        }
                        Server::InTime => assert_eq!(item.as_deref(), Ok("answer"), "{row}"),
                        Server::TooLate | Server::Never => {
                            assert_eq!(item, Err(ErrorKind::Timeout(limit)), "{row}");
                            let due = left.saturating_sub(TOLERANCE)..=left + TOLERANCE;
                            assert!(due.contains(&after), "{row}: {after:?} after the pause");
                        }
                    }
                }
            }
        }
    }
}

/// Single polls are not waiting either, however many there are: a loop that polls between other
/// work.
#[tokio::test(start_paused = true)]
async fn each_brief_poll_counts_at_most_one_tick() {
    const LOOKS: u32 = 4;
    for limit in LIMITS {
        for face in [Face::Answer, Face::Feed, Face::FeedSignals] {
            for waited in [Duration::ZERO, LIMIT / 2] {
                for server in [Server::InTime, Server::Never] {
                    let row = format!("{limit:?}, {face:?}, {waited:?}, {server:?}");
                    let (item, after) = play(face, limit, waited, LOOKS, server).await;
                    if let Server::InTime = server {
                        assert_eq!(item.as_deref(), Ok("answer"), "{row}");
                        continue;
                    }
                    assert_eq!(item, Err(ErrorKind::Timeout(limit)), "{row}");
                    let left = LIMIT - waited;
                    let least = left - TOLERANCE - LOOKS * (LIMIT / 16);
                    assert!(after >= least, "{row}: {after:?} after the pause");
                    assert!(
                        after <= left + TOLERANCE,
                        "{row}: {after:?} after the pause"
                    );
                }
            }
        }
    }
}

/// The user pauses right after a signal that is not an event, before waiting for the next.
#[tokio::test(start_paused = true)]
async fn a_pause_after_a_comment_does_not_count() {
    for limit in [Timeout::FirstEvent, Timeout::Event] {
        for is_feed in [false, true] {
            let row = format!("{limit:?}, feed: {is_feed}");
            let only = |timeout| (limit == timeout).then_some(LIMIT);
            let script = Script::new().reply(reply(limit, &Gate::new()));
            let mut signals = if is_feed {
                let source = EventSource::builder(script)
                    .first_event_timeout(only(Timeout::FirstEvent))
                    .event_timeout(only(Timeout::Event))
                    .retry_when(|_| Retry::GiveUp);
                source.build().unwrap().signals().boxed()
            } else {
                let events = script
                    .events()
                    .first_event_timeout(only(Timeout::FirstEvent))
                    .event_timeout(only(Timeout::Event));
                events.await.unwrap().signals().boxed()
            };
            while !matches!(signals.next().await, Some(Ok(Signal::Comment(_)))) {}
            sleep(PAUSE).await;
            let start = Instant::now();
            let error = signals.next().await.unwrap().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Timeout(limit), "{row}");
            let after = start.elapsed();
            assert!(
                after + TOLERANCE >= LIMIT,
                "{row}: {after:?} after the pause"
            );
        }
    }
}
