//! bytes → lines → fields: takes whole lines where they lie.

use core::mem;

use super::{
    EventTooLarge, Parser, Place, Skipped,
    block::Strike,
    field::{self, Kind, Name},
    item::{CommentAt, Data, EventAt, Span, Step, Want},
    lines::{self, Text},
};

/// A comment is kept up to this many bytes after its colon.
pub(super) const MAX_COMMENT_BYTES: usize = 64 * 1024;

impl Parser {
    /// Takes `text` from `*at` up to the next item. `None` once all of it is taken.
    ///
    /// `text` has to be the same until then; a text known to be valid has to consist of whole
    /// lines of a window at most, and to begin a line.
    #[inline(always)]
    pub(crate) fn step(
        &mut self,
        text: Text<'_>,
        at: &mut usize,
        want: Want,
    ) -> Result<Option<Step>, EventTooLarge> {
        loop {
            if self.place == Place::LineStart {
                if let Some(step) = self.whole_lines(text, at, want)? {
                    return Ok(Some(step));
                }
            }
            if *at == text.bytes().len() {
                break;
            }
            if let Some(step) = self.go_on(text.bytes(), at, want)? {
                return Ok(Some(step));
            }
        }
        self.buffer_data(text);
        self.not_failed()?;
        Ok(None)
    }

    /// Takes the next event, if it is like most of those of real streams: at most one `event` line,
    /// with the type used last, and one `data` line, all within `text`. Comments and blank lines before it
    /// are passed over.
    ///
    /// Whatever else comes first is left for [`step`](Self::step). The lines of `text` are whole,
    /// and it is a window at most.
    #[inline(always)]
    pub(super) fn usual_event(&mut self, text: &str, at: &mut usize) -> Option<EventAt> {
        if self.place != Place::LineStart || !self.block.is_new() {
            return None;
        }
        let bytes = text.as_bytes();
        let mut rest = bytes.get(*at..)?;
        loop {
            rest = match rest {
                [b'\n', rest @ ..] => rest,
                [b':', comment @ ..] => &comment[lines::line_feed::<4>(comment)? + 1..],
                _ => break,
            };
        }
        *at = bytes.len() - rest.len();
        let mut event = None;
        let mut len = 0;
        if let Some(value) = rest.strip_prefix(b"event: ") {
            let (slot, end) = self.types.repeated_line(value)?;
            event = Some(slot);
            len = "event: ".len() + end;
            rest = &value[end + 1..];
        }
        let value = rest.strip_prefix(b"data: ")?;
        let end = lines::line_feed::<1>(value)?;
        len += "data: ".len() + end;
        if len > self.max_event_bytes || value.get(end + 1) != Some(&b'\n') {
            return None;
        }
        let start = bytes.len() - value.len();
        *at = start + end + 2;
        let data = Data::InText(Span {
            start,
            end: start + end,
        });
        Some(EventAt { data, event })
    }

    /// Takes what comes elsewhere than at the start of a line, up to the end of that line at most.
    #[inline(never)]
    pub(super) fn go_on(
        &mut self,
        bytes: &[u8],
        at: &mut usize,
        want: Want,
    ) -> Result<Option<Step>, EventTooLarge> {
        match self.place {
            Place::Kept(_) | Place::Spilled | Place::Dropped(_) | Place::Passed => {
                return self.continue_line(bytes, at, want);
            }
            Place::LineStart => {}
            Place::AfterCr => {
                self.place = Place::LineStart;
                *at += usize::from(bytes[*at] == b'\n');
            }
            Place::Bom(matched) => self.byte_order_mark(matched, bytes[*at], at),
            Place::Failed => return Err(self.too_large()),
        }
        Ok(None)
    }

