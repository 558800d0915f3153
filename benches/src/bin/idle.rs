//! What a stream costs in memory while nothing comes: everstream above reqwest's bare `bytes_stream()`.

use std::{
    collections::{BTreeMap, BTreeSet},
    error::Error,
    fs::File,
    io::{BufRead, BufReader, Read},
    process::{Child, Command, Stdio},
};

use everstream::{EventSource, RequestBuilderExt};
use everstream_benches::{
    options::Options,
    server::{self, Job},
    table, targets,
};
use futures_util::{Stream, StreamExt, poll};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use serde::Deserialize;

#[global_allocator]
static ALLOCATOR: dhat::Alloc = dhat::Alloc;

const HELP: &str = "\
Counts the heap that 1,000 idle streams take, all polled and waiting, for each of them, and that of
1,000 sources just made.

  --streams N so many instead of 1,000: a file descriptor each, here and in the server's process
  --profile   tell which allocations make the difference, and leave dhat-heap.*.json in this directory";

const STREAMS: usize = 1_000;

/// What the program is told to be the server of another one.
const SERVE: &str = "serve";

/// Allows as many open files as the system does.
fn open_files() -> Result<(), Box<dyn Error>> {
    let (_, most) = getrlimit(Resource::RLIMIT_NOFILE)?;
    Ok(setrlimit(Resource::RLIMIT_NOFILE, most, most)?)
}

/// A server in a process of its own: it has as many open files as its clients. It ends when it is
/// dropped, and with this process.
struct Server {
    process: Child,
    url: String,
}

impl Server {
    fn start() -> Result<Self, Box<dyn Error>> {
        let mut process = Command::new(std::env::current_exe()?)
            .arg(SERVE)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let output = process.stdout.take().ok_or("the output is piped")?;
        let url = BufReader::new(output).lines().next().ok_or("no URL")??;
        Ok(Self { process, url })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        let _ = self.process.wait();
    }
}

/// Serves until its input ends.
fn serve() -> Result<(), Box<dyn Error>> {
    println!("{}", server::start(Job::Hold));
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}

const NAMES: [&str; 3] = [
    "reqwest, bytes_stream()",
    "everstream, EventStream",
    "everstream, EventSource",
];

fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::from_arguments(HELP);
    open_files()?;
    if options.rest.iter().any(|word| word == SERVE) {
        return serve();
    }
    let bare = held("bare", &options, &async |client, url| {
        let response = client.get(url).send().await.expect("a response");
        Box::pin(response.bytes_stream())
    })?;
    let stream = held("stream", &options, &async |client, url| {
        client.get(url).events().await.expect("a stream")
    })?;
    let source = held("source", &options, &async |client, url| {
        let source = client.get(url).event_source().expect("a source");
        let mut signals = source.signals();
        signals.next().await.expect("it opens").expect("it opens");
        signals
    })?;
    let rows = NAMES.iter().zip([&bare, &stream, &source]);
    let rows = rows.map(|(name, held)| {
        let more = held.bytes as i64 - bare.bytes as i64;
        let mark = if more > targets::IDLE { "!" } else { "" };
        let each = held.bytes.to_string();
        vec![(*name).to_owned(), each, format!("{more:+}{mark}")]
    });
    let title = format!("{} idle streams", options.streams.unwrap_or(STREAMS));
    let head = [&title, "bytes of heap each", "more than bare"].map(str::to_owned);
    println!("{}", table::markdown(&head, &rows.collect::<Vec<_>>()));
    making();
    if options.profile {
        differences(&[bare.blocks, stream.blocks, source.blocks]);
    }
    Ok(())
}

/// The heap of sources that were made and not polled yet, besides what they share.
fn making() {
    let make = || EventSource::get("http://localhost/").expect("a valid URL");
    let first = make();
    let profiler = dhat::Profiler::builder().testing().build();
    let sources: Vec<_> = (0..STREAMS).map(|_| make()).collect();
    let each = dhat::HeapStats::get().curr_bytes / STREAMS;
    let mark = if each > targets::SOURCE { "!" } else { "" };
    drop((profiler, sources, first));
    let head = [
        format!("{STREAMS} of `EventSource::get`"),
        "bytes of heap each".into(),
    ];
    let row = vec!["not polled yet".to_owned(), format!("{each}{mark}")];
    println!("{}", table::markdown(&head, &[row]));
}

/// How many blocks there are of a size that are made in one place.
type Blocks = BTreeMap<(u64, String), f64>;

/// What one stream holds.
struct Held {
    bytes: usize,
    /// Known only where there is a profile.
    blocks: Blocks,
}

