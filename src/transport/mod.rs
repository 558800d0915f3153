//! The transport: [`Connect`] turns an [`Attempt`] into a [`Response`].
//!
//! Only `reqwest.rs` depends on an HTTP client.

#[cfg(feature = "client")]
pub(crate) mod attempt;
mod body;
#[cfg(feature = "client")]
mod connect;
pub(crate) mod maybe_send;
#[cfg(all(feature = "client", any(feature = "redirects", feature = "reqwest013")))]
mod redirects;
#[cfg(any(feature = "reqwest013", feature = "reqwest012"))]
pub(crate) mod reqwest;

use std::{fmt, sync::Arc};

#[cfg(any(feature = "client", feature = "reqwest013", feature = "reqwest012"))]
use http::header;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

#[cfg(feature = "client")]
pub use attempt::Attempt;
pub use body::Body;
#[cfg(feature = "client")]
pub use connect::{Connect, Connector, IntoConnector, IntoResponse, PrepareOptions, RequestPolicy};
#[cfg(all(feature = "client", any(feature = "redirects", feature = "reqwest013")))]
#[cfg_attr(docsrs, doc(cfg(feature = "redirects")))]
pub use redirects::Redirects;
#[cfg(all(feature = "client", feature = "reqwest013"))]
pub use reqwest::FollowRedirects;

pub use maybe_send::{BoxFuture, MaybeSend, MaybeSync};

/// Whether the HTTP client is a browser's fetch.
#[cfg(any(feature = "client", feature = "reqwest013", feature = "reqwest012"))]
pub(crate) const IN_BROWSER: bool = cfg!(all(target_arch = "wasm32", target_os = "unknown"));

/// The default headers of every request: they ask for an event stream that is neither cached nor
/// compressed. Compression delays events, and some decoders only read the first member of a gzip
/// body with several members.
///
/// In a browser, only the first is used. Fetch's cache mode `no-store` replaces the second, which
/// would need a preflight, and fetch sets the third itself.
#[cfg(any(feature = "client", feature = "reqwest013", feature = "reqwest012"))]
pub(crate) fn default_headers() -> impl Iterator<Item = (HeaderName, HeaderValue)> {
    let headers = [
        (header::ACCEPT, "text/event-stream"),
        (header::CACHE_CONTROL, "no-cache"),
        (header::ACCEPT_ENCODING, "identity"),
    ];
    let counted = if IN_BROWSER { 1 } else { headers.len() };
    headers
        .into_iter()
        .take(counted)
        .map(|(name, value)| (name, HeaderValue::from_static(value)))
}

#[cfg(feature = "client")]
pub(crate) const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// A response from any HTTP client: a head, and a body in chunks.
#[derive(Debug)]
pub struct Response {
    pub(crate) head: Head,
    pub(crate) body: Body,
}

impl Response {
    /// Creates a response with this status, these headers and this body.
    #[must_use]
    pub fn new(status: StatusCode, headers: HeaderMap, body: Body) -> Self {
        Self {
            head: Head(Arc::new(Parts {
                status,
                headers,
                url: None,
            })),
            body,
        }
    }

    /// Sets the URL of the response after redirects, which [`Head::url`] returns.
    #[must_use]
    pub fn with_url(mut self, url: impl Into<String>) -> Self {
        Arc::make_mut(&mut self.head.0).url = Some(url.into());
        self
    }

    /// Returns the head: status, headers and URL.
    #[must_use]
    pub fn head(&self) -> &Head {
        &self.head
    }
}

/// Converts an `http::Response` whose body can be converted to a [`Body`].
impl<B: Into<Body>> From<http::Response<B>> for Response {
    fn from(response: http::Response<B>) -> Self {
        let (parts, body) = response.into_parts();
        Self::new(parts.status, parts.headers, body.into())
    }
}

/// The head of a response: its status, headers and URL. Cloning is cheap.
#[derive(Clone)]
pub struct Head(Arc<Parts>);

#[derive(Clone)]
struct Parts {
    status: StatusCode,
    headers: HeaderMap,
    url: Option<String>,
}

impl Head {
    /// Returns the status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.0.status
    }

    /// Returns the headers.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.0.headers
    }

    /// Returns the URL of the response after redirects, if the connector provided it.
    #[must_use]
    pub fn url(&self) -> Option<&str> {
        self.0.url.as_deref()
    }

    /// Copies the headers into as little memory as possible. Otherwise, they may keep the HTTP
    /// client's whole read buffer alive as long as the stream.
    pub(crate) fn compact(mut self) -> Self {
        let parts = Arc::make_mut(&mut self.0);
        let theirs = std::mem::take(&mut parts.headers);
        parts.headers.reserve(theirs.keys_len());
        for (name, value) in &theirs {
            let own = HeaderValue::from_bytes(value.as_bytes());
            let mut own = own.expect("the bytes of a header value are fit for one");
            own.set_sensitive(value.is_sensitive());
            parts.headers.append(name.clone(), own);
        }
        self
    }
}

/// Shows only the names of headers: values may be secrets, and so may the `Debug` of `keys()`.
pub(crate) struct HeaderNames<'a>(pub(crate) &'a HeaderMap);

impl fmt::Debug for HeaderNames<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.0.keys().map(HeaderName::as_str))
            .finish()
    }
}

/// Shows the names of headers, but neither values nor the URL, which may be secrets.
impl fmt::Debug for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Head")
            .field("status", &self.0.status)
            .field("headers", &HeaderNames(&self.0.headers))
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use http::header;

    use super::*;

    #[test]
    fn debug_shows_only_the_names_of_headers() {
        let headers = HeaderMap::from_iter([
            (header::SET_COOKIE, HeaderValue::from_static("secret")),
            (header::ETAG, HeaderValue::from_static("secret")),
        ]);
        let response = Response::new(
            StatusCode::OK,
            headers,
            Body::from(bytes::Bytes::from("secret")),
        );
        let response = response.with_url("http://secret.test/");
        for shown in [format!("{response:?}"), format!("{:#?}", response.head())] {
            assert!(shown.contains("set-cookie") && shown.contains("etag"));
            assert!(!shown.contains("secret"), "{shown}");
        }
    }

    #[test]
    fn a_compact_head_is_an_equal_copy() {
        let buffer = bytes::Bytes::from("first, second and third");
        let mut headers = HeaderMap::new();
        for (name, range) in [("a", 0..5), ("b", 7..13), ("a", 18..23), ("c", 0..0)] {
            let value = HeaderValue::from_maybe_shared(buffer.slice(range)).unwrap();
            headers.append(name, value);
        }
        headers.get_mut("b").unwrap().set_sensitive(true);
        let head = Response::new(StatusCode::OK, headers.clone(), Body::empty()).head;
        let compact = head.compact();
        assert_eq!(compact.headers(), &headers);
        assert!(compact.headers()["b"].is_sensitive());
        assert!(!compact.headers()["a"].is_sensitive());
        let memory = buffer.as_ptr_range();
        for value in compact.headers().values() {
            assert!(!memory.contains(&value.as_bytes().as_ptr()) || value.is_empty());
        }
    }
}
