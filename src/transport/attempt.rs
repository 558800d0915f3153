//! The seam: whatever can make a [`Response`] of an [`Attempt`] carries an `EventSource`.

use std::{fmt, future::Future};

use http::{HeaderMap, HeaderValue};

use super::{BoxFuture, HeaderNames, LAST_EVENT_ID, MaybeSend, Response};
use crate::error::{BoxError, Error, ErrorKind};

/// Why an `EventSource` connects again.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Cause {
    /// The server ended the response as it should.
    End,
    /// The connection failed, did not come about, or was refused for now.
    Failure(Error),
    /// A time limit has passed.
    Timeout(Error),
    /// The user asked for it, by a handle.
    Requested,
}

impl Cause {
    /// The error behind it, if there is one.
    #[must_use]
    pub fn error(&self) -> Option<&Error> {
        match self {
            Self::Failure(error) | Self::Timeout(error) => Some(error),
            Self::End | Self::Requested => None,
        }
    }

    pub(crate) fn of(error: Option<Error>) -> Self {
        match error {
            None => Self::End,
            Some(error) if error.is_timeout() => Self::Timeout(error),
            Some(error) => Self::Failure(error),
        }
    }
}

/// One attempt to connect: what has to be sent, and why it is made.
#[derive(Clone)]
pub struct Attempt {
    number: u64,
    last_event_id: String,
    headers: HeaderMap,
    cause: Option<Cause>,
}

impl Attempt {
    pub(crate) fn new(
        number: u64,
        last_event_id: &str,
        cause: Option<Cause>,
    ) -> Result<Self, Error> {
        let mut headers: HeaderMap = super::default_headers().collect();
        if !last_event_id.is_empty() {
            headers.insert(LAST_EVENT_ID, header_value(last_event_id)?);
        }
        Ok(Self {
            number,
            last_event_id: last_event_id.to_owned(),
            headers,
            cause,
        })
    }

    /// Which attempt of the source this is, from 1.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.number
    }

    /// The last event ID to resume from, for servers that take it otherwise than in the
    /// `Last-Event-ID` header. Empty where there is none.
    #[must_use]
    pub fn last_event_id(&self) -> &str {
        &self.last_event_id
    }

    /// The headers that have to be sent: `Accept`, `Cache-Control` and `Accept-Encoding:
    /// identity`, unless the request has its own, and `Last-Event-ID`, where there is one, in the
    /// place of any other. [`apply`] puts them on a request so.
    ///
    /// In a browser `Cache-Control` is not among them: fetch's cache mode `no-store` says the same,
    /// without the preflight that the header would cost with another origin. Nor is
    /// `Accept-Encoding`, which fetch sets by itself.
    ///
    /// [`apply`]: Self::apply
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// What ended the last connection, or the last attempt. `None` for the first.
    #[must_use]
    pub fn cause(&self) -> Option<&Cause> {
        self.cause.as_ref()
    }

    /// Puts the headers of this attempt on a request. `Accept`, `Cache-Control` and
    /// `Accept-Encoding` stay what the request says, where it says something; `Last-Event-ID`
    /// never does.
    pub fn apply(&self, headers: &mut HeaderMap) {
        headers.remove(LAST_EVENT_ID);
        for (name, value) in &self.headers {
            if !headers.contains_key(name) {
                headers.insert(name, value.clone());
            }
        }
    }
}

/// Shows the names of headers and no ID.
impl fmt::Debug for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Attempt")
            .field("number", &self.number)
            .field("headers", &HeaderNames(&self.headers))
            .field("cause", &self.cause)
            .finish_non_exhaustive()
    }
}

/// The last event ID as the value of a header that arrives as it is.
fn header_value(last_event_id: &str) -> Result<HeaderValue, Error> {
    // "A field value does not include leading or trailing whitespace" (RFC 9110 5.5): it is taken
    // off on the way, and the feed would go on from another place.
    if last_event_id.trim_matches([' ', '\t']) != last_event_id {
        return Err(unsendable(
            last_event_id,
            ", which takes off the white space around it",
        ));
    }
    HeaderValue::from_bytes(last_event_id.as_bytes())
        .ok()
        .filter(|value| !super::IN_BROWSER || value.to_str().is_ok())
        .ok_or_else(|| unsendable(last_event_id, ""))
}

fn unsendable(last_event_id: &str, why: &str) -> Error {
    const FITS: usize = 80;
    let start: String = last_event_id.chars().take(FITS).collect();
    Error::of(ErrorKind::LastEventId).and_message(format!(
        "the last event ID {start:?} cannot be sent in a header{why}"
    ))
}

