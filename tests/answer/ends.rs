//! What the end of a body looks like over HTTP/1.1 if only part of the answer has arrived.

use everstream::{
    ErrorKind, RequestBuilderExt,
    testing::{Reply, Server},
};
use futures_util::TryStreamExt;

use crate::collect;

fn raw(headers: &str, body: &str) -> Reply {
    Reply::raw_response(format!(
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n{headers}\r\n{body}"
    ))
}

/// HTTP distinguishes a truncated body from a complete one by its length or its last chunk. A body
/// that ends with the connection has neither.
#[tokio::test]
async fn a_body_that_ends_with_its_connection_looks_whole_wherever_it_ends() {
    const CHUNK: &str = "9\r\ndata: a\n\n\r\n";
    for (what, reply, looks_whole) in [
        (
            "a length",
            raw("content-length: 9\r\n", "data: a\n\n"),
            true,
        ),
        (
            "a length not reached",
            raw("content-length: 99\r\n", "data: a\n\n"),
            false,
        ),
        (
            "a last chunk",
            raw(
                "transfer-encoding: chunked\r\n",
                &format!("{CHUNK}0\r\n\r\n"),
            ),
            true,
        ),
        (
            "no last chunk",
            raw("transfer-encoding: chunked\r\n", CHUNK),
            false,
        ),
        (
            "the end of the connection",
            raw("connection: close\r\n", "data: a\n\n"),
            true,
        ),
    ] {
        let server = Server::start(move |_| reply.clone()).await;
        let ask = || reqwest::Client::new().post(server.url("/")).events();
        let (data, error) = collect(ask().await.unwrap()).await;
        assert_eq!(data, ["a"], "{what}");
        let expected = (!looks_whole).then_some(ErrorKind::Body);
        assert_eq!(error.map(|error| error.kind()), expected, "{what}");

        // What completes the answer tells them apart.
        let mut events = ask().await.unwrap().complete_on_data("[DONE]");
        assert!(events.try_next().await.unwrap().is_some(), "{what}");
        let error = events.try_next().await.unwrap_err();
        assert!(error.is_incomplete(), "{what}");
        assert_eq!(server.requests().len(), 2, "{what}");
    }
}
