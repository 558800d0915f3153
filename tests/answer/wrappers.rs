//! The laws that every wrapper of an answer keeps, whatever it wraps: it is terminated once it has
//! nothing more to yield, it closes the connection with its last item, and its own errors name the
//! URL.

use std::{
    fmt::Debug,
    io,
    sync::{Arc, Weak},
};

use everstream::{
    Contract, Error, Event, EventStream, EventStreamBuilder, JsonSignal, Signal, Unfinished,
    bytes::Bytes,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    transport::{Body, Response},
};
use futures_util::{
    FutureExt, StreamExt, future,
    stream::{self, FusedStream},
};

const URL: &str = "http://example.test/answer";

/// What a body does after its events.
#[derive(Clone, Copy, Debug, PartialEq)]
enum End {
    /// It has the last event of the answer, and never ends.
    GoesOn,
    /// It ends before the last event.
    EndsEarly,
    /// It breaks off before the last event.
    Breaks,
}

/// An answer of `1`, `2` and perhaps `9`, and a witness that lives as long as its connection.
async fn answer(body: End) -> (EventStream, Weak<()>) {
    let connection = Arc::new(());
    let witness = Arc::downgrade(&connection);
    let reset = || Err(io::ErrorKind::ConnectionReset.into());
    let (last, rest) = match body {
        End::GoesOn => ("data: 9\n\n", stream::pending().boxed()),
        End::EndsEarly => ("", stream::empty().boxed()),
        End::Breaks => ("", stream::iter([reset()]).boxed()),
    };
    let chunks = stream::iter([Ok::<_, io::Error>(format!("data: 1\n\ndata: 2\n\n{last}"))]);
    let chunks = chunks
        .chain(rest)
        .inspect(move |_| assert_eq!(Arc::strong_count(&connection), 1));
    let stream = HeaderValue::from_static("text/event-stream");
    let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, stream)]);
    let response = Response::new(StatusCode::OK, headers, Body::new(chunks)).with_url(URL);
    let events = EventStreamBuilder::new(async { Ok(response) }).await;
    (events.unwrap(), witness)
}

/// An item of any of the streams, as the number in its event.
trait Item: Debug {
    fn number(self) -> Option<String>;
}

impl Item for Event {
    fn number(self) -> Option<String> {
        Some(self.into_data())
    }
}

impl Item for Signal {
    fn number(self) -> Option<String> {
        match self {
            Self::Event(event) => Some(event.into_data()),
            _ => None,
        }
    }
}

impl Item for u32 {
    fn number(self) -> Option<String> {
        Some(self.to_string())
    }
}

impl Item for JsonSignal<u32> {
    fn number(self) -> Option<String> {
        match self {
            Self::Event(number) => Some(number.to_string()),
            _ => None,
        }
    }
}

async fn check<S, I>(row: String, mut stream: S, connection: Weak<()>, expected: &[&str])
where
    S: FusedStream<Item = Result<I, Error>> + Unpin,
    I: Item,
{
    let mut seen = Vec::new();
    loop {
        assert!(!stream.is_terminated(), "{row}: after {seen:?}");
        match stream.next().await {
            Some(Ok(item)) => seen.extend(item.number()),
            Some(Err(error)) => {
                assert_eq!(error.url(), Some(URL), "{row}");
                assert_eq!(error.events_before(), 2, "{row}");
                seen.push(format!("{:?}", error.kind()));
                assert_eq!(connection.strong_count(), 0, "{row}: after its error");
                assert!(stream.next().await.is_none(), "{row}: after its error");
                break;
            }
            None => break,
        }
    }
    assert_eq!(seen, expected, "{row}");
    assert!(stream.is_terminated(), "{row}: after its end");
    assert!(stream.next().await.is_none(), "{row}: after its end");
    assert_eq!(connection.strong_count(), 0, "{row}: after its end");
}

fn is_last(event: &Event) -> bool {
    event.data() == "9"
}

