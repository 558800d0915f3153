//! Tokio's clock and timer.

use std::{future::Future, time::SystemTime};

pub(super) use tokio::time::{Sleep, sleep_until};

pub(crate) use tokio::time::Instant;

/// The wall clock, for dates that a server sends.
pub(crate) fn wall_clock() -> SystemTime {
    SystemTime::now()
}

/// Lets `future` run until `deadline` at most.
pub(crate) async fn until<F: Future>(deadline: Instant, future: F) -> Option<F::Output> {
    tokio::time::timeout_at(deadline, future).await.ok()
}
