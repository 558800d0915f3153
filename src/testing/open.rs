//! The counters of a script: attempts and open connections.

use tokio::sync::watch;

/// The counts so far.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counts {
    pub(super) attempts: usize,
    pub(super) open: usize,
}

/// Counts as an open connection while it lives.
pub(super) struct Open(watch::Sender<Counts>);

impl Open {
    pub(super) fn new(counts: watch::Sender<Counts>) -> Self {
        counts.send_modify(|counts| counts.open += 1);
        Self(counts)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.send_modify(|counts| counts.open -= 1);
    }
}
