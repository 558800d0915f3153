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

/// The number of connections that may wait to be accepted.
const BACKLOG: u32 = 1024;

/// A scripted HTTP/1.1 server on the loopback interface.
///
/// It runs on its own thread, so it works with blocking clients, and with any runtime. It keeps
/// connections alive between requests. Dropping it stops the server, and closes all its sockets
/// before the drop returns.
///
/// See the [module](super) for examples.
pub struct Server {
    addr: SocketAddr,
    state: Arc<State>,
    /// The number of replies in the script; 0 without a script.
    scripted: usize,
    /// Stops the thread when it is dropped.
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// Constructors.
impl Server {
    /// Starts a server that calls `handler` for the answer to each request.
    ///
    /// The handler is called on the server's thread after the complete request was read. While it
    /// runs, no other connection is served. If it panics, the client gets a 500, and
    /// [`verify`](Server::verify), or dropping the server, panics too.
    ///
    /// The future can be awaited on any runtime.
    ///
    /// # Panics
    ///
    /// Panics if the operating system doesn't provide a port or a thread.
    pub async fn start<H>(handler: H) -> Self
    where
        H: Fn(&Request) -> Reply + Send + Sync + 'static,
    {
        Self::listen(ClosedPort::reserve(), 0, handler).await
    }

    /// Starts a server that answers the nth request, over all connections, with the nth of these
    /// replies. All further requests get a 204, which tells a client not to reconnect.
    ///
    /// [`verify`](Server::verify) accepts further requests; if they matter, check the number of
    /// [`requests`](Server::requests).
    ///
    /// # Panics
    ///
    /// The same as [`start`](Server::start).
    pub async fn script(replies: impl IntoIterator<Item = Reply>) -> Self {
        Self::script_then(replies, Reply::status(204)).await
    }

    /// Like [`script`](Server::script), but all further requests get the reply `last`.
    ///
    /// # Panics
    ///
    /// The same as [`start`](Server::start).
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
                // The future that started the server may have been dropped; then `stopped` resolves
                // too.
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

/// Addresses, and what the client did.
impl Server {
    /// Returns the address, on the loopback interface.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Returns the `http` URL of `path` on this server.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        url(self.addr, path)
    }

    /// Returns the requests so far, in order. A request is included once it was read completely,
    /// before it is answered.
    ///
    /// They are kept in memory; see [`take_requests`](Server::take_requests).
    #[must_use]
    pub fn requests(&self) -> Vec<Request> {
        self.state.requests()
    }

    /// Returns the requests since the last call, and removes them from memory.
    ///
    /// Numbers and counts continue. Use it in long tests that have to run in constant memory.
    #[must_use]
    pub fn take_requests(&self) -> Vec<Request> {
        self.state.take_requests()
    }

    /// Returns how many connections have been accepted so far.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.state.counts.borrow().accepted
    }

    /// Returns how many connections are open now.
    ///
    /// A connection is open until the client closes it, even in the middle of a reply, or until the
    /// server closes it. If a client only shuts down its sending side, the connection counts as
    /// closed.
    #[must_use]
    pub fn open_connections(&self) -> usize {
        self.state.counts.borrow().open
    }

    /// Waits until `n` requests have arrived in total. Returns immediately if they already have.
    ///
    /// It waits forever if they never arrive, so use a timeout in the test.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing.
    pub async fn wait_for_requests(&self, n: usize) {
        self.wait(|counts| counts.requests >= n).await;
    }

    /// Waits until no connection is open. Returns immediately if there is none.
    ///
    /// Most clients keep connections for later requests, so drop the client first.
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

    /// Checks that everything went as scripted.
    ///
    /// # Panics
    ///
    /// Panics with a list of everything that did not: expectations that were not met, malformed
    /// requests, scripted replies that were not used, panics of the handler.
    #[track_caller]
    pub fn verify(&self) {
        let mut faults = self.state.take_panics();
        faults.extend(self.state.complaints());
        let asked = self.state.counts.borrow().requests;
        if asked < self.scripted {
            faults.push(format!(
                "{} replies were scripted, {asked} were used",
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

impl ClosedPort {
    /// Starts a server on this port, like a server that comes back up.
    ///
    /// # Panics
    ///
    /// The same as [`Server::start`].
    pub async fn open<H>(self, handler: H) -> Server
    where
        H: Fn(&Request) -> Reply + Send + Sync + 'static,
    {
        Server::listen(self, 0, handler).await
    }
}

/// Stops the server and closes its sockets.
///
/// # Panics
///
/// Panics if the handler has panicked since the last call of [`verify`](Server::verify), unless the
/// thread is already panicking.
impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stop.take());
        let Some(thread) = self.thread.take() else {
            return;
        };
        // A handler may own the server, and its thread cannot wait for itself.
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

/// Accepts connections forever. A separate task serves each of them.
async fn accept<H>(listener: TcpListener, state: Arc<State>, handler: Arc<H>)
where
    H: Fn(&Request) -> Reply + Send + Sync + 'static,
{
    // Dropped with this future, so that the tasks end with the server.
    let mut tasks = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    let connection = Connection::new(stream, Arc::clone(&state));
                    let handler = Arc::clone(&handler);
                    tasks.spawn(async move { connection.serve(&*handler).await });
                }
                // The client has already disconnected, or too many files are open: try again.
                Err(_) => tokio::time::sleep(Duration::from_millis(1)).await,
            },
            // If a task has panicked, dropping its connection has recorded that.
            Some(_) = tasks.join_next() => {}
        }
    }
}
