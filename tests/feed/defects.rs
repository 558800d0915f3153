//! Defects of clients in other crates, one test for each: what was seen there must not be seen
//! here.

use everstream::{ErrorKind, RequestBuilderExt, Signal};

use crate::*;

fn ids_of<const N: usize>(server: &Server, expected: [&str; N]) {
    assert_eq!(ids(server), expected);
}

#[tokio::test]
async fn a_post_is_not_sent_again_after_a_clean_end_or_done() {
    for wire in ["data: a\n\n", "data: a\n\ndata: [DONE]\n\n"] {
        let server = Server::script_then([], events(wire)).await;
        let source = reqwest::Client::new()
            .post(server.url("/"))
            .event_source()
            .unwrap();
        assert!(soon(collect(source)).await.1.is_none());
        assert_eq!(server.requests().len(), 1);
    }
}

#[tokio::test]
async fn the_last_event_id_survives_reconnections_without_one() {
    let server = Server::script([
        events("id: 1\ndata: a\n\n"),
        events("data: b\n\n"),
        events("data: c\n\n"),
    ])
    .await;
    soon(collect(theirs(&server.url("/")).build().unwrap())).await;
    ids_of(&server, ["", "1", "1", "1"]);
}

#[tokio::test]
async fn an_id_in_a_block_without_data_counts() {
    let server = Server::script([events("id: 7\n\n"), events("data: a\n\n")]).await;
    soon(collect(theirs(&server.url("/")).build().unwrap())).await;
    ids_of(&server, ["", "7", "7"]);
}

#[tokio::test]
async fn a_retry_in_a_block_of_its_own_counts() {
    let server = Server::script([events("retry: 1234\n\ndata: a\n\n").hold()]).await;
    let mut source = theirs(&server.url("/")).build().unwrap();
    next_data(&mut source).await;
    assert_eq!(source.reconnection_time(), Duration::from_millis(1234));
}

#[tokio::test]
async fn the_id_of_an_unfinished_event_is_not_taken() {
    let server = Server::script([
        events("id: 1\ndata: a\n\nid: 2\ndata: lo").cut(),
        events("id: 2\ndata: lost?\n\n").expect_last_event_id("1"),
    ])
    .await;
    let (data, _) = soon(collect(theirs(&server.url("/")).build().unwrap())).await;
    assert_eq!(data, ["a", "lost?"]);
    server.verify();
}

#[tokio::test]
async fn three_attempts_means_three() {
    for reply in [Reply::status(503), Reply::events(), Reply::events().cut()] {
        let server = Server::script_then([events("id: 1\ndata: a\n\n")], reply.clone()).await;
        let source = theirs(&server.url("/"))
            .max_consecutive_failures(3)
            .build()
            .unwrap();
        let (data, error) = soon(collect(source)).await;
        assert!(error.is_some());
        assert_eq!(data, ["a"]);
        assert_eq!(server.requests().len(), 1 + 3, "{reply:?}");
    }
}

#[tokio::test]
async fn a_retry_of_zero_does_not_hammer() {
    let server = Server::script([events("retry: 0\ndata: a\n\n"), events("data: b\n\n")]).await;
    let request = reqwest::Client::new().get(server.url("/"));
    let mut signals = request.event_source().unwrap().signals();
    let mut delays = Vec::new();
    while let Some(signal) = soon(signals.next()).await {
        if let Ok(Signal::Reconnecting { delay, .. }) = signal {
            delays.push(delay);
        }
    }
    let shortest = Duration::from_millis(50);
    assert_eq!(delays.len(), 2);
    assert!(
        delays
            .iter()
            .all(|it| (shortest..shortest * 5 / 4).contains(it)),
        "{delays:?}"
    );
}

#[tokio::test]
async fn a_huge_retry_still_reconnects() {
    let server = Server::script([events("retry: 18446744073709551615\ndata: a\n\n")]).await;
    let mut signals = theirs(&server.url("/")).build().unwrap().signals();
    let delay = loop {
        if let Signal::Reconnecting { delay, .. } = soon(signals.next()).await.unwrap().unwrap() {
            break delay;
        }
    };
    assert_eq!(delay, Duration::from_secs(3600));
}

#[tokio::test]
async fn a_204_and_a_web_page_end_the_feed() {
    let page = Reply::status(200).content_type("text/html").raw("<p>");
    for (reply, kind) in [
        (Reply::status(204), None),
        (page, Some(ErrorKind::ContentType)),
    ] {
        let server = Server::script_then([], reply).await;
        let (_, error) = soon(collect(theirs(&server.url("/")).build().unwrap())).await;
        assert_eq!(error.map(|error| error.kind()), kind);
        assert_eq!(server.requests().len(), 1);
    }
}

