//! [`Error`]: one struct that says what happened, what the server answered, and what to do.

#[cfg(feature = "stream")]
use std::time::Duration;
use std::{fmt, sync::Arc};

use crate::event::Event;

mod message;
#[cfg(feature = "stream")]
mod url;

#[cfg(feature = "stream")]
use url::ShownUrl;

/// Any error: the boxed type for errors of other crates.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// An error that ended a stream, or that kept it from opening.
///
/// `{}` shows the message of this error only; `{:#}` appends its causes, on the same line: `could
/// not connect to the server: tcp connect error: Connection refused`.
/// [`source`](std::error::Error::source) returns the same chain, and
/// [`into_source`](Self::into_source) returns the cause by value.
///
/// If the URL is known, the message ends with it, without user, password, query and fragment: `the
/// server answered 503 Service Unavailable (https://example.com/feed)`. If the path is also secret,
/// use [`without_url`](Self::without_url).
///
/// The rest of the URL, header values, IDs, event data and bodies may be secret, so no message or
/// `Debug` output of this crate shows them. Accessors return them. There are two exceptions. The
/// message of [`ErrorKind::LastEventId`] shows the ID. The messages of [`ErrorKind::ContentType`]
/// and [`ErrorKind::ContentEncoding`] show the type or the encoding that the server sent, without
/// parameters. The crate does not change the messages of causes that come from outside.
///
/// Cloning is cheap.
///
/// An error is the last item of its stream, with one exception: see [`is_final`](Self::is_final).
#[derive(Clone)]
pub struct Error(Arc<Inner>);

#[derive(Clone)]
struct Inner {
    kind: ErrorKind,
    /// The message to display instead of that of the kind.
    message: Option<Box<str>>,
    source: Option<Arc<BoxError>>,
    event: Option<Event>,
    events_before: u64,
    is_final: bool,
    /// None of the requests reached a server.
    unsent: bool,
    /// A caller created it with [`Error::new`], and chose its kind.
    by_caller: bool,
    /// The URL that answered, or the one that was requested.
    #[cfg(feature = "stream")]
    url: Option<Box<str>>,
    #[cfg(feature = "stream")]
    refusal: Option<Arc<Refusal>>,
}

/// The response of a server that refused the request.
#[cfg(feature = "stream")]
pub(crate) struct Refusal {
    /// `None` if only the body is known.
    pub(crate) status: Option<http::StatusCode>,
    pub(crate) headers: http::HeaderMap,
    pub(crate) body: bytes::Bytes,
    pub(crate) is_whole: bool,
    pub(crate) retry_after: Option<Duration>,
}

#[cfg(feature = "client")]
impl Refusal {
    /// A refusal without status and headers.
    pub(crate) fn of_body(body: bytes::Bytes, is_whole: bool) -> Self {
        Self {
            status: None,
            headers: http::HeaderMap::new(),
            body,
            is_whole,
            retry_after: None,
        }
    }
}

/// The kinds of [`Error`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The request could not be built.
    Request,
    /// Could not connect to the server.
    Connect,
    /// The connection failed before the response headers arrived.
    Transport,
    /// The body of the response was cut off.
    Body,
    /// A time limit has passed.
    Timeout(Timeout),
    /// The response's status is not 200, or not one that `accept_status` accepts.
    Status,
    /// The response is not an event stream, according to its `Content-Type`.
    ContentType,
    /// The `Content-Type` of the response is that of an event stream, but its body doesn't contain
    /// a single field or comment. It may be JSON, HTML, or compressed without a `Content-Encoding`.
    /// [`Error::body`] holds the start of it.
    NotEventStream,
    /// The response is compressed, and was not decompressed.
    ContentEncoding,
    /// A redirect that cannot be followed.
    Redirect,
    /// An HTTP header can't carry the last event ID: it contains a control character, or starts or
    /// ends with white space.
    LastEventId,
    /// An event is larger than the limit.
    EventTooLarge,
    /// The stream ended without the event that completes it.
    Incomplete,
    /// The server sent an event that the caller declared to be an error.
    ErrorEvent,
    /// The data of an event does not fit its type.
    Json,
    /// Reading from a reader failed.
    Read,
    /// The caller's own connector failed for another reason.
    Other,
}

