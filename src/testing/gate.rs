//! A point at which a reply stops until the test continues it.

use std::sync::Arc;

use tokio::sync::watch;

/// A point in a [`Reply`](super::Reply) at which the server waits until the test opens it.
///
/// Use gates instead of sleeping: the test decides when the server continues, and
/// [`wait_for_arrivals`](Gate::wait_for_arrivals) waits until the server has reached the gate.
/// Clones are the same gate, and a gate can be used in several replies. Once open, it stays open.
///
/// ```
/// use everstream::testing::{Gate, Reply};
///
/// let gate = Gate::new();
/// let reply = Reply::events().data("before").gate(&gate).data("after");
/// // … start a server with `reply`, read "before", and then:
/// gate.open();
/// # let _ = reply;
/// ```
#[derive(Clone, Debug, Default)]
pub struct Gate {
    state: Arc<watch::Sender<State>>,
}

#[derive(Debug, Default)]
struct State {
    open: bool,
    arrivals: usize,
}

impl Gate {
    /// Creates a closed gate.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Opens the gate for all replies that wait at it or reach it later.
    ///
    /// Opening it again has no effect.
    pub fn open(&self) {
        self.state.send_modify(|state| state.open = true);
    }

    /// Whether the gate has been opened.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.state.borrow().open
    }

    /// Returns how many replies have reached the gate so far, including those that have passed it.
    #[must_use]
    pub fn arrivals(&self) -> usize {
        self.state.borrow().arrivals
    }

    /// Waits until at least `n` replies have reached the gate.
    ///
    /// By then, the server has passed everything before the gate to the operating system.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing.
    pub async fn wait_for_arrivals(&self, n: usize) {
        self.wait(|state| state.arrivals >= n).await;
    }

    /// Arrives at the gate, and waits until it is open.
    pub(super) async fn pass(&self) {
        self.state.send_modify(|state| state.arrivals += 1);
        self.wait(|state| state.open).await;
    }

    async fn wait(&self, condition: impl FnMut(&State) -> bool) {
        // The sender lives as long as `self`, so the wait cannot fail.
        let _ = self.state.subscribe().wait_for(condition).await;
    }
}
