//! Every limit on how long a server may take, and the one rule for all of them.
//!
//! Only waiting for the server counts, never the user's own pause. A stream can't see whether its
//! user waits or has looked away. But a user who waits polls it at every wake-up, and it asks for
//! one at least every tick: so of the time between two polls, no more than what was asked
//! for counts, and some milliseconds that a timer may be late.

use std::{
    task::{Context, Poll},
    time::Duration,
};

use crate::{
    error::{Error, ErrorKind, Timeout},
    event::Event,
    timer::{Alarm, Instant},
    transport::maybe_send::EventPredicate,
};

/// How long to wait for a server. `None` is for ever.
#[derive(Clone, Debug)]
pub(crate) struct Limits {
    /// Not set, the limit on silence holds for the headers, too.
    pub(crate) headers: Option<Option<Duration>>,
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

/// A refusal's body is worth this much waiting: after it, the error tells what has come.
const REFUSAL: Duration = Duration::from_secs(5);

/// A wake-up noticed this late was not watched for: the user has looked away, or the runtime was
/// blocked.
const LATE: Duration = Duration::from_millis(25);

/// After that, bytes that came meanwhile may still be on their way through the runtime. A limit
/// that would strike is put off this long, once.
const GRACE: Duration = Duration::from_millis(500);

/// How often a user who waits is woken, so that time spent elsewhere can be told from waiting.
fn tick(limit: Duration) -> Duration {
    const SHORTEST: Duration = Duration::from_millis(50);
    const LONGEST: Duration = Duration::from_secs(60);
    (limit / 16).clamp(SHORTEST, LONGEST)
}

/// What is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Headers,
    /// The body of a refusal.
    Refusal,
    FirstEvent,
    Events,
}

/// Which events start the limit on events over.
pub(crate) enum Progress {
    Any,
    When(EventPredicate),
    /// Those that are [confirmed](Waiting::confirm_progress) when they have been looked at.
    Confirmed,
}

/// The limits on one response after the other, and how much of them is used up.
pub(crate) struct Waiting {
    limits: Limits,
    progress: Progress,
    phase: Phase,
    /// Events are waited for, and no limit but that on silence holds: the usual case.
    only_silence: bool,
    /// What is asked of the alarm when silence begins.
    tick: Duration,
    /// Up to when waiting was counted. `None` while nothing is waited for.
    counted: Option<Instant>,
    /// How much of the time since then may count: what was asked of the alarm.
    asked: Duration,
    /// How long not a byte has come.
    silent: Duration,
    /// How long no event of progress has come, or since when a refusal is read.
    eventless: Duration,
    /// The limit on events had passed when the last chunk came. The chunk is looked through, as
    /// what is in it may have come in time.
    overdue: bool,
    /// Until when no limit strikes, after a wake-up that nobody watched for.
    put_off: Option<Instant>,
    /// The last wake-up was noticed late.
    was_late: bool,
    alarm: Alarm,
}

impl Waiting {
    pub(crate) fn new(limits: Limits, progress: Progress) -> Self {
        Self {
            tick: (limits.idle).map_or(Duration::MAX, |limit| limit.min(tick(limit))),
            limits,
            progress,
            phase: Phase::Headers,
            only_silence: false,
            counted: None,
            asked: Duration::ZERO,
            silent: Duration::ZERO,
            eventless: Duration::ZERO,
            overdue: false,
            put_off: None,
            was_late: false,
            alarm: Alarm::default(),
        }
    }

    /// A request is sent: its response's headers are waited for.
    pub(crate) fn for_headers(&mut self) {
        self.restart(Phase::Headers);
    }

    /// A refusal's headers have come: its body is waited for.
    pub(crate) fn for_refusal(&mut self) {
        self.restart(Phase::Refusal);
    }

    /// An event stream's headers have come: events are waited for.
    pub(crate) fn for_events(&mut self) {
        self.restart(Phase::FirstEvent);
    }

    /// Nothing is waited for: lets go of the timer.
    pub(crate) fn stop(&mut self) {
        self.counted = None;
        self.alarm = Alarm::default();
    }