/// The time limits that a stream can exceed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Timeout {
    /// The response headers did not arrive in time.
    Headers,
    /// The first event did not arrive in time after the headers.
    FirstEvent,
    /// No byte arrived in time.
    Idle,
    /// No event, or none that counts as progress, arrived in time.
    Event,
    /// A timeout of the HTTP client itself has passed. In reqwest this is `timeout`, which covers
    /// the whole response, even one that arrives steadily, or `read_timeout`.
    HttpClient,
}

impl Error {
    pub(crate) fn of(kind: ErrorKind) -> Self {
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
            url: None,
            #[cfg(feature = "stream")]
            refusal: None,
        }))
    }

    /// Creates an error with its cause, for your own connector.
    ///
    /// An `EventSource` makes another attempt after [`ErrorKind::Connect`],
    /// [`ErrorKind::Transport`] and [`ErrorKind::Other`]. [`ErrorKind::Request`] is final.
    ///
    /// [`is_unsent`](Self::is_unsent) returns `true` for [`ErrorKind::Request`] and
    /// [`ErrorKind::LastEventId`], and `false` for all other kinds. Use
    /// [`with_unsent`](Self::with_unsent) to change that.
    #[must_use]
    pub fn new(kind: ErrorKind, source: impl Into<BoxError>) -> Self {
        Self::of(kind)
            .and_source(source.into())
            .edit(|inner| inner.by_caller = true)
    }

    /// Sets whether none of the requests reached a server: see [`is_unsent`](Self::is_unsent). Pass
    /// `true` only if you know it. If the HTTP client of your connector follows redirects itself,
    /// you don't know which of its requests failed.
    #[must_use]
    pub fn with_unsent(self, unsent: bool) -> Self {
        if self.0.unsent == unsent {
            return self;
        }
        self.edit(|inner| inner.unsent = unsent)
    }

    /// Sets the URL of the error: the one that answered, after redirects, or the one that was
    /// requested. The message shows it without user, password, query and fragment.
    ///
    /// ```
    /// use everstream::{Error, ErrorKind};
    ///
    /// let error = Error::new(ErrorKind::Connect, "cable pulled")
    ///     .with_url("https://me:secret@example.com/feed?key=secret");
    /// assert_eq!(
    ///     format!("{error:#}"),
    ///     "could not connect to the server (https://example.com/feed): cable pulled"
    /// );
    /// ```
    #[cfg(feature = "stream")]
    #[must_use]
    pub fn with_url(self, url: impl Into<String>) -> Self {
        let url = url.into().into_boxed_str();
        self.edit(|inner| inner.url = Some(url))
    }

    /// Removes the URL from this error, and from the errors of this crate that caused it. Use it if
    /// not even the host may appear in a message, or if the path is secret.
    #[cfg(feature = "stream")]
    #[must_use]
    pub fn without_url(self) -> Self {
        let source = self.0.source.as_deref();
        let source = source.and_then(|source| source.downcast_ref::<Self>());
        let source = source.map(|source| source.clone().without_url());
        if source.is_none() && self.0.url.is_none() {
            return self;
        }
        self.edit(|inner| {
            inner.url = None;
            if let Some(source) = source {
                inner.source = Some(Arc::new(source.into()));
            }
        })
    }

    /// Sets the URL, unless it is already known.
    #[cfg(feature = "stream")]
    pub(crate) fn or_url(self, url: Option<&str>) -> Self {
        match url {
            Some(url) if self.0.url.is_none() => self.with_url(url),
            _ => self,
        }
    }

    fn edit(mut self, edit: impl FnOnce(&mut Inner)) -> Self {
        edit(Arc::make_mut(&mut self.0));
        self
    }

    pub(crate) fn and_source(self, source: BoxError) -> Self {
        self.edit(|inner| inner.source = Some(Arc::new(source)))
    }

    #[cfg(feature = "stream")]
    pub(crate) fn and_message(self, message: impl Into<Box<str>>) -> Self {
        self.edit(|inner| inner.message = Some(message.into()))
    }

    #[cfg(feature = "stream")]
    pub(crate) fn and_event(self, event: Event) -> Self {
        self.edit(|inner| inner.event = Some(event))
    }

    /// Marks this error as the end of a stream, after `events` events. It may come from another
    /// stream that continued after it.
    #[cfg(feature = "stream")]
    pub(crate) fn ends_after(self, events: u64) -> Self {
        self.edit(|inner| {
            inner.events_before = events;
            inner.is_final = true;
        })
    }

    #[cfg(feature = "stream")]
    pub(crate) fn and_refusal(self, refusal: Refusal) -> Self {
        self.edit(|inner| inner.refusal = Some(Arc::new(refusal)))
    }

    /// Marks this error as not final: its stream yields it after `events` events, and continues.
    #[cfg(all(feature = "stream", feature = "json"))]
    pub(crate) fn passes_after(self, events: u64) -> Self {
        self.edit(|inner| {
            inner.events_before = events;
            inner.is_final = false;
        })
    }

    /// Returns the kind of this error.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Whether the stream has ended with this error.
    ///
    /// Every error is final except one: an item of a `JsonStream` that does not fit its type. The
    /// stream continues after it.
    #[must_use]
    pub fn is_final(&self) -> bool {
        self.0.is_final
    }

    /// Whether a time limit has passed: one of the stream, or one of the HTTP client.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        matches!(self.0.kind, ErrorKind::Timeout(_))
    }

    /// Whether connecting to the server failed.
    #[must_use]
    pub fn is_connect(&self) -> bool {
        self.0.kind == ErrorKind::Connect
    }

    /// Whether the request, or one that a redirect made of it, never reached a server that could
    /// have processed it. If `true`, nothing was billed, and sending the request again does not
    /// send it twice.
    ///
    /// `false` proves nothing: a server that refused, or that did not answer in time, may not have
    /// processed the request either. It is also `false` if the HTTP client can't tell. reqwest's
    /// error doesn't say whether a connection failed immediately or only after a redirect, so it is
    /// `false` if your own client fails to connect. If that client doesn't follow redirects, like
    /// those of `client_builder()`, [`is_connect`](Self::is_connect) is enough.
    ///
    /// `EventSource::get` and `EventSource::request` follow redirects themselves, and so can tell.
    /// For an `EventSource`, all its requests count: once one of them has reached a server, this
    /// stays `false`.
    #[must_use]
    pub fn is_unsent(&self) -> bool {
        self.0.unsent
    }

    /// Whether a caller created it, to report a failure of its own connector.
    #[cfg(feature = "client")]
    pub(crate) fn is_from_connector(&self) -> bool {
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

    /// Whether the stream was cut short: it ended without the event that completes it, or its body
    /// was cut off.
    #[must_use]
    pub fn is_incomplete(&self) -> bool {
        matches!(self.0.kind, ErrorKind::Incomplete | ErrorKind::Body)
    }

    /// Returns the cause of the error by value. Use `downcast` to get its concrete type, such as
    /// the error type of your own connector.
    ///
    /// ```
    /// use everstream::{Error, ErrorKind};
    ///
    /// #[derive(Debug, PartialEq)]
    /// struct NoToken(u16);
    /// # impl std::fmt::Display for NoToken {
    /// #     fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { f.write_str("no token") }
    /// # }
    /// impl std::error::Error for NoToken {}
    ///
    /// let error = Error::new(ErrorKind::Other, NoToken(7));
    /// let source = error.into_source().expect("it has one, and there is no clone");
    /// assert_eq!(*source.downcast::<NoToken>().unwrap(), NoToken(7));
    /// ```
    ///
    /// # Errors
    ///
    /// Returns the error unchanged if it has no cause, or if a clone of it still exists, such as
    /// one in a [`Signal`](crate::Signal) that was kept. To borrow the cause instead, use
    /// [`find_source`](Self::find_source).
    pub fn into_source(mut self) -> Result<BoxError, Self> {
        let Some(inner) = Arc::get_mut(&mut self.0) else {
            return Err(self);
        };
        match inner.source.take().map(Arc::try_unwrap) {
            Some(Ok(source)) => Ok(source),
            // An error that was made from a clone of this one shares the source.
            Some(Err(shared)) => {
                inner.source = Some(shared);
                Err(self)
            }
            None => Err(self),
        }
    }

    /// Returns the first error of type `T` in the chain of causes.
    ///
    /// ```
    /// use everstream::{Error, ErrorKind};
    ///
    /// let error = Error::new(ErrorKind::Connect, std::io::Error::other("cable pulled"));
    /// assert!(error.find_source::<std::io::Error>().is_some());
    /// assert!(error.find_source::<std::fmt::Error>().is_none());
    /// ```
    #[must_use]
    pub fn find_source<T: std::error::Error + 'static>(&self) -> Option<&T> {
        causes(self).find_map(<dyn std::error::Error>::downcast_ref)
    }

    /// Returns the event that caused the error: one that was declared to be an error, or one whose
    /// data does not fit its type.
    #[must_use]
    pub fn event(&self) -> Option<&Event> {
        self.0.event.as_ref()
    }

    /// Returns how many events the stream had yielded before the error. If there were none, nothing
    /// was shown to the user yet, so a new answer can't contradict it. The server may still have
    /// begun to work, and to charge for it: see the guide's page on retries and money.
    #[must_use]
    pub fn events_before(&self) -> u64 {
        self.0.events_before
    }
}

