//! Responses that are not an event stream: the error holds what the server sent.

use std::time::Duration;

use everstream::{
    ContentType, Error, ErrorKind, RequestBuilderExt,
    testing::{ClosedPort, Gate, Reply, Script, Server},
};

use futures_util::StreamExt;

use crate::collect;

async fn refusal(reply: Reply) -> Error {
    let server = Server::start(move |_| reply.clone()).await;
    let request = reqwest::Client::new().get(server.url("/feed?key=secret#secret"));
    request.events().await.unwrap_err()
}

#[tokio::test]
async fn a_status_keeps_headers_and_body() {
    let error = refusal(
        Reply::status(429)
            .content_type("application/json")
            .header("retry-after", "7")
            .header("x-request-id", "abc")
            .raw(r#"{"error":{"message":"slow down"}}"#),
    )
    .await;
    assert_eq!(error.kind(), ErrorKind::Status);
    assert_eq!(error.status().unwrap(), 429);
    assert_eq!(error.headers().unwrap()["x-request-id"], "abc");
    assert_eq!(error.retry_after(), Some(Duration::from_secs(7)));
    assert_eq!(
        error.body_text().unwrap(),
        r#"{"error":{"message":"slow down"}}"#
    );
    let json: serde_json::Value = error.body_json().unwrap();
    assert_eq!(json["error"]["message"], "slow down");
    let shown = error.to_string();
    assert!(shown.starts_with("the server answered 429 Too Many Requests (http://"));
    assert!(shown.ends_with("/feed)"), "{shown}");
}

#[tokio::test]
async fn a_date_is_relative_to_the_servers_clock() {
    let error = refusal(
        Reply::status(503)
            .header("date", "Sun, 06 Nov 1994 08:49:37 GMT")
            .header("retry-after", "Sun, 06 Nov 1994 08:51:37 GMT"),
    )
    .await;
    assert_eq!(error.retry_after(), Some(Duration::from_secs(120)));
}

#[tokio::test]
async fn neither_display_nor_debug_shows_a_secret() {
    let error = refusal(
        Reply::status(401)
            .header("set-cookie", "secret")
            .raw("your key secret is wrong"),
    )
    .await;
    let mut shown = format!("{error} {error:?}");
    let mut source = std::error::Error::source(&error);
    while let Some(inner) = source {
        shown += &format!("{inner} {inner:?}");
        source = inner.source();
    }
    assert!(!shown.contains("secret"), "{shown}");

    let port = ClosedPort::reserve();
    let client = reqwest::Client::new();
    let request = client.get(port.url("/?secret")).bearer_auth("secret");
    let error = request.events().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connect);
    assert!(error.is_connect() && !error.is_timeout());
    let mut shown = format!("{error} {error:?}");
    let mut source = std::error::Error::source(&error);
    assert!(source.is_some());
    while let Some(inner) = source {
        shown += &format!("{inner} {inner:?}");
        source = inner.source();
    }
    assert!(!shown.contains("secret"), "{shown}");
}

#[tokio::test]
async fn only_status_200_is_a_stream() {
    for status in [201, 202, 204, 205, 206, 210, 299, 304, 400, 404, 500] {
        let reply = Reply::status(status).content_type("text/event-stream");
        let error = refusal(reply.raw("data: x\n\n")).await;
        assert_eq!(error.kind(), ErrorKind::Status);
        assert_eq!(error.status().unwrap(), status);
    }
}

