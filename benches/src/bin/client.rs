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
    server::{self, Job, chunk, runtime},
    table, targets,
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
    let sizes = options.sizes(&SIZES);
    let mut verdicts = Vec::new();
    if options.instructions {
        for cut in Cut::ALL {
            verdicts.extend(instructions(&clients, cut, &sizes, &options)?);
        }
        print(&VERDICTS, &verdicts);
        return Ok(ExitCode::SUCCESS);
    }
    for size in sizes {
        for cut in Cut::ALL {
            verdicts.extend(throughput(&clients, cut, size, &options)?);
        }
    }
    print(&VERDICTS, &verdicts);
    latency(if options.quick { 1_000 } else { 5_000 });
    making();
    reconnection(if options.quick { 10 } else { 30 });
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
) -> Result<Vec<Vec<String>>, Box<dyn Error>> {
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
    let events = served.script.expected.events as f64;
    let megabytes = served.script.body.len() as f64 / 1e6;
    let cpu = |rounds: &[Round]| least(rounds.iter().map(|round| round.cpu));
    let speed = |rounds: &[Round]| megabytes / least(rounds.iter().map(|round| round.wall));
    let bare = clients.iter().position(|client| *client == Client::Bare);
    let bare = bare.map(|bare| &times[bare][..]);
    let rows = clients.iter().zip(&times).map(|(client, times)| {
        let user = times.iter().map(|round| round.user.as_secs_f64() * 1e9);
        let (user, error) = mean(&user.map(|all| all / events).collect::<Vec<_>>());
        vec![
            client.name().to_owned(),
            format!("{} ns", table::short(cpu(times) * 1e9 / events)),
            to_bare(cpu(times), bare.map(cpu), |ratio| {
                targets::costly(*client, cut, ratio)
            }),
            format!("{user:.0} ± {error:.0} ns"),
            format!("{:.0}", speed(times)),
            to_bare(speed(times), bare.map(speed), |ratio| {
                targets::slow(*client, cut, ratio)
            }),
        ]
    });
    let title = title(cut, size);
    let head = [
        &*title,
        "CPU per event",
        "to bare",
        "of it user",
        "MB/s",
        "to bare",
    ];
    print(&head, &rows.collect::<Vec<_>>());
    let costs: Vec<_> = times.iter().map(|times| cpu(times)).collect();
    Ok(judge(clients, &costs, cut, &title))
}

/// The head of the table of targets.
const VERDICTS: [&str; 5] = ["targets", "to bare", "target", "to the leanest peer", ""];

/// What became of the targets in one table: how each of everstream's clients stands to bare reqwest and
/// to the leanest of the peers.
fn judge(clients: &[Client], costs: &[f64], cut: Cut, title: &str) -> Vec<Vec<String>> {
    let cost = |one: Client| {
        let at = clients.iter().position(|client| *client == one)?;
        Some(costs[at])
    };
    let peers = clients.iter().zip(costs);
    let peers = peers.filter(|(client, _)| !client.is_ours() && **client != Client::Bare);
    let leanest = peers.map(|(_, cost)| *cost).min_by(f64::total_cmp);
    let (Some(bare), Some(leanest)) = (cost(Client::Bare), leanest) else {
        return Vec::new();
    };
    let ours = clients.iter().filter(|client| client.is_ours());
    ours.map(|client| {
        let ours = cost(*client).unwrap_or(f64::NAN);
        let most = targets::to_bare(*client, cut);
        let met = most.is_none_or(|most| ours / bare <= most) && ours <= leanest;
        vec![
            format!("{}, {title}", client.name()),
            format!("{:.2}", ours / bare),
            most.map_or_else(|| "–".to_owned(), |most| most.to_string()),
            format!("{:.2}", ours / leanest),
            if met { "met" } else { "missed" }.to_owned(),
        ]
    })
    .collect()
}

/// The least of some times, in seconds.
fn least(times: impl Iterator<Item = Duration>) -> f64 {
    times.min().unwrap_or_default().as_secs_f64()
}

/// The mean of some numbers, and how far from it another mean would be, most of the time.
fn mean(numbers: &[f64]) -> (f64, f64) {
    let count = numbers.len() as f64;
    let mean = numbers.iter().sum::<f64>() / count;
    let squares: f64 = numbers.iter().map(|one| (one - mean).powi(2)).sum();
    (mean, (squares / (count - 1.0).max(1.0) / count).sqrt())
}

/// The ratio to what the bare client took, marked where it misses its target.
fn to_bare(one: f64, bare: Option<f64>, missed: impl Fn(f64) -> bool) -> String {
    let Some(bare) = bare else {
        return "–".to_owned();
    };
    let ratio = one / bare;
    format!("{ratio:.2}{}", if missed(ratio) { "!" } else { "" })
}

/// Counts the instructions of a client alone: the server is in this process, the client in another.
fn instructions(
    clients: &[Client],
    cut: Cut,
    sizes: &[usize],
    options: &Options,
) -> Result<Vec<Vec<String>>, Box<dyn Error>> {
    let mut verdicts = Vec::new();
    let mut head = vec![format!("instructions, {}", cut.name())];
    let mut rows: Vec<_> = clients
        .iter()
        .map(|client| vec![client.name().to_owned()])
        .collect();
    for size in sizes {
        let counts = per_event(clients, cut, *size, options)?;
        let bare = clients.iter().position(|client| *client == Client::Bare);
        let bare = bare.map(|bare| counts[bare]);
        verdicts.extend(judge(clients, &counts, cut, &title(cut, *size)));
        let size = table::bytes(*size);
        head.extend([format!("event of {size}"), "more".into(), "to bare".into()]);
        for ((client, row), count) in clients.iter().zip(&mut rows).zip(counts) {
            let more = bare.map_or_else(|| "–".to_owned(), |bare| format!("{:+.0}", count - bare));
            let ratio = to_bare(count, bare, |ratio| targets::costly(*client, cut, ratio));
            row.extend([format!("{count:.0}"), more, ratio]);
        }
    }
    println!("{}", table::markdown(&head, &rows));
    Ok(verdicts)
}

