//! One body, the parser and the timers that tell whether the server is alive.
//!
//! What [`EventStream`](crate::EventStream) and [`EventSource`](crate::EventSource) share: the
//! way from a chunk to an item, and how long to wait for it.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt};

use crate::{
    error::{Error, ErrorKind, Refusal, Timeout},
    event::Event,
    parser::{Cursor, Parser, Taken, Want},
    session::{self, ContentType},
    timer::{self, Alarm, Instant},
    transport::{Body, BoxFuture, Head, Response, maybe_send::Progress},
};

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

impl Limits {
    /// When waiting for the headers, begun at `since`, has to end, and as what.
    pub(crate) fn headers_deadline(&self, since: Instant) -> Option<(Instant, Timeout)> {
        let headers = self
            .headers
            .map(|limit| (timer::after(since, limit), Timeout::Headers));
        let idle = self
            .idle
            .map(|limit| (timer::after(since, limit), Timeout::Idle));
        headers.into_iter().chain(idle).min_by_key(|(at, _)| *at)
    }
}

pub(crate) struct Pump {
    parser: Parser,
    body: Option<Body>,
    /// The chunk that is being parsed, and how far.
    chunk: Bytes,
    cursor: Cursor,

    limits: Limits,
    /// Which events count against the event limit; all of them by default.
    progress: Option<Progress>,
    alarm: Alarm,
    /// Since when nothing has come, while that is so.
    idle_since: Option<Instant>,
    /// Since when an event that is progress has been waited for, while that is so.
    event_since: Option<Instant>,
    /// How long it was waited for before the user was given something else.
    event_waited: Duration,
    /// The chunk was taken when that was too long already. It is looked through, as what is in it
    /// may have come in time.
    overdue: bool,
    /// No event has come since the headers did.
    first: bool,
}

impl Pump {
    pub(crate) fn new(parser: Parser, limits: Limits, progress: Option<Progress>) -> Self {
        Self {
            parser,
            body: None,
            chunk: Bytes::new(),
            cursor: Cursor::default(),
            limits,
            progress,
            alarm: Alarm::default(),
            idle_since: None,
            event_since: None,
            event_waited: Duration::ZERO,
            overdue: false,
            first: true,
        }
    }

    pub(crate) fn parser(&self) -> &Parser {
        &self.parser
    }

    pub(crate) fn parser_mut(&mut self) -> &mut Parser {
        &mut self.parser
    }

    #[cfg(feature = "client")]
    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Begins with the body of a new response.
    pub(crate) fn open(&mut self, body: Body) {
        self.parser.reconnect();
        self.body = Some(body);
        self.first = true;
    }

    /// Lets go of the body, and with it of the connection.
    pub(crate) fn close(&mut self) {
        self.body = None;
        self.drop_chunk();
        self.idle_since = None;
        self.event_since = None;
        self.event_waited = Duration::ZERO;
        self.overdue = false;
        self.alarm = Alarm::default();
    }

    /// What comes next; `None` once the body has ended as it should. After that and after an
    /// error the pump is closed.
    pub(crate) fn poll_next(
        &mut self,
        cx: &mut Context<'_>,
        want: Want,
    ) -> Poll<Result<Option<Taken>, Error>> {
        /// So many chunks without an item, and the task lets others run.
        const CHUNKS_AT_ONCE: usize = 64;

        // Where something else than an event of progress may be handed out, and always is there,
        // nothing is ever waited for: the time that finding it takes has to count.
        let noise = want == Want::Items || self.progress.is_some();
        let limited = self.limits.event.is_some() || self.limits.first_event.is_some();
        let began = (noise && limited).then(Instant::now);

        for _ in 0..CHUNKS_AT_ONCE {
            match self.next_in_chunk(want) {
                Ok(Some(taken)) => {
                    // From here on it is the user who takes the time.
                    if let Some(since) = self.event_since.take().or(began) {
                        self.event_waited = self.event_waited.saturating_add(since.elapsed());
                    }
                    return Poll::Ready(Ok(Some(taken)));
                }
                Ok(None) => {}
                Err(error) => return Poll::Ready(Err(self.fail(error))),
            }
            let late = self.late();
            if let Some(timeout) = late.filter(|_| self.overdue) {
                let error = Error::new(ErrorKind::Timeout(timeout));
                return Poll::Ready(Err(self.fail(error)));
            }
            let Some(body) = &mut self.body else {
                return Poll::Ready(Ok(None));
            };
            match Pin::new(body).poll_next(cx) {
                Poll::Ready(Some(Ok(chunk))) => {
                    self.chunk = chunk;
                    self.idle_since = None;
                    self.overdue = late.is_some();
                }
                Poll::Ready(Some(Err(error))) => return Poll::Ready(Err(self.fail(error))),
                Poll::Ready(None) => {
                    self.close();
                    return Poll::Ready(Ok(None));
                }
                Poll::Pending => {
                    let timeout = ready!(self.poll_limits(cx));
                    let error = Error::new(ErrorKind::Timeout(timeout));
                    return Poll::Ready(Err(self.fail(error)));
                }
            }
        }
        cx.waker().wake_by_ref();
        let timeout = ready!(self.poll_limits(cx));
        Poll::Ready(Err(self.fail(Error::new(ErrorKind::Timeout(timeout)))))
    }

