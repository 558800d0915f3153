//! One body, the parser and the timers that tell whether the server is alive.
//!
//! What [`EventStream`](crate::EventStream) and [`EventSource`](crate::EventSource) share: the
//! way from a chunk to an item, and how long to wait for it.

mod limits;
mod verdict;

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt, stream};

use crate::{
    error::{Error, ErrorKind, Refusal, Timeout},
    event::Event,
    parser::{Cursor, EventAt, EventTooLarge, Parser, Taken},
    timer::{self, Alarm, Instant},
    transport::{Body, BoxFuture, Head, Response, maybe_send::Progress},
};

use limits::Waiting;
pub use verdict::ContentType;
pub(crate) use verdict::{refusal, retry_after};

/// How long to wait for the server. `None` is for ever.
#[derive(Clone, Debug)]
pub(crate) struct Limits {
    pub(crate) headers: Option<Duration>,
    pub(crate) first_event: Option<Duration>,
    pub(crate) idle: Option<Duration>,
    pub(crate) event: Option<Duration>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            headers: None,
            first_event: None,
            idle: Some(Duration::from_secs(5 * 60)),
            event: None,
        }
    }
}

/// When a limit strikes, and as what.
pub(crate) type Deadline = (Instant, Timeout);

pub(crate) fn sooner(one: Deadline, other: Deadline) -> Deadline {
    if other.0 < one.0 { other } else { one }
}

/// When waiting for the headers, begun at `since`, has to end.
pub(crate) fn headers_deadline(
    headers: Option<Duration>,
    idle: Option<Duration>,
    since: Instant,
) -> Option<Deadline> {
    let headers = headers.map(|limit| (timer::after(since, limit), Timeout::Headers));
    let idle = idle.map(|limit| (timer::after(since, limit), Timeout::Idle));
    headers.into_iter().chain(idle).reduce(sooner)
}

pub(crate) struct Pump {
    parser: Parser,
    body: Option<Body>,
    /// The chunk that is being parsed, and how far.
    chunk: Bytes,
    cursor: Cursor,

    /// How long to wait for the next byte.
    idle: Option<Duration>,
    /// Since when nothing has come, while that is so.
    idle_since: Option<Instant>,
    /// The limits on events: boxed, since few have any.
    waiting: Option<Box<Waiting>>,
    alarm: Alarm,
}

impl Pump {
    pub(crate) fn new(parser: Parser, limits: &Limits, progress: Option<Progress>) -> Self {
        Self {
            parser,
            body: None,
            chunk: Bytes::new(),
            cursor: Cursor::default(),
            idle: limits.idle,
            idle_since: None,
            waiting: Waiting::new(limits, progress),
            alarm: Alarm::default(),
        }
    }

    pub(crate) fn parser(&self) -> &Parser {
        &self.parser
    }

    pub(crate) fn parser_mut(&mut self) -> &mut Parser {
        &mut self.parser
    }

    #[cfg(feature = "client")]
    pub(crate) fn idle(&self) -> Option<Duration> {
        self.idle
    }

    /// Begins with the body of a new response.
    pub(crate) fn open(&mut self, body: Body) {
        self.parser.reconnect();
        self.body = Some(body);
        if let Some(waiting) = &mut self.waiting {
            waiting.restart();
        }
    }

    /// Lets go of the body, and with it of the connection.
    pub(crate) fn close(&mut self) {
        self.body = None;
        self.drop_chunk();
        self.idle_since = None;
        self.alarm = Alarm::default();
    }

