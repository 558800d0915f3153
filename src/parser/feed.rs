//! The borrowing face of the parser: a cursor over one chunk.

use core::fmt;

use super::{
    EventTooLarge, Item, Parser, Place, Step, Text, Want,
    item::EventAt,
    lines::{WORTH_A_WINDOW, window},
};
use crate::event::{Event, EventRef};

/// A cursor over a chunk that lends the events which the chunk completes.
///
/// Made by [`Parser::feed`]. Read it until it says `None`; dropped earlier it has taken
/// [`consumed`](Self::consumed) bytes, and the rest of the chunk is to be fed again:
///
/// ```
/// use everstream::Parser;
///
/// let mut parser = Parser::new();
/// let chunk = b"data: 1\n\ndata: 2\n\n";
/// let mut feed = parser.feed(chunk);
/// assert_eq!(feed.next_event()?.map(|event| event.data()), Some("1"));
/// let consumed = feed.consumed();
///
/// let mut feed = parser.feed(&chunk[consumed..]);
/// assert_eq!(feed.next_event()?.map(|event| event.data()), Some("2"));
/// # Ok::<(), everstream::EventTooLarge>(())
/// ```
#[must_use = "the chunk is parsed as its events are asked for"]
pub struct Feed<'p, 'c> {
    parser: &'p mut Parser,
    chunk: &'c [u8],
    /// The part of the chunk that is being taken,
    text: Text<'c>,
    /// where it begins in the chunk,
    start: usize,
    /// and how much of it was taken.
    at: usize,
}

/// Shows how long the chunk is, not what is in it: that may be secret.
impl fmt::Debug for Feed<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Feed")
            .field("parser", &self.parser)
            .field("bytes", &self.chunk.len())
            .field("consumed", &self.consumed())
            .finish_non_exhaustive()
    }
}

/// The ways of a chunk.
enum Way {
    /// In windows of whole lines.
    Windows,
    /// As it lies, since it is short.
    Short,
    /// It was taken already.
    Passed,
}

impl<'p, 'c> Feed<'p, 'c> {
    pub(super) fn new(parser: &'p mut Parser, chunk: &'c [u8]) -> Self {
        Self {
            parser,
            chunk,
            text: Text::Raw(&[]),
            start: 0,
            at: 0,
        }
    }

