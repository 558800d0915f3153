//! Servers that refuse, stall, break and go away.

use everstream::{
    ContentType, ErrorKind, Signal, Timeout,
    testing::{ClosedPort, Gate},
};

use crate::*;

/// Why the source reconnected, each time.
async fn kinds(
    builder: EventSourceBuilder,
) -> (Vec<Option<ErrorKind>>, Vec<String>, Option<Error>) {
    let mut signals = builder.build().unwrap().signals();
    let (mut kinds, mut data, mut error) = (Vec::new(), Vec::new(), None);
    while let Some(signal) = soon(signals.next()).await {
        match signal {
            Ok(Signal::Reconnecting { cause, .. }) => kinds.push(cause.error().map(Error::kind)),
            Ok(Signal::Event(event)) => data.push(event.into_data()),
            Ok(_) => {}
            Err(it) => error = Some(it),
        }
    }
    (kinds, data, error)
}

#[tokio::test]
async fn a_busy_server_is_retried() {
    for status in [408, 425, 429, 500, 502, 503, 504] {
        let server = Server::script([
            Reply::status(status).header("retry-after", "0"),
            events("data: a\n\n"),
            Reply::status(status),
            Reply::status(status).raw("because"),
            events("data: b\n\n"),
        ])
        .await;
        let (kinds, data, error) = kinds(theirs(&server.url("/"))).await;
        assert!(error.is_none(), "{error:?}");
        assert_eq!(data, ["a", "b"]);
        let status = Some(ErrorKind::Status);
        assert_eq!(kinds, [status, None, status, status, None]);
        server.verify();
    }
}

#[tokio::test]
async fn a_refusal_is_final() {
    for status in [400, 401, 403, 404, 405, 410, 422, 501, 505] {
        let reply = Reply::status(status).content_type("text/plain").raw("no");
        let server = Server::script_then([], reply).await;
        let (_, error) = soon(collect(theirs(&server.url("/")).build().unwrap())).await;
        let error = error.unwrap();
        assert_eq!(error.status().unwrap().as_u16(), status);
        assert_eq!(error.body_text().as_deref(), Some("no"));
        assert_eq!(server.requests().len(), 1);
    }
}

#[tokio::test]
async fn a_web_page_is_not_a_stream() {
    let page = Reply::status(200)
        .content_type("text/html; charset=utf-8")
        .raw("<p>Log in");
    let server = Server::script_then([events("data: a\n\n")], page.clone()).await;
    let (data, error) = soon(collect(own(&server.url("/")).build().unwrap())).await;
    let error = error.unwrap();
    assert_eq!(data, ["a"]);
    assert_eq!(error.kind(), ErrorKind::ContentType);
    assert!(error.to_string().contains("`text/html`"), "{error}");
    assert_eq!(error.body_text().as_deref(), Some("<p>Log in"));
    assert_eq!(server.requests().len(), 2);

    let plain = events("data: a\n\n").content_type("text/plain");
    let server = Server::script([plain]).await;
    let list = ContentType::OneOf(vec!["text/plain".into()]);
    let source = own(&server.url("/")).content_type(list).build().unwrap();
    assert!(soon(collect(source)).await.1.is_none());
}

/// Nothing listens, then something does.
#[tokio::test]
async fn a_refused_connection_is_retried() {
    let port = ClosedPort::reserve();
    let url = port.url("/");
    let (_, error) = soon(collect(theirs(&url).build().unwrap())).await;
    let error = error.unwrap();
    assert!(error.is_connect(), "{error:?}");
    let mut source = theirs(&url)
        .max_initial_failures(None)
        .build()
        .unwrap()
        .signals();
    for _ in 0..5 {
        let Some(Ok(Signal::Reconnecting { cause, .. })) = soon(source.next()).await else {
            panic!("each failure is told")
        };
        assert!(cause.error().unwrap().is_connect());
    }
    let server = port
        .open(|request| match request.number() {
            0 => events("data: up\n\n"),
            _ => Reply::status(204),
        })
        .await;
    let (data, error) = soon(collect(source.into_inner())).await;
    assert_eq!((data.len(), error.is_none()), (1, true));
    drop(server);
}