#[tokio::test]
async fn a_200_of_another_type_keeps_its_body() {
    let error = refusal(
        Reply::events()
            .content_type("application/json")
            .raw(r#"{"error":"no such model"}"#),
    )
    .await;
    assert_eq!(error.kind(), ErrorKind::ContentType);
    assert_eq!(error.status().unwrap(), 200);
    assert_eq!(error.body_text().unwrap(), r#"{"error":"no such model"}"#);
    assert!(error.to_string().contains("application/json"));

    let error = refusal(Reply::events().without_content_type().raw("x")).await;
    assert_eq!(error.kind(), ErrorKind::ContentType);
}

/// A 204 has no body to read.
#[tokio::test]
async fn which_statuses_are_streams_can_be_set() {
    for (status, accepted) in [
        (200, true),
        (201, true),
        (204, false),
        (299, true),
        (300, false),
        (500, false),
    ] {
        let reply = Reply::status(status).content_type("text/event-stream");
        let events = Script::new().reply(reply.raw("data: x\n\n")).events();
        match events.accept_status(|status| status.is_success()).await {
            Ok(events) => assert_eq!(
                (collect(events).await.0, accepted),
                (vec!["x".into()], true)
            ),
            Err(error) => assert_eq!((error.kind(), accepted), (ErrorKind::Status, false)),
        }
    }
}

#[tokio::test]
async fn the_content_type_check_can_be_relaxed() {
    let reply = Reply::events().content_type("text/plain").data("x");
    let server = Server::start(move |_| reply.clone()).await;
    let ask = || reqwest::Client::new().get(server.url("/")).events();
    let list = ContentType::OneOf(vec!["text/event-stream".into(), "text/plain".into()]);
    for accepted in [list, ContentType::Any] {
        let events = ask().content_type(accepted).await.unwrap();
        assert_eq!(collect(events).await.0, ["x"]);
    }
    assert!(ask().content_type(ContentType::EventStream).await.is_err());
}

#[tokio::test]
async fn undecoded_compression_is_named() {
    let error = refusal(
        Reply::events()
            .header("content-encoding", "gzip")
            .raw(b"\x1f\x8b\x08"),
    )
    .await;
    assert_eq!(error.kind(), ErrorKind::ContentEncoding);
    assert!(error.to_string().contains("gzip"));
}

/// Servers send these so that their own middleware does not compress the stream.
#[tokio::test]
async fn none_and_identity_are_not_compression() {
    for word in ["none", "utf-8", "identity"] {
        let reply = Reply::events().header("content-encoding", word);
        let server = Server::script([reply.raw("data: x\n\n")]).await;
        let events = reqwest::Client::new().get(server.url("/")).events().await;
        assert_eq!(collect(events.unwrap()).await.0, ["x"], "{word}");
    }
}

#[tokio::test]
async fn the_first_64_kib_of_a_body_are_kept() {
    let error = refusal(Reply::status(500).repeat("0123456789", None)).await;
    let body = error.body().unwrap();
    assert_eq!(body.len(), 64 * 1024);
    assert!(body.starts_with(b"0123456789"));
}

/// Whatever is wrong with the response, and however its body is split.
#[tokio::test]
async fn a_body_is_whole_only_if_nothing_is_missing() {
    const MAX: usize = 8;
    for (reply, claims_events) in [
        (Reply::status(500), false),
        (Reply::events().content_type("text/plain"), false),
        (Reply::events(), true),
    ] {
        for length in 1..=MAX + 2 {
            for piece in [1, 3, MAX, MAX + 2] {
                for breaks_off in [false, true] {
                    let row = format!("{reply:?}, {length} bytes by {piece}, {breaks_off}");
                    let sent = vec![b'x'; length];
                    let mut reply = sent.chunks(piece).fold(reply.clone(), Reply::raw);
                    if breaks_off {
                        reply = reply.cut();
                    }
                    let events = Script::new().reply(reply).events();
                    let error = match events.max_error_body_bytes(MAX).await {
                        Ok(mut events) => events.next().await.unwrap().unwrap_err(),
                        Err(error) => error,
                    };
                    if error.kind() == ErrorKind::Body {
                        continue;
                    }
                    let kept = error.body().unwrap();
                    assert_eq!(*kept, sent[..length.min(MAX)], "{row}");
                    // A body with the right type that fills the limit may have continued.
                    let is_known = length < MAX || (length == MAX && !claims_events);
                    assert_eq!(error.body_is_whole(), is_known && !breaks_off, "{row}");
                }
            }
        }
    }
}

#[tokio::test]
async fn a_truncated_body_is_the_same_error() {
    let error = refusal(Reply::status(500).raw("half a sen").cut()).await;
    assert_eq!(error.kind(), ErrorKind::Status);
    assert_eq!(error.body_text().unwrap(), "half a sen");
}

/// With an in-memory body, so that the clock can be paused.
#[tokio::test(start_paused = true)]
async fn the_wait_for_a_body_is_bounded() {
    use everstream::{EventStreamBuilder, bytes::Bytes, http, transport};
    use futures_util::{FutureExt, stream};

    const SECOND: Duration = Duration::from_secs(1);

    // An empty chunk does not count as a sign of life, and signs of life are not enough.
    let silence = || stream::pending().boxed();
    let every_second = |piece: &'static str| {
        stream::repeat(Bytes::from(piece)).then(|piece| tokio::time::sleep(SECOND).map(|()| piece))
    };
    for (rest, idle, seconds) in [
        (silence(), 60, 5),
        (silence(), 3, 3),
        (every_second("").boxed(), 3, 3),
        (every_second(".").boxed(), 3, 5),
    ] {
        let chunks = stream::iter([Bytes::from("wait")]).chain(rest);
        let body = transport::Body::new(chunks.map(Ok::<_, Error>));
        let status = http::StatusCode::BAD_GATEWAY;
        let response = transport::Response::new(status, http::HeaderMap::new(), body);
        let start = tokio::time::Instant::now();
        let error = EventStreamBuilder::new(async { Ok(response) })
            .idle_timeout(SECOND * idle)
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Status);
        assert!(error.body_text().unwrap().starts_with("wait"));
        assert_eq!(start.elapsed().as_secs(), seconds);
    }
}