/// Checks all wrappers around `inner`, and their numbers.
macro_rules! check_around {
    ($name:literal, $inner:expr) => {
        for body in [End::GoesOn, End::EndsEarly, End::Breaks] {
            let row = |outer| format!("{outer} around {}, {body:?}", $name);
            let incomplete: &[&str] = &["1", "2", "Incomplete"];
            let broken: &[&str] = &["1", "2", "Body"];
            let (whole, marked, failed) = match body {
                End::GoesOn => (
                    ["1", "2", "9"].as_slice(),
                    ["1", "2"].as_slice(),
                    ["1", "2", "ErrorEvent"].as_slice(),
                ),
                End::Breaks => (broken, broken, broken),
                End::EndsEarly if $name == "complete_when" => (incomplete, incomplete, incomplete),
                End::EndsEarly => (incomplete, incomplete, ["1", "2"].as_slice()),
            };
            macro_rules! row {
                ($outer:literal, $expected:expr, $wrap:ident($last:expr)) => {
                    let (events, connection) = answer(body).await;
                    let wrapped = $inner(events).$wrap($last);
                    check(row($outer), wrapped, connection, $expected).await;
                    let (events, connection) = answer(body).await;
                    let json = $inner(events).$wrap($last).json::<u32>();
                    check(
                        row(concat!("json of ", $outer)),
                        json,
                        connection,
                        $expected,
                    )
                    .await;
                };
            }
            let contract = || Contract::new().complete_when(is_last);
            let errors = || Contract::new().error_when(is_last).or_at_end();
            row!("complete_when", whole, complete_when(is_last));
            row!("complete_on_data", marked, complete_on_data("9"));
            row!("error_when", failed, error_when(is_last));
            row!("contract", whole, contract(contract()));
            row!("a contract's error", failed, contract(errors()));
        }
    };
}

#[tokio::test]
async fn every_wrapper_of_every_wrapper_keeps_the_laws() {
    let at_end = || Contract::new().or_at_end();
    check_around!("nothing", |it: EventStream| it);
    check_around!("signals", EventStream::signals);
    check_around!("complete_when", |it: EventStream| it
        .complete_when(|_| false));
    check_around!("error_when", |it: EventStream| it.error_when(|_| false));
    check_around!("a contract", |it: EventStream| it.contract(at_end()));
}

#[tokio::test]
async fn an_answer_without_wrappers_keeps_the_laws() {
    for (body, expected) in [
        (End::EndsEarly, ["1", "2"].as_slice()),
        (End::Breaks, &["1", "2", "Body"]),
    ] {
        let (events, connection) = answer(body).await;
        check("events".into(), events, connection, expected).await;
        let (events, connection) = answer(body).await;
        check("signals".into(), events.signals(), connection, expected).await;
        let (events, connection) = answer(body).await;
        check("json".into(), events.json::<u32>(), connection, expected).await;
    }
}

/// No buffer of the HTTP client is held while the stream waits for more.
#[tokio::test]
async fn a_chunk_is_dropped_once_its_last_event_was_yielded() {
    for events in ["data: a\n\n", "data: a\n\n:\n\n", "data: a\n\n\n"] {
        for face in ["next_event", "next_event_ref", "next_signal"] {
            let chunk = Bytes::from(events.to_owned());
            let chunks = stream::iter([Ok::<_, Error>(chunk.clone())]).chain(stream::pending());
            let mut stream = EventStream::new(chunks);
            let event = match face {
                "next_event" => stream.next_event().await.unwrap().unwrap(),
                "next_event_ref" => stream.next_event_ref().await.unwrap().unwrap().to_owned(),
                _ => match stream.next_signal().await.unwrap() {
                    Some(Signal::Event(event)) => event,
                    other => panic!("{other:?}"),
                },
            };
            assert_eq!(event.data(), "a");
            // An event that was borrowed may be looked at until the next poll.
            let is_searched = events.ends_with("a\n\n") && face != "next_event_ref";
            assert!(!is_searched || chunk.is_unique(), "{events:?}, {face}");
            while let Some(Ok(Some(_))) = stream.next_signal().now_or_never() {}
            assert!(chunk.is_unique(), "{events:?}, {face}");
        }
    }
}

