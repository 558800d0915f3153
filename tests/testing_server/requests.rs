//! Requests: what the server records, expects and reports.

use everstream::testing::{Reply, Server};

use crate::{LAST, exchange, soon, written};

/// The message with which `verify` panics.
fn verdict(server: &Server) -> String {
    let check = std::panic::AssertUnwindSafe(|| server.verify());
    let panic = std::panic::catch_unwind(check).expect_err("a panic");
    *panic.downcast::<String>().expect("a formatted message")
}

#[tokio::test]
async fn requests_are_recorded_completely() {
    let server = Server::script([Reply::status(200)]).await;
    let request = reqwest::Client::new().post(server.url("feed?x=1"));
    let request = request.header("Last-Event-ID", "grün").body("a body");
    assert_eq!(request.send().await.unwrap().status(), 200);
    // The script is at its end.
    assert_eq!(reqwest::get(server.url("/")).await.unwrap().status(), 204);

    soon(server.wait_for_requests(2)).await;
    let requests = server.requests();
    let [first, second] = requests.as_slice() else {
        panic!("two, not {requests:?}")
    };
    assert_eq!(
        (first.method().as_str(), first.target()),
        ("POST", "/feed?x=1")
    );
    assert_eq!(first.path(), "/feed");
    assert_eq!(first.last_event_id(), Some("grün"));
    assert_eq!(first.header_bytes("last-event-id"), Some("grün".as_bytes()));
    assert_eq!(first.headers().get("content-length").unwrap(), "6");
    assert_eq!(first.body(), "a body");
    assert_eq!((second.last_event_id(), second.body().len()), (None, 0));

    assert_eq!(server.take_requests().len(), 2);
    assert!(server.requests().is_empty());
    assert_eq!(reqwest::get(server.url("/")).await.unwrap().status(), 204);
    assert_eq!(server.take_requests()[0].number(), 2);
}

#[tokio::test]
async fn a_script_may_end_with_another_reply() {
    let server = Server::script_then([Reply::status(200)], Reply::status(503)).await;
    for status in [200, 503, 503] {
        assert_eq!(
            reqwest::get(server.url("/")).await.unwrap().status(),
            status
        );
    }
    server.verify();
}

#[tokio::test]
async fn expectations_are_checked_and_recorded() {
    let request = "POST /a HTTP/1.1\r\nconnection: close\r\nlast-event-id: 42\r\n\
                   x-twice: 1\r\nx-twice: 2\r\n\r\n";
    let reply = || Reply::status(200);
    let met = [
        reply().expect_last_event_id("42"),
        reply()
            .expect_header("LAST-event-id", "42")
            .expect_no_header("x-none"),
        reply().expect_method("POST").expect_target("/a"),
    ];
    for reply in met {
        assert!(written(reply, request).await.starts_with("HTTP/1.1 200 "));
    }
    let unmet = [
        (
            reply().expect_last_event_id("43"),
            r#"expected last-event-id: [b"43"], got: ["42"]"#,
        ),
        (
            reply().expect_no_last_event_id(),
            r#"expected last-event-id: [], got: ["42"]"#,
        ),
        (
            reply().expect_header("x-none", ""),
            r#"expected x-none: [b""], got: []"#,
        ),
        (
            reply().expect_header("x-twice", "1"),
            r#"expected x-twice: [b"1"], got: ["1", "2"]"#,
        ),
        (
            reply().expect_method("GET"),
            r#"expected method "GET", got "POST""#,
        ),
        (
            reply().expect_target("/b"),
            r#"expected target "/b", got "/a""#,
        ),
    ];
    for (reply, complaint) in unmet {
        let server = Server::script([reply]).await;
        let wire = exchange(&server, request).await;
        assert!(wire.starts_with("HTTP/1.1 500 "), "{wire}");
        assert!(wire.contains(complaint), "{wire}");
        let verdict = verdict(&server);
        assert!(
            verdict.contains(&format!("request 0 (POST /a): {complaint}")),
            "{verdict}"
        );
    }
}

#[tokio::test]
async fn unused_replies_are_reported() {
    let server = Server::script([Reply::status(200), Reply::status(200)]).await;
    exchange(&server, LAST).await;
    assert!(verdict(&server).contains("2 replies were scripted, 1 were used"));
}

#[tokio::test]
async fn an_invalid_request_is_rejected_and_reported() {
    let server = Server::script([]).await;
    let wire = exchange(&server, "GET / HTTP/1.1\r\nLast-Event-ID: a\0b\r\n\r\n").await;
    assert!(wire.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{wire}");
    assert!(server.requests().is_empty());
    let verdict = verdict(&server);
    assert!(
        verdict.contains("connection 0: not a request: invalid header value"),
        "{verdict}"
    );
}

#[tokio::test]
async fn a_panic_in_the_handler_is_reported() {
    let server = Server::start(|request| panic!("no answer to {}", request.target())).await;
    let wire = exchange(&server, LAST).await;
    assert!(wire.starts_with("HTTP/1.1 500 "), "{wire}");
    assert!(verdict(&server).contains("the handler panicked: no answer to /"));

    // Once reported, it is not reported again. A new one is reported when the server is dropped.
    server.verify();
    exchange(&server, LAST).await;
    let dropped = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| drop(server)));
    assert!(dropped.is_err());
}
