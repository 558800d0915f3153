//! Events: [`EventRef`], borrowed from the parser, and [`Event`], owned.

#[cfg(feature = "json")]
mod json;
#[cfg(feature = "serde")]
mod serialized;
mod shared;
#[cfg(feature = "json")]
mod surrogates;
#[cfg(test)]
mod tests;

use alloc::{string::String, sync::Arc};
use core::fmt;

#[cfg(feature = "json")]
pub use json::JsonError;
pub(crate) use shared::{SharedText, Types, empty};
#[cfg(feature = "json")]
pub use surrogates::SurrogateJoiner;

/// The type of an event without an `event` field.
pub(crate) const MESSAGE: &str = "message";

/// An event borrowed from a parser: nothing is copied.
///
/// It is valid until you ask the parser for the next event. To keep it, use
/// [`to_owned`](Self::to_owned), which returns an [`Event`].
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

    /// Returns the event type: the value of the last `event` field, or `message` if there is none
    /// or it is empty (9.2.6).
    #[inline]
    #[must_use]
    pub fn event_type(&self) -> &'a str {
        self.event.map_or(MESSAGE, SharedText::as_str)
    }

    /// Returns the data: the values of the `data` fields, joined with LF.
    #[inline]
    #[must_use]
    pub fn data(&self) -> &'a str {
        self.data
    }

    /// Returns the last event ID of the stream when this event was dispatched: its own `id`, or
    /// otherwise the last one before it. It is empty if there was none, or if it was reset.
    #[inline]
    #[must_use]
    pub fn id(&self) -> &'a str {
        self.id.as_str()
    }

    /// Copies it to an [`Event`]. Allocates once, for the data, if earlier events had the same type
    /// and ID, since these are shared.
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

    /// Reads the data as JSON. `T` may borrow from the data.
    ///
    /// # Errors
    ///
    /// [`JsonError`] if the data is not JSON, or does not fit `T`.
    #[cfg(feature = "json")]
    pub fn json<T: serde::Deserialize<'a>>(&self) -> Result<T, JsonError> {
        json::from_data(self.data)
    }
}

/// Two events are equal if their type, data and ID are equal.
impl PartialEq for EventRef<'_> {
    fn eq(&self, other: &Self) -> bool {
        (self.event_type(), self.data, self.id()) == (other.event_type(), other.data, other.id())
    }
}

impl Eq for EventRef<'_> {}

impl PartialEq<Event> for EventRef<'_> {
    fn eq(&self, other: &Event) -> bool {
        (self.event_type(), self.data, self.id()) == (other.event_type(), other.data(), other.id())
    }
}

impl PartialEq<EventRef<'_>> for Event {
    fn eq(&self, other: &EventRef<'_>) -> bool {
        other == self
    }
}

/// The same as [`EventRef::to_owned`].
impl From<EventRef<'_>> for Event {
    fn from(event: EventRef<'_>) -> Self {
        event.to_owned()
    }
}

impl fmt::Debug for EventRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventRef")
            .field("event_type", &self.event_type())
            .field("data", &self.data())
            .field("id", &self.id())
            .finish()
    }
}

/// An owned event, which a stream yields and a server [encodes](crate::encode).
///
/// It takes 56 bytes plus its data. The events of a stream share their types and IDs.
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
    /// Creates an event of type `message` without an ID.
    ///
    /// Line ends in `data` become LF, because data in an event stream can't contain a CR or CRLF.
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

    /// Sets the type. The empty string means `message`, as in a stream.
    #[must_use]
    pub fn with_event_type(mut self, event_type: impl AsRef<str>) -> Self {
        self.event = Some(event_type.as_ref())
            .filter(|event| !event.is_empty() && *event != MESSAGE)
            .map(Arc::from);
        self
    }

    /// Sets the ID. The empty string means no ID.
    #[must_use]
    pub fn with_id(mut self, id: impl AsRef<str>) -> Self {
        self.id = Some(id.as_ref()).filter(|id| !id.is_empty()).map(Arc::from);
        self
    }

    /// Returns the event type: the value of the last `event` field, or `message` if there is none
    /// or it is empty (9.2.6).
    #[must_use]
    pub fn event_type(&self) -> &str {
        self.event.as_deref().unwrap_or(MESSAGE)
    }

    /// Returns the data: the values of the `data` fields, joined with LF.
    #[must_use]
    pub fn data(&self) -> &str {
        &self.data
    }

    /// Returns the data, without copying it.
    #[must_use]
    pub fn into_data(self) -> String {
        self.data
    }

    /// Returns the type, the data and the ID. The data is moved; the type and the ID are copied,
    /// since other events may share them.
    ///
    /// ```
    /// # use everstream::Event;
    /// let event = Event::new("hello").with_id("1");
    /// let (event_type, data, id) = event.into_parts();
    /// assert_eq!((&*event_type, &*data, &*id), ("message", "hello", "1"));
    /// ```
    #[must_use]
    pub fn into_parts(self) -> (String, String, String) {
        let (event_type, id) = (self.event_type().into(), self.id().into());
        (event_type, self.data, id)
    }

    /// Returns the last event ID of the stream when this event was dispatched: its own `id`, or
    /// otherwise the last one before it. It is empty if there was none, or if it was reset.
    ///
    /// To resume after this event, store its ID *after* you have handled the event.
    #[must_use]
    pub fn id(&self) -> &str {
        self.id.as_deref().unwrap_or_default()
    }

    /// Reads the data as JSON. `T` may borrow from the data.
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
    /// [`JsonError`] if the data is not JSON, or does not fit `T`.
    #[cfg(feature = "json")]
    pub fn json<'a, T: serde::Deserialize<'a>>(&'a self) -> Result<T, JsonError> {
        json::from_data(&self.data)
    }
}

/// The same as [`Event::new`].
impl From<String> for Event {
    fn from(data: String) -> Self {
        Self::new(data)
    }
}

/// The same as [`Event::new`].
impl From<&str> for Event {
    fn from(data: &str) -> Self {
        Self::new(data)
    }
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Event")
            .field("event_type", &self.event_type())
            .field("data", &self.data())
            .field("id", &self.id())
            .finish()
    }
}