#[cfg(feature = "stream")]
impl Error {
    /// Returns the status of the response, if the server refused the request.
    #[must_use]
    pub fn status(&self) -> Option<http::StatusCode> {
        self.0.refusal.as_ref()?.status
    }

    /// Returns the headers of the response, if the server refused the request.
    #[must_use]
    pub fn headers(&self) -> Option<&http::HeaderMap> {
        self.0.refusal.as_ref().map(|refusal| &refusal.headers)
    }

    /// Returns the URL that answered, after redirects, or the one that was requested if none
    /// answered. It is `None` if the connector didn't set it, and after
    /// [`without_url`](Self::without_url).
    ///
    /// This is the full URL, including a query that may be secret. The message shows less of it.
    #[must_use]
    pub fn url(&self) -> Option<&str> {
        self.0.url.as_deref()
    }

    /// Whether [`body`](Self::body) is the complete body. It isn't if it was larger than the limit,
    /// was cut off, or took too long.
    #[must_use]
    pub fn body_is_whole(&self) -> bool {
        (self.0.refusal.as_ref()).is_some_and(|refusal| refusal.is_whole)
    }

    /// Returns the start of the body of the response, if the server refused the request: up to 64
    /// KiB by default; see `max_error_body_bytes`. Reading it takes at most five seconds, and at
    /// most the idle limit per chunk. [`body_is_whole`](Self::body_is_whole) returns whether the
    /// body is complete.
    #[must_use]
    pub fn body(&self) -> Option<&bytes::Bytes> {
        self.0.refusal.as_ref().map(|refusal| &refusal.body)
    }

