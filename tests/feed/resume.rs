//! Cut anywhere and resumed: nothing is lost, nothing is repeated.

use std::{collections::HashSet, sync::Mutex};

use crate::*;

const EVENTS: usize = 50;

/// An event of every kind that a stream can carry, ten times over.
fn wire(n: usize) -> String {
    match n % 5 {
        0 => format!("id: {n}\ndata: event {n}\n\n"),
        1 => format!("data: event {n}\r\nid:{n}\r\n\r\n"),
        2 => format!(": keep-alive\nevent: odd\nid: {n}\ndata: event {n}\n\n"),
        3 => format!("id: {n}\rdata: event {n}\r\r"),
        _ => format!("retry: 0\nid: {n}\ndata: event {n}\nunknown: grö\u{df}e\n\n"),
    }
}

/// What a server sends that resumes from `last`.
fn rest(last: Option<usize>) -> String {
    (last.map_or(0, |last| last + 1)..EVENTS)
        .map(wire)
        .collect()
}

fn last(request: &Request) -> Option<usize> {
    request
        .last_event_id()
        .map(|id| id.parse().expect("one of our IDs"))
}

fn all() -> Vec<String> {
    (0..EVENTS).map(|n| format!("event {n}")).collect()
}

/// The first connection is cut after each number of bytes; the second continues.
#[tokio::test]
async fn a_cut_at_any_byte_loses_nothing() {
    let cut_already = Mutex::new(HashSet::new());
    let server = Server::start(move |request| {
        let cut: u64 = request.path()[1..].parse().unwrap();
        let body = events(rest(last(request)));
        match last(request) {
            Some(last) if last + 1 == EVENTS => Reply::status(204),
            _ if cut_already.lock().unwrap().insert(cut) => body.cut_after(cut),
            _ => body,
        }
    })
    .await;
    let client = reqwest::Client::new();
    let whole = rest(None).len();
    for cut in 0..=whole {
        let request = client.get(server.url(&cut.to_string()));
        let builder = EventSource::builder(request).backoff(at_once());
        let mut source = builder.build().unwrap();
        let mut data = Vec::new();
        while let Some(event) = soon(source.next()).await {
            let event = event.unwrap();
            assert_eq!(event.data(), format!("event {}", event.id()));
            assert_eq!(source.last_event_id(), event.id());
            data.push(event.into_data());
        }
        assert_eq!(data, all(), "cut after {cut} bytes");
        assert!(server.take_requests().len() > 1);
    }
}

/// Every connection is cut, each a few bytes after the point where it makes progress.
#[tokio::test]
async fn repeated_cuts_lose_nothing() {
    for step in [52, 57, 64, 100] {
        let server = Server::start(move |request| match last(request) {
            Some(last) if last + 1 == EVENTS => Reply::status(204),
            last => events(rest(last)).split_every(7).cut_after(step),
        })
        .await;
        let (data, error) = soon(collect(theirs(&server.url("/")).build().unwrap())).await;
        assert!(error.is_none(), "{error:?}");
        assert_eq!(data, all(), "cut after every {step} bytes");
        assert!(server.requests().len() > 10);
    }
}

#[tokio::test]
async fn resets_lose_nothing() {
    let server = Server::start(|request| match last(request) {
        Some(last) if last + 1 == EVENTS => Reply::status(204),
        last => {
            let body = rest(last);
            events(&body[..body.len().min(60)]).reset()
        }
    })
    .await;
    let (data, error) = soon(collect(
        own(&server.url("/"))
            .max_initial_failures(None)
            .build()
            .unwrap(),
    ))
    .await;
    assert!(error.is_none(), "{error:?}");
    // A reset may overtake the bytes before it, but never an event that was yielded.
    assert_eq!(data, all());
}

/// MCP: the first event has an ID and no data; the server closes; a GET with that ID resumes.
#[tokio::test]
async fn a_priming_event_is_resumed_from() {
    let server = Server::script([
        events("id: p1\ndata:\n\n").expect_no_last_event_id(),
        events("id: p2\n\n")
            .expect_last_event_id("p1")
            .expect_method("GET"),
        events("id: p3\ndata: answer\n\n").expect_last_event_id("p2"),
    ])
    .await;
    let (data, error) = soon(collect(own(&server.url("/")).build().unwrap())).await;
    assert!(error.is_none());
    assert_eq!(data, ["", "answer"]);
    assert_eq!(ids(&server), ["", "p1", "p2", "p3"]);
    server.verify();
}

#[tokio::test]
async fn long_polling_continues() {
    let replies = (0..20).map(|n| match n % 2 {
        0 => Reply::events().length_delimited(),
        _ => events(format!("id: {n}\ndata: {n}\n\n")).length_delimited(),
    });
    let server = Server::script(replies).await;
    let (data, error) = soon(collect(theirs(&server.url("/")).build().unwrap())).await;
    assert!(error.is_none());
    assert_eq!(data.len(), 10);
    assert_eq!(
        server.connections(),
        1,
        "answers that end leave their connection"
    );
    server.verify();
}

