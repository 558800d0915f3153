//! [`EventSourceHandle`]: controls an `EventSource` from another task.
//!
//! A mutex guards the state that both ends share. Cloning, waking and dropping a waker runs foreign
//! code, which may use a handle or drop the source. So none of that happens under the lock.
//!
//! `tests/handle_model.rs` compiles this file against loom, and checks all interleavings.

use std::{fmt, mem, sync::PoisonError, task::Waker};

use super::{
    session::ReadyState,
    sync::{Arc, Mutex, MutexGuard},
};

/// Closes an `EventSource`, or makes it reconnect, from another task.
///
/// The source executes the command when it is next polled. The handle wakes the task that polled it
/// last. A handle doesn't keep its source alive. After the source is dropped, the handle reports it
/// as closed.
///
/// Handles are cheap to clone. `Debug` doesn't show the last event ID.
#[derive(Clone)]
pub struct EventSourceHandle(Arc<Mutex<Shared>>);

struct Shared {
    /// Either end can set this to closed, which is final.
    state: ReadyState,
    /// Whether the source may send its request again.
    repeats: bool,
    last_event_id: String,
    command: Option<Command>,
    /// Wakes the task that polled the source last. `None` for a closed source.
    waker: Option<Waker>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Command {
    Reconnect,
    Close,
}

impl EventSourceHandle {
    /// Closes the source for good. Does nothing if it is already closed.
    pub fn close(&self) {
        let mut shared = lock(&self.0);
        if shared.state == ReadyState::Closed {
            return;
        }
        shared.state = ReadyState::Closed;
        order(shared, Command::Close);
    }

    /// Makes the source drop its connection, or skip the delay before the next one, and reconnect
    /// immediately. Returns whether it will.
    ///
    /// Returns `false` and does nothing if the source is closed, or if its request must not be sent
    /// again: see [`resend_unsafe_methods`](crate::EventSourceBuilder::resend_unsafe_methods).
    /// Returns `true` for a source that was not polled yet, which is about to connect for the first
    /// time. A source that ends by itself before it is polled again doesn't reconnect.
    #[allow(
        clippy::must_use_candidate,
        reason = "the command counts, not the answer"
    )]
    pub fn reconnect(&self) -> bool {
        let shared = lock(&self.0);
        let possible = shared.repeats && shared.state != ReadyState::Closed;
        if possible {
            order(shared, Command::Reconnect);
        }
        possible
    }

    /// Returns the state of the source's connection.
    #[must_use]
    pub fn ready_state(&self) -> ReadyState {
        lock(&self.0).state
    }

    /// Returns the last event ID of the source. This works after the end of the source, too.
    #[must_use]
    pub fn last_event_id(&self) -> String {
        lock(&self.0).last_event_id.clone()
    }
}

impl fmt::Debug for EventSourceHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventSourceHandle")
            .field("ready_state", &self.ready_state())
            .finish_non_exhaustive()
    }
}

/// Leaves a command for the source, and wakes its task after the lock is released.
fn order(mut shared: MutexGuard<'_, Shared>, command: Command) {
    shared.command = Some(command);
    let waker = shared.waker.take();
    drop(shared);
    if let Some(waker) = waker {
        waker.wake();
    }
}

/// Ignores poisoning: no code that can panic runs under the lock, so the state is consistent.
fn lock(shared: &Mutex<Shared>) -> MutexGuard<'_, Shared> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The source's end of the shared state. Dropping it marks the source as closed.
pub(super) struct Watched(Arc<Mutex<Shared>>);

impl Watched {
    pub(super) fn new(state: ReadyState, repeats: bool, last_event_id: &str) -> Self {
        Self(Arc::new(Mutex::new(Shared {
            state,
            repeats,
            last_event_id: last_event_id.to_owned(),
            command: None,
            waker: None,
        })))
    }

    pub(super) fn handle(&self) -> EventSourceHandle {
        EventSourceHandle(Arc::clone(&self.0))
    }

    /// Takes the command given since the last call. The next command wakes `waker`.
    pub(super) fn command(&mut self, waker: &Waker) -> Option<Command> {
        let mut shared = lock(&self.0);
        if !shared.lacks(waker) {
            return shared.command.take();
        }
        drop(shared);
        let waker = waker.clone();
        // A command given in the meantime has woken the old waker, if any, and is taken here.
        let mut shared = lock(&self.0);
        let outdated = shared.waker.replace(waker);
        let command = shared.command.take();
        drop(shared);
        drop(outdated);
        command
    }

    /// Updates the state that the handles see.
    pub(super) fn tell(&self, state: ReadyState, last_event_id: &str) {
        let mut shared = lock(&self.0);
        if shared.last_event_id != last_event_id {
            shared.last_event_id.clear();
            shared.last_event_id.push_str(last_event_id);
        }
        set_state(shared, state);
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        set_state(lock(&self.0), ReadyState::Closed);
    }
}

/// Drops the waker of a closed source, as it would keep the memory of a finished task alive.
fn set_state(mut shared: MutexGuard<'_, Shared>, state: ReadyState) {
    // A handle may have closed the source before the source noticed.
    if shared.state == ReadyState::Closed && state != ReadyState::Closed {
        return;
    }
    shared.state = state;
    if state == ReadyState::Closed {
        let unneeded = mem::take(&mut shared.waker);
        drop(shared);
        drop(unneeded);
    }
}

impl Shared {
    /// Whether future commands should wake `waker`, but wouldn't.
    fn lacks(&self, waker: &Waker) -> bool {
        let known = |known: &Waker| known.will_wake(waker);
        self.state != ReadyState::Closed && !self.waker.as_ref().is_some_and(known)
    }
}
