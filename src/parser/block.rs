//! lines → fields → items: the block of lines that the next blank line will end, and the size limit.

use alloc::string::String;
use core::time::Duration;

use super::{
    EventTooLarge, Oversized, Parser, Place, Skipped,
    field::{self, Kind, Name},
    item::{Aside, CommentAt, Data, EventAt, Span, Want},
    lines::{self, Text},
    size::{MAX_COMMENT_BYTES, SPILL},
};
use crate::event::MESSAGE;

/// The limit was exceeded at this byte of a line.
#[derive(Debug)]
pub(super) struct OverLimit(pub(super) usize);

impl Parser {
    /// Interprets a complete, non-empty line of this kind, whose value starts at byte `value`.
    #[inline(never)]
    pub(super) fn line(
        &mut self,
        text: Text<'_>,
        line: Span,
        kind: Kind,
        value: usize,
        want: Want,
    ) -> Result<(), OverLimit> {
        let len = line.end - line.start;
        let (name, value) = match kind {
            Kind::Field(name) => (name, value),
            Kind::Comment => {
                if want == Want::Items {
                    self.aside = Some(comment(line.start, len));
                }
                return Ok(());
            }
            Kind::Undecided | Kind::Unknown => {
                match field::name_alone(&text.bytes()[line.start..line.end]) {
                    Some(name) => (name, len),
                    None => return Ok(()),
                }
            }
        };
        let value = Span {
            start: line.start + value,
            end: line.end,
        };
        self.field(name, text, value, len, want)
    }

    /// Consumes the line end at `at`, and returns where the next line starts. A CR ends the line
    /// immediately, without waiting for the next byte.
    #[inline]
    pub(super) fn end_of_line(&mut self, bytes: &[u8], at: usize) -> usize {
        if bytes[at] == b'\n' {
            return at + 1;
        }
        match bytes.get(at + 1) {
            Some(b'\n') => at + 2,
            Some(_) => at + 1,
            None => {
                self.place = Place::AfterCr;
                at + 1
            }
        }
    }

    /// "The steps to process the field given a field name and a field value", where `len` is the
    /// length of the line.
    #[inline]
    pub(super) fn field(
        &mut self,
        name: Name,
        text: Text<'_>,
        value: Span,
        len: usize,
        want: Want,
    ) -> Result<(), OverLimit> {
        if !self.admit(name, len)? {
            return Ok(());
        }
        match name {
            // "Append the field value to the data buffer, then append a single U+000A LINE FEED
            // (LF) character": here it goes between the values.
            Name::Data => match self.block.data {
                None => self.block.data = Some(Data::InText(value)),
                Some(_) => self.append(text, value),
            },
            // "Set the event type buffer to the field value."
            Name::Event => {
                let bytes = &text.bytes()[value.start..value.end];
                self.block.event = self.types.repeated(bytes).or_else(|| {
                    let event = text.get(value);
                    let named = !matches!(&*event, "" | MESSAGE);
                    named.then(|| self.types.slot(&event))
                });
            }
            // "If the field value does not contain U+0000 NULL, then set the last event ID buffer
            // to the field value. Otherwise, ignore the field."
            Name::Id => {
                if !text.bytes()[value.start..value.end].contains(&0) {
                    self.next_id.clear();
                    self.next_id.push_str(&text.get(value));
                    self.block.has_id = true;
                }
            }
            Name::Retry => self.retry(&text.bytes()[value.start..value.end], want),
        }
        Ok(())
    }

    /// Counts a field whose line of `len` bytes has ended, and returns whether to process it.
    #[inline]
    pub(super) fn admit(&mut self, name: Name, len: usize) -> Result<bool, OverLimit> {
        let bytes = self.block.bytes + len as u64;
        self.block.begun |= name != Name::Retry;
        let mut admitted = true;
        if bytes > self.max_event_bytes as u64 || self.block.skipped {
            admitted = self
                .limit(name, len)
                .map_err(|OverLimit(at)| OverLimit(at.min(len + 1)))?;
        }
        self.block.bytes = bytes;
        Ok(admitted)
    }

    /// "If the field value consists of only ASCII digits, then interpret the field value as an
    /// integer in base ten, and set the event stream's reconnection time to that integer.
    /// Otherwise, ignore the field."
    #[cold]
    fn retry(&mut self, value: &[u8], want: Want) {
        let Some(millis) = field::retry_millis(value) else {
            return;
        };
        let time = Duration::from_millis(millis);
        self.reconnection_time = Some(time);
        if want == Want::Items {
            self.aside = Some(Aside::Retry(time));
        }
    }

