//! [`Redirects`]: where the next request goes, and what it contains.
//!
//! Follows WHATWG Fetch 4.4 ("HTTP-redirect fetch"), but is stricter with secrets: another origin
//! only gets the headers that negotiate the response, and the last event ID.

mod credentials;
#[cfg(test)]
mod tests;

use std::fmt;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, Uri, header};
use url::Url;

use super::LAST_EVENT_ID;
use crate::error::{Error, ErrorKind, Refusal};

/// The same limit as in browsers.
const MAX_REDIRECTS: usize = 20;

/// A request and its redirects, for connectors that follow redirects themselves.
///
/// It does no I/O. Send [`request`](Self::request), pass the status and headers of the response to
/// [`follow`](Self::follow), and repeat as long as that returns `true`. The HTTP client must not
/// follow redirects itself.
///
/// ```
/// use everstream::{
///     http::{HeaderMap, Request, StatusCode},
///     transport::Redirects,
/// };
///
/// let request = Request::get("https://example.com/feed").header("x-api-key", "secret");
/// let mut redirects = Redirects::new(request.body("")?)?;
///
/// let mut headers = HeaderMap::new();
/// headers.insert("location", "https://example.org/feed".parse()?);
/// assert!(redirects.follow(StatusCode::FOUND, &headers)?);
///
/// let next = redirects.request();
/// assert_eq!(next.uri(), "https://example.org/feed");
/// assert!(!next.headers().contains_key("x-api-key"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Which redirects are followed
///
/// 301, 302, 303, 307 and 308, up to 20 redirects. A POST becomes a GET without a body on 301 and
/// 302, as does every method except GET and HEAD on 303. On 307 and 308, method and body are kept
/// (WHATWG Fetch 4.4, RFC 9110 15.4).
///
/// *Within the origin* (scheme, host and port), all headers are sent, including the credentials of
/// the URL (`user:password@`, sent as `Authorization: Basic`).
///
/// *To another origin*, only `Accept`, `Accept-Encoding`, `Cache-Control`, `Last-Event-ID` and the
/// `Content-Type` of a body are sent. Keys, cookies and credentials are removed, and are not
/// restored if a later redirect leads back. A last event ID is not a secret, but a position in a
/// feed. Browsers send it, too. Without it, a feed that has moved, even if only from `http` to
/// `https`, would lose events on each reconnection.
///
/// *A request whose method is not safe* ([`Method::is_safe`]), such as POST, is not sent to another
/// origin: such a redirect is an error. So is a redirect from `https` to `http`, even if the
/// request becomes a GET. If the request becomes a GET, without body and keys, it can be redirected
/// to another origin; a server does that with a 303 to the response.
///
/// *A safe request* can be redirected from `https` to `http`, like to any other origin.
#[derive(Clone)]
pub struct Redirects {
    method: Method,
    /// The URL without credentials.
    url: Url,
    uri: Uri,
    credentials: Option<HeaderValue>,
    headers: HeaderMap,
    body: Bytes,
    /// Whether the method of the first request is safe.
    safe: bool,
    followed: usize,
}

impl Redirects {
    /// Creates a `Redirects` from a request that has not been sent yet. Its URL is parsed as in a
    /// browser.
    ///
    /// # Errors
    ///
    /// Returns an error of kind [`ErrorKind::Request`] if the URL is not an `http` or `https` URL
    /// with a host.
    pub fn new(request: Request<impl Into<Bytes>>) -> Result<Self, Error> {
        let (parts, body) = request.into_parts();
        let (url, uri, credentials) = Url::parse(&parts.uri.to_string())
            .ok()
            .and_then(sendable)
            .ok_or_else(|| {
                Error::of(ErrorKind::Request)
                    .and_message("the URL of the request is not an HTTP URL")
            })?;
        Ok(Self {
            safe: parts.method.is_safe(),
            method: parts.method,
            url,
            uri,
            credentials,
            headers: parts.headers,
            body: body.into(),
            followed: 0,
        })
    }

    /// Returns the next request to send: the first one, or the target of the last redirect.
    #[must_use]
    pub fn request(&self) -> Request<Bytes> {
        let mut request = Request::new(self.body.clone());
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = self.uri.clone();
        *request.headers_mut() = self.headers.clone();
        if let Some(credentials) = &self.credentials {
            let authorization = request.headers_mut().entry(header::AUTHORIZATION);
            authorization.or_insert_with(|| credentials.clone());
        }
        request
    }

