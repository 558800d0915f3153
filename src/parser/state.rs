//! [`Parser`], its state between two chunks, and its settings.

use alloc::string::String;
use core::time::Duration;

use super::{
    field::Kind,
    item::{Aside, Data, Oversized},
    tail::Tail,
};
use crate::event::{SharedText, Types};

/// Incremental parser of event streams (WHATWG HTML 9.2.6).
///
/// It accepts the stream in chunks of any size. It returns each event as soon as the blank line
/// that ends it has arrived; lines can end with CR, LF or CRLF. It does no I/O, never reads a
/// clock, and only needs `alloc`.
///
/// ```
/// use everstream::Parser;
///
/// let mut parser = Parser::new();
/// for chunk in [&b"data: Hel"[..], b"lo\nid: 7\n\ndata: wor", b"ld\n\n"] {
///     let mut feed = parser.feed(chunk);
///     while let Some(event) = feed.next_event()? {
///         println!("{} {:?}", event.id(), event.data());
///     }
/// }
/// assert_eq!(parser.last_event_id(), "7");
/// # Ok::<(), everstream::EventTooLarge>(())
/// ```
///
/// # Where it goes beyond the standard
///
/// An event is limited to [16 MiB](Self::with_max_event_bytes) by default. A comment over 64 KiB is
/// an [`Item::Skipped`](crate::Item::Skipped). Nothing else is limited.
///
/// A clone continues independently from the current position, even in the middle of a line or an
/// event.
#[derive(Clone)]
pub struct Parser {
    pub(super) max_event_bytes: usize,
    pub(super) oversized: Oversized,

    /// The position within a line at which the last chunk ended.
    pub(super) place: Place,
    /// The line in which it ended, and data that is not decoded yet.
    pub(super) tail: Tail,

    pub(super) block: Block,
    /// The data of the block, if it is [`Data::Buffered`].
    pub(super) data: String,
    /// A comment that could not be borrowed from the chunk.
    pub(super) comment: String,
    pub(super) types: Types,
    /// The value of the block's `id` field, if any. It counts once the block has ended.
    pub(super) next_id: String,

    pub(super) last_event_id: SharedText,
    pub(super) reconnection_time: Option<Duration>,
    /// An item that is not an event, if the caller wants items.
    pub(super) aside: Option<Aside>,
    /// An event was skipped.
    pub(super) has_skipped: bool,
}

/// The parser's position within a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// At the start of the stream, after this many bytes of a possible byte order mark.
    Bom(u8),
    LineStart,
    /// At the start of a line, after a CR: if an LF follows, it belongs to that CR.
    AfterCr,
    /// In a line that is kept completely in `Parser::tail`.
    Kept(Kind),
    /// In a data line whose value is decoded into `Parser::data`.
    Spilled,
    /// In a line that is dropped as it arrives.
    Dropped(Kind),
    /// In a comment that the caller does not want.
    Passed,
    /// In an event that exceeds the limit; final.
    Failed,
}

/// What is known about the block so far.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Block {
    pub(super) data: Option<Data>,
    pub(super) event: Option<u8>,
    /// `Parser::next_id` is the ID of this block.
    pub(super) has_id: bool,
    /// A data, event or ID line has ended.
    pub(super) begun: bool,
    /// It exceeds the limit, and is skipped.
    pub(super) skipped: bool,
    /// The bytes of the fields that have ended, without line ends.
    pub(super) bytes: u64,
}

impl Block {
    /// Whether no field of it has ended yet. At the start of a line, nothing is known about it
    /// then.
    #[inline]
    pub(super) fn is_new(&self) -> bool {
        self.bytes == 0
    }

    /// Counts its first line, of `len` bytes.
    #[inline]
    pub(super) fn begin(&mut self, len: usize) {
        self.begun = true;
        self.bytes = len as u64;
    }
}

impl Default for Parser {
    fn default() -> Self {
        Self {
            max_event_bytes: Self::DEFAULT_MAX_EVENT_BYTES,
            oversized: Oversized::default(),
            place: Place::Bom(0),
            tail: Tail::default(),
            block: Block::default(),
            data: String::new(),
            comment: String::new(),
            types: Types::default(),
            next_id: String::new(),
            last_event_id: SharedText::default(),
            reconnection_time: None,
            aside: None,
            has_skipped: false,
        }
    }
}

impl Parser {
    /// The default of [`with_max_event_bytes`](Self::with_max_event_bytes): 16 MiB.
    pub const DEFAULT_MAX_EVENT_BYTES: usize = 16 * 1024 * 1024;

    /// Creates a parser at the start of a stream.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the last event ID to start with, such as one stored by an earlier run of the program.
    /// By default it is the empty string.
    #[must_use]
    pub fn with_last_event_id(mut self, id: impl Into<String>) -> Self {
        self.last_event_id = SharedText::from(id.into());
        self
    }

    /// Sets the size limit of an event in bytes; 16 MiB by default.
    ///
    /// The size of an event is the number of bytes in its `data`, `event`, `id` and `retry` lines,
    /// including the field names, without line ends. Comments and unknown fields don't count. The
    /// parser stops at the byte that exceeds the limit, however the stream is split into chunks.
    #[must_use]
    pub fn with_max_event_bytes(mut self, bytes: usize) -> Self {
        self.max_event_bytes = bytes;
        self
    }

    /// Sets what to do with an event that exceeds the limit. By default, the parser fails.
    #[must_use]
    pub fn with_oversized(mut self, oversized: Oversized) -> Self {
        self.oversized = oversized;
        self
    }

    /// Returns the last event ID (9.2.2), as of the last block of lines that has ended. It is empty
    /// if there was none.
    ///
    /// The parser doesn't read ahead: this is never the ID of an event that was not returned yet.
    #[must_use]
    pub fn last_event_id(&self) -> &str {
        self.last_event_id.as_str()
    }

    /// Returns the reconnection time (9.2.2), or `None` if no `retry` field has set it yet.
    #[must_use]
    pub fn reconnection_time(&self) -> Option<Duration> {
        self.reconnection_time
    }

    /// Whether an event was skipped since the last call.
    #[cfg(feature = "client")]
    pub(crate) fn take_skipped(&mut self) -> bool {
        core::mem::take(&mut self.has_skipped)
    }

    /// Prepares for the stream of a new connection: discards an unfinished event and a failure, and
    /// expects a byte order mark again. Keeps the last event ID and the reconnection time.
    pub fn reconnect(&mut self) {
        self.place = Place::Bom(0);
        self.tail.clear();
        self.block = Block::default();
    }
}
