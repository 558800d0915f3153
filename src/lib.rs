//! A client for server-sent events (SSE). It reads answers that LLM APIs stream, as ChatGPT does,
//! and live feeds that never end. It parses events exactly as the [WHATWG standard] says.
//!
//! It won't bill you twice, it won't hang, and it won't lose an event without telling you.
//!
//! # One answer, streamed
//!
//! An answer of an LLM is one request and one response. The request is sent once, whatever
//! happens, and the stream ends when the answer does.
//!
#![cfg_attr(feature = "reqwest013", doc = "```")]
#![cfg_attr(not(feature = "reqwest013"), doc = "```text")]
//! use everstream::RequestBuilderExt;
//!
//! # use everstream::testing::{Reply, Server};
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), everstream::Error> {
//! # let server = Server::script([Reply::events().data("Hel").data("lo")]).await;
//! # let (url, body) = (server.url("/v1/chat"), r#"{"stream":true}"#);
//! # let client = reqwest::Client::new();
//! let mut events = client.post(url).body(body).events().await?;
//! while let Some(event) = events.next_event().await? {
//!     print!("{}", event.data());
//! }
//! # Ok(())
//! # }
//! ```
//!
//! A [`Contract`] says which event completes the answer, and which reports an error. If the stream
//! ends before the answer is complete, you get an error. There are contracts for OpenAI Chat and
//! compatible APIs, OpenAI Responses, Anthropic and Gemini, and you can define your own. Here the
//! events are also deserialized:
//!
#![cfg_attr(all(feature = "reqwest013", feature = "json"), doc = "```")]
#![cfg_attr(not(all(feature = "reqwest013", feature = "json")), doc = "```text")]
//! use everstream::{Contract, RequestBuilderExt};
//! use std::time::Duration;
//!
//! #[derive(serde::Deserialize)]
//! struct Chunk {
//!     choices: Vec<Choice>,
//! }
//! #[derive(serde::Deserialize)]
//! struct Choice {
//!     delta: Delta,
//! }
//! #[derive(serde::Deserialize)]
//! struct Delta {
//!     content: Option<String>,
//! }
//!
//! # use everstream::testing::{Reply, Server};
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), everstream::Error> {
//! # let chunk = r#"{"choices":[{"index":0,"delta":{"content":"Hello"}}]}"#;
//! # let reply = Reply::events().data(chunk).data("[DONE]");
//! # let server = Server::script([reply]).await;
//! # let (url, body) = (server.url("/v1/chat"), r#"{"stream":true}"#);
//! # let client = reqwest::Client::new();
//! let mut chunks = client
//!     .post(url)
//!     .body(body)
//!     .events()
//!     .contract(Contract::openai_chat())
//!     .event_timeout(Duration::from_secs(60)) // keep-alive comments don't reset this limit
//!     .await? // a 401 or 429 is an error with status, headers and body
//!     .json::<Chunk>();
//! while let Some(chunk) = chunks.next_event().await? {
//!     for choice in chunk.choices {
//!         print!("{}", choice.delta.content.unwrap_or_default());
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # A feed
//!
//! An [`EventSource`] reconnects, resumes with `Last-Event-ID`, and waits as long as the server
//! asks. Reconnections are not errors; observe them with [`EventSource::signals`].
//!
#![cfg_attr(all(feature = "reqwest013", feature = "client"), doc = "```")]
#![cfg_attr(not(all(feature = "reqwest013", feature = "client")), doc = "```text")]
//! use everstream::RequestBuilderExt;
//!
//! # use everstream::testing::{Reply, Server};
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), everstream::Error> {
//! # let server = Server::script([
//! #     Reply::events().raw("retry: 50\nid: 1\ndata: one\n\n"),
//! #     Reply::events().raw("id: 2\ndata: two\n\n").expect_last_event_id("1"),
//! # ]).await;
//! # let url = server.url("/feed");
//! # let client = reqwest::Client::new();
//! let mut source = client.get(url).event_source()?;
//! while let Some(event) = source.next_event().await? {
//!     println!("{}: {}", event.id(), event.data());
//! }
//! # server.verify();
//! # Ok(())
//! # }
//! ```
//!
//! Every stream of this crate also implements [`Stream`](futures_util::Stream), so you can use
//! combinators.
//!
//! # Without HTTP
//!
//! [`Parser`] takes bytes in pieces of any size and lends you the events. [`Reader`] is an iterator
//! over the events of any [`std::io::Read`]. [`EventStream::new`] takes any stream of byte chunks.
//!
//! ```
//! use everstream::Parser;
//!
//! let mut parser = Parser::new();
//! let mut feed = parser.feed(b"event: greeting\ndata: hello\n\n");
//! while let Some(event) = feed.next_event()? {
//!     assert_eq!((event.event_type(), event.data()), ("greeting", "hello"));
//! }
//! # Ok::<(), everstream::EventTooLarge>(())
//! ```
//!
//! The [guide](_guide) has pages on each provider, resuming after a restart, time limits, retries
//! and money, testing your own code, and moving from another crate.
//!
//! # Guarantees
//!
//! * **An `Err` is the last item** of a stream; after it, the stream only returns `None`. So
//!   `next_event().await?` is right in every program. The one exception is an event whose JSON does
//!   not fit your type: the stream goes on after it, and [`Error::is_final`] returns `false`.
//! * **A request whose method is not safe (such as POST) is sent exactly once** by this crate,
//!   unless you ask for more. The HTTP client below may still resend it: reqwest's default client
//!   sends a request that an HTTP/2 server refused up to three times in all, and follows redirects
//!   with the body. A client from [`client_builder`](reqwest013::client_builder) does neither.
//! * **No reading ahead**: the last event ID is always that of the last event you received.
//!   Store it when you have handled the event, and you can resume from there.
//! * **Everything is bounded**: a line, an event, the body of an error, a wait, the number of
//!   attempts. Each has a limit with a default.
//! * **Time limits measure waiting for the server**, never a pause in your own code.
//! * **Dropping cancels**: no task is spawned, and dropping the stream closes its socket.
//!
//! # Features
//!
//! | feature | default | adds | depends on |
//! |---|---|---|---|
//! | `std` | yes | [`Error`], [`Reader`] | |
//! | `stream` | through `client` | [`EventStream`] over any stream of bytes, and its combinators | `bytes`, `futures-util`, `http`, `tokio`'s timer |
//! | `client` | yes | [`EventSource`] over any connector | `fastrand` |
//! | `reqwest013` | yes | [`RequestBuilderExt`], [`ResponseExt`] for reqwest 0.13 | `reqwest` 0.13 |
//! | `reqwest012` | | the same for reqwest 0.12 | `reqwest` 0.12 |
//! | `redirects` | with `client` and `reqwest013` | [`transport::Redirects`] for other HTTP clients | `url` |
//! | `default-tls` | yes | reqwest's own default TLS | |
//! | `http2` | yes | HTTP/2 for reqwest, and its keep-alive | `h2` |
//! | `json` | yes | [`Event::json`], [`EventStreamExt::json`] | `serde_json` |
//! | `serde` | | `Serialize` and `Deserialize` for [`Event`] | `serde` |
//! | `tracing` | | spans and events for connections, never payloads | `tracing` |
//! | `testing` | | `testing`: a scripted server and connector | |
//!
//! With no features, only [`Parser`] and [`encode`] are left, in `no_std` with `alloc`. On
//! `wasm32-unknown-unknown` the features are the same; the client [runs in a
//! browser](_guide::in_a_browser).
//!
//! [WHATWG standard]: https://html.spec.whatwg.org/multipage/server-sent-events.html
#![cfg_attr(not(feature = "std"), no_std)]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]
// The page above links to items of every feature; without some of them, the links are broken.
#![cfg_attr(
    not(all(feature = "client", feature = "reqwest013", feature = "json")),
    allow(rustdoc::broken_intra_doc_links)
)]

