//! A point that a reply does not pass until the test says so.

use std::sync::Arc;

use tokio::sync::watch;

/// A point in a [`Reply`](super::Reply) that the server does not pass before the test opens it.
///
/// Gates take the place of sleeping: the test decides when the server goes on, and
/// [`wait_for_arrivals`](Gate::wait_for_arrivals) tells it when the server has come that far. Clones
/// are the same gate, and one gate may stand in several replies. Once open it stays open.
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
    /// Makes a gate, closed.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Opens the gate for whoever waits at it and whoever comes later.
    ///
    /// Opening it again changes nothing.
    pub fn open(&self) {
        self.state.send_modify(|state| state.open = true);
    }

    /// Whether the gate has been opened.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.state.borrow().open
    }

    /// How many replies have come to the gate so far, those that have passed it included.
    #[must_use]
    pub fn arrivals(&self) -> usize {
        self.state.borrow().arrivals
    }

    /// Waits until at least `n` replies have come to the gate.
    ///
    /// By then the server has given everything that stands before the gate to the operating system.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing.
    pub async fn wait_for_arrivals(&self, n: usize) {
        self.wait(|state| state.arrivals >= n).await;
    }

    /// Comes to the gate and waits until it is open.
    pub(super) async fn pass(&self) {
        self.state.send_modify(|state| state.arrivals += 1);
        self.wait(|state| state.open).await;
    }

    async fn wait(&self, condition: impl FnMut(&State) -> bool) {
        // The sender lives as long as `self`, so the wait cannot fail.
        let _ = self.state.subscribe().wait_for(condition).await;
    }
}
