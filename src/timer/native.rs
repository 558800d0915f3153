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

/// A wake-up at a point in time, by the timer of the runtime in which it was set.
#[derive(Debug)]
pub(super) struct Sleep {
    sleep: Pin<Box<time::Sleep>>,
    runtime: runtime::Id,
}

impl Sleep {
    /// # Panics
    ///
    /// Panics outside a Tokio runtime, or if its timer is not enabled.
    pub(super) fn until(deadline: Instant) -> Self {
        Self {
            sleep: Box::pin(time::sleep_until(deadline)),
            runtime: Handle::current().id(),
        }
    }

    pub(super) fn deadline(&self) -> Instant {
        self.sleep.deadline()
    }

    /// Whether the timer of the current runtime will still fire.
    ///
    /// The timer of another runtime may not be running, or may be shut down. When it shuts down, it fires all
    /// its sleeps, and the ID of its runtime may be reused.
    pub(super) fn is_set(&self) -> bool {
        Handle::try_current().is_ok_and(|runtime| runtime.id() == self.runtime)
            && !self.sleep.is_elapsed()
    }

    /// Moves the wake-up to `deadline`, and to the timer of the current runtime if it is not
    /// [set](Self::is_set) there.
    ///
    /// # Panics
    ///
    /// The same as [`until`](Self::until).
    pub(super) fn reset(&mut self, deadline: Instant) {
        if self.is_set() {
            self.sleep.as_mut().reset(deadline);
        } else {
            // Resetting a sleep of a runtime that was shut down would panic.
            self.sleep.set(time::sleep_until(deadline));
            self.runtime = Handle::current().id();
        }
    }

    /// Arranges for `cx` to be woken, unless the deadline has passed.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        // If the cooperative budget is used up, a sleep returns `Pending` without registering with
        // the timer.
        pin!(unconstrained(self.sleep.as_mut())).poll(cx)
    }
}
