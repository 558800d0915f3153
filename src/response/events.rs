//! [`Events`]: reads the events of a body, from chunk to item.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use futures_util::Stream;

use super::{Waiting, prelude::Prelude};
use crate::{
    error::{Error, ErrorKind},
    event::{Event, EventRef},
    parser::{Cursor, EventAt, EventTooLarge, Parser, Taken},
    transport::{Body, Head},
};

/// A parser that reads one body after another.
pub(crate) struct Events {
    parser: Parser,
    body: Option<Body>,
    head: Option<Head>,
    /// The chunk that is being parsed. `cursor` is the position in it.
    chunk: Option<Bytes>,
    cursor: Cursor,
    /// The last event is borrowed from the chunk, and was not skipped yet.
    lent: bool,
    /// The start of the body, until the first field or comment.
    prelude: Option<Prelude>,
    max_error_body_bytes: usize,
    pub(crate) waiting: Waiting,
}

impl Events {
    pub(crate) fn new(parser: Parser, waiting: Waiting, max_error_body_bytes: usize) -> Self {
        Self {
            parser,
            body: None,
            head: None,
            chunk: None,
            cursor: Cursor::default(),
            lent: false,
            prelude: None,
            max_error_body_bytes,
            waiting,
        }
    }

    pub(crate) fn parser(&self) -> &Parser {
        &self.parser
    }

    #[cfg(feature = "client")]
    pub(crate) fn parser_mut(&mut self) -> &mut Parser {
        &mut self.parser
    }

    /// Returns the head of the response whose body is read, or was read last.
    pub(crate) fn head(&self) -> Option<&Head> {
        self.head.as_ref()
    }

    /// Starts to read the body of a new response.
    pub(crate) fn open(&mut self, head: Option<Head>, body: Body) {
        self.parser.reconnect();
        self.head = head;
        self.body = Some(body);
        // Only a response claims to be an event stream. Bytes without a response are not checked.
        self.prelude = self.head.is_some().then(Prelude::default);
        self.waiting.for_events();
    }

    /// Adds a line end and a blank line after the end of the body, so that the next polls find what
    /// it left unfinished.
    pub(crate) fn add_blank_line(&mut self) {
        self.chunk = Some(Bytes::from_static(b"\n\n"));
    }

    /// Drops the body, and with it the connection.
    pub(crate) fn close(&mut self) {
        self.body = None;
        self.prelude = None;
        self.drop_chunk();
        self.waiting.stop();
    }

    /// Finds the next event, which the caller must [take](Self::take) or [lend](Self::lend) before
    /// the next poll. Returns `None` at the clean end of the body. After that, or after an error,
    /// the body is closed.
    #[inline]
    pub(crate) fn poll_event(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Option<EventAt>, Error>> {
        self.waiting.begin(false);
        ready!(self.poll_found(cx, Cursor::next_event)).into()
    }

    /// Returns whether the event that was found is progress. It counts as yielded.
    #[inline]
    pub(crate) fn note(&mut self, found: &EventAt) -> bool {
        self.prelude = None;
        let (cursor, chunk, parser) = (&self.cursor, &self.chunk, &mut self.parser);
        let event = || parser.lend(cursor.text(bytes(chunk)), found).to_owned();
        self.waiting.event(event)
    }

    /// Takes the event that was found.
    #[inline(always)]
    pub(crate) fn take(&mut self, found: &EventAt) -> Event {
        let data = (self.cursor).take_data(&mut self.parser, bytes(&self.chunk), found);
        self.drop_chunk_at_end();
        self.parser.own(found, data)
    }

    /// Borrows the event that was found, until the next one is searched for.
    #[inline(always)]
    pub(crate) fn lend(&mut self, found: &EventAt) -> EventRef<'_> {
        self.lent = true;
        self.parser
            .lend(self.cursor.text(bytes(&self.chunk)), found)
    }

