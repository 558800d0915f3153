//! When an answer is complete, and when it is not.

use everstream::{
    ErrorKind, EventStream, EventStreamExt, RequestBuilderExt, Signal,
    testing::{Gate, Reply, Server},
};
use futures_util::{StreamExt, TryStreamExt, stream};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use crate::{ask, collect};

#[tokio::test]
async fn the_terminal_event_ends_the_answer_before_the_body_ends() {
    let reply = Reply::events().data("a").data("b").data(" [DONE]\t").hold();
    let server = Server::start(move |_| reply.clone()).await;
    let client = reqwest::Client::new();
    let (data, error) = ask(&client, &server).await;
    assert_eq!(data, ["a", "b"]);
    assert!(error.is_none());
    // The body had not ended, so its connection cannot be reused.
    server.wait_until_closed().await;
}

#[tokio::test]
async fn until_yields_the_terminal_event() {
    let reply = Reply::events()
        .data("a")
        .raw("event: end\ndata: usage\n\n")
        .hold();
    let server = Server::start(move |_| reply.clone()).await;
    let client = reqwest::Client::new();
    let events = client.get(server.url("/")).events().await.unwrap();
    let (data, error) = collect(events.complete_when(|event| event.event_type() == "end")).await;
    assert_eq!(data, ["a", "usage"]);
    assert!(error.is_none());
}

#[tokio::test]
async fn an_answer_cut_short_is_incomplete() {
    for (reply, events_before) in [
        (Reply::events(), 0),
        (Reply::events().data("a"), 1),
        (Reply::events().data("a").raw("data: [DONE]\n"), 1),
    ] {
        let server = Server::start(move |_| reply.clone()).await;
        let (data, error) = ask(&reqwest::Client::new(), &server).await;
        let error = error.unwrap();
        assert_eq!(error.kind(), ErrorKind::Incomplete);
        assert!(error.is_incomplete() && error.is_final());
        assert_eq!(error.events_before(), events_before);
        assert_eq!(data.len() as u64, events_before);
    }
}

#[tokio::test]
async fn a_finished_connection_is_reused() {
    let stream = "data: a\n\ndata: [DONE]\n\n";
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n";
    let length = stream.len();
    for response in [
        // The end of the body arrives together with `[DONE]`.
        format!("{head}transfer-encoding: chunked\r\n\r\n{length:x}\r\n{stream}\r\n0\r\n\r\n"),
        format!("{head}content-length: {length}\r\n\r\n{stream}"),
    ] {
        // The scripted server writes the end of a body by itself: here it must not come later.
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let client = reqwest::Client::new();
        let serve = async {
            let (mut socket, _) = listener.accept().await.unwrap();
            for _ in 0..5 {
                let mut request = Vec::new();
                while !request.ends_with(b"\r\n\r\n") {
                    assert_ne!(socket.read_buf(&mut request).await.unwrap(), 0);
                }
                socket.write_all(response.as_bytes()).await.unwrap();
            }
        };
        let ask = async {
            for _ in 0..5 {
                let events = client.get(&url).events().await.unwrap();
                let (data, error) = collect(events.complete_on_data("[DONE]")).await;
                assert_eq!(data, ["a"]);
                assert!(error.is_none());
            }
        };
        // The server accepts only one connection.
        tokio::join!(serve, ask);
    }
}

