//! `EventSource` over real HTTP, on the loopback interface: in real time, so nothing waits and
//! nothing is asserted but what happens and in which order.

mod clients;
mod defects;
#[path = "../support/follow.rs"]
mod follow;
mod hyper;
mod posts;
mod redirects;
mod resume;
mod servers;
mod urls;

use std::time::Duration;

use everstream::{
    Error, EventSource, EventSourceBuilder,
    testing::{Reply, Request, Server},
};
use follow::{at_once, collect, next_data};
use futures_util::StreamExt;

/// A feed with this crate's HTTP client.
fn own(url: &str) -> EventSourceBuilder {
    let request = http::Request::get(url).body("");
    EventSource::request(request).backoff(at_once())
}

/// A feed with the user's client.
fn theirs(url: &str) -> EventSourceBuilder {
    EventSource::builder(reqwest::Client::new().get(url)).backoff(at_once())
}

/// The `Last-Event-ID` of every request; empty where there was none.
fn ids(server: &Server) -> Vec<String> {
    let id = |request: &Request| {
        let all = request.headers().get_all("last-event-id");
        assert!(all.iter().count() <= 1, "once at most");
        assert_ne!(request.header("last-event-id"), Some(""), "never empty");
        request.last_event_id().unwrap_or_default().to_owned()
    };
    server.requests().iter().map(id).collect()
}

fn events(bytes: impl AsRef<[u8]>) -> Reply {
    Reply::events().raw(bytes)
}

/// Fails a test that would hang; no result depends on the time.
async fn soon<T>(future: impl Future<Output = T>) -> T {
    let limit = Duration::from_secs(60);
    tokio::time::timeout(limit, future).await.expect("in time")
}