extern crate alloc;

#[cfg(any(doc, doctest))]
pub mod _guide;
pub mod encode;
#[cfg(feature = "std")]
mod error;
mod event;
mod parser;
#[cfg(feature = "std")]
mod reader;
#[cfg(any(feature = "reqwest013", feature = "reqwest012"))]
mod requests;
#[cfg(feature = "stream")]
mod response;
#[cfg(feature = "client")]
mod source;
#[cfg(feature = "stream")]
mod stream;
#[cfg(all(
    feature = "testing",
    not(all(target_arch = "wasm32", target_os = "unknown"))
))]
#[cfg_attr(docsrs, doc(cfg(feature = "testing")))]
pub mod testing;
#[cfg(feature = "stream")]
mod timer;
#[cfg(feature = "stream")]
mod trace;
#[cfg(feature = "stream")]
pub mod transport;

#[cfg(feature = "std")]
pub use error::{BoxError, Error, ErrorKind, Timeout};
pub use event::{Event, EventRef};
#[cfg(feature = "json")]
pub use event::{JsonError, SurrogateJoiner};
pub use parser::{EventTooLarge, Feed, Item, Oversized, Parser, Skipped};
#[cfg(feature = "std")]
pub use reader::Reader;
#[cfg(any(feature = "reqwest013", feature = "reqwest012"))]
pub use requests::{RequestBuilderExt, ResponseExt};
#[cfg(all(feature = "stream", feature = "json"))]
pub use stream::JsonStream;

/// Items for reqwest 0.13 only.
#[cfg(feature = "reqwest013")]
#[cfg_attr(docsrs, doc(cfg(feature = "reqwest013")))]
pub mod reqwest013 {
    pub use crate::transport::reqwest::v013::client_builder;
}

/// Items for reqwest 0.12 only.
#[cfg(feature = "reqwest012")]
#[cfg_attr(docsrs, doc(cfg(feature = "reqwest012")))]
pub mod reqwest012 {
    pub use crate::transport::reqwest::v012::client_builder;
}

#[cfg(feature = "stream")]
pub use {
    bytes, http,
    response::ContentType,
    stream::{
        CompleteWhen, Contract, Contracted, ErrorWhen, EventOrSignal, EventStream,
        EventStreamBuilder, EventStreamExt, JsonSignal, Meaning, PollSignal, Release, Signal,
        Signals, Unfinished,
    },
};
#[cfg(feature = "client")]
pub use {
    source::{
        Backoff, EventSource, EventSourceBuilder, EventSourceHandle, Failure, ReadyState, Retry,
    },
    transport::attempt::Cause,
};

/// The state machine of `EventSource`, for fuzz targets and property tests. Not part of the API.
#[cfg(feature = "client")]
#[doc(hidden)]
pub mod __session {
    pub use crate::source::session::{
        Backoff, Decision, Loss, ReadyState, Retry, Rules, Session, State, Time,
    };
    pub use crate::transport::attempt::Cause;

    /// The error for a response with this status.
    #[must_use]
    pub fn refused(
        status: http::StatusCode,
        retry_after: Option<core::time::Duration>,
    ) -> crate::Error {
        crate::Error::of(crate::ErrorKind::Status).and_refusal(crate::error::Refusal {
            status: Some(status),
            retry_after,
            ..crate::error::Refusal::of_body(bytes::Bytes::new(), true)
        })
    }
}
