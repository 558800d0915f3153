//! The server: accepts connections and answers requests on them.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use super::connection::Connection;
use super::port::{ClosedPort, url};
use super::reply::Reply;
use super::request::Request;
use super::state::{Counts, State};

/// Connections that may wait to be accepted.
const BACKLOG: u32 = 1024;

/// An HTTP/1.1 server on the loopback interface that answers as a test has it.
///
/// It runs on a thread of its own, so that it serves blocking clients and those of any runtime. It
/// keeps connections alive between requests. Dropping it stops it and closes all its sockets before
/// the drop returns.
///
/// See the [module](super) for examples.
pub struct Server {
    addr: SocketAddr,
    state: Arc<State>,
    /// How many replies the script has; 0 without one.
    scripted: usize,
    /// Tells the thread to end by being dropped.
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// Starting.
impl Server {
    /// Starts a server that asks `handler` what to answer to each request.
    ///
    /// The handler is called on the server's thread when the whole request has been read; while it
    /// runs, no other connection is served. If it panics, the client gets a 500 and the panic comes
    /// up again in [`verify`](Server::verify) or when the server is dropped.
    ///
    /// The future can be awaited on any runtime.
    ///
    /// # Panics
    ///
    /// Panics if the operating system gives no port or no thread.
    pub async fn start<H>(handler: H) -> Self
    where
        H: Fn(&Request) -> Reply + Send + Sync + 'static,
    {
        Self::listen(ClosedPort::reserve(), 0, handler).await
    }

    /// Starts a server that answers the nth request with the nth of these replies, over all
    /// connections, and any further one with a 204, which tells a client not to reconnect.
    ///
    /// A further request is no fault to [`verify`](Server::verify): where it matters, count
    /// [`requests`](Server::requests).
    ///
    /// # Panics
    ///
    /// As [`start`](Server::start).
    pub async fn script(replies: impl IntoIterator<Item = Reply>) -> Self {
        Self::script_then(replies, Reply::status(204)).await
    }

    /// As [`script`](Server::script), with `last` as the reply to any further request.
    ///
    /// # Panics
    ///
    /// As [`start`](Server::start).
    pub async fn script_then(replies: impl IntoIterator<Item = Reply>, last: Reply) -> Self {
        let replies: Vec<_> = replies.into_iter().collect();
        let scripted = replies.len();
        let handler =
            move |request: &Request| replies.get(request.number()).unwrap_or(&last).clone();
        Self::listen(ClosedPort::reserve(), scripted, handler).await
    }

    pub(super) async fn listen<H>(port: ClosedPort, scripted: usize, handler: H) -> Self
    where
        H: Fn(&Request) -> Reply + Send + Sync + 'static,
    {
        let addr = port.addr();
        let state = Arc::new(State::default());
        let (ready, listening) = oneshot::channel();
        let (stop, stopped) = oneshot::channel();
        let shared = Arc::clone(&state);
        let run = move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            runtime.expect("a runtime").block_on(async move {
                let listener = port
                    .into_socket()
                    .listen(BACKLOG)
                    .expect("to listen on the port");
                // Whoever started the server may have gone; then `stopped` says so too.
                let _ = ready.send(());
                tokio::select! {
                    _ = stopped => {}
                    () = accept(listener, shared, Arc::new(handler)) => {}
                }
            });
        };
        let builder = std::thread::Builder::new().name("everstream-testing".to_owned());
        let thread = Some(builder.spawn(run).expect("a thread for the server"));
        listening.await.expect("the server listens");
        Self {
            addr,
            state,
            scripted,
            stop: Some(stop),
            thread,
        }
    }
}

