//! The parser's borrowing API: a cursor over one chunk.

use core::fmt;

use super::{
    Aside, EventTooLarge, Item, Parser, Place, Step, Text, Want, item::EventAt, lines::window,
    size::WORTH_A_WINDOW,
};
use crate::event::{Event, EventRef};

/// A cursor over the events that a chunk completes.
///
/// Returned by [`Parser::feed`]. Read it until it returns `None`. If you drop it earlier, it has
/// consumed [`consumed`](Self::consumed) bytes; feed the rest of the chunk again:
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
#[must_use = "a chunk is only parsed while its events are read"]
pub struct Feed<'p, 'c> {
    parser: &'p mut Parser,
    chunk: &'c [u8],
    /// The current part of the chunk,
    text: Text<'c>,
    /// its start in the chunk,
    start: usize,
    /// and how much of it was consumed.
    at: usize,
}

impl Parser {
    /// Parses the next chunk of the stream. Returns a cursor over the events that the chunk
    /// completes. Read the cursor to its end; otherwise feed the rest of the chunk (after
    /// [`Feed::consumed`] bytes) again.
    pub fn feed<'p, 'c>(&'p mut self, chunk: &'c [u8]) -> Feed<'p, 'c> {
        Feed::new(self, chunk)
    }
}

/// Shows the length of the chunk, but not its contents, which may be secret.
impl fmt::Debug for Feed<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Feed")
            .field("parser", &self.parser)
            .field("bytes", &self.chunk.len())
            .field("consumed", &self.consumed())
            .finish_non_exhaustive()
    }
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

    /// Returns the next event, or `None` once the chunk is consumed.
    ///
    /// Comments are skipped. If a comment continues in the next chunk, all of it may be skipped,
    /// even if you call [`next_item`](Self::next_item) for the rest of it.
    ///
    /// # Errors
    ///
    /// [`EventTooLarge`], after all earlier events were returned. All later calls return it too,
    /// until [`Parser::reconnect`].
    #[inline]
    pub fn next_event(&mut self) -> Result<Option<EventRef<'_>>, EventTooLarge> {
        if self.gather() {
            return Ok(None);
        }
        self.next::<Lent>()
    }

    /// Returns the next event, owned, or `None` once the chunk is consumed. A large event is not
    /// copied. Comments are skipped as by [`next_event`](Self::next_event).
    ///
    /// # Errors
    ///
    /// The same as [`next_event`](Self::next_event).
    #[inline]
    pub fn next_owned(&mut self) -> Result<Option<Event>, EventTooLarge> {
        if self.gather() {
            return Ok(None);
        }
        self.next::<Owned>()
    }

    /// Returns the next item (an event, a comment, a reconnection time, a block without data, or a
    /// skip), or `None` once the chunk is consumed.
    ///
    /// # Errors
    ///
    /// The same as [`next_event`](Self::next_event).
    pub fn next_item(&mut self) -> Result<Option<Item<'_>>, EventTooLarge> {
        Ok(match self.step(Want::Items)? {
            None => None,
            Some(Step::Event(event)) => Some(Item::Event(self.parser.lend(self.text, &event))),
            Some(Step::Aside(aside)) => Some(match aside {
                Aside::Comment(at) => Item::Comment(self.parser.lend_comment(self.text, &at)),
                Aside::Retry(time) => Item::Retry(time),
                Aside::Undispatched(event) => {
                    let (event_type, id) = self.parser.lend_undispatched(event);
                    Item::Undispatched { event_type, id }
                }
                Aside::Skipped(skipped) => Item::Skipped(skipped),
            }),
        })
    }

    /// Returns how many bytes of the chunk were consumed so far: all of them, once there is no next
    /// item.
    #[must_use]
    pub fn consumed(&self) -> usize {
        self.start + self.at
    }

    /// Takes a chunk of one byte that neither ends a line nor needs a decision. Only this is
    /// inlined into the caller.
    #[inline(always)]
    fn gather(&mut self) -> bool {
        let gathered = self.start == 0 && self.parser.gather(self.chunk);
        if gathered {
            self.start = 1;
        }
        gathered
    }

    // `next` only chooses a function. Each of these lends or builds the event itself, and is small, so
    // that it saves few registers.

    #[inline(never)]
    fn next<T: Take>(&mut self) -> Result<Option<T::Event<'_>>, EventTooLarge> {
        match self.text {
            Text::ValidLf(_) => self.next_in_window::<T>(),
            Text::Valid(_) | Text::Raw(_) => self.next_in_chunk::<T>(),
        }
    }

    #[inline(never)]
    fn next_in_window<T: Take>(&mut self) -> Result<Option<T::Event<'_>>, EventTooLarge> {
        match self.usual_event() {
            Some((text, event)) => Ok(Some(T::take(self.parser, text, &event))),
            None => self.next_step::<T>(),
        }
    }

    #[inline(never)]
    fn next_in_chunk<T: Take>(&mut self) -> Result<Option<T::Event<'_>>, EventTooLarge> {
        if self.pass_on() {
            return Ok(None);
        }
        if !self.is_short() {
            return self.next_step::<T>();
        }
        Ok(match self.step_in_short()? {
            Some(event) => Some(T::take(self.parser, Text::Raw(self.chunk), &event)),
            None => None,
        })
    }

    #[cold]
    #[inline(never)]
    fn next_step<T: Take>(&mut self) -> Result<Option<T::Event<'_>>, EventTooLarge> {
        Ok(match self.step(Want::Events)? {
            Some(Step::Event(event)) => Some(T::take(self.parser, self.text, &event)),
            _ => None,
        })
    }

    /// Takes a chunk from the middle of a long data line. Without this, `large` takes 15% more
    /// instructions in chunks of 1460 bytes.
    #[inline(always)]
    fn pass_on(&mut self) -> bool {
        let passed = self.start + self.at == 0 && self.parser.pass_on(self.chunk);
        if passed {
            self.start = self.chunk.len();
        }
        passed
    }

    /// Whether the chunk is parsed without windows. Nothing is set up for it: `text` stays empty, and
    /// `start` is the progress.
    #[inline(always)]
    fn is_short(&self) -> bool {
        self.at == 0 && self.chunk.len() < WORTH_A_WINDOW
    }

    #[inline(always)]
    fn step_in_short(&mut self) -> Result<Option<EventAt>, EventTooLarge> {
        let text = Text::Raw(self.chunk);
        let (at, step) = self.parser.walk(text, self.start, Want::Events);
        self.start = at;
        match step {
            Some(Step::Event(event)) => Ok(Some(event)),
            _ => self.parser.not_failed().map(|()| None),
        }
    }

    /// Takes the usual event, in a window without CR.
    #[inline(always)]
    fn usual_event(&mut self) -> Option<(Text<'c>, EventAt)> {
        let text @ Text::ValidLf(_) = self.text else {
            return None;
        };
        if !self.parser.is_between_events() {
            return None;
        }
        let event = self.parser.usual_event(text, &mut self.at).ok()?;
        Some((text, event))
    }

    #[inline(always)]
    fn step(&mut self, want: Want) -> Result<Option<Step>, EventTooLarge> {
        loop {
            if self.at < self.text.bytes().len() {
                let step;
                (self.at, step) = self.parser.walk(self.text, self.at, want);
                if step.is_some() {
                    return Ok(step);
                }
            }
            self.parser.not_failed()?;
            self.start += self.at;
            self.at = 0;
            self.text = Text::Raw(&[]);
            if self.start == self.chunk.len() {
                return Ok(None);
            }
            if self.parser.place == Place::LineStart {
                self.text = window(&self.chunk[self.start..]);
            } else {
                // In a line that started in an earlier chunk, or after its CR.
                let step;
                (self.start, step) = self.parser.finish_line(self.chunk, self.start, want);
                if step.is_some() {
                    return Ok(step);
                }
            }
        }
    }
}

/// How to take an event from the parser: lent or owned.
trait Take {
    type Event<'a>;

    fn take<'a>(parser: &'a mut Parser, text: Text<'a>, event: &EventAt) -> Self::Event<'a>;
}

struct Lent;

impl Take for Lent {
    type Event<'a> = EventRef<'a>;

    #[inline(always)]
    fn take<'a>(parser: &'a mut Parser, text: Text<'a>, event: &EventAt) -> EventRef<'a> {
        parser.lend(text, event)
    }
}

struct Owned;

impl Take for Owned {
    type Event<'a> = Event;

    #[inline(always)]
    fn take<'a>(parser: &'a mut Parser, text: Text<'a>, event: &EventAt) -> Event {
        parser.hand_over(text, event)
    }
}