    /// Returns the body as text. Invalid UTF-8 becomes U+FFFD.
    #[must_use]
    pub fn body_text(&self) -> Option<std::borrow::Cow<'_, str>> {
        self.body().map(|body| String::from_utf8_lossy(body))
    }

    /// Reads the body as JSON. Returns `None` if there is no body, or if it does not fit `T`.
    #[cfg(feature = "json")]
    #[must_use]
    pub fn body_json<'a, T: serde::Deserialize<'a>>(&'a self) -> Option<T> {
        serde_json::from_slice(self.body()?).ok()
    }

    /// Returns how long the server asked to wait before the next request, counted from its response:
    /// `retry-after-ms`, which some APIs send, or else `Retry-After`, in seconds or as a date. A
    /// fraction is rounded up to a millisecond. A date in the past is zero, and more than a year is a
    /// year.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.refusal.as_ref()?.retry_after
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Error");
        debug.field("kind", &self.0.kind);
        match &self.0.message {
            // It shows the ID.
            Some(_) if self.0.kind == ErrorKind::LastEventId => {}
            Some(message) => {
                debug.field("message", message);
            }
            None => {}
        }
        #[cfg(feature = "stream")]
        if let Some(url) = self.url().and_then(ShownUrl::of) {
            debug.field("url", &format_args!("{url}"));
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

/// The causes of an error, nearest first.
fn causes<'a>(
    error: &'a (dyn std::error::Error + 'static),
) -> impl Iterator<Item = &'a (dyn std::error::Error + 'static)> {
    std::iter::successors(error.source(), |cause| cause.source())
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        let source: &BoxError = self.0.source.as_deref()?;
        Some(&**source)
    }
}

