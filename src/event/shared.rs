//! Text that outlives an event: it is kept in a reusable buffer. The first owned event that needs
//! it creates a reference-counted copy, which later ones share.

use alloc::{string::String, sync::Arc, vec::Vec};

/// A cell that is set once through a shared reference. With `std` it is `Sync`, so
/// [`EventRef`](crate::EventRef) is `Send` and `Sync`.
#[cfg(not(feature = "std"))]
use core::cell::OnceCell as Once;
#[cfg(feature = "std")]
use std::sync::OnceLock as Once;

/// A text, and its shared copy once an owned event needed it.
#[derive(Clone, Debug, Default)]
pub(crate) struct SharedText {
    text: String,
    shared: Once<Arc<str>>,
}

impl SharedText {
    #[inline]
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    #[inline]
    pub(crate) fn share(&self) -> Arc<str> {
        Arc::clone(self.shared.get_or_init(|| Arc::from(self.text.as_str())))
    }

    /// Replaces the text. If the text is the same, the shared copy is kept.
    pub(crate) fn set(&mut self, text: &str) {
        if self.text == text {
            return;
        }
        empty(&mut self.text);
        self.text.push_str(text);
        self.shared = Once::new();
    }
}

/// Clears a buffer for reuse. Frees it if it is larger than most texts of its kind.
#[inline]
pub(crate) fn empty(buffer: &mut String) {
    buffer.clear();
    if buffer.capacity() > LONG {
        *buffer = String::new();
    }
}

/// Types and IDs of real streams are not longer than this, in bytes.
const LONG: usize = 1024;

impl From<String> for SharedText {
    fn from(text: String) -> Self {
        Self {
            text,
            shared: Once::new(),
        }
    }
}

/// The event types that a stream has used recently. Real streams use a handful, so each type is
/// copied and shared once.
#[derive(Clone, Debug, Default)]
pub(crate) struct Types {
    known: Vec<SharedText>,
    /// The slot used last, where the search starts.
    last: u8,
    /// The slot to reuse for an unknown type.
    oldest: u8,
}

impl Types {
    const COUNT: usize = 8;

    /// Returns the slot that keeps the type `text`. It stays there until all slots were reused for
    /// other types.
    #[inline]
    pub(crate) fn slot(&mut self, text: &str) -> u8 {
        self.last = match self.repeated(text.as_bytes()) {
            Some(slot) => slot,
            None => self.find_or_keep(text),
        };
        self.last
    }

    /// Returns the slot used last, if it contains these bytes, so that they need not be decoded.
    #[inline]
    pub(crate) fn repeated(&self, bytes: &[u8]) -> Option<u8> {
        let last = self.known.get(usize::from(self.last))?;
        (last.as_str().as_bytes() == bytes).then_some(self.last)
    }

    /// Returns the slot used last, if `bytes` start with its text and an LF, so that the end of the
    /// line need not be searched for.
    #[inline(always)]
    pub(crate) fn repeated_line(&self, bytes: &[u8]) -> Option<(u8, usize)> {
        let last = self.known.get(usize::from(self.last))?;
        let len = last.as_str().len();
        let repeated =
            bytes.starts_with(last.as_str().as_bytes()) && bytes.get(len) == Some(&b'\n');
        repeated.then_some((self.last, len))
    }

    fn find_or_keep(&mut self, text: &str) -> u8 {
        let found = (0u8..)
            .zip(&self.known)
            .find(|(_, kept)| kept.as_str() == text);
        if let Some((slot, _)) = found {
            return slot;
        }
        let slot = self.free(text.len());
        self.known[usize::from(slot)].set(text);
        slot
    }

    /// Returns a slot for a type of this length. Only one long type is kept, so that eight of them
    /// cannot fill the memory.
    fn free(&mut self, len: usize) -> u8 {
        let long = (0u8..)
            .zip(&self.known)
            .find(|(_, kept)| kept.as_str().len() > LONG);
        match long {
            Some((slot, _)) if len > LONG => slot,
            _ if self.known.len() < Self::COUNT => {
                self.known.push(SharedText::default());
                self.known.len() as u8 - 1
            }
            _ => {
                let slot = self.oldest;
                self.oldest = (slot + 1) % Self::COUNT as u8;
                slot
            }
        }
    }

    #[inline]
    pub(crate) fn get(&self, slot: u8) -> &SharedText {
        &self.known[usize::from(slot)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_repeats_is_shared() {
        let mut text = SharedText::from(String::from("a"));
        let first = text.share();
        text.set("a");
        assert!(Arc::ptr_eq(&first, &text.share()));
        text.set("b");
        assert_eq!((&*first, &*text.share()), ("a", "b"));
    }

    #[test]
    fn types_that_alternate_keep_their_shared_copies() {
        let mut types = Types::default();
        let names = ["a", "b", "c", "d", "e", "f", "g", "h"];
        let first: Vec<_> = names
            .map(|name| {
                let slot = types.slot(name);
                types.get(slot).share()
            })
            .into();
        for (name, shared) in names.iter().zip(&first) {
            let slot = types.slot(name);
            assert!(Arc::ptr_eq(shared, &types.get(slot).share()));
        }
        // A ninth type replaces the oldest.
        let slot = types.slot("i");
        assert_eq!(types.get(slot).as_str(), "i");
        let slot = types.slot("a");
        assert!(!Arc::ptr_eq(&first[0], &types.get(slot).share()));
    }
}
