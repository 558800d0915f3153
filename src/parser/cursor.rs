//! The parser's API for callers that own the chunk. ([`Feed`](super::Feed) borrows it.)

use alloc::string::String;

use super::{
    EventTooLarge, Parser, Place, Step, Text, Want, item::EventAt, lines, size::WORTH_A_COPY,
};
#[cfg(feature = "stream")]
use crate::event::Event;

/// A position in a chunk, between one event and the next.
///
/// The owner keeps the chunk, and passes the same one until it is consumed.
#[derive(Debug, Default)]
pub(crate) struct Cursor {
    /// The start of the current part of the chunk,
    start: usize,
    /// its length,
    len: usize,
    /// and how much of it was consumed.
    at: usize,
    known: Known,
    /// A copy of the part, if it is known to be UTF-8, so that it is validated only once.
    window: String,
}

/// What is known about the current part.
#[derive(Clone, Copy, Debug, Default)]
enum Known {
    #[default]
    Nothing,
    Valid,
    ValidLf,
}

/// An item, owned.
#[cfg(feature = "stream")]
#[derive(Debug)]
pub(crate) enum Taken {
    Event(Event),
    Comment(String),
    Retry(core::time::Duration),
    Undispatched { event_type: String, id: String },
    Skipped(super::Skipped),
}

impl Cursor {
    /// Finds the next event. Returns `None` once `chunk` is consumed.
    ///
    /// [Take its data](Self::take_data) before any other call.
    // The usual case is inlined into the caller, so that its results stay in registers.
    #[inline(always)]
    pub(crate) fn next_event(
        &mut self,
        parser: &mut Parser,
        chunk: &[u8],
    ) -> Result<Option<EventAt>, EventTooLarge> {
        if let Some(event) = self.usual_event(parser) {
            return Ok(Some(event));
        }
        if self.start == 0 && parser.gather(chunk) {
            return Ok(None);
        }
        if self.start + self.len == 0 && parser.pass_on(chunk) {
            return Ok(None);
        }
        if chunk.len() < WORTH_A_COPY && self.len == 0 {
            return self.event_in_short(parser, chunk);
        }
        self.event(parser, chunk)
    }

    /// Parses a short chunk without a window, like [`Feed`](super::Feed). Inlined, an event that is a
    /// chunk costs 38 instructions less, and a chunk of 64 bytes 8% less.
    #[inline]
    fn event_in_short(
        &mut self,
        parser: &mut Parser,
        chunk: &[u8],
    ) -> Result<Option<EventAt>, EventTooLarge> {
        let (at, step) = parser.walk(Text::Raw(chunk), self.start, Want::Events);
        if let Some(Step::Event(event)) = step {
            self.start = at;
            return Ok(Some(event));
        }
        self.start = 0;
        parser.not_failed()?;
        Ok(None)
    }

    #[cold]
    #[inline(never)]
    fn event(
        &mut self,
        parser: &mut Parser,
        chunk: &[u8],
    ) -> Result<Option<EventAt>, EventTooLarge> {
        Ok(match self.step(parser, chunk, Want::Events)? {
            Some(Step::Event(event)) => Some(event),
            _ => None,
        })
    }

    /// Takes the data of the event that was found. [`Parser::own`] then builds the event from it.
    #[inline(always)]
    pub(crate) fn take_data(
        &mut self,
        parser: &mut Parser,
        chunk: &[u8],
        event: &EventAt,
    ) -> String {
        let data = parser.own_data(self.text(chunk), event);
        self.look_ahead();
        data
    }

    /// Returns the next item, or `None` once `chunk` is consumed.
    #[cfg(feature = "stream")]
    pub(crate) fn next_item(
        &mut self,
        parser: &mut Parser,
        chunk: &[u8],
    ) -> Result<Option<Taken>, EventTooLarge> {
        use super::Aside;

        if let Some(step) = self.step(parser, chunk, Want::Items)? {
            let text = self.text(chunk);
            let taken = match step {
                Step::Event(event) => Taken::Event(parser.hand_over(text, &event)),
                Step::Aside(Aside::Comment(at)) => {
                    Taken::Comment(parser.lend_comment(text, &at).into())
                }
                Step::Aside(Aside::Skipped(skipped)) => Taken::Skipped(skipped),
                Step::Aside(Aside::Retry(time)) => Taken::Retry(time),
                Step::Aside(Aside::Undispatched(event)) => parser.undispatched(event),
            };
            self.look_ahead();
            return Ok(Some(taken));
        }
        Ok(None)
    }

