//! The parser: bytes in, events out, without I/O and without a clock.
//!
//! [`Parser`] interprets an event stream as specified in WHATWG HTML 9.2.6. All APIs of the crate
//! are thin layers over one loop over its lines, [`Parser::walk`]. It parses a text up to the next
//! item, and returns where that item's text is. The API then borrows or owns this text.
//!
//! ```text
//! chunk ─▶ Feed, Cursor ─▶ walk ── a whole line ────────────▶ field ─▶ block ─▶ item
//!                            └── a line in pieces ─▶ tail ───────┘
//! ```
//!
//! - `feed`, `cursor`: the borrowed and the owned API. They split a chunk into texts for `walk`: a
//!   short chunk is one text, a long one is split into windows of complete lines that are known to
//!   be UTF-8.
//! - `walk`: the loop over the lines of a text.
//! - `tail`: a line in pieces: its start, its continuation and its end.
//! - `field`: the kind of a line. Only this file knows the names and the colon, except that `walk`
//!   checks for the colon of a comment itself: calling `field` for it costs `keepalive` 4% more
//!   instructions.
//! - `block`: the lines since the last blank line, and the size limit.
//! - `item`: the parser's output, and where its text is.
//! - `lines`: finding the end of a line, and decoding.
//! - `size`, below: the sizes at which the parser changes its strategy, and what each one gains.
//!
//! # Invariants
//!
//! - The data of a block is in one place ([`item::Data`]): in the text that `walk` parses,
//!   undecoded in the tail, or decoded in `Parser::data`. Data in the text must not outlive it:
//!   code that leaves the text before the block has ended calls [`Parser::buffer_data`].
//! - Every field whose line has ended is counted (`Block::admit`, `Block::count`), so a block with
//!   a count of zero has no fields.
//! - A CR ends its line immediately. An LF directly after it belongs to the same line end
//!   ([`Place::AfterCr`]).
//! - Once the limit is exceeded, the parser stays in [`Place::Failed`], and `walk` consumes
//!   nothing.
//! - However a line is split into chunks, each of its bytes is scanned only a few times.
//!
//! # For those who change it
//!
//! Count instructions before and after a change (`benches/README.md`), for all workloads and all
//! chunk sizes. What has mattered most:
//!
//! - Results are passed in registers: `walk` is inlined into the code that borrows or builds an
//!   event. Layers that pass results through memory cost 50 instructions per event.
//! - Everything next to the path of the usual event is `#[cold]`. Otherwise the compiler considers
//!   that path unlikely, because it has many branches, and does not inline the allocation of an
//!   owned event: 48 instructions.
//! - A long line must cost the same per byte in small chunks as in large ones. `tests/memory.rs`
//!   tests this.

mod block;
#[cfg(feature = "std")]
mod cursor;
mod display;
mod feed;
mod field;
mod item;
mod lines;
mod tail;
mod walk;

use alloc::string::String;
use core::{fmt, time::Duration};

use block::Block;
use field::Kind;
use tail::Tail;

#[cfg(feature = "std")]
pub(crate) use cursor::Cursor;
#[cfg(feature = "stream")]
pub(crate) use cursor::Taken;
pub use feed::Feed;
#[cfg(feature = "stream")]
pub(crate) use field::is_field_or_comment;
pub(crate) use item::{Aside, EventAt, Step, Want};
pub use item::{EventTooLarge, Item, Oversized, Skipped};
pub(crate) use lines::Text;

#[cfg(feature = "std")]
use crate::event::Event;
use crate::event::{EventRef, SharedText, Types};

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
/// an [`Item::Skipped`]. Nothing else is limited.
///
/// A clone continues independently from the current position, even in the middle of a line or an
/// event.
#[derive(Clone)]
pub struct Parser {
    max_event_bytes: usize,
    oversized: Oversized,

    /// The position within a line at which the last chunk ended.
    place: Place,
    /// The line in which it ended, and data that is not decoded yet.
    tail: Tail,

    block: Block,
    /// The data of the block, if it is [`Data::Buffered`](item::Data).
    data: String,
    /// A comment that could not be borrowed from the chunk.
    comment: String,
    types: Types,
    /// The value of the block's `id` field, if any. It counts once the block has ended.
    next_id: String,

    last_event_id: SharedText,
    reconnection_time: Option<Duration>,
    /// An item that is not an event, if the caller wants items.
    aside: Option<Aside>,
    /// An event was skipped.
    has_skipped: bool,
}

