//! Expectations of replies about the request that they answer.

use super::expectation::Expectation;
use super::reply::{Reply, copy};

/// Expectations about the request. If one is not met, the response is a 500 that says so, and
/// [`Server::verify`](super::Server::verify) panics.
impl Reply {
    /// Expects exactly one `Last-Event-ID` header, with this value.
    pub fn expect_last_event_id(self, id: impl AsRef<[u8]>) -> Self {
        self.expect_header("last-event-id", id)
    }

    /// Expects no `Last-Event-ID` header, not even an empty one.
    pub fn expect_no_last_event_id(self) -> Self {
        self.expect_no_header("last-event-id")
    }

    /// Expects exactly one header with this name, with this value.
    pub fn expect_header(self, name: impl Into<String>, value: impl AsRef<[u8]>) -> Self {
        self.expect(Expectation::Header {
            name: name.into(),
            value: Some(copy(value)),
        })
    }

    /// Expects no header with this name.
    pub fn expect_no_header(self, name: impl Into<String>) -> Self {
        self.expect(Expectation::Header {
            name: name.into(),
            value: None,
        })
    }

    /// Expects this method (case-sensitive).
    pub fn expect_method(self, method: impl Into<String>) -> Self {
        self.expect(Expectation::Method(method.into()))
    }

    /// Expects exactly this target: path and query.
    pub fn expect_target(self, target: impl Into<String>) -> Self {
        self.expect(Expectation::Target(target.into()))
    }

    fn expect(mut self, expectation: Expectation) -> Self {
        self.expectations.push(expectation);
        self
    }
}
