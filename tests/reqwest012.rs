//! reqwest 0.12, for those who are tied to it: the same as with 0.13.
#![cfg(feature = "reqwest012")]

use std::{io::Write, time::Duration};

use everstream::{
    Error, ErrorKind, EventSource, RequestBuilderExt, ResponseExt, Signal,
    testing::{ClosedPort, Reply, Server},
};
use futures_util::{StreamExt, TryStreamExt};
use reqwest012::Client;

#[path = "support/follow.rs"]
mod follow;

use follow::at_once;

#[tokio::test]
async fn one_answer() {
    let server = Server::script([
        Reply::events().data("a").data("[DONE]"),
        Reply::events().data("b").cut(),
        Reply::status(429)
            .header("retry-after", "5")
            .raw("slow down"),
        Reply::events().data("c"),
    ])
    .await;
    let client = Client::new();
    let ask = || client.post(server.url("/")).body("{}");

    let answer = ask().events().await.unwrap().complete_on_data("[DONE]");
    let data: Vec<_> = answer
        .map_ok(|event| event.into_data())
        .try_collect()
        .await
        .unwrap();
    assert_eq!(data, ["a"]);

    let mut answer = ask().events().await.unwrap();
    assert_eq!(answer.head().unwrap().url(), Some(&*server.url("/")));
    assert_eq!(answer.next().await.unwrap().unwrap().data(), "b");
    assert_eq!(
        answer.next().await.unwrap().unwrap_err().kind(),
        ErrorKind::Body
    );

    let error = ask().events().await.unwrap_err();
    assert_eq!(error.status().unwrap().as_u16(), 429);
    assert_eq!(error.retry_after(), Some(Duration::from_secs(5)));
    assert_eq!(error.body_text().as_deref(), Some("slow down"));

    let mut answer = ask().send().await.unwrap().events().await.unwrap();
    assert_eq!(answer.next().await.unwrap().unwrap().data(), "c");

    let requests = server.requests();
    assert_eq!(requests.len(), 4);
    for request in &requests[..3] {
        assert_eq!(request.header("accept"), Some("text/event-stream"));
        assert_eq!(request.header("cache-control"), Some("no-cache"));
        assert_eq!(request.header("accept-encoding"), Some("identity"));
        assert_eq!(request.body(), "{}");
    }
}

#[tokio::test]
async fn a_feed() {
    let server = Server::script([
        Reply::events()
            .raw("id: 1\ndata: a\n\n")
            .cut()
            .expect_last_event_id("0"),
        Reply::status(503).expect_last_event_id("1"),
        Reply::events().raw("data: b\n\n").expect_last_event_id("1"),
    ])
    .await;
    let request = Client::new()
        .get(server.url("/"))
        .header("last-event-id", "0");
    let mut signals = EventSource::builder(request)
        .backoff(at_once())
        .build()
        .unwrap()
        .signals();
    let (mut data, mut kinds) = (Vec::new(), Vec::new());
    while let Some(signal) = signals.next().await {
        match signal.unwrap() {
            Signal::Event(event) => data.push(event.into_data()),
            Signal::Reconnecting { cause, .. } => kinds.push(cause.error().map(Error::kind)),
            _ => {}
        }
    }
    assert_eq!(data, ["a", "b"]);
    assert_eq!(
        kinds,
        [Some(ErrorKind::Body), Some(ErrorKind::Status), None]
    );
    server.verify();
}

#[tokio::test]
async fn a_post_is_sent_once_but_a_factory_may_repeat_it() {
    let server = Server::script_then([], Reply::events().data("a")).await;
    let source = Client::new().post(server.url("/")).event_source().unwrap();
    let events: Vec<_> = source.try_collect().await.unwrap();
    assert_eq!((events.len(), server.requests().len()), (1, 1));

    let server = Server::script([Reply::events().data("a"), Reply::events().data("b")]).await;
    let (client, url) = (Client::new(), server.url("/"));
    let source = EventSource::factory(move |_| {
        let request = client.post(&url);
        async move { Ok::<_, Error>(request) }
    });
    let source = source.backoff(at_once()).build().unwrap();
    let events: Vec<_> = source.try_collect().await.unwrap();
    assert_eq!((events.len(), server.requests().len()), (2, 3));
}