    fn restart(&mut self, phase: Phase) {
        self.stop();
        self.phase = phase;
        self.only_silence = phase == Phase::FirstEvent && !self.watches_events();
        self.silent = Duration::ZERO;
        self.eventless = Duration::ZERO;
        self.overdue = false;
        self.put_off = None;
        self.was_late = false;
    }

    /// Whether the time between events is limited at all.
    #[inline]
    fn watches_events(&self) -> bool {
        self.limits.event.is_some() || self.limits.first_event.is_some()
    }

    /// The stream is polled. What it does from now on until it hands something out may have to
    /// count, though it never waits: a server can send noise faster than it is read.
    #[inline]
    pub(crate) fn begin(&mut self, hands_out_noise: bool) {
        if !self.only_silence || self.put_off.is_some() {
            self.begin_watched(hands_out_noise);
        }
    }

    #[inline(never)]
    fn begin_watched(&mut self, hands_out_noise: bool) {
        if self.put_off.is_some() || matches!(self.phase, Phase::Headers | Phase::Refusal) {
            self.begin_late();
        }
        if self.watches_events() && (hands_out_noise || !matches!(self.progress, Progress::Any)) {
            self.begin_counting();
        }
    }

    /// The last wake-up was noticed late, or could be: an HTTP client may be busy with what a
    /// server sends without end. What it takes from here on is no pause of the user's.
    fn begin_late(&mut self) {
        if self.counted.is_some() {
            self.count(Instant::now());
            self.asked = Duration::MAX;
        }
    }

    fn begin_counting(&mut self) {
        if self.counted.is_none() {
            self.counted = Some(Instant::now());
            self.asked = Duration::MAX;
        }
    }

    /// A chunk has come.
    #[inline]
    pub(crate) fn chunk(&mut self) {
        if self.only_silence {
            self.counted = None;
        } else {
            self.count_chunk();
        }
        self.silent = Duration::ZERO;
        self.put_off = None;
    }

    #[inline(never)]
    fn count_chunk(&mut self) {
        // Late before this chunk was waited for: it is the last that is looked through.
        self.overdue = self.late().is_some();
        if self.counted.is_some() {
            self.count(Instant::now());
            self.asked = Duration::MAX;
        }
    }

    /// An empty chunk has come: no sign of life.
    pub(crate) fn empty_chunk(&mut self) {
        match self.counted {
            Some(_) => self.count(Instant::now()),
            None => self.counted = Some(Instant::now()),
        }
        self.asked = Duration::MAX;
    }

    /// The limit that strikes before another chunk is asked for.
    #[inline]
    pub(crate) fn strikes(&self) -> Option<Error> {
        if self.overdue { self.late() } else { None }
    }

    fn late(&self) -> Option<Error> {
        let passed = |limit: Option<Duration>| limit.is_some_and(|limit| limit < self.eventless);
        match self.phase {
            Phase::FirstEvent if passed(self.limits.first_event) => {
                Some(timeout(Timeout::FirstEvent))
            }
            Phase::FirstEvent | Phase::Events if passed(self.limits.event) => {
                Some(timeout(Timeout::Event))
            }
            _ => None,
        }
    }

    /// An event is handed out, made by `event` if it has to be looked at. Whether it is one of
    /// progress. The user takes the time from here on.
    #[inline]
    pub(crate) fn event(&mut self, event: impl FnOnce() -> Event) -> bool {
        if let Progress::Any = self.progress {
            if self.watches_events() {
                self.progressed();
            }
            return true;
        }
        self.judge(event)
    }

    #[inline(never)]
    fn judge(&mut self, event: impl FnOnce() -> Event) -> bool {
        self.count_to_now();
        let counts = match &mut self.progress {
            Progress::Any => true,
            Progress::When(counts) => counts(&event()),
            Progress::Confirmed => false,
        };
        if counts {
            self.progressed();
        }
        self.phase = Phase::Events;
        self.counted = None;
        counts
    }

    /// The event handed out last was one of progress.
    pub(crate) fn confirm_progress(&mut self) {
        if let Progress::Confirmed = self.progress {
            self.progressed();
        }
    }

    fn progressed(&mut self) {
        self.phase = Phase::Events;
        self.eventless = Duration::ZERO;
        self.overdue = false;
        self.counted = None;
    }

    /// Something else than an event is handed out.
    pub(crate) fn noise(&mut self) {
        if self.watches_events() {
            self.count_to_now();
            self.counted = None;
        }
    }