/// The parser's position within a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
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

    /// Parses the next chunk of the stream. Returns a cursor over the events that the chunk
    /// completes. Read the cursor to its end; otherwise feed the rest of the chunk (after
    /// [`Feed::consumed`] bytes) again.
    pub fn feed<'p, 'c>(&'p mut self, chunk: &'c [u8]) -> Feed<'p, 'c> {
        Feed::new(self, chunk)
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

    /// Whether there is an unfinished event: a `data`, `event` or `id` field, or the start of one,
    /// since the last blank line.
    ///
    /// If the stream ends here, the standard discards that event: "if the file ends in the middle
    /// of an event, before the final empty line, the incomplete event is not dispatched".
    #[must_use]
    pub fn has_unfinished(&self) -> bool {
        self.has_unfinished_field() || self.block.begun || self.place == Place::Failed
    }

    /// Dispatches the unfinished event, as if the stream had ended with a blank line.
    ///
    /// Use it for servers that omit the last blank line. An event that was cut in the middle is
    /// dispatched too. Returns `None` if the event has no data; its ID counts nevertheless. To get
    /// items other than an event, [`feed`](Self::feed) the parser a line end and a blank line
    /// instead: `\n\n`.
    ///
    /// # Errors
    ///
    /// [`EventTooLarge`] if the event exceeds the limit.
    pub fn dispatch_unfinished(&mut self) -> Result<Option<EventRef<'_>>, EventTooLarge> {
        let event = self.end_of_stream()?;
        Ok(event.map(|event| self.lend(Text::Raw(&[]), &event)))
    }

    /// Like [`dispatch_unfinished`](Self::dispatch_unfinished), but returns an owned event.
    #[cfg(feature = "std")]
    pub(crate) fn take_unfinished(&mut self) -> Result<Option<Event>, EventTooLarge> {
        let event = self.end_of_stream()?;
        Ok(event.map(|event| self.hand_over(Text::Raw(&[]), &event)))
    }

    /// Whether an event was skipped since the last call.
    #[cfg(feature = "client")]
    pub(crate) fn take_skipped(&mut self) -> bool {
        core::mem::take(&mut self.has_skipped)
    }

    fn end_of_stream(&mut self) -> Result<Option<EventAt>, EventTooLarge> {
        self.not_failed()?;
        if self.end_line(Want::Events).is_err() {
            self.fail();
        }
        self.not_failed()?;
        Ok(self.end_block(Want::Events))
    }

    /// Prepares for the stream of a new connection: discards an unfinished event and a failure, and
    /// expects a byte order mark again. Keeps the last event ID and the reconnection time.
    pub fn reconnect(&mut self) {
        self.place = Place::Bom(0);
        self.tail.clear();
        self.block = Block::default();
    }
}

/// Does not show the last event ID or the unfinished event, since they may be secret.
impl fmt::Debug for Parser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parser")
            .field("has_last_event_id", &!self.last_event_id().is_empty())
            .field("reconnection_time", &self.reconnection_time)
            .field("has_unfinished", &self.has_unfinished())
            .field("max_event_bytes", &self.max_event_bytes)
            .field("oversized", &self.oversized)
            .finish_non_exhaustive()
    }
}

/// The sizes at which the parser changes its strategy, and what each one gains (`benches/README.md`
/// says how it was measured). Sizes without figures are not about speed.
mod size {
    /// A comment is kept up to this many bytes after its colon. This is part of the public API.
    pub(super) const MAX_COMMENT_BYTES: usize = 64 * 1024;

    /// From this many bytes on, the kind of a line is known, including the space after `data:`.
    pub(super) const DECIDED: usize = 6;

    /// From this many bytes on, a buffer grows by a fifth, and is moved to its event rather than
    /// copied. So a large event takes 1.25 times its size instead of twice.
    pub(super) const LARGE: usize = 16 * 1024;

    /// This much is scanned several times while it stays in the L1 cache. Validating it as UTF-8 at
    /// once reduces an event of 250 bytes in an `EventStream` from 1057 instructions to 831.
    pub(super) const WINDOW: usize = 16 * 1024;

    /// Chunks shorter than this are not split into windows: in chunks of 64 bytes, `openai` takes
    /// 93 ns instead of 120.
    pub(super) const WORTH_A_WINDOW: usize = 256;

    /// Anything shorter than this is not copied into a window, nor is a chunk that is a single
    /// event: an event of 1 KiB in its own HTTP chunk takes 5577 instructions instead of 6154.
    #[cfg(feature = "std")]
    pub(super) const WORTH_A_COPY: usize = 1024;

    /// Data shorter than this is kept undecoded, and decoded once: in chunks of 1 byte, `openai`
    /// takes half the instructions.
    pub(super) const SPILL: usize = 1024;

    /// How many times eight bytes are searched for a line end before `memchr` is called. The second
    /// time makes `keepalive` 22% faster, and costs 12 instructions for a longer line.
    pub(super) const LOOKS: usize = 2;

    /// Up to this many bytes in the middle of a line are searched 32 at a time: 64 bytes take 4 ns,
    /// instead of 7 with `memchr`.
    pub(super) const LONG_PIECE: usize = 128;

    /// Below this, the standard library validates UTF-8 as fast as SIMD does.
    pub(super) const WORTH_SIMD: usize = 64;
}

#[cfg(test)]
mod tests;
