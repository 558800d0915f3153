//! Two thousand sources on one thread, for minutes: each sees every event once, in order, and
//! neither memory nor file descriptors grow.
//!
//! ```sh
//! ulimit -n 8192
//! cargo test --release --test soak -- --ignored --nocapture
//! ```
//!
//! `SOAK_SECONDS` (180) and `SOAK_SOURCES` (2000) say how long and how many; each source needs a
//! file descriptor, and a second one while it reconnects. A small form runs with the other tests.
//!
//! The server is a process of its own, so that what is counted is the client's: the test starts
//! itself once more. It numbers its events, resumes from `Last-Event-ID`, writes an event about
//! every 0.6 s in whole or in pieces, and ends each connection after a few: in order, in the middle
//! of an event, by a reset, by silence, or it refuses it. Seeds are fixed, so that each feed does
//! the same in every run, whatever the others do.
//!
//! On 2026-11-22, on two cores of an AMD EPYC (Linux 6.18, glibc) that were busy with other work:
//! 501,391 events in 180 s, none lost, repeated or out of order, over 67,324 connections that were
//! lost, 5,767 of them to silence. The heap, looked at every 11 s, was between 59,822 and 60,188
//! KiB, 30 KiB for a source; 74,656 KiB at the peak, while all of them connected at once. RSS went
//! from 61,612 to 67,440 KiB, ever more slowly. There were 2,008 file descriptors at most, and as
//! many as before once all was dropped. A run of 240 s before it: 659,682 events, 88,770 losses,
//! the heap between 59,893 and 60,260 KiB.