/// What the client is told, and what it did.
impl Server {
    /// The address, on the loopback interface.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The `http` URL of `path` on this server.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        url(self.addr, path)
    }

    /// The requests so far, in order; each from when it was read whole, before it is answered.
    ///
    /// They are kept in memory; see [`take_requests`](Server::take_requests).
    #[must_use]
    pub fn requests(&self) -> Vec<Request> {
        self.state.requests()
    }

    /// The requests since the last call, which the server then forgets.
    ///
    /// Numbers and counts go on: this is for long tests that have to run in constant memory.
    #[must_use]
    pub fn take_requests(&self) -> Vec<Request> {
        self.state.take_requests()
    }

    /// How many connections have been accepted so far.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.state.counts.borrow().accepted
    }

    /// How many connections are open now.
    ///
    /// A connection stops being open when the client closes it, also in the middle of a reply, or
    /// when the server has closed it. A client that shuts down only its sending side counts as
    /// having closed.
    #[must_use]
    pub fn open_connections(&self) -> usize {
        self.state.counts.borrow().open
    }

    /// Waits until `n` requests have come in all; at once if they have.
    ///
    /// It waits for ever if they never come, so give the test a limit.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing.
    pub async fn wait_for_requests(&self, n: usize) {
        self.wait(|counts| counts.requests >= n).await;
    }

    /// Waits until no connection is open; at once if none is or was.
    ///
    /// Clients that keep connections for later requests, as most do, have to be dropped first.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing.
    pub async fn wait_until_closed(&self) {
        self.wait(|counts| counts.open == 0).await;
    }

    async fn wait(&self, condition: impl FnMut(&Counts) -> bool) {
        // The sender lives as long as `self`, so the wait cannot fail.
        let _ = self.state.counts.subscribe().wait_for(condition).await;
    }

    /// Checks that all went as scripted.
    ///
    /// # Panics
    ///
    /// Panics with a list of what did not: expectations that were not met, what came and was no
    /// request, scripted replies that were never asked for, panics of the handler.
    #[track_caller]
    pub fn verify(&self) {
        let mut faults = self.state.take_panics();
        faults.extend(self.state.complaints());
        let asked = self.state.counts.borrow().requests;
        if asked < self.scripted {
            faults.push(format!(
                "{} replies were scripted, {asked} asked for",
                self.scripted
            ));
        }
        assert!(
            faults.is_empty(),
            "not as scripted:\n- {}",
            faults.join("\n- ")
        );
    }
}

/// Stops the server and closes its sockets.
///
/// # Panics
///
/// Panics if the handler has panicked and [`verify`](Server::verify) was not asked since, unless
/// the thread is panicking already.
impl ClosedPort {
    /// Starts a server on this port: it comes back to life.
    ///
    /// # Panics
    ///
    /// As [`Server::start`].
    pub async fn open<H>(self, handler: H) -> Server
    where
        H: Fn(&Request) -> Reply + Send + Sync + 'static,
    {
        Server::listen(self, 0, handler).await
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stop.take());
        let Some(thread) = self.thread.take() else {
            return;
        };
        // A handler may own the server; its thread cannot wait for itself.
        if thread.thread().id() == std::thread::current().id() {
            return;
        }
        if let Err(panic) = thread.join() {
            self.state.add_panic("the server", &*panic);
        }
        let panics = self.state.take_panics();
        if !std::thread::panicking() {
            assert!(panics.is_empty(), "in the server: {}", panics.join("; "));
        }
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("addr", &self.addr)
            .field("counts", &*self.state.counts.borrow())
            .finish_non_exhaustive()
    }
}

/// Accepts connections for ever, each served by a task of its own.
async fn accept<H>(listener: TcpListener, state: Arc<State>, handler: Arc<H>)
where
    H: Fn(&Request) -> Reply + Send + Sync + 'static,
{
    // Dropped with this future: the tasks end with the server.
    let mut tasks = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    let connection = Connection::new(stream, Arc::clone(&state));
                    let handler = Arc::clone(&handler);
                    tasks.spawn(async move { connection.serve(&*handler).await });
                }
                // The client has gone again, or there are too many open files: the next may do.
                Err(_) => tokio::time::sleep(Duration::from_millis(1)).await,
            },
            // A panic among them has been remembered by the connection's own drop.
            Some(_) = tasks.join_next() => {}
        }
    }
}