/// What the streams hold that `open` makes, once each has been polled and waits.
fn held<S: Stream + Unpin>(
    name: &str,
    options: &Options,
    open: &impl AsyncFn(&reqwest::Client, &str) -> S,
) -> Result<Held, Box<dyn Error>> {
    let count = options.streams.unwrap_or(STREAMS);
    let server = Server::start()?;
    let url = &server.url;
    let file = format!("dhat-heap.{name}.json");
    // A runtime of its own: what it keeps of connections that were closed goes with it.
    let runtime = server::runtime();
    let bytes = runtime.block_on(async {
        let client = reqwest::Client::new();
        // It has made what it keeps for all its requests.
        drop(client.get(url).send().await.expect("a response"));
        let profiler = dhat::Profiler::builder().file_name(&file);
        let profiler = if options.profile {
            profiler.build()
        } else {
            profiler.testing().build()
        };
        let mut streams = Vec::with_capacity(count);
        for _ in 0..count {
            streams.push(open(&client, url).await);
        }
        for stream in &mut streams {
            assert!(poll!(stream.next()).is_pending());
        }
        let bytes = if options.profile {
            0
        } else {
            dhat::HeapStats::get().curr_bytes / count
        };
        // It writes what is held now.
        drop(profiler);
        bytes
    });
    if !options.profile {
        let blocks = Blocks::new();
        return Ok(Held { bytes, blocks });
    }
    let profile: Profile = serde_json::from_reader(BufReader::new(File::open(file)?))?;
    let bytes: u64 = profile.places.iter().map(|place| place.bytes).sum();
    Ok(Held {
        bytes: bytes as usize / count,
        blocks: profile.blocks(count),
    })
}

/// What dhat writes: blocks by where they are made.
#[derive(Deserialize)]
struct Profile {
    #[serde(rename = "pps")]
    places: Vec<Place>,
    #[serde(rename = "ftbl")]
    frames: Vec<String>,
}

#[derive(Deserialize)]
struct Place {
    #[serde(rename = "eb")]
    bytes: u64,
    #[serde(rename = "ebk")]
    blocks: u64,
    #[serde(rename = "fs")]
    frames: Vec<usize>,
}

impl Profile {
    fn blocks(&self, streams: usize) -> Blocks {
        let mut blocks = Blocks::new();
        for place in self.places.iter().filter(|place| place.blocks > 0) {
            // The one block in which they lie side by side.
            let together = place.blocks == 1 && place.bytes.is_multiple_of(streams as u64);
            let (count, who) = if together {
                (streams as u64, "the stream itself".to_owned())
            } else {
                (place.blocks, self.who(place))
            };
            let key = (place.bytes / count, who);
            *blocks.entry(key).or_default() += count as f64 / streams as f64;
        }
        blocks
    }

    /// The innermost function that is of no library that only holds memory for others.
    fn who(&self, place: &Place) -> String {
        const HOLDERS: [&str; 7] = [
            "[root]",
            "dhat",
            "alloc::",
            "core::",
            "std::",
            "bytes::",
            "hashbrown::",
        ];
        let frames = place.frames.iter().map(|frame| &*self.frames[*frame]);
        let mut names = frames.map(|frame| {
            // `0x55d4c1a0b3c4: hyper::client::conn::handshake (src/client/conn.rs:17:5)`
            let name = frame.split_once(": ").map_or(frame, |(_, name)| name);
            name.rsplit_once(" (").map_or(name, |(name, _)| name)
        });
        let who = names.find(|name| {
            let name = name.trim_start_matches('<');
            !HOLDERS.iter().any(|holder| name.starts_with(holder))
        });
        who.unwrap_or("?").to_owned()
    }
}

/// Prints the blocks of which not all kinds have as many.
fn differences(kinds: &[Blocks; 3]) {
    let all: BTreeSet<_> = kinds.iter().flat_map(Blocks::keys).collect();
    let mut rows = Vec::new();
    for key in all.into_iter().rev() {
        let counts = kinds
            .each_ref()
            .map(|blocks| blocks.get(key).copied().unwrap_or_default());
        if counts.iter().any(|count| (count - counts[0]).abs() >= 0.01) {
            let (size, who) = key;
            let counts = counts.iter().map(|count| format!("{count:.2}"));
            let row = [who.clone(), size.to_string()];
            rows.push(row.into_iter().chain(counts).collect());
        }
    }
    let head = ["blocks of each stream", "bytes"].into_iter().chain(NAMES);
    let head: Vec<_> = head.map(str::to_owned).collect();
    println!("{}", table::markdown(&head, &rows));
}