use std::{
    collections::HashMap,
    fs,
    io::{BufRead, BufReader, Write},
    process::{Child, ChildStderr, ChildStdin, Command, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use everstream::{
    Backoff, EventSource, Signal,
    testing::{Reply, Request, Server},
};
use futures_util::StreamExt;
use numbered::Follower;
use splits::Random;
use tokio::task::JoinSet;

#[path = "support/heap.rs"]
mod heap;
#[path = "support/numbered.rs"]
mod numbered;
#[path = "support/splits.rs"]
mod splits;

/// What the server does. Each feed has a generator of its own, seeded by its number.
struct Feeds {
    /// No event comes after this one, if there is a last.
    last: u64,
    /// About how long it takes to the next event.
    pace: Duration,
    randoms: Mutex<HashMap<u64, Random>>,
}

impl Feeds {
    fn new(last: u64, pace: Duration) -> Self {
        Self {
            last,
            pace,
            randoms: Mutex::default(),
        }
    }

    /// Goes on after the last event that the client has seen, for a while and then somehow not.
    fn reply(&self, request: &Request) -> Reply {
        let feed: u64 = request.path()[1..].parse().expect("the number of a feed");
        let seen = numbered::seen(request.last_event_id());
        if seen >= self.last {
            return Reply::status(204);
        }
        let mut randoms = self.randoms.lock().expect("no reply panics");
        let random = randoms.entry(feed).or_insert_with(|| Random::new(feed));
        match random.below(20) {
            0 => return Reply::status(503).header("retry-after", "0").raw("busy"),
            1 => return Reply::refuse(),
            _ => {}
        }
        let mut body = 0;
        let mut reply = Reply::events();
        let count = 1 + random.below(20) as u64;
        for number in seen + 1..=self.last.min(seen + count) {
            let wire = numbered::wire(number);
            body += wire.len();
            reply = reply.raw(wire);
            if !self.pace.is_zero() {
                let millis = 1 + random.below(2 * self.pace.as_millis() as usize);
                reply = reply.pause(Duration::from_millis(millis as u64));
            }
        }
        let cut = random.below(body);
        if random.below(4) == 0 {
            reply = reply.split_at([random.below(body) as u64]);
        }
        match random.below(10) {
            0..3 => reply,
            3 => reply.until_close(),
            4 => reply.reset(),
            5 if !self.pace.is_zero() => reply.hold(),
            _ => reply.cut_after(cut as u64),
        }
    }
}

/// The events and reconnections of all sources so far.
#[derive(Debug, Default)]
struct Counts {
    events: AtomicU64,
    reconnections: AtomicU64,
    timeouts: AtomicU64,
}

/// Follows a feed to its end, if it has one.
async fn follow(client: reqwest::Client, url: String, counts: Arc<Counts>) -> u64 {
    let backoff = Backoff::new()
        .reconnection_time(Duration::from_millis(20))
        .min_delay(Duration::ZERO)
        .initial_backoff(Duration::from_millis(20));
    let mut signals = EventSource::builder(client.get(url))
        .backoff(backoff)
        .max_initial_failures(None)
        .idle_timeout(Duration::from_secs(10))
        .build()
        .expect("a source")
        .signals();
    let mut follower = Follower::default();
    while let Some(signal) = signals.next().await {
        match signal.expect("it never fails for good") {
            Signal::Event(event) => {
                follower.see(&event);
                counts.events.fetch_add(1, Relaxed);
            }
            Signal::Reconnecting { cause, .. } => {
                counts.reconnections.fetch_add(1, Relaxed);
                let timeout = cause.error().is_some_and(everstream::Error::is_timeout);
                counts.timeouts.fetch_add(timeout.into(), Relaxed);
            }
            _ => {}
        }
    }
    follower.seen()
}

/// Starts so many sources, each with a feed of its own, as tasks of this thread.
fn start(sources: u64, url: impl Fn(u64) -> String, counts: &Arc<Counts>) -> JoinSet<u64> {
    // One client for all of them, as a program would have it.
    let client = reqwest::Client::new();
    (0..sources)
        .map(|feed| follow(client.clone(), url(feed), Arc::clone(counts)))
        .collect()
}

#[tokio::test]
async fn fifty_sources_see_every_event_once() {
    const SOURCES: u64 = 50;
    const EVENTS: u64 = 60;

    let feeds = Feeds::new(EVENTS, Duration::ZERO);
    let server = Server::start(move |request| feeds.reply(request)).await;
    let counts = Arc::default();
    let mut sources = start(SOURCES, |feed| server.url(&feed.to_string()), &counts);
    while let Some(seen) = sources.join_next().await {
        assert_eq!(seen.expect("no source panics"), EVENTS);
    }
    assert_eq!(counts.events.load(Relaxed), SOURCES * EVENTS);
    let reconnections = counts.reconnections.load(Relaxed);
    assert!(reconnections > 300, "{reconnections} reconnections");
    server.verify();
}

/// The process is the server if this is set.
const SERVER: &str = "EVERSTREAM_SOAK_SERVER";
const SOAK: &str = "two_thousand_sources_for_minutes";
const PACE: Duration = Duration::from_millis(600);

#[test]
#[ignore = "it takes minutes, and thousands of file descriptors"]
fn two_thousand_sources_for_minutes() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    if std::env::var_os(SERVER).is_some() {
        runtime.block_on(serve());
    } else {
        runtime.block_on(soak());
    }
}

/// A setting of the soak.
fn setting(name: &str, default: u64) -> u64 {
    match std::env::var(name) {
        Ok(value) => value.parse().expect("a number"),
        Err(_) => default,
    }
}

async fn soak() {
    const SAMPLES: u32 = 16;

    let duration = Duration::from_secs(setting("SOAK_SECONDS", 180));
    let count = setting("SOAK_SOURCES", 2000);
    let mut server = Process::start();
    heap::reset_peak();
    let before = Sample::take(&Counts::default(), &mut server);
    let counts = Arc::default();
    let base = server.url.clone();
    let mut sources = start(count, move |feed| format!("{base}{feed}"), &counts);

    eprintln!("    s |  events | reconn. | stalls | heap KiB |  RSS KiB | fds | server's fds, RSS");
    let begun = Instant::now();
    let mut samples = Vec::new();
    let mut clock = tokio::time::interval(duration / SAMPLES);
    clock.tick().await;
    while samples.len() < SAMPLES as usize {
        tokio::select! {
            ended = sources.join_next() => panic!("no source ends: {ended:?}"),
            _ = clock.tick() => {
                let sample = Sample::take(&counts, &mut server);
                eprintln!("{:>5} | {sample}", begun.elapsed().as_secs());
                samples.push(sample);
            }
        }
    }
    sources.shutdown().await;
    // The tasks of the HTTP client end with their sources.
    while server.look().open > 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let after = Sample::take(&counts, &mut server);
    eprintln!("after | {after}");
    eprintln!("heap at the peak: {} KiB", heap::peak() / 1024);
    server.stop();

    // The first quarter is for everything to become warm; of the rest, the first third and the last.
    let quarter = samples.len() / 4;
    let (early, late) = (&samples[quarter..2 * quarter], &samples[3 * quarter..]);
    let mean = |samples: &[Sample], of: fn(&Sample) -> isize| {
        samples.iter().map(of).sum::<isize>() / samples.len() as isize
    };
    for (what, percent, of) in [
        ("the heap", 2, (|it| it.heap) as fn(&Sample) -> isize),
        // The system's allocator goes on cutting up what it has, ever more slowly.
        ("RSS", 15, |it| it.rss),
        ("file descriptors", 2, |it| it.fds),
    ] {
        let (early, late) = (mean(early, of), mean(late, of));
        let most = early + early * percent / 100;
        assert!(late <= most, "{what}: {early}, then {late}");
    }
    assert_eq!(after.fds, before.fds, "each file descriptor was given back");
    let kept = after.heap - before.heap;
    assert!(kept < 1024 * 1024, "{kept} bytes were not given back");
    let reconnections = counts.reconnections.load(Relaxed);
    assert!(
        reconnections > count,
        "each was cut off, and more than once"
    );
}

/// How things stand at one moment. Where there is no `/proc`, what it tells is 0.
struct Sample {
    events: u64,
    reconnections: u64,
    timeouts: u64,
    heap: isize,
    rss: isize,
    fds: isize,
    server: Far,
}

impl Sample {
    fn take(counts: &Counts, server: &mut Process) -> Self {
        Self {
            events: counts.events.load(Relaxed),
            reconnections: counts.reconnections.load(Relaxed),
            timeouts: counts.timeouts.load(Relaxed),
            heap: heap::held(),
            rss: rss(),
            fds: fds(),
            server: server.look(),
        }
    }
}

impl std::fmt::Display for Sample {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{:>7} | {:>7} | {:>6} | {:>8} | {:>8} | {:>4} | {}, {}",
            self.events,
            self.reconnections,
            self.timeouts,
            self.heap / 1024,
            self.rss / 1024,
            self.fds,
            self.server.fds,
            self.server.rss / 1024,
        )
    }
}

