//! What is sent, and how often.

use everstream::{
    RequestBuilderExt, ResponseExt, Signal, Unfinished,
    testing::{Reply, Server},
};
use futures_util::TryStreamExt;

use crate::collect;

#[tokio::test]
async fn requests_an_uncached_event_stream() {
    let server = Server::start(|_| Reply::events().data("x")).await;
    let client = reqwest::Client::new();
    let _ = client
        .post(server.url("/"))
        .body("{}")
        .events()
        .await
        .unwrap();
    let [request] = &server.requests()[..] else {
        panic!("one request")
    };
    assert_eq!(request.method(), "POST");
    assert_eq!(&request.body()[..], b"{}");
    assert_eq!(request.header("accept"), Some("text/event-stream"));
    assert_eq!(request.header("cache-control"), Some("no-cache"));
    assert_eq!(request.header("accept-encoding"), Some("identity"));
    assert_eq!(request.header("last-event-id"), None);
}

#[tokio::test]
async fn headers_set_by_the_user_are_kept() {
    let server = Server::start(|_| Reply::events().data("x")).await;
    let client = reqwest::Client::new();
    let request = client
        .get(server.url("/"))
        .header("accept", "application/json, text/event-stream")
        .header("accept-encoding", "gzip")
        .header("cache-control", "no-store");
    let _ = request.events().await.unwrap();
    let request = &server.requests()[0];
    let all = |name: &str| request.headers().get_all(name).iter().count();
    assert_eq!(
        request.header("accept"),
        Some("application/json, text/event-stream")
    );
    assert_eq!(request.header("cache-control"), Some("no-store"));
    assert_eq!(request.header("accept-encoding"), Some("gzip"));
    for name in ["accept", "accept-encoding", "cache-control"] {
        assert_eq!(all(name), 1, "{name}");
    }
}

#[tokio::test]
async fn a_request_is_sent_once_however_it_ends() {
    for reply in [
        Reply::events().data("x"),
        Reply::events().data("x").data("[DONE]"),
        Reply::events().raw("data: x").cut(),
        Reply::events().data("x").reset(),
        Reply::refuse(),
        Reply::status(503).header("retry-after", "0"),
        Reply::status(429),
        Reply::status(204),
    ] {
        let server = Server::start(move |_| reply.clone()).await;
        let client = reqwest::Client::new();
        if let Ok(mut events) = client.post(server.url("/")).body("{}").events().await {
            while let Ok(Some(_)) = events.try_next().await {}
            assert!(events.try_next().await.is_ok_and(|item| item.is_none()));
        }
        assert_eq!(server.requests().len(), 1);
    }
}

#[tokio::test]
async fn nothing_is_sent_before_it_is_awaited_or_if_the_request_is_invalid() {
    let server = Server::start(|_| Reply::events()).await;
    let client = reqwest::Client::new();
    drop(client.get(server.url("/")).events());
    let request = client.get(server.url("/")).header("x", "\n").events();
    let error = request.await.unwrap_err();
    assert_eq!(error.kind(), everstream::ErrorKind::Request);
    assert_eq!(server.requests().len(), 0);
}

#[tokio::test]
async fn a_response_works_like_a_request() {
    let server = Server::start(|_| Reply::events().data("x")).await;
    let response = reqwest::get(server.url("/path")).await.unwrap();
    let events = response.events().await.unwrap();
    let url = server.url("/path");
    assert_eq!(
        events.head().and_then(|head| head.url()),
        Some(url.as_str())
    );
    assert_eq!(collect(events).await.0, ["x"]);
}

#[tokio::test]
async fn signals_report_everything_in_order() {
    let reply = Reply::events()
        .comment(" hi")
        .retry_ms(7)
        .data("x")
        .comment("");
    let server = Server::start(move |_| reply.clone()).await;
    let events = reqwest::Client::new()
        .get(server.url("/"))
        .events()
        .await
        .unwrap();
    let mut signals = events.signals();
    let mut seen = Vec::new();
    while let Some(signal) = signals.try_next().await.unwrap() {
        seen.push(match signal {
            Signal::Open(head) => format!("open {}", head.status().as_u16()),
            Signal::Event(event) => format!("event {}", event.data()),
            Signal::Comment(comment) => format!("comment {comment}"),
            Signal::Retry(time) => format!("retry {time:?}"),
            other => panic!("{other:?}"),
        });
    }
    assert_eq!(
        seen,
        [
            "open 200",
            "comment  hi",
            "retry 7ms",
            "event x",
            "comment "
        ]
    );
    let time = signals.get_ref().reconnection_time();
    assert_eq!(time, Some(std::time::Duration::from_millis(7)));
}

#[tokio::test]
async fn an_unfinished_event_is_handled_as_configured() {
    let server = Server::start(|_| Reply::events().data("x").raw("id: 9\ndata: y")).await;
    let ask = || reqwest::Client::new().get(server.url("/")).events();

    let mut events = ask().await.unwrap();
    assert_eq!(events.try_next().await.unwrap().unwrap().data(), "x");
    assert!(events.try_next().await.unwrap().is_none());
    assert!(events.has_unfinished());
    assert_eq!(events.last_event_id(), "");

    let mut events = ask().unfinished(Unfinished::Dispatch).await.unwrap();
    assert_eq!(events.try_next().await.unwrap().unwrap().data(), "x");
    let last = events.try_next().await.unwrap().unwrap();
    assert_eq!((last.data(), last.id()), ("y", "9"));
    assert!(events.try_next().await.unwrap().is_none());
    assert!(!events.has_unfinished());

    let (data, error) = collect(ask().unfinished(Unfinished::Error).await.unwrap()).await;
    assert_eq!(data, ["x"]);
    let error = error.unwrap();
    assert!(error.is_incomplete());
    assert_eq!(error.events_before(), 1);
}

#[tokio::test]
async fn a_truncated_event_is_never_dispatched() {
    let server = Server::start(|_| Reply::events().data("x").raw("data: y").cut()).await;
    let events = reqwest::Client::new()
        .get(server.url("/"))
        .events()
        .unfinished(Unfinished::Dispatch)
        .await
        .unwrap();
    let (data, error) = collect(events).await;
    assert_eq!(data, ["x"]);
    let error = error.unwrap();
    assert_eq!(error.kind(), everstream::ErrorKind::Body);
    assert!(error.is_incomplete());
    assert!(std::error::Error::source(&error).is_some());
}

#[tokio::test]
async fn dropping_it_closes_the_connection() {
    let server = Server::start(|_| Reply::events().data("x").hold()).await;
    let client = reqwest::Client::new();
    let mut events = client.get(server.url("/")).events().await.unwrap();
    events.try_next().await.unwrap();
    assert_eq!(server.open_connections(), 1);
    drop(events);
    server.wait_until_closed().await;
}
