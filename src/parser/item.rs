//! The parser's output: items, as users see them and as positions in the text.

use core::{fmt, time::Duration};

#[cfg(feature = "std")]
use crate::error::{Error, ErrorKind};
use crate::event::EventRef;

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
    /// The limit, in bytes; see [`Parser::with_max_event_bytes`](crate::Parser::with_max_event_bytes).
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
    #[non_exhaustive]
    Event {
        /// The number of bytes in its field lines, without line ends.
        bytes: u64,
    },
    /// A comment over 64 KiB.
    #[non_exhaustive]
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

/// An item, as positions in the text. `Parser::lend` and `Parser::hand_over` resolve them.
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
