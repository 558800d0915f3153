//! The line that the stream has not ended yet: kept, passed on or dropped, piece by piece.

use alloc::{string::String, vec::Vec};
use core::mem;

use super::{
    EventTooLarge, Parser, Place,
    block::{Data, Strike},
    field::{self, Kind, Name},
    item::{CommentAt, Span, Step, Want},
    lines::{self, Decoder, Text, WINDOW},
    step::{MAX_COMMENT_BYTES, comment},
};

/// From so many bytes on, a line is known for what it is, the space after `data:` included.
const DECIDED: usize = 6;

/// Of a data line, less than this is kept as it came: validating and copying pay by the call.
const SPILL: usize = 1024;

/// The unfinished line.
#[derive(Debug, Default)]
pub(super) struct Tail {
    /// What is kept of it.
    pub(super) kept: Vec<u8>,
    /// How many bytes came before those.
    gone: usize,
    /// From which length of the kept on there is something to decide.
    room: usize,
    decoder: Decoder,
}

impl Tail {
    /// Takes a piece in which no line ends, where there is nothing else to it.
    #[inline]
    pub(super) fn gather(&mut self, piece: &[u8]) -> bool {
        if !self.has_room(piece) {
            return false;
        }
        match piece {
            [b'\n' | b'\r'] => false,
            [byte] => {
                self.kept.push(*byte);
                true
            }
            _ => self.gather_bytes(piece),
        }
    }

    fn gather_bytes(&mut self, piece: &[u8]) -> bool {
        let taken = lines::end(piece).is_none();
        if taken {
            self.kept.extend_from_slice(piece);
        }
        taken
    }

    #[inline]
    fn has_room(&self, piece: &[u8]) -> bool {
        self.kept.len() + piece.len() < self.room
    }

    #[inline]
    fn keep(&mut self, piece: &[u8]) {
        match piece {
            [] => {}
            [byte] => self.kept.push(*byte),
            _ => self.kept.extend_from_slice(piece),
        }
    }

    /// Its wire bytes so far.
    fn len(&self) -> usize {
        self.gone + self.kept.len()
    }

    /// Passes the value on, and keeps the next piece if it is not worth it yet.
    fn spill(&mut self, next: &[u8], out: &mut String) {
        self.decoder.push(&self.kept, out);
        self.drop(&[]);
        if next.len() < SPILL {
            self.keep(next);
        } else {
            self.decoder.push(next, out);
            self.gone += next.len();
        }
    }

    fn drop(&mut self, next: &[u8]) {
        self.gone += self.kept.len() + next.len();
        self.kept.clear();
    }

    /// Most lines that nobody wants are comments: they need not be looked at any further.
    #[inline]
    fn is_short_comment(&self) -> bool {
        self.kept.first() == Some(&b':') && self.kept.len() <= MAX_COMMENT_BYTES
    }

    /// What it is, as far as that is known.
    fn kind(&self) -> Kind {
        field::kind(&self.kept)
    }

    #[inline]
    pub(super) fn clear(&mut self) {
        self.kept.clear();
        if self.kept.capacity() > 2 * MAX_COMMENT_BYTES {
            self.kept = Vec::new();
        }
        self.gone = 0;
        self.room = 0;
        self.decoder.clear();
    }
}

impl Parser {
    /// Whether the unfinished line is a `data`, `event` or `id` field, or the beginning of one.
    pub(super) fn has_unfinished_field(&self) -> bool {
        let kind = match self.place {
            Place::Spilled => Kind::Field(Name::Data),
            Place::Kept(Kind::Undecided) => self.tail.kind(),
            Place::Kept(kind) | Place::Dropped(kind) => kind,
            _ => return false,
        };
        match kind {
            Kind::Undecided => !self.tail.kept.starts_with(b"r"),
            Kind::Field(name) => name != Name::Retry,
            Kind::Comment | Kind::Unknown => false,
        }
    }

    /// Begins a line with a chunk of one byte, where that decides nothing.
    #[inline]
    pub(super) fn begin_short(&mut self, chunk: &[u8]) -> bool {
        let &[byte] = chunk else { return false };
        let begins = self.place == Place::LineStart
            && !matches!(byte, b'\n' | b'\r')
            && self.left() >= SPILL;
        if begins {
            self.place = Place::Kept(Kind::Undecided);
            self.tail.room = SPILL;
            self.tail.kept.push(byte);
        }
        begins
    }

