//! What a client asked for.

use bytes::Bytes;
use http::{HeaderMap, Method};

/// A request as the server received it, with the whole of its body.
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
    /// Which request of the server's life this is, counted from 0, over all connections.
    ///
    /// In a handler it tells the first attempt from the second.
    #[must_use]
    pub fn number(&self) -> usize {
        self.number
    }

    /// Which connection it came on, counted from 0 in the order in which they were accepted.
    ///
    /// Two requests with the same number shared a connection (keep-alive).
    #[must_use]
    pub fn connection(&self) -> usize {
        self.connection
    }

    /// The method.
    #[must_use]
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// The request target exactly as sent, such as `/feed?since=4`.
    #[must_use]
    pub fn target(&self) -> &str {
        &self.target
    }

    /// The target without its query.
    #[must_use]
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// All headers.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The value of the first header of that name, in any case.
    ///
    /// `None` where there is none and where its value is not UTF-8;
    /// [`header_bytes`](Request::header_bytes) tells the two apart.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        std::str::from_utf8(self.header_bytes(name)?).ok()
    }

    /// The value of the first header of that name, in any case, as it was sent.
    #[must_use]
    pub fn header_bytes(&self, name: &str) -> Option<&[u8]> {
        Some(self.headers.get(name)?.as_bytes())
    }

    /// The `Last-Event-ID` header, which the standard has clients send as UTF-8.
    ///
    /// `None` where there is none and where it is not UTF-8.
    #[must_use]
    pub fn last_event_id(&self) -> Option<&str> {
        self.header("last-event-id")
    }

    /// The body, without its framing; empty where there was none.
    #[must_use]
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// Whether the client allows another request on the connection.
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
