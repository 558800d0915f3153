//! The blocking face: events from anything that can be read.

use std::{fmt, io};

use crate::{
    error::{Error, ErrorKind},
    event::Event,
    parser::{Cursor, Parser},
};

/// An iterator over the events of any [`std::io::Read`].
///
/// An error is its last item; after it, and after the end of the stream, it yields `None` for
/// ever. Reads that were interrupted are tried again. The reader needs no buffer of its own.
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
/// An event left unfinished at the end is discarded, as the standard says, and
/// [`has_unfinished`](Self::has_unfinished) tells of it.
#[must_use = "an iterator does nothing unless it is asked"]
pub struct Reader<R> {
    reader: R,
    parser: Parser,
    buffer: Box<[u8]>,
    /// How much of the buffer was read.
    filled: usize,
    cursor: Cursor,
    ended: bool,
}

const BUFFER_BYTES: usize = 16 * 1024;

impl<R: io::Read> Reader<R> {
    /// Reads events from `reader`.
    pub fn new(reader: R) -> Self {
        Self::with_parser(reader, Parser::new())
    }

    /// Reads events with a parser that has limits or a last event ID of its own.
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

    /// The last event ID of the stream: that of the last block of lines that has ended.
    #[must_use]
    pub fn last_event_id(&self) -> &str {
        self.parser.last_event_id()
    }

    /// The reconnection time, once the stream has set one.
    #[must_use]
    pub fn reconnection_time(&self) -> Option<std::time::Duration> {
        self.parser.reconnection_time()
    }

    /// Whether what was read ends in the middle of an event.
    #[must_use]
    pub fn has_unfinished(&self) -> bool {
        self.parser.has_unfinished()
    }

    /// Takes the unfinished event at the end, as if its blank line had come.
    ///
    /// # Errors
    ///
    /// Where it is larger than the limit.
    pub fn take_unfinished(&mut self) -> Result<Option<Event>, Error> {
        Ok(self.parser.take_unfinished()?)
    }

    /// The reader. What was read from it and not taken yet is lost.
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

/// Doesn't show what is read from: a slice or a cursor would show all of the stream.
impl<R> fmt::Debug for Reader<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader")
            .field("parser", &self.parser)
            .field("ended", &self.ended)
            .finish_non_exhaustive()
    }
}
