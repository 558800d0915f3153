//! The browser's clocks, and its `setTimeout`.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
    time::{Duration, SystemTime},
};

use gloo_timers::future::TimeoutFuture;
use web_time::web::SystemTimeExt;

pub(crate) use web_time::Instant;

/// The wall clock, for dates that a server sends.
pub(crate) fn wall_clock() -> SystemTime {
    web_time::SystemTime::now().to_std()
}

/// A wake-up at a point in time, with as many timeouts as needed.
#[derive(Debug)]
pub(super) struct Sleep {
    deadline: Instant,
    timeout: Option<TimeoutFuture>,
}

impl Sleep {
    pub(super) fn until(deadline: Instant) -> Self {
        Self {
            deadline,
            timeout: None,
        }
    }

    pub(super) fn deadline(&self) -> Instant {
        self.deadline
    }

    /// Whether a timeout will still fire.
    pub(super) fn is_set(&self) -> bool {
        self.timeout.is_some()
    }

    pub(super) fn reset(&mut self, deadline: Instant) {
        self.deadline = deadline;
        self.timeout = None;
    }

    /// Arranges for `cx` to be woken, unless the deadline has passed.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            // A timeout may fire slightly early, because browsers make their clocks coarse on
            // purpose.
            let left = self.deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Poll::Ready(());
            }
            let timeout = self
                .timeout
                .get_or_insert_with(|| TimeoutFuture::new(milliseconds(left)));
            ready!(Pin::new(timeout).poll(cx));
            self.timeout = None;
        }
    }
}

/// Milliseconds for `setTimeout`, limited to an `i32` (24.8 days): anything longer would fire
/// immediately.
fn milliseconds(time: Duration) -> u32 {
    const MAX: u32 = i32::MAX as u32;
    let rounded_up = time.as_nanos().div_ceil(1_000_000);
    u32::try_from(rounded_up).map_or(MAX, |milliseconds| milliseconds.min(MAX))
}