    /// Finds and takes the next item. Also returns whether it is an event of progress.
    pub(crate) fn poll_item(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Option<(Taken, bool)>, Error>> {
        self.waiting.begin(true);
        let Some(taken) = ready!(self.poll_found(cx, Cursor::next_item))? else {
            return Poll::Ready(Ok(None));
        };
        self.prelude = None;
        let progress = match &taken {
            Taken::Event(event) => self.waiting.event(|| event.clone()),
            _ => {
                self.waiting.noise();
                false
            }
        };
        self.drop_chunk_at_end();
        Poll::Ready(Ok(Some((taken, progress))))
    }

    /// Runs `find` on this chunk and the following ones.
    #[inline(always)]
    fn poll_found<T>(
        &mut self,
        cx: &mut Context<'_>,
        find: impl Fn(&mut Cursor, &mut Parser, &[u8]) -> Result<Option<T>, EventTooLarge>,
    ) -> Poll<Result<Option<T>, Error>> {
        /// Yields to other tasks after this many chunks without an item.
        const CHUNKS_AT_ONCE: usize = 64;

        if self.lent {
            self.pass_lent();
        }
        for _ in 0..CHUNKS_AT_ONCE {
            if let Some(chunk) = &self.chunk {
                match find(&mut self.cursor, &mut self.parser, chunk) {
                    Ok(None) => self.drop_taken_chunk(),
                    Ok(found) => return Poll::Ready(Ok(found)),
                    Err(error) => return Poll::Ready(Err(self.fail(error.into()))),
                }
            }
            match ready!(self.poll_chunk(cx)) {
                Ok(true) => {}
                Ok(false) => return Poll::Ready(self.end().map(|()| None)),
                Err(error) => return Poll::Ready(Err(self.fail(error))),
            }
        }
        cx.waker().wake_by_ref();
        self.poll_limits(cx).map(Err)
    }

    /// Skips the event that was borrowed.
    #[inline]
    fn pass_lent(&mut self) {
        self.lent = false;
        self.cursor.look_ahead();
        self.drop_chunk_at_end();
    }

    #[inline]
    fn drop_chunk_at_end(&mut self) {
        if self.cursor.is_at_end(bytes(&self.chunk)) {
            self.drop_chunk();
        }
    }

    /// Takes the next chunk. Returns `false` if the body has ended.
    #[inline]
    fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Result<bool, Error>> {
        if let Some(error) = self.waiting.exceeded() {
            return Poll::Ready(Err(error));
        }
        let Some(body) = &mut self.body else {
            return Poll::Ready(Ok(false));
        };
        match Pin::new(body).poll_next(cx) {
            Poll::Ready(Some(Ok(chunk))) => {
                if chunk.is_empty() {
                    self.waiting.empty_chunk();
                } else {
                    self.waiting.chunk();
                    self.chunk = Some(chunk);
                }
                Poll::Ready(Ok(true))
            }
            Poll::Ready(Some(Err(error))) => Poll::Ready(Err(error)),
            Poll::Ready(None) => Poll::Ready(Ok(false)),
            Poll::Pending => self.poll_limits(cx).map(Err),
        }
    }

    fn poll_limits(&mut self, cx: &mut Context<'_>) -> Poll<Error> {
        let error = ready!(self.waiting.poll(cx));
        Poll::Ready(self.fail(error))
    }

    /// Handles the clean end of the body. Without any field or comment, it was not an event stream.
    fn end(&mut self) -> Result<(), Error> {
        let said = self.prelude.take().and_then(Prelude::into_said);
        self.close();
        let Some(said) = said else { return Ok(()) };
        let is_whole = said.len() < self.max_error_body_bytes;
        let error = Error::of(ErrorKind::NotEventStream);
        Err(match &self.head {
            Some(head) => error.refused_by(head, said, is_whole),
            None => error,
        })
    }

    fn fail(&mut self, error: Error) -> Error {
        self.close();
        self.located(error)
    }

    /// Adds the URL of the current or last response to an error.
    pub(crate) fn located(&self, error: Error) -> Error {
        error.or_url(self.head.as_ref().and_then(Head::url))
    }

    /// Drops the chunk after it was searched completely.
    #[inline]
    fn drop_taken_chunk(&mut self) {
        if let Some(prelude) = &mut self.prelude {
            if prelude.push(bytes(&self.chunk), self.max_error_body_bytes) {
                self.prelude = None;
            }
        }
        self.drop_chunk();
    }

    /// Drops the chunk, so that the transport can reuse its buffer, and no memory is held while
    /// waiting.
    fn drop_chunk(&mut self) {
        self.lent = false;
        self.chunk = None;
        self.cursor.clear();
    }
}

/// The bytes of the current chunk; empty if there is none.
#[inline]
fn bytes(chunk: &Option<Bytes>) -> &[u8] {
    chunk.as_deref().unwrap_or_default()
}

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Events")
            .field("parser", &self.parser)
            .field("open", &self.body.is_some())
            .finish_non_exhaustive()
    }
}
