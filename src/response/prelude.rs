//! [`Prelude`]: the start of a body, before it is known to be an event stream.

use bytes::{Bytes, BytesMut};

use crate::parser;

/// The start of a body that has no field or comment so far. It can be an error page, JSON or
/// compressed bytes with the content type of an event stream.
#[derive(Debug, Default)]
pub(super) struct Prelude {
    said: BytesMut,
    /// The start of the last, incomplete line.
    line: usize,
}

impl Prelude {
    /// Adds the next chunk, and keeps at most `max_bytes` in total. Returns whether the body is now
    /// known to be an event stream.
    pub(super) fn push(&mut self, chunk: &[u8], max_bytes: usize) -> bool {
        let kept = chunk.len().min(max_bytes.saturating_sub(self.said.len()));
        let end = self.said.len();
        self.said.extend_from_slice(&chunk[..kept]);
        let mut from = end;
        while let Some(length) = self.said[from..]
            .iter()
            .position(|byte| b"\r\n".contains(byte))
        {
            if self.is_field(from + length, true) {
                return true;
            }
            from += length + 1;
            self.line = from;
        }
        self.is_field(self.said.len(), false)
    }

    /// Whether the line up to `end`, which may be incomplete, is a field or a comment.
    fn is_field(&self, end: usize, has_ended: bool) -> bool {
        let line = &self.said[self.line..end];
        let bom = if self.line == 0 {
            "\u{feff}".as_bytes()
        } else {
            b""
        };
        parser::is_field_or_comment(line.strip_prefix(bom).unwrap_or(line), has_ended)
    }

    /// Returns the bytes, unless they are only white space: some servers send blank lines as
    /// keep-alives.
    pub(super) fn into_said(self) -> Option<Bytes> {
        let said = self
            .said
            .strip_prefix("\u{feff}".as_bytes())
            .unwrap_or(&self.said);
        let is_blank = said.trim_ascii().is_empty();
        (!is_blank).then(|| self.said.freeze())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_fields_and_comments_count_as_an_event_stream() {
        for (body, is_stream) in [
            ("", false),
            ("data", false),
            ("data\n", true),
            ("database\n", false),
            ("data: x", true),
            ("id\n", true),
            (":\n\n", true),
            ("\u{feff}retry: 1\n", true),
            ("\n\n\r\n: x", true),
            ("<html>\nevent: x\n", true),
            ("{\"error\": {\"message\": \"data: x\"}}\n", false),
            ("<html>\r\n<p>id: 7</p>\r\n</html>", false),
            (" data: x\n", false),
            ("Data: x\n\n", false),
            ("dat", false),
            ("\u{1f}\u{8b}\n\n", false),
        ] {
            let mut whole = Prelude::default();
            assert_eq!(whole.push(body.as_bytes(), 1024), is_stream, "{body:?}");
            let mut pieces = Prelude::default();
            let by_bytes = body
                .as_bytes()
                .chunks(1)
                .any(|byte| pieces.push(byte, 1024));
            assert_eq!(by_bytes, is_stream, "{body:?} byte by byte");
        }
    }

    #[test]
    fn the_start_is_kept_unless_it_is_blank() {
        let said = |body: &str, max| {
            let mut prelude = Prelude::default();
            prelude.push(body.as_bytes(), max);
            prelude.into_said()
        };
        assert_eq!(said("{\"a\": 1}", 100).as_deref(), Some(&b"{\"a\": 1}"[..]));
        assert_eq!(said("{\"a\": 1}", 4).as_deref(), Some(&b"{\"a\""[..]));
        for blank in ["", "\n", "\r\n \n", "\u{feff}", "\u{feff}\n"] {
            assert_eq!(said(blank, 100), None, "{blank:?}");
        }
    }
}