#[tokio::test]
async fn the_last_event_id_header_is_sent_exactly_once() {
    let replies = || {
        [
            events("id: 1\ndata: a\n\n").expect_last_event_id("mine"),
            events("data: b\n\n").expect_last_event_id("1"),
            events("id\ndata: c\n\n").expect_last_event_id("1"),
            events("id: größe\ndata: d\n\n").expect_no_last_event_id(),
            events("data: e\n\n").expect_last_event_id("größe"),
        ]
    };
    // Of the user's own request.
    let server = Server::script(replies()).await;
    let request = reqwest::Client::new()
        .get(server.url("/"))
        .header("last-event-id", "mine")
        .header("last-event-id", "twice");
    let source = EventSource::builder(request)
        .backoff(at_once())
        .build()
        .unwrap();
    assert_eq!(soon(collect(source)).await.0.len(), 5);
    server.verify();
    ids(&server);

    // Of a request of `http`.
    let server = Server::script(replies()).await;
    let request = http::Request::get(server.url("/"))
        .header("last-event-id", "mine")
        .body("");
    let source = EventSource::request(request)
        .backoff(at_once())
        .build()
        .unwrap();
    assert_eq!(soon(collect(source)).await.0.len(), 5);
    server.verify();

    // Of a client's default headers, and of a factory.
    let server = Server::script([
        events("id: 1\ndata: a\n\n"),
        events("data: b\n\n"),
        events("id\ndata: c\n\n"),
        events("id: größe\ndata: d\n\n"),
        events("data: e\n\n"),
    ])
    .await;
    let default = reqwest::header::HeaderMap::from_iter([(
        "last-event-id".parse().unwrap(),
        "default".parse().unwrap(),
    )]);
    let client = reqwest::Client::builder()
        .default_headers(default)
        .build()
        .unwrap();
    let url = server.url("/");
    let source = EventSource::factory(move |attempt| {
        let request = client.get(&url).header("last-event-id", "stale");
        let request = request.header("x-attempt", attempt.number());
        async move { Ok::<_, Error>(request) }
    })
    .last_event_id("mine")
    .backoff(at_once())
    .build()
    .unwrap();
    assert_eq!(soon(collect(source)).await.0.len(), 5);
    // Without an ID, a default header of the client cannot be seen or removed.
    let sent = server.requests();
    let ids: Vec<_> = sent
        .iter()
        .map(|it| it.last_event_id().unwrap_or(""))
        .collect();
    assert_eq!(ids, ["mine", "1", "1", "default", "größe", "größe"]);
    assert!(
        sent.iter()
            .all(|it| it.headers().get_all("last-event-id").iter().count() == 1)
    );
    assert_eq!(sent[5].header("x-attempt"), Some("6"));
}

#[tokio::test]
async fn the_default_request_headers() {
    let server = Server::script([]).await;
    soon(collect(own(&server.url("/feed?a=b")).build().unwrap())).await;
    soon(collect(theirs(&server.url("/feed?a=b")).build().unwrap())).await;
    for request in server.requests() {
        assert_eq!(request.method(), "GET");
        assert_eq!(request.target(), "/feed?a=b");
        for (name, value) in [
            ("accept", "text/event-stream"),
            ("cache-control", "no-cache"),
            ("accept-encoding", "identity"),
        ] {
            let all: Vec<_> = request.headers().get_all(name).iter().collect();
            assert_eq!(all, [value]);
        }
        assert!(request.body().is_empty());
        assert!(request.header("content-length").is_none());
    }
}

/// An ID is sent as UTF-8, and it is the same on each connection, also after one that named none.
#[tokio::test]
async fn a_non_ascii_id_is_sent_back_unchanged() {
    let id = "\u{2026} \u{1f980}<\"";
    let first = events(format!("id: {id}\nretry: 0\ndata: hello\n\n"));
    let again = events("data: again\n\n");
    let server = Server::script([first, again.clone(), again]).await;
    let mut source = own(&server.url("/")).build().unwrap();
    for _ in 0..3 {
        let event = soon(source.next()).await.unwrap().unwrap();
        assert_eq!(event.id(), id);
    }
    assert!(soon(source.next()).await.is_none());
    let sent = |request: Request| {
        let sent = request.headers().get("last-event-id")?;
        Some(String::from_utf8(sent.as_bytes().to_vec()).unwrap())
    };
    let sent: Vec<_> = server.requests().into_iter().map(sent).collect();
    assert_eq!(
        sent,
        [None, Some(id), Some(id), Some(id)].map(|id| id.map(str::to_owned))
    );
}
