//! The buffer for a line whose end has not arrived yet.

use alloc::{string::String, vec::Vec};

use super::{
    field::{self, Kind},
    item::Span,
    lines::Decoder,
    size::{MAX_COMMENT_BYTES, SPILL},
};

/// The unfinished line, and undecoded data of the lines before it.
#[derive(Clone, Debug, Default)]
pub(super) struct Tail {
    /// The data (`Data::Kept`), followed by the kept part of the line.
    pub(super) kept: Vec<u8>,
    /// Where the line starts in `kept`.
    pub(super) line: usize,
    /// How many bytes of the line came before the kept ones.
    pub(super) gone: usize,
    /// The length of `kept` from which something has to be decided.
    pub(super) room: usize,
    pub(super) decoder: Decoder,
}

impl Tail {
    #[inline]
    pub(super) fn has_room(&self, piece: &[u8]) -> bool {
        self.kept.len() + piece.len() < self.room
    }

    #[inline]
    pub(super) fn keep(&mut self, piece: &[u8]) {
        match piece {
            [] => {}
            [byte] => self.kept.push(*byte),
            _ => self.kept.extend_from_slice(piece),
        }
    }

    /// The kept part of the line.
    #[inline]
    pub(super) fn line(&self) -> &[u8] {
        &self.kept[self.line..]
    }

    /// The number of bytes of the line so far.
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.gone + self.line().len()
    }

    /// Decodes the kept part of the value into `out`, and the next piece unless it is short.
    pub(super) fn spill(&mut self, next: &[u8], out: &mut String) {
        self.decoder.push(&self.kept[self.line..], out);
        self.drop(&[]);
        if next.len() < SPILL {
            self.keep(next);
        } else {
            self.decoder.push(next, out);
            self.gone += next.len();
        }
    }

    pub(super) fn drop(&mut self, next: &[u8]) {
        self.gone += self.line().len() + next.len();
        self.kept.truncate(self.line);
    }

    /// The kind of the line, as far as it is known.
    pub(super) fn kind(&self) -> Kind {
        field::kind(self.line())
    }

    /// Ends the line. The kept part of it is no longer needed.
    #[inline]
    pub(super) fn end(&mut self) {
        self.kept.truncate(self.line);
        if self.kept.capacity() > 2 * MAX_COMMENT_BYTES {
            self.kept.shrink_to_fit();
        }
        self.gone = 0;
        self.room = 0;
        self.decoder.clear();
    }

    /// Discards the line and the data.
    #[inline]
    pub(super) fn clear(&mut self) {
        self.line = 0;
        self.end();
    }

    /// Keeps the value of a data line, as the first of its block.
    pub(super) fn keep_data(&mut self, value: &[u8]) -> Span {
        self.kept.clear();
        self.kept.extend_from_slice(value);
        self.line = self.kept.len();
        Span {
            start: 0,
            end: self.line,
        }
    }

    /// Appends the value of a data line to the kept data.
    pub(super) fn join_data(&mut self, value: &[u8]) {
        self.kept.push(b'\n');
        self.kept.extend_from_slice(value);
        self.line = self.kept.len();
    }

    /// Appends the value of the line, which starts at its byte `value`, to the kept data.
    pub(super) fn join_line(&mut self, value: usize) {
        self.kept[self.line] = b'\n';
        self.kept.drain(self.line + 1..self.line + value);
        self.line = self.kept.len();
    }
}
