//! [`Error`]: one struct that tells what happened, what the server said, and what to do.

#[cfg(feature = "stream")]
use std::time::Duration;
use std::{fmt, sync::Arc};

use crate::{event::Event, parser::EventTooLarge};

/// Any error, as other crates give theirs.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// What ended a stream, or kept it from beginning.
///
/// Display says this error's own part in one line; [`source`](std::error::Error::source) leads to
/// what caused it. Neither they nor `Debug` ever show a URL, a header's value or a body: those
/// may hold secrets, and are there for the asking. Cloning is cheap.
///
/// An error from a stream is its last item, with one exception: see [`is_final`](Self::is_final).
#[derive(Clone)]
pub struct Error(Arc<Inner>);

#[derive(Clone)]
struct Inner {
    kind: ErrorKind,
    /// Display's own words, where those of the kind can be bettered.
    message: Option<Box<str>>,
    source: Option<Arc<dyn std::error::Error + Send + Sync>>,
    event: Option<Event>,
    events_before: u64,
    is_final: bool,
    /// No server was reached by any of the requests.
    unsent: bool,
    /// A caller made it, by [`Error::with_source`]: its kind is the caller's word.
    by_caller: bool,
    #[cfg(feature = "stream")]
    refusal: Option<Arc<Refusal>>,
}

/// What a server said when it refused.
#[cfg(feature = "stream")]
pub(crate) struct Refusal {
    pub(crate) status: http::StatusCode,
    pub(crate) headers: http::HeaderMap,
    pub(crate) body: bytes::Bytes,
    pub(crate) retry_after: Option<Duration>,
}

/// The kinds of [`Error`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The request could not be made.
    Request,
    /// No connection to the server came about.
    Connect,
    /// The connection failed before the response's headers had come.
    Transport,
    /// The body of the response broke off.
    Body,
    /// A time limit has passed.
    Timeout(Timeout),
    /// The response's status is not 200.
    Status,
    /// The response is no event stream, by its `Content-Type`.
    ContentType,
    /// The response is compressed, and nothing has undone that.
    ContentEncoding,
    /// A redirect that cannot be followed.
    Redirect,
    /// The last event ID is not one that an HTTP header can carry as it is: it holds a control
    /// character, or white space at one of its ends.
    LastEventId,
    /// An event is larger than the limit.
    EventTooLarge,
    /// The stream ended before the event that completes it.
    Incomplete,
    /// The event that the caller declared to be an error.
    ErrorEvent,
    /// The data of an event does not fit its type.
    Json,
    /// A reader failed.
    Read,
    /// A connector of the caller's own failed otherwise.
    Other,
}

