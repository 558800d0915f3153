//! What a user holds: [`EventRef`], borrowed from the parser, and [`Event`], owned.

#[cfg(feature = "json")]
mod json;
mod shared;
#[cfg(feature = "json")]
mod surrogates;

use alloc::{string::String, sync::Arc};
use core::fmt;

#[cfg(feature = "json")]
pub use json::JsonError;
pub(crate) use shared::{SharedText, Types, empty};
#[cfg(feature = "json")]
pub use surrogates::SurrogateJoiner;

/// The type of an event whose stream names none.
pub(crate) const MESSAGE: &str = "message";

/// An event as the parser lends it: nothing is copied.
///
/// It lives until the parser is asked for the next one; [`to_owned`](Self::to_owned) keeps it.
///
/// ```
/// let mut parser = everstream::Parser::new();
/// let mut feed = parser.feed(b"event: greeting\ndata: hello\nid: 1\n\n");
/// let event = feed.next_event()?.expect("one whole event was fed");
/// assert_eq!((event.event_type(), event.data(), event.id()), ("greeting", "hello", "1"));
/// # Ok::<(), everstream::EventTooLarge>(())
/// ```
#[derive(Clone, Copy)]
pub struct EventRef<'a> {
    event: Option<&'a SharedText>,
    data: &'a str,
    id: &'a SharedText,
}

impl<'a> EventRef<'a> {
    #[inline]
    pub(crate) fn new(event: Option<&'a SharedText>, data: &'a str, id: &'a SharedText) -> Self {
        Self { event, data, id }
    }

    /// The event type: the value of the `event` field, `message` where there was none.
    #[inline]
    #[must_use]
    pub fn event_type(&self) -> &'a str {
        self.event.map_or(MESSAGE, SharedText::as_str)
    }

    /// The data: the values of the `data` fields, joined by LF.
    #[inline]
    #[must_use]
    pub fn data(&self) -> &'a str {
        self.data
    }

    /// The last event ID of the stream when this event was dispatched: its own `id`, or that of
    /// an event before it. Empty where there was none.
    #[inline]
    #[must_use]
    pub fn id(&self) -> &'a str {
        self.id.as_str()
    }

    /// An event of one's own. It costs one allocation for the data; type and ID are shared with
    /// the events before it that had the same.
    #[inline]
    #[must_use]
    pub fn to_owned(&self) -> Event {
        self.with_data(self.data.into())
    }

    #[inline(always)]
    pub(crate) fn with_data(&self, data: String) -> Event {
        Event {
            event: self.event.map(SharedText::share),
            data,
            id: (!self.id.as_str().is_empty()).then(|| self.id.share()),
        }
    }

    /// Reads the data as JSON, borrowing from it where `T` does.
    ///
    /// # Errors
    ///
    /// Where the data is not JSON, or JSON that does not fit `T`.
    #[cfg(feature = "json")]
    pub fn json<T: serde::Deserialize<'a>>(&self) -> Result<T, JsonError> {
        json::from_data(self.data)
    }
}

/// Equal are events of the same type, data and ID.
impl PartialEq for EventRef<'_> {
    fn eq(&self, other: &Self) -> bool {
        (self.event_type(), self.data, self.id()) == (other.event_type(), other.data, other.id())
    }
}

impl Eq for EventRef<'_> {}

/// As [`EventRef::to_owned`].
impl From<EventRef<'_>> for Event {
    fn from(event: EventRef<'_>) -> Self {
        event.to_owned()
    }
}

impl fmt::Debug for EventRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventRef")
            .field("event", &self.event_type())
            .field("data", &self.data())
            .field("id", &self.id())
            .finish()
    }
}

/// An event of one's own: what a stream yields, and what a server [encodes](crate::encode).
///
/// It is 56 bytes and its data; type and ID are shared between the events of a stream.
///
/// ```
/// use everstream::Event;
///
/// let event = Event::new("hello").with_event_type("greeting").with_id("1");
/// assert_eq!((event.event_type(), event.data(), event.id()), ("greeting", "hello", "1"));
/// assert_eq!(Event::new("hello").event_type(), "message");
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Event {
    /// `None` is `message`.
    event: Option<Arc<str>>,
    data: String,
    /// `None` is the empty string.
    id: Option<Arc<str>>,
}

impl Event {
    /// An event of type `message` without an ID.
    ///
    /// Line ends in `data` become LF: no event stream can carry a CR or a CRLF within data.
    #[must_use]
    pub fn new(data: impl Into<String>) -> Self {
        let mut data = data.into();
        if data.contains('\r') {
            data = data.replace("\r\n", "\n").replace('\r', "\n");
        }
        Self {
            event: None,
            data,
            id: None,
        }
    }

    /// The same event with another type. The empty string is `message`, as in a stream.
    #[must_use]
    pub fn with_event_type(mut self, event: impl AsRef<str>) -> Self {
        self.event = Some(event.as_ref())
            .filter(|event| !event.is_empty() && *event != MESSAGE)
            .map(Arc::from);
        self
    }

    /// The same event with another ID. The empty string is none.
    #[must_use]
    pub fn with_id(mut self, id: impl AsRef<str>) -> Self {
        self.id = Some(id.as_ref()).filter(|id| !id.is_empty()).map(Arc::from);
        self
    }

    /// The event type: the value of the `event` field, `message` where there was none.
    #[must_use]
    pub fn event_type(&self) -> &str {
        self.event.as_deref().unwrap_or(MESSAGE)
    }

    /// The data: the values of the `data` fields, joined by LF.
    #[must_use]
    pub fn data(&self) -> &str {
        &self.data
    }

    /// The data alone, without a copy.
    #[must_use]
    pub fn into_data(self) -> String {
        self.data
    }

    /// The last event ID of the stream when this event was dispatched: its own `id`, or that of
    /// an event before it. Empty where there was none.
    ///
    /// It is what to store, *after* the event was dealt with, to resume from there.
    #[must_use]
    pub fn id(&self) -> &str {
        self.id.as_deref().unwrap_or_default()
    }

    /// Reads the data as JSON, borrowing from it where `T` does.
    ///
    /// ```
    /// # use everstream::Event;
    /// #[derive(serde::Deserialize)]
    /// struct Token<'a> { text: &'a str }
    ///
    /// let event = Event::new(r#"{"text":"Hi"}"#);
    /// let token: Token<'_> = event.json()?;
    /// assert_eq!(token.text, "Hi");
    /// # Ok::<(), everstream::JsonError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Where the data is not JSON, or JSON that does not fit `T`.
    #[cfg(feature = "json")]
    pub fn json<'a, T: serde::Deserialize<'a>>(&'a self) -> Result<T, JsonError> {
        json::from_data(&self.data)
    }
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Event")
            .field("event", &self.event_type())
            .field("data", &self.data())
            .field("id", &self.id())
            .finish()
    }
}
