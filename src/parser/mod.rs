//! Bytes in, events out: the parser, without I/O and without a clock.
//!
//! [`Parser`] interprets an event stream as WHATWG HTML 9.2.6 says. Every face of the crate is a
//! thin one over its `step`, which takes bytes up to the next item, returns where that item's
//! text lies, and lends it last. A chunk goes this way:
//!
//! ```text
//! chunk ─▶ a line that began earlier? ── its piece ──▶ continue_line ─┐
//!            └─ no ─▶ a whole line ─▶ whole_line ─────────────────────┴▶ field ─▶ block ─▶ item
//! ```
//!
//! A data line within one chunk is never copied: the block remembers where it is. It moves to
//! the data buffer when a second one joins it or the chunk ends first. A data line that spans
//! chunks is decoded straight into that buffer.

mod feed;
mod field;
mod lines;
mod shared;

use alloc::{borrow::Cow, string::String, vec::Vec};
use core::{fmt, mem, ops::Range, time::Duration};

use field::{Kind, Name};
use lines::{Decoder, LARGE};
use shared::Types;

pub use feed::Feed;
pub(crate) use lines::Text;
pub(crate) use shared::SharedText;

use crate::event::{Event, EventRef, MESSAGE};

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
pub struct Parser {
    max_event_bytes: usize,
    oversized: Oversized,

    /// Where in a line the last chunk ended.
    place: Place,
    /// The unfinished line, if it is one to keep and not data.
    line: Vec<u8>,
    /// Wire bytes of the unfinished line so far.
    line_len: usize,
    decoder: Decoder,

    block: Block,
    /// What the data lines of the block gave, unless they lie in the chunk.
    data: String,
    /// The event in `data` was handed out: it goes when the next item is asked for.
    spent: bool,
    /// A comment that could not be lent from the chunk.
    comment: String,
    types: Types,
    /// The `id` field of the block, if any. It counts once the block has ended.
    next_id: String,

    last_event_id: SharedText,
    reconnection_time: Option<Duration>,
}

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
#[error("an event of the stream is larger than {limit} bytes")]
#[non_exhaustive]
pub struct EventTooLarge {
    /// The limit that it exceeded, in bytes; see [`Parser::with_max_event_bytes`].
    pub limit: usize,
}

/// What an event stream consists of, in the order of the wire.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Item<'a> {
    /// An event was dispatched.
    Event(EventRef<'a>),
    /// A comment: everything after the colon.
    Comment(&'a str),
    /// The stream set the reconnection time.
    Retry(Duration),
    /// Something was too large to be kept.
    Skipped(Skipped),
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

/// Where in a line the parser is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// At the start of the stream, so many bytes into what may be a byte order mark.
    Bom(u8),
    LineStart,
    /// At the start of a line, unless an LF comes first: it belongs to the CR before it.
    AfterCr,
    /// In a line that is kept in `Parser::line`.
    Kept(Kind),
    /// In a data line, the value of which goes to `Parser::data`.
    Data,
    /// In a line that is dropped as it comes.
    Dropped(Kind),
    /// In an event that is larger than the limit, for good.
    Failed,
}

/// What is known of the block of lines that the next blank line will end.
#[derive(Clone, Debug, Default)]
struct Block {
    data: Data,
    event: Option<u8>,
    has_id: bool,
    /// A data, event or ID line has ended.
    begun: bool,
    /// It is larger than the limit, and is passed over.
    skipped: bool,
    /// Wire bytes of the fields that have ended.
    bytes: u64,
}

/// Where the data of a block is. Ranges are of the text given to `step`, and do not outlive it.
#[derive(Clone, Debug, Default)]
enum Data {
    #[default]
    None,
    InText(Range<usize>),
    Buffered,
}

/// An item, by its place. [`Parser::lend`] and [`Parser::hand_over`] turn it into text.
#[derive(Debug)]
pub(crate) enum Step {
    Event(EventAt),
    Comment(CommentAt),
    Retry(Duration),
    Skipped(Skipped),
}

#[derive(Debug)]
pub(crate) struct EventAt {
    /// `None`: in the data buffer.
    data: Option<Range<usize>>,
    event: Option<u8>,
}

#[derive(Debug)]
pub(crate) enum CommentAt {
    InText(Range<usize>),
    Buffered,
}

/// Which steps the caller is interested in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Want {
    Events,
    Items,
}

