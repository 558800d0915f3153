//! The events of one body: the way from a chunk to an item.

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

/// A parser, and one body after the other that it reads.
pub(crate) struct Events {
    parser: Parser,
    body: Option<Body>,
    head: Option<Head>,
    /// The chunk that is being parsed, and how far.
    chunk: Option<Bytes>,
    cursor: Cursor,
    /// An event of the chunk is lent, and was not passed yet.
    lent: bool,
    /// What came before the first field, while none has come.
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

    pub(crate) fn parser_mut(&mut self) -> &mut Parser {
        &mut self.parser
    }

    /// The head of the response whose body is read, or was read last.
    pub(crate) fn head(&self) -> Option<&Head> {
        self.head.as_ref()
    }

    /// Begins with the body of a new response.
    pub(crate) fn open(&mut self, head: Option<Head>, body: Body) {
        self.parser.reconnect();
        self.head = head;
        self.body = Some(body);
        // Only a response has called itself an event stream. Of other bytes nobody knows more.
        self.prelude = self.head.is_some().then(Prelude::default);
        self.waiting.for_events();
    }

    /// Lets go of the body, and with it of the connection.
    pub(crate) fn close(&mut self) {
        self.body = None;
        self.prelude = None;
        self.drop_chunk();
        self.waiting.stop();
    }

    /// Finds the next event, to be [taken](Self::take) or [lent](Self::lend) at once; `None` once
    /// the body has ended as it should. After that and after an error this is closed.
    #[inline]
    pub(crate) fn poll_event(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Option<EventAt>, Error>> {
        self.waiting.begin(false);
        ready!(self.poll_found(cx, Cursor::next_event)).into()
    }

    /// Whether the event that was found is one of progress. It counts as handed out.
    #[inline]
    pub(crate) fn note(&mut self, found: &EventAt) -> bool {
        self.prelude = None;
        let (cursor, chunk, parser) = (&self.cursor, &self.chunk, &mut self.parser);
        let event = || parser.lend(cursor.text(bytes(chunk)), found).to_owned();
        self.waiting.event(event)
    }

    /// The event that was found.
    #[inline(always)]
    pub(crate) fn take(&mut self, found: &EventAt) -> Event {
        let data = (self.cursor).take_data(&mut self.parser, bytes(&self.chunk), found);
        self.drop_chunk_at_end();
        self.parser.own(found, data)
    }

    /// The event that was found, lent until the next one is looked for.
    #[inline(always)]
    pub(crate) fn lend(&mut self, found: &EventAt) -> EventRef<'_> {
        self.lent = true;
        self.parser
            .lend(self.cursor.text(bytes(&self.chunk)), found)
    }

    /// Finds and takes the next item, and says whether it is an event of progress.
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

    /// What `find` finds in this chunk or those that follow.
    #[inline(always)]
    fn poll_found<T>(
        &mut self,
        cx: &mut Context<'_>,
        find: impl Fn(&mut Cursor, &mut Parser, &[u8]) -> Result<Option<T>, EventTooLarge>,
    ) -> Poll<Result<Option<T>, Error>> {
        /// After this many chunks without an item, other tasks get their turn.
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

    /// What was lent was looked at.
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

    /// Takes the next chunk. Whether there is one: the body may have ended.
    #[inline]
    fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Result<bool, Error>> {
        if let Some(error) = self.waiting.strikes() {
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

    /// The body has ended as it should. If there was no field in it, it wasn't an event stream.
    fn end(&mut self) -> Result<(), Error> {
        let said = match self.prelude.take() {
            Some(prelude) if self.body.is_some() => prelude.into_said(),
            _ => None,
        };
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

    /// An error of the response that is read, or was read last.
    pub(crate) fn located(&self, error: Error) -> Error {
        error.or_url(self.head.as_ref().and_then(Head::url))
    }

    /// The whole chunk was looked through.
    #[inline]
    fn drop_taken_chunk(&mut self) {
        if let Some(prelude) = &mut self.prelude {
            if prelude.push(bytes(&self.chunk), self.max_error_body_bytes) {
                self.prelude = None;
            }
        }
        self.drop_chunk();
    }

    /// The transport may have its buffer back, and nothing of ours is kept while it waits.
    fn drop_chunk(&mut self) {
        self.lent = false;
        self.chunk = None;
        self.cursor.clear();
    }
}

/// The chunk that is being parsed, or nothing.
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
