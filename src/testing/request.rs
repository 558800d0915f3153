//! The requests of a client.

use bytes::Bytes;
use http::{HeaderMap, Method};

/// A request as the server received it, with its complete body.
#[derive(Clone, Debug)]
pub struct Request {
    pub(super) number: usize,
    pub(super) connection: usize,
    pub(super) method: Method,
    pub(super) target: String,
    pub(super) http10: bool,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Request {
    /// Returns the number of this request on the server, counted from 0, over all connections.
    ///
    /// A handler can use it to distinguish the first attempt from the second.
    #[must_use]
    pub fn number(&self) -> usize {
        self.number
    }

    /// Returns the number of its connection, counted from 0 in the order in which they were
    /// accepted.
    ///
    /// Two requests with the same number shared a connection (keep-alive).
    #[must_use]
    pub fn connection(&self) -> usize {
        self.connection
    }

    /// Returns the method.
    #[must_use]
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// Returns the request target exactly as sent, such as `/feed?since=4`.
    #[must_use]
    pub fn target(&self) -> &str {
        &self.target
    }

    /// Returns the target without its query.
    #[must_use]
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// Returns all headers.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// Returns the value of the first header with this name (case-insensitive).
    ///
    /// Returns `None` if there is no such header, or if its value is not UTF-8. Use
    /// [`header_bytes`](Request::header_bytes) to distinguish the two.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        std::str::from_utf8(self.header_bytes(name)?).ok()
    }

    /// Returns the value of the first header with this name (case-insensitive), as it was sent.
    #[must_use]
    pub fn header_bytes(&self, name: &str) -> Option<&[u8]> {
        Some(self.headers.get(name)?.as_bytes())
    }

    /// Returns the `Last-Event-ID` header, which clients send as UTF-8 according to the standard.
    ///
    /// Returns `None` if there is no such header, or if it is not UTF-8.
    #[must_use]
    pub fn last_event_id(&self) -> Option<&str> {
        self.header("last-event-id")
    }

    /// Returns the body, without its framing; empty if there was none.
    #[must_use]
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// Whether the client allows further requests on the connection.
    pub(super) fn keeps_alive(&self) -> bool {
        let close = self
            .headers
            .get_all(http::header::CONNECTION)
            .iter()
            .any(|value| {
                value
                    .as_bytes()
                    .split(|&byte| byte == b',')
                    .any(|token| token.trim_ascii().eq_ignore_ascii_case(b"close"))
            });
        !self.http10 && !close
    }
}