/// Bytes of this process that are in memory.
fn rss() -> isize {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|rest| rest.split_whitespace().next());
    kib.map_or(0, |kib| 1024 * kib.parse::<isize>().expect("a number"))
}

/// File descriptors that this process has open.
fn fds() -> isize {
    fs::read_dir("/proc/self/fd").map_or(0, |folder| folder.count() as isize)
}

/// What the server tells of itself.
struct Far {
    open: usize,
    rss: isize,
    fds: isize,
}

/// The server, in a process of its own: a line of its error output answers each of its input.
struct Process {
    child: Child,
    ask: ChildStdin,
    told: BufReader<ChildStderr>,
    /// Where its feeds are, but for their number.
    url: String,
}

impl Process {
    fn start() -> Self {
        let program = std::env::current_exe().expect("this program");
        let mut child = Command::new(program)
            .args(["--exact", SOAK, "--ignored", "--nocapture"])
            .env(SERVER, "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("a second process");
        let mut process = Self {
            ask: child.stdin.take().expect("its input"),
            told: BufReader::new(child.stderr.take().expect("its output")),
            child,
            url: String::new(),
        };
        process.url = process.line();
        process
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.told.read_line(&mut line).expect("a line");
        line.trim_end().to_owned()
    }

    fn look(&mut self) -> Far {
        self.ask.write_all(b"\n").expect("it listens");
        let line = self.line();
        let numbers: Vec<isize> = line.split(' ').flat_map(str::parse).collect();
        let [open, rss, fds] = numbers[..] else {
            panic!("the server says: {line}");
        };
        Far {
            open: open as usize,
            rss,
            fds,
        }
    }

    /// Has it end, and see whether all was well.
    fn stop(self) {
        let Self { mut child, ask, .. } = self;
        drop(ask);
        assert!(child.wait().expect("an end").success());
    }
}

/// The server's process: until its input ends.
async fn serve() {
    let feeds = Feeds::new(u64::MAX, PACE);
    let server = Server::start(move |request| feeds.reply(request)).await;
    eprintln!("{}", server.url("/"));
    for line in std::io::stdin().lines() {
        line.expect("a line");
        // What it remembers would be all that grows.
        drop(server.take_requests());
        eprintln!("{} {} {}", server.open_connections(), rss(), fds());
    }
    server.verify();
}
