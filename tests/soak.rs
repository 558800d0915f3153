//! Two thousand sources on three runtimes, for minutes: each sends every event over a channel to one
//! consumer, which sees it once, in order. No feed falls silent, and neither memory nor file
//! descriptors grow.
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
    thread::JoinHandle,
    time::{Duration, Instant},
};

use everstream::{
    Backoff, Event, EventSource, Signal,
    testing::{Reply, Request, Server},
};
use numbered::Follower;
use splits::Random;
use tokio::{
    runtime::Builder,
    sync::{mpsc, watch},
    task::JoinSet,
};

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

/// Where a source sends every event, with the number of its feed.
type Channel = mpsc::Sender<(u64, Event)>;

/// Follows a feed to its end, if it has one.
///
/// Half of the sources tell what happens; the other half reconnect without a word, by themselves.
async fn follow(client: reqwest::Client, url: String, feed: u64, to: Channel, counts: Arc<Counts>) {
    let backoff = Backoff::new()
        .reconnection_time(Duration::from_millis(20))
        .min_delay(Duration::ZERO)
        .initial_backoff(Duration::from_millis(20));
    let mut source = EventSource::builder(client.get(url))
        .backoff(backoff)
        .max_initial_failures(None)
        .idle_timeout(Duration::from_secs(10))
        .build()
        .expect("a source");
    if feed % 2 == 0 {
        while let Some(event) = source.next_event().await.expect(FOR_GOOD) {
            to.send((feed, event)).await.expect(LISTENS);
        }
        return;
    }
    let mut signals = source.signals();
    while let Some(signal) = signals.next_signal().await.expect(FOR_GOOD) {
        match signal {
            Signal::Event(event) => to.send((feed, event)).await.expect(LISTENS),
            Signal::Reconnecting { cause, .. } => {
                counts.reconnections.fetch_add(1, Relaxed);
                let timeout = cause.error().is_some_and(everstream::Error::is_timeout);
                counts.timeouts.fetch_add(timeout.into(), Relaxed);
            }
            _ => {}
        }
    }
}

const FOR_GOOD: &str = "it never fails for good";
const LISTENS: &str = "the consumer listens";

/// Sources on several runtimes, each on a thread of its own: one in three of them has two more.
struct Fleet {
    threads: Vec<JoinHandle<()>>,
    stop: watch::Sender<bool>,
    events: mpsc::Receiver<(u64, Event)>,
}

const RUNTIMES: u64 = 3;

impl Fleet {
    fn start(sources: u64, url: impl Fn(u64) -> String, counts: &Arc<Counts>) -> Self {
        /// Smaller than the number of sources, so that they have to wait for the consumer.
        const CAPACITY: usize = 32;

        let (to, events) = mpsc::channel(CAPACITY);
        let (stop, _) = watch::channel(false);
        let threads = (0..RUNTIMES).map(|runtime| {
            let feeds = (0..sources).filter(|feed| feed % RUNTIMES == runtime);
            let feeds: Vec<_> = feeds.map(|feed| (feed, url(feed))).collect();
            let (to, counts, stop) = (to.clone(), Arc::clone(counts), stop.subscribe());
            std::thread::spawn(move || {
                let built = match runtime {
                    0 => Builder::new_multi_thread()
                        .worker_threads(2)
                        .enable_all()
                        .build(),
                    _ => Builder::new_current_thread().enable_all().build(),
                };
                let sources = follow_all(feeds, to, counts, stop);
                built.expect("a runtime").block_on(sources);
            })
        });
        Self {
            threads: threads.collect(),
            stop,
            events,
        }
    }

    /// Has all sources dropped, and their runtimes.
    fn stop(self) {
        self.stop.send_replace(true);
        for thread in self.threads {
            thread.join().expect("no source panics");
        }
    }
}

/// Follows these feeds until they end or are to stop.
async fn follow_all(
    feeds: Vec<(u64, String)>,
    to: Channel,
    counts: Arc<Counts>,
    mut stop: watch::Receiver<bool>,
) {
    // One client for all of them, as a program would have it.
    let client = reqwest::Client::new();
    let mut sources: JoinSet<()> = feeds
        .into_iter()
        .map(|(feed, url)| follow(client.clone(), url, feed, to.clone(), Arc::clone(&counts)))
        .collect();
    drop(to);
    loop {
        tokio::select! {
            biased;
            _ = stop.wait_for(|stop| *stop) => break,
            ended = sources.join_next() => match ended {
                Some(ended) => ended.expect("no source panics"),
                None => return,
            },
        }
    }
    sources.shutdown().await;
}

