//! A proxy between a server (axum) and a client (hyper) that cuts, stalls, splits and delays at
//! random, in memory and in virtual time: a stall of minutes takes none.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::{
    Router,
    body::Body as Sent,
    extract::State,
    http::{HeaderMap, StatusCode, Uri},
    response::{IntoResponse, Response as Answer},
    routing::get,
    serve::Listener,
};
use everstream::{
    Error, ErrorKind, EventSource, Signal,
    bytes::Bytes,
    http::Request,
    transport::{Attempt, Body, Response},
};
use futures_util::{TryStreamExt, stream};
use http_body_util::{BodyExt, Empty};
use hyper_util::{
    client::legacy::{
        Client,
        connect::{Connected, Connection},
    },
    rt::{TokioExecutor, TokioIo},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, ReadBuf, split},
    sync::mpsc,
    time::{Instant, sleep},
};

use crate::{
    CUTS, Memory, heap,
    numbered::{self, Follower},
    splits::Random,
};

/// Longer than any delay, and shorter than a stall.
const IDLE: Duration = Duration::from_secs(30);

type Shared = Arc<Mutex<Random>>;

fn draw(random: &Shared, bound: usize) -> usize {
    random.lock().expect("no draw panics").below(bound)
}

/// The server: continues after the last event that the client has seen, in its own pieces, until it
/// has had enough.
async fn feed(State(random): State<Shared>, headers: HeaderMap) -> Answer {
    let id = headers.get("last-event-id");
    let seen = numbered::seen(id.map(|id| id.to_str().expect("a number")));
    if draw(&random, 20) == 0 {
        let status = [408, 425, 429, 500, 502, 503][draw(&random, 6)];
        let status = StatusCode::from_u16(status).expect("a status");
        return (status, [("retry-after", "2")], "not now").into_response();
    }
    let last = seen + draw(&random, 40) as u64;
    let events = stream::unfold(seen, move |seen| {
        let random = Arc::clone(&random);
        async move {
            if seen >= last {
                return None;
            }
            sleep(Duration::from_millis(draw(&random, 2000) as u64)).await;
            let next = (seen + 1 + draw(&random, 5) as u64).min(last);
            let piece: Vec<u8> = (seen + 1..=next).flat_map(numbered::wire).collect();
            Some((Ok::<_, io::Error>(piece), next))
        }
    });
    let event_stream = [("content-type", "text/event-stream")];
    (event_stream, Sent::from_stream(events)).into_response()
}

/// Where the server accepts the proxy's connections.
struct Incoming(mpsc::UnboundedReceiver<DuplexStream>);

impl Listener for Incoming {
    type Io = DuplexStream;
    type Addr = ();

    async fn accept(&mut self) -> (DuplexStream, ()) {
        match self.0.recv().await {
            Some(connection) => (connection, ()),
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<()> {
        Ok(())
    }
}

/// How a connection is broken.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Break {
    /// It ends.
    Cut,
    /// It ends with an error.
    Reset,
    /// It stays open, but nothing more arrives.
    Stall,
}

/// What happens to one direction of a connection.
struct Course {
    /// Bytes until it is broken, and how.
    until: usize,
    how: Break,
    /// The longest piece that is read at once.
    longest: usize,
    random: Random,
}

impl Course {
    fn new(random: &mut Random, until: usize) -> Self {
        Self {
            until: random.below(until),
            how: match random.below(10) {
                0 => Break::Stall,
                1..5 => Break::Reset,
                _ => Break::Cut,
            },
            longest: 1 << (2 + random.below(9)),
            random: Random::new(random.below(1 << 30) as u64),
        }
    }