#[tokio::test]
async fn failures_are_distinguished() {
    let port = ClosedPort::reserve();
    let error = Client::new()
        .get(port.url("/?key=secret"))
        .events()
        .await
        .unwrap_err();
    assert!(error.is_connect());
    assert!(!format!("{error} {error:?}").contains("secret"));
    let error = Client::new().get("not a url").event_source().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Request);

    let server = Server::script_then([], Reply::events().hold()).await;
    let client = Client::builder()
        .timeout(Duration::from_millis(50))
        .build()
        .unwrap();
    let mut answer = client.get(server.url("/")).events().await.unwrap();
    let error = answer.next().await.unwrap().unwrap_err();
    assert!(error.is_timeout(), "{error:?}");
}

#[tokio::test]
async fn a_client_made_for_streams_follows_no_redirects() {
    let server = Server::start(|_| Reply::redirect(307, "/elsewhere")).await;
    let client = everstream::reqwest012::client_builder().build().unwrap();
    let error = client.post(server.url("/")).body("{}").events().await;
    assert_eq!(error.unwrap_err().status().unwrap().as_u16(), 307);
    assert_eq!(server.requests().len(), 1);
}

fn gzipped(text: &str) -> Vec<u8> {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(text.as_bytes()).unwrap();
    gzip.finish().unwrap()
}

fn compressed() -> Reply {
    Reply::events().header("content-encoding", "gzip")
}

/// reqwest decodes only the first member of a gzip body. It notices the rest, unless that arrived
/// in one piece with the first.
#[tokio::test]
async fn no_member_of_a_gzip_body_is_lost_without_an_error() {
    let (one, two) = (gzipped("id: 1\ndata: one\n\n"), gzipped("data: [DONE]\n\n"));
    let in_pieces = compressed().raw(&one).raw(&two);
    let in_one_piece = compressed().raw([&*one, &*two].concat()).length_delimited();
    for (reply, kind) in [
        (in_pieces, ErrorKind::Body),
        (in_one_piece, ErrorKind::Incomplete),
    ] {
        let server = Server::start(move |_| reply.clone()).await;
        // The result with such a client: an error of the decoder, or an incomplete answer.
        let answer = Client::new().get(server.url("/")).events().await.unwrap();
        let mut answer = answer.complete_on_data("[DONE]");
        let event = answer.next_event().await.unwrap().unwrap();
        assert_eq!(event.data(), "one");
        let error = answer.next_event().await.unwrap_err();
        assert_eq!(error.kind(), kind, "{error:?}");
        assert!(error.is_incomplete());

        // The client for streams decodes nothing, so it reports the coding immediately.
        let client = everstream::reqwest012::client_builder().build().unwrap();
        let error = client.get(server.url("/")).events().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ContentEncoding);
    }
}

/// A feed resumes after the last event that it received.
#[tokio::test]
async fn a_feed_resumes_after_a_decoder_lost_data() {
    let members = [
        gzipped("id: 1\ndata: one\n\n"),
        gzipped("id: 2\ndata: two\n\n"),
    ];
    let server = Server::script([
        compressed().raw(members.concat()).length_delimited(),
        compressed().raw(&members[1]).expect_last_event_id("1"),
    ])
    .await;
    let request = Client::new().get(server.url("/"));
    let source = EventSource::builder(request).backoff(at_once());
    let mut source = source.build().unwrap();
    for data in ["one", "two"] {
        let event = source.next_event().await.unwrap().unwrap();
        assert_eq!(event.data(), data);
    }
    server.verify();
}

/// The error of reqwest doesn't say whether a server was reached before.
#[tokio::test]
async fn a_failure_to_connect_is_not_known_to_be_unsent() {
    let port = ClosedPort::reserve();
    let target = port.url("/");
    let server = Server::start(move |_| Reply::redirect(303, &target)).await;
    for url in [server.url("/"), port.url("/")] {
        let error = Client::new().post(url).events().await.unwrap_err();
        assert!(error.is_connect() && !error.is_unsent(), "{error:?}");
    }
    let error = Client::new().post("ftp://example.com/").events().await;
    assert!(error.unwrap_err().is_unsent());
}
