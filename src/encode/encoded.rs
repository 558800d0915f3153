//! [`Encoded`]: a block of lines that is encoded while it is written, without a buffer.

use alloc::{string::ToString, vec::Vec};
use core::{convert::Infallible, fmt};

/// A block of an event stream, ready to be written: an event, an ID, a comment or a reconnection
/// time, with the blank line that ends it.
///
/// It borrows from the event or text that it encodes, without a copy.
///
/// ```
/// use everstream::{Event, encode};
///
/// let event = Event::new("hello");
/// let block = encode::event(&event)?;
/// assert_eq!(block.to_string(), "data: hello\n\n");
///
/// let mut wire = vec![];
/// block.append_to(&mut wire);
/// assert_eq!(wire, b"data: hello\n\n");
/// # Ok::<(), encode::EncodeError>(())
/// ```
///
/// It implements `Display`, so `write!` writes the same bytes to any [`fmt::Write`] or
/// `std::io::Write`.
#[derive(Clone, Copy)]
#[must_use = "nothing is sent until it is written"]
pub struct Encoded<'a>(pub(super) Block<'a>);

#[derive(Clone, Copy)]
pub(super) enum Block<'a> {
    Event {
        /// `None` is `message`.
        event_type: Option<&'a str>,
        /// `None` does not change the client's ID.
        id: Option<&'a str>,
        data: &'a str,
    },
    Id(&'a str),
    Comment(&'a str),
    /// In milliseconds.
    Retry(u64),
}

impl Encoded<'_> {
    /// Returns the length in bytes.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "it never is")]
    pub fn len(&self) -> usize {
        let mut len = 0;
        self.visit(|piece| len += piece.len());
        len
    }

    /// Appends the block to `out`, with at most one allocation.
    pub fn append_to(&self, out: &mut Vec<u8>) {
        out.reserve(self.len());
        self.visit(|piece| out.extend_from_slice(piece.as_bytes()));
    }

    /// Returns the block as a `Vec`.
    #[must_use]
    pub fn to_vec(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.append_to(&mut out);
        out
    }

    /// Returns the block as `Bytes`, with one allocation.
    #[cfg(feature = "stream")]
    #[must_use]
    pub fn to_bytes(&self) -> bytes::Bytes {
        self.to_vec().into()
    }

    /// Writes the block to any [`BufMut`](bytes::BufMut), such as `BytesMut`.
    ///
    /// # Panics
    ///
    /// Panics if the buffer has less room than [`len`](Self::len). `BytesMut` and `Vec` grow as
    /// needed.
    #[cfg(feature = "stream")]
    pub fn put_into(&self, out: &mut impl bytes::BufMut) {
        self.visit(|piece| out.put_slice(piece.as_bytes()));
    }

    /// Returns the block without its blank line.
    #[cfg(feature = "testing")]
    pub(crate) fn to_lines(self) -> Vec<u8> {
        let mut out = self.to_vec();
        out.pop();
        out
    }

    fn visit(&self, mut put: impl FnMut(&str)) {
        let done = self.try_visit(|piece| {
            put(piece);
            Ok::<_, Infallible>(())
        });
        match done {
            Ok(()) => {}
            Err(never) => match never {},
        }
    }

    /// Passes the text to `put`, piece by piece.
    fn try_visit<E>(&self, mut put: impl FnMut(&str) -> Result<(), E>) -> Result<(), E> {
        // There is always a space after the colon, so that a value may start with a space.
        let mut line = |field: &str, value: &str| {
            put(field)?;
            put(value)?;
            put("\n")
        };
        match self.0 {
            Block::Event {
                event_type,
                id,
                data,
            } => {
                if let Some(event_type) = event_type {
                    line("event: ", event_type)?;
                }
                if let Some(id) = id {
                    line("id: ", id)?;
                }
                for value in data.split('\n') {
                    line("data: ", value)?;
                }
            }
            Block::Id(id) => line("id: ", id)?,
            Block::Comment(text) => {
                for text in lines(text) {
                    line(":", text)?;
                }
            }
            Block::Retry(millis) => line("retry: ", &millis.to_string())?,
        }
        put("\n")
    }
}

/// Returns the lines of a text, with any line ends. There is at least one line, and an empty one
/// after a line end at the end.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    core::iter::from_fn(move || {
        let text = rest?;
        let Some(end) = text.find(['\r', '\n']) else {
            rest = None;
            return Some(text);
        };
        let (line, after) = text.split_at(end);
        let crlf = after.strip_prefix("\r\n");
        rest = Some(crlf.unwrap_or(&after[1..]));
        Some(line)
    })
}

impl fmt::Display for Encoded<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.try_visit(|piece| f.write_str(piece))
    }
}

/// Shows the kind and the length, but not the contents, which may be secret.
impl fmt::Debug for Encoded<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.0 {
            Block::Event { .. } => "Event",
            Block::Id(_) => "Id",
            Block::Comment(_) => "Comment",
            Block::Retry(_) => "Retry",
        };
        f.debug_struct("Encoded")
            .field("kind", &format_args!("{kind}"))
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}
