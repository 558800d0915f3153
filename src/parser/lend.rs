//! Positions → text: an event or a comment, borrowed or owned.

use alloc::{borrow::Cow, string::String};
use core::mem;

use super::{
    Parser,
    item::{CommentAt, Data, EventAt, Span},
    lines::Text,
    size::LARGE,
};
use crate::event::{Event, EventRef};

impl Parser {
    /// Returns an event of `text`, borrowed.
    #[inline(always)]
    pub(crate) fn lend<'a>(&'a mut self, text: Text<'a>, event: &EventAt) -> EventRef<'a> {
        let data = match event.data {
            Data::InText(span) => match text.get(span) {
                Cow::Borrowed(data) => data,
                Cow::Owned(data) => {
                    self.data = data;
                    self.data.as_str()
                }
            },
            Data::Kept(span) => lend_kept(&self.tail.kept, span, &mut self.data),
            Data::Buffered => self.data.as_str(),
        };
        let event = event.event.map(|slot| self.types.get(slot));
        EventRef::new(event, data, &self.last_event_id)
    }

    /// Returns an event of `text`, owned. A large one is moved, not copied.
    ///
    /// This is inlined into the code that stores the event. Each copy of an event that was just
    /// written makes the processor wait for the writes: 5 ns.
    #[inline(always)]
    pub(crate) fn hand_over(&mut self, text: Text<'_>, event: &EventAt) -> Event {
        let data = self.own_data(text, event);
        self.own(event, data)
    }

    /// Returns the data of an event of `text`, owned.
    #[inline(always)]
    pub(crate) fn own_data(&mut self, text: Text<'_>, event: &EventAt) -> String {
        if matches!(event.data, Data::Buffered) && self.data.len() >= LARGE {
            return self.move_out();
        }
        self.lend(text, event).data().into()
    }

    /// Builds an event from its data.
    #[inline(always)]
    pub(crate) fn own(&self, event: &EventAt, data: String) -> Event {
        let event = event.event.map(|slot| self.types.get(slot));
        EventRef::new(event, "", &self.last_event_id).with_data(data)
    }

    /// Returns the type and the last event ID of a block without data.
    pub(crate) fn lend_undispatched(&self, event: Option<u8>) -> (&str, &str) {
        let event = event.map(|slot| self.types.get(slot));
        let event = EventRef::new(event, "", &self.last_event_id);
        (event.event_type(), event.id())
    }

    fn move_out(&mut self) -> String {
        let mut data = mem::take(&mut self.data);
        // The buffer may have been larger before: don't keep unused memory.
        if data.capacity() > data.len() + data.len() / 4 {
            data.shrink_to_fit();
        }
        data
    }

    /// Returns the comment of a step, borrowed.
    pub(crate) fn lend_comment<'a>(&'a mut self, text: Text<'a>, at: &CommentAt) -> &'a str {
        match *at {
            CommentAt::Buffered => &self.comment,
            CommentAt::InText(span) => match text.get(span) {
                Cow::Borrowed(comment) => comment,
                Cow::Owned(comment) => {
                    self.comment = comment;
                    &self.comment
                }
            },
        }
    }
}

/// Returns the text of a span of `kept`. If that is not UTF-8, decodes it into `buffer`.
#[inline(never)]
fn lend_kept<'a>(kept: &'a [u8], span: Span, buffer: &'a mut String) -> &'a str {
    match Text::Raw(kept).get(span) {
        Cow::Borrowed(text) => text,
        Cow::Owned(text) => {
            *buffer = text;
            buffer
        }
    }
}
