//! Time limits, on a paused clock and an in-memory body.

use std::{pin::pin, sync::Arc, task::Poll, time::Duration};

use everstream::{
    Contract, Error, ErrorKind, EventStream, EventStreamBuilder, Signal, Timeout,
    bytes::Bytes,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    transport::{Body, Response},
};
use futures_util::{StreamExt, TryStreamExt, stream};
use tokio::time::{Instant, advance, sleep};

const SECOND: Duration = Duration::from_secs(1);

fn response(body: Body) -> Response {
    let stream = HeaderValue::from_static("text/event-stream");
    let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, stream)]);
    Response::new(StatusCode::OK, headers, body)
}

/// A response that sends each piece the given number of seconds after the previous one, then
/// nothing.
fn answer(pieces: &'static [(u64, &'static str)]) -> EventStreamBuilder {
    let chunks = stream::iter(pieces).then(|(seconds, piece)| async move {
        sleep(SECOND * *seconds as u32).await;
        Ok::<_, Error>(Bytes::from_static(piece.as_bytes()))
    });
    let body = Body::new(chunks.chain(stream::pending()));
    EventStreamBuilder::new(async { Ok(response(body)) })
}

/// What the stream yields, and at which second.
async fn times(mut events: EventStream) -> (Vec<(u64, String)>, u64, Error) {
    let start = Instant::now();
    let mut seen = Vec::new();
    loop {
        match events.try_next().await {
            Ok(Some(event)) => seen.push((start.elapsed().as_secs(), event.into_data())),
            Ok(None) => panic!("these bodies do not end"),
            Err(error) => return (seen, start.elapsed().as_secs(), error),
        }
    }
}

fn kind(timeout: Timeout) -> ErrorKind {
    ErrorKind::Timeout(timeout)
}

#[tokio::test(start_paused = true)]
async fn silence_for_five_minutes_is_an_error_by_default() {
    let events = answer(&[(1, "data: a\n\n"), (299, ": alive\n"), (299, "data: b\n\n")]);
    let (seen, at, error) = times(events.await.unwrap()).await;
    assert_eq!(seen, [(1, "a".into()), (599, "b".into())]);
    assert_eq!((error.kind(), at), (kind(Timeout::Idle), 899));
    assert_eq!(error.events_before(), 2);
}

#[tokio::test(start_paused = true)]
async fn the_idle_limit_can_be_disabled() {
    let week = 7 * 24 * 60 * 60;
    let events = EventStreamBuilder::new(async move {
        let chunks = stream::once(async move {
            sleep(Duration::from_secs(week)).await;
            Ok::<_, Error>("data: a\n\n")
        });
        Ok(response(Body::new(chunks)))
    });
    let mut events = events.idle_timeout(None).await.unwrap();
    assert_eq!(events.try_next().await.unwrap().unwrap().data(), "a");
    assert!(events.try_next().await.unwrap().is_none());
}

#[tokio::test(start_paused = true)]
async fn comments_do_not_hide_a_stall() {
    let comments = &[
        (1, "data: a\n\n"),
        (9, ": x\n"),
        (9, ": x\n"),
        (9, ": x\n"),
        (9, ": x\n"),
    ];
    let events = answer(comments).event_timeout(SECOND * 30);
    let (seen, at, error) = times(events.await.unwrap()).await;
    assert_eq!(seen.len(), 1);
    assert_eq!((error.kind(), at), (kind(Timeout::Event), 31));
}

#[tokio::test(start_paused = true)]
async fn progress_when_decides_which_events_are_progress() {
    const PING: &str = "event: ping\ndata: {}\n\n";
    let events = answer(&[
        (1, "data: a\n\n"),
        (9, PING),
        (9, PING),
        (9, PING),
        (9, PING),
    ])
    .event_timeout(SECOND * 30)
    .progress_when(|event| event.event_type() != "ping");
    let (seen, at, error) = times(events.await.unwrap()).await;
    assert_eq!(seen.len(), 4);
    assert_eq!((error.kind(), at), (kind(Timeout::Event), 31));
}

#[tokio::test(start_paused = true)]
async fn the_first_event_has_its_own_limit() {
    let events = answer(&[(9, ": x\n"), (9, ": x\n")]).first_event_timeout(SECOND * 10);
    let (seen, at, error) = times(events.await.unwrap()).await;
    assert_eq!(seen, []);
    assert_eq!((error.kind(), at), (kind(Timeout::FirstEvent), 10));

    let events =
        answer(&[(9, "data: a\n\n"), (100, "data: b\n\n")]).first_event_timeout(SECOND * 10);
    let (seen, at, error) = times(events.await.unwrap()).await;
    assert_eq!(seen.len(), 2, "no limit after the first");
    assert_eq!((error.kind(), at), (kind(Timeout::Idle), 409));
}