/// What a contract keeps from the events is among the signals.
#[tokio::test]
async fn a_keep_alive_is_a_signal_and_not_an_event() {
    const BODY: &str =
        "event: ping\ndata: {}\n\nevent: text\ndata: a\n\nevent: message_stop\ndata: {}\n\n";
    let answer = || EventStream::new(stream::iter([Ok::<_, Error>(BODY)]));
    let contract = Contract::anthropic_messages;
    let events = answer().contract(contract());
    let types: Vec<_> = events
        .map(|event| event.unwrap().event_type().to_owned())
        .collect()
        .await;
    assert_eq!(types, ["text", "message_stop"]);
    let signals = answer().signals().contract(contract());
    let types: Vec<_> = signals
        .map(|signal| match signal.unwrap() {
            Signal::Event(event) => event.event_type().to_owned(),
            Signal::KeepAlive(event) => format!("kept alive by {}", event.event_type()),
            other => panic!("{other:?}"),
        })
        .collect()
        .await;
    assert_eq!(types, ["kept alive by ping", "text", "message_stop"]);
}

/// What to do with an unfinished event says nothing of a body that has none.
#[tokio::test]
async fn only_an_unfinished_event_is_dispatched_or_an_error() {
    use Unfinished::{Discard, Dispatch, Error as Fail};

    for (rest, policy, expected) in [
        ("", Discard, ["a"].as_slice()),
        ("", Dispatch, &["a"]),
        ("", Fail, &["a"]),
        (":\n", Fail, &["a"]),
        ("data: b", Discard, &["a"]),
        ("data: b", Dispatch, &["a", "b"]),
        ("data: b", Fail, &["a", "Incomplete"]),
        ("data: b\n", Discard, &["a"]),
        ("data: b\n", Dispatch, &["a", "b"]),
        ("data: b\n", Fail, &["a", "Incomplete"]),
    ] {
        let answer = || {
            let chunks = stream::iter([Ok::<_, Error>(format!("data: a\n\n{rest}"))]);
            EventStream::builder(chunks).unfinished(policy).build()
        };
        let told = |item: Result<Option<String>, Error>| match item {
            Ok(data) => data,
            Err(error) => Some(format!("{:?}", error.kind())),
        };
        let events = answer().map(|event| told(event.map(Item::number)));
        let signals = answer()
            .signals()
            .map(|signal| told(signal.map(Item::number)));
        for seen in [events.left_stream(), signals.right_stream()] {
            let seen: Vec<_> = seen.filter_map(future::ready).collect().await;
            assert_eq!(seen, expected, "{rest:?}, {policy:?}");
        }
    }
}

/// Each event is yielded once, whoever asks for the next one.
#[tokio::test]
async fn the_ways_to_ask_for_an_event_can_be_mixed() {
    const BODY: &str = "data: 0\n\ndata: 1\n\ndata: 2\n\ndata: 3\n\n";
    for order in 0..3_u32.pow(4) {
        for bytes in [1, 10, BODY.len()] {
            let chunks = BODY.as_bytes().chunks(bytes).map(Bytes::from_static);
            let mut stream = EventStream::new(stream::iter(chunks.map(Ok::<_, Error>)));
            for turn in 0..4 {
                let data = match order / 3_u32.pow(turn) % 3 {
                    0 => stream.next_event().await.unwrap().unwrap().into_data(),
                    1 => {
                        let event = stream.next_event_ref().await.unwrap().unwrap();
                        event.data().to_owned()
                    }
                    _ => match stream.next_signal().await.unwrap() {
                        Some(Signal::Event(event)) => event.into_data(),
                        other => panic!("{other:?}"),
                    },
                };
                assert_eq!(
                    data,
                    turn.to_string(),
                    "order {order}, {bytes} bytes at once"
                );
            }
            assert!(stream.next_event_ref().await.unwrap().is_none());
            assert!(stream.next_event().await.unwrap().is_none());
        }
    }
}
