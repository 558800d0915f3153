//! How long an event may be waited for.
//!
//! Only what a stream spends in waiting counts, never what its user takes between two polls: the
//! time until something is handed out, summed up until that is an event of progress.

use std::time::Duration;

use super::{Deadline, Limits, sooner};
use crate::{
    error::Timeout,
    event::Event,
    timer::{self, Instant, UNWATCHED},
    transport::maybe_send::Progress,
};

/// The limits on events, where there are any, and how much of them is used up.
pub(crate) struct Waiting {
    first_event: Option<Duration>,
    event: Option<Duration>,
    /// Which events count; all of them by default.
    progress: Option<Progress>,
    /// Since when an event of progress has been waited for, while that is so.
    since: Option<Instant>,
    /// How long it was waited for before the user was given something else.
    waited: Duration,
    /// The chunk was taken when that was too long already. It is looked through, as what is in it
    /// may have come in time.
    overdue: bool,
    /// No event has come since the headers did.
    first: bool,
}

impl Waiting {
    /// `None` where there is no limit.
    pub(crate) fn new(limits: &Limits, progress: Option<Progress>) -> Option<Box<Self>> {
        let limited = limits.first_event.is_some() || limits.event.is_some();
        limited.then(|| {
            Box::new(Self {
                first_event: limits.first_event,
                event: limits.event,
                progress,
                since: None,
                waited: Duration::ZERO,
                overdue: false,
                first: true,
            })
        })
    }

    /// A new response has come.
    pub(crate) fn restart(&mut self) {
        self.first = true;
        self.since = None;
        self.waited = Duration::ZERO;
        self.overdue = false;
    }

    /// Whether an event may be handed out that is none of progress.
    pub(crate) fn is_choosy(&self) -> bool {
        self.progress.is_some()
    }

    /// What is handed out is an event: if it is one of progress, the time for the next begins.
    /// (It is made for that question, if it has to be asked.)
    pub(crate) fn note(&mut self, event: impl FnOnce() -> Event) {
        self.first = false;
        let progress = &mut self.progress;
        if progress.as_mut().is_none_or(|counts| counts(&event())) {
            self.waited = Duration::ZERO;
        }
    }

    /// Something is handed out, and from here on it is the user who takes the time. Where nothing
    /// was waited for, looking for it began at `began`, if that is to count.
    pub(crate) fn pause(&mut self, began: Option<Instant>) {
        let Some(since) = self.since.or(began) else {
            return;
        };
        let waited = self.waited.saturating_add(since.elapsed());
        // Had someone waited for that long, the limit would have struck: the user looked away.
        let unwatched =
            self.since.take().is_some() && self.late(waited.saturating_sub(UNWATCHED)).is_some();
        if !unwatched {
            self.waited = waited;
        }
    }

    /// Another chunk is taken.
    pub(crate) fn take_chunk(&mut self) {
        self.overdue = self.late(self.waited).is_some();
    }

    /// The limit that strikes before another chunk is asked for.
    pub(crate) fn strikes(&self) -> Option<Timeout> {
        self.late(self.waited).filter(|_| self.overdue)
    }

    /// The limit that has passed after so long a wait.
    fn late(&self, waited: Duration) -> Option<Timeout> {
        let passed = |limit: Option<Duration>| limit.is_some_and(|it| it < waited);
        if self.first && passed(self.first_event) {
            return Some(Timeout::FirstEvent);
        }
        passed(self.event).then_some(Timeout::Event)
    }

    /// Nothing has come: until when the next event has to.
    pub(crate) fn deadline(&mut self, now: Instant) -> Option<Deadline> {
        let since = *self.since.get_or_insert(now);
        let deadline = |limit: Duration, timeout| {
            let left = limit.saturating_sub(self.waited);
            (timer::after(since, left), timeout)
        };
        let first = self.first_event.filter(|_| self.first);
        let first = first.map(|limit| deadline(limit, Timeout::FirstEvent));
        let event = self.event.map(|limit| deadline(limit, Timeout::Event));
        first.into_iter().chain(event).reduce(sooner)
    }
}
