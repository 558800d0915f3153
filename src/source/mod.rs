//! [`EventSource`]: one stream over many connections.
//!
//! It drives a [`Session`] over a transport: the session decides when to connect, the connector
//! connects, and [`Events`] reads the body. This file only moves values between them.

mod builder;
mod connecting;
mod failure;
mod handle;
pub(crate) mod session;
mod sync;

use std::{
    fmt,
    future::poll_fn,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use futures_util::{Stream, stream::FusedStream};
use http::StatusCode;

pub use builder::EventSourceBuilder;
use connecting::Connecting;
pub use failure::Failure;
use failure::{Ask, RetryWhen};
pub use handle::EventSourceHandle;
use handle::{Command, Watched};
pub use session::{Backoff, ReadyState, Retry};
use session::{Decision, Loss, Session, State, Time};

use crate::{
    error::{Error, ErrorKind},
    event::Event,
    parser::{Taken, Want},
    response::Events,
    stream::{Options, PollSignal, Release, Signal, Signals, combinators, next_event, sealed},
    timer::{self, Alarm, Instant},
    trace,
    transport::{Attempt, Body, Connector, Head, attempt::Cause},
};

/// The events of a feed, over as many connections as needed.
///
/// This is the standard's `EventSource` (WHATWG HTML 9.2). It connects when it is first polled,
/// reconnects when a connection ends, resumes with `Last-Event-ID`, and waits as long as the server
/// asks. Reconnections are neither errors nor items; observe them with [`signals`](Self::signals).
/// An error is the last item. After an error, after [`close`](Self::close) and after a response
/// with status 204, the stream yields `None` forever.
///
/// ```no_run
/// # #[cfg(feature = "reqwest013")]
/// # async fn doc() -> Result<(), everstream::Error> {
/// use everstream::EventSource;
///
/// let mut source = EventSource::get("https://example.com/feed")?;
/// while let Some(event) = source.next_event().await? {
///     println!("{} {}", event.id(), event.data());
/// }
/// # Ok(())
/// # }
/// ```
///
/// A request whose method is not safe, such as POST, is sent only once, and the source ends after
/// its response. To reconnect with such a method, use
/// [`resend_unsafe_methods`](EventSourceBuilder::resend_unsafe_methods), or create each request
/// with a [`factory`](Self::factory).
///
/// An `EventSource` is `Send`, `Unpin` and fused. It spawns no tasks, and needs a Tokio runtime
/// with its timer enabled. Dropping it closes the connection.
#[must_use = "a stream does nothing unless it is polled"]
pub struct EventSource {
    session: Session,
    /// Makes connections. A request is under way while the session is connecting.
    connecting: Connecting,
    /// Reads the body of the current connection, and keeps the parser across connections.
    body: Events,
    /// For the delays between connections.
    alarm: Alarm,
    /// The start of the session's time.
    origin: Instant,
    record: Record,
    retry_when: Option<RetryWhen>,
    watched: Option<Watched>,
}

/// What has happened so far.
#[derive(Default)]
struct Record {
    /// The number of requests.
    attempts: u64,
    events: u64,
    /// A request has reached a server, or may have.
    reached: bool,
    /// An event of progress arrived since the last connection was lost.
    progress: bool,
    /// The last event ID at that time.
    resumed_from: String,
    /// The body of this connection ended within an event, and this was signalled.
    unfinished: bool,
    /// What ended the last connection.
    cause: Option<Cause>,
    closed_by: Option<StatusCode>,
}

impl EventSource {
    fn build(
        connector: Connector,
        session: Session,
        options: Options,
        retry_when: Option<RetryWhen>,
    ) -> Self {
        let record = Record {
            resumed_from: options.last_event_id.clone().unwrap_or_default(),
            ..Record::default()
        };
        Self {
            session,
            connecting: Connecting::new(connector, &options),
            body: options.into_events(),
            alarm: Alarm::default(),
            origin: Instant::now(),
            record,
            retry_when,
            watched: None,
        }
    }

    /// Returns the state of the connection.
    #[must_use]
    pub fn ready_state(&self) -> ReadyState {
        self.session.ready_state()
    }

    /// Returns the last event ID, which the next connection resumes from: the ID of the last event
    /// that was yielded, or of a later block of lines without data. Empty if there is none.
    #[must_use]
    pub fn last_event_id(&self) -> &str {
        self.body.parser().last_event_id()
    }

    /// Returns the reconnection time: the value that the server set with `retry`, or else
    /// [`Backoff::reconnection_time`], which is 3 seconds by default.
    #[must_use]
    pub fn reconnection_time(&self) -> Duration {
        let server = self.body.parser().reconnection_time();
        self.session.rules().backoff.reconnection_time_or(server)
    }

    /// Returns the head of the last response that was an event stream. `None` before the first.
    #[must_use]
    pub fn head(&self) -> Option<&Head> {
        self.body.head()
    }

    /// Returns status 204 if the server ended the source with it, or else `None`.
    #[must_use]
    pub fn closed_by(&self) -> Option<StatusCode> {
        self.record.closed_by
    }

    /// Closes the source for good. The stream yields `None` from now on.
    pub fn close(&mut self) {
        self.session.close();
        self.disconnect();
        self.tell();
    }

    /// Returns a handle to close the source, or make it reconnect, from another task.
    ///
    /// A handle can only wake a task that has polled the source since the first handle was created.
    pub fn handle(&mut self) -> EventSourceHandle {
        let state = self.session.ready_state();
        let repeats = self.session.rules().repeats;
        let id = self.body.parser().last_event_id();
        self.watched
            .get_or_insert_with(|| Watched::new(state, repeats, id))
            .handle()
    }

    /// Turns this into a stream of everything that happens: not only events, but also opened
    /// connections, reconnections, comments, skipped events and so on.
    pub fn signals(self) -> Signals<Self> {
        Signals::new(self)
    }

    next_event!(Event);

    /// Waits for the next signal. Returns `None` at the end of the stream.
    ///
    /// # Errors
    ///
    /// The same errors as the stream's items. After an error, it returns `None`.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses no events.
    pub async fn next_signal(&mut self) -> Result<Option<Signal>, Error> {
        poll_fn(|cx| self.poll_signal(cx)).await.transpose()
    }

    combinators!();

    fn now(&self) -> Time {
        self.origin.elapsed()
    }

    /// Drops everything that holds a connection.
    fn disconnect(&mut self) {
        self.connecting.abandon();
        self.body.close();
        self.alarm = Alarm::default();
        self.record.unfinished = false;
    }

    fn poll_next_signal(
        &mut self,
        cx: &mut Context<'_>,
        want: Want,
    ) -> Poll<Option<Result<Signal, Error>>> {
        if let Some(signal) = self.execute_command(cx) {
            return Poll::Ready(Some(Ok(signal)));
        }
        let polled = self.advance(cx, want);
        // A block of lines without data changes the last event ID and yields nothing.
        self.tell();
        polled
    }

    /// Runs until there is a signal. (That takes at most one delay and one request.)
    fn advance(&mut self, cx: &mut Context<'_>, want: Want) -> Poll<Option<Result<Signal, Error>>> {
        loop {
            match self.session.state() {
                State::Start | State::Connecting => {
                    return Poll::Ready(
                        match ready!(self.connecting.poll(cx, &mut self.body.waiting)) {
                            Some(Ok((head, body))) => Some(Ok(self.announce(head, body))),
                            Some(Err(error)) => self.lose(Some(error)),
                            // No request is under way.
                            None => match self.connect() {
                                Ok(()) => continue,
                                Err(error) => Some(Err(self.fail(error))),
                            },
                        },
                    );
                }
                State::Open(_) => {
                    return Poll::Ready(match ready!(self.poll_open(cx, want)) {
                        Ok(Some(signal)) => Some(Ok(signal)),
                        Ok(None) => self.end(),
                        Err(error) => self.lose(Some(error)),
                    });
                }
                State::Waiting(until) => {
                    if self.now() < until {
                        ready!(self.alarm.poll(cx, timer::after(self.origin, until)));
                    }
                    self.session.wake(self.now().max(until));
                }
                State::Closed => return Poll::Ready(None),
            }
        }
    }

    fn poll_open(
        &mut self,
        cx: &mut Context<'_>,
        want: Want,
    ) -> Poll<Result<Option<Signal>, Error>> {
        if want == Want::Events {
            let event = ready!(self.poll_event(cx));
            return Poll::Ready(event.map(|event| event.map(Signal::Event)));
        }
        let Some((taken, progress)) = ready!(self.body.poll_item(cx))? else {
            return Poll::Ready(Ok(None));
        };
        self.record.progress |= progress;
        self.record.events += u64::from(matches!(taken, Taken::Event(_)));
        Poll::Ready(Ok(Some(taken.into())))
    }

    #[inline]
    fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Event>, Error>> {
        Poll::Ready(match ready!(self.body.poll_event(cx)) {
            Ok(Some(found)) => {
                self.record.events += 1;
                self.record.progress |= self.body.note(&found);
                Ok(Some(self.body.take(&found)))
            }
            Ok(None) => Ok(None),
            Err(error) => Err(error),
        })
    }

    /// Executes the command of a handle.
    fn execute_command(&mut self, cx: &Context<'_>) -> Option<Signal> {
        match self.watched.as_mut()?.command(cx.waker())? {
            Command::Close => {
                self.close();
                None
            }
            Command::Reconnect => {
                // Before the first request, there is nothing to reconnect.
                if self.record.attempts == 0 {
                    return None;
                }
                let progress = self.take_progress();
                if !self.session.ask(self.now(), progress) {
                    return None;
                }
                self.disconnect();
                self.record.cause = Some(Cause::Requested);
                self.tell();
                Some(Signal::Reconnecting {
                    failure: 0,
                    delay: Duration::ZERO,
                    cause: Cause::Requested,
                })
            }
        }
    }

    fn connect(&mut self) -> Result<(), Error> {
        let last_event_id = self.body.parser().last_event_id();
        let record = &mut self.record;
        record.attempts += 1;
        trace::connecting(record.attempts, !last_event_id.is_empty());
        let attempt = Attempt::new(record.attempts, last_event_id, record.cause.take())?;
        self.connecting.send(attempt, &mut self.body.waiting);
        self.session.connect();
        Ok(())
    }

    /// "Announce the connection": marks it as open.
    fn announce(&mut self, head: Head, body: Body) -> Signal {
        trace::open(head.status());
        self.record.reached = true;
        self.session.announce(self.now());
        self.body.open(Some(head.clone()), body);
        Signal::Open(head)
    }

    /// Handles the clean end of a body, which may be within an event.
    fn end(&mut self) -> Option<Result<Signal, Error>> {
        if !self.body.parser().has_unfinished() {
            return self.lose(None);
        }
        if !self.record.unfinished {
            self.record.unfinished = true;
            return Some(Ok(Signal::Unfinished));
        }
        let error = Error::of(ErrorKind::Incomplete)
            .and_message("the response ended in the middle of an event");
        self.lose(Some(self.body.located(error)))
    }

    /// Handles a connection that was lost or failed to open, as the session decides.
    fn lose(&mut self, error: Option<Error>) -> Option<Result<Signal, Error>> {
        self.disconnect();
        self.record.reached |= error.as_ref().is_some_and(|error| !error.is_unsent());
        // For a browser, any end of the body is a clean end.
        let error = error.filter(|error| {
            let ended = [ErrorKind::Incomplete, ErrorKind::NotEventStream];
            !(self.session.rules().standard && ended.contains(&error.kind()))
        });
        let now = self.now();
        let mut loss = Loss {
            error: error.as_ref(),
            advice: Retry::Default,
            progress: self.take_progress(),
            reconnection_time: self.body.parser().reconnection_time(),
        };
        if let Some(retry_when) = &mut self.retry_when {
            let failures = self.session.failures_with(now, &loss);
            let attempt = self.record.attempts;
            loss.advice = retry_when.ask(Ask {
                error: loss.error,
                attempt,
                failures,
            });
        }
        if let Retry::From(id) = &loss.advice {
            let parser = self.body.parser_mut();
            *parser = std::mem::take(parser).with_last_event_id(id.clone());
            self.record.resumed_from.clone_from(id);
        }
        match self.session.reestablish(now, loss) {
            Decision::Wait { failure, delay } => {
                trace::reconnecting(failure, delay, error.as_ref());
                let cause = Cause::of(error);
                self.record.cause = Some(cause.clone());
                Some(Ok(Signal::Reconnecting {
                    failure,
                    delay,
                    cause,
                }))
            }
            Decision::End => {
                trace::ended(self.record.events, None);
                self.record.closed_by = error.and_then(|error| error.status());
                None
            }
            Decision::Fail => Some(Err(self.fail(error.unwrap_or_else(without_progress)))),
        }
    }

    /// Returns whether there was progress since the last call: an event that counts, a skipped
    /// event, or a changed last event ID.
    fn take_progress(&mut self) -> bool {
        let skipped = self.body.parser_mut().take_skipped();
        let last_event_id = self.body.parser().last_event_id();
        let resumed_from = &mut self.record.resumed_from;
        let changed = resumed_from != last_event_id;
        if changed {
            last_event_id.clone_into(resumed_from);
        }
        std::mem::take(&mut self.record.progress) || changed || skipped
    }

    fn fail(&mut self, error: Error) -> Error {
        self.close();
        trace::ended(self.record.events, Some(&error));
        let unsent = error.is_unsent() && !self.record.reached;
        error.ends_after(self.record.events).with_unsent(unsent)
    }

    /// Tells the handles the current state.
    fn tell(&self) {
        if let Some(watched) = &self.watched {
            watched.tell(self.session.ready_state(), self.last_event_id());
        }
    }
}

fn without_progress() -> Error {
    Error::of(ErrorKind::Incomplete)
        .and_message("the server closed each connection without sending an event")
}

impl Stream for EventSource {
    type Item = Result<Event, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        /// Yields to other tasks after this many skipped signals: a connector may be ready
        /// immediately, every time.
        const SIGNALS_AT_ONCE: usize = 16;

        // With handles, take the slower path: it executes their commands first, and tells them of
        // every event.
        if self.watched.is_none() && matches!(self.session.state(), State::Open(_)) {
            let lost = match ready!(self.poll_event(cx)) {
                Ok(Some(event)) => return Poll::Ready(Some(Ok(event))),
                Ok(None) => self.end(),
                Err(error) => self.lose(Some(error)),
            };
            match lost {
                Some(Ok(_)) => {}
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => return Poll::Ready(None),
            }
        }
        for _ in 0..SIGNALS_AT_ONCE {
            match ready!(self.poll_next_signal(cx, Want::Events)) {
                Some(Ok(Signal::Event(event))) => return Poll::Ready(Some(Ok(event))),
                Some(Ok(_)) => {}
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => return Poll::Ready(None),
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

impl FusedStream for EventSource {
    fn is_terminated(&self) -> bool {
        self.ready_state() == ReadyState::Closed
    }
}

impl sealed::Sealed for EventSource {}

impl PollSignal for EventSource {
    fn poll_signal(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Signal, Error>>> {
        self.poll_next_signal(cx, Want::Items)
    }
}

impl Release for EventSource {
    fn release(&mut self) -> Option<Head> {
        self.close();
        self.body.head().cloned()
    }
}

impl fmt::Debug for EventSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventSource")
            .field("ready_state", &self.ready_state())
            .field("attempts", &self.record.attempts)
            .field("session", &self.session)
            .finish_non_exhaustive()
    }
}