/// Sees every event of every feed once, in order.
struct Consumer(Vec<(Follower, Instant)>);

impl Consumer {
    fn new(sources: u64) -> Self {
        let feed = || (Follower::default(), Instant::now());
        Self((0..sources).map(|_| feed()).collect())
    }

    fn see(&mut self, feed: u64, event: &Event, counts: &Counts) {
        let (follower, seen) = &mut self.0[feed as usize];
        follower.see(event);
        *seen = Instant::now();
        counts.events.fetch_add(1, Relaxed);
    }

    /// How long the feed has been silent that was heard of least recently.
    fn longest_silence(&self) -> Duration {
        let silences = self.0.iter().map(|(_, seen)| seen.elapsed());
        silences.max().unwrap_or_default()
    }
}

#[tokio::test]
async fn fifty_sources_see_every_event_once() {
    const SOURCES: u64 = 50;
    const EVENTS: u64 = 60;
    /// Longer than it takes on a busy machine.
    const LONG: Duration = Duration::from_secs(60);

    let feeds = Feeds::new(EVENTS, Duration::ZERO);
    let server = Server::start(move |request| feeds.reply(request)).await;
    let counts = Arc::default();
    let mut fleet = Fleet::start(SOURCES, |feed| server.url(&feed.to_string()), &counts);
    let mut consumer = Consumer::new(SOURCES);
    let all = async {
        while let Some((feed, event)) = fleet.events.recv().await {
            consumer.see(feed, &event, &counts);
        }
    };
    let hangs = tokio::time::timeout(LONG, all).await.is_err();
    assert!(!hangs, "a source hangs");
    fleet.stop();
    for (follower, _) in consumer.0 {
        assert_eq!(follower.seen(), EVENTS);
    }
    let reconnections = counts.reconnections.load(Relaxed);
    assert!(reconnections > 150, "{reconnections} reconnections");
    server.verify();
}

/// The process is the server if this is set.
const SERVER: &str = "EVERSTREAM_SOAK_SERVER";
const SOAK: &str = "two_thousand_sources_for_minutes";
const PACE: Duration = Duration::from_millis(600);

#[test]
#[ignore = "it takes minutes, and thousands of file descriptors"]
fn two_thousand_sources_for_minutes() {
    let runtime = Builder::new_current_thread()
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
    /// A feed falls silent for 10 s, and may then be refused a few times in a row. One that hangs
    /// is silent for ever.
    const LONGEST_SILENCE: Duration = Duration::from_secs(75);

    let duration = Duration::from_secs(setting("SOAK_SECONDS", 180));
    let count = setting("SOAK_SOURCES", 2000);
    let mut server = Process::start();
    heap::reset_peak();
    let before = Sample::take(&Counts::default(), &mut server);
    let counts = Arc::default();
    let base = server.url.clone();
    let mut fleet = Fleet::start(count, move |feed| format!("{base}{feed}"), &counts);
    let mut consumer = Consumer::new(count);

    eprintln!("    s |  events | reconn. | stalls | heap KiB |  RSS KiB | fds | server's fds, RSS");
    let begun = Instant::now();
    let mut samples = Vec::new();
    let mut clock = tokio::time::interval(duration / SAMPLES);
    clock.tick().await;
    while samples.len() < SAMPLES as usize {
        tokio::select! {
            event = fleet.events.recv() => {
                let (feed, event) = event.expect("no source ends");
                consumer.see(feed, &event, &counts);
            }
            _ = clock.tick() => {
                let silence = consumer.longest_silence();
                assert!(silence < LONGEST_SILENCE, "a feed is silent for {silence:?}");
                let sample = Sample::take(&counts, &mut server);
                eprintln!("{:>5} | {sample}", begun.elapsed().as_secs());
                samples.push(sample);
            }
        }
    }
    fleet.stop();
    drop(consumer);
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
        // Half of the sources tell of theirs.
        reconnections > count / 2,
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
