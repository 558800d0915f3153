//! Hostile servers: endless, huge or tiny responses, broken connections and lies. Each gets bounded
//! memory, a bounded number of requests, and a clear error or a recovery that loses nothing.
//!
//! The allocator counts for all threads, those of the servers too, so one test runs at a time:
//! `cargo test --test hostile -- --nocapture` shows what each took at its peak.

mod breaks;
mod cancel;
mod clients;
mod endless;
#[path = "../support/follow.rs"]
mod follow;
mod heads;
#[path = "../support/heap.rs"]
mod heap;
mod ids;
mod large;
mod many;
mod redirects;
mod refused;
mod waits;

use std::time::Duration;

use everstream::{
    Error, ErrorKind, EventSource, EventSourceBuilder, EventStreamBuilder, RequestBuilderExt,
    Signal,
    testing::{Reply, Server},
};
use follow::at_once;
use futures_util::StreamExt;

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

/// What a connection may take, whatever comes over it: the HTTP client reads up to 400 KiB at
/// once, the server writes 64 KiB.
const CONNECTION: usize = MIB;

/// Runs a test while no other one does, and fails one that would hang.
fn alone<T>(test: impl Future<Output = T>) -> T {
    let _alone = heap::alone();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let limit = Duration::from_secs(120);
    runtime.block_on(async { tokio::time::timeout(limit, test).await.expect("an end") })
}

/// Checks the peak memory of `run` against a limit.
async fn within<T>(limit: usize, what: &str, run: impl Future<Output = T>) -> T {
    heap::reset_peak();
    let output = run.await;
    let peak = heap::peak();
    eprintln!("{:>8} KiB  {what}", peak.div_ceil(KIB));
    assert!(peak <= limit, "{what}: {peak} bytes, not {limit}");
    output
}

/// A client that keeps no idle connections, so that any open connection is a leak.
fn client() -> reqwest::Client {
    let builder = reqwest::Client::builder().pool_max_idle_per_host(0);
    builder.build().unwrap()
}

fn source(client: &reqwest::Client, server: &Server) -> EventSourceBuilder {
    EventSource::builder(client.get(server.url("/"))).backoff(at_once())
}

fn answer(client: &reqwest::Client, server: &Server) -> EventStreamBuilder {
    client.get(server.url("/")).events()
}

fn events(bytes: impl AsRef<[u8]>) -> Reply {
    Reply::events().raw(bytes)
}

/// A head and the beginning of a body, given to the client in one write.
fn in_one(head: &str, body: &str) -> Reply {
    Reply::raw_response(format!(
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n{head}\r\n{body}"
    ))
}

/// Everything that a stream has yielded.
#[derive(Debug, Default)]
struct Told {
    data: Vec<String>,
    /// Why it reconnected, each time; `None` if the body ended cleanly.
    causes: Vec<Option<ErrorKind>>,
    delays: Vec<Duration>,
    /// The bytes of each skipped event and comment.
    skipped: Vec<u64>,
    error: Option<Error>,
}

impl Told {
    fn kind(&self) -> Option<ErrorKind> {
        self.error.as_ref().map(Error::kind)
    }

    fn note(&mut self, signal: Result<Signal, Error>) {
        use everstream::Skipped;

        match signal {
            Ok(Signal::Event(event)) => self.data.push(event.into_data()),
            Ok(Signal::Reconnecting { cause, delay, .. }) => {
                self.causes.push(cause.error().map(Error::kind));
                self.delays.push(delay);
            }
            Ok(Signal::Skipped(Skipped::Event { bytes, .. } | Skipped::Comment { bytes, .. })) => {
                self.skipped.push(bytes);
            }
            Ok(_) => {}
            Err(error) => self.error = Some(error),
        }
    }
}

/// All of a source's life.
async fn life(source: EventSource) -> Told {
    let mut told = Told::default();
    let mut signals = source.signals();
    while let Some(signal) = signals.next().await {
        told.note(signal);
    }
    told
}

/// All of an answer.
async fn whole(events: EventStreamBuilder) -> Told {
    let mut told = Told::default();
    match events.await {
        Err(error) => told.error = Some(error),
        Ok(stream) => {
            let mut signals = stream.signals();
            while let Some(signal) = signals.next().await {
                told.note(signal);
            }
        }
    }
    told
}
