//! bytes → lines: line ends, the byte order mark, and decoding UTF-8 in pieces.
//!
//! From WHATWG HTML 9.2.5 and 9.2.6:
//!
//! ```text
//! stream      = [ bom ] *event
//! end-of-line = ( cr lf / cr / lf )
//! ```
//!
//! "Streams must be decoded using the UTF-8 decode algorithm": invalid UTF-8 becomes U+FFFD. CR,
//! LF, colon and space are never part of a longer UTF-8 sequence, so decoding a single value has
//! the same result as decoding the whole stream.

use alloc::{borrow::Cow, string::String};

use super::{
    item::Span,
    size::{LARGE, LONG_PIECE, LOOKS, WINDOW, WORTH_A_WINDOW, WORTH_SIMD},
};

pub(super) const BOM: [u8; 3] = [0xEF, 0xBB, 0xBF];

/// Returns the offset of the first line end (CR or LF) in `bytes`, which start at the start of a
/// line.
///
/// Half of all lines in real streams are a few bytes long. For those, calling `memchr` costs more
/// than the search, so the first bytes are searched eight at a time.
#[inline]
pub(super) fn end(bytes: &[u8]) -> Option<usize> {
    const SHORT: usize = 8 * (LOOKS + 4);

    if bytes.len() <= SHORT {
        return end_in_short(bytes);
    }
    let mut rest = bytes;
    for look in 0..LOOKS {
        let (word, more) = rest.split_first_chunk()?;
        if let Some(at) = end_in_word(word) {
            return Some(8 * look + at);
        }
        rest = more;
    }
    memchr::memchr2(b'\n', b'\r', rest).map(|at| 8 * LOOKS + at)
}

/// Like [`end`], for a piece of a line, which most likely contains no line end. It checks 32 bytes
/// at a time whether there is one.
#[inline]
pub(super) fn end_in_piece(bytes: &[u8]) -> Option<usize> {
    if bytes.len() > LONG_PIECE {
        return memchr::memchr2(b'\n', b'\r', bytes);
    }
    let mut rest = bytes;
    while let Some((block, more)) = rest.split_first_chunk::<32>() {
        let mut any = 0;
        for word in block.chunks_exact(8) {
            any |= word
                .first_chunk()
                .map_or(0, |word| controls(u64::from_le_bytes(*word)));
        }
        if any != 0 {
            break;
        }
        rest = more;
    }
    end_in_short(rest).map(|at| bytes.len() - rest.len() + at)
}

#[inline]
fn end_in_short(bytes: &[u8]) -> Option<usize> {
    let Some(last) = bytes.last_chunk() else {
        return bytes.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
    };
    let mut rest = bytes;
    while let Some((word, more)) = rest.split_first_chunk() {
        if let Some(at) = end_in_word(word) {
            return Some(bytes.len() - rest.len() + at);
        }
        rest = more;
    }
    // Searching some of these bytes twice is faster than searching the others one by one.
    end_in_word(last).map(|at| bytes.len() - 8 + at)
}

#[inline]
fn end_in_word(word: &[u8; 8]) -> Option<usize> {
    match line_ends(u64::from_le_bytes(*word)) {
        0 => None,
        found => Some(found.trailing_zeros() as usize / 8),
    }
}

/// Returns the offset of the first LF in `bytes`, which must not contain a CR: searching for one
/// byte is faster than for two. The first `LOOKS` times eight bytes are searched without `memchr`.
#[inline(always)]
pub(super) fn line_feed<const LOOKS: usize>(bytes: &[u8]) -> Option<usize> {
    let mut rest = bytes;
    for look in 0..LOOKS {
        let Some((word, more)) = rest.split_first_chunk::<8>() else {
            let found = rest.iter().position(|&byte| byte == b'\n');
            return found.map(|at| 8 * look + at);
        };
        match zeros(u64::from_le_bytes(*word) ^ (ONES * b'\n' as u64)) {
            0 => rest = more,
            found => return Some(8 * look + found.trailing_zeros() as usize / 8),
        }
    }
    memchr::memchr(b'\n', rest).map(|at| 8 * LOOKS + at)
}

const ONES: u64 = 0x0101_0101_0101_0101;

/// Sets the top bit of the first byte of `word` that is zero (and maybe of later bytes).
#[inline]
const fn zeros(word: u64) -> u64 {
    const TOPS: u64 = ONES << 7;
    word.wrapping_sub(ONES) & !word & TOPS
}

