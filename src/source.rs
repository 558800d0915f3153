//! [`EventSource`]: one stream over many connections.
//!
//! It drives a [`Session`] over a transport: the session says when, the connector how, the pump
//! reads. What is left here is to move values between them.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use futures_util::{Stream, stream::FusedStream};
use http::StatusCode;

use crate::{
    builder::EventSourceBuilder,
    error::{Error, ErrorKind},
    event::Event,
    handle::{Command, Handle, Watched},
    look,
    options::Options,
    parser::{Taken, Want},
    pump::{self, Pump, Verdict},
    session::{self, Cause, ContentType, Decision, Loss, ReadyState, Retry, Session, State, Time},
    signal::{PollSignal, Signal, Signals},
    timer::{self, Alarm, Instant},
    trace,
    transport::{
        Attempt, BoxFuture, Connect, Connector, IntoConnector, IntoResponse, MaybeSend, Response,
        maybe_send::RetryWhen,
    },
};

/// The events of a feed, over as many connections as it takes.
///
/// It is the standard's `EventSource` (WHATWG HTML 9.2): it connects when it is first polled,
/// reconnects when a connection ends, resumes with `Last-Event-ID` and waits as long as the server
/// asks. A reconnection is no error and no item, but a [`Signal`]: see
/// [`signals`](Self::signals). An error is the last item; after it, after [`close`](Self::close)
/// and after a response of 204 the stream is `None` for ever.
///
/// ```no_run
/// # #[cfg(feature = "reqwest")]
/// # async fn doc() -> Result<(), everstream::Error> {
/// use everstream::EventSource;
/// use futures_util::TryStreamExt;
///
/// let mut source = EventSource::get("https://example.com/feed")?;
/// while let Some(event) = source.try_next().await? {
///     println!("{} {}", event.id(), event.data());
/// }
/// # Ok(())
/// # }
/// ```
///
/// A request that is not safe, such as a POST, is sent once, and the source ends with its answer,
/// unless [`repeat_unsafe`](EventSourceBuilder::repeat_unsafe) says otherwise or each request is
/// made anew by a factory.
///
/// It is `Send`, `Unpin` and fused, spawns nothing and needs a Tokio runtime with its timer
/// enabled. Dropping it closes the connection; polling it can be given up at any time without
/// losing anything.
#[must_use = "a stream does nothing unless it is polled"]
pub struct EventSource {
    connector: Connector,
    session: Session,
    pump: Pump,
    opening: Opening,
    alarm: Alarm,
    /// Since when the headers have been waited for.
    opening_since: Instant,
    origin: Instant,

    attempts: u64,
    events: u64,
    /// What ended the last connection.
    cause: Option<Cause>,
    /// One of the requests has reached a server, or may have.
    reached: bool,
    /// An event came since the last connection was lost.
    had_events: bool,
    /// The last event ID when it was.
    resumed_from: String,
    closed_by: Option<StatusCode>,

    headers_timeout: Option<Duration>,
    content_type: ContentType,
    retry_when: Option<RetryWhen>,
    watched: Option<Watched>,
}

