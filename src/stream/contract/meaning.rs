//! [`Meaning`]: what an event is to an answer.

/// What an event means for the answer that it is part of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Meaning {
    /// A part of the answer.
    Item,
    /// The last part of the answer, which is complete with it: often it holds what the answer
    /// cost.
    Last,
    /// The answer is complete, and this event is not a part of it: `[DONE]`.
    EndMarker,
    /// The server says that the answer failed.
    Error,
    /// It says only that the server is alive: not a part of the answer, nor progress.
    KeepAlive,
}

impl Meaning {
    /// Whether the event is a part of the answer.
    #[must_use]
    pub fn is_item(self) -> bool {
        matches!(self, Self::Item | Self::Last)
    }

    /// Whether nothing of the answer comes after it.
    #[must_use]
    pub fn is_final(self) -> bool {
        matches!(self, Self::Last | Self::EndMarker | Self::Error)
    }
}
