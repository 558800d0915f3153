//! The whole client over loopback: what it costs above reqwest's bare `bytes_stream()`.

use std::{
    error::Error,
    process::ExitCode,
    sync::{Arc, mpsc},
    time::{Duration, Instant},
};

use cpu_time::ThreadTime;
use everstream::{Backoff, EventSource, RequestBuilderExt};
use everstream_benches::{
    callgrind::{self, COUNTED, Count},
    clients::{Client, Cut, Heard, Http, Script},
    options::Options,
    server::{self, Job, chunk},
    table,
    workloads::Digest,
};
use futures_util::TryStreamExt;
use nix::sys::resource::{UsageWho, getrusage};
use tokio::sync::{Mutex, mpsc::unbounded_channel};

const HELP: &str = "\
Follows a server on loopback: CPU time of the client's thread per event, bytes per second, latency, and
the time from a server's close to the next request.

  --size BYTES       of an event, with its line ends, instead of 250 and 1024; may be repeated
  --contender NAME   instead of all; may be repeated
  --rounds N         rounds that each client takes part in, by turns (11)
  --quick            fewer events and rounds
  --instructions     count instructions per event with callgrind, which must be installed (valgrind)
  --profile          with it: leave callgrind.out.* in this directory, for callgrind_annotate";

const SIZES: [usize; 2] = [250, 1024];

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let names = Client::ALL.map(Client::name);
    let options = Options::with_contenders(HELP, &names);
    if let [word, rest @ ..] = &options.rest[..]
        && word == COUNTED
    {
        be_counted(rest)?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut clients = Client::ALL.to_vec();
    clients.retain(|client| options.wants(client.name()));
    if options.instructions && !callgrind::is_there() {
        eprintln!("valgrind is not installed");
        return Ok(ExitCode::FAILURE);
    }
    for size in options.sizes(&SIZES) {
        for cut in Cut::ALL {
            if options.instructions {
                instructions(&clients, cut, size, &options)?;
            } else {
                throughput(&clients, cut, size, &options)?;
            }
        }
    }
    if !options.instructions {
        latency(if options.quick { 1_000 } else { 5_000 });
        reconnection(if options.quick { 10 } else { 30 });
    }
    Ok(ExitCode::SUCCESS)
}

/// A server that sends a script again and again, and what tells it that an event was taken.
struct Served {
    script: Script,
    url: String,
    taken: Option<tokio::sync::mpsc::UnboundedSender<()>>,
}

impl Served {
    fn new(events: u64, size: usize, cut: Cut) -> Self {
        let script = Script::new(events, size);
        let chunks = cut.cut(&script);
        let (job, taken) = if cut == Cut::ByTurns {
            let (taken, turns) = unbounded_channel();
            let chunks: Arc<[_]> = chunks.into_iter().map(chunk).collect();
            let turns = Arc::new(Mutex::new(turns));
            (Job::ByTurns { chunks, turns }, Some(taken))
        } else {
            (Job::response(&chunks), None)
        };
        let url = server::start(job);
        Self { script, url, taken }
    }

    /// One response, read in a thread of its own: its times are those of this response alone.
    fn follow(&self, client: Client, digest: Option<Digest>) -> Result<Round, String> {
        std::thread::scope(|scope| {
            let thread = scope.spawn(|| {
                let mut heard = Heard {
                    digest,
                    ..Heard::default()
                };
                if let Some(taken) = self.taken.clone() {
                    // The server may have left, once it has sent everything.
                    heard.on_each = Some(Box::new(move || {
                        let _ = taken.send(());
                    }));
                }
                let (runtime, http) = (runtime(), Http::default());
                let events = self.script.expected.events;
                let (wall, cpu, user) = (Instant::now(), ThreadTime::now(), user_time());
                runtime.block_on(client.follow(&http, &self.url, events, &mut heard))?;
                let round = Round {
                    cpu: cpu.elapsed(),
                    user: user_time().saturating_sub(user),
                    wall: wall.elapsed(),
                };
                self.script.check(client, &heard)?;
                Ok(round)
            });
            thread.join().expect("a client that does not panic")
        })
    }
}

/// What it took to read one response.
struct Round {
    cpu: Duration,
    /// The part of it that was not the kernel's, by the kernel's ticks.
    user: Duration,
    wall: Duration,
}

fn user_time() -> Duration {
    let usage = getrusage(UsageWho::RUSAGE_THREAD).expect("a thread knows its times");
    let time = usage.user_time();
    Duration::from_micros((time.tv_sec() * 1_000_000 + time.tv_usec()).unsigned_abs())
}

fn title(cut: Cut, size: usize) -> String {
    let (cut, size) = (cut.name(), table::bytes(size));
    format!("{cut}, events of {size}")
}

fn print(head: &[&str], rows: &[Vec<String>]) {
    let head: Vec<_> = head.iter().map(|text| (*text).to_owned()).collect();
    println!("{}", table::markdown(&head, rows));
}

