//! [`Meaning`]: what an event means for its answer.

/// What an event means for the answer that it is part of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Meaning {
    /// A part of the answer.
    Item,
    /// The last part of the answer, which is now complete. It often contains the usage.
    Last,
    /// The answer is complete, and this event is not a part of it, such as `[DONE]`.
    EndMarker,
    /// The server reports that the answer failed.
    Error,
    /// A sign of life from the server: neither a part of the answer nor progress.
    KeepAlive,
}

impl Meaning {
    /// Returns whether the event is a part of the answer: `Item` or `Last`.
    #[must_use]
    pub fn is_item(self) -> bool {
        matches!(self, Self::Item | Self::Last)
    }

    /// Returns whether the answer ends with this event: `Last`, `EndMarker` or `Error`.
    #[must_use]
    pub fn is_final(self) -> bool {
        matches!(self, Self::Last | Self::EndMarker | Self::Error)
    }
}
