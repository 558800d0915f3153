//! [`Error`]: one struct that tells what happened, what the server said, and what to do.

#[cfg(feature = "stream")]
use std::time::Duration;
use std::{fmt, sync::Arc};

use crate::event::Event;

mod message;
#[cfg(feature = "stream")]
mod url;

#[cfg(feature = "stream")]
use url::ShownUrl;

/// Any error, as other crates give theirs.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// What ended a stream, or kept it from beginning.
///
/// `{}` says this error's own part; `{:#}` adds what caused it, in one line: `could not connect to
/// the server: tcp connect error: Connection refused`. [`source`](std::error::Error::source) leads
/// along the same chain, and [`into_source`](Self::into_source) gives the cause by value.
///
/// Where the URL is known, the message ends with it, without user, password, query and fragment:
/// `the server answered 503 Service Unavailable (https://example.com/feed)`. Where a path is a
/// secret, too, [`without_url`](Self::without_url) takes it off.
///
/// No message of this crate, and no `Debug`, shows more of a URL, a header's value, an ID, an
/// event's data or a body, which may be secret: accessors return them. Two messages are exceptions.
/// That of [`ErrorKind::LastEventId`] names the ID, and those of [`ErrorKind::ContentType`] and
/// [`ErrorKind::ContentEncoding`] name the type or the encoding that the server sent, without
/// parameters. A cause that comes from outside the crate says what it says.
///
/// Cloning is cheap.
///
/// An error from a stream is its last item, with one exception: see [`is_final`](Self::is_final).
#[derive(Clone)]
pub struct Error(Arc<Inner>);

#[derive(Clone)]
struct Inner {
    kind: ErrorKind,
    /// Display's own words, where those of the kind can be bettered.
    message: Option<Box<str>>,
    source: Option<Arc<BoxError>>,
    event: Option<Event>,
    events_before: u64,
    is_final: bool,
    /// No server was reached by any of the requests.
    unsent: bool,
    /// A caller made it, by [`Error::new`]: its kind is the caller's word.
    by_caller: bool,
    /// The URL that answered, or was asked.
    #[cfg(feature = "stream")]
    url: Option<Box<str>>,
    #[cfg(feature = "stream")]
    refusal: Option<Arc<Refusal>>,
}

/// What a server said when it refused.
#[cfg(feature = "stream")]
pub(crate) struct Refusal {
    /// `None` where only a body is known.
    pub(crate) status: Option<http::StatusCode>,
    pub(crate) headers: http::HeaderMap,
    pub(crate) body: bytes::Bytes,
    pub(crate) is_whole: bool,
    pub(crate) retry_after: Option<Duration>,
}

#[cfg(feature = "client")]
impl Refusal {
    /// What was said by whoever has no head.
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
    /// The response calls itself an event stream, but there wasn't a field or a comment in its
    /// body: it may be JSON, HTML, or compressed without a word. [`Error::body`] holds the
    /// beginning of it.
    NotEventStream,
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

    /// An error of a connector of one's own, with its cause.
    ///
    /// [`ErrorKind::Connect`], [`ErrorKind::Transport`] and [`ErrorKind::Other`] are worth another
    /// attempt to an `EventSource`; [`ErrorKind::Request`] is final.
    ///
    /// [`is_unsent`](Self::is_unsent) is true of [`ErrorKind::Request`] and
    /// [`ErrorKind::LastEventId`], and of no other kind unless
    /// [`with_unsent`](Self::with_unsent) says so.
    #[must_use]
    pub fn new(kind: ErrorKind, source: impl Into<BoxError>) -> Self {
        Self::of(kind)
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

    /// Says which URL it is about: the one that answered, after redirects, or the one that was
    /// asked. The message shows it without user, password, query and fragment.
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

    /// Forgets the URL, here and in the errors of this crate that caused this one: for messages
    /// that go where not even the host may be known, and for paths that are secret.
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

    /// The URL that this is about, unless it is known already.
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

    /// This error ends a stream after so many events. It may be another stream's, after which that
    /// one went on.
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

    /// A stream gives this error after so many events, and goes on.
    #[cfg(all(feature = "stream", feature = "json"))]
    pub(crate) fn passes_after(self, events: u64) -> Self {
        self.edit(|inner| {
            inner.events_before = events;
            inner.is_final = false;
        })
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

    /// Returns what caused the error, by value: `downcast` turns it into its own type, such as that
    /// of an error of your own connector.
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
    /// Gives the error back if it has no cause, or if a clone of it still exists, such as one in a
    /// [`Signal`](crate::Signal) that was kept. [`find_source`](Self::find_source) borrows instead.
    pub fn into_source(mut self) -> Result<BoxError, Self> {
        let Some(inner) = Arc::get_mut(&mut self.0) else {
            return Err(self);
        };
        match inner.source.take().map(Arc::try_unwrap) {
            Some(Ok(source)) => Ok(source),
            // An error that was made of a clone of this one has it, too.
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
        self.0.refusal.as_ref()?.status
    }

    /// The headers of the response that was refused.
    #[must_use]
    pub fn headers(&self) -> Option<&http::HeaderMap> {
        self.0.refusal.as_ref().map(|refusal| &refusal.headers)
    }

    /// The URL that answered, after redirects, or the one that was asked if nothing did. `None`
    /// where the connector didn't tell it, and after [`without_url`](Self::without_url).
    ///
    /// It is whole, with a query that may be secret; the message shows less of it.
    #[must_use]
    pub fn url(&self) -> Option<&str> {
        self.0.url.as_deref()
    }

    /// Whether [`body`](Self::body) is all that the server said. It isn't if more came than is
    /// kept, if it broke off, or if it took too long.
    #[must_use]
    pub fn body_is_whole(&self) -> bool {
        (self.0.refusal.as_ref()).is_some_and(|refusal| refusal.is_whole)
    }

    /// The beginning of the body of the response that was refused: 64 KiB of it, unless
    /// `max_error_body_bytes` says otherwise. No more than five seconds are waited for it, nor
    /// longer than the idle limit for one chunk; [`body_is_whole`](Self::body_is_whole) tells
    /// whether that was enough.
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
    fn a_kind_says_what_its_error_says() {
        for timeout in [Timeout::Headers, Timeout::Idle, Timeout::HttpClient] {
            let kind = ErrorKind::Timeout(timeout);
            assert_eq!(timeout.to_string(), kind.to_string());
            assert_eq!(kind.to_string(), Error::of(kind).to_string());
        }
        let kind = ErrorKind::Connect;
        assert_eq!(kind.to_string(), Error::of(kind).to_string());
    }

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
    fn the_source_is_given_back_by_value_unless_it_is_shared() {
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