/// Instructions per event of each client.
fn per_event(
    clients: &[Client],
    cut: Cut,
    size: usize,
    options: &Options,
) -> Result<Vec<f64>, Box<dyn Error>> {
    // The first connection, buffers that grow and the program's own start are in both.
    let [short, long] = [2_000, 6_000].map(|events| Served::new(events, size, cut));
    let events = long.script.expected.events - short.script.expected.events;
    let mut counts = Vec::new();
    for client in clients {
        eprintln!("{}, {}", client.name(), title(cut, size));
        long.follow(*client, Some(Digest::default()))?;
        let more = count(*client, cut, &long, options)?;
        let less = count(*client, cut, &short, options)?;
        counts.push(more.saturating_sub(less) as f64 / events as f64);
    }
    Ok(counts)
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

/// From the server's write to the event, for one stream and for a hundred at once, with as many
/// events a second in all.
fn latency(events: usize) {
    let clients = [Client::Bare, Client::EventStream, Client::EventSource];
    let mut rows = Vec::new();
    for streams in [1, 100] {
        for client in clients {
            let since = Instant::now();
            let every = Duration::from_millis(streams);
            let url = server::start(Job::Tick { every, since });
            let each = events / streams as usize;
            let mut late = runtime().block_on(async {
                let tasks = (0..streams).map(|_| {
                    let url = url.clone();
                    tokio::spawn(async move { delays(client, &url, each, since).await })
                });
                let tasks: Vec<_> = tasks.collect();
                let mut late = Vec::new();
                for task in tasks {
                    late.extend(task.await.expect("no panic").expect("no failure"));
                }
                late
            });
            late.sort_unstable();
            let at = |share: f64| {
                let nanos = late[(late.len() as f64 * share) as usize];
                format!("{} µs", nanos / 1000)
            };
            rows.push(vec![
                format!("{}, {streams} at once", client.name()),
                at(0.5),
                at(0.99),
                at(0.999),
            ]);
        }
    }
    let head = [
        "from the server's write to the event, 1,000 a second",
        "median",
        "99 %",
        "99.9 %",
    ];
    print(&head, &rows);
}

/// How many nanoseconds after it was sent each of so many events came.
async fn delays(
    client: Client,
    url: &str,
    events: usize,
    since: Instant,
) -> Result<Vec<u128>, Box<dyn Error + Send + Sync>> {
    let request = reqwest::Client::new().get(url);
    let mut late = Vec::with_capacity(events);
    let mut note = |data: &str| -> Result<(), std::num::ParseIntError> {
        let sent: u128 = data.parse()?;
        late.push(since.elapsed().as_nanos() - sent);
        Ok(())
    };
    match client {
        Client::Bare => {
            let mut chunks = request.send().await?.bytes_stream();
            for _ in 0..events {
                let chunk = chunks.try_next().await?.ok_or("no end")?;
                let data = std::str::from_utf8(&chunk)?.strip_prefix("data: ");
                note(data.ok_or("an event a chunk")?.trim_end())?;
            }
        }
        Client::EventSource => {
            let mut source = request.event_source()?;
            for _ in 0..events {
                note(source.next_event().await?.ok_or("no end")?.data())?;
            }
        }
        _ => {
            let mut stream = request.events().await?;
            for _ in 0..events {
                note(stream.next_event().await?.ok_or("no end")?.data())?;
            }
        }
    }
    Ok(late)
}

/// How long it takes to make a thousand sources, besides the first.
fn making() {
    const SOURCES: usize = 1_000;
    let make = || EventSource::get("http://localhost/").expect("a valid URL");
    let mut rows = Vec::new();
    let mut least = Duration::MAX;
    let first = Instant::now();
    let mut sources = vec![make()];
    let first = first.elapsed();
    for _ in 0..5 {
        sources.truncate(1);
        let start = Instant::now();
        sources.extend((0..SOURCES).map(|_| make()));
        least = least.min(start.elapsed());
    }
    let milliseconds = |time: Duration| format!("{:.2} ms", time.as_secs_f64() * 1e3);
    let mark = if least > targets::THOUSAND_SOURCES {
        "!"
    } else {
        ""
    };
    rows.push(vec![
        milliseconds(first),
        format!("{}{mark}", milliseconds(least)),
    ]);
    print(&["`EventSource::get`, the first", "1,000 more"], &rows);
}

fn reconnection(rounds: usize) {
    let mut rows = Vec::new();
    for (retry, floor) in [(0, 0), (10, 0), (100, 0), (0, 50)] {
        let (took, times) = mpsc::channel();
        let url = server::start(Job::Close { retry, took });
        runtime().block_on(async {
            let client = reqwest::Client::new();
            let mut source = EventSource::builder(client.get(url))
                .backoff(Backoff::new().min_delay(Duration::from_millis(floor)))
                .build()
                .expect("a source");
            for _ in 0..=rounds {
                source.try_next().await.expect("an event").expect("no end");
            }
        });
        let mut times: Vec<_> = times.try_iter().collect();
        times.sort_unstable();
        let milliseconds = |time: Duration| format!("{:.2} ms", time.as_secs_f64() * 1e3);
        rows.push(vec![
            format!("`retry: {retry}`, a floor of {floor} ms"),
            milliseconds(times[0]),
            milliseconds(times[times.len() / 2]),
        ]);
    }
    let head = [
        "from the server's close to the next request",
        "least",
        "median",
    ];
    print(&head, &rows);
}