/// The time limits that a stream can exceed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Timeout {
    /// The response's headers did not come in time.
    Headers,
    /// No event came in time after the headers.
    FirstEvent,
    /// Not one byte came for too long.
    Idle,
    /// No event, or none that is progress, came for too long.
    Event,
    /// The HTTP client has a limit of its own that has passed. With reqwest that is `timeout`,
    /// which counts the whole answer, however well it flows, or `read_timeout`.
    HttpClient,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind) -> Self {
        Self(Arc::new(Inner {
            kind,
            message: None,
            source: None,
            event: None,
            events_before: 0,
            is_final: true,
            unsent: matches!(kind, ErrorKind::Request | ErrorKind::LastEventId),
            by_caller: false,
            #[cfg(feature = "stream")]
            refusal: None,
        }))
    }

    /// An error of a connector of one's own, with its cause.
    ///
    /// [`ErrorKind::Connect`], [`ErrorKind::Transport`] and [`ErrorKind::Other`] are worth another
    /// attempt to an `EventSource`; [`ErrorKind::Request`] is final.
    ///
    /// [`is_unsent`](Self::is_unsent) is true of [`ErrorKind::Request`] and
    /// [`ErrorKind::LastEventId`], and of no other kind unless
    /// [`with_unsent`](Self::with_unsent) says so.
    #[must_use]
    pub fn with_source(kind: ErrorKind, source: impl Into<BoxError>) -> Self {
        Self::new(kind)
            .and_source(source.into())
            .edit(|inner| inner.by_caller = true)
    }

    /// Says whether no server was reached by any of the requests: see
    /// [`is_unsent`](Self::is_unsent). Say `true` only of what you know: a connector whose HTTP
    /// client follows redirects by itself doesn't know which of its requests has failed.
    #[must_use]
    pub fn with_unsent(self, unsent: bool) -> Self {
        if self.0.unsent == unsent {
            return self;
        }
        self.edit(|inner| inner.unsent = unsent)
    }

    fn edit(mut self, edit: impl FnOnce(&mut Inner)) -> Self {
        edit(Arc::make_mut(&mut self.0));
        self
    }

    pub(crate) fn and_source(self, source: BoxError) -> Self {
        self.edit(|inner| inner.source = Some(Arc::from(source)))
    }

    pub(crate) fn and_message(self, message: impl Into<Box<str>>) -> Self {
        self.edit(|inner| inner.message = Some(message.into()))
    }

    #[cfg(feature = "stream")]
    pub(crate) fn and_event(self, event: Event) -> Self {
        self.edit(|inner| inner.event = Some(event))
    }

    #[cfg(feature = "stream")]
    pub(crate) fn and_events_before(self, events: u64) -> Self {
        self.edit(|inner| inner.events_before = events)
    }

    #[cfg(feature = "stream")]
    pub(crate) fn and_refusal(self, refusal: Refusal) -> Self {
        self.edit(|inner| inner.refusal = Some(Arc::new(refusal)))
    }

    #[cfg(all(feature = "stream", feature = "json"))]
    pub(crate) fn not_final(self) -> Self {
        self.edit(|inner| inner.is_final = false)
    }

    /// What happened.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Whether the stream has ended with this error.
    ///
    /// Every error is final but one: the item of a `JsonStream` that does not fit its type. The
    /// stream goes on after it.
    #[must_use]
    pub fn is_final(&self) -> bool {
        self.0.is_final
    }

    /// Whether a time limit has passed: one of the stream's or one of the HTTP client's own.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        matches!(self.0.kind, ErrorKind::Timeout(_))
    }

    /// Whether no connection to the server came about.
    #[must_use]
    pub fn is_connect(&self) -> bool {
        self.0.kind == ErrorKind::Connect
    }

    /// Whether no server was reached that could have acted on the request, or on one that a
    /// redirect made of it: nothing was billed, and sending it again is not sending it twice.
    ///
    /// `false` proves nothing: a server that refused, or did not answer in time, may have done
    /// nothing either. It is `false` wherever the HTTP client can't tell. reqwest's own error
    /// doesn't say whether a connection failed at once or only after a redirect, so a failure to
    /// connect with a client of yours is `false`, too. If that client follows no redirects, as
    /// one of `client_builder()` doesn't, [`is_connect`](Self::is_connect) is enough.
    ///
    /// With `EventSource::get` and `EventSource::request` we follow redirects ourselves, and know.
    /// An `EventSource` counts all its requests: once one of them has reached a server, this
    /// stays `false`.
    #[must_use]
    pub fn is_unsent(&self) -> bool {
        self.0.unsent
    }

    /// Whether a caller made it, to say of its own connector what went wrong.
    #[cfg(feature = "client")]
    pub(crate) fn is_callers_word(&self) -> bool {
        let of_a_connector = matches!(
            self.0.kind,
            ErrorKind::Request
                | ErrorKind::Connect
                | ErrorKind::Transport
                | ErrorKind::Redirect
                | ErrorKind::Other
        );
        self.0.by_caller && of_a_connector
    }

    /// Whether the stream was cut short: it ended before the event that completes it, or its
    /// body broke off.
    #[must_use]
    pub fn is_incomplete(&self) -> bool {
        matches!(self.0.kind, ErrorKind::Incomplete | ErrorKind::Body)
    }

    /// The event that caused the error: the one declared to be an error, or whose data does not
    /// fit its type.
    #[must_use]
    pub fn event(&self) -> Option<&Event> {
        self.0.event.as_ref()
    }

    /// How many events the stream had yielded before the error. With none, nothing was shown to
    /// anyone yet, so that another answer contradicts nothing. Whether the server had begun to
    /// work, and to charge for it, is another question: the guide's page on retries and money
    /// answers it.
    #[must_use]
    pub fn events_before(&self) -> u64 {
        self.0.events_before
    }
}

#[cfg(feature = "stream")]
impl Error {
    /// The status of the response that was refused.
    #[must_use]
    pub fn status(&self) -> Option<http::StatusCode> {
        self.0.refusal.as_ref().map(|refusal| refusal.status)
    }

    /// The headers of the response that was refused.
    #[must_use]
    pub fn headers(&self) -> Option<&http::HeaderMap> {
        self.0.refusal.as_ref().map(|refusal| &refusal.headers)
    }

    /// The first 64 KiB of the body of the response that was refused, or what of it had come
    /// after five seconds.
    #[must_use]
    pub fn body(&self) -> Option<&bytes::Bytes> {
        self.0.refusal.as_ref().map(|refusal| &refusal.body)
    }