/// An HTTP client may be busy all the time, so that every poll takes longer than a tick.
#[tokio::test(start_paused = true)]
async fn the_time_that_the_http_client_takes_counts() {
    use everstream::{EventStreamBuilder, bytes::Bytes, http, transport};
    use futures_util::stream;
    use tokio::time::{Instant, advance};

    async fn busy<T>() -> T {
        loop {
            advance(Duration::from_millis(100)).await;
        }
    }
    let limit = Duration::from_secs(1);
    for within_refusal in [false, true] {
        let start = Instant::now();
        let response = async move {
            if !within_refusal {
                return busy().await;
            }
            let body = transport::Body::new(stream::once(busy::<Result<Bytes, Error>>()));
            let status = http::StatusCode::BAD_GATEWAY;
            Ok::<_, Error>(transport::Response::new(
                status,
                http::HeaderMap::new(),
                body,
            ))
        };
        let error = EventStreamBuilder::new(response).idle_timeout(limit).await;
        assert!(error.is_err());
        let elapsed = start.elapsed();
        let due = limit..limit + Duration::from_millis(200);
        assert!(due.contains(&elapsed), "{within_refusal}: {elapsed:?}");
    }
}

#[tokio::test]
async fn headers_have_their_own_limit() {
    let gate = Gate::new();
    let server = Server::start({
        let gate = gate.clone();
        move |_| Reply::events().gate_head(&gate)
    })
    .await;
    let request = reqwest::Client::new().get(server.url("/"));
    let limit = Duration::from_millis(20);
    let error = request.events().headers_timeout(limit).await.unwrap_err();
    assert_eq!(
        error.kind(),
        ErrorKind::Timeout(everstream::Timeout::Headers)
    );
    server.wait_until_closed().await;
}

#[tokio::test]
async fn the_http_clients_own_limits_are_named() {
    let server = Server::start(|_| Reply::events().data("x").hold()).await;
    // The answer arrives in real time, but the limit uses the paused clock.
    let limit = Duration::from_secs(60);
    let total = reqwest::Client::builder().timeout(limit).build().unwrap();
    let between = reqwest::Client::builder()
        .read_timeout(limit)
        .build()
        .unwrap();
    for client in [total, between] {
        let mut events = client.get(server.url("/")).events().await.unwrap();
        let event = events.next().await.unwrap().unwrap();
        assert_eq!(event.data(), "x");
        tokio::time::pause();
        let error = events.next().await.unwrap().unwrap_err();
        tokio::time::resume();
        let kind = ErrorKind::Timeout(everstream::Timeout::HttpClient);
        assert_eq!(error.kind(), kind);
        assert!(error.is_timeout() && !error.is_incomplete());
        let text = error.to_string();
        assert!(text.contains("`timeout`") && text.contains("`read_timeout`"));
    }
}
