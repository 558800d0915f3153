//! Tokio's clock and timer.

use std::{
    future::Future,
    pin::{Pin, pin},
    task::{Context, Poll},
    time::SystemTime,
};

use tokio::{
    runtime::{self, Handle},
    task::coop::unconstrained,
    time,
};

pub(crate) use tokio::time::Instant;

/// The wall clock, for dates that a server sends.
pub(crate) fn wall_clock() -> SystemTime {
    SystemTime::now()
}

/// A wake-up at a moment, by the timer of the runtime in which it was set.
#[derive(Debug)]
pub(super) struct Sleep {
    sleep: Pin<Box<time::Sleep>>,
    runtime: runtime::Id,
}

impl Sleep {
    /// # Panics
    ///
    /// Outside a Tokio runtime, and in one whose timer is not enabled.
    pub(super) fn until(deadline: Instant) -> Self {
        Self {
            sleep: Box::pin(time::sleep_until(deadline)),
            runtime: Handle::current().id(),
        }
    }

    pub(super) fn deadline(&self) -> Instant {
        self.sleep.deadline()
    }

    /// Whether the timer of this runtime will still strike.
    ///
    /// That of another runtime may stand still, or be gone: it strikes all that is left when it
    /// goes, and the identity of its runtime may be given to the next.
    pub(super) fn is_set(&self) -> bool {
        Handle::try_current().is_ok_and(|runtime| runtime.id() == self.runtime)
            && !self.sleep.is_elapsed()
    }

    /// Moves the wake-up, and to the timer of this runtime if it is not [set](Self::is_set) there.
    ///
    /// # Panics
    ///
    /// As [`until`](Self::until).
    pub(super) fn reset(&mut self, deadline: Instant) {
        if self.is_set() {
            self.sleep.as_mut().reset(deadline);
        } else {
            // To touch a sleep of a runtime that is gone would be a panic.
            self.sleep.set(time::sleep_until(deadline));
            self.runtime = Handle::current().id();
        }
    }

    /// Has `cx` woken, unless the moment has come.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        // Where the cooperative budget is used up, a sleep is pending without a word to the timer.
        pin!(unconstrained(self.sleep.as_mut())).poll(cx)
    }
}
