//! A server on loopback that sends what it was given, as fast as it is read or as slowly as asked.
//!
//! It has a thread of its own, so that its work is not counted as the client's.

use std::{
    sync::{Arc, mpsc},
    time::{Duration, Instant},
};

use bytes::Bytes;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    runtime::Runtime,
    sync::{Mutex, mpsc::UnboundedReceiver},
};

/// What the server does with each connection.
#[derive(Debug, Clone)]
pub enum Job {
    /// Sends one response for each request: head and body are in it.
    Send(Bytes),
    /// Sends a head, then a chunk of the body each time that it is told to.
    ByTurns {
        /// The HTTP chunks.
        chunks: Arc<[Vec<u8>]>,
        /// Where it is told to.
        turns: Arc<Mutex<UnboundedReceiver<()>>>,
    },
    /// Sends a head, then nothing.
    Hold,
    /// Sends an event every so often: its data is how many nanoseconds after `since` it was sent.
    Tick {
        /// The pause between two events.
        every: Duration,
        /// When time began.
        since: Instant,
    },
    /// Sends `retry` and an event, closes, and tells how long it took for the next request.
    Close {
        /// The reconnection time to ask for, in milliseconds.
        retry: u64,
        /// Where to tell it.
        took: mpsc::Sender<Duration>,
    },
}

impl Job {
    /// To send one response with these chunks.
    #[must_use]
    pub fn response(chunks: &[&[u8]]) -> Self {
        let mut response = HEAD.as_bytes().to_vec();
        for body in chunks {
            response.extend(chunk(body));
        }
        response.extend_from_slice(LAST);
        Self::Send(response.into())
    }
}

/// What comes before a body that is cut into HTTP chunks.
const HEAD: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\
                        transfer-encoding: chunked\r\n\r\n";

/// What comes after it.
const LAST: &[u8] = b"0\r\n\r\n";

/// One HTTP chunk.
#[must_use]
pub fn chunk(body: &[u8]) -> Vec<u8> {
    let mut chunk = format!("{:x}\r\n", body.len()).into_bytes();
    chunk.extend_from_slice(body);
    chunk.extend_from_slice(b"\r\n");
    chunk
}

/// Starts the server, and tells its URL; it runs until the program ends.
///
/// # Panics
///
/// Where there is no loopback interface.
#[must_use]
pub fn start(job: Job) -> String {
    let (tell, told) = mpsc::channel();
    std::thread::spawn(move || {
        runtime().block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback");
            let address = listener.local_addr().expect("an address");
            tell.send(format!("http://{address}/"))
                .expect("someone waits for it");
            let mut closed = None;
            loop {
                let (socket, _) = listener.accept().await.expect("a connection");
                socket.set_nodelay(true).expect("an option of TCP");
                if let Job::Close { retry, took } = &job {
                    closed = close(socket, *retry, took, closed).await;
                } else {
                    // A client that goes away ends its connection, and nothing else.
                    tokio::spawn(serve(socket, job.clone()));
                }
            }
        });
    });
    told.recv().expect("the server has started")
}

/// A runtime of one thread, with sockets and a timer: for the server, and for whoever follows it.
///
/// # Panics
///
/// Where the system has nothing to wait with.
#[must_use]
pub fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime")
}

async fn request(socket: &mut TcpStream) -> std::io::Result<bool> {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        if socket.read_buf(&mut request).await? == 0 {
            return Ok(false);
        }
    }
    Ok(true)
}

async fn serve(mut socket: TcpStream, job: Job) -> std::io::Result<()> {
    while request(&mut socket).await? {
        match &job {
            Job::Send(response) => socket.write_all(response).await?,
            Job::ByTurns { chunks, turns } => {
                socket.write_all(HEAD.as_bytes()).await?;
                let mut turns = turns.lock().await;
                for chunk in chunks.iter() {
                    socket.write_all(chunk).await?;
                    if turns.recv().await.is_none() {
                        return Ok(());
                    }
                }
                socket.write_all(LAST).await?;
            }
            Job::Hold => {
                socket.write_all(HEAD.as_bytes()).await?;
                std::future::pending::<()>().await;
            }
            Job::Tick { every, since } => {
                socket.write_all(HEAD.as_bytes()).await?;
                let mut next = tokio::time::interval(*every);
                loop {
                    next.tick().await;
                    let event = format!("data: {}\n\n", since.elapsed().as_nanos());
                    socket.write_all(&chunk(event.as_bytes())).await?;
                }
            }
            Job::Close { .. } => return Ok(()),
        }
    }
    Ok(())
}

async fn close(
    mut socket: TcpStream,
    retry: u64,
    took: &mpsc::Sender<Duration>,
    closed: Option<Instant>,
) -> Option<Instant> {
    if !request(&mut socket).await.ok()? {
        return closed;
    }
    if let Some(closed) = closed {
        took.send(closed.elapsed()).ok()?;
    }
    let body = chunk(format!("retry: {retry}\ndata: x\n\n").as_bytes());
    let response = [HEAD.as_bytes(), &body, LAST].concat();
    socket.write_all(&response).await.ok()?;
    let closed = Instant::now();
    socket.shutdown().await.ok()?;
    Some(closed)
}
