//! Converts an event stream on stdin to JSON lines on stdout, to debug a server.
//!
//! ```text
//! $ curl -sN https://example.com/feed | cargo run -q --example parse
//! {"kind":"retry","ms":3000}
//! {"kind":"comment","data":" welcome"}
//! {"kind":"event","event":"message","data":"hello","id":"1"}
//! {"kind":"unfinished"}
//! ```
//!
//! This example uses only the parser: it takes bytes in pieces of any size, and lends the events. It
//! needs no HTTP, no runtime and no clock. Characters that a terminal may treat as commands are escaped.

#[path = "support/terminal.rs"]
mod terminal;

use std::io::{self, ErrorKind, Read, Write};
use std::process::ExitCode;

use everstream::{Item, Oversized, Parser, Skipped};
use serde::Serialize;

/// One line of the output.
#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
enum Line<'a> {
    Event {
        event: &'a str,
        data: &'a str,
        id: &'a str,
    },
    Comment {
        data: &'a str,
    },
    Retry {
        ms: u64,
    },
    /// An event over 16 MiB or a comment over 64 KiB was skipped.
    Skipped {
        what: &'static str,
        bytes: u64,
    },
    /// The stream ended in the middle of an event. The standard discards it.
    Unfinished,
}

fn main() -> ExitCode {
    match run(io::stdin().lock(), io::stdout().lock()) {
        Ok(()) => ExitCode::SUCCESS,
        // The reader has closed the pipe, as in `parse | head`.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "parse: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(mut input: impl Read, output: impl Write) -> io::Result<()> {
    let mut output = io::BufWriter::new(output);
    let mut parser = Parser::new().with_oversized(Oversized::Skip);
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let n = match input.read(&mut buffer) {
            Ok(0) => break,
            Ok(n) => n,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let mut feed = parser.feed(&buffer[..n]);
        while let Some(item) = feed.next_item().map_err(io::Error::other)? {
            if let Some(line) = line(&item) {
                write(&mut output, &line)?;
            }
        }
        // Print what has arrived, even if the server is slow with the rest.
        output.flush()?;
    }
    if parser.has_unfinished() {
        write(&mut output, &Line::Unfinished)?;
    }
    output.flush()
}

fn line<'a>(item: &Item<'a>) -> Option<Line<'a>> {
    Some(match *item {
        Item::Event(event) => Line::Event {
            event: event.event_type(),
            data: event.data(),
            id: event.id(),
        },
        Item::Comment(data) => Line::Comment { data },
        Item::Retry(time) => Line::Retry {
            ms: u64::try_from(time.as_millis()).unwrap_or(u64::MAX),
        },
        Item::Skipped(Skipped::Event { bytes, .. }) => Line::Skipped {
            what: "event",
            bytes,
        },
        Item::Skipped(Skipped::Comment { bytes, .. }) => Line::Skipped {
            what: "comment",
            bytes,
        },
        // A later version may add kinds of items.
        _ => return None,
    })
}

fn write(output: &mut impl Write, line: &Line<'_>) -> io::Result<()> {
    terminal::write_json(&mut *output, line)?;
    output.write_all(b"\n")
}
