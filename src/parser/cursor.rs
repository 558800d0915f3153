//! The face of the parser for those who keep the chunk: what [`Feed`](super::Feed) is for a
//! borrowed one.

use alloc::string::String;

use super::{
    EventTooLarge, Parser, Place, Step, Text, Want, item::EventAt, lines, size::WORTH_A_COPY,
};
#[cfg(feature = "stream")]
use crate::event::Event;

/// How far a chunk was taken, between one event and the next.
///
/// The chunk stays with its owner, who shows the same one until there is nothing more in it.
#[derive(Debug, Default)]
pub(crate) struct Cursor {
    /// Where in the chunk the part begins that is being taken,
    start: usize,
    /// how long it is,
    len: usize,
    /// and how much of it was taken.
    at: usize,
    known: Known,
    /// A copy of the part, where it is known to be UTF-8: it need not be looked at again then.
    window: String,
}

/// What is known of the part that is being taken.
#[derive(Clone, Copy, Debug, Default)]
enum Known {
    #[default]
    Nothing,
    Valid,
    ValidLf,
}

/// What a cursor gives.
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
    /// Finds the next event. `None` once `chunk` is taken.
    ///
    /// It is to be [taken](Self::take_data) before anything else is asked for.
    // The usual case is inlined into the caller, so that nothing of it goes through memory.
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

    #[cold]
    #[inline(never)]
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

    /// The data of the event that was found, after which [`Parser::own`] makes the event of it.
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

    /// The next event, comment or skip, or `None` once `chunk` is taken.
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

    /// The usual event of a window without CR.
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

    /// Whether nothing of `chunk` is left, as is known after its last event.
    #[cfg(feature = "stream")]
    #[inline]
    pub(crate) fn is_at_end(&self, chunk: &[u8]) -> bool {
        self.taken() == chunk.len()
    }

    /// How many bytes of the chunk were taken so far.
    #[cfg(feature = "stream")]
    #[inline]
    pub(crate) fn taken(&self) -> usize {
        self.start + self.at
    }

    /// Goes on to what follows the part.
    fn pass(&mut self) {
        self.start += self.at;
        self.len = 0;
        self.at = 0;
        self.known = Known::Nothing;
    }

    /// Begins with the next part. The first of a chunk is taken as it is: often the chunk is one
    /// event, for which a copy is not worth it.
    #[inline]
    fn look_at(&mut self, rest: &[u8]) {
        self.len = rest.len();
        if self.start > 0 && rest.len() >= WORTH_A_COPY {
            self.copy(lines::window(rest));
        }
    }

    /// There is more to come than one event: what is left of the first part is looked at anew.
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

    /// Where an item's text lies: in the part that is being taken, or in a chunk that has none.
    #[inline(always)]
    pub(crate) fn text<'a>(&'a self, chunk: &'a [u8]) -> Text<'a> {
        match self.known {
            Known::Nothing if self.len == 0 => Text::Raw(chunk),
            Known::Nothing => Text::Raw(&chunk[self.start..self.start + self.len]),
            Known::Valid => Text::Valid(&self.window),
            Known::ValidLf => Text::ValidLf(&self.window),
        }
    }

    /// Gives its memory back, after a chunk or in the middle of one that will not be shown again.
    #[cfg(feature = "stream")]
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }
}
