//! What is known of a stream: what it has to yield, and how long it may have waited.

use std::{collections::VecDeque, task::Poll, time::Duration};

use everstream::{
    Cause, Error, ErrorKind, Event, EventTooLarge, Item as Parsed, Parser, ReadyState, Signal,
    Skipped, Timeout,
    bytes::{Buf, Bytes},
};
use everstream_fuzz::server::{Answer, End, Server};
use tokio::time::Instant;

use super::{
    Item,
    subject::{Options, Subject},
};

/// A wake-up noticed no later than this was watched for.
const LATE: Duration = Duration::from_millis(25);

pub struct Model {
    server: Server,
    parser: Parser,
    chunks: VecDeque<Bytes>,
    is_feed: bool,
    signals: bool,
    requests: usize,
    is_open: bool,
    headers: Option<Option<Duration>>,
    /// For bytes, the first event and all events.
    limits: [Option<Duration>; 3],
    tick: Duration,
    origin: Instant,
    /// How much of the time since then cannot have counted.
    unwatched: Duration,
    /// Since when a byte has been waited for, and an event, in the time that counts.
    silent_since: Duration,
    eventless_since: Duration,
    first: bool,
    /// Its end was asked for.
    pub may_end: bool,
    pub has_ended: bool,
    pub events: usize,
}

impl Model {
    pub fn new(options: &Options, server: &Server) -> Self {
        let parser = Parser::new()
            .with_max_event_bytes(options.max_event_bytes)
            .with_oversized(options.oversized);
        let limits = [options.idle, options.first_event, options.event];
        // How often a user who waits is woken, and so the most that counts of a pause: a
        // sixteenth of the limit, within bounds.
        let headers = options.headers.flatten();
        let longest = limits.into_iter().chain([headers]).flatten().max();
        let longest = longest.unwrap_or_default();
        let tick = (longest / 16).max(Duration::from_millis(50));
        Self {
            server: server.clone(),
            parser,
            chunks: VecDeque::new(),
            is_feed: options.is_feed,
            signals: options.signals,
            requests: server.state().requests,
            is_open: false,
            headers: options.headers,
            limits,
            tick,
            origin: Instant::now(),
            unwatched: Duration::ZERO,
            silent_since: Duration::ZERO,
            eventless_since: Duration::ZERO,
            first: true,
            may_end: false,
            has_ended: false,
            events: 0,
        }
    }

    /// This time will pass without a poll. What was asked of the timer may count of it, and how
    /// late that may be.
    pub fn pass_unwatched(&mut self, time: Duration) {
        self.unwatched += time.saturating_sub(self.tick + LATE);
    }

    /// The time so far that may count.
    fn clock(&self) -> Duration {
        self.origin.elapsed().saturating_sub(self.unwatched)
    }

    /// The limit that is in force, if nothing more is to be taken.
    pub fn limit(&self) -> Option<Duration> {
        let state = self.server.state();
        let [idle, first_event, event] = self.limits;
        match state.answer {
            None => self.headers.unwrap_or(idle),
            Some(Answer::Accept) if state.end.is_none() && self.is_open => {
                let first_event = first_event.filter(|_| self.first);
                [idle, first_event, event].into_iter().flatten().min()
            }
            _ => None,
        }
    }

    /// Checks what a poll gave.
    pub fn see(&mut self, polled: &Poll<Option<Item>>, subject: &Subject) {
        let eventless = self.clock().saturating_sub(self.eventless_since);
        let asked_again = self.sync(subject, eventless);
        match polled {
            Poll::Pending => self.nothing_left(),
            Poll::Ready(Some(Ok(signal))) => self.yields(signal, eventless),
            Poll::Ready(Some(Err(error))) => self.fails(error, eventless),
            Poll::Ready(None) => self.ends(),
        }
        if self.is_open && !self.has_ended && !asked_again {
            assert_eq!(subject.last_event_id(), self.parser.last_event_id());
        }
    }

    /// Nothing is left that needs no time.
    pub fn is_settled(&self, subject: &Subject) {
        let state = self.server.state();
        if self.has_ended || subject.ready_state() != ReadyState::Open {
            return;
        }
        assert!(state.chunks.is_empty(), "a chunk was not noticed");
        let noticed = state.end.is_none() || state.end_taken;
        assert!(noticed, "the end was not noticed");
    }

    /// Notes what the stream has taken and asked for. Whether it has sent another request.
    fn sync(&mut self, subject: &Subject, eventless: Duration) -> bool {
        let mut state = self.server.state();
        let taken = std::mem::take(&mut state.taken);
        let requests = state.requests;
        let (resumed_from, cause) = (state.resumed_from.clone(), state.cause.clone());
        drop(state);

        let asked_again = requests > self.requests;
        if asked_again {
            if !matches!(cause, Some(Cause::Requested)) {
                self.nothing_left();
            }
            assert_eq!(resumed_from, self.parser.last_event_id());
            if let (Some(Cause::Timeout(error)), false) = (&cause, self.signals) {
                self.exceeded(error, eventless);
            }
            assert!(
                self.requests == 0 || cause.is_some(),
                "it asks again for nothing"
            );
            self.requests = requests;
            self.chunks.clear();
            self.silent_since = self.clock();
        }
        let is_open = subject.ready_state() == ReadyState::Open;
        // It may have opened, read and ended in one poll.
        let has_read = !self.is_open && !taken.is_empty();
        if has_read || is_open && (!self.is_open || asked_again) {
            self.parser.reconnect();
            self.silent_since = self.clock();
            self.eventless_since = self.clock();
            self.first = true;
        }
        self.is_open = is_open;
        for chunk in taken {
            if !chunk.is_empty() {
                self.silent_since = self.clock();
                self.chunks.push_back(chunk);
            }
        }
        asked_again
    }

