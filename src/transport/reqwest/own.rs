//! A client of our own, and the redirects that it follows.

use std::fmt;
#[cfg(not(all(target_arch = "wasm32", target_os = "unknown")))]
use std::sync::OnceLock;

use bytes::Bytes;
use http::Request;
use url::Url;

use super::{
    super::Redirects,
    v013::{client_builder, failed, fresh, unmade},
    *,
};
use crate::{EventSource, EventSourceBuilder};

impl EventSource {
    /// A feed at `url`, with every option at its default. The URL is read as a browser reads
    /// it: what cannot stand in a request is escaped.
    ///
    /// It comes with an HTTP client, one for all such sources: that of
    /// [`client_builder`](crate::reqwest013::client_builder), which gives up connecting after 10
    /// seconds. Redirects are followed as [`FollowRedirects`] does. The client keeps no connection
    /// for a later request, so that sources on several runtimes never wait for each other, nor for
    /// a runtime that is gone; each connection of a source is a new one.
    ///
    /// # Errors
    ///
    /// Of kind [`ErrorKind::Request`], where `url` is no HTTP URL.
    pub fn get(url: impl AsRef<str>) -> Result<Self, Error> {
        // Spaces, umlauts and such can stand in a URL that is typed, but not in a request.
        let parsed = Url::parse(url.as_ref());
        let url = parsed.map_or_else(|_| url.as_ref().to_owned(), String::from);
        EventSource::request(Request::get(url).body("")).build()
    }

    /// Options for a source of any request, with the HTTP client of [`get`](Self::get).
    ///
    /// ```no_run
    /// use everstream::{EventSource, http::Request};
    ///
    /// # fn doc() -> Result<(), everstream::Error> {
    /// let request = Request::get("https://example.com/feed")
    ///     .header("authorization", "Bearer …")
    ///     .body("");
    /// let source = EventSource::request(request).last_event_id("42").build()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn request(request: Result<Request<impl Into<Bytes>>, http::Error>) -> EventSourceBuilder {
        EventSource::builder(match (shared_client(), request) {
            (Ok(client), Ok(request)) => FollowRedirects::of(client, request, true),
            (Err(error), _) => FollowRedirects(Err(error)),
            (_, Err(error)) => {
                FollowRedirects(Err(Error::of(ErrorKind::Request).and_source(error.into())))
            }
        })
    }
}

/// The client of [`EventSource::get`], made on first use: each costs milliseconds and some 100 KiB.
///
/// The task that drives a connection belongs to the runtime on which it was made. Taken out of a
/// pool on another one, a connection would hang for as long as the first runtime isn't run.
#[cfg(not(all(target_arch = "wasm32", target_os = "unknown")))]
fn shared_client() -> Result<reqwest::Client, Error> {
    static CLIENT: OnceLock<reqwest::Client> = OnceLock::new();
    if let Some(client) = CLIENT.get() {
        return Ok(client.clone());
    }
    // An error isn't kept: the next time there may be a TLS provider.
    let client = client_builder()
        .pool_max_idle_per_host(0)
        .build()
        .map_err(unmade)?;
    Ok(CLIENT.get_or_init(|| client).clone())
}

/// In a browser there is nothing to share.
#[cfg(all(target_arch = "wasm32", target_os = "unknown"))]
fn shared_client() -> Result<reqwest::Client, Error> {
    client_builder().build().map_err(unmade)
}

/// A connector that sends one request, and follows redirects itself, as [`Redirects`] says: to
/// another origin goes neither a key nor a cookie, nor a request that is not safe.
///
/// Each reconnection starts from the request's own URL.
///
/// The client has to follow none itself, as one of
/// [`client_builder`](crate::reqwest013::client_builder) does. In a browser it is fetch that follows them,
/// by its own rules.
pub struct FollowRedirects(Result<Requests, Error>);

struct Requests {
    client: reqwest::Client,
    first: Redirects,
    /// The client is known to follow no redirects itself.
    is_ours: bool,
}

impl FollowRedirects {
    /// Sends `request` with `client`.
    ///
    /// Whether that follows redirects itself can't be seen, so a failure to connect is not said to
    /// be [unsent](Error::is_unsent); with [`EventSource::request`] it is.
    pub fn new(client: reqwest::Client, request: Request<impl Into<Bytes>>) -> Self {
        Self::of(client, request, false)
    }

    fn of(client: reqwest::Client, request: Request<impl Into<Bytes>>, is_ours: bool) -> Self {
        Self(Redirects::new(request).map(|first| Requests {
            client,
            first,
            is_ours: is_ours && !IN_BROWSER,
        }))
    }
}

impl Connect for FollowRedirects {
    fn connect(&mut self, attempt: Attempt) -> BoxFuture<'static, Result<Response, Error>> {
        let requests = match &self.0 {
            Ok(requests) => Ok((
                requests.client.clone(),
                requests.first.clone(),
                requests.is_ours,
            )),
            Err(error) => Err(error.clone()),
        };
        Box::pin(async move {
            let (client, mut redirects, is_ours) = requests?;
            attempt.apply(redirects.headers_mut());
            loop {
                let sent = send(&client, redirects.request()).await;
                let response = sent.map_err(|error| match redirects.followed() {
                    // Nothing was sent before, and this was not.
                    0 => {
                        let unsent =
                            matches!(error.kind(), ErrorKind::Request | ErrorKind::Connect);
                        error.with_unsent(unsent && is_ours)
                    }
                    _ => failed_elsewhere(error),
                })?;
                let head = response.head();
                if !redirects.follow(head.status(), head.headers())? {
                    return Ok(response);
                }
            }
        })
    }

    fn prepare(&mut self, options: &PrepareOptions) -> Result<RequestPolicy, Error> {
        let requests = self.0.as_ref().map_err(Error::clone)?;
        Ok(RequestPolicy {
            resend: requests.first.method().is_safe() || options.resend_unsafe_methods,
            fresh: false,
            last_event_id: last_event_id(requests.first.headers()),
            url: Some(requests.first.url().to_owned()),
        })
    }
}

async fn send(client: &reqwest::Client, request: Request<Bytes>) -> Result<Response, Error> {
    let request = reqwest::Request::try_from(request).map_err(unmade)?;
    let request = reqwest::RequestBuilder::from_parts(client.clone(), request);
    let response = fresh(request).send().await;
    response.map(Response::from).map_err(failed)
}

/// A request that cannot be made to where the server has sent it is no fault of the user's.
fn failed_elsewhere(error: Error) -> Error {
    match error.kind() {
        ErrorKind::Request => {
            let url = error.url().map(str::to_owned);
            let redirect = Error::of(ErrorKind::Redirect).or_url(url.as_deref());
            redirect.and_source(error.without_url().into())
        }
        _ => error,
    }
}

/// Shows neither URL nor headers: they may be secrets.
impl fmt::Debug for FollowRedirects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FollowRedirects").finish_non_exhaustive()
    }
}