/// The way from a request to an open connection.
enum Opening {
    None,
    Connecting(BoxFuture<'static, Result<Response, Error>>),
    /// What the server says to its refusal is being read.
    Refused(BoxFuture<'static, Error>),
}

impl EventSource {
    /// Options for a source: of a request, or of a connector of one's own.
    pub fn builder(connector: impl IntoConnector) -> EventSourceBuilder {
        EventSourceBuilder::new(connector.into_connector())
    }

    /// Options for a source each request of which is made anew, by an async function of the
    /// [`Attempt`]: with a fresh token, another URL, or another body.
    ///
    /// It gives a [`Response`], or a request builder of reqwest, on which the headers of the
    /// attempt are put.
    ///
    /// Its own errors count as failures to connect, whatever they are: a token service that answers
    /// 204 or 401 doesn't speak for the feed. Such an error is the source of one of kind
    /// [`ErrorKind::Other`]. The exception is what it says itself, by [`Error::with_source`]: an
    /// error of kind [`ErrorKind::Request`] made so ends the source. A function that is a
    /// connector, all of whose errors are about the feed, goes to
    /// [`Connector::from_fn`].
    ///
    /// ```no_run
    /// # #[cfg(feature = "reqwest")]
    /// # fn doc(client: reqwest::Client) -> Result<(), everstream::Error> {
    /// # async fn fresh_token() -> Result<String, std::io::Error> { Ok(String::new()) }
    /// use everstream::EventSource;
    ///
    /// let source = EventSource::factory(move |_attempt| {
    ///     let client = client.clone();
    ///     async move {
    ///         let token = fresh_token().await?;
    ///         Ok::<_, std::io::Error>(client.get("https://example.com/feed").bearer_auth(token))
    ///     }
    /// })
    /// .build()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn factory<F, Fut, R, E>(connect: F) -> EventSourceBuilder
    where
        F: FnMut(Attempt) -> Fut + MaybeSend + 'static,
        Fut: Future<Output = Result<R, E>> + MaybeSend + 'static,
        R: IntoResponse + 'static,
        E: Into<crate::BoxError> + 'static,
    {
        EventSourceBuilder::new(Connector::factory(connect))
    }

    pub(crate) fn build(
        connector: Connector,
        session: Session,
        last_event_id: String,
        options: Options,
        retry_when: Option<RetryWhen>,
    ) -> Self {
        let resumed_from = last_event_id.clone();
        let parser = options.parser().with_last_event_id(last_event_id);
        let pump = Pump::new(parser, &options.limits, options.progress);
        Self {
            connector,
            session,
            pump,
            opening: Opening::None,
            alarm: Alarm::default(),
            opening_since: Instant::now(),
            origin: Instant::now(),
            attempts: 0,
            events: 0,
            cause: None,
            reached: false,
            had_events: false,
            resumed_from,
            closed_by: None,
            headers_timeout: options.limits.headers,
            content_type: options.content_type,
            retry_when,
            watched: None,
        }
    }

    /// The state of the connection.
    #[must_use]
    pub fn ready_state(&self) -> ReadyState {
        self.session.ready_state()
    }

    /// The last event ID: that of the last event handed out, or of a block of lines without data
    /// since. It is what the next connection resumes from.
    #[must_use]
    pub fn last_event_id(&self) -> &str {
        self.pump.parser().last_event_id()
    }

    /// The reconnection time: what the server set by `retry`, or else what was configured, 3
    /// seconds by default.
    #[must_use]
    pub fn reconnection_time(&self) -> Duration {
        let server = self.pump.parser().reconnection_time();
        self.session.rules().backoff.reconnection_time_or(server)
    }

    /// The status that ended the source without an error, which is 204. `None` until then, and
    /// where something else ended it.
    #[must_use]
    pub fn closed_by(&self) -> Option<StatusCode> {
        self.closed_by
    }

    /// Closes the connection, for good. The stream is `None` from now on.
    pub fn close(&mut self) {
        self.session.close();
        self.disconnect();
        self.tell();
    }

    /// A handle to close the source, or have it reconnect, from elsewhere.
    pub fn handle(&mut self) -> Handle {
        let state = self.session.ready_state();
        let id = self.pump.parser().last_event_id();
        self.watched
            .get_or_insert_with(|| Watched::new(state, id))
            .handle()
    }

    /// The stream with everything else that happens: every opening and every reconnection,
    /// comments and skips.
    pub fn signals(self) -> Signals<Self> {
        Signals::new(self)
    }

    fn now(&self) -> Time {
        self.origin.elapsed()
    }

    /// Lets go of whatever holds a connection.
    fn disconnect(&mut self) {
        self.opening = Opening::None;
        self.pump.close();
        self.alarm = Alarm::default();
    }

    fn poll_next_signal(
        &mut self,
        cx: &mut Context<'_>,
        want: Want,
    ) -> Poll<Option<Result<Signal, Error>>> {
        if let Some(signal) = self.obey(cx) {
            return Poll::Ready(Some(Ok(signal)));
        }
        let polled = self.advance(cx, want);
        // A block of lines without data changes the last event ID and yields nothing.
        self.tell();
        polled
    }

    fn advance(&mut self, cx: &mut Context<'_>, want: Want) -> Poll<Option<Result<Signal, Error>>> {
        loop {
            let item = match self.session.state() {
                State::Start => match self.connect() {
                    Ok(()) => continue,
                    Err(error) => Some(Err(self.fail(error))),
                },
                State::Connecting => match ready!(self.poll_opening(cx)) {
                    Ok(signal) => Some(Ok(signal)),
                    Err(error) => self.lose(Some(error)),
                },
                State::Open(_) => match ready!(self.poll_open(cx, want)) {
                    Ok(Some(taken)) => Some(Ok(taken.into())),
                    Ok(None) => self.lose(None),
                    Err(error) => self.lose(Some(error)),
                },
                State::Waiting(until) => {
                    // Nothing is watched for but the time, so no deadline is noticed too late.
                    if self.now() < until {
                        ready!(self.alarm.poll(cx, timer::after(self.origin, until)));
                    }
                    self.session.wake(self.now().max(until));
                    continue;
                }
                State::Closed => None,
            };
            return Poll::Ready(item);
        }
    }

    fn poll_open(
        &mut self,
        cx: &mut Context<'_>,
        want: Want,
    ) -> Poll<Result<Option<Taken>, Error>> {
        if want == Want::Events {
            let found = ready!(self.pump.poll_event(cx));
            return Poll::Ready(found.map(|found| {
                found.map(|found| {
                    self.note_event();
                    Taken::Event(self.pump.take(&found))
                })
            }));
        }
        let taken = ready!(self.pump.poll_item(cx));
        match taken {
            Ok(Some(Taken::Event(_))) => self.note_event(),
            Ok(Some(Taken::Skipped(_))) => self.had_events = true,
            _ => {}
        }
        Poll::Ready(taken)
    }

    fn note_event(&mut self) {
        self.had_events = true;
        self.events += 1;
    }

    /// Does what a handle asked for.
    fn obey(&mut self, cx: &Context<'_>) -> Option<Signal> {
        match self.watched.as_mut()?.command(cx.waker())? {
            Command::Close => {
                self.close();
                None
            }
            Command::Reconnect => {
                // Before the first connection there is nothing to give up.
                if self.attempts == 0 || !self.session.ask() {
                    return None;
                }
                self.disconnect();
                self.cause = Some(Cause::Requested);
                self.tell();
                Some(Signal::Reconnecting {
                    attempt: 1,
                    delay: Duration::ZERO,
                    cause: Cause::Requested,
                })
            }
        }
    }

    fn connect(&mut self) -> Result<(), Error> {
        let last_event_id = self.pump.parser().last_event_id();
        self.attempts += 1;
        trace::connecting(self.attempts, !last_event_id.is_empty());
        let attempt = Attempt::new(self.attempts, last_event_id, self.cause.take())?;
        self.opening = Opening::Connecting(self.connector.connect(attempt));
        self.opening_since = Instant::now();
        self.alarm = Alarm::default();
        self.session.connect();
        Ok(())
    }

    fn poll_opening(&mut self, cx: &mut Context<'_>) -> Poll<Result<Signal, Error>> {
        loop {
            match &mut self.opening {
                Opening::Connecting(connecting) => match connecting.as_mut().poll(cx) {
                    Poll::Ready(Ok(response)) => match pump::judge(response, &self.content_type) {
                        Verdict::Stream(head, body) => {
                            self.opening = Opening::None;
                            self.reached = true;
                            self.alarm = Alarm::default();
                            self.pump.open(body);
                            self.session.announce(self.now());
                            trace::open(head.status());
                            return Poll::Ready(Ok(Signal::Open(head)));
                        }
                        Verdict::Refused(reading) => {
                            self.opening = Opening::Refused(reading);
                        }
                    },
                    Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                    Poll::Pending => {
                        let (limit, idle) = (self.headers_timeout, self.pump.idle());
                        let since = self.opening_since;
                        let Some((deadline, timeout)) = pump::headers_deadline(limit, idle, since)
                        else {
                            return Poll::Pending;
                        };
                        ready!(self.alarm.poll(cx, deadline));
                        return Poll::Ready(Err(Error::new(ErrorKind::Timeout(timeout))));
                    }
                },
                Opening::Refused(reading) => return reading.as_mut().poll(cx).map(Err),
                Opening::None => unreachable!("a session is connecting only while one is opening"),
            }
        }
    }

    /// The connection was lost, or did not come about: what the session makes of that.
    fn lose(&mut self, error: Option<Error>) -> Option<Result<Signal, Error>> {
        self.disconnect();
        self.reached |= error.as_ref().is_some_and(|error| !error.is_unsent());
        let advice = match (&error, &mut self.retry_when) {
            (Some(error), Some(retry_when)) if !session::is_no_content(error) => {
                retry_when(&Failure {
                    error,
                    attempt: self.attempts,
                })
            }
            _ => Retry::AsUsual,
        };
        let events = self.take_progress();
        let loss = Loss {
            error: error.as_ref(),
            advice,
            events,
            reconnection_time: self.pump.parser().reconnection_time(),
        };
        let decision = self.session.reestablish(self.now(), loss);
        match decision {
            Decision::Wait { attempt, delay } => {
                trace::reconnecting(attempt, delay, error.as_ref());
                let cause = Cause::of(error);
                self.cause = Some(cause.clone());
                Some(Ok(Signal::Reconnecting {
                    attempt,
                    delay,
                    cause,
                }))
            }
            Decision::End => {
                trace::ended(self.events, None);
                self.closed_by = error.and_then(|error| error.status());
                None
            }
            Decision::Fail => Some(Err(self.fail(error.unwrap_or_else(without_progress)))),
        }
    }

    /// Whether an event has come, or another last event ID, since this was asked last.
    fn take_progress(&mut self) -> bool {
        let last_event_id = self.pump.parser().last_event_id();
        let changed = self.resumed_from != last_event_id;
        if changed {
            self.resumed_from.clear();
            self.resumed_from.push_str(last_event_id);
        }
        std::mem::take(&mut self.had_events) || changed
    }

    fn fail(&mut self, error: Error) -> Error {
        self.close();
        trace::ended(self.events, Some(&error));
        let unsent = error.is_unsent() && !self.reached;
        error.and_events_before(self.events).with_unsent(unsent)
    }

    /// Tells the handles how things stand.
    fn tell(&self) {
        if let Some(watched) = &self.watched {
            watched.tell(self.session.ready_state(), self.last_event_id());
        }
    }
}

fn without_progress() -> Error {
    Error::new(ErrorKind::Incomplete)
        .and_message("the server ended one connection after the other without an event")
}

/// What [`retry_when`](EventSourceBuilder::retry_when) is asked about.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Failure<'a> {
    error: &'a Error,
    attempt: u64,
}

impl<'a> Failure<'a> {
    /// What failed, with status and headers where the server refused.
    #[must_use]
    pub fn error(&self) -> &'a Error {
        self.error
    }