    fn fail(&mut self, error: Error) -> Error {
        self.close();
        error
    }

    /// The next event, where it has come already: most polls ask for no more, and this says it
    /// without a word of what else can happen. `None` is for [`poll_next`](Self::poll_next) to
    /// explain, which meets an event that is too large once more.
    #[inline]
    pub(crate) fn event_at_hand(&mut self) -> Option<Event> {
        if self.chunk.is_empty() || self.event_since.is_some() || self.progress.is_some() {
            return None;
        }
        let taken = self.cursor.next_event(&mut self.parser, &self.chunk);
        match taken {
            Ok(Some(event)) => {
                self.note_progress();
                if self.cursor.is_at_end(&self.chunk) {
                    self.drop_chunk();
                }
                Some(event)
            }
            Ok(None) => {
                self.drop_chunk();
                None
            }
            Err(_) => None,
        }
    }

    /// The transport may have its buffer back, and nothing of ours is kept while it waits.
    fn drop_chunk(&mut self) {
        self.chunk = Bytes::new();
        self.cursor.clear();
    }

    #[inline]
    fn next_in_chunk(&mut self, want: Want) -> Result<Option<Taken>, Error> {
        if self.chunk.is_empty() {
            return Ok(None);
        }
        let (parser, chunk) = (&mut self.parser, &self.chunk);
        let taken = match want {
            Want::Events => self.cursor.next_event(parser, chunk)?.map(Taken::Event),
            Want::Items => self.cursor.next_item(parser, chunk)?,
        };
        if let Some(Taken::Event(event)) = &taken {
            self.note_event(event);
        }
        if taken.is_none() || self.cursor.is_at_end(&self.chunk) {
            self.drop_chunk();
        }
        Ok(taken)
    }

    #[inline]
    fn note_event(&mut self, event: &Event) {
        let progress = self
            .progress
            .as_mut()
            .is_none_or(|is_progress| is_progress(event));
        self.first = false;
        if progress {
            self.note_progress();
        }
    }

    #[inline]
    fn note_progress(&mut self) {
        self.first = false;
        self.event_since = None;
        self.event_waited = Duration::ZERO;
    }

    /// The limit on events that had passed when the user was last given something else.
    fn late(&self) -> Option<Timeout> {
        let passed = |limit: Option<Duration>| limit.is_some_and(|it| it < self.event_waited);
        if self.first && passed(self.limits.first_event) {
            return Some(Timeout::FirstEvent);
        }
        passed(self.limits.event).then_some(Timeout::Event)
    }

    /// Nothing has come: ready with the limit that has passed, if one has. Waiting counts from
    /// the first time that nothing was there, so that a user's own pause never does.
    ///
    /// With one chunk per event this is asked for each of them: it looks at the clock once at most.
    fn poll_limits(&mut self, cx: &mut Context<'_>) -> Poll<Timeout> {
        let waits = self.limits.event.is_some() || self.limits.first_event.is_some();
        if self.limits.idle.is_none() && !waits {
            return Poll::Pending;
        }
        let now = Instant::now();
        let idle = match self.limits.idle {
            Some(limit) => {
                let since = *self.idle_since.get_or_insert(now);
                Some((timer::after(since, limit), Timeout::Idle))
            }
            None => None,
        };
        let event = if waits {
            self.event_deadline(now)
        } else {
            None
        };
        let (at, timeout) = match (idle, event) {
            (Some(idle), Some(event)) => sooner(idle, event),
            (Some(deadline), None) | (None, Some(deadline)) => deadline,
            (None, None) => return Poll::Pending,
        };
        self.alarm.poll_at(cx, now, at).map(|()| timeout)
    }

    /// Until when the next event has to come.
    fn event_deadline(&mut self, now: Instant) -> Option<Deadline> {
        let since = *self.event_since.get_or_insert(now);
        let deadline = |limit: Duration, timeout| {
            let left = limit.saturating_sub(self.event_waited);
            (timer::after(since, left), timeout)
        };
        let first = self.limits.first_event.filter(|_| self.first);
        let first = first.map(|limit| deadline(limit, Timeout::FirstEvent));
        let event = self.limits.event;
        let event = event.map(|limit| deadline(limit, Timeout::Event));
        first.into_iter().chain(event).reduce(sooner)
    }
}

type Deadline = (Instant, Timeout);

fn sooner(one: Deadline, other: Deadline) -> Deadline {
    if other.0 < one.0 { other } else { one }
}

impl fmt::Debug for Pump {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pump")
            .field("parser", &self.parser)
            .field("open", &self.body.is_some())
            .field("limits", &self.limits)
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
    match session::refusal(head.status(), head.headers(), content_type) {
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
    let retry_after = session::retry_after(&headers, timer::wall_clock());
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
    Error::new(kind).and_refusal(Refusal {
        status,
        headers,
        body: said.freeze(),
        retry_after,
    })
}
