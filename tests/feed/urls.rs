//! Errors say which URL they are about, and show no more of it than is safe.

use std::time::Duration;

use everstream::{
    Contract, Error, ErrorKind, EventSource, EventStreamBuilder, RequestBuilderExt, Signal,
    Timeout,
    http::Request,
    testing::{ClosedPort, Gate, Reply, Server},
};
use futures_util::StreamExt;

use super::{own, soon, theirs};

/// A secret in each part of a URL that may hold one.
fn with_secrets(url: &str) -> String {
    let url = url.replace("http://", "http://secret:secret@");
    format!("{url}?key=secret#secret")
}

/// The error names `url`, and shows it once.
fn check(error: &Error, kind: ErrorKind, url: &str) {
    assert_eq!(error.kind(), kind, "{error:?}");
    let whole = error.url().unwrap_or_default();
    let bare = whole.replace("secret:secret@", "");
    assert!(
        bare == url || bare.starts_with(&format!("{url}?key=secret")),
        "{whole}, and not {url}"
    );
    let one_line = format!("{error:#}");
    assert!(!format!("{one_line}{error:?}{error:#?}").contains("secret"));
    assert_eq!(one_line.matches("http").count(), 1, "{one_line}");
    assert!(one_line.contains(&format!(" ({url})")), "{one_line}");
    assert!(error.to_string().ends_with(&format!(" ({url})")), "{error}");
    let without = error.clone().without_url();
    assert!(!format!("{without:#}{without:?}").contains("http"));
    assert_eq!((without.url(), without.kind()), (None, kind));
}

/// The error that a request for this answer ends with.
async fn end(server: &Server, set: impl FnOnce(EventStreamBuilder) -> EventStreamBuilder) -> Error {
    let client = reqwest::Client::new();
    let request = client.get(with_secrets(&server.url("/feed"))).events();
    let answer = set(request).contract(Contract::openai_chat());
    let mut answer = match soon(answer.into_future()).await {
        Ok(answer) => answer,
        Err(error) => return error,
    };
    loop {
        match soon(answer.next_event()).await {
            Ok(event) => assert!(event.is_some(), "no error"),
            Err(error) => return error,
        }
    }
}

#[tokio::test]
async fn every_error_of_an_answer_has_its_url() {
    let (idle, headers) = (Timeout::Idle, Timeout::Headers);
    for (reply, kind) in [
        (Reply::status(503), ErrorKind::Status),
        (
            Reply::status(200).content_type("text/html"),
            ErrorKind::ContentType,
        ),
        (
            Reply::events().header("content-encoding", "gzip"),
            ErrorKind::ContentEncoding,
        ),
        (Reply::events().raw("<html>"), ErrorKind::NotEventStream),
        (Reply::events().data("x").cut(), ErrorKind::Body),
        (Reply::events().data("x").hold(), ErrorKind::Timeout(idle)),
        (
            Reply::events().gate_head(&Gate::new()),
            ErrorKind::Timeout(headers),
        ),
        (Reply::events().data("x"), ErrorKind::Incomplete),
        (
            Reply::events().data(r#"{"error":"x"}"#),
            ErrorKind::ErrorEvent,
        ),
        (
            Reply::events().data("too long for it"),
            ErrorKind::EventTooLarge,
        ),
    ] {
        let server = Server::start(move |_| reply.clone()).await;
        let error = end(&server, |request| match kind {
            ErrorKind::Timeout(Timeout::Idle) => request.idle_timeout(Duration::from_millis(1)),
            ErrorKind::Timeout(_) => request.headers_timeout(Duration::from_millis(1)),
            ErrorKind::EventTooLarge => request.max_event_bytes(8),
            _ => request,
        });
        check(&error.await, kind, &server.url("/feed"));
    }
}

#[tokio::test]
async fn errors_of_wrapped_closures_have_their_url() {
    let server = Server::start(|_| Reply::events().data("x")).await;
    let client = reqwest::Client::new();
    let url = server.url("/feed");
    let open = || async { soon(client.get(&url).events().into_future()).await.unwrap() };
    let mut cut = open().await.complete_on_data("[DONE]");
    assert!(soon(cut.next_event()).await.is_ok());
    let error = soon(cut.next_event()).await.unwrap_err();
    check(&error, ErrorKind::Incomplete, &url);
    let mut failed = open().await.signals().error_when(|_| true);
    assert!(matches!(
        soon(failed.next_signal()).await,
        Ok(Some(Signal::Open(_)))
    ));
    let error = soon(failed.next_signal()).await.unwrap_err();
    check(&error, ErrorKind::ErrorEvent, &url);
}

#[tokio::test]
async fn a_feed_names_the_url_that_answered() {
    let server = Server::start(|request| match request.path() {
        "/first" => Reply::status(307).header("location", "/last?key=secret"),
        _ => Reply::status(503),
    })
    .await;
    let (first, last) = (server.url("/first"), server.url("/last"));
    for source in [own(&with_secrets(&first)), theirs(&with_secrets(&first))] {
        let mut signals = source.max_initial_failures(2).build().unwrap().signals();
        let Some(Ok(Signal::Reconnecting { cause, .. })) = soon(signals.next()).await else {
            panic!("it tries again");
        };
        check(cause.error().unwrap(), ErrorKind::Status, &last);
        let error = soon(signals.next()).await.unwrap().unwrap_err();
        check(&error, ErrorKind::Status, &last);
    }
}

#[tokio::test]
async fn a_feed_that_cannot_connect_names_the_url() {
    let port = ClosedPort::reserve();
    let url = port.url("/feed");
    for source in [own(&with_secrets(&url)), theirs(&with_secrets(&url))] {
        let mut source = source.max_initial_failures(1).build().unwrap();
        let error = soon(source.next_event()).await.unwrap_err();
        check(&error, ErrorKind::Connect, &url);
    }
    // The target of the redirect can't be reached.
    let location = with_secrets(&url);
    let server = Server::start(move |_| Reply::status(307).header("location", &location)).await;
    let request = Request::get(server.url("/")).body("");
    let mut source = EventSource::request(request)
        .max_initial_failures(1)
        .build()
        .unwrap();
    let error = soon(source.next_event()).await.unwrap_err();
    assert_eq!(
        error.kind(),
        ErrorKind::Redirect,
        "credentials for another origin: {error}"
    );
    check(&error, ErrorKind::Redirect, &server.url("/"));
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_named_too() {
    let server = Server::start(|_| Reply::events().gate_head(&Gate::new())).await;
    let url = server.url("/feed");
    let limit = Duration::from_millis(1);
    for source in [own(&with_secrets(&url)), theirs(&with_secrets(&url))] {
        let mut signals = source.headers_timeout(limit).build().unwrap().signals();
        let Some(Ok(Signal::Reconnecting { cause, .. })) = soon(signals.next()).await else {
            panic!("it tries again");
        };
        check(
            cause.error().unwrap(),
            ErrorKind::Timeout(Timeout::Headers),
            &url,
        );
    }
}
