//! A scripted server and connector, to test programs that read event streams.
//!
//! [`Server`] speaks real HTTP/1.1 on the loopback interface and does as it is told: it answers
//! with these events, split here; it stalls, cuts the connection after so many bytes, resets it,
//! promises more than it sends, refuses with a 429, and it remembers what was asked of it. What it
//! answers is a [`Reply`], given one after another or by a function of the [`Request`].
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
//! // In place of these three lines stands the program that is tested.
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
//! A test that sleeps is slow on a fast machine and wrong on a slow one. A [`Gate`] holds a reply
//! at a point until the test opens it, and tells the test when the server has come there.
//! [`Server::wait_for_requests`] and [`Server::wait_until_closed`] wait for what the client does.
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
//! // Here nothing more can have come: the moment to test what the program does meanwhile.
//! gate.open();
//! assert_eq!(response.chunk().await?.as_deref(), Some(&b"data: second\n\n"[..]));
//! # Ok(())
//! # }
//! ```
//!
//! # Time
//!
//! The server lives on a thread of its own, with its own clock: [`Reply::pause`] and its like take
//! real time, also where the test has paused tokio's. A paused clock does not go well with sockets:
//! it jumps ahead whenever the test waits for one.
//!
//! # Without a network
//!
//! [`Script`] gives the same replies in place of a request, without a socket. Its pauses are in
//! Tokio's time, so with a paused clock a test of minutes takes none.

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
