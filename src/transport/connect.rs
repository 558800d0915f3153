//! [`Connect`]: whatever can make a [`Response`] of an [`Attempt`] carries an `EventSource`.

use std::{fmt, future::Future};

use super::{Attempt, BoxFuture, MaybeSend, Response};
use crate::error::{BoxError, Error, ErrorKind};

/// What makes connections for an `EventSource`.
///
/// [`Connector::from_fn`] makes one of a closure.
pub trait Connect: MaybeSend {
    /// Makes one request, and gives its response, whatever its status.
    ///
    /// [`Attempt::headers`] have to be sent. Dropping the future has to give up the request. An
    /// error of kind [`ErrorKind::Request`] is final; most others are worth another attempt.
    fn connect(&mut self, attempt: Attempt) -> BoxFuture<'static, Result<Response, Error>>;

    /// Called once, when the source is built: says whether requests may be sent again, and where to
    /// resume from.
    ///
    /// By default each request counts as a fresh one, which may be sent as often as it takes.
    ///
    /// # Errors
    ///
    /// Where no request can be made, or none that can be sent again although it may have to be.
    fn prepare(&mut self, options: &PrepareOptions) -> Result<RequestPolicy, Error> {
        let _ = options;
        Ok(RequestPolicy::default())
    }
}

/// What a connector is told before its first request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PrepareOptions {
    /// The user allows requests that are not safe, such as a POST, to be sent again. `false` by
    /// default.
    pub resend_unsafe_methods: bool,
}

impl PrepareOptions {
    /// The defaults.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Says whether requests that are not safe may be sent again.
    #[must_use]
    pub fn with_resend_unsafe_methods(mut self, resend: bool) -> Self {
        self.resend_unsafe_methods = resend;
        self
    }
}

/// What a connector says of its requests.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RequestPolicy {
    /// Requests may be sent again. `true` by default.
    pub resend: bool,
    /// Each attempt has a fresh request: after a refusal with 401 the next one may be let in.
    /// `true` by default.
    pub fresh: bool,
    /// The last event ID that the request came with, if any. `None` by default.
    pub last_event_id: Option<String>,
    /// The URL that is asked, for errors of requests that have no response. `None` by default.
    pub url: Option<String>,
}

impl RequestPolicy {
    /// The default: each attempt has a fresh request, which may be sent as often as it takes.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Says whether requests may be sent again.
    #[must_use]
    pub fn with_resend(mut self, resend: bool) -> Self {
        self.resend = resend;
        self
    }

    /// Says whether each attempt has a fresh request.
    #[must_use]
    pub fn with_fresh(mut self, fresh: bool) -> Self {
        self.fresh = fresh;
        self
    }

    /// Says which last event ID the request came with.
    #[must_use]
    pub fn with_last_event_id(mut self, id: impl Into<String>) -> Self {
        self.last_event_id = Some(id.into());
        self
    }

    /// Says which URL is asked. Errors of requests that have no response show it, as
    /// [`Error::with_url`] says.
    #[must_use]
    pub fn with_url(mut self, url: impl Into<String>) -> Self {
        self.url = Some(url.into());
        self
    }
}

/// Shows neither URL nor ID, but whether there is one to resume from.
impl fmt::Debug for RequestPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestPolicy")
            .field("resend", &self.resend)
            .field("fresh", &self.fresh)
            .field("resumes", &self.last_event_id.is_some())
            .finish_non_exhaustive()
    }
}

impl Default for RequestPolicy {
    fn default() -> Self {
        Self {
            resend: true,
            fresh: true,
            last_event_id: None,
            url: None,
        }
    }
}

/// What a request factory may give: a response, or something that becomes one.
pub trait IntoResponse: MaybeSend {
    /// The response. A request is sent with the headers of `attempt`.
    fn into_response(self, attempt: &Attempt) -> BoxFuture<'static, Result<Response, Error>>;
}

impl IntoResponse for Response {
    fn into_response(self, _: &Attempt) -> BoxFuture<'static, Result<Response, Error>> {
        Box::pin(async move { Ok(self) })
    }
}

/// A function that makes connections, or requests.
struct FromFn<F> {
    make: F,
    /// What its own errors count as.
    judge: fn(BoxError) -> Error,
}

