//! A server that sends numbered events, cuts its connections at random bytes, and refuses some.

use std::{
    fmt::Write as _,
    io,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use fastrand::Rng;
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

use super::poll;

/// The data of the event with this number.
pub fn data(number: u64) -> String {
    let mut rng = Rng::with_seed(number);
    let padding = "é".repeat(rng.usize(..60));
    // Some have several lines.
    let line = if number % 5 == 0 { "\n" } else { "" };
    format!("{{\"n\":{number},{line}\"padding\":\"{padding}\"}}")
}

fn wire(number: u64) -> Vec<u8> {
    let mut wire = format!("id: {number}\nevent: tick\n");
    for line in data(number).lines() {
        writeln!(wire, "data: {line}").unwrap();
    }
    wire.push('\n');
    wire.into_bytes()
}

/// What the server has done so far.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counts {
    pub connections: u64,
    /// Connections that were cut at a random byte.
    pub cuts: u64,
    /// Responses of 503.
    pub refusals: u64,
    /// Events sent, including those that were sent again.
    pub events: u64,
    /// Bytes sent in bodies.
    pub bytes: u64,
    /// The highest number of an event that was sent completely.
    pub newest: u64,
}

/// How fast the server sends, and how soon it cuts connections.
#[derive(Clone, Copy)]
pub struct Manner {
    /// The pause after each event.
    pub pause: Duration,
    /// A connection is cut after fewer bytes than this.
    pub cut_within: usize,
}

impl Manner {
    /// A live feed.
    pub const LIVE: Self = Self {
        pause: Duration::from_millis(1),
        cut_within: 2_500,
    };
    /// A feed that sends old events.
    pub const BACKLOG: Self = Self {
        pause: Duration::ZERO,
        cut_within: 200_000,
    };
}

struct State {
    counts: Counts,
    manner: Manner,
    /// The number of the feed's last event.
    last: Option<u64>,
    rng: Rng,
}

/// The server. It sends events until [`finish`](Self::finish).
pub struct FeedServer {
    pub url: String,
    state: Arc<Mutex<State>>,
    task: JoinHandle<()>,
}

impl FeedServer {
    pub async fn start(seed: u64, manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/feed", listener.local_addr().unwrap());
        let state = Arc::new(Mutex::new(State {
            counts: Counts::default(),
            manner,
            last: None,
            rng: Rng::with_seed(seed),
        }));
        let shared = Arc::clone(&state);
        let task = tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let state = Arc::clone(&shared);
                // A client that is killed is an error here.
                tokio::spawn(async move { serve(socket, &state).await.ok() });
            }
        });
        Self { url, state, task }
    }

    pub fn counts(&self) -> Counts {
        self.state().counts
    }

    /// Waits until this many bytes of bodies were sent.
    pub async fn sent(&self, bytes: u64) {
        poll("the feed to send", || async {
            (self.counts().bytes >= bytes).then_some(())
        })
        .await;
    }

    /// Sends `more` events, and then ends the feed with 204. Returns the last number.
    pub fn finish(&self, more: u64) -> u64 {
        let mut state = self.state();
        let last = state.counts.newest + more;
        state.last = Some(last);
        last
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }
}

impl Drop for FeedServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// How a body is framed, and how it breaks off.
#[derive(Clone, Copy)]
enum Framing {
    /// In chunks, so that the client detects a cut.
    Chunked,
    /// In chunks, and the connection is reset: data in transit is lost.
    Reset,
    /// Until the connection closes, so that a cut looks like an end.
    UntilClose,
}

async fn serve(mut socket: TcpStream, state: &Mutex<State>) -> io::Result<()> {
    let mut seen = 0;
    let mut lines = BufReader::new(&mut socket).lines();
    while let Some(line) = lines.next_line().await? {
        if line.is_empty() {
            break;
        }
        if let Some(id) = line.strip_prefix("last-event-id: ") {
            seen = id.parse().expect("an ID that was sent");
        }
    }
    let (answer, framing, budget, pause) = {
        let mut state = state.lock().unwrap();
        state.counts.connections += 1;
        let framings = [Framing::Chunked, Framing::Reset, Framing::UntilClose];
        let framing = framings[state.rng.usize(..framings.len())];
        let budget = state.manner.cut_within;
        let budget = state.rng.usize(..budget);
        let answer = if state.last.is_some_and(|last| seen >= last) {
            "204 No Content\r\n"
        } else if state.rng.u8(..8) == 0 {
            state.counts.refusals += 1;
            "503 Service Unavailable\r\ncontent-length: 0\r\nretry-after: 0\r\n"
        } else if matches!(framing, Framing::UntilClose) {
            "200 OK\r\ncontent-type: text/event-stream\r\n"
        } else {
            "200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n"
        };
        (answer, framing, budget, state.manner.pause)
    };
    let head = format!("HTTP/1.1 {answer}connection: close\r\n\r\n");
    socket.write_all(head.as_bytes()).await?;
    if !answer.starts_with("200") {
        return socket.shutdown().await;
    }
    let mut left = budget;
    let chunked = !matches!(framing, Framing::UntilClose);
    send(&mut socket, chunked, b"retry: 1\n\n", &mut left, state).await?;
    let mut number = seen;
    while left > 0 {
        let over = state
            .lock()
            .unwrap()
            .last
            .is_some_and(|last| number >= last);
        if over {
            if chunked {
                socket.write_all(b"0\r\n\r\n").await?;
            }
            return socket.shutdown().await;
        }
        number += 1;
        let event = wire(number);
        let whole = event.len() <= left;
        send(&mut socket, chunked, &event, &mut left, state).await?;
        if whole {
            let counts = &mut state.lock().unwrap().counts;
            counts.events += 1;
            counts.newest = counts.newest.max(number);
        }
        // The pace of the feed.
        if !pause.is_zero() {
            tokio::time::sleep(pause).await;
        }
    }
    state.lock().unwrap().counts.cuts += 1;
    if let Framing::Reset = framing {
        socket.set_zero_linger()?;
        return Ok(());
    }
    socket.shutdown().await
}

/// Sends the bytes that are left before the cut.
async fn send(
    socket: &mut TcpStream,
    chunked: bool,
    bytes: &[u8],
    left: &mut usize,
    state: &Mutex<State>,
) -> io::Result<()> {
    let part = &bytes[..bytes.len().min(*left)];
    *left -= part.len();
    if chunked {
        let size = format!("{:x}\r\n", bytes.len());
        socket.write_all(size.as_bytes()).await?;
    }
    socket.write_all(part).await?;
    if chunked && part.len() == bytes.len() {
        socket.write_all(b"\r\n").await?;
    }
    state.lock().unwrap().counts.bytes += part.len() as u64;
    Ok(())
}