    /// The next event, or `None` once the chunk is taken.
    ///
    /// Comments are passed over, and one that does not end in this chunk to its end:
    /// [`next_item`](Self::next_item) may not lend it then, though asked for the rest of it.
    ///
    /// # Errors
    ///
    /// [`EventTooLarge`], after every earlier event was lent. It stays so until
    /// [`Parser::reconnect`].
    #[inline]
    pub fn next_event(&mut self) -> Result<Option<EventRef<'_>>, EventTooLarge> {
        if self.gather() {
            return Ok(None);
        }
        self.lend_next()
    }

    /// The next event, owned, or `None` once the chunk is taken. A large one is not copied.
    /// Comments are passed over as by [`next_event`](Self::next_event).
    ///
    /// # Errors
    ///
    /// As [`next_event`](Self::next_event).
    #[inline]
    pub fn next_owned(&mut self) -> Result<Option<Event>, EventTooLarge> {
        if self.gather() {
            return Ok(None);
        }
        self.hand_over_next()
    }

    /// The next event, comment, reconnection time or skip, or `None` once the chunk is taken.
    ///
    /// # Errors
    ///
    /// As [`next_event`](Self::next_event).
    pub fn next_item(&mut self) -> Result<Option<Item<'_>>, EventTooLarge> {
        Ok(match self.step(Want::Items)? {
            None => None,
            Some(Step::Event(event)) => Some(Item::Event(self.parser.lend(self.text, &event))),
            Some(Step::Comment(at)) => {
                Some(Item::Comment(self.parser.lend_comment(self.text, &at)))
            }
            Some(Step::Retry(time)) => Some(Item::Retry(time)),
            Some(Step::Undispatched(event)) => {
                let (event_type, id) = self.parser.lend_undispatched(event);
                Some(Item::Undispatched { event_type, id })
            }
            Some(Step::Skipped(skipped)) => Some(Item::Skipped(skipped)),
        })
    }

    /// How many bytes of the chunk were taken so far: all of them, once there is no next item.
    #[must_use]
    pub fn consumed(&self) -> usize {
        self.start + self.at
    }

    /// Takes a chunk of one byte, where it ends no line and decides nothing. This alone is inlined
    /// into the caller.
    #[inline(always)]
    fn gather(&mut self) -> bool {
        let gathered = self.start == 0 && self.parser.gather(self.chunk);
        if gathered {
            self.start = 1;
        }
        gathered
    }

    /// How to go on with the chunk. A piece of a long line is taken at once: without that, `large`
    /// takes 12% longer in chunks of 1460 bytes, and 25% in chunks of 64.
    #[inline(always)]
    fn way(&mut self) -> Way {
        if self.at > 0 {
            return Way::Windows;
        }
        if self.start == 0 && self.parser.pass_on(self.chunk) {
            self.start = self.chunk.len();
            return Way::Passed;
        }
        if self.chunk.len() < WORTH_A_WINDOW {
            return Way::Short;
        }
        Way::Windows
    }

    #[inline(never)]
    fn lend_next(&mut self) -> Result<Option<EventRef<'_>>, EventTooLarge> {
        match self.way() {
            Way::Windows => self.lend_event(),
            Way::Short => self.lend_in_short(),
            Way::Passed => Ok(None),
        }
    }

    #[inline(never)]
    fn hand_over_next(&mut self) -> Result<Option<Event>, EventTooLarge> {
        match self.way() {
            Way::Windows => self.hand_over_event(),
            Way::Short => self.hand_over_in_short(),
            Way::Passed => Ok(None),
        }
    }

    #[inline(never)]
    fn lend_in_short(&mut self) -> Result<Option<EventRef<'_>>, EventTooLarge> {
        Ok(match self.parser.event_in(self.chunk, &mut self.start)? {
            Some(event) => Some(self.parser.lend(Text::Raw(self.chunk), &event)),
            None => None,
        })
    }

    #[inline(never)]
    fn hand_over_in_short(&mut self) -> Result<Option<Event>, EventTooLarge> {
        Ok(match self.parser.event_in(self.chunk, &mut self.start)? {
            Some(event) => Some(self.parser.hand_over(Text::Raw(self.chunk), &event)),
            None => None,
        })
    }

    // Everything down to the line is inlined into this and the next. Layers that hand their
    // results on through memory cost 270 instructions for an event of one byte, instead of 221.
    #[inline(never)]
    fn lend_event(&mut self) -> Result<Option<EventRef<'_>>, EventTooLarge> {
        Ok(match self.event()? {
            Some(event) => Some(self.parser.lend(self.text, &event)),
            None => None,
        })
    }

    #[inline(never)]
    fn hand_over_event(&mut self) -> Result<Option<Event>, EventTooLarge> {
        Ok(match self.event()? {
            Some(event) => Some(self.parser.hand_over(self.text, &event)),
            None => None,
        })
    }

    #[inline(always)]
    fn event(&mut self) -> Result<Option<EventAt>, EventTooLarge> {
        loop {
            if let Text::ValidLf(text) = self.text {
                if let Some(event) = self.parser.usual_event(text, &mut self.at) {
                    return Ok(Some(event));
                }
            }
            match self.step(Want::Events)? {
                Some(Step::Event(event)) => return Ok(Some(event)),
                Some(_) => {}
                None => return Ok(None),
            }
        }
    }

    #[inline(always)]
    fn step(&mut self, want: Want) -> Result<Option<Step>, EventTooLarge> {
        loop {
            if self.at < self.text.bytes().len() {
                if let Some(step) = self.parser.step(self.text, &mut self.at, want)? {
                    return Ok(Some(step));
                }
            }
            self.start += self.at;
            self.at = 0;
            self.text = Text::Raw(&[]);
            if self.start == self.chunk.len() {
                self.parser.not_failed()?;
                return Ok(None);
            }
            if self.parser.place == Place::LineStart {
                self.text = window(&self.chunk[self.start..]);
            } else if let Some(step) = self.parser.go_on(self.chunk, &mut self.start, want)? {
                // In a line that began in an earlier chunk, or after its CR.
                return Ok(Some(step));
            }
        }
    }
}
