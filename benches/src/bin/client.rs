//! The whole client over loopback: what it costs above reqwest's bare `bytes_stream()`.

use std::{
    sync::mpsc,
    time::{Duration, Instant},
};

use cpu_time::ThreadTime;
use eventsource_stream::Eventsource;
use everstream::{Backoff, EventSource, RequestBuilderExt};
use everstream_benches::{
    options::Options,
    server::{self, HEAD, Job, chunk},
};
use futures_util::{StreamExt, TryStreamExt};

const HELP: &str = "\
Follows a server on loopback: CPU time of the client's thread per event, bytes per second, latency, and
the time from a server's close to the next request.

  --rounds N   rounds that each client takes part in, by turns (11)
  --quick      fewer events and rounds";

/// ≈ 250 bytes of JSON, as a chat API sends them.
fn event(number: usize) -> String {
    let filler = "x".repeat(160);
    format!(
        "data: {{\"id\":\"chatcmpl-{number:08}\",\"choices\":[{{\"index\":0,\"delta\":\
         {{\"content\":\"{filler}\"}}}}]}}\n\n"
    )
}

fn response(events: usize, frame: Option<usize>) -> Vec<u8> {
    let mut response = HEAD.as_bytes().to_vec();
    match frame {
        None => (0..events).for_each(|n| response.extend(chunk(event(n).as_bytes()))),
        Some(size) => {
            let body: Vec<u8> = (0..events).flat_map(|n| event(n).into_bytes()).collect();
            body.chunks(size)
                .for_each(|frame| response.extend(chunk(frame)));
        }
    }
    response.extend_from_slice(b"0\r\n\r\n");
    response
}

#[derive(Clone, Copy, PartialEq)]
enum Client {
    Bare,
    EventStream,
    EventSource,
    EventsourceStream,
    ReqwestEventsource,
}

const CLIENTS: [(Client, &str); 5] = [
    (Client::Bare, "reqwest, bytes_stream()"),
    (Client::EventStream, "everstream, EventStream"),
    (Client::EventSource, "everstream, EventSource"),
    (Client::EventsourceStream, "reqwest + eventsource-stream"),
    (Client::ReqwestEventsource, "reqwest-eventsource"),
];

/// Reads one whole response, and counts what was in it: events, or for the bare client bytes.
async fn read(
    client: Client,
    http: &reqwest::Client,
    http012: &reqwest012::Client,
    url: &str,
    events: usize,
) -> usize {
    let request = http.get(url);
    let mut count = 0;
    match client {
        Client::Bare => {
            let mut chunks = request.send().await.expect("a response").bytes_stream();
            while let Some(chunk) = chunks.try_next().await.expect("a chunk") {
                count += chunk.len();
            }
        }
        Client::EventStream => {
            let mut stream = request.events().await.expect("a stream");
            while let Some(event) = stream.try_next().await.expect("an event") {
                count += usize::from(!event.data().is_empty());
            }
        }
        Client::EventSource => {
            let mut source = request.event_source().expect("a source");
            while count < events {
                let event = source.try_next().await.expect("an event").expect("no end");
                count += usize::from(!event.data().is_empty());
            }
        }
        Client::EventsourceStream => {
            let response = request.send().await.expect("a response");
            let mut stream = response.bytes_stream().eventsource();
            while let Some(event) = stream.try_next().await.expect("an event") {
                count += usize::from(!event.data.is_empty());
            }
        }
        Client::ReqwestEventsource => {
            let request = http012.get(url);
            let mut source = reqwest_eventsource::EventSource::new(request).expect("a source");
            while count < events {
                if let reqwest_eventsource::Event::Message(event) =
                    source.next().await.expect("no end").expect("an event")
                {
                    count += usize::from(!event.data.is_empty());
                }
            }
        }
    }
    count
}

