//! [`FollowRedirects`]: a connector that follows redirects itself.

use std::fmt;

use bytes::Bytes;
use http::Request;

use super::{
    super::Redirects,
    v013::{failed, fresh, invalid_request},
    *,
};

/// A connector that sends one request and follows redirects itself, by the rules of [`Redirects`]:
/// it sends no keys, no cookies and no request with an unsafe method to another origin.
///
/// Each reconnection starts from the request's own URL.
///
/// The client must not follow redirects itself. Use a client from
/// [`client_builder`](crate::reqwest013::client_builder). In a browser, fetch follows redirects by
/// its own rules.
pub struct FollowRedirects(Result<Requests, Error>);

struct Requests {
    client: reqwest::Client,
    first: Redirects,
    /// Whether the client is known to follow no redirects itself.
    is_ours: bool,
}

impl FollowRedirects {
    /// Creates a connector that sends `request` with `client`.
    ///
    /// `client` may follow redirects itself, so a failure to connect doesn't count as
    /// [unsent](Error::is_unsent). With [`EventSource::request`](crate::EventSource::request), it
    /// does.
    pub fn new(client: reqwest::Client, request: Request<impl Into<Bytes>>) -> Self {
        Self::of(client, request, false)
    }

    /// Creates a connector that fails with this error.
    pub(crate) fn failing(error: Error) -> Self {
        Self(Err(error))
    }

    pub(crate) fn of(
        client: reqwest::Client,
        request: Request<impl Into<Bytes>>,
        is_ours: bool,
    ) -> Self {
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
                    // This was the first request, and it was not sent.
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
    let request = reqwest::Request::try_from(request).map_err(invalid_request)?;
    let request = reqwest::RequestBuilder::from_parts(client.clone(), request);
    let response = fresh(request).send().await;
    response.map(Response::from).map_err(failed)
}

/// Converts an invalid request after a redirect to a redirect error: it is not the user's mistake.
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

/// Shows neither the URL nor the headers, which may be secrets.
impl fmt::Debug for FollowRedirects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FollowRedirects").finish_non_exhaustive()
    }
}