    /// Which attempt of the source it was, from 1.
    #[must_use]
    pub fn attempt(&self) -> u64 {
        self.attempt
    }
}

impl Stream for EventSource {
    type Item = Result<Event, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if look::is_last() {
            // The connection may end; another is not wanted.
            self.pump.look(cx);
            return Poll::Pending;
        }
        // Handles are obeyed first, and told of every event.
        if self.watched.is_none() {
            if let State::Open(_) = self.session.state() {
                let lost = match ready!(self.pump.poll_event(cx)) {
                    Ok(Some(found)) => {
                        self.note_event();
                        return Poll::Ready(Some(Ok(self.pump.take(&found))));
                    }
                    Ok(None) => self.lose(None),
                    Err(error) => self.lose(Some(error)),
                };
                match lost {
                    Some(Ok(_)) => {}
                    Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                    None => return Poll::Ready(None),
                }
            }
        }
        loop {
            match ready!(self.poll_next_signal(cx, Want::Events)) {
                Some(Ok(Signal::Event(event))) => return Poll::Ready(Some(Ok(event))),
                Some(Ok(_)) => {}
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => return Poll::Ready(None),
            }
        }
    }
}

impl FusedStream for EventSource {
    fn is_terminated(&self) -> bool {
        self.ready_state() == ReadyState::Closed
    }
}

impl PollSignal for EventSource {
    fn poll_signal(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Signal, Error>>> {
        self.poll_next_signal(cx, Want::Items)
    }
}

impl Drop for EventSource {
    fn drop(&mut self) {
        self.close();
    }
}

impl fmt::Debug for EventSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventSource")
            .field("ready_state", &self.ready_state())
            .field("last_event_id", &self.last_event_id())
            .field("attempts", &self.attempts)
            .field("session", &self.session)
            .finish_non_exhaustive()
    }
}
