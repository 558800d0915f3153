//! The other files `eventsource-*`: how a source opens, reconnects and closes.

use everstream::testing::Gate;

use super::*;

#[tokio::test]
async fn opening_and_reconnecting() {
    check(vec![
        row("eventsource-onopen", [Reply::events().hold()], [Open]),
        row(
            "eventsource-onmessage",
            [stream("data: a\n\n").hold()],
            [Open, message("a")],
        ),
        row(
            "eventsource-reconnect, nothing came",
            [stream("retry: 2\n"), stream("data: b\n\n")],
            [Open, Reconnecting(2), Open, message("b")],
        ),
        row(
            "eventsource-reconnect, test reconnection events",
            [stream("retry: 2\ndata: a\n\n"), stream("data: b\n\n")],
            [Open, message("a"), Reconnecting(2), Open, message("b")],
        ),
        row(
            "eventsource-close, test events",
            [
                stream("data: a\n\n"),
                stream("data: b\n\n"),
                Reply::status(410),
            ],
            [
                Open,
                message("a"),
                Reconnecting(0),
                Open,
                message("b"),
                Reconnecting(0),
                Failed(ErrorKind::Status, Some(410)),
            ],
        ),
    ])
    .await;
}

/// `eventsource-close`.
#[tokio::test]
async fn closing() {
    let server = Server::script([stream("data: a\n\n").hold()]).await;
    let mut source = standard(&server.url("/")).build().unwrap();
    assert_eq!(source.ready_state(), ReadyState::Connecting);
    let opened = soon(source.next_signal()).await.unwrap();
    assert!(matches!(opened, Some(Signal::Open(_))), "{opened:?}");
    assert_eq!(source.ready_state(), ReadyState::Open);
    source.close();
    assert_eq!(source.ready_state(), ReadyState::Closed);
    assert!(soon(source.next_signal()).await.unwrap().is_none());
    soon(server.wait_until_closed()).await;
    assert_eq!(server.requests().len(), 1);
}

/// `eventsource-request-cancellation`.
#[tokio::test]
async fn a_request_is_cancelled() {
    let answer = Gate::new();
    let events = stream("retry: 1000\ndata: a\n\n");
    let server = Server::script([events.gate_head(&answer)]).await;
    let mut source = standard(&server.url("/")).build().unwrap();
    let handle = source.handle();
    let rest = tokio::spawn(async move { source.next_signal().await.unwrap().is_none() });
    soon(answer.wait_for_arrivals(1)).await;
    handle.close();
    assert_eq!(handle.ready_state(), ReadyState::Closed);
    answer.open();
    assert!(soon(rest).await.unwrap(), "neither opened nor a message");
    soon(server.wait_until_closed()).await;
    assert_eq!(server.requests().len(), 1);
}

/// `eventsource-url`.
#[tokio::test]
async fn the_url() {
    let server = Server::script([Reply::events().hold()]).await;
    let url = server.url("/feed?of=all");
    let mut source = standard(&url).build().unwrap();
    soon(source.next_signal()).await.unwrap();
    assert_eq!(source.head().unwrap().url(), Some(&*url));
}

/// `eventsource-constructor-url-bogus`.
#[test]
fn an_invalid_url() {
    let error = EventSource::get("http://this is invalid/").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Request);
}