/// From so many bytes on, a line is known for what it is, the space after `data:` included.
const DECIDED: usize = 6;

/// A comment is kept up to this many bytes after its colon.
const MAX_COMMENT_BYTES: usize = 64 * 1024;

impl Default for Parser {
    fn default() -> Self {
        Self {
            max_event_bytes: Self::DEFAULT_MAX_EVENT_BYTES,
            oversized: Oversized::default(),
            place: Place::Bom(0),
            line: Vec::new(),
            line_len: 0,
            decoder: Decoder::default(),
            block: Block::default(),
            data: String::new(),
            spent: false,
            comment: String::new(),
            types: Types::default(),
            next_id: String::new(),
            last_event_id: SharedText::default(),
            reconnection_time: None,
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
        let line = match self.place {
            Place::Data => true,
            Place::Kept(Kind::Undecided) => !self.line.starts_with(b"r"),
            Place::Kept(Kind::Field(name)) | Place::Dropped(Kind::Field(name)) => {
                name != Name::Retry
            }
            _ => false,
        };
        line || self.block.begun || self.place == Place::Failed
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

    fn end_of_stream(&mut self) -> Result<Option<EventAt>, EventTooLarge> {
        self.forget_spent();
        if self.place == Place::Failed {
            return Err(self.too_large());
        }
        self.end_line(Want::Events)?;
        match self.end_block() {
            Some(Step::Event(event)) => Ok(Some(event)),
            _ => Ok(None),
        }
    }

    /// Gets ready for the stream of a new connection: forgets the unfinished event and a
    /// failure, and expects a byte order mark again. The last event ID and the reconnection time
    /// stay.
    pub fn reconnect(&mut self) {
        self.place = Place::Bom(0);
        self.line.clear();
        self.line_len = 0;
        self.decoder.clear();
        self.block = Block::default();
        self.data.clear();
        self.spent = false;
    }

    /// Takes `text` from `*at` up to the next item. `None` once all of it is taken.
    ///
    /// `text` has to be the same until then; a text known to be valid has to consist of whole
    /// lines and to begin a line.
    pub(crate) fn step(
        &mut self,
        text: Text<'_>,
        at: &mut usize,
        want: Want,
    ) -> Result<Option<Step>, EventTooLarge> {
        self.forget_spent();
        let bytes = text.bytes();
        while let Some(&first) = bytes.get(*at) {
            let step = match self.place {
                Place::LineStart => self.whole_line(text, at, want)?,
                Place::AfterCr => {
                    self.place = Place::LineStart;
                    *at += usize::from(first == b'\n');
                    None
                }
                Place::Bom(matched) => {
                    self.byte_order_mark(matched, first, at);
                    None
                }
                Place::Kept(_) | Place::Data | Place::Dropped(_) => {
                    self.continue_line(bytes, at, want)?
                }
                Place::Failed => return Err(self.too_large()),
            };
            if let Some(step) = step {
                if !matches!(step, Step::Event(_)) {
                    self.buffer_data(text);
                }
                return Ok(Some(step));
            }
        }
        if self.place == Place::Failed {
            return Err(self.too_large());
        }
        self.buffer_data(text);
        Ok(None)
    }

    /// The next item of `text`, lent.
    pub(crate) fn lend<'a>(&'a mut self, text: Text<'a>, event: &EventAt) -> EventRef<'a> {
        let data = match &event.data {
            None => {
                self.spent = true;
                self.data.as_str()
            }
            Some(range) => match text.get(range.clone()) {
                Cow::Borrowed(data) => data,
                Cow::Owned(data) => {
                    self.spent = true;
                    self.data = data;
                    self.data.as_str()
                }
            },
        };
        let event = event.event.map(|slot| self.types.get(slot));
        EventRef::new(event, data, &self.last_event_id)
    }

    /// The next item of `text`, given away. A large event is moved, not copied.
    #[inline]
    pub(crate) fn hand_over(&mut self, text: Text<'_>, event: &EventAt) -> Event {
        if event.data.is_none() && self.data.len() >= LARGE {
            let mut data = mem::take(&mut self.data);
            // Most of a buffer that had been larger before would be kept for nothing.
            if data.capacity() > data.len() + data.len() / 4 {
                data.shrink_to_fit();
            }
            let kind = event.event.map(|slot| self.types.get(slot));
            return EventRef::new(kind, "", &self.last_event_id).with_data(data);
        }
        self.lend(text, event).to_owned()
    }

    /// The comment of a step, lent.
    pub(crate) fn lend_comment<'a>(&'a mut self, text: Text<'a>, at: &CommentAt) -> &'a str {
        match at {
            CommentAt::Buffered => &self.comment,
            CommentAt::InText(range) => match text.get(range.clone()) {
                Cow::Borrowed(comment) => comment,
                Cow::Owned(comment) => {
                    self.comment = comment;
                    &self.comment
                }
            },
        }
    }

    #[inline]
    fn forget_spent(&mut self) {
        if self.spent {
            self.spent = false;
            self.data.clear();
        }
    }

    /// "The UTF-8 decode algorithm strips one leading byte order mark, if any."
    fn byte_order_mark(&mut self, matched: u8, next: u8, at: &mut usize) {
        let matched = usize::from(matched);
        if next == lines::BOM[matched] {
            *at += 1;
            self.place = match matched + 1 {
                3 => Place::LineStart,
                more => Place::Bom(more as u8),
            };
        } else if matched == 0 {
            self.place = Place::LineStart;
        } else {
            // The beginning of another character, and so of a field without a meaning.
            self.place = Place::Dropped(Kind::Unknown);
        }
    }

    /// At the start of a line: takes it, or as much of it as there is.
    #[inline]
    fn whole_line(
        &mut self,
        text: Text<'_>,
        at: &mut usize,
        want: Want,
    ) -> Result<Option<Step>, EventTooLarge> {
        let bytes = text.bytes();
        let start = *at;
        let Some(len) = lines::end(&bytes[start..]) else {
            self.buffer_data(text);
            self.place = Place::Kept(Kind::Undecided);
            return self.continue_line(bytes, at, want);
        };
        let end = start + len;
        *at = end;
        self.end_of_line(bytes, at);
        if len == 0 {
            return Ok(self.end_block());
        }
        self.line(text, start..end, want)
            .inspect_err(|strike| *at = start + strike)
            .map_err(|_| self.too_large())
    }

    /// In a line that began in an earlier chunk, or that ends in a later one: takes as much of
    /// it as there is.
    fn continue_line(
        &mut self,
        bytes: &[u8],
        at: &mut usize,
        want: Want,
    ) -> Result<Option<Step>, EventTooLarge> {
        let rest = &bytes[*at..];
        let end = lines::end(rest);
        let piece = &rest[..end.unwrap_or(rest.len())];
        let before = self.line_len;
        if let Err(strike) = self.extend_line(piece) {
            *at += strike - before;
            return Err(self.too_large());
        }
        *at += piece.len();
        if end.is_none() {
            return Ok(None);
        }
        let step = self.end_line(want);
        match step {
            Ok(_) => self.end_of_line(bytes, at),
            Err(_) => *at += 1,
        }
        step
    }

    /// Takes the line end at `*at`. A CR is one by itself: nothing waits for the byte after it.
    #[inline]
    fn end_of_line(&mut self, bytes: &[u8], at: &mut usize) {
        let cr = bytes[*at] == b'\r';
        *at += 1;
        self.place = Place::LineStart;
        if cr {
            match bytes.get(*at) {
                None => self.place = Place::AfterCr,
                Some(b'\n') => *at += 1,
                Some(_) => {}
            }
        }
    }

    /// Adds to the unfinished line. The error tells the byte of the line at which the limit
    /// struck.
    fn extend_line(&mut self, piece: &[u8]) -> Result<(), usize> {
        let mut rest = piece;
        self.line_len += piece.len();
        if matches!(self.place, Place::Kept(_)) && self.line.len() < DECIDED {
            let head;
            (head, rest) = piece.split_at(piece.len().min(DECIDED - self.line.len()));
            self.line.extend_from_slice(head);
            self.decide();
        }
        let known = match self.place {
            Place::Data => Some(Name::Data),
            Place::Kept(Kind::Field(name)) => Some(name),
            _ => None,
        };
        if let Some(name) = known {
            self.limit(self.line_len)
                .map_err(|left| name.wire_len().max(left + 1))?;
            if self.passes_over(name, self.line_len) {
                self.drop_line(Kind::Field(name));
            }
        }
        match self.place {
            Place::Data => self.decoder.push(rest, &mut self.data),
            Place::Kept(Kind::Comment) if self.line_len > 1 + MAX_COMMENT_BYTES => {
                self.drop_line(Kind::Comment);
            }
            Place::Kept(_) => self.line.extend_from_slice(rest),
            _ => {}
        }
        Ok(())
    }

    /// Tells from the first bytes of an unfinished line what becomes of it.
    fn decide(&mut self) {
        match field::kind(&self.line) {
            Kind::Unknown => self.drop_line(Kind::Unknown),
            Kind::Field(Name::Data) if self.line.len() == DECIDED => {
                if matches!(self.block.data, Data::Buffered) {
                    self.data.push('\n');
                }
                self.block.data = Data::Buffered;
                let value = field::value_start(&self.line, Name::Data);
                self.decoder.push(&self.line[value..], &mut self.data);
                self.line.clear();
                self.place = Place::Data;
            }
            kind => self.place = Place::Kept(kind),
        }
    }

    fn drop_line(&mut self, kind: Kind) {
        self.line.clear();
        self.decoder.clear();
        self.place = Place::Dropped(kind);
    }

    /// Ends the unfinished line, if there is one.
    fn end_line(&mut self, want: Want) -> Result<Option<Step>, EventTooLarge> {
        let len = mem::take(&mut self.line_len);
        match mem::replace(&mut self.place, Place::LineStart) {
            Place::Data => {
                self.decoder.finish(&mut self.data);
                self.block.bytes += len as u64;
                self.block.begun = true;
                Ok(None)
            }
            Place::Dropped(Kind::Field(name)) => {
                self.block.bytes += len as u64;
                self.block.begun |= name != Name::Retry;
                Ok(None)
            }
            Place::Dropped(Kind::Comment) => Ok(Some(Self::comment(0..len))),
            Place::Kept(_) => {
                let mut line = mem::take(&mut self.line);
                let text = Text::Raw(&line);
                let mut step = self
                    .line(text, 0..len, want)
                    .map_err(|_| self.too_large())?;
                self.buffer_data(text);
                if let Some(Step::Comment(CommentAt::InText(range))) = &step {
                    self.comment = text.get(range.clone()).into_owned();
                    step = Some(Step::Comment(CommentAt::Buffered));
                }
                line.clear();
                self.line = line;
                Ok(step)
            }
            _ => Ok(None),
        }
    }

    /// Interprets a line that is whole and not empty. The error tells the byte of the line at
    /// which the limit struck.
    #[inline]
    fn line(
        &mut self,
        text: Text<'_>,
        line: Range<usize>,
        want: Want,
    ) -> Result<Option<Step>, usize> {
        let bytes = &text.bytes()[line.clone()];
        if bytes[0] == b':' {
            let wanted = want == Want::Items || bytes.len() > 1 + MAX_COMMENT_BYTES;
            return Ok(wanted.then(|| Self::comment(line)));
        }
        let Some((name, value)) = field::split(bytes) else {
            return Ok(None);
        };
        // A name without a colon is known to be one when its line has ended.
        let known = name.wire_len().min(bytes.len() + 1);
        self.limit(bytes.len())
            .map_err(|left| known.max(left + 1).min(bytes.len() + 1))?;
        self.block.bytes += bytes.len() as u64;
        self.block.begun |= name != Name::Retry;
        if self.passes_over(name, bytes.len()) {
            return Ok(None);
        }
        Ok(self.field(name, text, line.start + value..line.end, want))
    }

    /// "The steps to process the field given a field name and a field value."
    #[inline]
    fn field(
        &mut self,
        name: Name,
        text: Text<'_>,
        value: Range<usize>,
        want: Want,
    ) -> Option<Step> {
        match name {
            // "Append the field value to the data buffer, then append a single U+000A LINE FEED
            // (LF) character": here it goes between the values.
            Name::Data => match self.block.data {
                Data::None => self.block.data = Data::InText(value),
                Data::InText(_) | Data::Buffered => {
                    self.buffer_data(text);
                    self.data.push('\n');
                    lines::push(&mut self.data, &text.get(value));
                }
            },
            // "Set the event type buffer to the field value."
            Name::Event => {
                let event = text.get(value);
                let named = !matches!(&*event, "" | MESSAGE);
                self.block.event = named.then(|| self.types.slot(&event));
            }
            // "If the field value does not contain U+0000 NULL, then set the last event ID buffer
            // to the field value. Otherwise, ignore the field."
            Name::Id => {
                if memchr::memchr(0, &text.bytes()[value.clone()]).is_none() {
                    self.next_id.clear();
                    self.next_id.push_str(&text.get(value));
                    self.block.has_id = true;
                }
            }
            // "If the field value consists of only ASCII digits, then interpret the field value
            // as an integer in base ten, and set the event stream's reconnection time to that
            // integer. Otherwise, ignore the field."
            Name::Retry => {
                let millis = field::retry_millis(&text.bytes()[value])?;
                let time = Duration::from_millis(millis);
                self.reconnection_time = Some(time);
                return (want == Want::Items).then_some(Step::Retry(time));
            }
        }
        None
    }

    /// "Dispatch the event": a blank line has come.
    #[inline]
    fn end_block(&mut self) -> Option<Step> {
        let block = mem::take(&mut self.block);
        // "Set the last event ID string of the event source to the value of the last event ID
        // buffer", be there data or not.
        if block.has_id {
            self.last_event_id.set(&self.next_id);
        }
        if block.skipped {
            self.data.clear();
            return Some(Step::Skipped(Skipped::Event { bytes: block.bytes }));
        }
        let data = match block.data {
            // "If the data buffer is an empty string, set the data buffer and the event type
            // buffer to the empty string and return." (`data:` alone is not empty there: LF.)
            Data::None => return None,
            Data::InText(range) => Some(range),
            Data::Buffered => None,
        };
        Some(Step::Event(EventAt {
            data,
            event: block.event,
        }))
    }

    /// Moves the data that lies in `text` to the data buffer.
    #[inline]
    fn buffer_data(&mut self, text: Text<'_>) {
        if let Data::InText(range) = &self.block.data {
            lines::push(&mut self.data, &text.get(range.clone()));
            self.block.data = Data::Buffered;
        }
    }

    fn comment(line: Range<usize>) -> Step {
        let len = line.len() - 1;
        if len > MAX_COMMENT_BYTES {
            Step::Skipped(Skipped::Comment { bytes: len as u64 })
        } else {
            Step::Comment(CommentAt::InText(line.start + 1..line.end))
        }
    }

    /// Holds the limit against a field of which `len` bytes have come. The error tells how many
    /// bytes were left to it.
    #[inline]
    fn limit(&mut self, len: usize) -> Result<(), usize> {
        let left = (self.max_event_bytes as u64).saturating_sub(self.block.bytes);
        if len as u64 <= left || self.block.skipped {
            return Ok(());
        }
        match self.oversized {
            Oversized::Error => {
                self.place = Place::Failed;
                Err(left as usize)
            }
            Oversized::Skip => {
                self.block.skipped = true;
                self.data = String::new();
                self.decoder.clear();
                Ok(())
            }
        }
    }

    /// Whether a field of an event that is passed over is so too. Its ID and the reconnection
    /// time are not, unless they are too large by themselves.
    #[inline]
    fn passes_over(&self, name: Name, len: usize) -> bool {
        self.block.skipped
            && (matches!(name, Name::Data | Name::Event) || len > self.max_event_bytes)
    }

    #[cold]
    fn too_large(&self) -> EventTooLarge {
        EventTooLarge {
            limit: self.max_event_bytes,
        }
    }
}

impl fmt::Debug for Parser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parser")
            .field("last_event_id", &self.last_event_id())
            .field("reconnection_time", &self.reconnection_time)
            .field("has_unfinished", &self.has_unfinished())
            .field("max_event_bytes", &self.max_event_bytes)
            .field("oversized", &self.oversized)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