/// Sets the top bit of the first byte of `word` that is CR or LF (and maybe of later bytes).
#[inline]
const fn line_ends(word: u64) -> u64 {
    zeros(word ^ (ONES * b'\n' as u64)) | zeros(word ^ (ONES * b'\r' as u64))
}

/// Not zero if a byte of `word` is CR or less. That is nearly always a line end, and takes a third
/// of the time.
#[inline]
const fn controls(word: u64) -> u64 {
    const TOPS: u64 = ONES << 7;
    word.wrapping_sub(ONES * (b'\r' as u64 + 1)) & !word & TOPS
}

/// Bytes to take lines from, and what is known about them.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Text<'a> {
    /// Complete lines, known to be UTF-8.
    Valid(&'a str),
    /// The same, and each line ends with a single LF.
    ValidLf(&'a str),
    /// Any bytes.
    Raw(&'a [u8]),
}

impl<'a> Text<'a> {
    #[inline]
    pub(super) fn bytes(self) -> &'a [u8] {
        match self {
            Self::Valid(text) | Self::ValidLf(text) => text.as_bytes(),
            Self::Raw(bytes) => bytes,
        }
    }

    /// Returns the offset of the first line end in `rest`, which is a part of this text.
    #[inline(always)]
    pub(super) fn line_end(self, rest: &[u8]) -> Option<usize> {
        self.end::<1>(rest)
    }

    /// The same, if the line end is most likely close.
    #[inline(always)]
    pub(super) fn comment_end(self, rest: &[u8]) -> Option<usize> {
        self.end::<4>(rest)
    }

    #[inline(always)]
    fn end<const LOOKS: usize>(self, rest: &[u8]) -> Option<usize> {
        match self {
            Self::ValidLf(_) => line_feed::<LOOKS>(rest),
            Self::Valid(_) | Self::Raw(_) => end(rest),
        }
    }

    /// Returns the text of a span that starts and ends at ASCII bytes.
    #[inline(always)]
    pub(super) fn get(self, span: Span) -> Cow<'a, str> {
        match self {
            // Two steps are inlined; one step is a call, and costs 13 instructions per event.
            Self::Valid(text) | Self::ValidLf(text) => {
                Cow::Borrowed(&text[..span.end][span.start..])
            }
            Self::Raw(bytes) => decode(&bytes[span.start..span.end]),
        }
    }
}

/// Returns the part of `rest` to parse next: as many complete lines as fit in a window, validated
/// as UTF-8 all at once, if that pays off.
pub(super) fn window(rest: &[u8]) -> Text<'_> {
    if rest.len() < WORTH_A_WINDOW {
        return Text::Raw(rest);
    }
    let within = &rest[..rest.len().min(WINDOW)];
    let Some(end) = memchr::memrchr2(b'\n', b'\r', within) else {
        return Text::Raw(rest);
    };
    let window = &rest[..=end];
    match simdutf8::basic::from_utf8(window) {
        Ok(text) if memchr::memchr(b'\r', window).is_none() => Text::ValidLf(text),
        Ok(text) => Text::Valid(text),
        Err(_) => Text::Raw(window),
    }
}

/// Returns `bytes` as text, if they are UTF-8.
#[inline]
pub(super) fn valid(bytes: &[u8]) -> Option<&str> {
    if bytes.len() < WORTH_SIMD {
        core::str::from_utf8(bytes).ok()
    } else {
        simdutf8::basic::from_utf8(bytes).ok()
    }
}

/// Decodes a complete value.
#[inline(never)]
pub(super) fn decode(bytes: &[u8]) -> Cow<'_, str> {
    match valid(bytes) {
        Some(text) => Cow::Borrowed(text),
        None => String::from_utf8_lossy(bytes),
    }
}

/// Decodes UTF-8 in pieces, with the same result as decoding the whole.
#[derive(Clone, Debug, Default)]
pub(super) struct Decoder {
    /// The start of a sequence that the pieces so far have not completed.
    held: [u8; 4],
    len: usize,
}

impl Decoder {
    /// Appends the text of the next piece to `out`.
    #[inline]
    pub(super) fn push(&mut self, piece: &[u8], out: &mut String) {
        match piece {
            [] => {}
            [byte] if byte.is_ascii() && self.len == 0 => out.push(char::from(*byte)),
            _ => self.push_piece(piece, out),
        }
    }

