//! Reads events from any `std::io::Read` with `Reader`, without an async runtime.
//!
//! ```text
//! $ curl -sN https://example.com/feed | cargo run -q --example blocking
//! message 1 hello
//! ```
//!
//! Here the input is stdin. It could also be a file, or the response body of a blocking HTTP client. If
//! stdin is a terminal, the program reads a built-in stream instead.

#[path = "support/terminal.rs"]
mod terminal;

use std::{
    io::{self, IsTerminal, Read, Write},
    process::ExitCode,
};

use everstream::Reader;
use terminal::harmless;

const SAMPLE: &str = "id: 1\ndata: hello\n\nevent: greeting\nid: 2\ndata: hello again\n\n";

fn show(input: impl Read, output: &mut impl Write) -> Result<(), Box<dyn std::error::Error>> {
    let mut events = Reader::new(input);
    for event in events.by_ref() {
        let event = event?;
        writeln!(
            output,
            "{} {} {}",
            harmless(event.event_type()),
            harmless(event.id()),
            harmless(event.data())
        )?;
        output.flush()?;
    }
    if events.has_unfinished() {
        writeln!(output, "(the stream ended in the middle of an event)")?;
    }
    Ok(())
}

fn main() -> ExitCode {
    let mut stdout = io::stdout().lock();
    let stdin = io::stdin().lock();
    let shown = if stdin.is_terminal() {
        show(SAMPLE.as_bytes(), &mut stdout)
    } else {
        show(stdin, &mut stdout)
    };
    match shown {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "blocking: {error}");
            ExitCode::FAILURE
        }
    }
}
