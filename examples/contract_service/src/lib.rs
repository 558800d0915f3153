//! A service that runs [sse-contract-tests] against [`everstream::EventSource`].
//!
//! With `POST /`, the harness requests that the service follows a stream. The harness serves that
//! stream, and the service sends callbacks with what it read. [`service`] is the HTTP server, `stream`
//! follows one stream and sends the callbacks, and `protocol` has the messages.
//!
//! [sse-contract-tests]: https://github.com/launchdarkly/sse-contract-tests

mod protocol;
mod service;
mod stream;

pub use protocol::CAPABILITIES;
pub use service::serve;