#[tokio::test]
async fn a_503_is_survived_and_the_next_poll_does_not_panic() {
    let server = Server::script([Reply::status(503), events("data: a\n\n")]).await;
    let mut signals = theirs(&server.url("/")).build().unwrap().signals();
    let mut data = Vec::new();
    while let Some(signal) = soon(signals.next()).await {
        if let Signal::Event(event) = signal.unwrap() {
            data.push(event.into_data());
        }
    }
    assert_eq!(data, ["a"]);
}

#[tokio::test]
async fn a_refused_connection_is_reported_and_retried() {
    let port = everstream::testing::ClosedPort::reserve();
    let mut signals = theirs(&port.url("/")).build().unwrap().signals();
    let Some(Ok(Signal::Reconnecting { cause, failure, .. })) = soon(signals.next()).await else {
        panic!("it is told, and goes on")
    };
    assert!(cause.error().unwrap().is_connect());
    assert_eq!(failure, 1);
    let server = port
        .open(|request| match request.number() {
            0 => events("data: a\n\n"),
            _ => Reply::status(204),
        })
        .await;
    assert_eq!(soon(collect(signals.into_inner())).await.0, ["a"]);
    drop(server);
}

#[tokio::test]
async fn the_body_of_a_refusal_is_kept() {
    let refusal = Reply::status(400)
        .content_type("application/json")
        .raw(r#"{"error":"model"}"#);
    let server = Server::script([refusal]).await;
    let error = soon(collect(theirs(&server.url("/")).build().unwrap()))
        .await
        .1
        .unwrap();
    let body: serde_json::Value = error.body_json().unwrap();
    assert_eq!(body["error"], "model");
}

#[tokio::test]
async fn a_retry_after_is_honoured() {
    let refusal = Reply::status(503).header("retry-after", "7");
    let server = Server::script([refusal]).await;
    let mut signals = theirs(&server.url("/")).build().unwrap().signals();
    let Some(Ok(Signal::Reconnecting { delay, .. })) = soon(signals.next()).await else {
        panic!("it is tried again")
    };
    assert_eq!(delay, Duration::from_secs(7));
}

#[tokio::test]
async fn handles_bom_invalid_utf8_and_all_line_ends() {
    let server = Server::script([
        events("\u{feff}data: a\n\n").split_every(1),
        events(b"data: \xff\n\ndata: b\n\n"),
        events("data: c\r\r"),
        events("data: d\r\n\r\n").split_every(1),
    ])
    .await;
    let (data, error) = soon(collect(theirs(&server.url("/")).build().unwrap())).await;
    assert!(error.is_none());
    assert_eq!(data, ["a", "\u{fffd}", "b", "c", "d"]);
}

#[tokio::test]
async fn an_endless_line_or_comment_fills_no_memory() {
    let limit = 1 << 20;
    let server = Server::script([events("data: ").repeat("x", None)]).await;
    let source = theirs(&server.url("/"))
        .max_event_bytes(limit)
        .build()
        .unwrap();
    let error = soon(collect(source)).await.1.unwrap();
    assert_eq!(error.kind(), ErrorKind::EventTooLarge);
    soon(server.wait_until_closed()).await;

    let long = 32 << 20;
    let server = Server::script([events(":").repeat("x", long).raw("\n").data("a")]).await;
    let source = theirs(&server.url("/"))
        .max_event_bytes(limit)
        .build()
        .unwrap();
    assert_eq!(soon(collect(source)).await.0, ["a"]);
}

#[tokio::test]
async fn a_large_event_is_not_lost() {
    let large = "x".repeat(2 << 20);
    let server = Server::script([events(format!("data: {large}\n\n"))]).await;
    let (data, error) = soon(collect(theirs(&server.url("/")).build().unwrap())).await;
    assert!(error.is_none());
    assert_eq!(data, [large]);
}

#[tokio::test]
async fn a_good_connection_resets_the_backoff() {
    let server = Server::script([
        events("data: a\n\n"),
        Reply::status(503),
        Reply::status(503),
        events("data: b\n\n").cut(),
        Reply::status(503),
    ])
    .await;
    let mut signals = theirs(&server.url("/")).build().unwrap().signals();
    let mut attempts = Vec::new();
    while let Some(signal) = soon(signals.next()).await {
        if let Signal::Reconnecting { failure, .. } = signal.unwrap() {
            attempts.push(failure);
        }
    }
    assert_eq!(attempts, [0, 1, 2, 0, 1]);
}

#[tokio::test]
async fn the_stream_is_send() {
    let server = Server::script([events("data: a\n\n")]).await;
    let source = theirs(&server.url("/")).build().unwrap();
    let collected = tokio::spawn(async move { collect(source).await.0 });
    assert_eq!(soon(collected).await.unwrap(), ["a"]);
}