#[tokio::test]
async fn an_error_event_is_an_error_with_its_event() {
    let reply = Reply::events()
        .data("a")
        .data("b")
        .raw("event: error\ndata: {\"message\":\"overloaded\"}\n\n")
        .data("never");
    let server = Server::start(move |_| reply.clone()).await;
    let client = reqwest::Client::new();
    let events = client.get(server.url("/")).events().await.unwrap();
    let events = events
        .error_when(|event| event.event_type() == "error")
        .complete_on_data("[DONE]");
    let (data, error) = collect(events).await;
    assert_eq!(data, ["a", "b"]);
    let error = error.unwrap();
    assert_eq!(error.kind(), ErrorKind::ErrorEvent);
    assert_eq!(error.event().unwrap().data(), r#"{"message":"overloaded"}"#);
    assert_eq!(error.events_before(), 2);
}

#[tokio::test]
async fn json_continues_after_an_event_that_does_not_fit() {
    #[derive(Debug, PartialEq, serde::Deserialize)]
    struct Token {
        text: String,
    }
    let reply = Reply::events()
        .data(r#"{"text":"a"}"#)
        .data(": keepalive")
        .data(r#"{"text":"b","new":1}"#)
        .data("[DONE]");
    let server = Server::start(move |_| reply.clone()).await;
    let client = reqwest::Client::new();
    let events = client.get(server.url("/")).events().await.unwrap();
    let items: Vec<_> = events
        .complete_on_data("[DONE]")
        .json::<Token>()
        .collect()
        .await;
    let [Ok(first), Err(error), Ok(last)] = &items[..] else {
        panic!("{items:?}")
    };
    assert_eq!((&*first.text, &*last.text), ("a", "b"));
    assert_eq!(error.kind(), ErrorKind::Json);
    assert!(!error.is_final());
    assert_eq!(error.event().unwrap().data(), ": keepalive");
    assert_eq!(error.events_before(), 1);
    assert!(std::error::Error::source(error).is_some());
}

#[tokio::test]
async fn nothing_is_read_ahead_of_the_user() {
    let gate = Gate::new();
    let reply = Reply::events()
        .raw("id: 1\ndata: a\n\nid: 2\ndata: b\n\nid: 3\n\n")
        .gate(&gate)
        .raw("id: 4\ndata: c\n\n");
    let server = Server::start(move |_| reply.clone()).await;
    let client = reqwest::Client::new();
    let mut events = client.get(server.url("/")).events().await.unwrap();
    assert_eq!(events.last_event_id(), "");
    for (data, id) in [("a", "1"), ("b", "2")] {
        let event = events.try_next().await.unwrap().unwrap();
        assert_eq!((event.data(), event.id()), (data, id));
        assert_eq!(events.last_event_id(), id);
    }
    gate.open();
    assert_eq!(events.try_next().await.unwrap().unwrap().data(), "c");
    assert_eq!(events.last_event_id(), "4");
}

#[tokio::test]
async fn an_error_has_the_number_of_events_before_it() {
    let chunks = [
        Ok("data: a\n\ndata: b\n\ndata: c\n\n"),
        Err(std::io::Error::other("cut")),
    ];
    let (data, error) = collect(EventStream::new(stream::iter(chunks))).await;
    assert_eq!(data, ["a", "b", "c"]);
    assert_eq!(error.unwrap().events_before(), 3);
}

/// An answer has one open signal, before its first event.
#[tokio::test]
async fn late_signals_do_not_repeat_the_open_signal() {
    let server = Server::start(|_| Reply::events().data("a").data("b")).await;
    let client = reqwest::Client::new();
    let mut events = client.get(server.url("/")).events().await.unwrap();
    assert_eq!(events.try_next().await.unwrap().unwrap().data(), "a");
    let mut signals = events.signals();
    let first = signals.try_next().await.unwrap();
    assert!(matches!(first, Some(Signal::Event(event)) if event.data() == "b"));
    assert!(signals.try_next().await.unwrap().is_none());
}

/// A borrowed stream can be read further: events after the terminal event are not lost.
#[tokio::test]
async fn events_after_the_terminal_event_stay_in_the_stream() {
    for chunks in [
        vec!["data: a\n\ndata: end\n\ndata: b\n\ndata: end\n\ndata: c\n\n"],
        vec![
            "data: a\n\ndata: end\n\n",
            "data: b\n\n",
            "data: end\n\ndata: c\n\n",
        ],
        vec![
            "data: a\n\ndata: end\n\n: x\nda",
            "ta: b\n\ndata: end\n\n: y\ndata: ",
            "c\n\n",
        ],
    ] {
        let chunks = stream::iter(chunks.into_iter().map(Ok::<_, std::io::Error>));
        let mut events = EventStream::new(chunks);
        for data in ["a", "b"] {
            let (seen, error) = collect((&mut events).complete_on_data("end")).await;
            assert_eq!(seen, [data]);
            assert!(error.is_none());
        }
        assert_eq!(collect(events).await.0, ["c"]);
    }

    let chunks = [
        Ok("data: a\n\ndata: end\n\n"),
        Err(std::io::Error::other("cut")),
    ];
    let mut events = EventStream::new(stream::iter(chunks));
    let (seen, error) = collect((&mut events).complete_on_data("end")).await;
    assert_eq!((seen.len(), error.is_none()), (1, true));
    let (seen, error) = collect(events).await;
    assert_eq!((seen.len(), error.unwrap().kind()), (0, ErrorKind::Body));
}