    /// Follows the redirect of a response: [`request`](Self::request) then returns the next
    /// request. Returns `false` if the response is not a redirect.
    ///
    /// # Errors
    ///
    /// Returns an error of kind [`ErrorKind::Redirect`], with the status and headers of the
    /// response, if the response has no valid location, if there are too many redirects, or if this
    /// request must not be sent to the location.
    pub fn follow(&mut self, status: StatusCode, headers: &HeaderMap) -> Result<bool, Error> {
        if !matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308) {
            return Ok(false);
        }
        self.redirect(status, headers)
            .map(|()| true)
            .map_err(|why| refused(status, headers, &why).or_url(Some(self.url())))
    }

    fn redirect(&mut self, status: StatusCode, headers: &HeaderMap) -> Result<(), String> {
        if self.followed == MAX_REDIRECTS {
            return Err(format!("exceeds the limit of {MAX_REDIRECTS} redirects"));
        }
        let location = headers
            .get(header::LOCATION)
            .map(|location| String::from_utf8_lossy(location.as_bytes()))
            .filter(|location| !location.trim().is_empty())
            .ok_or("has no location")?;
        let (url, uri, credentials) = self
            .url
            .join(&location)
            .ok()
            .and_then(sendable)
            .ok_or("has a location that is not an HTTP URL")?;
        let becomes_get = match status.as_u16() {
            301 | 302 => self.method == Method::POST,
            303 => self.method != Method::GET && self.method != Method::HEAD,
            _ => false,
        };
        let crosses = url.origin() != self.url.origin();
        if crosses && !becomes_get && !self.method.is_safe() {
            return Err(format!(
                "would send this {} to another origin, so it was not followed: send the \
                 request to its final URL",
                self.method
            ));
        }
        if !self.safe && self.url.scheme() == "https" && url.scheme() == "http" {
            return Err(
                "leads from `https` to `http`, which is only followed for safe methods: \
                        send the request to a final URL with `https`"
                    .to_owned(),
            );
        }
        if crosses && credentials.is_some() {
            // "If request's mode is "cors", locationURL includes credentials, and request's
            // origin is not same origin with locationURL's origin, then return a network error."
            return Err("has a location at another origin that contains credentials".to_owned());
        }
        if becomes_get {
            self.method = Method::GET;
            self.drop_body();
        }
        if crosses {
            self.remove_secrets();
        }
        self.credentials = credentials.or(self.credentials.take());
        (self.url, self.uri) = (url, uri);
        self.followed += 1;
        Ok(())
    }

    fn drop_body(&mut self) {
        self.body = Bytes::new();
        for name in [
            header::CONTENT_TYPE,
            header::CONTENT_LENGTH,
            header::CONTENT_ENCODING,
            header::CONTENT_LANGUAGE,
            header::CONTENT_LOCATION,
        ] {
            self.headers.remove(name);
        }
    }

    /// Removes all headers except these before a request to another origin.
    fn remove_secrets(&mut self) {
        self.credentials = None;
        let mut carried = HeaderMap::new();
        for name in [
            header::ACCEPT,
            header::ACCEPT_ENCODING,
            header::CACHE_CONTROL,
            header::CONTENT_TYPE,
            LAST_EVENT_ID,
        ] {
            if name == header::CONTENT_TYPE && self.body.is_empty() {
                continue;
            }
            for value in self.headers.get_all(&name) {
                carried.append(name.clone(), value.clone());
            }
        }
        self.headers = carried;
    }

    /// Returns the headers of the next request, without the credentials of its URL.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// Returns the headers of the next request mutably, for example for
    /// [`Attempt::apply`](super::Attempt::apply).
    pub fn headers_mut(&mut self) -> &mut HeaderMap {
        &mut self.headers
    }

    /// Returns the method of the next request.
    #[must_use]
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// Returns the URL of the next request, without credentials. After [`follow`](Self::follow) has
    /// returned `false`, this is the URL of the response.
    #[must_use]
    pub fn url(&self) -> &str {
        self.url.as_str()
    }

    /// Returns how many redirects were followed. While this is 0, a failure to connect proves that
    /// nothing was sent: see [`Error::with_unsent`].
    #[must_use]
    pub fn followed(&self) -> usize {
        self.followed
    }
}

/// Shows neither the URL nor the headers, which may be secrets.
impl fmt::Debug for Redirects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redirects")
            .field("method", &self.method)
            .field("followed", &self.followed)
            .finish_non_exhaustive()
    }
}

/// Splits a URL into its parts, if a request can be sent to it.
fn sendable(mut url: Url) -> Option<(Url, Uri, Option<HeaderValue>)> {
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return None;
    }
    let credentials = credentials::take(&mut url);
    let uri = Uri::try_from(url.as_str()).ok()?;
    Some((url, uri, credentials))
}

fn refused(status: StatusCode, headers: &HeaderMap, why: &str) -> Error {
    Error::of(ErrorKind::Redirect)
        .and_message(format!("the redirect ({}) {why}", status.as_u16()))
        .and_refusal(Refusal {
            status: Some(status),
            headers: headers.clone(),
            ..Refusal::of_body(Bytes::new(), false)
        })
}
