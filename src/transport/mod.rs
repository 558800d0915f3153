//! What carries a stream: [`Connect`] makes a [`Response`] of an [`Attempt`].
//!
//! Nothing in here knows an HTTP client; `reqwest.rs` is the only file that does.

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

/// What every request for an event stream says, unless it says something else itself: what it
/// wants, and that it wants it neither out of a cache nor compressed. Compression holds events
/// back, and of a gzip body of several members some decoders read the first alone.
///
/// To a browser the first is enough. The cache mode `no-store` of fetch says the second, without a
/// preflight that the header would cost, and the third is fetch's own business.
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

/// A response of any HTTP client: its head, and a body that comes in chunks.
#[derive(Debug)]
pub struct Response {
    pub(crate) head: Head,
    pub(crate) body: Body,
}

impl Response {
    /// A response with this status, these headers and this body.
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

    /// Tells the URL that answered, after redirects. It is what
    /// [`Head::url`] gives the user.
    #[must_use]
    pub fn with_url(mut self, url: impl Into<String>) -> Self {
        Arc::make_mut(&mut self.head.0).url = Some(url.into());
        self
    }

    /// Its status, headers and URL.
    #[must_use]
    pub fn head(&self) -> &Head {
        &self.head
    }
}

/// From an `http::Response` with any body that can be made a [`Body`].
impl<B: Into<Body>> From<http::Response<B>> for Response {
    fn from(response: http::Response<B>) -> Self {
        let (parts, body) = response.into_parts();
        Self::new(parts.status, parts.headers, body.into())
    }
}

/// The head of a response: what is known when a stream opens. Cloning is cheap.
#[derive(Clone)]
pub struct Head(Arc<Parts>);

#[derive(Clone)]
struct Parts {
    status: StatusCode,
    headers: HeaderMap,
    url: Option<String>,
}

impl Head {
    /// The status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.0.status
    }

    /// The headers.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.0.headers
    }

    /// The URL that answered, after redirects, where the connector told it.
    #[must_use]
    pub fn url(&self) -> Option<&str> {
        self.0.url.as_deref()
    }

    /// The same in as little memory as it takes: the headers of an HTTP client may lie in its read
    /// buffer, all of which they would keep for as long as the stream lives.
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

/// Shows the names of headers alone: values may be secrets, and `keys()` shows them, too.
pub(crate) struct HeaderNames<'a>(pub(crate) &'a HeaderMap);

impl fmt::Debug for HeaderNames<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.0.keys().map(HeaderName::as_str))
            .finish()
    }
}

/// Shows the names of headers and no URL: values may be secrets.
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
    fn debug_shows_the_names_of_headers_alone() {
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
    fn a_compact_head_is_the_same_in_memory_of_its_own() {
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
