//! An event stream on stdin to JSON lines on stdout: a tool to debug servers with.
//!
//! ```text
//! $ curl -sN https://example.com/feed | cargo run -q --example parse
//! {"kind":"retry","ms":3000}
//! {"kind":"comment","data":" welcome"}
//! {"kind":"event","event":"message","data":"hello","id":"1"}
//! {"kind":"unfinished"}
//! ```
//!
//! It shows the parser alone: bytes go in as they come, in pieces of any size, and what they hold
//! comes out, borrowed. There is no HTTP here, no runtime and no clock. What a terminal would take for a
//! command is escaped, as JSON can.

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
    /// An event of more than 16 MiB, or a comment of more than 64 KiB, was left out.
    Skipped {
        what: &'static str,
        bytes: u64,
    },
    /// The stream has ended in the middle of an event, which the standard discards.
    Unfinished,
}

fn main() -> ExitCode {
    match run(io::stdin().lock(), io::stdout().lock()) {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever reads this has seen enough: `parse | head`.
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
        // What has come is seen at once, however slow the server is with the rest.
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
        Item::Skipped(Skipped::Event { bytes }) => Line::Skipped {
            what: "event",
            bytes,
        },
        Item::Skipped(Skipped::Comment { bytes }) => Line::Skipped {
            what: "comment",
            bytes,
        },
        // Kinds of items that a later version may add.
        _ => return None,
    })
}

fn write(output: &mut impl Write, line: &Line<'_>) -> io::Result<()> {
    terminal::write_json(&mut *output, line)?;
    output.write_all(b"\n")
}
