//! The only place that sleeps or reads a clock.
//!
//! `tokio::time` everywhere, so that tests can pause it; the browser's own clock and `setTimeout`
//! where Tokio does not run. Whatever has a time limit waits for it with an [`Alarm`].

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

/// The moment so long after `since`; no clock counts more than a century.
pub(crate) fn after(since: Instant, time: Duration) -> Instant {
    const CENTURY: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);
    since + time.min(CENTURY)
}
