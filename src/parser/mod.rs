//! Bytes in, events out: the parser, without I/O and without a clock.
//!
//! [`Parser`] interprets an event stream as WHATWG HTML 9.2.6 says. Every face of the crate is thin
//! and uses the one walk over its lines, [`Parser::walk`], which takes a text up to the next item and
//! says where that item's text is. The face lends or hands it over last.
//!
//! ```text
//! chunk ─▶ Feed, Cursor ─▶ walk ── a whole line ────────────▶ field ─▶ block ─▶ item
//!                            └── a line in pieces ─▶ tail ───────┘
//! ```
//!
//! - `feed`, `cursor`: the faces. They cut a chunk into texts for the walk: a short chunk as it is, a
//!   long one in windows of whole lines that are known to be UTF-8.
//! - `walk`: the lines of a text, one after another.
//! - `tail`: a line in pieces: where it begins, goes on and ends.
//! - `field`: what a line is. It alone knows the names and the colon, but for the colon of a comment
//!   in the walk: asking `field` for it costs `keepalive` 4% of its instructions.
//! - `block`: what the lines since the last blank line add up to, and the limit.
//! - `item`: what is handed out, and where its text is.
//! - `lines`: bytes and text: where a line ends, and decoding.
//! - `size`, below: at which sizes something else is done, and what that earns.
//!
//! # Invariants
//!
//! - The data of a block is in one place ([`item::Data`]): in the text of the walk, in the tail as it
//!   came, or decoded in `Parser::data`. It never outlives its text: whatever leaves the text before
//!   the block has ended calls [`Parser::buffer_data`].
//! - A line that has ended is counted (`Block::admit`, `Block::count`), so that a block without bytes
//!   has no fields.
//! - A CR ends its line at once. An LF right after it belongs to it ([`Place::AfterCr`]).
//! - Once the limit has struck, [`Place::Failed`] stays, and the walk takes nothing.
//! - However a line is cut, no byte of it is looked at more than a few times.
//!
//! # For those who change it
//!
//! Count instructions before and after (`benches/README.md`), in all workloads and all sizes of chunks.
//! What has mattered most:
//!
//! - What is found goes through registers: the walk is inlined down to where an event is lent or
//!   built. Layers that pass results on through memory cost 50 instructions an event.
//! - Where the usual event is taken, everything else is `#[cold]`. Without it the compiler takes the
//!   usual way for an unlikely one, since there are many branches on it, and leaves the allocation of
//!   an owned event a call: 48 instructions.
//! - A long line in small chunks must cost as much per byte as in large ones. There is a test for it in
//!   `tests/memory.rs`.

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
/// It takes the stream in any pieces and lends each event as soon as the blank line that ends it
/// has come, CR, LF and CRLF alike. It does no I/O, never asks for the time and needs `alloc`
/// only.
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
/// An event is limited to [16 MiB](Self::with_max_event_bytes), and a comment to 64 KiB: a longer
/// one is an [`Item::Skipped`]. Nothing else is.
///
/// A clone goes on by itself from where the parser is, in the middle of a line or an event, too.
#[derive(Clone)]
pub struct Parser {
    max_event_bytes: usize,
    oversized: Oversized,

    /// Where in a line the last chunk ended.
    place: Place,
    /// The line that it ended in, and data that stays as it came.
    tail: Tail,

    block: Block,
    /// What the data lines of the block gave, where that is [`Data::Buffered`](item::Data).
    data: String,
    /// A comment that could not be lent from the chunk.
    comment: String,
    types: Types,
    /// The `id` field of the block, if any. It counts once the block has ended.
    next_id: String,

    last_event_id: SharedText,
    reconnection_time: Option<Duration>,
    /// What came besides events, while items are wanted.
    aside: Option<Aside>,
    /// An event was passed over.
    has_skipped: bool,
}

