//! The service that [sse-contract-tests] drive, over [`everstream::EventSource`].
//!
//! The harness asks for a stream by a `POST /`, serves that stream itself, and is told what was
//! read of it by callbacks. [`service`] is the HTTP side of that, `stream` one stream and its
//! callbacks, `protocol` what goes over the wire in between.
//!
//! [sse-contract-tests]: https://github.com/launchdarkly/sse-contract-tests

mod protocol;
mod service;
mod stream;

pub use protocol::CAPABILITIES;
pub use service::serve;
