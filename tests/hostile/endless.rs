//! Bodies without an end.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::Relaxed},
};

use everstream::{Retry, Timeout};

use crate::*;

/// What counts against the limit on events is an error at the limit.
#[test]
fn an_endless_event_is_an_error_at_the_limit() {
    alone(async {
        let client = client();
        let limit = MIB;
        let endless = [
            ("data: ", "x"),
            ("id: ", "1"),
            ("event: ", "x"),
            ("retry: ", "1"),
            ("data: \u{fffd}", "\u{ff}"),
            ("", "data:\n"),
            ("", "data: x\rdata: y\r\n"),
            ("", "id: 1\nevent: x\n"),
        ];
        for (start, unit) in endless {
            let first = "id: 7\ndata: a\n\n";
            let reply = events(first).raw(start).repeat(unit, None);
            let server = Server::script_then([], reply).await;
            let what = format!("an endless event of {start:?} and {unit:?}, limit 1 MiB");
            // An ID is stored both undecoded and decoded; anything else takes less.
            let room = 2 * limit + CONNECTION;

            let asked = answer(&client, &server).max_event_bytes(limit);
            let told = within(room, &what, whole(asked)).await;
            assert_eq!(told.data, ["a"], "{what}");
            assert_eq!(told.kind(), Some(ErrorKind::EventTooLarge), "{what}");
            assert_eq!(told.error.unwrap().events_before(), 1);
            server.wait_until_closed().await;
            assert_eq!(server.requests().len(), 1, "{what}");

            // Another connection would get the same, so there is no reconnection.
            let feed = source(&client, &server).max_event_bytes(limit);
            let told = within(room, &what, life(feed.build().unwrap())).await;
            assert_eq!(told.data, ["a"], "{what}");
            assert_eq!(told.kind(), Some(ErrorKind::EventTooLarge), "{what}");
            assert!(told.causes.is_empty());
            server.wait_until_closed().await;
            assert_eq!(server.requests().len(), 2, "{what}");
        }
    });
}

/// What does not count for the size limit takes no memory, and the event time limit ends it.
#[test]
fn endless_noise_takes_constant_memory_and_ends_at_the_event_limit() {
    alone(async {
        let client = client();
        let limit = Duration::from_millis(50);
        let endless = [
            (":", "x"),
            ("", ":\n"),
            ("", ": a comment\n\n"),
            ("x", "x"),
            ("unknown: ", "x"),
            ("", "unknown: x\n"),
            ("", "\n"),
            ("", "\r"),
            ("", "event: x\n\n"),
            ("", "retry: 1\n\n"),
        ];
        for (start, unit) in endless {
            // The server uses the ID, so that the number of requests does not matter.
            let server = Server::start(move |request| match request.last_event_id() {
                None => {
                    let first = format!("id: 1\ndata: a\n\n{start}");
                    in_one("", &first).repeat(unit, None)
                }
                Some("1") => in_one("", "id: 2\ndata: b\n\n"),
                _ => Reply::status(204),
            })
            .await;
            let what = format!("endless {start:?} and {unit:?}");

            let asked = answer(&client, &server).event_timeout(limit);
            let read = async {
                let mut events = asked.await.unwrap();
                assert_eq!(events.next().await.unwrap().unwrap().data(), "a");
                events.next().await.unwrap().unwrap_err()
            };
            let error = within(CONNECTION, &what, read).await;
            assert_eq!(error.kind(), ErrorKind::Timeout(Timeout::Event), "{what}");
            assert_eq!(error.events_before(), 1);
            server.wait_until_closed().await;
            assert_eq!(server.requests().len(), 1);

            let losses = Arc::new(AtomicUsize::new(0));
            let counted = Arc::clone(&losses);
            let mut feed = source(&client, &server)
                .event_timeout(limit)
                .retry_when(move |failure| {
                    let kind = failure.error().kind();
                    assert_eq!(kind, ErrorKind::Timeout(Timeout::Event));
                    counted.fetch_add(1, Relaxed);
                    Retry::Default
                })
                .build()
                .unwrap();
            let read = async {
                let mut data = Vec::new();
                while let Some(event) = feed.next().await {
                    data.push(event.unwrap().into_data());
                }
                data
            };
            let data = within(CONNECTION, &what, read).await;
            assert_eq!(data, ["a", "b"], "{what}");
            // A request for each loss, the end of the second stream and the 204; no others.
            let losses = losses.load(Relaxed);
            assert!(losses >= 1, "{what}");
            assert_eq!(server.requests().len(), 1 + losses + 2, "{what}");
            server.wait_until_closed().await;
        }
    });
}

/// A comment of 64 MiB is skipped, and reported.
#[test]
fn a_very_long_comment_that_ends_is_skipped() {
    alone(async {
        let client = client();
        let long = 64 * MIB as u64;
        let reply = events(":").repeat("x", long).raw("\ndata: a\n\n");
        let server = Server::script([reply]).await;
        let what = "a comment of 64 MiB";
        let told = within(CONNECTION, what, whole(answer(&client, &server))).await;
        assert_eq!(told.skipped, [long]);
        assert_eq!(told.data, ["a"]);
        assert!(told.error.is_none());
    });
}

/// Noise that arrives faster than it is read is never waited for, but the time it takes to skip it
/// counts nevertheless.
#[test]
fn noise_faster_than_the_reader_does_not_hide_a_stall() {
    use everstream::{
        bytes::Bytes,
        http::{HeaderMap, HeaderValue, StatusCode, header::CONTENT_TYPE},
        transport::{Body, Response},
    };
    use futures_util::{Stream, stream};

    /// More than anyone reads in the time.
    const MUCH: usize = 20_000_000;

    fn flood(unit: &'static str) -> EventStreamBuilder {
        let chunks = stream::repeat(Bytes::from_static(unit.as_bytes()));
        let body = Body::new(chunks.map(Ok::<_, Error>));
        let event_stream = HeaderValue::from_static("text/event-stream");
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, event_stream)]);
        EventStreamBuilder::new(async { Ok(Response::new(StatusCode::OK, headers, body)) })
    }

    async fn end<T>(mut stream: impl Stream<Item = Result<T, Error>> + Unpin) -> ErrorKind {
        for _ in 0..MUCH {
            if let Err(error) = stream.next().await.expect("no end") {
                return error.kind();
            }
        }
        panic!("it goes on")
    }

    alone(async {
        let limit = Duration::from_millis(20);
        let comments = flood(": c\n\n").event_timeout(limit).await.unwrap();
        let kind = end(comments.signals()).await;
        assert_eq!(kind, ErrorKind::Timeout(Timeout::Event));

        let comments = flood(": c\n\n").first_event_timeout(limit).await.unwrap();
        let kind = end(comments.signals()).await;
        assert_eq!(kind, ErrorKind::Timeout(Timeout::FirstEvent));

        let pings = flood("event: ping\ndata\n\n").event_timeout(limit);
        let pings = pings.progress_when(|event| event.event_type() != "ping");
        let kind = end(pings.await.unwrap()).await;
        assert_eq!(kind, ErrorKind::Timeout(Timeout::Event));
    });
}
