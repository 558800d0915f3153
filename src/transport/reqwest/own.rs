//! [`FollowRedirects`]: a connector that follows redirects itself.

use std::fmt;

use bytes::Bytes;
use http::Request;

use super::{
    super::Redirects,
    v013::{failed, fresh, unmade},
    *,
};

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
    /// be [unsent](Error::is_unsent); with [`EventSource::request`](crate::EventSource::request) it is.
    pub fn new(client: reqwest::Client, request: Request<impl Into<Bytes>>) -> Self {
        Self::of(client, request, false)
    }

    /// Fails with this error where it should connect.
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