    fn count_to_now(&mut self) {
        if self.counted.is_some() {
            self.count(Instant::now());
        }
    }

    #[inline]
    fn count(&mut self, now: Instant) {
        let Some(since) = self.counted.replace(now) else {
            return;
        };
        let passed = now.saturating_duration_since(since);
        let late = passed > self.asked.saturating_add(LATE);
        // Late twice running, and the timer has not even struck: it is the runtime that is busy.
        let looked_away = late && (!self.was_late || self.alarm.has_rung());
        if self.asked < Duration::MAX {
            self.was_late = late;
        }
        let counts = if looked_away { self.asked } else { passed };
        self.silent = self.silent.saturating_add(counts);
        self.eventless = self.eventless.saturating_add(counts);
        if looked_away {
            // Put off once, not again and again.
            self.put_off.get_or_insert(now + GRACE);
        }
    }

    /// Nothing has come: ready with an error once a limit has passed.
    ///
    /// With one chunk per event this is asked for each of them: the usual wait passes by with one
    /// look at the clock.
    #[inline]
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Error> {
        if self.only_silence && self.watches_silence(cx) {
            return Poll::Pending;
        }
        self.poll_limits(cx)
    }

    /// A wait that only the limit on silence can end begins. Whether the alarm needs no setting for
    /// that: it was set for a wait that began earlier, and wakes no later than this one asks.
    #[inline]
    fn watches_silence(&mut self, cx: &Context<'_>) -> bool {
        if self.limits.idle.is_none() {
            return true;
        }
        if self.counted.is_some() || !self.silent.is_zero() || self.was_late {
            return false;
        }
        let now = Instant::now();
        self.counted = Some(now);
        self.asked = self.tick;
        self.alarm.will_wake(cx, now)
    }

    #[inline(never)]
    fn poll_limits(&mut self, cx: &mut Context<'_>) -> Poll<Error> {
        if self.soonest().is_none() {
            return Poll::Pending;
        }
        let now = Instant::now();
        self.count(now);
        self.counted = Some(now);
        let Some((limit, waited, kind)) = self.soonest() else {
            return Poll::Pending;
        };
        let mut left = limit.saturating_sub(waited);
        if left.is_zero() {
            left = match self.put_off {
                Some(until) if now < until => until - now,
                _ => return Poll::Ready(timeout(kind)),
            };
        }
        self.asked = left.min(tick(limit));
        self.alarm.wake_at(cx, now, now + self.asked);
        if self.was_late {
            // A runtime that is busy gets round to its timer late. Once more, without it.
            cx.waker().wake_by_ref();
        }
        Poll::Pending
    }

    /// The limit that passes first: how long it is, how much of it is used up, and its name.
    fn soonest(&self) -> Limit {
        let Limits {
            headers,
            first_event,
            idle,
            event,
        } = self.limits;
        let named = |limit: Option<Duration>, waited, kind| limit.map(|it| (it, waited, kind));
        let silent = named(idle, self.silent, Timeout::Idle);
        match self.phase {
            // A limit for the headers rules alone: that on silence is no part of it.
            Phase::Headers => match headers {
                Some(limit) => named(limit, self.silent, Timeout::Headers),
                None => silent,
            },
            Phase::Refusal => {
                let whole = Some((REFUSAL, self.eventless, Timeout::Idle));
                sooner(silent, whole)
            }
            Phase::FirstEvent => {
                let first = named(first_event, self.eventless, Timeout::FirstEvent);
                let event = named(event, self.eventless, Timeout::Event);
                sooner(silent, sooner(first, event))
            }
            Phase::Events => sooner(silent, named(event, self.eventless, Timeout::Event)),
        }
    }
}

type Limit = Option<(Duration, Duration, Timeout)>;

fn sooner(one: Limit, other: Limit) -> Limit {
    match (one, other) {
        (Some(one), Some(other)) => {
            let left = |(limit, waited, _): (Duration, Duration, _)| limit.saturating_sub(waited);
            Some(if left(other) < left(one) { other } else { one })
        }
        (one, other) => one.or(other),
    }
}

fn timeout(kind: Timeout) -> Error {
    Error::of(ErrorKind::Timeout(kind))
}
