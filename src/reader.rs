//! The blocking API: events from any [`std::io::Read`].

use std::{fmt, io};

use crate::{
    error::{Error, ErrorKind},
    event::Event,
    parser::{Cursor, Parser},
};

/// An iterator over the events of any [`std::io::Read`].
///
/// An error is the last item; after it, and after the end of the stream, it yields `None` forever.
/// Interrupted reads are retried. The reader doesn't need to be buffered.
///
/// ```
/// use everstream::Reader;
///
/// let stream = "data: one\n\ndata: two\n\n";
/// for event in Reader::new(stream.as_bytes()) {
///     println!("{}", event?.data());
/// }
/// # Ok::<(), everstream::Error>(())
/// ```
///
/// An unfinished event at the end of the stream is discarded, as the standard requires.
/// [`has_unfinished`](Self::has_unfinished) returns whether there was one.
#[must_use = "iterators are lazy and do nothing unless consumed"]
pub struct Reader<R> {
    reader: R,
    parser: Parser,
    buffer: Box<[u8]>,
    /// How much of the buffer is filled.
    filled: usize,
    cursor: Cursor,
    ended: bool,
}

const BUFFER_BYTES: usize = 16 * 1024;

impl<R: io::Read> Reader<R> {
    /// Creates an iterator over the events of `reader`.
    pub fn new(reader: R) -> Self {
        Self::with_parser(reader, Parser::new())
    }

    /// Creates an iterator that uses `parser`, to set limits or a last event ID.
    pub fn with_parser(reader: R, parser: Parser) -> Self {
        Self {
            reader,
            parser,
            buffer: vec![0; BUFFER_BYTES].into(),
            filled: 0,
            cursor: Cursor::default(),
            ended: false,
        }
    }

    /// Returns the last event ID of the stream, as of the last block of lines that has ended.
    #[must_use]
    pub fn last_event_id(&self) -> &str {
        self.parser.last_event_id()
    }

    /// Returns the reconnection time, or `None` if the stream has not set it yet.
    #[must_use]
    pub fn reconnection_time(&self) -> Option<std::time::Duration> {
        self.parser.reconnection_time()
    }

    /// Whether the input so far ends in the middle of an event.
    #[must_use]
    pub fn has_unfinished(&self) -> bool {
        self.parser.has_unfinished()
    }

    /// Takes the unfinished event at the end, as if the stream had ended with a blank line. Returns
    /// `None` if there is no unfinished event, or if the event has no data.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::EventTooLarge`] if the event exceeds the limit.
    pub fn take_unfinished(&mut self) -> Result<Option<Event>, Error> {
        Ok(self.parser.take_unfinished()?)
    }

    /// Returns the reader. Input that was read but not yet yielded as events is lost.
    pub fn into_inner(self) -> R {
        self.reader
    }

    fn next_event(&mut self) -> Result<Option<Event>, Error> {
        loop {
            let chunk = &self.buffer[..self.filled];
            if let Some(event) = self.cursor.next_event(&mut self.parser, chunk)? {
                let data = self.cursor.take_data(&mut self.parser, chunk, &event);
                return Ok(Some(self.parser.own(&event, data)));
            }
            self.filled = 0;
            self.filled = match self.reader.read(&mut self.buffer) {
                Ok(0) => return Ok(None),
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => 0,
                Err(error) => return Err(Error::new(ErrorKind::Read, error)),
            };
        }
    }
}

impl<R: io::Read> Iterator for Reader<R> {
    type Item = Result<Event, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let item = self.next_event().transpose();
        self.ended = !matches!(item, Some(Ok(_)));
        item
    }
}

impl<R: io::Read> std::iter::FusedIterator for Reader<R> {}

/// Doesn't show the reader: a slice or a cursor would show the whole stream.
impl<R> fmt::Debug for Reader<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader")
            .field("parser", &self.parser)
            .field("ended", &self.ended)
            .finish_non_exhaustive()
    }
}