#[cfg(feature = "json")]
impl From<crate::event::JsonError> for Error {
    fn from(error: crate::event::JsonError) -> Self {
        Self::new(ErrorKind::Json, error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_and_its_error_have_the_same_message() {
        for timeout in [Timeout::Headers, Timeout::Idle, Timeout::HttpClient] {
            let kind = ErrorKind::Timeout(timeout);
            assert_eq!(timeout.to_string(), kind.to_string());
            assert_eq!(kind.to_string(), Error::of(kind).to_string());
        }
        let kind = ErrorKind::Connect;
        assert_eq!(kind.to_string(), Error::of(kind).to_string());
    }

    #[test]
    fn only_some_kinds_are_unsent() {
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
            assert_eq!(Error::of(kind).is_unsent(), unsent, "{kind:?}");
            for said in [true, false] {
                let error = Error::new(kind, "a cause").with_unsent(said);
                assert_eq!(error.is_unsent(), said, "{kind:?}");
                assert_eq!(error.kind(), kind);
            }
        }
    }

    #[derive(Debug, thiserror::Error)]
    #[error("outer\nline")]
    struct Outer(#[source] std::io::Error);

    pub(super) fn nested() -> Error {
        let inner = Error::new(
            ErrorKind::Connect,
            Outer(std::io::Error::other("cable\tpulled")),
        );
        Error::new(ErrorKind::Other, inner)
    }

    #[test]
    fn the_source_is_returned_by_value_unless_shared() {
        let error = nested();
        let clone = error.clone();
        let error = error.into_source().unwrap_err();
        drop(clone);
        // An edited clone shares the source, but not what is around it.
        let edited = error.clone().edit(|inner| inner.unsent = true);
        let error = error.into_source().unwrap_err();
        assert_eq!(error.to_string(), "the connector failed");
        assert!(error.find_source::<Outer>().is_some(), "it is still there");
        drop(edited);
        let inner = error.into_source().unwrap().downcast::<Error>().unwrap();
        assert_eq!(inner.kind(), ErrorKind::Connect);
        let outer = inner.into_source().unwrap().downcast::<Outer>().unwrap();
        assert_eq!(outer.0.to_string(), "cable\tpulled");
        let none = Error::of(ErrorKind::Status).into_source().unwrap_err();
        assert_eq!(none.kind(), ErrorKind::Status);
    }

    #[test]
    fn a_source_is_found_anywhere_in_the_chain() {
        let error = nested();
        assert_eq!(
            error.find_source::<Error>().unwrap().kind(),
            ErrorKind::Connect
        );
        assert!(error.find_source::<Outer>().is_some());
        let io = error.find_source::<std::io::Error>().unwrap();
        assert_eq!(io.to_string(), "cable\tpulled");
        assert!(error.find_source::<fmt::Error>().is_none());
    }
}
