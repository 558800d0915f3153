//! The parser's output: items, and where their text is.

use alloc::{borrow::Cow, string::String};
use core::{fmt, mem, time::Duration};

use super::{Parser, lines::Text, size::LARGE};
#[cfg(feature = "std")]
use crate::error::{Error, ErrorKind};
use crate::event::{Event, EventRef};

/// What to do with an event that exceeds the size limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Oversized {
    /// The parser fails with [`EventTooLarge`].
    #[default]
    Error,
    /// The event is skipped and reported as [`Item::Skipped`]. Its ID still becomes the last event
    /// ID.
    Skip,
}

/// An event of the stream exceeds the size limit.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an event exceeds the limit of {limit} bytes")]
#[non_exhaustive]
pub struct EventTooLarge {
    /// The limit, in bytes; see [`Parser::with_max_event_bytes`].
    pub limit: usize,
}

#[cfg(feature = "std")]
impl From<EventTooLarge> for Error {
    fn from(error: EventTooLarge) -> Self {
        Self::new(ErrorKind::EventTooLarge, error)
    }
}

/// An item of an event stream. Items are in the order of the stream.
///
/// `Debug` shows the length of an event or a comment, but not its contents.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub enum Item<'a> {
    /// An event.
    Event(EventRef<'a>),
    /// A comment: everything after the colon.
    Comment(&'a str),
    /// The stream set the reconnection time.
    Retry(Duration),
    /// A block without data. The standard doesn't dispatch it, but it may have set the last event
    /// ID.
    #[non_exhaustive]
    Undispatched {
        /// The event type; `message` if the block has none.
        event_type: &'a str,
        /// The last event ID after the block.
        id: &'a str,
    },
    /// Something that was skipped because of its size.
    Skipped(Skipped),
}

impl fmt::Debug for Item<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Event(event) => f
                .debug_struct("Event")
                .field("data_bytes", &event.data().len())
                .finish_non_exhaustive(),
            Self::Comment(text) => f
                .debug_struct("Comment")
                .field("bytes", &text.len())
                .finish_non_exhaustive(),
            Self::Retry(time) => f.debug_tuple("Retry").field(time).finish(),
            Self::Undispatched { .. } => f.debug_struct("Undispatched").finish_non_exhaustive(),
            Self::Skipped(skipped) => f.debug_tuple("Skipped").field(skipped).finish(),
        }
    }
}

/// What was skipped because of its size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Skipped {
    /// An event, with [`Oversized::Skip`].
    Event {
        /// The number of bytes in its field lines, without line ends.
        bytes: u64,
    },
    /// A comment over 64 KiB.
    Comment {
        /// The number of bytes after its colon.
        bytes: u64,
    },
}

/// A range that is `Copy`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span {
    pub(super) start: usize,
    pub(super) end: usize,
}

impl Span {
    #[inline]
    pub(super) fn len(self) -> usize {
        self.end - self.start
    }
}

/// An item, as positions in the text. [`Parser::lend`] and [`Parser::hand_over`] resolve them.
#[derive(Debug)]
pub(crate) enum Step {
    Event(EventAt),
    Aside(Aside),
}

/// An item that is not an event.
#[derive(Clone, Debug)]
pub(crate) enum Aside {
    Comment(CommentAt),
    Retry(Duration),
    /// A block without data, and its type.
    Undispatched(Option<u8>),
    Skipped(Skipped),
}

#[derive(Debug)]
pub(crate) struct EventAt {
    pub(super) data: Data,
    pub(super) event: Option<u8>,
}

/// Where the data of a block is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Data {
    /// In the text passed to `walk`. Must not outlive it.
    InText(Span),
    /// Undecoded, in `Parser::tail`.
    Kept(Span),
    /// Decoded, in `Parser::data`, which is otherwise unused.
    Buffered,
}

#[derive(Clone, Debug)]
pub(crate) enum CommentAt {
    InText(Span),
    Buffered,
}

/// Which steps the caller wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Want {
    Events,
    Items,
}

impl Parser {
    /// Returns an event of `text`, borrowed.
    #[inline(always)]
    pub(crate) fn lend<'a>(&'a mut self, text: Text<'a>, event: &EventAt) -> EventRef<'a> {
        let data = match event.data {
            Data::InText(span) => match text.get(span) {
                Cow::Borrowed(data) => data,
                Cow::Owned(data) => {
                    self.data = data;
                    self.data.as_str()
                }
            },
            Data::Kept(span) => lend_kept(&self.tail.kept, span, &mut self.data),
            Data::Buffered => self.data.as_str(),
        };
        let event = event.event.map(|slot| self.types.get(slot));
        EventRef::new(event, data, &self.last_event_id)
    }

    /// Returns an event of `text`, owned. A large one is moved, not copied.
    ///
    /// This is inlined into the code that stores the event. Each copy of an event that was just
    /// written makes the processor wait for the writes: 5 ns.
    #[inline(always)]
    pub(crate) fn hand_over(&mut self, text: Text<'_>, event: &EventAt) -> Event {
        let data = self.own_data(text, event);
        self.own(event, data)
    }

    /// Returns the data of an event of `text`, owned.
    #[inline(always)]
    pub(crate) fn own_data(&mut self, text: Text<'_>, event: &EventAt) -> String {
        if matches!(event.data, Data::Buffered) && self.data.len() >= LARGE {
            return self.move_out();
        }
        self.lend(text, event).data().into()
    }

    /// Builds an event from its data.
    #[inline(always)]
    pub(crate) fn own(&self, event: &EventAt, data: String) -> Event {
        let event = event.event.map(|slot| self.types.get(slot));
        EventRef::new(event, "", &self.last_event_id).with_data(data)
    }

    /// Returns the type and the last event ID of a block without data.
    pub(crate) fn lend_undispatched(&self, event: Option<u8>) -> (&str, &str) {
        let event = event.map(|slot| self.types.get(slot));
        let event = EventRef::new(event, "", &self.last_event_id);
        (event.event_type(), event.id())
    }

    /// The same, owned.
    #[cfg(feature = "stream")]
    pub(crate) fn undispatched(&self, event: Option<u8>) -> super::Taken {
        let (event_type, id) = self.lend_undispatched(event);
        super::Taken::Undispatched {
            event_type: event_type.into(),
            id: id.into(),
        }
    }

    fn move_out(&mut self) -> String {
        let mut data = mem::take(&mut self.data);
        // The buffer may have been larger before: don't keep unused memory.
        if data.capacity() > data.len() + data.len() / 4 {
            data.shrink_to_fit();
        }
        data
    }

    /// Returns the comment of a step, borrowed.
    pub(crate) fn lend_comment<'a>(&'a mut self, text: Text<'a>, at: &CommentAt) -> &'a str {
        match *at {
            CommentAt::Buffered => &self.comment,
            CommentAt::InText(span) => match text.get(span) {
                Cow::Borrowed(comment) => comment,
                Cow::Owned(comment) => {
                    self.comment = comment;
                    &self.comment
                }
            },
        }
    }
}

/// Returns the text of a span of `kept`. If that is not UTF-8, decodes it into `buffer`.
#[inline(never)]
fn lend_kept<'a>(kept: &'a [u8], span: Span, buffer: &'a mut String) -> &'a str {
    match Text::Raw(kept).get(span) {
        Cow::Borrowed(text) => text,
        Cow::Owned(text) => {
            *buffer = text;
            buffer
        }
    }
}
