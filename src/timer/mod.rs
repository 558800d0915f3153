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

use std::{
    future::{Future, poll_fn},
    pin::pin,
    task::Poll,
    time::Duration,
};

pub(crate) use alarm::{Alarm, UNWATCHED};
pub(crate) use clock::{Instant, wall_clock};

/// The moment so long after `since`; no clock counts more than a century.
pub(crate) fn after(since: Instant, time: Duration) -> Instant {
    const CENTURY: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);
    since + time.min(CENTURY)
}

/// Runs `future` until `deadline` at most, noticed as an [`Alarm`] does: `None` if it was not
/// ready by then.
pub(crate) async fn until<F: Future>(deadline: Instant, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut alarm = Alarm::default();
    poll_fn(|cx| match future.as_mut().poll(cx) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending => alarm.poll(cx, deadline).map(|()| None),
    })
    .await
}

/// Runs `future` for `limit` at most, from the first poll on.
pub(crate) async fn within<F: Future>(limit: Duration, future: F) -> Option<F::Output> {
    until(after(Instant::now(), limit), future).await
}
