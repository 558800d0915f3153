//! A scan of an event's bytes, to decide whether to read them as JSON.
//!
//! The scan can have false positives, but no false negatives: it finds a name in quotes anywhere,
//! and an event that may contain an escaped name (`"\u0074ype"`) is always read. Quotes within a
//! string are escaped, so a text that contains `"error"` is not a match.

use std::sync::LazyLock;

use memchr::memmem::Finder;

/// A text to search for.
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
/// The start of an escaped ASCII character in a name or a value.
pub(super) static ESCAPED_ASCII: Needle = needle!("\\u00");

impl Needle {
    pub(super) fn is_in(&self, data: &[u8]) -> bool {
        self.finder.find(data).is_some()
    }

    /// Whether `data` contains this text, other than as the name of a member whose value doesn't
    /// matter. `matters` gets everything after the colon.
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

/// Whether a value that starts like this is neither `null` nor an empty string.
pub(super) fn is_given(value: &[u8]) -> bool {
    !(value.starts_with(b"null") || value.starts_with(b"\"\""))
}

/// Whether an index that starts like this is not 0.
pub(super) fn is_not_first(value: &[u8]) -> bool {
    !matches!(value, [b'0', b',' | b'}', ..])
}
