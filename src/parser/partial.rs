//! A line in pieces: its start, its continuation and its end. Each piece is kept, decoded or dropped
//! as it arrives.

use core::mem;

use super::{
    Parser, Place,
    block::{OverLimit, comment},
    field::{self, Kind, Name},
    item::{Aside, CommentAt, Data, Span, Want},
    lines::{self, Text},
    size::{DECIDED, MAX_COMMENT_BYTES, SPILL, WINDOW},
};

impl Parser {
    /// Takes a chunk of one byte that neither ends a line nor needs a decision. For most such
    /// chunks this is all there is to do.
    #[inline(always)]
    pub(super) fn gather(&mut self, chunk: &[u8]) -> bool {
        let &[byte] = chunk else { return false };
        if matches!(byte, b'\n' | b'\r') {
            return false;
        }
        if self.tail.has_room(chunk) {
            self.tail.kept.push(byte);
            return true;
        }
        self.place == Place::Passed
    }

    /// Takes a chunk from the middle of a long data line. For most small chunks this is all there
    /// is to do.
    #[inline(always)]
    pub(super) fn pass_on(&mut self, chunk: &[u8]) -> bool {
        self.place == Place::Spilled && self.pass_on_spilled(chunk)
    }

    // Cold, because few streams have such lines, and it should not slow down the others.
    #[cold]
    fn pass_on_spilled(&mut self, chunk: &[u8]) -> bool {
        let keep = self.tail.has_room(chunk);
        let spill = !self.block.skipped && self.tail.len() + chunk.len() <= self.left();
        if !(keep || spill) || lines::end_in_piece(chunk).is_some() {
            return false;
        }
        if keep {
            self.tail.keep(chunk);
        } else {
            self.tail.spill(chunk, &mut self.data);
            self.tail.room = self.room();
        }
        true
    }

    /// Clears the buffer for a new line, unless it holds data.
    #[inline]
    fn make_room(&mut self) {
        if !matches!(self.block.data, Some(Data::Kept(_))) {
            self.tail.kept.clear();
            self.tail.line = 0;
        }
    }

    /// Starts the line at `at`, which does not end in `text`, and returns how much was consumed.
    #[inline]
    pub(super) fn begin_line(&mut self, text: Text<'_>, at: usize, want: Want) -> usize {
        let bytes = text.bytes();
        let rest = &bytes[at..];
        if rest[0] == b':' && want == Want::Events {
            self.place = Place::Passed;
            return bytes.len();
        }
        self.buffer_data(text);
        self.make_room();
        self.place = Place::Kept(Kind::Undecided);
        if rest.len() < SPILL && self.left() >= SPILL {
            self.tail.room = self.tail.line + SPILL;
            self.tail.keep(rest);
            return bytes.len();
        }
        at + self.begin_long_line(rest)
    }

    #[cold]
    fn begin_long_line(&mut self, rest: &[u8]) -> usize {
        self.tail.room = self.room();
        let mut taken = 0;
        for piece in rest.chunks(WINDOW) {
            taken += self.take_piece(piece);
            if self.place == Place::Failed {
                break;
            }
        }
        taken
    }

    /// In a line that started in an earlier chunk, or that ends in a later one: takes as much of it
    /// as fits in a window.
    #[inline(always)]
    pub(super) fn continue_line(&mut self, bytes: &[u8], at: usize, want: Want) -> usize {
        let rest = &bytes[at..];
        let rest = &rest[..rest.len().min(WINDOW)];
        let end = lines::end_in_piece(rest);
        let piece = &rest[..end.unwrap_or(rest.len())];
        if self.place == Place::Passed {
            let at = at + piece.len();
            if end.is_none() {
                return at;
            }
            self.place = Place::LineStart;
            return self.end_of_line(bytes, at);
        }
        let at = at + self.take_piece(piece);
        if end.is_none() || self.place == Place::Failed {
            return at;
        }
        if self.end_line(want).is_err() {
            self.fail();
            return at + 1;
        }
        self.end_of_line(bytes, at)
    }

    /// Takes a piece of the unfinished line. Returns how much of it was consumed, which is less if
    /// it exceeds the limit.
    #[inline(always)]
    fn take_piece(&mut self, piece: &[u8]) -> usize {
        if self.tail.has_room(piece) {
            self.tail.keep(piece);
            return piece.len();
        }
        let before = self.tail.len();
        match self.extend_line(piece) {
            Ok(()) => piece.len(),
            Err(OverLimit(byte)) => {
                self.fail();
                byte - before
            }
        }
    }

