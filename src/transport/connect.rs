//! [`Connect`]: turns an [`Attempt`] of an `EventSource` into a [`Response`].

use std::{fmt, future::Future};

use super::{Attempt, BoxFuture, MaybeSend, Response};
use crate::error::{BoxError, Error, ErrorKind};

/// Makes connections for an `EventSource`.
///
/// To implement it with a closure, use [`Connector::from_fn`].
pub trait Connect: MaybeSend {
    /// Sends one request, and returns its response, whatever the status.
    ///
    /// An implementation must send [`Attempt::headers`]. Dropping the future must cancel the
    /// request. An error of kind [`ErrorKind::Request`] ends the source; after most others, it
    /// makes another attempt.
    fn connect(&mut self, attempt: Attempt) -> BoxFuture<'static, Result<Response, Error>>;

    /// Returns whether requests may be sent again, and where to resume from. Called once, when the
    /// source is built.
    ///
    /// The default implementation returns [`RequestPolicy::new`]: each attempt has a fresh request,
    /// and there is no limit to attempts.
    ///
    /// # Errors
    ///
    /// Returns an error if no request can be created, or if the request may have to be sent again
    /// but can't be.
    fn prepare(&mut self, options: &PrepareOptions) -> Result<RequestPolicy, Error> {
        let _ = options;
        Ok(RequestPolicy::default())
    }
}

/// The argument of [`Connect::prepare`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PrepareOptions {
    /// Whether the user allows requests whose method is not safe, such as POST, to be sent again.
    /// `false` by default.
    pub resend_unsafe_methods: bool,
}

impl PrepareOptions {
    /// Creates the default options.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets whether requests whose method is not safe may be sent again.
    #[must_use]
    pub fn with_resend_unsafe_methods(mut self, resend: bool) -> Self {
        self.resend_unsafe_methods = resend;
        self
    }
}

/// What a connector's requests allow; returned by [`Connect::prepare`].
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RequestPolicy {
    /// Whether requests may be sent again. `true` by default.
    pub resend: bool,
    /// Whether each attempt has a fresh request, so that the next one after a 401 may be accepted.
    /// `true` by default.
    pub fresh: bool,
    /// The last event ID in the headers of the request, if any. `None` by default.
    pub last_event_id: Option<String>,
    /// The URL of the request, for errors without a response. `None` by default.
    pub url: Option<String>,
}

impl RequestPolicy {
    /// Creates the default policy: each attempt has a fresh request, and requests may be sent
    /// again.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets whether requests may be sent again.
    #[must_use]
    pub fn with_resend(mut self, resend: bool) -> Self {
        self.resend = resend;
        self
    }

    /// Sets whether each attempt has a fresh request.
    #[must_use]
    pub fn with_fresh(mut self, fresh: bool) -> Self {
        self.fresh = fresh;
        self
    }

    /// Sets the last event ID in the headers of the request.
    #[must_use]
    pub fn with_last_event_id(mut self, id: impl Into<String>) -> Self {
        self.last_event_id = Some(id.into());
        self
    }

    /// Sets the URL of the request. Errors without a response show it as described for
    /// [`Error::with_url`].
    #[must_use]
    pub fn with_url(mut self, url: impl Into<String>) -> Self {
        self.url = Some(url.into());
        self
    }
}

/// Shows neither the URL nor the ID, only whether there is an ID.
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

/// The result of a request factory: a response, or something that can be turned into one.
pub trait IntoResponse: MaybeSend {
    /// Returns the response. A request is sent first, with the headers of `attempt`.
    fn into_response(self, attempt: &Attempt) -> BoxFuture<'static, Result<Response, Error>>;
}

impl IntoResponse for Response {
    fn into_response(self, _: &Attempt) -> BoxFuture<'static, Result<Response, Error>> {
        Box::pin(async move { Ok(self) })
    }
}

/// A function that makes connections or requests.
struct FromFn<F> {
    make: F,
    /// Converts the function's own errors.
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

/// Keeps the errors of a connector as they are.
fn of_a_connector(error: BoxError) -> Error {
    match error.downcast::<Error>() {
        Ok(error) => *error,
        Err(error) => Error::of(ErrorKind::Other).and_source(error),
    }
}

/// Wraps the errors of a factory: they may come from another server, whose 204 or 401 must not
/// count as the feed's.
fn of_a_factory(error: BoxError) -> Error {
    match error.downcast::<Error>() {
        Ok(error) if error.is_from_connector() => *error,
        Ok(error) => factory_failed(*error),
        Err(error) => factory_failed(error),
    }
}

fn factory_failed(error: impl Into<BoxError>) -> Error {
    Error::of(ErrorKind::Other)
        .and_message("the request factory failed")
        .and_source(error.into())
}

/// Any connector, boxed.
pub struct Connector {
    connect: Box<dyn Connect>,
    policy: Option<RequestPolicy>,
}

impl Connector {
    /// Creates a `Connector` from an implementation of [`Connect`].
    pub fn new(connect: impl Connect + 'static) -> Self {
        Self {
            connect: Box::new(connect),
            policy: None,
        }
    }

    /// Replaces the policy that the connector itself returns. With
    /// [`RequestPolicy::with_resend`]`(false)`, its request is sent only once, unless the user
    /// allows more. Use that for a closure that sends a POST.
    #[must_use]
    pub fn with_policy(mut self, policy: RequestPolicy) -> Self {
        self.policy = Some(policy);
        self
    }

    /// Creates a `Connector` from an async function that makes each connection. It receives the
    /// [`Attempt`], and returns a [`Response`], whatever the status, or something that can be
    /// turned into one.
    ///
    /// An [`Error`] that it returns is kept as it is: one of kind [`ErrorKind::Request`] or
    /// [`ErrorKind::Redirect`] ends the source; after one of kind [`ErrorKind::Connect`],
    /// [`ErrorKind::Transport`] or [`ErrorKind::Other`], the source tries again. Any other error
    /// type becomes the source of an error of kind `Other`.
    ///
    /// There is no limit to requests, unless you set one with [`with_policy`](Self::with_policy).
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

    /// Creates a `Connector` from a function that creates each request.
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

/// Anything that a source can be built from: a connector or a request.
pub trait IntoConnector {
    /// Converts this into a connector.
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

    fn connector() -> Connector {
        Connector::from_fn(|_| async { Err::<Response, _>(Error::of(ErrorKind::Other)) })
    }

    #[test]
    fn a_policy_replaces_the_connectors_own_and_the_user_can_only_allow_more() {
        for (resend, fresh, allowed) in (0..8).map(|row| (row & 1 > 0, row & 2 > 0, row & 4 > 0)) {
            let options = PrepareOptions::new().with_resend_unsafe_methods(allowed);
            assert!(connector().prepare(&options).unwrap() == RequestPolicy::new());
            let policy = RequestPolicy::new()
                .with_resend(resend)
                .with_fresh(fresh)
                .with_last_event_id("7")
                .with_url("http://example.test/");
            let prepared = connector().with_policy(policy).prepare(&options).unwrap();
            assert_eq!(prepared.resend, resend || allowed);
            assert_eq!(prepared.fresh, fresh);
            assert_eq!(prepared.last_event_id.as_deref(), Some("7"));
            assert_eq!(prepared.url.as_deref(), Some("http://example.test/"));
        }
    }

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