    /// "Dispatch the event": ends the block at a blank line.
    #[inline]
    pub(super) fn end_block(&mut self, want: Want) -> Option<EventAt> {
        let block = core::mem::take(&mut self.block);
        // "Set the last event ID string of the event source to the value of the last event ID
        // buffer", with or without data.
        if block.has_id {
            self.last_event_id.set(&self.next_id);
            crate::event::empty(&mut self.next_id);
        }
        if block.skipped {
            self.has_skipped = true;
            if want == Want::Items {
                let bytes = block.bytes;
                self.aside = Some(Aside::Skipped(Skipped::Event { bytes }));
            }
            return None;
        }
        // "If the data buffer is an empty string, set the data buffer and the event type buffer to
        // the empty string and return." (After a single `data:` line, the buffer is not empty: it
        // contains an LF.)
        let Some(data) = block.data else {
            if want == Want::Items && (block.has_id || block.event.is_some()) {
                self.aside = Some(Aside::Undispatched(block.event));
            }
            return None;
        };
        Some(EventAt {
            data,
            event: block.event,
        })
    }

    /// Copies data that is in `text` to a buffer that outlives it.
    #[inline]
    pub(super) fn buffer_data(&mut self, text: Text<'_>) {
        if let Some(Data::InText(span)) = self.block.data {
            self.buffer(text, span);
        }
    }

    #[inline(never)]
    fn buffer(&mut self, text: Text<'_>, span: Span) {
        self.block.data = Some(match text {
            Text::Raw(bytes) if span.len() < SPILL => {
                Data::Kept(self.tail.keep_data(&bytes[span.start..span.end]))
            }
            _ => {
                self.data.clear();
                lines::push(&mut self.data, &text.get(span));
                Data::Buffered
            }
        });
    }

    /// Appends a value to the data of the block. Short data is kept undecoded, so that all its
    /// values are decoded at once.
    pub(super) fn append(&mut self, text: Text<'_>, value: Span) {
        self.buffer_data(text);
        match &mut self.block.data {
            Some(Data::Kept(span)) if span.len() + value.len() < SPILL => {
                self.tail.join_data(&text.bytes()[value.start..value.end]);
                span.end += 1 + value.len();
            }
            _ => {
                self.begin_value();
                lines::push(&mut self.data, &text.get(value));
            }
        }
    }

    /// Decodes the data of the block, before another value is appended.
    pub(super) fn begin_value(&mut self) {
        self.decode_kept();
        match self.block.data {
            Some(_) => self.data.push('\n'),
            None => self.data.clear(),
        }
        self.block.data = Some(Data::Buffered);
    }

    /// Decodes the kept data into the data buffer.
    #[inline]
    pub(super) fn decode_kept(&mut self) {
        if let Some(Data::Kept(span)) = self.block.data {
            self.decode(span);
        }
    }

    #[inline(never)]
    fn decode(&mut self, kept: Span) {
        self.data.clear();
        lines::push(&mut self.data, &Text::Raw(&self.tail.kept).get(kept));
        self.block.data = Some(Data::Buffered);
    }

    /// The number of bytes that the block's next field may still have.
    #[inline]
    pub(super) fn left(&self) -> usize {
        (self.max_event_bytes as u64).saturating_sub(self.block.bytes) as usize
    }

    /// Checks the limit for a field of which `len` bytes have arrived, and returns whether to
    /// process the field. The limit is exceeded at the first byte over it, but not before the
    /// field's name is known.
    ///
    /// The ID and the reconnection time of a skipped event are still processed, unless they exceed
    /// the limit on their own.
    #[cold]
    pub(super) fn limit(&mut self, name: Name, len: usize) -> Result<bool, OverLimit> {
        let left = self.left();
        if len > left && !self.block.skipped {
            match self.oversized {
                Oversized::Error => return Err(OverLimit(name.wire_len().max(left + 1))),
                Oversized::Skip => {
                    self.block.skipped = true;
                    self.block.data = None;
                    self.data = String::new();
                }
            }
        }
        let counts = matches!(name, Name::Id | Name::Retry) && len <= self.max_event_bytes;
        Ok(counts || !self.block.skipped)
    }

    /// Counts the bytes of a field that was dropped or decoded as it arrived.
    pub(super) fn count(&mut self, name: Name, len: usize) {
        self.block.bytes += len as u64;
        self.block.begun |= name != Name::Retry;
    }

    /// Fails, because the limit was exceeded.
    #[cold]
    pub(super) fn fail(&mut self) {
        self.place = Place::Failed;
        self.tail.clear();
    }

    #[inline]
    pub(super) fn not_failed(&self) -> Result<(), EventTooLarge> {
        if self.place == Place::Failed {
            return Err(self.too_large());
        }
        Ok(())
    }

    #[cold]
    fn too_large(&self) -> EventTooLarge {
        EventTooLarge {
            limit: self.max_event_bytes,
        }
    }
}

/// Returns the comment whose colon is at `start`.
pub(super) fn comment(start: usize, len: usize) -> Aside {
    let bytes = len - 1;
    if bytes > MAX_COMMENT_BYTES {
        Aside::Skipped(Skipped::Comment {
            bytes: bytes as u64,
        })
    } else {
        Aside::Comment(CommentAt::InText(Span {
            start: start + 1,
            end: start + len,
        }))
    }
}
