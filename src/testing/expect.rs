//! What a reply demands of the request it answers.

use bytes::Bytes;

use super::reply::{Reply, copy};
use super::request::Request;

/// One demand.
#[derive(Clone, Debug)]
pub(super) enum Expectation {
    /// Exactly one header of that name, with that value; without a value: none.
    Header {
        name: String,
        value: Option<Bytes>,
    },
    Method(String),
    Target(String),
}

impl Expectation {
    /// Says what was expected and what came, or `None` if the request is as it should be.
    pub(super) fn complaint(&self, request: &Request) -> Option<String> {
        match self {
            Self::Header { name, value } => {
                let came: Vec<_> = request.headers().get_all(name).iter().collect();
                let wanted: Vec<_> = value.iter().collect();
                let met = came
                    .iter()
                    .map(|value| value.as_bytes())
                    .eq(wanted.iter().copied());
                (!met).then(|| format!("expected {name}: {wanted:?}, came: {came:?}"))
            }
            Self::Method(method) => differs("method", method, request.method().as_str()),
            Self::Target(target) => differs("target", target, request.target()),
        }
    }
}

fn differs(what: &str, expected: &str, came: &str) -> Option<String> {
    (expected != came).then(|| format!("expected {what} {expected:?}, came {came:?}"))
}

/// What the request has to be like. If it is not, the answer is a 500 that says so, and
/// [`Server::verify`](super::Server::verify) panics.
impl Reply {
    /// Expects exactly one `Last-Event-ID` header, with that value.
    pub fn expect_last_event_id(self, id: impl AsRef<[u8]>) -> Self {
        self.expect_header("last-event-id", id)
    }

    /// Expects that there is no `Last-Event-ID` header, not even an empty one.
    pub fn expect_no_last_event_id(self) -> Self {
        self.expect_no_header("last-event-id")
    }

    /// Expects exactly one header of that name, with that value.
    pub fn expect_header(self, name: impl Into<String>, value: impl AsRef<[u8]>) -> Self {
        self.expect(Expectation::Header {
            name: name.into(),
            value: Some(copy(value)),
        })
    }

    /// Expects that there is no header of that name.
    pub fn expect_no_header(self, name: impl Into<String>) -> Self {
        self.expect(Expectation::Header {
            name: name.into(),
            value: None,
        })
    }

    /// Expects that method, in this case.
    pub fn expect_method(self, method: impl Into<String>) -> Self {
        self.expect(Expectation::Method(method.into()))
    }

    /// Expects that target: path and query, exactly.
    pub fn expect_target(self, target: impl Into<String>) -> Self {
        self.expect(Expectation::Target(target.into()))
    }

    fn expect(mut self, expectation: Expectation) -> Self {
        self.expectations.push(expectation);
        self
    }
}