    /// Adds to the unfinished line, when something has to be decided.
    #[inline(never)]
    fn extend_line(&mut self, piece: &[u8]) -> Result<(), OverLimit> {
        let mut rest = piece;
        if self.place == Place::Kept(Kind::Undecided) {
            let undecided = DECIDED.saturating_sub(self.tail.line().len());
            let head;
            (head, rest) = rest.split_at(rest.len().min(undecided));
            self.tail.keep(head);
            self.place = match self.tail.kind() {
                Kind::Unknown => Place::Dropped(Kind::Unknown),
                kind => Place::Kept(kind),
            };
        }
        let len = self.tail.len() + rest.len();
        let known = match self.place {
            Place::Spilled => Some(Name::Data),
            Place::Kept(Kind::Field(name)) => Some(name),
            _ => None,
        };
        if let Some(name) = known {
            if (len > self.left() || self.block.skipped) && !self.limit(name, len)? {
                self.place = Place::Dropped(Kind::Field(name));
            }
        }
        match self.place {
            Place::Kept(Kind::Comment) if len > 1 + MAX_COMMENT_BYTES => {
                self.place = Place::Dropped(Kind::Comment);
            }
            Place::Kept(Kind::Field(Name::Data)) if len > SPILL => self.begin_spilling(),
            _ => {}
        }
        match self.place {
            Place::Kept(_) => self.tail.keep(rest),
            Place::Spilled => self.tail.spill(rest, &mut self.data),
            _ => {
                self.tail.decoder.clear();
                self.tail.drop(rest);
            }
        }
        self.tail.room = self.room();
        Ok(())
    }

    /// Returns the length of `kept` from which something has to be decided.
    fn room(&self) -> usize {
        let of_line = match self.place {
            Place::Kept(Kind::Undecided) if self.left() >= SPILL => SPILL,
            Place::Kept(Kind::Comment) => 1 + MAX_COMMENT_BYTES,
            Place::Kept(Kind::Field(Name::Data)) => self.left().min(SPILL),
            Place::Kept(Kind::Field(_)) if self.block.skipped => self.max_event_bytes,
            Place::Kept(Kind::Field(_)) => self.left(),
            Place::Spilled => (self.left() - self.tail.gone).min(SPILL),
            _ => return 0,
        };
        self.tail.line.saturating_add(of_line)
    }

    fn begin_spilling(&mut self) {
        self.begin_value();
        let tail = &mut self.tail;
        let value = tail.line + field::value_start(tail.line(), Name::Data);
        tail.decoder.push(&tail.kept[value..], &mut self.data);
        tail.drop(&[]);
        // This is all that data will need, so the buffer doesn't grow again.
        tail.kept.reserve(SPILL);
        self.place = Place::Spilled;
    }

    /// Ends the unfinished line, if there is one.
    pub(super) fn end_line(&mut self, want: Want) -> Result<(), OverLimit> {
        let len = self.tail.len();
        match mem::replace(&mut self.place, Place::LineStart) {
            Place::Kept(_) => self.kept_line(want)?,
            Place::Spilled => {
                self.tail.spill(&[], &mut self.data);
                self.tail.decoder.finish(&mut self.data);
                self.count(Name::Data, len);
            }
            Place::Dropped(Kind::Field(name)) => self.count(name, len),
            Place::Dropped(Kind::Comment) if want == Want::Items => {
                self.aside = Some(comment(0, len));
            }
            _ => {}
        }
        self.tail.end();
        Ok(())
    }

    fn kept_line(&mut self, want: Want) -> Result<(), OverLimit> {
        let line = self.tail.line();
        let (kind, value) = match field::start(line) {
            (Kind::Unknown, _) => match field::name_alone(line) {
                Some(name) => (Kind::Field(name), line.len()),
                None => return Ok(()),
            },
            known => known,
        };
        if kind == Kind::Field(Name::Data) {
            return self.kept_data(value);
        }
        let kept = mem::take(&mut self.tail.kept);
        let text = Text::Raw(&kept);
        let line = Span {
            start: self.tail.line,
            end: kept.len(),
        };
        self.line(text, line, kind, value, want)?;
        if let Some(Aside::Comment(CommentAt::InText(span))) = self.aside {
            self.comment = text.get(span).into_owned();
            self.aside = Some(Aside::Comment(CommentAt::Buffered));
        }
        self.tail.kept = kept;
        Ok(())
    }

    /// Takes a kept data line that has ended, and whose value starts at byte `value`.
    fn kept_data(&mut self, value: usize) -> Result<(), OverLimit> {
        if !self.admit(Name::Data, self.tail.len())? {
            return Ok(());
        }
        match &mut self.block.data {
            data @ None => {
                let start = self.tail.line + value;
                self.tail.line = self.tail.kept.len();
                *data = Some(Data::Kept(Span {
                    start,
                    end: self.tail.line,
                }));
            }
            Some(Data::Kept(span)) if span.len() < SPILL => {
                self.tail.join_line(value);
                span.end = self.tail.line;
            }
            Some(_) => {
                self.begin_value();
                lines::push(&mut self.data, &lines::decode(&self.tail.line()[value..]));
            }
        }
        Ok(())
    }
}
