//! "It won't bill you twice": a request that is not safe is sent once.

use everstream::{ErrorKind, RequestBuilderExt, Retry};

use crate::*;

/// Every way in which an answer ends, and whether it ends in an error.
fn endings() -> Vec<(&'static str, Reply, bool)> {
    let body = || events("id: 1\ndata: a\n\n");
    vec![
        ("clean end", body(), false),
        ("[DONE]", body().data("[DONE]"), false),
        ("end without anything", Reply::events(), false),
        ("cut", body().cut(), true),
        ("reset", body().reset(), true),
        ("too short", body().truncated_length(5), true),
        ("503", Reply::status(503).header("retry-after", "0"), true),
        ("429", Reply::status(429), true),
        ("401", Reply::status(401), true),
        ("500", Reply::status(500), true),
        (
            "HTML",
            Reply::status(200).content_type("text/html").raw("hi"),
            true,
        ),
        ("no answer", Reply::refuse(), true),
        ("reset for an answer", Reply::refuse().reset(), true),
    ]
}

#[tokio::test]
async fn a_post_is_sent_once_however_it_ends() {
    for (name, reply, fails) in endings() {
        let server = Server::script_then([reply], events("data: again\n\n")).await;
        let request = reqwest::Client::new().post(server.url("/")).body("{}");
        let source = EventSource::builder(request)
            .backoff(at_once())
            .retry_when(|_| Retry::Now)
            .build()
            .unwrap();
        let (_, error) = soon(collect(source)).await;
        assert_eq!(error.is_some(), fails, "{name}: {error:?}");
        assert_eq!(server.requests().len(), 1, "{name}");

        // The same with this crate's client, and another unsafe method.
        let (server, method) = (
            Server::script_then([endings_of(name)], events("data: again\n\n")).await,
            "DELETE",
        );
        let request = http::Request::builder()
            .method(method)
            .uri(server.url("/"))
            .body("");
        let source = EventSource::request(request)
            .backoff(at_once())
            .build()
            .unwrap();
        let (_, error) = soon(collect(source)).await;
        assert_eq!(error.is_some(), fails, "{name}: {error:?}");
        assert_eq!(server.requests().len(), 1, "{name}");
    }
}

fn endings_of(name: &str) -> Reply {
    let found = endings().into_iter().find(|it| it.0 == name);
    found.expect("it is one of them").1
}

#[tokio::test]
async fn a_post_is_repeated_if_the_user_asks_for_it() {
    for (name, reply, _) in endings() {
        if ["HTML", "401"].contains(&name) {
            continue;
        }
        let server = Server::script([reply.expect_method("POST"), events("data: again\n\n")]).await;
        let request = reqwest::Client::new().post(server.url("/")).body("{}");
        let source = EventSource::builder(request)
            .backoff(at_once())
            .resend_unsafe_methods(true)
            .build()
            .unwrap();
        let (data, error) = soon(collect(source)).await;
        assert!(error.is_none(), "{name}: {error:?}");
        assert_eq!(data.last().map(String::as_str), Some("again"), "{name}");
        let requests = server.requests();
        assert_eq!(
            requests.len(),
            3,
            "{name}: and the last was answered with 204"
        );
        assert!(
            requests
                .iter()
                .all(|it| it.body() == "{}" && it.method() == "POST")
        );
        server.verify();
    }
}

#[tokio::test]
async fn a_factory_repeats_a_post_too() {
    let server = Server::script([
        events("id: 1\ndata: a\n\n").cut(),
        events("id: 2\ndata: b\n\n"),
    ])
    .await;
    let (client, url) = (reqwest::Client::new(), server.url("/"));
    let source = EventSource::factory(move |attempt| {
        let body = format!("{{\"starting_after\":\"{}\"}}", attempt.last_event_id());
        let request = client.post(&url).body(body);
        async move { Ok::<_, Error>(request) }
    })
    .backoff(at_once())
    .build()
    .unwrap();
    assert_eq!(soon(collect(source)).await.0, ["a", "b"]);
    let bodies: Vec<_> = server
        .requests()
        .iter()
        .map(|it| it.body().clone())
        .collect();
    assert_eq!(
        bodies,
        [
            "{\"starting_after\":\"\"}",
            "{\"starting_after\":\"1\"}",
            "{\"starting_after\":\"2\"}"
        ]
    );
}

/// A body that is a stream can be sent only once, and this is known before it is sent.
#[tokio::test]
async fn a_body_that_cannot_be_repeated_fails_when_built() {
    let server = Server::script_then([], events("data: a\n\n")).await;
    let request = |method: reqwest::Method| {
        let chunks = futures_util::stream::iter([Ok::<_, std::io::Error>("{}")]);
        let client = reqwest::Client::new();
        client
            .request(method, server.url("/"))
            .body(reqwest::Body::wrap_stream(chunks))
    };
    let error = EventSource::builder(request(reqwest::Method::POST))
        .resend_unsafe_methods(true)
        .build();
    assert_eq!(error.unwrap_err().kind(), ErrorKind::Request);
    let error = request(reqwest::Method::GET).event_source().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Request);
    assert!(
        error.to_string().contains("cannot be sent again"),
        "{error}"
    );
    assert_eq!(server.requests().len(), 0);

    let source = request(reqwest::Method::POST).event_source().unwrap();
    let (data, error) = soon(collect(source)).await;
    assert_eq!(
        (data.len(), error.is_none()),
        (1, true),
        "sent once, it can be"
    );
    assert_eq!(server.requests()[0].body(), "{}");
}

/// After the terminal event, the body is not awaited, and no other request is sent.
#[tokio::test]
async fn nothing_follows_done() {
    let done = || events("data: a\n\ndata: [DONE]\n\n");
    for reply in [done(), done().cut(), done().reset(), done().hold()] {
        let server = Server::script_then([reply], events("data: again\n\n")).await;
        let request = reqwest::Client::new().post(server.url("/")).body("{}");
        let source = EventSource::builder(request)
            .resend_unsafe_methods(true)
            .backoff(at_once())
            .build()
            .unwrap();
        let (data, error) = soon(collect(source.complete_on_data("[DONE]"))).await;
        assert_eq!((data.len(), error.is_none()), (1, true));
        assert_eq!(server.requests().len(), 1);
    }
}

/// If the end of the body arrives with the terminal event, the next request needs no handshake.
#[tokio::test]
async fn a_finished_connection_returns_to_the_pool() {
    let server = Server::start(|_| events("data: a\n\ndata: [DONE]\n\n").length_delimited()).await;
    let client = reqwest::Client::new();
    for _ in 0..5 {
        let source = client
            .post(server.url("/"))
            .body("{}")
            .event_source()
            .unwrap();
        let (data, error) = soon(collect(source.complete_on_data("[DONE]"))).await;
        assert_eq!((data.len(), error.is_none()), (1, true));
    }
    assert_eq!(server.requests().len(), 5);
    assert_eq!(server.connections(), 1);
}
