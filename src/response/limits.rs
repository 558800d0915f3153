//! All limits on how long a server may take, and their common rule.
//!
//! Only time spent waiting for the server counts, never a pause in the user's code. A stream can't
//! see whether its task is waiting for it. But a waiting task polls the stream at every wake-up,
//! and the stream requests one at least every tick. So of the time between two polls, at most the
//! requested time counts, plus a few milliseconds for a late timer.

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

/// How long to wait for a server. `None` means no limit.
#[derive(Clone, Debug)]
pub(crate) struct Limits {
    /// If not set, the idle limit also applies to the headers.
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

/// How long to wait for the body of a refusal. After that, the error holds what was received.
const REFUSAL: Duration = Duration::from_secs(5);

/// If a poll is this late after its wake-up, the task was not waiting: it was busy, or the runtime
/// was blocked.
const LATE: Duration = Duration::from_millis(25);

/// After a late poll, bytes may still be on their way through the runtime. A limit that has passed
/// is postponed by this time, once.
const GRACE: Duration = Duration::from_millis(500);

/// How often to wake a waiting task, to tell waiting from time spent elsewhere.
fn tick(limit: Duration) -> Duration {
    const SHORTEST: Duration = Duration::from_millis(50);
    const LONGEST: Duration = Duration::from_secs(60);
    (limit / 16).clamp(SHORTEST, LONGEST)
}

/// What the stream waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Headers,
    /// The body of a refusal.
    Refusal,
    FirstEvent,
    Events,
}

/// Which events restart the event limit.
pub(crate) enum Progress {
    Any,
    When(EventPredicate),
    /// Those that are [confirmed](Waiting::confirm_progress) after they were yielded.
    Confirmed,
}

/// The limits on each response, and how much of them is used up.
pub(crate) struct Waiting {
    limits: Limits,
    progress: Progress,
    phase: Phase,
    /// The usual case: waiting for events with only the idle limit.
    only_silence: bool,
    /// The first wake-up to request when silence starts.
    tick: Duration,
    /// The moment up to which waiting was counted. `None` while not waiting.
    counted: Option<Instant>,
    /// How much of the time since then can count: the time requested from the alarm.
    asked: Duration,
    /// The time without a byte.
    silent: Duration,
    /// The time without an event of progress, or the time spent reading a refusal.
    eventless: Duration,
    /// The event limit had passed when the last chunk arrived. The chunk is still searched, because
    /// its events may have arrived in time.
    overdue: bool,
    /// No limit applies until this moment, after a late poll.
    put_off: Option<Instant>,
    /// The last poll was late.
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

    /// Starts to wait for the headers of a response.
    pub(crate) fn for_headers(&mut self) {
        self.restart(Phase::Headers);
    }

    /// Starts to wait for the body of a refusal.
    pub(crate) fn for_refusal(&mut self) {
        self.restart(Phase::Refusal);
    }

    /// Starts to wait for the events of an open stream.
    pub(crate) fn for_events(&mut self) {
        self.restart(Phase::FirstEvent);
    }

    /// Stops waiting, and drops the timer.
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

    /// Whether there is a limit on the time without an event.
    #[inline]
    fn watches_events(&self) -> bool {
        self.limits.event.is_some() || self.limits.first_event.is_some()
    }

    /// Starts a poll of the stream. The time until it yields an item may count even if it never
    /// waits, because a server can send noise faster than it is read.
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

    /// Counts all time from now on, as it is not a pause of the user. The poll may only be late
    /// because the HTTP client is busy with a server that never stops sending.
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

    /// Handles the arrival of a chunk.
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
        // The limit had passed before this chunk: it is the last one to search.
        self.overdue = self.late().is_some();
        if self.counted.is_some() {
            self.count(Instant::now());
            self.asked = Duration::MAX;
        }
    }

    /// Handles an empty chunk, which is not a sign of life.
    pub(crate) fn empty_chunk(&mut self) {
        match self.counted {
            Some(_) => self.count(Instant::now()),
            None => self.counted = Some(Instant::now()),
        }
        self.asked = Duration::MAX;
    }

    /// Returns the error of a limit that has passed, before the next chunk is polled.
    #[inline]
    pub(crate) fn exceeded(&self) -> Option<Error> {
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

    /// Handles an event that is about to be yielded, and returns whether it is progress. `event`
    /// creates it if a closure has to see it. The time that follows is the user's.
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

    /// Counts the last event that was yielded as progress.
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

    /// Handles an item that is not an event.
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
        // If two polls in a row are late and the timer has not fired yet, the runtime is busy.
        let looked_away = late && (!self.was_late || self.alarm.has_fired());
        if self.asked < Duration::MAX {
            self.was_late = late;
        }
        let counts = if looked_away { self.asked } else { passed };
        self.silent = self.silent.saturating_add(counts);
        self.eventless = self.eventless.saturating_add(counts);
        if looked_away {
            // Postpone only once.
            self.put_off.get_or_insert(now + GRACE);
        }
    }

    /// Waits, and is ready with an error when a limit has passed.
    ///
    /// With one chunk per event, this is called for every event. In the usual case, it reads the
    /// clock only once.
    #[inline]
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Error> {
        if self.only_silence && self.watches_silence(cx) {
            return Poll::Pending;
        }
        self.poll_limits(cx)
    }

    /// Starts a wait that only the idle limit can end. Returns whether the alarm is already set:
    /// for an earlier wait, and to wake no later than this one needs.
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
            // A busy runtime fires its timer late, so poll again without it.
            cx.waker().wake_by_ref();
        }
        Poll::Pending
    }

    /// Returns the limit that passes first: its length, how much of it is used up, and its name.
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
            // If there is a limit for the headers, the idle limit does not apply.
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