    #[inline]
    pub(super) fn not_failed(&self) -> Result<(), EventTooLarge> {
        if self.place == Place::Failed {
            return Err(self.too_large());
        }
        Ok(())
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

    /// At the start of a line: takes whole lines up to the next item, and the beginning of a line
    /// that does not end here.
    #[inline(always)]
    fn whole_lines(
        &mut self,
        text: Text<'_>,
        at: &mut usize,
        want: Want,
    ) -> Result<Option<Step>, EventTooLarge> {
        let bytes = text.bytes();
        while let Some(&first) = bytes.get(*at) {
            let start = *at;
            if matches!(first, b'\n' | b'\r') {
                *at = self.end_of_line(bytes, start);
                if self.block.is_new() {
                    if want == Want::Events && idle(bytes, at) {
                        return self.begin_line(text, at, want);
                    }
                    continue;
                }
                if let Some(step) = self.end_block() {
                    return Ok(Some(step));
                }
                continue;
            }
            let rest = &bytes[start..];
            let (kind, value) = field::start(rest);
            let Some(end) = lines::end(&rest[value..]) else {
                return self.begin_line(text, at, want);
            };
            let line = Span {
                start,
                end: start + value + end,
            };
            if let Some(event) = self.one_line_event(bytes, line, kind, value, at) {
                return Ok(Some(Step::Event(event)));
            }
            *at = self.end_of_line(bytes, line.end);
            if kind == Kind::Comment && want == Want::Events && value + end <= 1 + MAX_COMMENT_BYTES
            {
                if self.block.is_new() && idle(bytes, at) {
                    return self.begin_line(text, at, want);
                }
                continue;
            }
            match self.line(text, line, kind, value, want) {
                Ok(None) => {}
                Ok(step) => {
                    self.buffer_data(text);
                    return Ok(step);
                }
                Err(Strike(byte)) => {
                    *at = start + byte;
                    return Err(self.fail());
                }
            }
        }
        Ok(None)
    }

    /// Most events are one data line and a blank line. Taken in one step, without a word to the
    /// block, one of a single byte costs 251 instructions instead of 318.
    #[inline(always)]
    pub(super) fn one_line_event(
        &mut self,
        bytes: &[u8],
        line: Span,
        kind: Kind,
        value: usize,
        at: &mut usize,
    ) -> Option<EventAt> {
        if kind != Kind::Field(Name::Data)
            || !bytes[line.end..].starts_with(b"\n\n")
            || !self.block.is_open(line.len(), self.max_event_bytes)
        {
            return None;
        }
        *at = line.end + 2;
        let data = Data::InText(Span {
            start: line.start + value,
            end: line.end,
        });
        let event = mem::take(&mut self.block).event;
        Some(EventAt { data, event })
    }

    /// Interprets a line that is whole and not empty, of this kind, with a value from byte `value`
    /// on.
    #[inline(never)]
    pub(super) fn line(
        &mut self,
        text: Text<'_>,
        line: Span,
        kind: Kind,
        value: usize,
        want: Want,
    ) -> Result<Option<Step>, Strike> {
        let len = line.end - line.start;
        let (name, value) = match kind {
            Kind::Field(name) => (name, value),
            Kind::Comment => {
                let wanted = want == Want::Items || len > 1 + MAX_COMMENT_BYTES;
                return Ok(wanted.then(|| comment(line.start, len)));
            }
            Kind::Undecided | Kind::Unknown => {
                match field::name_alone(&text.bytes()[line.start..line.end]) {
                    Some(name) => (name, len),
                    None => return Ok(None),
                }
            }
        };
        let value = Span {
            start: line.start + value,
            end: line.end,
        };
        self.field(name, text, value, len, want)
    }

    /// Takes the line end at `at`, and tells where the next line begins. A CR is one by itself:
    /// nothing waits for the byte after it.
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
}

/// Passes over blank lines and comments that end with LF. Whether it came to a comment that does
/// not end in `bytes`.
#[inline(always)]
pub(super) fn idle(bytes: &[u8], at: &mut usize) -> bool {
    let mut rest = &bytes[*at..];
    let unfinished = loop {
        rest = match rest {
            [b'\n', rest @ ..] => rest,
            [b':', comment @ ..] => match lines::end(comment) {
                Some(end) if end <= MAX_COMMENT_BYTES && comment[end] == b'\n' => {
                    &comment[end + 1..]
                }
                end => break end.is_none(),
            },
            _ => break false,
        };
    };
    *at = bytes.len() - rest.len();
    unfinished
}

/// A comment, whose colon is at `start`.
pub(super) fn comment(start: usize, len: usize) -> Step {
    let bytes = len - 1;
    if bytes > MAX_COMMENT_BYTES {
        Step::Skipped(Skipped::Comment {
            bytes: bytes as u64,
        })
    } else {
        Step::Comment(CommentAt::InText(Span {
            start: start + 1,
            end: start + len,
        }))
    }
}
