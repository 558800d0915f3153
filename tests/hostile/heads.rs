//! Endless heads, chunks and trailers, and what else HTTP has before and after a body.

use everstream::Timeout;

use crate::*;

fn raw(start: &str, unit: &str) -> Reply {
    Reply::raw_response(start).repeat(unit, None)
}

/// Enough to keep a tolerant HTTP client busy; then silence.
const MUCH: u64 = MIB as u64;

/// An endless head is an error of the HTTP client, or exceeds the headers limit; in both cases the
/// attempts are counted.
#[test]
fn an_endless_head_is_an_error() {
    alone(async {
        let client = client();
        let ok = "HTTP/1.1 200 OK\r\n";
        let endless = [
            ("headers", Reply::events().endless_headers()),
            ("header value", raw(&format!("{ok}x: "), "x")),
            ("header name", raw(ok, "x")),
            ("reason", raw("HTTP/1.1 200 ", "x")),
            ("nothing HTTP knows", raw("", "x")),
            ("blank lines", raw("", "\r\n")),
            (
                "1xx",
                Reply::refuse()
                    .repeat("HTTP/1.1 103 Early Hints\r\n\r\n", MUCH)
                    .hold(),
            ),
        ];
        for (what, reply) in endless {
            let server = Server::script_then([], reply).await;
            let what = format!("an endless head: {what}");
            let limit = Duration::from_millis(200);
            let expected = |kind| {
                let timeout = ErrorKind::Timeout(Timeout::Headers);
                kind == Some(ErrorKind::Transport) || kind == Some(timeout)
            };

            let asked = answer(&client, &server).headers_timeout(limit);
            let told = within(CONNECTION, &what, whole(asked)).await;
            assert!(expected(told.kind()), "{what}: {:?}", told.error);
            server.wait_until_closed().await;
            assert!(server.requests().len() <= 1, "{what}");

            // Late headers are not initial failures: another limit ends it.
            let feed = source(&client, &server)
                .headers_timeout(limit)
                .max_consecutive_failures(3);
            let told = within(CONNECTION, &what, life(feed.build().unwrap())).await;
            assert!(expected(told.kind()), "{what}: {:?}", told.error);
            assert!(told.causes.iter().all(|cause| expected(*cause)));
            server.wait_until_closed().await;
            assert_eq!(told.causes.len(), 2, "{what}");
            // On a busy machine, the time may pass before a request has been read.
            assert!(server.requests().len() <= 1 + 3, "{what}");
        }
    });
}

/// The framing of chunks has parts that could be endless too.
#[test]
fn endless_framing_is_a_broken_body() {
    alone(async {
        let client = client();
        let chunk = "17\r\nid: 1\ndata: a\n\ndata: b\n\r\n";
        let endless = [
            ("a chunk's size", "", "0", Some(MUCH)),
            ("a chunk's extension", "5;", "x", None),
            ("a trailer", "0\r\nx: ", "x", None),
            ("trailers", "0\r\n", "x: y\r\n", None),
        ];
        for (what, start, unit, total) in endless {
            let head = "transfer-encoding: chunked\r\n";
            let reply = in_one(head, &format!("{chunk}{start}"))
                .repeat(unit, total)
                .hold();
            let server = Server::script([reply.clone(), reply]).await;
            let what = format!("endless chunks: {what}");
            let feed = source(&client, &server)
                // The HTTP client tolerates some of it, but it yields no event.
                .event_timeout(Duration::from_millis(500))
                .build();
            let told = within(CONNECTION, &what, life(feed.unwrap())).await;
            assert_eq!(told.data, ["a", "a"], "{what}");
            assert_eq!(told.causes.len(), 2, "{what}: {:?}", told.causes);
            let timeout = ErrorKind::Timeout(Timeout::Event);
            for cause in told.causes {
                assert!(cause == Some(ErrorKind::Body) || cause == Some(timeout));
            }
            assert!(told.error.is_none(), "{what}");
            assert_eq!(server.requests().len(), 3);
            assert_eq!(server.requests()[2].last_event_id(), Some("1"), "{what}");
            server.wait_until_closed().await;
        }
    });
}

/// Trailers, 1xx and a body after a 204 yield no events, and do not break the connection.
#[test]
fn framing_around_a_body_is_not_parsed() {
    alone(async {
        let client = client();
        let forged = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\ndata: forged\n\n";
        let server = Server::script([
            events("data: a\n\n").trailers([("data", "x"), ("last-event-id", "9"), ("retry", "1")]),
            (0..20).fold(events("data: b\n\n"), |reply, _| reply.informational(103)),
            events("data: c\n\n")
                .length_delimited()
                .trailers([("id", "9")]),
            Reply::status(204).force_body().until_close().raw(forged),
        ])
        .await;
        let what = "trailers, 1xx, a body after 204";
        let feed = source(&client, &server).build().unwrap();
        let told = within(CONNECTION, what, life(feed)).await;
        assert_eq!(told.data, ["a", "b", "c"]);
        assert_eq!(told.causes, [None; 3]);
        assert!(told.error.is_none());
        for request in server.requests() {
            assert_eq!(request.last_event_id(), None);
        }
        server.verify();

        // Bytes after the 204 are not the answer to a later request.
        let server = Server::script([
            Reply::status(204).force_body().until_close().raw(forged),
            events("data: true\n\n"),
        ])
        .await;
        let told = life(source(&client, &server).build().unwrap()).await;
        assert!(told.data.is_empty() && told.error.is_none());
        let told = whole(answer(&client, &server)).await;
        assert_eq!(told.data, ["true"]);

        let endless = Reply::status(204).force_body().repeat("data: x\n\n", None);
        let server = Server::script_then([], endless).await;
        let feed = source(&client, &server).build().unwrap();
        let told = within(CONNECTION, "an endless body after 204", life(feed)).await;
        assert!(told.data.is_empty() && told.error.is_none());
        server.wait_until_closed().await;
        assert_eq!(server.requests().len(), 1);
    });
}