    /// Finds the next event, to be [taken](Self::take) at once; `None` once the body has ended as
    /// it should. After that and after an error the pump is closed.
    #[inline]
    pub(crate) fn poll_event(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Option<EventAt>, Error>> {
        // Where something else than an event of progress may be handed out, and always is there,
        // nothing is ever waited for: the time that finding it takes has to count.
        let choosy = self.waiting.as_deref().is_some_and(Waiting::is_choosy);
        let began = choosy.then(Instant::now);
        let found = ready!(self.poll_found(cx, Cursor::next_event));
        if let (Some(waiting), Ok(Some(found))) = (&mut self.waiting, &found) {
            waiting.pause(began);
            let text = self.cursor.text(&self.chunk);
            waiting.note(|| self.parser.lend(text, found).to_owned());
        }
        Poll::Ready(found)
    }

    /// The event that was found.
    #[inline(always)]
    pub(crate) fn take(&mut self, found: &EventAt) -> Event {
        let data = (self.cursor).take_data(&mut self.parser, &self.chunk, found);
        if self.cursor.is_at_end(&self.chunk) {
            self.drop_chunk();
        }
        self.parser.own(found, data)
    }

    /// As [`poll_event`](Self::poll_event), with comments and skips, and taken already.
    pub(crate) fn poll_item(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Taken>, Error>> {
        let began = self.waiting.is_some().then(Instant::now);
        let taken = ready!(self.poll_found(cx, Cursor::next_item));
        if let Ok(Some(taken)) = &taken {
            if let Some(waiting) = &mut self.waiting {
                waiting.pause(began);
                if let Taken::Event(event) = taken {
                    waiting.note(|| event.clone());
                }
            }
            if self.cursor.is_at_end(&self.chunk) {
                self.drop_chunk();
            }
        }
        Poll::Ready(taken)
    }

    /// What `find` finds in this chunk or those that follow.
    #[inline(always)]
    fn poll_found<T>(
        &mut self,
        cx: &mut Context<'_>,
        find: impl Fn(&mut Cursor, &mut Parser, &[u8]) -> Result<Option<T>, EventTooLarge>,
    ) -> Poll<Result<Option<T>, Error>> {
        /// So many chunks without an item, and the task lets others run.
        const CHUNKS_AT_ONCE: usize = 64;

        for _ in 0..CHUNKS_AT_ONCE {
            if !self.chunk.is_empty() {
                match find(&mut self.cursor, &mut self.parser, &self.chunk) {
                    Ok(None) => self.drop_chunk(),
                    Ok(found) => return Poll::Ready(Ok(found)),
                    Err(error) => return Poll::Ready(Err(self.fail(error.into()))),
                }
            }
            match ready!(self.poll_chunk(cx)) {
                Ok(true) => {}
                Ok(false) => return Poll::Ready(Ok(None)),
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
        cx.waker().wake_by_ref();
        self.poll_limits(cx).map(Err)
    }

    /// Takes the next chunk. Whether there is one: the body may have ended.
    #[inline]
    fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Result<bool, Error>> {
        if let Some(timeout) = self.waiting.as_deref().and_then(Waiting::strikes) {
            let error = Error::of(ErrorKind::Timeout(timeout));
            return Poll::Ready(Err(self.fail(error)));
        }
        let Some(body) = &mut self.body else {
            return Poll::Ready(Ok(false));
        };
        match Pin::new(body).poll_next(cx) {
            Poll::Ready(Some(Ok(chunk))) => {
                self.chunk = chunk;
                self.idle_since = None;
                if let Some(waiting) = &mut self.waiting {
                    waiting.take_chunk();
                }
                Poll::Ready(Ok(true))
            }
            Poll::Ready(Some(Err(error))) => Poll::Ready(Err(self.fail(error))),
            Poll::Ready(None) => {
                self.close();
                Poll::Ready(Ok(false))
            }
            Poll::Pending => self.poll_limits(cx).map(Err),
        }
    }

    /// Looks at the body and hands nothing out, for a stream that may not be read any further: one
    /// that has ended gives its connection back.
    pub(crate) fn look(&mut self, cx: &mut Context<'_>) {
        let Some(body) = &mut self.body else { return };
        match Pin::new(body).poll_next(cx) {
            Poll::Pending => {}
            Poll::Ready(None) => self.body = None,
            // Whoever reads on after all has lost nothing.
            Poll::Ready(Some(Ok(chunk))) => {
                let rest = self.chunk.slice(self.cursor.taken()..);
                self.drop_chunk();
                self.chunk = match rest.is_empty() {
                    true => chunk,
                    false => [rest, chunk].concat().into(),
                };
            }
            Poll::Ready(Some(Err(error))) => {
                self.body = Some(Body::new(stream::iter([Err::<Bytes, _>(error)])));
            }
        }
    }

    fn fail(&mut self, error: Error) -> Error {
        self.close();
        error
    }

    /// The transport may have its buffer back, and nothing of ours is kept while it waits.
    fn drop_chunk(&mut self) {
        self.chunk = Bytes::new();
        self.cursor.clear();
    }

    /// Nothing has come: ready with an error if a limit has passed. Waiting counts from
    /// the first time that nothing was there, so that a user's own pause never does.
    ///
    /// With one chunk per event this is asked for each of them: it looks at the clock once at most.
    fn poll_limits(&mut self, cx: &mut Context<'_>) -> Poll<Error> {
        if self.idle.is_none() && self.waiting.is_none() {
            return Poll::Pending;
        }
        let now = Instant::now();
        let idle = match self.idle {
            Some(limit) => {
                let since = *self.idle_since.get_or_insert(now);
                Some((timer::after(since, limit), Timeout::Idle))
            }
            None => None,
        };
        let event = match &mut self.waiting {
            Some(waiting) => waiting.deadline(now),
            None => None,
        };
        let (at, timeout) = match (idle, event) {
            (Some(idle), Some(event)) => sooner(idle, event),
            (Some(deadline), None) | (None, Some(deadline)) => deadline,
            (None, None) => return Poll::Pending,
        };
        ready!(self.alarm.poll_at(cx, now, at));
        Poll::Ready(self.fail(Error::of(ErrorKind::Timeout(timeout))))
    }
}

impl fmt::Debug for Pump {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pump")
            .field("parser", &self.parser)
            .field("open", &self.body.is_some())
            .field("idle", &self.idle)
            .finish_non_exhaustive()
    }
}

/// What a response turned out to be.
pub(crate) enum Verdict {
    Stream(Head, Body),
    /// No event stream. The future reads what the server says to that.
    Refused(BoxFuture<'static, Error>),
}

/// Whether a response is an event stream.
pub(crate) fn judge(response: Response, content_type: &ContentType) -> Verdict {
    let Response { head, body } = response;
    match refusal(head.status(), head.headers(), content_type) {
        None => Verdict::Stream(head.compact(), body),
        Some((kind, message)) => Verdict::Refused(Box::pin(async move {
            let error = refused(kind, head, body).await;
            match message {
                Some(message) => error.and_message(message),
                None => error,
            }
        })),
    }
}

/// An error with the response's status, headers and the beginning of its body.
async fn refused(kind: ErrorKind, head: Head, mut body: Body) -> Error {
    const MAX_BYTES: usize = 64 * 1024;
    const MAX_WAIT: Duration = Duration::from_secs(5);

    let status = head.status();
    let headers = head.into_headers();
    let retry_after = retry_after(&headers, timer::wall_clock());
    let mut said = BytesMut::new();
    let read = async {
        while let Some(Ok(chunk)) = body.next().await {
            let left = MAX_BYTES - said.len();
            said.extend_from_slice(&chunk[..chunk.len().min(left)]);
            if said.len() == MAX_BYTES {
                break;
            }
        }
    };
    // What did not come in time, or broke off, is not worth another error.
    timer::within(MAX_WAIT, read).await;
    Error::of(kind).and_refusal(Refusal {
        status,
        headers,
        body: said.freeze(),
        retry_after,
    })
}
