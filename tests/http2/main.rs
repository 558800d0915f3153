//! What HTTP/2 does below this crate: how often a request is sent, and what an end looks like.

mod server;

use std::time::Duration;

use everstream::{Error, ErrorKind, EventStreamExt, RequestBuilderExt, reqwest013};
use futures_util::TryStreamExt;
use server::{CANCEL, Do, INTERNAL_ERROR, NO_ERROR, REFUSED_STREAM, Server};

/// Fails a test that would hang; no result depends on the time.
async fn soon<T>(future: impl Future<Output = T>) -> T {
    let limit = Duration::from_secs(60);
    tokio::time::timeout(limit, future).await.expect("in time")
}

/// reqwest with its defaults, and this crate's client.
fn clients() -> [(&'static str, reqwest::Client); 2] {
    let builders = [
        ("reqwest's default", reqwest::Client::builder()),
        ("everstream's", reqwest013::client_builder()),
    ];
    builders.map(|(name, builder)| (name, builder.http2_prior_knowledge().build().unwrap()))
}

/// The data of an answer to a POST, and how it ended.
async fn post(client: &reqwest::Client, server: &Server) -> (Vec<String>, Option<Error>) {
    let mut data = Vec::new();
    let answer = client.post(server.url()).body("{}").events();
    let mut events = match soon(answer.into_future()).await {
        Ok(events) => events,
        Err(error) => return (data, Some(error)),
    };
    loop {
        match soon(events.try_next()).await {
            Ok(Some(event)) => data.push(event.into_data()),
            Ok(None) => return (data, None),
            Err(error) => return (data, Some(error)),
        }
    }
}

const REFUSALS: [(&str, Do); 2] = [
    ("REFUSED_STREAM", Do::Reset(REFUSED_STREAM)),
    (
        "GOAWAY",
        Do::GoAway {
            processed: false,
            code: NO_ERROR,
        },
    ),
];

/// According to HTTP, a server that refuses has not acted. So reqwest repeats the request, even a
/// POST; our client sends it once.
#[tokio::test]
async fn a_request_that_is_refused_is_sent_three_times_by_reqwest_and_once_by_us() {
    for (what, refusal) in REFUSALS {
        for ((name, client), sent) in clients().into_iter().zip([3, 1]) {
            let refusal = refusal.clone();
            let server = Server::start(move |_| vec![refusal.clone(), Do::Close]).await;
            let (_, error) = post(&client, &server).await;
            assert_eq!(server.requests(), sent, "{name}, {what}");
            let error = error.unwrap();
            assert_eq!(error.kind(), ErrorKind::Transport, "{name}, {what}");
            assert!(!error.is_unsent(), "{name}, {what}");
        }
    }
}

/// The same on a connection that has served another request before.
#[tokio::test]
async fn a_refusal_on_a_used_connection_is_the_same() {
    for (what, refusal) in REFUSALS {
        for ((name, client), sent) in clients().into_iter().zip([4, 2]) {
            let refusal = refusal.clone();
            let server = Server::start(move |number| match number {
                0 => vec![Do::Open, Do::Data("data: a\n\n"), Do::End],
                _ => vec![refusal.clone()],
            })
            .await;
            assert_eq!(post(&client, &server).await.0, ["a"]);
            let (_, error) = post(&client, &server).await;
            assert_eq!(server.requests(), sent, "{name}, {what}");
            assert_eq!(error.unwrap().kind(), ErrorKind::Transport);
        }
    }
}

/// Once the answer has started, neither client repeats anything.
#[tokio::test]
async fn nothing_is_repeated_in_the_middle_of_a_body() {
    for (name, client) in clients() {
        for end in ends() {
            let server = end.server().await;
            let (data, error) = post(&client, &server).await;
            assert_eq!(data, ["a"], "{name}, {}", end.what);
            let kind = error.as_ref().map(Error::kind);
            let expected = (!end.looks_whole).then_some(ErrorKind::Body);
            assert_eq!(kind, expected, "{name}, {}: {error:?}", end.what);
            assert_eq!(server.requests(), 1, "{name}, {}", end.what);
        }
    }
}

/// If HTTP/2 can't tell that the body was cut, the missing terminal event does.
#[tokio::test]
async fn a_clean_end_is_incomplete_without_its_terminal_event() {
    let (_, client) = clients().into_iter().last().unwrap();
    for end in ends() {
        let server = end.server().await;
        let answer = client.post(server.url()).body("{}").events();
        let mut events = soon(answer.into_future()).await.unwrap();
        let mut until = (&mut events).complete_on_data("[DONE]");
        assert_eq!(soon(until.try_next()).await.unwrap().unwrap().data(), "a");
        let error = soon(until.try_next()).await.unwrap_err();
        assert!(error.is_incomplete(), "{}: {error:?}", end.what);
        assert!(!error.is_unsent());
    }
}

struct End {
    what: &'static str,
    frames: Vec<Do>,
    /// According to reqwest.
    looks_whole: bool,
}

impl End {
    /// A server that sends one event, and then ends the body like this.
    async fn server(&self) -> Server {
        let mut frames = vec![Do::Open, Do::Data("data: a\n\n")];
        frames.extend(self.frames.iter().cloned());
        Server::start(move |_| frames.clone()).await
    }
}

fn ends() -> Vec<End> {
    let end = |what, frames, looks_whole| End {
        what,
        frames,
        looks_whole,
    };
    let go_away = |processed, code| Do::GoAway { processed, code };
    let whole = [
        ("END_STREAM", vec![Do::End]),
        (
            "GOAWAY, then END_STREAM",
            vec![go_away(true, NO_ERROR), Do::End, Do::Close],
        ),
        ("RST_STREAM(NO_ERROR)", vec![Do::Reset(NO_ERROR)]),
        (
            "GOAWAY(NO_ERROR) that disowns the request",
            vec![go_away(false, NO_ERROR)],
        ),
    ];
    let broken = [
        ("RST_STREAM(CANCEL)", vec![Do::Reset(CANCEL)]),
        (
            "RST_STREAM(INTERNAL_ERROR)",
            vec![Do::Reset(INTERNAL_ERROR)],
        ),
        (
            "RST_STREAM(REFUSED_STREAM)",
            vec![Do::Reset(REFUSED_STREAM)],
        ),
        (
            "GOAWAY(NO_ERROR) and a close",
            vec![go_away(true, NO_ERROR), Do::Close],
        ),
        (
            "GOAWAY(INTERNAL_ERROR) that disowns the request",
            vec![go_away(false, INTERNAL_ERROR)],
        ),
        (
            "GOAWAY(INTERNAL_ERROR) and a close",
            vec![go_away(true, INTERNAL_ERROR), Do::Close],
        ),
        ("a close", vec![Do::Close]),
    ];
    let whole = whole.map(|(what, frames)| end(what, frames, true));
    let broken = broken.map(|(what, frames)| end(what, frames, false));
    whole.into_iter().chain(broken).collect()
}