#[tokio::test]
async fn each_kind_of_break_is_reported_correctly() {
    let server = Server::script([
        events("data: a\n\n"),
        events("data: b\n\n").cut(),
        events("data: c\n\n").truncated_length(10),
        Reply::refuse(),
        Reply::refuse().reset(),
        Reply::raw_response("HTTP/1.1 abc\r\n\r\n"),
        events("data: d\n\n"),
    ])
    .await;
    let (kinds, data, error) = kinds(theirs(&server.url("/"))).await;
    assert!(error.is_none(), "{error:?}");
    assert_eq!(data, ["a", "b", "c", "d"]);
    let (body, transport) = (Some(ErrorKind::Body), Some(ErrorKind::Transport));
    assert_eq!(
        kinds,
        [None, body, body, transport, transport, transport, None]
    );
    server.verify();
}

/// Half-open silence, in every phase: short limits in real time, without asserting the time.
#[tokio::test]
async fn a_silent_server_is_disconnected() {
    let short = Duration::from_millis(50);
    let server = Server::script([
        events("data: a\n\n").hold(),
        events("data: b\n\n: ").hold(),
        Reply::events().hold().gate_head(&Gate::new()),
    ])
    .await;
    let (kinds, data, error) = kinds(theirs(&server.url("/")).idle_timeout(short)).await;
    assert!(error.is_none(), "{error:?}");
    assert_eq!(data, ["a", "b"]);
    assert_eq!(kinds, [Some(ErrorKind::Timeout(Timeout::Idle)); 3]);
    soon(server.wait_until_closed()).await;
    server.verify();
}

/// Dropping frees the socket, whatever the server is doing.
#[tokio::test]
async fn dropping_the_source_frees_the_socket() {
    let gate = Gate::new();
    for reply in [
        Reply::events().hold(),
        events("data: a\n\ndata: unfinished").hold(),
        events("data: a\n\n").repeat(": x\n", None),
        Reply::events().gate_head(&gate),
        Reply::status(404).raw("because").hold(),
    ] {
        let server = Server::script([reply.clone()]).await;
        let mut source = theirs(&server.url("/")).build().unwrap();
        let waker = std::task::Waker::noop();
        // Until the request has come, and whatever has been said to it.
        let asked = server.wait_for_requests(1);
        let mut asked = std::pin::pin!(asked);
        soon(std::future::poll_fn(|cx| {
            let _ = source.poll_next_unpin(&mut std::task::Context::from_waker(waker));
            cx.waker().wake_by_ref();
            asked.as_mut().poll(cx)
        }))
        .await;
        assert_eq!(server.open_connections(), 1, "{reply:?}");
        drop(source);
        soon(server.wait_until_closed()).await;
    }
}

#[tokio::test]
async fn closing_by_a_handle_frees_the_socket() {
    let server = Server::script([events("data: a\n\n").hold()]).await;
    let mut source = theirs(&server.url("/")).build().unwrap();
    let handle = source.handle();
    assert_eq!(next_data(&mut source).await, "a");
    let task = tokio::spawn(async move { (source.next().await.is_none(), source) });
    handle.close();
    let (ended, source) = soon(task).await.unwrap();
    assert!(ended);
    soon(server.wait_until_closed()).await;
    drop(source);
    assert_eq!(server.requests().len(), 1);
}

/// A body where there must be none, 1xx before the head, trailers after the body.
#[tokio::test]
async fn unusual_http_framing_creates_no_events() {
    let server = Server::script([
        events("data: a\n\n").informational(103).informational(100),
        events("data: b\n\n").trailers([("data", "c")]),
        Reply::status(204).force_body().raw("data: never\n\n"),
    ])
    .await;
    let (data, error) = soon(collect(own(&server.url("/")).build().unwrap())).await;
    assert!(error.is_none(), "{error:?}");
    assert_eq!(data, ["a", "b"]);
}