fn throughput(
    clients: &[Client],
    cut: Cut,
    size: usize,
    options: &Options,
) -> Result<(), Box<dyn Error>> {
    let rounds = options.rounds.unwrap_or(if options.quick { 5 } else { 11 });
    let bytes = if options.quick { 5 << 20 } else { 25 << 20 };
    // A turn takes some twenty times what reading it does.
    let turns = if cut == Cut::ByTurns { 10 } else { 1 };
    let served = Served::new((bytes / size / turns) as u64, size, cut);
    for client in clients {
        served.follow(*client, Some(Digest::default()))?;
    }
    let mut times: Vec<Vec<Round>> = clients.iter().map(|_| Vec::new()).collect();
    for _ in 0..rounds {
        for (client, times) in clients.iter().zip(&mut times) {
            times.push(served.follow(*client, None)?);
        }
    }
    let least = |rounds: &[Round], of: fn(&Round) -> Duration| {
        let least = rounds.iter().map(of).min().unwrap_or_default();
        least.as_secs_f64()
    };
    let whole = |rounds: &[Round]| rounds.iter().map(|round| round.user.as_secs_f64()).sum();
    let bare = |of: &dyn Fn(&[Round]) -> f64| {
        let bare = clients.iter().position(|client| *client == Client::Bare);
        bare.map(|bare| of(&times[bare]))
    };
    let ratio = |one: f64, bare: Option<f64>| {
        bare.map_or_else(|| "–".to_owned(), |bare| format!("{:.2}", one / bare))
    };
    let per_event = |seconds: f64| {
        let nanoseconds = seconds * 1e9 / served.script.expected.events as f64;
        format!("{} ns", table::short(nanoseconds))
    };
    let cpu = |rounds: &[Round]| least(rounds, |round| round.cpu);
    let speed = |rounds: &[Round]| {
        served.script.body.len() as f64 / least(rounds, |round| round.wall) / 1e6
    };
    let mut rows = Vec::new();
    for (client, times) in clients.iter().zip(&times) {
        let user: f64 = whole(times);
        rows.push(vec![
            client.name().to_owned(),
            per_event(cpu(times)),
            ratio(cpu(times), bare(&cpu)),
            per_event(user / rounds as f64),
            ratio(user, bare(&whole)),
            format!("{:.0}", speed(times)),
            ratio(speed(times), bare(&speed)),
        ]);
    }
    let title = title(cut, size);
    let head = [
        &*title,
        "CPU per event",
        "to bare",
        "user CPU per event",
        "to bare",
        "MB/s",
        "to bare",
    ];
    print(&head, &rows);
    Ok(())
}

/// Counts the instructions of a client alone: the server is in this process, the client in another.
fn instructions(
    clients: &[Client],
    cut: Cut,
    size: usize,
    options: &Options,
) -> Result<(), Box<dyn Error>> {
    // The first connection, buffers that grow and the program's own start are in both.
    let [short, long] = [2_000, 6_000].map(|events| Served::new(events, size, cut));
    let mut counts = Vec::new();
    for client in clients {
        eprintln!("{}, {}", client.name(), title(cut, size));
        long.follow(*client, Some(Digest::default()))?;
        let more = count(*client, cut, &long, options)?;
        let less = count(*client, cut, &short, options)?;
        let events = long.script.expected.events - short.script.expected.events;
        counts.push(more.saturating_sub(less) as f64 / events as f64);
    }
    let bare = clients.iter().position(|client| *client == Client::Bare);
    let bare = bare.map(|bare| counts[bare]);
    let above = |text: &dyn Fn(f64) -> String| bare.map_or_else(|| "–".to_owned(), text);
    let rows: Vec<_> = clients
        .iter()
        .zip(&counts)
        .map(|(client, count)| {
            vec![
                client.name().to_owned(),
                format!("{count:.0}"),
                above(&|bare| format!("{:+.0}", count - bare)),
                above(&|bare| format!("{:.2}", count / bare)),
            ]
        })
        .collect();
    let title = title(cut, size);
    let head = [
        &*title,
        "instructions per event",
        "more than bare",
        "to bare",
    ];
    print(&head, &rows);
    Ok(())
}

fn count(
    client: Client,
    cut: Cut,
    served: &Served,
    options: &Options,
) -> Result<u64, Box<dyn Error>> {
    let (events, size) = (served.script.expected.events, served.script.size);
    let by_turns = served.taken.is_some();
    let count = Count {
        profile: options
            .profile
            .then(|| format!("callgrind.out.{client:?}.{cut:?}.{size}.{events}")),
        within: None,
        arguments: vec![
            client.name().to_owned(),
            served.url.clone(),
            events.to_string(),
            if by_turns { "tell" } else { "read" }.to_owned(),
        ],
    };
    count.run(|_| {
        if let Some(taken) = &served.taken {
            // It is not there any more once it has sent everything.
            let _ = taken.send(());
        }
    })
}

/// Follows the server of the program that counts, and tells it of each event where it waits for
/// that.
fn be_counted(words: &[String]) -> Result<(), Box<dyn Error>> {
    let [client, url, events, tell] = words else {
        return Err("client, URL, number of events, whether to tell of each".into());
    };
    let client = Client::ALL.into_iter().find(|one| one.name() == client);
    let client = client.ok_or("no such client")?;
    let mut heard = Heard::default();
    if tell == "tell" {
        let mut out = std::io::stdout().lock();
        heard.on_each = Some(Box::new(move || {
            use std::io::Write;
            out.write_all(b"\n").expect("someone listens");
        }));
    }
    let (events, http) = (events.parse()?, Http::default());
    runtime().block_on(client.follow(&http, url, events, &mut heard))?;
    Ok(())
}

fn latency(events: usize) {
    let since = Instant::now();
    let every = Duration::from_millis(1);
    let url = server::start(Job::Tick { every, since });
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
        let url = server::start(Job::Close { retry, took });
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
