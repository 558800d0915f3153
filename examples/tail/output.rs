//! The output: lines for people, or lines of JSON.

use std::env;
use std::io::{self, IsTerminal, Write};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use everstream::http::StatusCode;
use everstream::{Cause, Error, Event, Signal, Skipped};
use serde::Serialize;

use crate::args::Args;
use crate::certificate;
use crate::explain::{explain, plain};
use crate::terminal::{harmless, line, write_json};

/// One line of JSON: something that happened.
#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
enum Line<'a> {
    Open {
        status: u16,
        url: &'a str,
    },
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
    /// A block of lines without data.
    Undispatched {
        event: &'a str,
        id: &'a str,
    },
    /// An event or comment was too large, and was skipped.
    Skipped {
        what: &'static str,
        bytes: u64,
    },
    /// The response ended in the middle of an event.
    Unfinished {
        #[serde(skip_serializing_if = "Option::is_none")]
        hint: Option<&'a str>,
    },
    Other {
        message: &'a str,
    },
    Reconnecting {
        failure: u32,
        delay_ms: u64,
        cause: &'static str,
        message: &'a str,
    },
    Error {
        message: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        status: Option<u16>,
        #[serde(skip_serializing_if = "Option::is_none")]
        body: Option<&'a str>,
    },
    Closed {
        #[serde(skip_serializing_if = "Option::is_none")]
        status: Option<u16>,
    },
}

/// Prints events to stdout and everything else to stderr, so that `tail URL | grep …` only sees events.
/// As JSON, everything goes to stdout.
pub(crate) struct Output {
    json: bool,
    comments: bool,
    verbose: bool,
    /// Whether an event was printed.
    event: bool,
    /// One line, so that each line is a single write.
    buffer: Vec<u8>,
    stdout: Style,
    stderr: Style,
}

impl Output {
    pub(crate) fn new(args: &Args) -> Self {
        Self {
            json: args.json,
            comments: args.comments || args.verbose,
            verbose: args.verbose,
            event: false,
            buffer: Vec::new(),
            stdout: Style::of(io::stdout().is_terminal()),
            stderr: Style::of(io::stderr().is_terminal()),
        }
    }

    /// Prints a signal of the stream.
    pub(crate) fn signal(&mut self, signal: &Signal) -> io::Result<()> {
        match signal {
            Signal::Open(head) => {
                let status = head.status().as_u16();
                let url = &without_secrets(head.url().unwrap_or_default());
                self.say(&Line::Open { status, url }, || {
                    format!("open: {}", line(url))
                })
            }
            Signal::Event(event) => self.event(event),
            Signal::Comment(_) if !self.comments => Ok(()),
            Signal::Comment(data) => {
                self.say(&Line::Comment { data }, || format!(":{}", line(data)))
            }
            Signal::Retry(_) | Signal::Undispatched { .. } if !self.verbose => Ok(()),
            Signal::Retry(time) => self.say(&Line::Retry { ms: millis(*time) }, || {
                format!("the reconnection time is {:.1} s", time.as_secs_f64())
            }),
            Signal::Undispatched { event_type, id, .. } => {
                let event = event_type.as_str();
                self.say(&Line::Undispatched { event, id }, || {
                    format!("no data: {}, ID {:?}", line(event), line(id))
                })
            }
            Signal::Skipped(skipped) => {
                let (what, bytes) = match *skipped {
                    Skipped::Comment { .. } if !self.comments => return Ok(()),
                    Skipped::Comment { bytes, .. } => ("comment", bytes),
                    Skipped::Event { bytes, .. } => ("event", bytes),
                    _ => return Ok(()),
                };
                self.say(&Line::Skipped { what, bytes }, || {
                    format!("skipped: {what} of {bytes} bytes")
                })
            }
            Signal::Reconnecting {
                failure,
                delay,
                cause,
                ..
            } => {
                let (cause, message) = match cause {
                    Cause::End => ("end", "the server ended the response".to_owned()),
                    Cause::Requested => ("requested", "requested on stdin".to_owned()),
                    Cause::Timeout(error) => ("timeout", explain(error)),
                    other => ("failure", other.error().map(explain).unwrap_or_default()),
                };
                let reconnecting = Line::Reconnecting {
                    failure: *failure,
                    delay_ms: millis(*delay),
                    cause,
                    message: &message,
                };
                self.say(&reconnecting, || {
                    format!("{message}; reconnecting in {:.1} s", delay.as_secs_f64())
                })
            }
            Signal::Unfinished => {
                let hint = (!self.event).then_some(HINT);
                self.say(&Line::Unfinished { hint }, || {
                    let what = "the response ended in the middle of an event, which was discarded";
                    hint.map_or(what.to_owned(), |hint| format!("{what}: {hint}"))
                })
            }
            // A later version may add kinds of signals. Their `Debug` output shows no data.
            other => {
                let message = line(&format!("{other:?}"));
                self.say(&Line::Other { message: &message }, || message.clone())
            }
        }
    }

