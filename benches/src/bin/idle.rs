//! What a stream costs in memory while nothing comes: everstream above reqwest's bare `bytes_stream()`.

use everstream::RequestBuilderExt;
use everstream_benches::server::{self, Job};
use futures_util::{StreamExt, poll};

#[global_allocator]
static ALLOCATOR: dhat::Alloc = dhat::Alloc;

const STREAMS: usize = 1_000;

fn main() {
    let url = server::start(Job::Hold);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let _profiler = dhat::Profiler::builder().testing().build();
    println!("Heap for each of {STREAMS} idle streams, all polled and waiting:\n");
    // Each kind on its own: what the client keeps of connections that were closed is not counted
    // against those that come after.
    let bare = runtime.block_on(async {
        let client = client(&url).await;
        let before = held();
        let mut streams = Vec::with_capacity(STREAMS);
        for _ in 0..STREAMS {
            let response = client.get(&url).send().await.expect("a response");
            streams.push(Box::pin(response.bytes_stream()));
        }
        for stream in &mut streams {
            assert!(poll!(stream.next()).is_pending());
        }
        held() - before
    });
    settle(&runtime);
    let stream = runtime.block_on(async {
        let client = client(&url).await;
        let before = held();
        let mut streams = Vec::with_capacity(STREAMS);
        for _ in 0..STREAMS {
            streams.push(client.get(&url).events().await.expect("a stream"));
        }
        for stream in &mut streams {
            assert!(poll!(stream.next()).is_pending());
        }
        held() - before
    });
    settle(&runtime);
    let source = runtime.block_on(async {
        let client = client(&url).await;
        let before = held();
        let mut sources = Vec::with_capacity(STREAMS);
        for _ in 0..STREAMS {
            let source = client.get(&url).event_source().expect("a source");
            let mut signals = source.signals();
            signals.next().await.expect("it opens").expect("it opens");
            sources.push(signals);
        }
        for source in &mut sources {
            assert!(poll!(source.next()).is_pending());
        }
        held() - before
    });
    for (name, held) in [
        ("reqwest, bytes_stream()", bare),
        ("everstream, EventStream", stream),
        ("everstream, EventSource", source),
    ] {
        let (each, bare) = (held / STREAMS, bare / STREAMS);
        let more = each as i64 - bare as i64;
        println!("{name:<25} {each:>7} B   {more:>+6} B");
    }
}

/// A client that has made what it keeps for all its requests.
async fn client(url: &str) -> reqwest::Client {
    let client = reqwest::Client::new();
    drop(client.get(url).send().await.expect("a response"));
    client
}

/// Lets the tasks of connections that were closed come to their end.
fn settle(runtime: &tokio::runtime::Runtime) {
    runtime.block_on(async {
        let mut last = usize::MAX;
        while held() < last {
            last = held();
            tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        }
    });
}

fn held() -> usize {
    dhat::HeapStats::get().curr_bytes
}