/// What makes connections for an `EventSource`.
///
/// [`Connector::from_fn`] makes one of a closure.
pub trait Connect: MaybeSend {
    /// Makes one request, and gives its response, whatever its status.
    ///
    /// [`Attempt::headers`] have to be sent. Dropping the future has to give up the request. An
    /// error of kind [`ErrorKind::Request`] is final; most others are worth another attempt.
    fn connect(&mut self, attempt: Attempt) -> BoxFuture<'static, Result<Response, Error>>;

    /// Called once, when the source is built: whether requests may be made again, and where to
    /// resume from. `resend_unsafe_methods` says that the user allows for requests that are not safe.
    ///
    /// By default each request counts as made anew, which allows everything.
    ///
    /// # Errors
    ///
    /// Where no request can be made, or none that may have to be repeated.
    fn prepare(&mut self, resend_unsafe_methods: bool) -> Result<RequestPolicy, Error> {
        let _ = resend_unsafe_methods;
        Ok(RequestPolicy::default())
    }
}

/// What a connector says of its requests.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RequestPolicy {
    /// Requests may be made again. `true` by default.
    pub repeats: bool,
    /// Each request is made anew: one refused with 401 may be let in the next time. `true` by
    /// default.
    pub anew: bool,
    /// A last event ID that the request came with.
    pub last_event_id: Option<String>,
}

impl RequestPolicy {
    /// The default: each request is made anew, and may be made as often as it takes.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Says whether requests may be made again.
    #[must_use]
    pub fn with_repeats(mut self, repeats: bool) -> Self {
        self.repeats = repeats;
        self
    }

    /// Says whether each request is made anew.
    #[must_use]
    pub fn with_anew(mut self, anew: bool) -> Self {
        self.anew = anew;
        self
    }

    /// Says which last event ID the request came with.
    #[must_use]
    pub fn with_last_event_id(mut self, id: impl Into<String>) -> Self {
        self.last_event_id = Some(id.into());
        self
    }
}

/// Shows no ID, but whether there is one.
impl fmt::Debug for RequestPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestPolicy")
            .field("repeats", &self.repeats)
            .field("anew", &self.anew)
            .field("resumes", &self.last_event_id.is_some())
            .finish_non_exhaustive()
    }
}

impl Default for RequestPolicy {
    fn default() -> Self {
        Self {
            repeats: true,
            anew: true,
            last_event_id: None,
        }
    }
}

/// What a request factory may give: a response, or something that becomes one.
pub trait IntoResponse: MaybeSend {
    /// The response. A request is sent with the headers of `attempt`.
    fn answer(self, attempt: &Attempt) -> BoxFuture<'static, Result<Response, Error>>;
}

impl IntoResponse for Response {
    fn answer(self, _: &Attempt) -> BoxFuture<'static, Result<Response, Error>> {
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
            answer.answer(&attempt).await
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
pub struct Connector(Box<dyn Connect>);

impl Connector {
    /// Takes any connector.
    pub fn new(connect: impl Connect + 'static) -> Self {
        Self(Box::new(connect))
    }

    /// Takes an async function of the [`Attempt`] that makes each connection: it gives a
    /// [`Response`], whatever its status, or something that becomes one.
    ///
    /// Its errors count as what they are: an [`Error`] of kind [`ErrorKind::Request`] or
    /// [`ErrorKind::Redirect`] ends the source, those of kind [`ErrorKind::Connect`],
    /// [`ErrorKind::Transport`] and [`ErrorKind::Other`] are tried again. An error of another type
    /// is the source of one of kind `Other`.
    ///
    /// Requests may be made as often as it takes; a type of your own that implements [`Connect`]
    /// can say otherwise.
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
        self.0.connect(attempt)
    }

    fn prepare(&mut self, resend_unsafe_methods: bool) -> Result<RequestPolicy, Error> {
        self.0.prepare(resend_unsafe_methods)
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
        let attempt = Attempt::new(7, "secret", Some(Cause::End)).unwrap();
        let policy = RequestPolicy::new().with_last_event_id("secret");
        let shown = format!("{attempt:?} {policy:?}");
        for part in ["7", "last-event-id", "End", "resumes: true"] {
            assert!(shown.contains(part), "{shown}");
        }
        assert!(!shown.contains("secret"), "{shown}");
    }
}
