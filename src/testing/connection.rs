//! A connection: requests in, replies out, until it ends.

use std::future::pending;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::ReadHalf;

use super::play::{After, play};
use super::receive::{Fault, receive};
use super::reply::Reply;
use super::request::Request;
use super::state::State;

/// How much of the next requests is read while a reply is being written, in bytes.
const READ_AHEAD: usize = 64 << 10;

/// A connection, counted as open until it is dropped.
pub(super) struct Connection {
    /// `None` only while it is dropped.
    stream: Option<TcpStream>,
    number: usize,
    state: Arc<State>,
}

impl Drop for Connection {
    fn drop(&mut self) {
        // Close it before the count changes, so that it is closed for anyone who waits for the
        // count.
        drop(self.stream.take());
        if std::thread::panicking() {
            self.state.add_panic(
                "the server",
                &format!("while serving connection {}", self.number),
            );
        }
        self.state.counts.send_modify(|counts| counts.open -= 1);
    }
}

impl Connection {
    pub(super) fn new(stream: TcpStream, state: Arc<State>) -> Self {
        let number = state.counts.borrow().accepted;
        state.counts.send_modify(|counts| {
            counts.accepted += 1;
            counts.open += 1;
        });
        Self {
            stream: Some(stream),
            number,
            state,
        }
    }

    pub(super) async fn serve<H: Fn(&Request) -> Reply>(mut self, handler: &H) {
        let Some(stream) = &mut self.stream else {
            return;
        };
        // Send each piece immediately. This fails only if the client has disconnected.
        let _ = stream.set_nodelay(true);
        let mut buffer = BytesMut::new();
        let after = loop {
            let mut request = match receive(stream, &mut buffer).await {
                Ok(request) => request,
                Err(Fault::Gone) => break After::Close,
                Err(Fault::Malformed(why)) => {
                    let explanation = format!("connection {}: not a request: {why}", self.number);
                    let wire = format!(
                        "HTTP/1.1 400 Bad Request\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{explanation}",
                        explanation.len(),
                    );
                    self.state.complain(explanation);
                    // The client may have disconnected; then this has no effect.
                    let _ = stream.write_all(wire.as_bytes()).await;
                    break After::Close;
                }
            };
            request.connection = self.number;
            self.state.add_request(&mut request);
            let reply = answer(handler, &request, &self.state);
            let (mut from, mut to) = stream.split();
            let played = tokio::select! {
                // Poll the client first, because an endless reply never yields.
                biased;
                () = client_gone(&mut from, &mut buffer) => break After::Close,
                played = play(&reply, &request, &mut to) => played,
            };
            match played {
                Ok(After::Open) => {}
                Ok(after) => break after,
                Err(_) => break After::Close,
            }
        };
        close(stream, after).await;
    }
}

/// Returns the handler's reply, or an error response instead.
fn answer<H: Fn(&Request) -> Reply>(handler: &H, request: &Request, state: &State) -> Reply {
    let excuse = match catch_unwind(AssertUnwindSafe(|| handler(request))) {
        Ok(reply) => {
            let complaints = reply.expectations.iter();
            let complaints: Vec<_> = complaints.filter_map(|e| e.complaint(request)).collect();
            if complaints.is_empty() {
                return reply;
            }
            let text = format!(
                "request {} ({} {}): {}",
                request.number,
                request.method,
                request.target,
                complaints.join(", "),
            );
            state.complain(text.clone());
            text
        }
        Err(panic) => state.add_panic("the handler", &*panic),
    };
    Reply::status(500)
        .content_type("text/plain; charset=utf-8")
        .raw(excuse)
}

/// Waits until the client has closed the connection, and buffers what it sends until then.
async fn client_gone(from: &mut ReadHalf<'_>, buffer: &mut BytesMut) {
    while buffer.len() < READ_AHEAD {
        if let Ok(0) | Err(_) = from.read_buf(buffer).await {
            return;
        }
    }
    // The client sends requests faster than they are answered. A close is noticed when writing
    // fails.
    pending::<()>().await;
}

async fn close(stream: &mut TcpStream, after: After) {
    if after == After::Reset {
        #[allow(
            deprecated,
            reason = "a linger of zero does not block, which it is deprecated for; what takes its \
                      place is younger than the oldest tokio this crate takes, to which an \
                      `expect` would be unfulfilled"
        )]
        let _ = stream.set_linger(Some(Duration::ZERO));
        return;
    }
    // Unread bytes from the client turn a close into a reset. After a shutdown, the client sees the
    // end first. This fails only if the client has already disconnected.
    let _ = stream.shutdown().await;
}
