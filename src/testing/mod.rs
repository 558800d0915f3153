//! A scripted server and connector, to test programs that read event streams.
//!
//! [`Server`] is a real HTTP/1.1 server on the loopback interface that follows your script. It can
//! send events split at any byte, stall, close the connection after a number of bytes, reset it,
//! announce more bytes than it sends, or refuse with a 429. It records all requests. Each answer is
//! a [`Reply`], from a list or from a function of the [`Request`].
//!
//! ```
//! use everstream::testing::{Reply, Server};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let server = Server::script([
//!     Reply::status(503).header("retry-after", "0"),
//!     Reply::events().raw("id: 1\ndata: one\n\n").raw("id: 2\ndata: tw").cut(),
//!     Reply::events().raw("id: 2\ndata: two\n\n").expect_last_event_id("1"),
//! ])
//! .await;
//!
//! // Replace these lines with the program to test.
//! let client = reqwest::Client::new();
//! assert_eq!(client.get(server.url("/feed")).send().await?.status(), 503);
//! assert!(client.get(server.url("/feed")).send().await?.text().await.is_err());
//! let resumed = client.get(server.url("/feed")).header("last-event-id", "1");
//! assert_eq!(resumed.send().await?.text().await?, "id: 2\ndata: two\n\n");
//!
//! assert_eq!(server.requests().len(), 3);
//! server.verify();
//! # Ok(())
//! # }
//! ```
//!
//! # Without sleeping
//!
//! A test that sleeps is slow on a fast machine and wrong on a slow one. Instead, use a [`Gate`]:
//! it stops a reply at a point until the test opens it, and the test can wait until the server has
//! reached it. [`Server::wait_for_requests`] and [`Server::wait_until_closed`] wait for the client.
//!
//! ```
//! use everstream::testing::{Gate, Reply, Server};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let gate = Gate::new();
//! let reply = Reply::events().data("first").gate(&gate).data("second");
//! let server = Server::script([reply]).await;
//!
//! let mut response = reqwest::get(server.url("/")).await?;
//! assert_eq!(response.chunk().await?.as_deref(), Some(&b"data: first\n\n"[..]));
//! // The server waits at the gate: test here what the program does in the meantime.
//! gate.open();
//! assert_eq!(response.chunk().await?.as_deref(), Some(&b"data: second\n\n"[..]));
//! # Ok(())
//! # }
//! ```
//!
//! # Time
//!
//! The server runs on its own thread, with its own clock: [`Reply::pause`] and similar methods take
//! real time, even if the test has paused Tokio's clock. Don't combine a paused clock with sockets:
//! it jumps ahead whenever the test waits for a socket.
//!
//! # Without a network
//!
//! [`Script`] takes the place of a request and returns the same replies, without a socket. Its
//! pauses use Tokio's clock. So if the clock is paused, minutes of waiting take no time.

mod body;
mod connection;
mod connector;
mod expect;
mod expectation;
mod gate;
mod open;
mod play;
mod port;
mod receive;
mod reply;
mod request;
mod server;
mod state;

pub use connector::Script;
pub use gate::Gate;
pub use port::ClosedPort;
pub use reply::Reply;
pub use request::Request;
pub use server::Server;