    /// Prints the error that ended the stream.
    pub(crate) fn error(&mut self, error: &Error) -> io::Result<()> {
        let certificate = certificate::explain(error);
        if self.json {
            let body = error.body_text();
            return self.json(&Line::Error {
                message: &certificate.unwrap_or_else(|| plain(error)),
                status: error.status().map(|status| status.as_u16()),
                body: body.as_deref(),
            });
        }
        let sentence = certificate.unwrap_or_else(|| explain(error));
        writeln!(io::stderr(), "tail: {sentence}")
    }

    /// Prints an error of this program.
    pub(crate) fn failure(&mut self, message: &str) -> io::Result<()> {
        if self.json {
            return self.json(&Line::Error {
                message,
                status: None,
                body: None,
            });
        }
        writeln!(io::stderr(), "tail: {message}")
    }

    /// Prints that the stream ended without an error.
    pub(crate) fn closed(&mut self, status: Option<StatusCode>) -> io::Result<()> {
        let closed = Line::Closed {
            status: status.map(|status| status.as_u16()),
        };
        self.say(&closed, || match status {
            Some(status) => format!("closed: the server answered {status}"),
            None => "closed".to_owned(),
        })
    }

    /// Prints a note for people to stderr.
    pub(crate) fn note(&self, text: &str) -> io::Result<()> {
        let Style { dim, reset, .. } = self.stderr;
        writeln!(io::stderr(), "{dim}{}  {text}{reset}", time(now()))
    }

    fn event(&mut self, event: &Event) -> io::Result<()> {
        self.event = true;
        if self.json {
            return self.json(&Line::Event {
                event: event.event_type(),
                data: event.data(),
                id: event.id(),
            });
        }
        let Style { dim, kind, reset } = self.stdout;
        let time = time(now());
        let name = harmless(event.event_type());
        write!(self.buffer, "{dim}{time}{reset}  {kind}{name:<9}{reset} ")?;
        // Align further lines of the data with its first line.
        let margin = " ".repeat(time.len() + 2 + name.chars().count().max(9) + 1);
        for (n, text) in event.data().split('\n').enumerate() {
            if n > 0 {
                write!(self.buffer, "\n{margin}")?;
            }
            write!(self.buffer, "{}", harmless(text))?;
        }
        self.flush()
    }

    /// Prints a line of JSON, or a note for people instead.
    fn say(&mut self, line: &Line<'_>, words: impl FnOnce() -> String) -> io::Result<()> {
        if self.json {
            return self.json(line);
        }
        self.note(&words())
    }

    fn json(&mut self, line: &Line<'_>) -> io::Result<()> {
        write_json(&mut self.buffer, line)?;
        self.flush()
    }

    fn flush(&mut self) -> io::Result<()> {
        self.buffer.push(b'\n');
        let mut stdout = io::stdout().lock();
        let written = stdout.write_all(&self.buffer).and_then(|()| stdout.flush());
        self.buffer.clear();
        written
    }
}

/// Escape sequences that style text in a terminal.
#[derive(Clone, Copy, Default)]
struct Style {
    dim: &'static str,
    kind: &'static str,
    reset: &'static str,
}

impl Style {
    fn of(is_terminal: bool) -> Self {
        if !is_terminal || env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty()) {
            return Self::default();
        }
        Self {
            dim: "\x1b[2m",
            kind: "\x1b[36m",
            reset: "\x1b[0m",
        }
    }
}

/// The likely reason if a server's first event never ends.
const HINT: &str = "each event must end with a blank line, and the server sent none";

/// The URL without the parts that may hold a key: user, password and query. The output of `tail` may be
/// kept in a log.
fn without_secrets(url: &str) -> String {
    let Ok(mut url) = reqwest::Url::parse(url) else {
        return String::new();
    };
    url.set_query(None);
    url.set_fragment(None);
    // This only fails for a URL without a host, which has no user or password.
    let _ = url.set_username("").and_then(|()| url.set_password(None));
    url.into()
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// Now, in seconds since 1970.
pub(crate) fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.unwrap_or_default().as_secs()
}

/// The time of day, UTC.
pub(crate) fn time(second: u64) -> String {
    let (h, m, s) = (second / 3600 % 24, second / 60 % 60, second % 60);
    format!("{h:02}:{m:02}:{s:02}")
}