    /// Copies bytes in pieces, some of them late, until the end (`None`), or until as many as given
    /// were copied.
    async fn carry<R, W>(mut self, mut from: R, mut to: W) -> Option<Break>
    where
        R: AsyncRead + Unpin,
        W: AsyncWrite + Unpin,
    {
        let mut piece = [0; 1 << 10];
        while self.until > 0 {
            let most = 1 + self.random.below(self.longest);
            let read = from.read(&mut piece[..most.min(self.until)]).await;
            match read {
                Ok(0) | Err(_) => return None,
                Ok(length) => {
                    match self.random.below(32) {
                        0 => sleep(Duration::from_millis(self.random.below(5000) as u64)).await,
                        1..8 => tokio::task::yield_now().await,
                        _ => {}
                    }
                    to.write_all(&piece[..length]).await.ok()?;
                    self.until -= length;
                }
            }
        }
        Some(self.how)
    }
}

/// The proxy: each connection made through it is broken sooner or later.
#[derive(Clone)]
struct Proxy {
    random: Shared,
    server: mpsc::UnboundedSender<DuplexStream>,
    cuts: Arc<AtomicU64>,
}

impl Proxy {
    /// A connection through the proxy.
    fn connect(&self) -> io::Result<Wire> {
        let mut random = self.random.lock().expect("no draw panics");
        if random.below(20) == 0 {
            self.cuts.fetch_add(1, Relaxed);
            return Err(io::ErrorKind::ConnectionRefused.into());
        }
        // Requests are broken, too; most get through.
        let up = match random.below(20) {
            0 => 150,
            _ => usize::MAX >> 1,
        };
        let up = Course::new(&mut random, up);
        let down = Course::new(&mut random, 1200);
        drop(random);

        let (client, near) = tokio::io::duplex(1024);
        let (far, server) = tokio::io::duplex(1024);
        let reset = Arc::new(AtomicBool::new(false));
        self.server.send(server).expect("the server is there");
        let (was_reset, cuts) = (Arc::clone(&reset), Arc::clone(&self.cuts));
        tokio::spawn(async move {
            let (mut from_client, to_client) = split(near);
            let (from_server, to_server) = split(far);
            let broken = tokio::select! {
                biased;
                broken = up.carry(&mut from_client, to_server) => broken,
                broken = down.carry(from_server, to_client) => broken,
            };
            match broken {
                None => return,
                Some(Break::Cut) => {}
                Some(Break::Reset) => was_reset.store(true, Relaxed),
                // Until the client has had enough. Its input is ignored.
                Some(Break::Stall) => while let Ok(1..) = from_client.read(&mut [0; 64]).await {},
            }
            cuts.fetch_add(1, Relaxed);
        });
        Ok(Wire { io: client, reset })
    }
}

/// The client's end of a connection, which distinguishes a reset from an end.
struct Wire {
    io: DuplexStream,
    reset: Arc<AtomicBool>,
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.io).poll_read(cx, buffer))?;
        if buffer.filled().len() == before && self.reset.load(Relaxed) {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

impl Connection for Wire {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

/// A source whose requests go through the proxy.
fn source(proxy: Proxy) -> Result<EventSource, Error> {
    let connector = tower::service_fn(move |_: Uri| {
        let connection = proxy.connect();
        std::future::ready(connection.map(TokioIo::new))
    });
    let client = Client::builder(TokioExecutor::new()).build::<_, Empty<Bytes>>(connector);
    EventSource::factory(move |attempt: Attempt| {
        let mut request = Request::new(Empty::new());
        *request.uri_mut() = Uri::from_static("http://feed.test/");
        attempt.apply(request.headers_mut());
        let response = client.request(request);
        async move {
            let response = response
                .await
                .map_err(|error| Error::new(ErrorKind::Transport, error))?;
            let response = response.map(|body| Body::new(body.into_data_stream()));
            Ok::<_, Error>(Response::from(response))
        }
    })
    .max_initial_failures(None)
    .idle_timeout(IDLE)
    .seed(7)
    .build()
}

#[test]
fn ten_thousand_cuts_in_between_lose_nothing_and_repeat_nothing() -> Result<(), Error> {
    let _alone = heap::alone();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build();
    runtime.expect("a runtime").block_on(follow())
}

async fn follow() -> Result<(), Error> {
    let random = Arc::new(Mutex::new(Random::new(0x5eed)));
    let (server, incoming) = mpsc::unbounded_channel();
    let app = Router::new()
        .route("/", get(feed))
        .with_state(Arc::clone(&random));
    tokio::spawn(async { axum::serve(Incoming(incoming), app).await });
    let proxy = Proxy {
        random,
        server,
        cuts: Arc::default(),
    };
    let cuts = Arc::clone(&proxy.cuts);
    let mut signals = source(proxy)?.signals();

    let start = Instant::now();
    let mut memory = Memory::new();
    let mut follower = Follower::default();
    let (mut connections, mut timeouts) = (0, 0);
    while cuts.load(Relaxed) < CUTS {
        match signals.try_next().await? {
            Some(Signal::Event(event)) => {
                follower.see(&event);
                assert_eq!(signals.get_ref().last_event_id(), event.id());
            }
            Some(Signal::Reconnecting { cause, .. }) => {
                connections += 1;
                timeouts += u64::from(cause.error().is_some_and(Error::is_timeout));
                memory.look(cuts.load(Relaxed));
            }
            Some(_) => {}
            None => panic!("the server never ends it"),
        }
    }
    eprintln!(
        "{} events over {connections} connections, {timeouts} stalls, in {:?}",
        follower.seen(),
        start.elapsed()
    );
    memory.verify("proxy");
    assert!(follower.seen() > CUTS, "most connections brought something");
    assert!(
        timeouts > CUTS / 20,
        "stalls are noticed by the client alone"
    );
    Ok(())
}
