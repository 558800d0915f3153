//! The end of a stream: what is left of an event that no blank line has ended.

use core::fmt;

use super::{
    EventTooLarge, Parser, Place,
    field::{Kind, Name},
    item::{EventAt, Want},
    lines::Text,
};
#[cfg(feature = "std")]
use crate::event::Event;
use crate::event::EventRef;

impl Parser {
    /// Whether there is an unfinished event: a `data`, `event` or `id` field, or the start of one,
    /// since the last blank line.
    ///
    /// If the stream ends here, the standard discards that event: "if the file ends in the middle
    /// of an event, before the final empty line, the incomplete event is not dispatched".
    #[must_use]
    pub fn has_unfinished(&self) -> bool {
        self.has_unfinished_field() || self.block.begun || self.place == Place::Failed
    }

    /// Dispatches the unfinished event, as if the stream had ended with a blank line.
    ///
    /// Use it for servers that omit the last blank line. An event that was cut in the middle is
    /// dispatched too. Returns `None` if the event has no data; its ID counts nevertheless. To get
    /// items other than an event, [`feed`](Self::feed) the parser a line end and a blank line
    /// instead: `\n\n`.
    ///
    /// # Errors
    ///
    /// [`EventTooLarge`] if the event exceeds the limit.
    pub fn dispatch_unfinished(&mut self) -> Result<Option<EventRef<'_>>, EventTooLarge> {
        let event = self.end_of_stream()?;
        Ok(event.map(|event| self.lend(Text::Raw(&[]), &event)))
    }

    /// Like [`dispatch_unfinished`](Self::dispatch_unfinished), but returns an owned event.
    #[cfg(feature = "std")]
    pub(crate) fn take_unfinished(&mut self) -> Result<Option<Event>, EventTooLarge> {
        let event = self.end_of_stream()?;
        Ok(event.map(|event| self.hand_over(Text::Raw(&[]), &event)))
    }

    fn end_of_stream(&mut self) -> Result<Option<EventAt>, EventTooLarge> {
        self.not_failed()?;
        if self.end_line(Want::Events).is_err() {
            self.fail();
        }
        self.not_failed()?;
        Ok(self.end_block(Want::Events))
    }

    /// Whether the unfinished line is a `data`, `event` or `id` field, or the start of one.
    fn has_unfinished_field(&self) -> bool {
        let kind = match self.place {
            Place::Spilled => Kind::Field(Name::Data),
            Place::Kept(Kind::Undecided) => self.tail.kind(),
            Place::Kept(kind) | Place::Dropped(kind) => kind,
            _ => return false,
        };
        match kind {
            Kind::Undecided => !self.tail.line().starts_with(b"r"),
            Kind::Field(name) => name != Name::Retry,
            Kind::Comment | Kind::Unknown => false,
        }
    }
}

/// Does not show the last event ID or the unfinished event, since they may be secret.
impl fmt::Debug for Parser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parser")
            .field("has_last_event_id", &!self.last_event_id().is_empty())
            .field("reconnection_time", &self.reconnection_time)
            .field("has_unfinished", &self.has_unfinished())
            .field("max_event_bytes", &self.max_event_bytes)
            .field("oversized", &self.oversized)
            .finish_non_exhaustive()
    }
}