impl<F, Fut, R, E> Connect for FromFn<F>
where
    F: FnMut(Attempt) -> Fut + MaybeSend,
    Fut: Future<Output = Result<R, E>> + MaybeSend + 'static,
    R: IntoResponse + 'static,
    E: Into<BoxError>,
{
    fn connect(&mut self, attempt: Attempt) -> BoxFuture<'static, Result<Response, Error>> {
        let made = (self.make)(attempt.clone());
        let judge = self.judge;
        Box::pin(async move {
            let answer = match made.await {
                Ok(answer) => answer,
                Err(error) => return Err(judge(error.into())),
            };
            answer.into_response(&attempt).await
        })
    }
}

/// The errors of a connector are what they say.
fn of_a_connector(error: BoxError) -> Error {
    match error.downcast::<Error>() {
        Ok(error) => *error,
        Err(error) => Error::of(ErrorKind::Other).and_source(error),
    }
}

/// What a factory needs for its request may come from another server, whose 204 or 401 must not
/// be taken for the feed's.
fn of_a_factory(error: BoxError) -> Error {
    match error.downcast::<Error>() {
        Ok(error) if error.is_callers_word() => *error,
        Ok(error) => unprepared(*error),
        Err(error) => unprepared(error),
    }
}

fn unprepared(error: impl Into<BoxError>) -> Error {
    Error::of(ErrorKind::Other)
        .and_message("the request factory failed")
        .and_source(error.into())
}

/// A connector of any kind.
pub struct Connector {
    connect: Box<dyn Connect>,
    policy: Option<RequestPolicy>,
}

impl Connector {
    /// Takes any connector.
    pub fn new(connect: impl Connect + 'static) -> Self {
        Self {
            connect: Box::new(connect),
            policy: None,
        }
    }

    /// Says of its requests what the connector doesn't say by itself. With
    /// [`RequestPolicy::with_resend`]`(false)` they are sent once, unless the user allows otherwise:
    /// right for a closure that sends a POST.
    #[must_use]
    pub fn with_policy(mut self, policy: RequestPolicy) -> Self {
        self.policy = Some(policy);
        self
    }

    /// Takes an async function of the [`Attempt`] that makes each connection: it gives a
    /// [`Response`], whatever its status, or something that becomes one.
    ///
    /// Its errors count as what they are: an [`Error`] of kind [`ErrorKind::Request`] or
    /// [`ErrorKind::Redirect`] ends the source, those of kind [`ErrorKind::Connect`],
    /// [`ErrorKind::Transport`] and [`ErrorKind::Other`] are tried again. An error of another type
    /// is the source of one of kind `Other`.
    ///
    /// Requests are sent as often as it takes, unless [`with_policy`](Self::with_policy) says
    /// otherwise.
    pub fn from_fn<F, Fut, R, E>(connect: F) -> Self
    where
        F: FnMut(Attempt) -> Fut + MaybeSend + 'static,
        Fut: Future<Output = Result<R, E>> + MaybeSend + 'static,
        R: IntoResponse + 'static,
        E: Into<BoxError> + 'static,
    {
        Self::new(FromFn {
            make: connect,
            judge: of_a_connector,
        })
    }

    /// Takes a function that makes each request.
    pub(crate) fn factory<F, Fut, R, E>(make: F) -> Self
    where
        F: FnMut(Attempt) -> Fut + MaybeSend + 'static,
        Fut: Future<Output = Result<R, E>> + MaybeSend + 'static,
        R: IntoResponse + 'static,
        E: Into<BoxError> + 'static,
    {
        Self::new(FromFn {
            make,
            judge: of_a_factory,
        })
    }
}

impl Connect for Connector {
    fn connect(&mut self, attempt: Attempt) -> BoxFuture<'static, Result<Response, Error>> {
        self.connect.connect(attempt)
    }

    fn prepare(&mut self, options: &PrepareOptions) -> Result<RequestPolicy, Error> {
        let theirs = self.connect.prepare(options)?;
        Ok(match &self.policy {
            None => theirs,
            Some(policy) => {
                let resend = policy.resend || options.resend_unsafe_methods;
                policy.clone().with_resend(resend)
            }
        })
    }
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connector").finish_non_exhaustive()
    }
}

/// What a source can be built from: a connector, or a request.
pub trait IntoConnector {
    /// The connector.
    fn into_connector(self) -> Connector;
}

impl<C: Connect + 'static> IntoConnector for C {
    fn into_connector(self) -> Connector {
        Connector::new(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_id() {
        let policy = RequestPolicy::new()
            .with_last_event_id("secret")
            .with_url("http://secret");
        let shown = format!("{policy:?}");
        assert!(shown.contains("resumes: true"), "{shown}");
        assert!(!shown.contains("secret"), "{shown}");
    }
}
