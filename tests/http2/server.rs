//! A scripted HTTP/2 server (RFC 9113): it reads frames only to detect requests, and writes what
//! the script says, byte for byte.
#![allow(unreachable_pub, reason = "a module of tests has no outside")]

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
};

/// Error codes (RFC 9113 7).
pub const NO_ERROR: u32 = 0;
pub const INTERNAL_ERROR: u32 = 2;
pub const REFUSED_STREAM: u32 = 7;
pub const CANCEL: u32 = 8;

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;

const END_STREAM: u8 = 1;
const ACK: u8 = 1;
const END_HEADERS: u8 = 4;

/// What the server does once a request has arrived.
#[derive(Clone, Debug)]
pub enum Do {
    /// `:status: 200` and `content-type: text/event-stream`.
    Open,
    Data(&'static str),
    /// The end of the stream, as it should be.
    End,
    Reset(u32),
    /// No more requests on this connection. The request that has come was `processed`, or the
    /// client is told that it was not.
    GoAway {
        processed: bool,
        code: u32,
    },
    Close,
}

/// Counts the requests that reach it.
#[derive(Debug)]
pub struct Server {
    url: String,
    requests: Arc<AtomicUsize>,
}

impl Server {
    /// Answers each request as `script` says, which is given its number, from 0.
    pub async fn start(script: impl Fn(usize) -> Vec<Do> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let requests = Arc::new(AtomicUsize::new(0));
        let script = Arc::new(script);
        let counter = Arc::clone(&requests);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (counter, script) = (Arc::clone(&counter), Arc::clone(&script));
                tokio::spawn(async move {
                    // The server ignores that a client has disconnected.
                    let _ = serve(stream, &counter, &*script).await;
                });
            }
        });
        Self { url, requests }
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    /// How many requests have arrived so far, over all connections.
    pub fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }
}

async fn serve(
    stream: TcpStream,
    counter: &AtomicUsize,
    script: &(dyn Fn(usize) -> Vec<Do> + Send + Sync),
) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    let mut preface = [0; 24];
    stream.read_exact(&mut preface).await?;
    assert_eq!(&preface, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    write(&mut stream, SETTINGS, 0, 0, &[]).await?;
    loop {
        let mut head = [0; 9];
        stream.read_exact(&mut head).await?;
        let [a, b, c, kind, flags, id @ ..] = head;
        let id = u32::from_be_bytes(id);
        let mut payload = vec![0; u32::from_be_bytes([0, a, b, c]) as usize];
        stream.read_exact(&mut payload).await?;
        match kind {
            SETTINGS if flags & ACK == 0 => write(&mut stream, SETTINGS, ACK, 0, &[]).await?,
            PING if flags & ACK == 0 => write(&mut stream, PING, ACK, 0, &payload).await?,
            HEADERS | DATA if flags & END_STREAM != 0 => {
                let number = counter.fetch_add(1, Ordering::SeqCst);
                for it in script(number) {
                    if !act(&mut stream, id, it).await? {
                        return Ok(());
                    }
                }
            }
            _ => {}
        }
    }
}

/// `false` where the connection has to be closed.
async fn act(stream: &mut BufReader<TcpStream>, id: u32, it: Do) -> std::io::Result<bool> {
    match it {
        Do::Open => {
            // HPACK (RFC 7541): 8 in the static table is `:status: 200`, 31 is `content-type`.
            let mut block = vec![0x88, 0x0f, 0x10, 17];
            block.extend_from_slice(b"text/event-stream");
            write(stream, HEADERS, END_HEADERS, id, &block).await?;
        }
        Do::Data(data) => write(stream, DATA, 0, id, data.as_bytes()).await?,
        Do::End => write(stream, DATA, END_STREAM, id, &[]).await?,
        Do::Reset(code) => write(stream, RST_STREAM, 0, id, &code.to_be_bytes()).await?,
        Do::GoAway { processed, code } => {
            let last = if processed { id } else { id.saturating_sub(2) };
            let payload = [last.to_be_bytes(), code.to_be_bytes()].concat();
            write(stream, GOAWAY, 0, 0, &payload).await?;
        }
        Do::Close => {
            stream.get_mut().shutdown().await?;
            return Ok(false);
        }
    }
    Ok(true)
}

async fn write(
    stream: &mut BufReader<TcpStream>,
    kind: u8,
    flags: u8,
    id: u32,
    payload: &[u8],
) -> std::io::Result<()> {
    let [_, a, b, c] = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut frame = vec![a, b, c, kind, flags];
    frame.extend_from_slice(&id.to_be_bytes());
    frame.extend_from_slice(payload);
    stream.get_mut().write_all(&frame).await
}
