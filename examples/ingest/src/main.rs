//! Writes a feed to SQLite or Redis Streams, each event exactly once.
//!
//! ```text
//! ingest https://example.com/feed --database events.sqlite
//! ingest https://example.com/feed --redis redis://127.0.0.1/      # on any number of machines
//! ingest --redis redis://127.0.0.1/ --consume billing             # reads what they have written
//! ```

mod consume;
mod follow;
mod leader;
mod progress;
mod scripts;
mod sqlite;

use std::{error::Error, path::PathBuf, process::ExitCode, time::Duration};

use clap::Parser;

use follow::{Ended, Feed};
use progress::Progress;

/// Writes a feed of server-sent events to SQLite or Redis, each event exactly once.
#[derive(Debug, Parser)]
#[command(name = "ingest", version)]
struct Args {
    /// The feed's URL
    #[arg(required_unless_present = "consume")]
    url: Option<String>,
    /// Write to this SQLite file, which is created if it doesn't exist
    #[arg(long, value_name = "FILE", conflicts_with = "redis")]
    database: Option<PathBuf>,
    /// Write to a stream on this Redis server; if several machines run the program, one of them writes
    #[arg(long, value_name = "URL", required_unless_present = "database")]
    redis: Option<String>,
    /// The key of the Redis stream
    #[arg(long, value_name = "KEY", default_value = "feed")]
    stream: String,
    /// The name of this process in Redis; by default, host and process ID
    #[arg(long)]
    name: Option<String>,
    /// How long a leader that doesn't renew its lease remains the leader
    #[arg(long, value_name = "MS", default_value_t = 5_000, value_parser = clap::value_parser!(u64).range(50..))]
    lease: u64,
    /// Read the Redis stream as a consumer of this group, instead of following the feed
    #[arg(long, value_name = "GROUP", requires = "redis", conflicts_with_all = ["url", "database"])]
    consume: Option<String>,
    /// A header to send to the feed's server, such as one with a key
    #[arg(short = 'H', long = "header", value_name = "NAME: VALUE", value_parser = parse_header)]
    headers: Vec<(String, String)>,
    /// The longest random wait after the feed's first failure; it doubles with each further failure
    #[arg(long, value_name = "MS", default_value_t = 1_000)]
    backoff: u64,
    /// The JSON field with an event's time, to show the lag; a Unix time in seconds or milliseconds
    #[arg(long, value_name = "MEMBER")]
    time_field: Option<String>,
    /// How often to print a progress line
    #[arg(long, value_name = "MS", default_value_t = 5_000, value_parser = clap::value_parser!(u64).range(1..))]
    progress: u64,
}

fn parse_header(header: &str) -> Result<(String, String), &'static str> {
    let (name, value) = header.split_once(':').ok_or("expected `NAME: VALUE`")?;
    Ok((name.trim().to_owned(), value.trim().to_owned()))
}

impl Args {
    fn name(&self) -> String {
        self.name.clone().unwrap_or_else(|| {
            let host = std::fs::read_to_string("/etc/hostname").unwrap_or_default();
            format!("{}-{}", host.trim(), std::process::id())
        })
    }

    fn lease(&self) -> Duration {
        Duration::from_millis(self.lease)
    }

    fn feed(&self) -> Result<Feed, Box<dyn Error>> {
        let url = self.url.as_deref().unwrap_or_default();
        Feed::new(url, &self.headers, Duration::from_millis(self.backoff))
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run(&Args::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("ingest: {error}");
            let mut source = error.source();
            while let Some(cause) = source {
                eprintln!("  caused by: {cause}");
                source = cause.source();
            }
            ExitCode::FAILURE
        }
    }
}

async fn run(args: &Args) -> Result<(), Box<dyn Error>> {
    let every = Duration::from_millis(args.progress);
    let mut stop = follow::stop_requested()?;
    let mut progress = Progress::new(every, args.time_field.clone());
    if let Some(path) = &args.database {
        let feed = args.feed()?;
        let mut database = sqlite::Database::open(path, feed.url())?;
        let source = feed.source(database.last_event_id())?;
        let ended = follow::follow(source, &mut database, every, &mut progress, &mut stop).await?;
        progress.print();
        return match ended {
            Ended::Feed | Ended::Asked => Ok(()),
            Ended::Refused => Err("another process writes to this database".into()),
        };
    }
    let server = args.redis.as_deref().unwrap_or_default();
    let redis = redis::Client::open(server)?;
    match &args.consume {
        Some(group) => {
            consume::run(
                &redis,
                &args.stream,
                group,
                &args.name(),
                args.lease(),
                &mut stop,
            )
            .await
        }
        None => {
            let lease = leader::Lease::new(&args.stream, args.name(), args.lease());
            leader::run(&redis, &lease, &args.feed()?, &mut progress, &mut stop).await
        }
    }
}