    fn yields(&mut self, signal: &Signal, eventless: Duration) {
        match signal {
            Signal::Open(_) => assert!(self.is_open),
            Signal::Reconnecting { cause, .. } => {
                match cause {
                    Cause::Requested => self.chunks.clear(),
                    _ => self.nothing_left(),
                }
                if let Cause::Timeout(error) = cause {
                    self.exceeded(error, eventless);
                }
            }
            Signal::Unfinished => {
                self.nothing_left();
                assert!(self.parser.has_unfinished());
            }
            signal => {
                let told = Told::of(signal);
                if let Told::Event(_) = told {
                    self.events += 1;
                    self.eventless_since = self.clock();
                    self.first = false;
                }
                assert_eq!(self.next(), Ok(Some(told)));
            }
        }
    }

    fn fails(&mut self, error: &Error, eventless: Duration) {
        let (answer, end) = {
            let state = self.server.state();
            (state.answer, state.end)
        };
        match error.kind() {
            ErrorKind::EventTooLarge => assert!(self.next().is_err(), "it was not too large"),
            ErrorKind::Timeout(_) if !self.is_feed => {
                self.nothing_left();
                self.exceeded(error, eventless);
            }
            ErrorKind::Body => assert_eq!((end, self.is_feed), (Some(End::Cut), false)),
            ErrorKind::NotEventStream => {
                assert_eq!((end, self.is_feed), (Some(End::Clean), false));
                assert_eq!(self.events, 0);
            }
            ErrorKind::Connect => assert_eq!((answer, self.is_feed), (Some(Answer::Fail), false)),
            ErrorKind::Status => assert!(matches!(answer, Some(Answer::Refuse(_)))),
            ErrorKind::LastEventId => {
                let id = self.parser.last_event_id();
                let is_plain = |byte: u8| byte.is_ascii_graphic();
                assert!(!id.bytes().all(is_plain), "{id:?} can be sent");
            }
            kind => panic!("{kind:?} has no reason"),
        }
        self.has_ended = true;
    }

    fn ends(&mut self) {
        let state = self.server.state();
        let is_over = !self.is_feed && state.end_taken;
        let no_content = self.is_feed && state.answer == Some(Answer::Refuse(204));
        drop(state);
        let may_end = is_over || no_content || self.may_end;
        assert!(may_end, "it has no reason to end");
        if is_over {
            self.nothing_left();
        }
        self.has_ended = true;
    }

    /// A limit may be exceeded only once it can have passed.
    fn exceeded(&self, error: &Error, eventless: Duration) {
        let ErrorKind::Timeout(kind) = error.kind() else {
            panic!("{error:?} is no timeout");
        };
        let [idle, first_event, event] = self.limits;
        let silent = self.clock().saturating_sub(self.silent_since);
        let (limit, waited) = match kind {
            Timeout::Headers => (self.headers.flatten(), silent),
            Timeout::Idle => (idle, silent),
            Timeout::FirstEvent => (first_event, eventless),
            Timeout::Event => (event, eventless),
            kind => panic!("{kind:?} is not ours"),
        };
        let limit = limit.expect("a limit that was set");
        assert!(waited >= limit, "{kind:?}: {limit:?} after {waited:?}");
    }

    fn nothing_left(&mut self) {
        assert_eq!(self.next(), Ok(None), "something is left");
    }

    /// What the stream has to yield next of what it took.
    fn next(&mut self) -> Result<Option<Told>, EventTooLarge> {
        while let Some(chunk) = self.chunks.front_mut() {
            let mut feed = self.parser.feed(chunk);
            let told = match self.signals {
                true => feed.next_item()?.map(Told::parsed),
                false => feed.next_owned()?.map(Told::Event),
            };
            let consumed = feed.consumed();
            if told.is_some() {
                chunk.advance(consumed);
                return Ok(told);
            }
            self.chunks.pop_front();
        }
        Ok(None)
    }
}

/// What a stream tells of its bytes.
#[derive(Debug, PartialEq)]
enum Told {
    Event(Event),
    Comment(String),
    Retry(Duration),
    Undispatched(String, String),
    Skipped(Skipped),
}

impl Told {
    fn of(signal: &Signal) -> Self {
        match signal {
            Signal::Event(event) => Self::Event(event.clone()),
            Signal::Comment(comment) => Self::Comment(comment.clone()),
            Signal::Retry(time) => Self::Retry(*time),
            Signal::Undispatched { event_type, id, .. } => {
                Self::Undispatched(event_type.clone(), id.clone())
            }
            Signal::Skipped(skipped) => Self::Skipped(*skipped),
            signal => panic!("{signal:?} has no reason"),
        }
    }

    fn parsed(item: Parsed<'_>) -> Self {
        match item {
            Parsed::Event(event) => Self::Event(event.to_owned()),
            Parsed::Comment(comment) => Self::Comment(comment.to_owned()),
            Parsed::Retry(time) => Self::Retry(time),
            Parsed::Undispatched { event_type, id, .. } => {
                Self::Undispatched(event_type.to_owned(), id.to_owned())
            }
            Parsed::Skipped(skipped) => Self::Skipped(skipped),
            item => panic!("{item:?} is new"),
        }
    }
}
