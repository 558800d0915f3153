//! What the parser hands out: items, and where their text lies.

use alloc::{borrow::Cow, string::String};
use core::{fmt, mem, time::Duration};

use super::{Parser, lines::Text, size::LARGE};
#[cfg(feature = "std")]
use crate::error::{Error, ErrorKind};
use crate::event::{Event, EventRef};

/// What to do with an event that is larger than the limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Oversized {
    /// The parser fails with [`EventTooLarge`].
    #[default]
    Error,
    /// The event is passed over and reported as [`Item::Skipped`]. Its ID counts.
    Skip,
}

/// An event of the stream is larger than the parser allows.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an event exceeds the limit of {limit} bytes")]
#[non_exhaustive]
pub struct EventTooLarge {
    /// The limit that it exceeded, in bytes; see [`Parser::with_max_event_bytes`].
    pub limit: usize,
}

#[cfg(feature = "std")]
impl From<EventTooLarge> for Error {
    fn from(error: EventTooLarge) -> Self {
        Self::new(ErrorKind::EventTooLarge, error)
    }
}

/// What an event stream consists of, in the order of the wire.
///
/// `Debug` shows how long an event or a comment is, not what is in it.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub enum Item<'a> {
    /// An event was dispatched.
    Event(EventRef<'a>),
    /// A comment: everything after the colon.
    Comment(&'a str),
    /// The stream set the reconnection time.
    Retry(Duration),
    /// A block ended without data: the standard doesn't dispatch it, but it may have set the last
    /// event ID.
    #[non_exhaustive]
    Undispatched {
        /// The event type; `message` if the block named none.
        event_type: &'a str,
        /// The last event ID after the block.
        id: &'a str,
    },
    /// Something was too large to be kept.
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

/// What was passed over for its size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Skipped {
    /// An event, under [`Oversized::Skip`].
    Event {
        /// The wire bytes of the lines of its fields, without their line ends.
        bytes: u64,
    },
    /// A comment of more than 64 KiB.
    Comment {
        /// The wire bytes after its colon.
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

/// An item, by its place. [`Parser::lend`] and [`Parser::hand_over`] turn it into text.
#[derive(Debug)]
pub(crate) enum Step {
    Event(EventAt),
    Aside(Aside),
}

/// What there is in a stream besides events.
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
    /// In the text given to `step`, which it does not outlive.
    InText(Span),
    /// As it came, in `Parser::tail`.
    Kept(Span),
    /// In `Parser::data`, which holds nothing that counts otherwise.
    Buffered,
}

#[derive(Clone, Debug)]
pub(crate) enum CommentAt {
    InText(Span),
    Buffered,
}

/// Which steps the caller is interested in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Want {
    Events,
    Items,
}

impl Parser {
    /// An event of `text`, lent.
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

    /// An event of `text`, given away. A large one is moved, not copied.
    ///
    /// This is inlined down to where the event stays. Each time that an event just written is
    /// copied, the processor waits for the writes: 5 ns.
    #[inline(always)]
    pub(crate) fn hand_over(&mut self, text: Text<'_>, event: &EventAt) -> Event {
        let data = self.own_data(text, event);
        self.own(event, data)
    }

    /// The data of an event of `text`, given away.
    #[inline(always)]
    pub(crate) fn own_data(&mut self, text: Text<'_>, event: &EventAt) -> String {
        if matches!(event.data, Data::Buffered) && self.data.len() >= LARGE {
            return self.move_out();
        }
        self.lend(text, event).data().into()
    }

    /// An event, of its data.
    #[inline(always)]
    pub(crate) fn own(&self, event: &EventAt, data: String) -> Event {
        let event = event.event.map(|slot| self.types.get(slot));
        EventRef::new(event, "", &self.last_event_id).with_data(data)
    }

    /// The type and the last event ID of a block without data.
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
        // Most of a buffer that had been larger before would be kept for nothing.
        if data.capacity() > data.len() + data.len() / 4 {
            data.shrink_to_fit();
        }
        data
    }

    /// The comment of a step, lent.
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

/// The text of a span of `kept`; in `buffer` where that is not UTF-8.
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
