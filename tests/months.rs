//! A feed that runs for months: nothing grows with the number of reconnections or of events, as
//! the allocator counts it. A test binary of its own, since the allocator counts for all threads.

use everstream::{
    EventSource, EventSourceBuilder, Retry,
    testing::{Reply, Script, Server},
};
use follow::at_once;
use futures_util::StreamExt;

#[path = "support/follow.rs"]
mod follow;
#[path = "support/heap.rs"]
mod heap;

const WARM: u64 = 2_000;
const RECONNECTIONS: u64 = 10_000;
/// Less than five bytes for each reconnection.
const MARGIN: isize = 32 * 1024;

/// Every way a connection can end, in turn. All IDs have the same length.
fn reply(n: u64) -> Reply {
    let event = format!("id: {:08}\ndata: {n}\n\n", n + 1);
    let stream = Reply::events().length_delimited().raw(&event).raw(&event);
    match n % 8 {
        0 => stream.raw("data: unfinished").cut(),
        1 => Reply::status(503).length_delimited().raw("busy"),
        2 => stream.raw(": a comment\nretry: 0\n\n"),
        3 => Reply::refuse(),
        4 => Reply::events().length_delimited(),
        _ => stream,
    }
}

fn options(builder: EventSourceBuilder) -> EventSource {
    builder
        .backoff(at_once())
        .max_initial_failures(None)
        .retry_when(|_| Retry::Default)
        .build()
        .unwrap()
}

/// Runs the source until `requests` says that it has made them all; what was held more at the end
/// than after warming up.
async fn growth(mut source: EventSource, requests: impl Fn() -> u64) -> isize {
    let handle = source.handle();
    let (mut warm, mut end) = (None, 0);
    let mut last = 0;
    while last < RECONNECTIONS {
        let event = source.next().await.unwrap().unwrap();
        assert_eq!(
            event.id(),
            format!("{:08}", event.data().parse::<u64>().unwrap() + 1)
        );
        assert_eq!(handle.last_event_id(), event.id());
        last = requests();
        if warm.is_none() && last >= WARM {
            warm = Some(heap::held());
        }
        end = heap::held();
    }
    end - warm.expect("warm by then")
}

#[tokio::test]
async fn ten_thousand_reconnections_leak_nothing() {
    let script = Script::from_fn(|attempt| reply(attempt.number()));
    let attempts = std::cell::Cell::new(0);
    let grown = growth(options(EventSource::builder(script.clone())), || {
        attempts.set(attempts.get() + script.take_attempts().len() as u64);
        attempts.get()
    })
    .await;
    assert!(grown < MARGIN, "{grown} bytes more without a network");

    let server = Server::start(|request| reply(request.number() as u64)).await;
    let request = reqwest::Client::new().get(server.url("/"));
    let requests = std::cell::Cell::new(0);
    let grown = growth(options(EventSource::builder(request)), || {
        requests.set(requests.get() + server.take_requests().len() as u64);
        requests.get()
    })
    .await;
    assert!(grown < MARGIN, "{grown} bytes more over a network");
}