fn throughput(title: &str, events: usize, frame: Option<usize>, rounds: usize) {
    let sent = response(events, frame);
    let body: usize = (0..events).map(|n| event(n).len()).sum();
    let url = format!("http://{}/", server::start(Job::Send(sent)));
    let runtime = runtime();
    let http = reqwest::Client::new();
    let http012 = reqwest012::Client::new();
    let mut cpu = vec![Vec::new(); CLIENTS.len()];
    let mut wall = vec![Vec::new(); CLIENTS.len()];
    for _ in 0..rounds {
        for (n, (client, name)) in CLIENTS.iter().enumerate() {
            let (started, thread) = (Instant::now(), ThreadTime::now());
            let count = runtime.block_on(read(*client, &http, &http012, &url, events));
            cpu[n].push(thread.elapsed());
            wall[n].push(started.elapsed());
            let expected = if *client == Client::Bare {
                body
            } else {
                events
            };
            assert_eq!(count, expected, "{name} reads everything");
        }
    }
    println!("## {title}\n");
    println!("| | CPU per event | to bare | MB/s | to bare |\n|---|---:|---:|---:|---:|");
    let least = |times: &[Duration]| times.iter().min().expect("a round").as_secs_f64();
    for (n, (_, name)) in CLIENTS.iter().enumerate() {
        let (cpu_time, wall_time) = (least(&cpu[n]), least(&wall[n]));
        println!(
            "| {name} | {:.0} ns | {:.2} | {:.0} | {:.2} |",
            cpu_time * 1e9 / events as f64,
            cpu_time / least(&cpu[0]),
            body as f64 / wall_time / 1e6,
            least(&wall[0]) / wall_time,
        );
    }
    println!();
}

fn latency(events: usize) {
    let since = Instant::now();
    let every = Duration::from_millis(1);
    let url = format!("http://{}/", server::start(Job::Tick { every, since }));
    let mut late: Vec<u128> = runtime().block_on(async {
        let mut stream = reqwest::Client::new()
            .get(url)
            .events()
            .await
            .expect("a stream");
        let mut late = Vec::new();
        while late.len() < events {
            let event = stream.try_next().await.expect("an event").expect("no end");
            let sent: u128 = event.data().parse().expect("nanoseconds");
            late.push(since.elapsed().as_nanos() - sent);
        }
        late
    });
    late.sort_unstable();
    let at = |share: f64| late[(late.len() as f64 * share) as usize] / 1000;
    println!(
        "## Latency, 1,000 events a second\n\nmedian {} µs, 99 % {} µs, 99.9 % {} µs\n",
        at(0.5),
        at(0.99),
        at(0.999)
    );
}

fn reconnection(rounds: usize) {
    println!("## From the server's close to the next request\n");
    println!("| retry | floor | least | median |\n|---:|---:|---:|---:|");
    for (retry, floor) in [(0, 0), (10, 0), (100, 0), (0, 50)] {
        let (took, times) = mpsc::channel();
        let url = format!("http://{}/", server::start(Job::Close { retry, took }));
        runtime().block_on(async {
            let client = reqwest::Client::new();
            let mut source = EventSource::builder(client.get(url))
                .backoff(Backoff::new().floor(Duration::from_millis(floor)))
                .build()
                .expect("a source");
            for _ in 0..=rounds {
                source.try_next().await.expect("an event").expect("no end");
            }
        });
        let mut times: Vec<_> = times.try_iter().collect();
        times.sort_unstable();
        println!(
            "| {retry} ms | {floor} ms | {:.2} ms | {:.2} ms |",
            times[0].as_secs_f64() * 1e3,
            times[times.len() / 2].as_secs_f64() * 1e3
        );
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime")
}

fn main() {
    let options = Options::from_arguments(HELP);
    let (events, rounds) = if options.quick {
        (20_000, 5)
    } else {
        (100_000, options.rounds.unwrap_or(11))
    };
    throughput("One HTTP chunk per event", events, None, rounds);
    throughput("Frames of 16 KiB", events, Some(16 << 10), rounds);
    latency(if options.quick { 1_000 } else { 5_000 });
    reconnection(if options.quick { 10 } else { 30 });
}
