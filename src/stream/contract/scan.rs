//! What is asked of an event's bytes before anything reads them as JSON.
//!
//! The scan may say that an event could matter where it does not, never the other way round: a
//! name in quotes is found wherever it stands, and where a name might be escaped
//! (`"\u0074ype"`) the event is read. A quote within a string is escaped, so text that speaks of
//! `"error"` is not taken for a member.

use std::sync::LazyLock;

use memchr::memmem::Finder;

/// A text to look for.
pub(super) struct Needle {
    finder: LazyLock<Finder<'static>>,
    length: usize,
}

macro_rules! needle {
    ($text:literal) => {
        Needle {
            finder: LazyLock::new(|| Finder::new($text)),
            length: $text.len(),
        }
    };
}

pub(super) static TYPE: Needle = needle!("\"type\"");
pub(super) static ERROR: Needle = needle!("\"error\"");
pub(super) static INDEX: Needle = needle!("\"index\"");
pub(super) static FINISH_REASON: Needle = needle!("\"finish_reason\"");
pub(super) static GEMINI_FINISH_REASON: Needle = needle!("\"finishReason\"");
pub(super) static BLOCK_REASON: Needle = needle!("\"blockReason\"");
/// How a name or a value that is ASCII may begin to be escaped.
pub(super) static ESCAPED_ASCII: Needle = needle!("\\u00");

impl Needle {
    pub(super) fn is_in(&self, data: &[u8]) -> bool {
        self.finder.find(data).is_some()
    }

    /// Whether it is in `data` other than as the name of a member whose value does not matter:
    /// `value` is all that follows the colon.
    pub(super) fn is_in_with(&self, data: &[u8], matters: impl Fn(&[u8]) -> bool) -> bool {
        self.finder.find_iter(data).any(|at| {
            let after = data[at + self.length..].trim_ascii_start();
            match after.strip_prefix(b":") {
                Some(value) => matters(value.trim_ascii_start()),
                None => true,
            }
        })
    }
}

/// Whether a value that begins like this is more than `null` or an empty string.
pub(super) fn is_given(value: &[u8]) -> bool {
    !(value.starts_with(b"null") || value.starts_with(b"\"\""))
}

/// Whether an index that begins like this is other than 0.
pub(super) fn is_not_first(value: &[u8]) -> bool {
    !matches!(value, [b'0', b',' | b'}', ..])
}