/// Where in a line the parser is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// At the start of the stream, so many bytes into what may be a byte order mark.
    Bom(u8),
    LineStart,
    /// At the start of a line, unless an LF comes first: it belongs to the CR before it.
    AfterCr,
    /// In a line of which everything is kept in `Parser::tail`.
    Kept(Kind),
    /// In a data line, the value of which goes to `Parser::data`.
    Spilled,
    /// In a line that is dropped as it comes.
    Dropped(Kind),
    /// In a comment that nobody asked for.
    Passed,
    /// In an event that is larger than the limit, for good.
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

    /// A parser at the start of a stream.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Starts with a last event ID other than the empty string, such as one stored by an earlier
    /// run of the program.
    #[must_use]
    pub fn with_last_event_id(mut self, id: impl Into<String>) -> Self {
        self.last_event_id = SharedText::from(id.into());
        self
    }

    /// The largest event to take, in bytes; 16 MiB by default.
    ///
    /// Counted are the wire bytes of its `data`, `event`, `id` and `retry` lines, names included,
    /// line ends not. Comments and unknown fields are dropped as they come and never count. The
    /// limit strikes at the byte that exceeds it, however the stream is split into chunks.
    #[must_use]
    pub fn with_max_event_bytes(mut self, bytes: usize) -> Self {
        self.max_event_bytes = bytes;
        self
    }

    /// What to do with an event that is larger than the limit: fail, by default.
    #[must_use]
    pub fn with_oversized(mut self, oversized: Oversized) -> Self {
        self.oversized = oversized;
        self
    }

    /// Takes the next chunk of the stream. The cursor that it returns lends what the chunk
    /// completes; it has to be read to its end, or the rest of the chunk
    /// ([`Feed::consumed`]) fed again.
    pub fn feed<'p, 'c>(&'p mut self, chunk: &'c [u8]) -> Feed<'p, 'c> {
        Feed::new(self, chunk)
    }

    /// The last event ID (9.2.2): that of the last block of lines that has ended. Empty where
    /// there was none.
    ///
    /// Nothing is read ahead: it is never that of an event which was not handed out yet.
    #[must_use]
    pub fn last_event_id(&self) -> &str {
        self.last_event_id.as_str()
    }

    /// The reconnection time (9.2.2), once a `retry` field has set one.
    #[must_use]
    pub fn reconnection_time(&self) -> Option<Duration> {
        self.reconnection_time
    }

    /// Whether the stream, if it ended now, would leave an event unfinished: since the last
    /// blank line there was a `data`, `event` or `id` field, or the beginning of one.
    ///
    /// The standard discards such an event: "if the file ends in the middle of an event, before
    /// the final empty line, the incomplete event is not dispatched".
    #[must_use]
    pub fn has_unfinished(&self) -> bool {
        self.has_unfinished_field() || self.block.begun || self.place == Place::Failed
    }

    /// Dispatches the unfinished event, as if the stream had ended with a blank line.
    ///
    /// It is for servers that leave out the last blank line; an event cut in the middle is
    /// dispatched as well. `None` where there is no data.
    ///
    /// # Errors
    ///
    /// [`EventTooLarge`] where the limit had already struck.
    pub fn dispatch_unfinished(&mut self) -> Result<Option<EventRef<'_>>, EventTooLarge> {
        let event = self.end_of_stream()?;
        Ok(event.map(|event| self.lend(Text::Raw(&[]), &event)))
    }

    /// As [`dispatch_unfinished`](Self::dispatch_unfinished), with an event of one's own.
    #[cfg(feature = "std")]
    pub(crate) fn take_unfinished(&mut self) -> Result<Option<Event>, EventTooLarge> {
        let event = self.end_of_stream()?;
        Ok(event.map(|event| self.hand_over(Text::Raw(&[]), &event)))
    }

    /// Whether an event was passed over since this was asked last.
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

    /// Gets ready for the stream of a new connection: forgets the unfinished event and a
    /// failure, and expects a byte order mark again. The last event ID and the reconnection time
    /// stay.
    pub fn reconnect(&mut self) {
        self.place = Place::Bom(0);
        self.tail.clear();
        self.block = Block::default();
    }
}

/// Shows neither the last event ID nor what has come of an event: they may be secret.
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

/// At which sizes the parser does something else, and what that earns (`benches/README.md` says how
/// it was measured). The others in this table are no matter of speed.
mod size {
    /// A comment is kept up to this many bytes after its colon. Part of the interface.
    pub(super) const MAX_COMMENT_BYTES: usize = 64 * 1024;

    /// From so many bytes on, a line is known for what it is, the space after `data:` included.
    pub(super) const DECIDED: usize = 6;

    /// From this many bytes on, a buffer grows by a fifth and its event is handed over rather than
    /// copied. A large event takes 1.25 times its size then, and not twice.
    pub(super) const LARGE: usize = 16 * 1024;

    /// So much is looked at several times while it stays in the processor's first cache. Known to be
    /// UTF-8 by one look, it makes an event of 250 bytes in an `EventStream` 831 instructions instead
    /// of 1057.
    pub(super) const WINDOW: usize = 16 * 1024;

    /// Less than this is taken as it lies: in chunks of 64 bytes `openai` takes 93 ns instead of 120.
    pub(super) const WORTH_A_WINDOW: usize = 256;

    /// Less than this is not copied into a window, nor is a chunk that is one event: one of 1 KiB in
    /// its own HTTP chunk takes 5577 instructions instead of 6154.
    #[cfg(feature = "std")]
    pub(super) const WORTH_A_COPY: usize = 1024;

    /// Less data than this is kept as it came, and decoded once: in chunks of 1 byte `openai` takes
    /// half the instructions.
    pub(super) const SPILL: usize = 1024;

    /// How often eight bytes are looked at for a line end before `memchr` is called. The second look
    /// makes `keepalive` 22% faster and costs a longer line 12 instructions.
    pub(super) const LOOKS: usize = 2;

    /// Up to so many bytes in the middle of a line are looked through 32 at a time: 64 bytes take 4 ns,
    /// and 7 with `memchr`.
    pub(super) const LONG_PIECE: usize = 128;

    /// Below this, the standard library validates UTF-8 as fast as SIMD does.
    pub(super) const WORTH_SIMD: usize = 64;
}

#[cfg(test)]
mod tests;
