//! Follows an event stream, as `tail -f` follows a file.
//!
//! ```text
//! cargo run --example tail                            # follows a built-in server
//! cargo run --example tail -- https://stream.wikimedia.org/v2/stream/recentchange
//! cargo run --example tail -- --json --resume last-id http://localhost:8080/feed
//! cargo run --example tail -- --help
//! ```
//!
//! `follow` is the main loop: it creates the source and prints its signals.

mod args;
mod certificate;
mod clock;
#[path = "../support/explain.rs"]
mod explain;
mod output;
mod resume;
#[path = "../support/terminal.rs"]
mod terminal;

use std::io::{self, Write};
use std::process::ExitCode;

use everstream::transport::FollowRedirects;
use everstream::{Error, ErrorKind, EventSource, EventSourceHandle, Signal};
use futures_util::TryStreamExt;

use args::Args;
use output::Output;
use resume::Resume;

/// Follows the feed and prints all signals until it ends.
async fn follow(args: &Args, out: &mut Output) -> Result<(), Failure> {
    let mut resume = open(args)?;
    let built_in = match &args.url {
        Some(_) => None,
        None => Some(clock::start().await),
    };
    let url = match (&args.url, &built_in) {
        (_, Some(server)) => server.url("/time"),
        (url, None) => url.clone().unwrap_or_default(),
    };
    if built_in.is_some() && !args.json {
        out.note("this is the built-in server; to follow another one, pass its URL")?;
    }

    let mut source = source(args, &url, built_in.is_some(), resume.as_ref())?;
    if args.control {
        listen(source.handle());
    }
    let mut signals = source.signals();
    let mut events = 0;
    loop {
        let signal = signals.try_next().await;
        if let Ok(Some(signal)) = &signal {
            out.signal(signal)?;
        }
        // Save after printing, so that an event that was not printed is sent again.
        if let Some(resume) = &mut resume {
            let id = signals.get_ref().last_event_id();
            resume
                .save(id)
                .map_err(|error| resume_failed(args, &error))?;
        }
        match signal? {
            None => break,
            Some(Signal::Event(_)) => events += 1,
            Some(_) => {}
        }
        if args.max_events == Some(events) {
            break;
        }
    }
    out.closed(signals.get_ref().closed_by())?;
    Ok(())
}

/// Creates the source with the options.
fn source(
    args: &Args,
    url: &str,
    built_in: bool,
    resume: Option<&Resume>,
) -> Result<EventSource, Error> {
    let mut client = args.connect(everstream::reqwest013::client_builder());
    if built_in {
        client = client.no_proxy();
    }
    let client = client
        .build()
        .map_err(|error| Error::new(ErrorKind::Request, error))?;
    let request = args
        .request(url)
        .map_err(|error| Error::new(ErrorKind::Request, error))?;
    let mut builder = args.apply(EventSource::builder(FollowRedirects::new(client, request)));
    let saved = resume.and_then(Resume::last_event_id);
    if let Some(id) = saved.or(args.last_event_id.as_deref()) {
        builder = builder.last_event_id(id);
    }
    builder.build()
}

fn open(args: &Args) -> Result<Option<Resume>, Failure> {
    let resume = args.resume.clone().map(Resume::open).transpose();
    resume.map_err(|error| resume_failed(args, &error))
}

fn resume_failed(args: &Args, error: &io::Error) -> Failure {
    let file = args.resume.clone().unwrap_or_default();
    Failure::Resume(format!(
        "cannot use the file {} for --resume: {error}",
        file.display()
    ))
}

/// Runs the commands on stdin. A separate thread, because reading stdin blocks, and a thread can be
/// abandoned when the program ends.
fn listen(handle: EventSourceHandle) {
    std::thread::spawn(move || {
        for line in io::stdin().lines() {
            match line.as_deref().map(str::trim) {
                Ok("reconnect") => {
                    handle.reconnect();
                }
                Ok("close") => handle.close(),
                Ok("") => {}
                Ok(other) => {
                    let complaint =
                        format!("tail: unknown command {other:?}; expected `reconnect` or `close`");
                    // Ignore errors: nobody may be reading stderr.
                    let _ = writeln!(io::stderr(), "{complaint}");
                }
                Err(_) => return,
            }
        }
    });
}

/// Why the program fails.
enum Failure {
    Source(Error),
    Resume(String),
    /// The output cannot be written.
    Output(io::Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Source(error)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

/// The worker thread runs [`quit`], even while the main thread is blocked because nobody reads its
/// output.
#[tokio::main(flavor = "multi_thread", worker_threads = 1)]
async fn main() -> ExitCode {
    let args = Args::read();
    let mut out = Output::new(&args);
    let quit = quit();
    tokio::spawn(async {
        quit.await;
        std::process::exit(0);
    });
    let told = match follow(&args, &mut out).await {
        Ok(()) => return ExitCode::SUCCESS,
        Err(Failure::Source(error)) => out.error(&error),
        Err(Failure::Resume(message)) => out.failure(&message),
        Err(Failure::Output(error)) => Err(error),
    };
    match told {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "tail: {error}");
        }
        Ok(()) => {}
    }
    ExitCode::FAILURE
}

/// Waits until the user ends the program, or nobody reads its output: `tail | head` ends when `head`
/// does, not only at the next event. From the call on, no signal is missed.
#[cfg(unix)]
fn quit() -> impl Future<Output = ()> {
    use std::io::IsTerminal;
    use tokio::signal::unix::{SignalKind, signal};

    let terminate = signal(SignalKind::terminate());
    let interrupt = signal(SignalKind::interrupt());
    let received = async |signal: io::Result<tokio::signal::unix::Signal>| match signal {
        Ok(mut signal) => signal.recv().await,
        Err(_) => std::future::pending().await,
    };
    async move {
        tokio::select! {
            _ = received(terminate) => {}
            // The terminal has printed `^C`; start a new line for the prompt.
            _ = received(interrupt) => if io::stderr().is_terminal() {
                let _ = writeln!(io::stderr());
            },
            () = reader_gone() => {}
        }
    }
}

#[cfg(unix)]
async fn reader_gone() {
    use std::os::fd::AsFd;
    use tokio::{io::Interest, net::unix::pipe::Sender};

    // The descriptor is only watched, so it need not be a pipe, and may block. A file cannot be
    // watched, but it has no reader that could close it.
    let stdout = io::stdout().as_fd().try_clone_to_owned();
    if let Ok(stdout) = stdout.and_then(Sender::from_owned_fd_unchecked) {
        if stdout.ready(Interest::ERROR).await.is_ok() {
            return;
        }
    }
    std::future::pending::<()>().await;
}

#[cfg(not(unix))]
async fn quit() {
    let _ = tokio::signal::ctrl_c().await;
}
