//! What a reply expects of the request that it answers.

use bytes::Bytes;

use super::request::Request;

/// One expectation.
#[derive(Clone, Debug)]
pub(super) enum Expectation {
    /// Exactly one header with this name and value; without a value: no header with this name.
    Header {
        name: String,
        value: Option<Bytes>,
    },
    Method(String),
    Target(String),
}

impl Expectation {
    /// Returns what was expected and what was sent, or `None` if the request is as expected.
    pub(super) fn complaint(&self, request: &Request) -> Option<String> {
        match self {
            Self::Header { name, value } => {
                let came: Vec<_> = request.headers().get_all(name).iter().collect();
                let wanted: Vec<_> = value.iter().collect();
                let met = came
                    .iter()
                    .map(|value| value.as_bytes())
                    .eq(wanted.iter().copied());
                (!met).then(|| format!("expected {name}: {wanted:?}, got: {came:?}"))
            }
            Self::Method(method) => differs("method", method, request.method().as_str()),
            Self::Target(target) => differs("target", target, request.target()),
        }
    }
}

fn differs(what: &str, expected: &str, came: &str) -> Option<String> {
    (expected != came).then(|| format!("expected {what} {expected:?}, got {came:?}"))
}
