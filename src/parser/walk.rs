//! bytes → lines → fields → blocks: the one loop over the lines of a text.

use core::mem;

use super::{
    Parser, Place,
    block::OverLimit,
    field::{self, Kind, Name},
    item::{Data, EventAt, Span, Step, Want},
    lines::{self, Text},
};

/// What a block starts with, if it is not the usual event.
pub(super) enum Unusual {
    /// Another line, or no line.
    Other,
    /// A data line that ends at this offset.
    DataTo(usize),
    /// A line that does not end in the text.
    Unfinished,
}

impl Parser {
    /// Parses `text` from `at` up to the next item, and returns the new offset and the item. The
    /// item is `None` once all of the text is consumed, or if the limit is exceeded.
    ///
    /// The caller must pass the same `text` until then. A text that is known to be valid must start
    /// at the start of a line, consist of complete lines, and not be longer than a window.
    #[inline(always)]
    pub(crate) fn walk(
        &mut self,
        text: Text<'_>,
        mut at: usize,
        want: Want,
    ) -> (usize, Option<Step>) {
        let bytes = text.bytes();
        'text: loop {
            if self.place != Place::LineStart {
                if at == bytes.len() || self.place == Place::Failed {
                    break;
                }
                at = self.within_line(bytes, at, want);
                if let Some(step) = self.take_aside(text, want) {
                    return (at, Some(step));
                }
                continue;
            }
            let mut known = Unusual::Other;
            if want == Want::Events && self.block.is_new() {
                match self.usual_event(text, &mut at) {
                    Ok(event) => return (at, Some(Step::Event(event))),
                    Err(unusual) => known = unusual,
                }
            }
            // The lines of a block. A CR that may be the first half of a CRLF also ends the text.
            loop {
                let rest = &bytes[at..];
                let Some(&first) = rest.first() else {
                    break 'text;
                };
                if matches!(first, b'\n' | b'\r') {
                    at = self.end_of_line(bytes, at);
                    if let Some(event) = self.end_block(want) {
                        return (at, Some(Step::Event(event)));
                    }
                    if let Some(step) = self.take_aside(text, want) {
                        return (at, Some(step));
                    }
                    break;
                }
                let (kind, value) = field::start(rest);
                let end = match mem::replace(&mut known, Unusual::Other) {
                    Unusual::Other => text.line_end(&rest[value..]).map(|end| at + value + end),
                    Unusual::DataTo(end) => Some(end),
                    Unusual::Unfinished => None,
                };
                let Some(end) = end else {
                    at = self.begin_line(text, at, want);
                    break 'text;
                };
                let line = Span { start: at, end };
                at = self.end_of_line(bytes, end);
                if let Err(OverLimit(byte)) = self.line(text, line, kind, value, want) {
                    self.fail();
                    at = line.start + byte;
                    break 'text;
                }
                if let Some(step) = self.take_aside(text, want) {
                    return (at, Some(step));
                }
            }
        }
        self.buffer_data(text);
        (at, None)
    }

    /// Takes the item that is not an event, if the caller wants items.
    #[inline(always)]
    fn take_aside(&mut self, text: Text<'_>, want: Want) -> Option<Step> {
        if want == Want::Events {
            return None;
        }
        let aside = self.aside.take()?;
        self.buffer_data(text);
        Some(Step::Aside(aside))
    }

    /// Whether the next line starts a block.
    #[inline(always)]
    pub(super) fn is_between_events(&self) -> bool {
        self.place == Place::LineStart && self.block.is_new()
    }

    /// Must be called at the start of a block, if only events are wanted. Skips blank lines and
    /// comments, and takes the event if it is like most events in real streams: an optional `event`
    /// line with the type used last, and one data line.
    #[inline(always)]
    pub(super) fn usual_event(
        &mut self,
        text: Text<'_>,
        at: &mut usize,
    ) -> Result<EventAt, Unusual> {
        let bytes = text.bytes();
        let mut rest = &bytes[*at..];
        let idle = loop {
            rest = match rest {
                [b'\n', rest @ ..] => rest,
                [b':', comment @ ..] => match text.comment_end(comment) {
                    Some(end) if comment[end] == b'\n' => &comment[end + 1..],
                    Some(_) => break Err(Unusual::Other),
                    None => break Err(Unusual::Unfinished),
                },
                _ => break Ok(()),
            };
        };
        *at = bytes.len() - rest.len();
        idle?;
        let mut event = None;
        let mut len = 0;
        if let Some(value) = field::value(rest, Name::Event) {
            if let Some((slot, end)) = self.types.repeated_line(value) {
                event = Some(slot);
                len = rest.len() - value.len() + end;
                rest = &value[end + 1..];
            }
        }
        let mut unusual = Unusual::Other;
        if let Some(value) = field::value(rest, Name::Data) {
            let start = bytes.len() - value.len();
            match text.line_end(value) {
                None => unusual = Unusual::Unfinished,
                Some(end) => {
                    let data = rest.len() - value.len() + end;
                    if value[end..].starts_with(b"\n\n") && len + data <= self.max_event_bytes {
                        *at = start + end + 2;
                        let data = Data::InText(Span {
                            start,
                            end: start + end,
                        });
                        return Ok(EventAt { data, event });
                    }
                    unusual = Unusual::DataTo(start + end);
                }
            }
        }
        if event.is_none() {
            return Err(unusual);
        }
        if len > self.max_event_bytes {
            return Err(Unusual::Other);
        }
        self.block.event = event;
        self.block.begin(len);
        *at = bytes.len() - rest.len();
        Err(unusual)
    }

    /// Consumes `bytes` up to the next start of a line, or to their end.
    #[inline(never)]
    pub(super) fn finish_line(
        &mut self,
        bytes: &[u8],
        mut at: usize,
        want: Want,
    ) -> (usize, Option<Step>) {
        while at < bytes.len() && !matches!(self.place, Place::LineStart | Place::Failed) {
            at = self.within_line(bytes, at, want);
        }
        if self.place == Place::LineStart
            && self.aside.is_none()
            && bytes.get(at) == Some(&b'\n')
            && !self.block.is_new()
        {
            if let Some(event) = self.end_block(want) {
                return (at + 1, Some(Step::Event(event)));
            }
            at += 1;
        }
        (at, self.aside.take().map(Step::Aside))
    }

    /// Consumes bytes that are not at the start of a line, up to the end of that line at most.
    #[inline(always)]
    pub(super) fn within_line(&mut self, bytes: &[u8], at: usize, want: Want) -> usize {
        match self.place {
            Place::Kept(_) | Place::Spilled | Place::Dropped(_) | Place::Passed => {
                self.continue_line(bytes, at, want)
            }
            Place::AfterCr => {
                self.place = Place::LineStart;
                at + usize::from(bytes[at] == b'\n')
            }
            Place::Bom(matched) => at + self.byte_order_mark(matched, bytes[at]),
            Place::LineStart | Place::Failed => at,
        }
    }

    /// "The UTF-8 decode algorithm strips one leading byte order mark, if any."
    #[cold]
    fn byte_order_mark(&mut self, matched: u8, next: u8) -> usize {
        let matched = usize::from(matched);
        if next == lines::BOM[matched] {
            self.place = match matched + 1 {
                3 => Place::LineStart,
                more => Place::Bom(more as u8),
            };
            return 1;
        }
        self.place = match matched {
            0 => Place::LineStart,
            // The start of another character, and so of an unknown field.
            _ => Place::Dropped(Kind::Unknown),
        };
        0
    }
}