    /// Takes the usual event, in a window without CR.
    #[inline(always)]
    fn usual_event(&mut self, parser: &mut Parser) -> Option<EventAt> {
        if !matches!(self.known, Known::ValidLf) || !parser.is_between_events() {
            return None;
        }
        let text = Text::ValidLf(&self.window);
        parser.usual_event(text, &mut self.at).ok()
    }

    #[inline(always)]
    fn step(
        &mut self,
        parser: &mut Parser,
        chunk: &[u8],
        want: Want,
    ) -> Result<Option<Step>, EventTooLarge> {
        loop {
            if self.at < self.len {
                let (at, step) = parser.walk(self.text(chunk), self.at, want);
                self.at = at;
                if step.is_some() {
                    return Ok(step);
                }
            }
            parser.not_failed()?;
            self.pass();
            if self.start == chunk.len() {
                self.start = 0;
                return Ok(None);
            }
            if parser.place == Place::LineStart {
                self.look_at(&chunk[self.start..]);
            } else {
                let step;
                (self.start, step) = parser.finish_line(chunk, self.start, want);
                if step.is_some() {
                    return Ok(step);
                }
            }
        }
    }

    /// Whether all of `chunk` is consumed, which is known right after its last event.
    #[cfg(feature = "stream")]
    #[inline]
    pub(crate) fn is_at_end(&self, chunk: &[u8]) -> bool {
        self.taken() == chunk.len()
    }

    /// How many bytes of the chunk were consumed so far.
    #[cfg(feature = "stream")]
    #[inline]
    pub(crate) fn taken(&self) -> usize {
        self.start + self.at
    }

    /// Moves to the end of the consumed part.
    fn pass(&mut self) {
        self.start += self.at;
        self.len = 0;
        self.at = 0;
        self.known = Known::Nothing;
    }

    /// Starts the next part. The first part of a chunk is not copied: often the chunk is a single
    /// event, and a copy isn't worth it.
    #[inline]
    fn look_at(&mut self, rest: &[u8]) {
        self.len = rest.len();
        if self.start > 0 && rest.len() >= WORTH_A_COPY {
            self.copy(lines::window(rest));
        }
    }

    /// Starts a new part after the first event, if enough of the chunk is left.
    #[inline]
    pub(crate) fn look_ahead(&mut self) {
        if self.start == 0 && self.len - self.at >= WORTH_A_COPY {
            self.pass();
        }
    }

    #[inline(never)]
    fn copy(&mut self, text: Text<'_>) {
        self.len = text.bytes().len();
        let (known, text) = match text {
            Text::Raw(_) => return,
            Text::Valid(text) => (Known::Valid, text),
            Text::ValidLf(text) => (Known::ValidLf, text),
        };
        self.known = known;
        self.window.clear();
        self.window.push_str(text);
    }

    /// The text that items are in: the current part, or the whole chunk if there is none.
    #[inline(always)]
    pub(crate) fn text<'a>(&'a self, chunk: &'a [u8]) -> Text<'a> {
        match self.known {
            Known::Nothing if self.len == 0 => Text::Raw(chunk),
            Known::Nothing => Text::Raw(&chunk[self.start..self.start + self.len]),
            Known::Valid => Text::Valid(&self.window),
            Known::ValidLf => Text::ValidLf(&self.window),
        }
    }

    /// Frees its memory, after a chunk, or in the middle of one that will not be passed again.
    #[cfg(feature = "stream")]
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }
}

impl Parser {
    /// The same, owned.
    #[cfg(feature = "stream")]
    pub(crate) fn undispatched(&self, event: Option<u8>) -> Taken {
        let (event_type, id) = self.lend_undispatched(event);
        Taken::Undispatched {
            event_type: event_type.into(),
            id: id.into(),
        }
    }
}