    /// Begins the line at `*at`, which does not end in `text`.
    #[inline(never)]
    pub(super) fn begin_line(
        &mut self,
        text: Text<'_>,
        at: &mut usize,
    ) -> Result<Option<Step>, EventTooLarge> {
        self.buffer_data(text);
        self.place = Place::Kept(Kind::Undecided);
        self.tail.room = self.room();
        for piece in text.bytes()[*at..].chunks(WINDOW) {
            self.take_piece(piece, at)?;
        }
        Ok(None)
    }

    /// In a line that began in an earlier chunk, or that ends in a later one: takes as much of
    /// it as there is in a window.
    #[inline]
    pub(super) fn continue_line(
        &mut self,
        bytes: &[u8],
        at: &mut usize,
        want: Want,
    ) -> Result<Option<Step>, EventTooLarge> {
        let rest = &bytes[*at..];
        let rest = &rest[..rest.len().min(WINDOW)];
        let Some(end) = lines::end(rest) else {
            self.take_piece(rest, at)?;
            return Ok(None);
        };
        self.take_piece(&rest[..end], at)?;
        match self.end_line(want) {
            Ok(step) => {
                *at = self.end_of_line(bytes, *at);
                Ok(step)
            }
            Err(Strike(_)) => {
                *at += 1;
                Err(self.fail())
            }
        }
    }

    #[inline]
    fn take_piece(&mut self, piece: &[u8], at: &mut usize) -> Result<(), EventTooLarge> {
        if self.tail.has_room(piece) {
            self.tail.keep(piece);
            *at += piece.len();
            return Ok(());
        }
        let before = self.tail.len();
        match self.extend_line(piece) {
            Ok(()) => {
                *at += piece.len();
                Ok(())
            }
            Err(Strike(byte)) => {
                *at += byte - before;
                Err(self.fail())
            }
        }
    }

    /// Adds to the unfinished line where something is to be decided.
    #[inline(never)]
    fn extend_line(&mut self, piece: &[u8]) -> Result<(), Strike> {
        let mut rest = piece;
        if self.place == Place::Kept(Kind::Undecided) {
            let undecided = DECIDED.saturating_sub(self.tail.kept.len());
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
            self.limit(name.wire_len(), len)?;
            if self.passes_over(name, len) {
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

    /// From which length on there is something to decide.
    fn room(&self) -> usize {
        match self.place {
            Place::Kept(Kind::Undecided) if self.left() >= SPILL => SPILL,
            Place::Kept(Kind::Comment) => 1 + MAX_COMMENT_BYTES,
            Place::Kept(Kind::Field(Name::Data)) => self.left().min(SPILL),
            Place::Kept(Kind::Field(_)) if self.block.skipped => self.max_event_bytes,
            Place::Kept(Kind::Field(_)) => self.left(),
            Place::Spilled => (self.left() - self.tail.gone).min(SPILL),
            _ => 0,
        }
    }

    fn begin_spilling(&mut self) {
        match self.block.data {
            Data::Buffered => self.data.push('\n'),
            _ => self.data.clear(),
        }
        self.block.data = Data::Buffered;
        let tail = &mut self.tail;
        let value = field::value_start(&tail.kept, Name::Data);
        tail.decoder.push(&tail.kept[value..], &mut self.data);
        tail.drop(&[]);
        // All that it will ever need for data: it grows no more.
        tail.kept.reserve(SPILL);
        self.place = Place::Spilled;
    }

    /// Ends the unfinished line, if there is one.
    pub(super) fn end_line(&mut self, want: Want) -> Result<Option<Step>, Strike> {
        let len = self.tail.len();
        let step = match mem::replace(&mut self.place, Place::LineStart) {
            Place::Kept(_) if want == Want::Events && self.tail.is_short_comment() => None,
            Place::Kept(_) => self.kept_line(want)?,
            Place::Spilled => {
                self.tail.spill(&[], &mut self.data);
                self.tail.decoder.finish(&mut self.data);
                self.count(Name::Data, len);
                None
            }
            Place::Dropped(Kind::Field(name)) => {
                self.count(name, len);
                None
            }
            Place::Dropped(Kind::Comment) => Some(comment(0, len)),
            _ => None,
        };
        self.tail.clear();
        Ok(step)
    }

    fn kept_line(&mut self, want: Want) -> Result<Option<Step>, Strike> {
        let line = mem::take(&mut self.tail.kept);
        let text = Text::Raw(&line);
        let (kind, value) = field::start(&line);
        let whole = Span {
            start: 0,
            end: line.len(),
        };
        let mut step = self.line(text, whole, kind, value, want)?;
        self.buffer_data(text);
        if let Some(Step::Comment(CommentAt::InText(span))) = step {
            self.comment = text.get(span).into_owned();
            step = Some(Step::Comment(CommentAt::Buffered));
        }
        self.tail.kept = line;
        Ok(step)
    }
}
