//! The files `request-*` and `eventsource-cross-origin*`: what is asked, and of whom.

use super::*;

#[tokio::test]
async fn headers() {
    let asked = |name: &str, value: &str| {
        let reply = stream("data: a\n\n").expect_header(name, value);
        [reply.clone(), reply]
    };
    let twice = || [Open, message("a"), Reconnecting(0), Open, message("a")];
    check(vec![
        row(
            "request-accept",
            asked("accept", "text/event-stream"),
            twice(),
        ),
        row(
            "request-cache-control",
            asked("cache-control", "no-cache"),
            twice(),
        ),
    ])
    .await;
}

#[tokio::test]
async fn redirects() {
    // The last one is not in their table, but in Fetch.
    let rows = [301, 302, 303, 307, 308].map(|status| {
        let moved = Reply::redirect(status, "/moved");
        let there = Reply::events().hold().expect_target("/moved");
        row("request-redirect", [moved, there], [Open])
    });
    check(rows.into()).await;
}

#[tokio::test]
async fn statuses() {
    let rows = [204, 205, 210, 299, 404, 410, 503].map(|status| {
        let reply = Reply::status(status).content_type("text/event-stream");
        let end = match status {
            204 => Closed,
            _ => Failed(ErrorKind::Status, Some(status)),
        };
        row("request-status-error", [reply.raw("data: x\n\n")], [end])
    });
    check(rows.into()).await;
}

/// `request-credentials`. Which cookies go where is the business of the HTTP client; without a jar
/// none is kept.
#[tokio::test]
async fn cookies() {
    for with_credentials in [true, false] {
        let second = stream("data: second\n\n");
        let second = match with_credentials {
            true => second.expect_header("cookie", "a=1"),
            false => second.expect_no_header("cookie"),
        };
        let first = stream("data: first\n\n").expect_no_header("cookie");
        let server = Server::script([first.header("set-cookie", "a=1"), second]).await;
        let client = everstream::reqwest013::client_builder().cookie_store(with_credentials);
        let request = client.build().unwrap().get(server.url("/"));
        let source = EventSource::builder(request)
            .backoff(at_once())
            .standard()
            .build()
            .unwrap();
        let expected = [
            Open,
            message("first"),
            Reconnecting(0),
            Open,
            message("second"),
        ];
        assert_eq!(seen(source, expected.len()).await, expected);
        server.verify();
    }
}

/// `eventsource-cross-origin`: a redirect to another origin, time and again.
#[tokio::test]
async fn another_origin() {
    let there = Server::script([
        stream("id: 1\ndata: a\n\n").expect_no_last_event_id(),
        stream("data: b\n\n").expect_last_event_id("1"),
    ])
    .await;
    let moved = Reply::redirect(302, there.url("/moved"));
    let here = Server::script([moved.clone(), moved]).await;
    let source = standard(&here.url("/")).build().unwrap();
    let expected = [
        Open,
        event("message", "a", "1"),
        Reconnecting(0),
        Open,
        event("message", "b", "1"),
    ];
    assert_eq!(seen(source, expected.len()).await, expected);
    here.verify();
    there.verify();
}

/// There is no preflight; any ID is sent, at once and as it is.
#[tokio::test]
async fn ids_that_would_need_a_preflight() {
    let long = "a".repeat(255);
    let rows = ["abc", "a<b", &long].map(|id| {
        let hello = stream(format!("id: {id}\ndata: hello\n\n"));
        let resumed = stream("event: success\ndata\n\n")
            .expect_method("GET")
            .expect_last_event_id(id);
        row(
            "eventsource-cross-origin-preflight",
            [hello, resumed],
            [
                Open,
                event("message", "hello", id),
                Reconnecting(0),
                Open,
                event("success", "", id),
            ],
        )
    });
    check(rows.into()).await;
}
