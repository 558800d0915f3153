//! Server-sent events done right.
#![cfg_attr(not(feature = "std"), no_std)]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod encode;
mod event;
mod parser;

#[cfg(feature = "client")]
mod builder;
#[cfg(feature = "stream")]
mod combine;
#[cfg(feature = "std")]
mod error;
#[cfg(feature = "stream")]
mod events;
#[cfg(feature = "client")]
mod handle;
#[cfg(feature = "json")]
mod json;
#[cfg(feature = "stream")]
mod pump;
#[cfg(feature = "std")]
mod reader;
#[cfg(feature = "stream")]
mod session;
#[cfg(feature = "stream")]
mod signal;
#[cfg(feature = "client")]
mod source;
#[cfg(feature = "stream")]
mod stream;
#[cfg(all(feature = "testing", not(target_arch = "wasm32")))]
#[cfg_attr(docsrs, doc(cfg(feature = "testing")))]
pub mod testing;
#[cfg(feature = "stream")]
mod timer;
#[cfg(feature = "stream")]
pub mod transport;

#[cfg(feature = "std")]
pub use error::{BoxError, Error, ErrorKind, Timeout};
pub use event::{Event, EventRef};
#[cfg(feature = "json")]
pub use json::JsonError;
#[cfg(all(feature = "stream", feature = "json"))]
pub use json::JsonStream;
pub use parser::{EventTooLarge, Feed, Item, Oversized, Parser, Skipped};
#[cfg(feature = "std")]
pub use reader::Reader;
#[cfg(any(feature = "reqwest", feature = "reqwest012"))]
pub use transport::reqwest::{RequestBuilderExt, ResponseExt};
#[cfg(feature = "client")]
pub use {
    builder::EventSourceBuilder,
    handle::Handle,
    session::{Backoff, Cause, ReadyState, Retry},
    source::{EventSource, Failure},
    transport::{Attempt, Connect},
};
#[cfg(feature = "stream")]
pub use {
    bytes,
    combine::{ErrorWhen, EventStreamExt, Until},
    events::{Events, Opening},
    http,
    session::ContentType,
    signal::{Signal, Signals},
    stream::{EventStream, Unfinished},
};

/// The state machine of `EventSource`, for fuzz targets and property tests: no part of the API.
#[cfg(feature = "client")]
#[doc(hidden)]
pub mod __session {
    pub use crate::session::{
        Backoff, Cause, Decision, Loss, ReadyState, Retry, Rules, Session, State, Time,
    };

    /// What a server that answered like this gives for an error.
    #[must_use]
    pub fn refused(
        status: http::StatusCode,
        retry_after: Option<core::time::Duration>,
    ) -> crate::Error {
        crate::Error::new(crate::ErrorKind::Status).and_refusal(crate::error::Refusal {
            status,
            headers: http::HeaderMap::new(),
            body: bytes::Bytes::new(),
            retry_after,
        })
    }
}