    /// The same as text; what is not UTF-8 becomes U+FFFD.
    #[must_use]
    pub fn body_text(&self) -> Option<std::borrow::Cow<'_, str>> {
        self.body().map(|body| String::from_utf8_lossy(body))
    }

    /// The same read as JSON; `None` where there is none that fits `T`.
    #[cfg(feature = "json")]
    #[must_use]
    pub fn body_json<'a, T: serde::Deserialize<'a>>(&'a self) -> Option<T> {
        serde_json::from_slice(self.body()?).ok()
    }

    /// How long the server asked to be left alone (`Retry-After`, in seconds or as a date),
    /// counted from the moment of its response. A date in the past is zero.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.refusal.as_ref()?.retry_after
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(message) = &self.0.message {
            return f.write_str(message);
        }
        #[cfg(feature = "stream")]
        if let (ErrorKind::Status, Some(status)) = (self.0.kind, self.status()) {
            return write!(f, "the server answered {status}");
        }
        f.write_str(match self.0.kind {
            ErrorKind::Request => "the request could not be made",
            ErrorKind::Connect => "no connection to the server",
            ErrorKind::Transport => "the connection failed before the response",
            ErrorKind::Body => "the response broke off",
            ErrorKind::Timeout(Timeout::Headers) => "the response did not begin in time",
            ErrorKind::Timeout(Timeout::FirstEvent) => "the first event did not come in time",
            ErrorKind::Timeout(Timeout::Idle) => "the server was silent for too long",
            ErrorKind::Timeout(Timeout::Event) => "no event came for too long",
            ErrorKind::Timeout(Timeout::HttpClient) => {
                "a time limit of the HTTP client itself has passed: its total `timeout` ends \
                 even a stream that flows, so streams want none, and its `read_timeout` should \
                 be longer than the server's pauses"
            }
            ErrorKind::Status => "the server refused the request",
            ErrorKind::ContentType => "the response is not an event stream",
            ErrorKind::ContentEncoding => "the response is compressed",
            ErrorKind::Redirect => "the redirect cannot be followed",
            ErrorKind::LastEventId => "the last event ID cannot be sent in a header",
            ErrorKind::EventTooLarge => "an event is too large",
            ErrorKind::Incomplete => "the stream ended before it was complete",
            ErrorKind::ErrorEvent => "the stream reported an error",
            ErrorKind::Json => "the data of an event does not fit its type",
            ErrorKind::Read => "reading failed",
            ErrorKind::Other => "the connector failed",
        })
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Error");
        debug.field("kind", &self.0.kind);
        match &self.0.message {
            // It names the ID.
            Some(_) if self.0.kind == ErrorKind::LastEventId => {}
            Some(message) => {
                debug.field("message", message);
            }
            None => {}
        }
        #[cfg(feature = "stream")]
        if let Some(refusal) = &self.0.refusal {
            debug
                .field("status", &refusal.status)
                .field("body_bytes", &refusal.body.len())
                .field("retry_after", &refusal.retry_after);
        }
        if let Some(source) = &self.0.source {
            debug.field("source", source);
        }
        debug.finish_non_exhaustive()
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}

impl From<EventTooLarge> for Error {
    fn from(error: EventTooLarge) -> Self {
        Self::new(ErrorKind::EventTooLarge)
            .and_message(error.to_string())
            .and_source(error.into())
    }
}

#[cfg(feature = "json")]
impl From<crate::JsonError> for Error {
    fn from(error: crate::JsonError) -> Self {
        Self::with_source(ErrorKind::Json, error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kind_alone_proves_little() {
        for (kind, unsent) in [
            (ErrorKind::Request, true),
            (ErrorKind::Connect, false),
            (ErrorKind::LastEventId, true),
            (ErrorKind::Transport, false),
            (ErrorKind::Body, false),
            (ErrorKind::Timeout(Timeout::Headers), false),
            (ErrorKind::Timeout(Timeout::HttpClient), false),
            (ErrorKind::Status, false),
            (ErrorKind::Redirect, false),
            (ErrorKind::Incomplete, false),
            (ErrorKind::Other, false),
        ] {
            assert_eq!(Error::new(kind).is_unsent(), unsent, "{kind:?}");
            for said in [true, false] {
                let error = Error::with_source(kind, "a cause").with_unsent(said);
                assert_eq!(error.is_unsent(), said, "{kind:?}");
                assert_eq!(error.kind(), kind);
            }
        }
    }
}
