//! What a reply demands of the request it answers.

use bytes::Bytes;

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