    fn push_piece(&mut self, mut piece: &[u8], out: &mut String) {
        while self.len > 0 {
            let [next, rest @ ..] = piece else { return };
            self.held[self.len] = *next;
            match core::str::from_utf8(&self.held[..=self.len]) {
                Ok(text) => {
                    out.push_str(text);
                    self.len = 0;
                    piece = rest;
                }
                Err(error) if error.error_len().is_none() => {
                    self.len += 1;
                    piece = rest;
                }
                // `next` does not continue the sequence: it is read again, as a first byte.
                Err(_) => self.finish(out),
            }
        }
        if let Some(text) = valid(piece) {
            push(out, text);
            return;
        }
        let mut chunks = piece.utf8_chunks().peekable();
        while let Some(chunk) = chunks.next() {
            push(out, chunk.valid());
            let invalid = chunk.invalid();
            let cut_short = chunks.peek().is_none()
                && core::str::from_utf8(invalid).is_err_and(|error| error.error_len().is_none());
            if cut_short {
                self.held[..invalid.len()].copy_from_slice(invalid);
                self.len = invalid.len();
            } else if !invalid.is_empty() {
                out.push(char::REPLACEMENT_CHARACTER);
            }
        }
    }

    /// Ends the text: an incomplete sequence becomes one U+FFFD.
    #[inline]
    pub(super) fn finish(&mut self, out: &mut String) {
        if self.len > 0 {
            self.len = 0;
            out.push(char::REPLACEMENT_CHARACTER);
        }
    }

    pub(super) fn clear(&mut self) {
        self.len = 0;
    }
}

/// Appends `text` to `out`, which grows by a fifth once it is large. If it doubled, a large event
/// would take twice its size.
#[inline]
pub(super) fn push(out: &mut String, text: &str) {
    if out.capacity() >= LARGE && out.capacity() - out.len() < text.len() {
        out.reserve_exact(text.len().max(out.capacity() / 5));
    }
    out.push_str(text);
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    #[test]
    fn the_first_line_end_is_found_at_every_offset() {
        // All lengths would take Miri minutes.
        let lengths = (0..140).step_by(if cfg!(miri) { 9 } else { 1 });
        for find in [end, end_in_piece] {
            for len in lengths.clone() {
                for byte in *b"\n\r" {
                    let mut bytes = alloc::vec![b'x'; len];
                    assert_eq!(find(&bytes), None);
                    for at in (0..len).rev() {
                        bytes[at] = byte;
                        assert_eq!(find(&bytes), Some(at));
                    }
                }
            }
            // Neighbours of CR and LF, and bytes with the top bit set, are not line ends.
            for byte in (0..=255u8).filter(|byte| !matches!(byte, b'\n' | b'\r')) {
                let mut bytes = [byte; 68];
                assert_eq!(find(&bytes), None, "{byte}");
                bytes[67] = b'\r';
                assert_eq!(find(&bytes), Some(67), "{byte}");
            }
        }
    }

    #[test]
    fn pieces_decode_to_the_same_text_as_the_whole() {
        let inputs: &[&[u8]] = &[
            "aé€😀z".as_bytes(),
            b"\xff\xfe",
            b"\xf0\x9f\x98",
            b"a\xf0\x9f\x98b",
            b"\xe2\x82\xe2\x82\xac",
            b"\xed\xa0\x80",
            b"\xc0\xaf\xf8\x88",
            b"\xf0\x9f\xf0\x9f\x98\x80\xf0",
            b"\xe2\x28\xa1",
        ];
        for input in inputs {
            let whole = String::from_utf8_lossy(input);
            for first in 0..=input.len() {
                for second in first..=input.len() {
                    let mut decoder = Decoder::default();
                    let mut out = String::new();
                    for piece in [&input[..first], &input[first..second], &input[second..]] {
                        decoder.push(piece, &mut out);
                    }
                    decoder.finish(&mut out);
                    assert_eq!(out, whole, "{input:x?} at {first}, {second}");
                }
            }
        }
    }

    #[test]
    fn bytes_decode_one_by_one() {
        let input: Vec<u8> = (0..=255).chain("日本語".bytes()).collect();
        let (mut decoder, mut out) = (Decoder::default(), String::new());
        for byte in &input {
            decoder.push(&[*byte], &mut out);
        }
        decoder.finish(&mut out);
        assert_eq!(out, String::from_utf8_lossy(&input));
    }
}
