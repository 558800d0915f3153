//! The only module that sleeps or reads a clock.
//!
//! It uses `tokio::time`, so that tests can pause it, or the browser's clock and `setTimeout` where
//! Tokio does not run. All time limits wait with an [`Alarm`].

mod alarm;
#[cfg(all(target_arch = "wasm32", target_os = "unknown"))]
#[path = "browser.rs"]
mod clock;
#[cfg(not(all(target_arch = "wasm32", target_os = "unknown")))]
#[path = "native.rs"]
mod clock;

use std::time::Duration;

pub(crate) use alarm::Alarm;
pub(crate) use clock::{Instant, wall_clock};

/// Returns the instant `time` after `since`, at most a century, so that it does not overflow.
pub(crate) fn after(since: Instant, time: Duration) -> Instant {
    const CENTURY: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);
    since + time.min(CENTURY)
}
