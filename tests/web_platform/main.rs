//! What web-platform-tests ask of an `EventSource` in their folder [`eventsource`], as far as it
//! concerns a client that is not a browser: what a server sends, and what the client must do.
//!
//! Every row and every test says which file it stands for. The rows are our own. What is read
//! there from handlers is read here from signals: `open` is [`Signal::Open`], `message` is
//! [`Signal::Event`], `error` is [`Signal::Reconnecting`] or the end; and `readyState` is looked at
//! each time. All of it is asked of [`EventSourceBuilder::standard`], over HTTP, and once more byte
//! by byte.
//!
//! # What is not here
//!
//! | file | why |
//! | --- | --- |
//! | `eventsource-constructor-empty-url`, `-stringify` | there is no document whose URL the empty one is relative to, and no JavaScript value to turn into a string |
//! | `eventsource-constructor-document-domain`, `-non-same-origin`, `-url-multi-window` | origins of documents |
//! | `eventsource-constructor-no-new` | JavaScript's `new` |
//! | `eventsource-cross-origin`, the half of it that must fail | CORS protects the users of a browser |
//! | `eventsource-eventtarget` | DOM events: here one stream has the events of every type |
//! | `eventsource-onmessage-realm`, `-trusted` | JavaScript realms, and events made by scripts |
//! | `eventsource-prototype`, `interfaces` | the WebIDL of the interface |
//! | `eventsource-bfcache` | pages that a browser keeps |
//! | `eventsource-from-readable-stream`, `-fetch` | streams of JavaScript; `EventStream` reads any stream of bytes |
//! | `dedicated-worker/`, `shared-worker/` | the same again, in workers |
//!
//! [`eventsource`]: https://github.com/web-platform-tests/wpt/tree/master/eventsource
//! [`Signal::Open`]: everstream::Signal::Open
//! [`Signal::Event`]: everstream::Signal::Event
//! [`Signal::Reconnecting`]: everstream::Signal::Reconnecting
//! [`EventSourceBuilder::standard`]: everstream::EventSourceBuilder::standard

#[path = "../support/follow.rs"]
mod follow;
mod format;
mod interface;
mod request;

use std::time::Duration;

use everstream::{
    Error, ErrorKind, EventSource, EventSourceBuilder, ReadyState, Signal,
    testing::{Reply, Server},
};
use follow::at_once;

/// What a source is seen to do.
#[derive(Debug, PartialEq)]
enum Seen {
    Open,
    Event {
        kind: String,
        data: String,
        id: String,
    },
    /// After so many milliseconds.
    Reconnecting(u128),
    /// A 204 has ended it.
    Closed,
    /// The connection has failed.
    Failed(ErrorKind, Option<u16>),
}

use Seen::{Closed, Failed, Open, Reconnecting};

fn event(kind: &str, data: &str, id: &str) -> Seen {
    let [kind, data, id] = [kind, data, id].map(str::to_owned);
    Seen::Event { kind, data, id }
}

fn message(data: &str) -> Seen {
    event("message", data, "")
}

/// One file, or one of the cases in it.
struct Row {
    file: &'static str,
    /// What the server sends, one answer after the other.
    replies: Vec<Reply>,
    /// What has to be seen, in this order. Then the source is closed.
    seen: Vec<Seen>,
}

fn row<const R: usize, const S: usize>(
    file: &'static str,
    replies: [Reply; R],
    seen: [Seen; S],
) -> Row {
    Row {
        file,
        replies: replies.into(),
        seen: seen.into(),
    }
}

fn stream(bytes: impl AsRef<[u8]>) -> Reply {
    Reply::events().raw(bytes)
}

async fn check(rows: Vec<Row>) {
    for row in rows {
        let in_bytes = row
            .replies
            .iter()
            .cloned()
            .map(|reply| reply.split_every(1));
        let in_bytes: Vec<_> = in_bytes.collect();
        for replies in [row.replies, in_bytes] {
            let requests = replies.len();
            let server = Server::script(replies).await;
            let source = standard(&server.url("/")).build().unwrap();
            assert_eq!(seen(source, row.seen.len()).await, row.seen, "{}", row.file);
            assert_eq!(server.requests().len(), requests, "{}", row.file);
            server.verify();
        }
    }
}

/// A source that behaves like a browser, without its waits.
fn standard(url: &str) -> EventSourceBuilder {
    let request = http::Request::get(url).body("");
    EventSource::request(request).backoff(at_once()).standard()
}

/// The first things that the source does, or all of them, and its state after that.
async fn seen(source: EventSource, most: usize) -> Vec<Seen> {
    assert_eq!(source.ready_state(), ReadyState::Connecting);
    let mut signals = source.signals();
    let mut seen = Vec::new();
    while seen.len() < most {
        let next = soon(signals.next_signal()).await;
        let state = signals.get_ref().ready_state();
        let (is, must_be) = match next {
            Ok(Some(Signal::Open(_))) => (Open, ReadyState::Open),
            Ok(Some(Signal::Event(it))) => {
                (event(it.event_type(), it.data(), it.id()), ReadyState::Open)
            }
            Ok(Some(Signal::Reconnecting { delay, .. })) => {
                (Reconnecting(delay.as_millis()), ReadyState::Connecting)
            }
            // Nothing that a browser would show.
            Ok(Some(_)) => continue,
            Ok(None) => {
                let status = signals.get_ref().closed_by().expect("a status");
                assert_eq!(status, 204);
                (Closed, ReadyState::Closed)
            }
            Err(error) => (failed(&error), ReadyState::Closed),
        };
        assert_eq!(state, must_be, "{is:?}");
        seen.push(is);
        if must_be == ReadyState::Closed {
            assert!(soon(signals.next_signal()).await.unwrap().is_none());
            break;
        }
    }
    signals.get_mut().close();
    assert_eq!(signals.get_ref().ready_state(), ReadyState::Closed);
    seen
}

fn failed(error: &Error) -> Seen {
    assert!(error.is_final());
    Failed(error.kind(), error.status().map(|status| status.as_u16()))
}

/// Fails a test that would hang; no result depends on the time.
async fn soon<T>(future: impl Future<Output = T>) -> T {
    let limit = Duration::from_secs(60);
    tokio::time::timeout(limit, future).await.expect("in time")
}
