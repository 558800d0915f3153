//! A short chunk, taken as it lies: most of its lines began in an earlier one, or end in a later.

use super::{
    EventTooLarge, Parser, Place,
    block::Strike,
    field,
    item::{EventAt, Span, Step, Want},
    lines::{self, Text},
    step::idle,
    tail::SPILL,
};

impl Parser {
    /// Takes `chunk` from `*at` up to the next event, the data of which is in
    /// [`Text::Raw`] of `chunk`. `None` once all of it is taken.
    ///
    /// It does what [`step`](Self::step) does where only events are wanted, with nothing to set up.
    #[inline(always)]
    pub(super) fn event_in(
        &mut self,
        chunk: &[u8],
        at: &mut usize,
    ) -> Result<Option<EventAt>, EventTooLarge> {
        while *at < chunk.len() {
            if self.place != Place::LineStart {
                if let Some(Step::Event(event)) = self.continue_in(chunk, at)? {
                    return Ok(Some(event));
                }
                continue;
            }
            if self.block.is_new() && idle(chunk, at) {
                self.begin_in(chunk, at)?;
                return Ok(None);
            }
            let start = *at;
            let Some(&first) = chunk.get(start) else {
                break;
            };
            if matches!(first, b'\n' | b'\r') {
                *at = self.end_of_line(chunk, start);
                if let Some(Step::Event(event)) = self.end_block() {
                    return Ok(Some(event));
                }
                continue;
            }
            let rest = &chunk[start..];
            let Some(end) = lines::end(rest) else {
                self.begin_in(chunk, at)?;
                return Ok(None);
            };
            if first == b':' {
                *at = self.end_of_line(chunk, start + end);
                continue;
            }
            let (kind, value) = field::start(rest);
            let line = Span {
                start,
                end: start + end,
            };
            if let Some(event) = self.one_line_event(chunk, line, kind, value, at) {
                return Ok(Some(event));
            }
            *at = self.end_of_line(chunk, line.end);
            match self.line(Text::Raw(chunk), line, kind, value, Want::Events) {
                Ok(_) => {}
                Err(Strike(byte)) => {
                    *at = start + byte;
                    return Err(self.fail());
                }
            }
        }
        self.not_failed()?;
        self.buffer_data(Text::Raw(chunk));
        Ok(None)
    }

    /// Within a line that began in an earlier chunk: takes what there is of it.
    #[inline(always)]
    fn continue_in(&mut self, chunk: &[u8], at: &mut usize) -> Result<Option<Step>, EventTooLarge> {
        let rest = &chunk[*at..];
        match self.place {
            Place::Kept(_) | Place::Spilled if self.tail.has_room(rest) => {
                let end = lines::end_in_piece(rest);
                let piece = &rest[..end.unwrap_or(rest.len())];
                self.tail.keep(piece);
                *at += piece.len();
                if end.is_some() {
                    self.end_line(Want::Events).map_err(|_| self.fail())?;
                    *at = self.end_of_line(chunk, *at);
                }
                Ok(None)
            }
            Place::Passed => {
                match lines::end(rest) {
                    None => *at = chunk.len(),
                    Some(end) => {
                        self.place = Place::LineStart;
                        *at = self.end_of_line(chunk, *at + end);
                    }
                }
                Ok(None)
            }
            _ => self.go_on(chunk, at, Want::Events),
        }
    }

    /// Begins the line at `*at`, which does not end in `chunk`.
    #[inline]
    fn begin_in(&mut self, chunk: &[u8], at: &mut usize) -> Result<(), EventTooLarge> {
        let rest = &chunk[*at..];
        if rest.len() >= SPILL || self.left() < SPILL {
            return self
                .begin_line(Text::Raw(chunk), at, Want::Events)
                .map(|_| ());
        }
        self.buffer_data(Text::Raw(chunk));
        *at = chunk.len();
        if rest[0] == b':' {
            self.place = Place::Passed;
        } else {
            self.begin_kept(rest);
        }
        Ok(())
    }
}