#[tokio::test(start_paused = true)]
async fn headers_timeout_replaces_the_idle_limit_for_headers() {
    for (headers, idle, expected, at) in [
        (Some(10), Some(300), Timeout::Headers, 10),
        (Some(600), Some(300), Timeout::Headers, 600),
        (Some(600), None, Timeout::Headers, 600),
    ] {
        let start = Instant::now();
        let error = EventStreamBuilder::new(std::future::pending())
            .headers_timeout(headers.map(Duration::from_secs))
            .idle_timeout(idle.map(Duration::from_secs))
            .await
            .unwrap_err();
        assert_eq!(
            (error.kind(), start.elapsed().as_secs()),
            (kind(expected), at)
        );
    }
}

/// By default, the idle limit applies to the headers too; `None` waits for them without a limit.
#[tokio::test(start_paused = true)]
async fn headers_timeout_can_be_disabled() {
    let slow = || {
        EventStreamBuilder::new(async {
            sleep(SECOND * 3600).await;
            Ok(response(Body::empty()))
        })
    };
    let error = slow().await.unwrap_err();
    assert_eq!(error.kind(), kind(Timeout::Idle));
    assert!(slow().headers_timeout(None).await.is_ok());
    assert!(slow().idle_timeout(None).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_pause_in_user_code_is_never_a_timeout() {
    let (sender, mut receiver) = tokio::sync::mpsc::unbounded_channel();
    let chunks = stream::poll_fn(move |cx| receiver.poll_recv(cx));
    let body = Body::new(chunks.map(Ok::<_, Error>));
    let mut events = EventStreamBuilder::new(async { Ok(response(body)) })
        .idle_timeout(SECOND)
        .event_timeout(SECOND)
        .first_event_timeout(SECOND)
        .await
        .unwrap();
    for round in 0..3 {
        // The stream was polled and had nothing; then the user does something else.
        assert!(futures_util::poll!(events.next()).is_pending());
        sender.send(Bytes::from("data: a\n\ndata: b\n\n")).unwrap();
        sleep(SECOND * 600).await;
        for data in ["a", "b"] {
            let event = events.try_next().await.unwrap().unwrap();
            assert_eq!(event.data(), data, "in round {round}");
            sleep(SECOND * 600).await;
        }
    }
    let start = Instant::now();
    assert!(events.try_next().await.unwrap_err().is_timeout());
    assert_eq!(start.elapsed().as_secs(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_never_pauses_lets_others_run() {
    let endless = stream::repeat_with(|| Ok::<_, Error>(Bytes::from_static(b": x\n")));
    let mut events = EventStream::new(endless);
    // A limit would never be noticed if the stream did not yield.
    let outcome = tokio::time::timeout(SECOND, events.next());
    let yields = async {
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        biased;
        _ = outcome => panic!("there is no event"),
        () = yields => {}
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_that_never_pauses_is_read_without_delay() {
    let comments = std::iter::repeat_n(": x\n", 1000);
    let chunks = stream::iter(comments.chain(["data: a\n\n"]).map(Ok::<_, Error>));
    let start = Instant::now();
    let mut events = EventStream::new(chunks);
    assert_eq!(events.try_next().await.unwrap().unwrap().data(), "a");
    assert_eq!(start.elapsed(), Duration::ZERO);
}

const PING: &str = "event: ping\ndata: p\n\n";

/// An answer that never makes its reader wait: each piece is ready when it is polled, which takes
/// ten seconds.
fn busy(pieces: impl Iterator<Item = &'static str> + Send + 'static) -> EventStreamBuilder {
    let mut pieces = pieces;
    let chunks = stream::poll_fn(move |cx| {
        let _ = pin!(advance(SECOND * 10)).poll(cx);
        Poll::Ready(pieces.next().map(Ok::<_, Error>))
    });
    EventStreamBuilder::new(async { Ok(response(Body::new(chunks))) })
}

/// Endless input without progress does not prevent the limit from being checked.
#[tokio::test(start_paused = true)]
async fn pings_that_are_always_ready_do_not_hide_a_stall() {
    let events = busy(std::iter::once("data: a\n\n").chain(std::iter::repeat(PING)))
        .event_timeout(SECOND * 30)
        .progress_when(|event| event.event_type() != "ping");
    let (seen, at, error) = times(events.await.unwrap()).await;
    // The limit has passed with the fourth. One more chunk is read, because it may have arrived in
    // time.
    let pings = (2..=6).map(|n| (n * 10, "p".to_owned()));
    let expected: Vec<_> = std::iter::once((10, "a".to_owned())).chain(pings).collect();
    assert_eq!(seen, expected);
    assert_eq!((error.kind(), at), (kind(Timeout::Event), 60));
}

/// What has arrived is yielded, even if the limit has passed in the meantime.
#[tokio::test(start_paused = true)]
async fn an_event_in_the_current_chunk_is_in_time() {
    let pings = || std::iter::repeat_n(PING, 4);
    let pieces = pings()
        .chain(["data: a\n\n"])
        .chain(pings())
        .chain(["data: b\n\n"]);
    let mut events = busy(pieces)
        .event_timeout(SECOND * 30)
        .progress_when(|event| event.event_type() != "ping")
        .await
        .unwrap();
    let mut seen = String::new();
    while let Some(event) = events.try_next().await.unwrap() {
        seen += event.data();
    }
    assert_eq!(seen, "ppppappppb");
}

/// If the user asks for signals, a comment is yielded too.
#[tokio::test(start_paused = true)]
async fn comments_that_are_always_ready_do_not_hide_a_stall() {
    for (event, expected) in [
        (None, Timeout::FirstEvent),
        (Some("data: a\n\n"), Timeout::Event),
    ] {
        let pieces = event.into_iter().chain(std::iter::repeat(": x\n"));
        let events = busy(pieces)
            .first_event_timeout(SECOND * 20)
            .event_timeout(SECOND * 40);
        let mut signals = events.await.unwrap().signals();
        let mut comments = 0;
        let error = loop {
            match signals.next().await.unwrap() {
                Ok(Signal::Comment(_)) => comments += 1,
                Ok(_) => {}
                Err(error) => break error,
            }
        };
        assert_eq!(error.kind(), kind(expected));
        assert_eq!(comments, if event.is_some() { 6 } else { 4 });
    }
}

#[tokio::test(start_paused = true)]
async fn an_oversized_event_closes_the_connection() {
    let held = Arc::new(());
    let connection = Arc::clone(&held);
    let chunks = stream::iter([Ok::<_, Error>("data: 1234567890\n\n")]).chain(stream::pending());
    let chunks = chunks.inspect(move |_| assert!(Arc::strong_count(&connection) > 1));
    let events =
        EventStreamBuilder::new(async { Ok(response(Body::new(chunks))) }).max_event_bytes(8);
    let mut events = events.await.unwrap();
    assert_eq!(Arc::strong_count(&held), 2);
    let error = events.try_next().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::EventTooLarge);
    assert_eq!(Arc::strong_count(&held), 1);
    assert!(events.try_next().await.unwrap().is_none());
}

/// Under a contract, only what is not a keep-alive restarts the limit on events.
#[tokio::test(start_paused = true)]
async fn a_contract_tells_progress_from_keep_alives() {
    const PING: &str = "event: ping\ndata: {\"type\":\"ping\"}\n\n";
    const TEXT: &str = "event: content_block_delta\ndata: {}\n\n";
    let rows: [(&[_], _); 3] = [
        (&[(1, TEXT), (9, PING), (9, PING), (9, PING)], (1, 21)),
        (&[(15, TEXT), (15, TEXT), (15, TEXT)], (3, 65)),
        (&[(15, TEXT), (9, PING), (9, TEXT), (9, PING)], (2, 53)),
    ];
    for (pieces, expected) in rows {
        let mut answer = answer(pieces)
            .contract(Contract::anthropic_messages())
            .event_timeout(20 * SECOND)
            .await
            .unwrap();
        let start = Instant::now();
        let mut events = 0;
        let error = loop {
            match answer.next_event().await {
                Ok(event) => events += u32::from(event.is_some()),
                Err(error) => break error,
            }
        };
        assert_eq!(error.kind(), kind(Timeout::Event), "{pieces:?}");
        assert_eq!((events, start.elapsed().as_secs()), expected, "{pieces:?}");
    }
}

/// Silence is named before the want of an event, and the first event before the next one.
#[tokio::test(start_paused = true)]
async fn limits_that_pass_at_once_have_an_order() {
    for (idle, first_event, event, named) in [
        (true, true, true, Timeout::Idle),
        (true, true, false, Timeout::Idle),
        (true, false, true, Timeout::Idle),
        (false, true, true, Timeout::FirstEvent),
        (false, false, true, Timeout::Event),
    ] {
        let limit = |set: bool| set.then_some(10 * SECOND);
        let events = answer(&[])
            .idle_timeout(limit(idle))
            .first_event_timeout(limit(first_event))
            .event_timeout(limit(event))
            .await
            .unwrap();
        let (_, at, error) = times(events).await;
        assert_eq!((error.kind(), at), (kind(named), 10));
    }
}
