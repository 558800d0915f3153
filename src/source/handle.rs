//! [`EventSourceHandle`]: an `EventSource` steered from elsewhere.
//!
//! A mutex guards what the two ends share. Cloning, waking and dropping a waker runs code that
//! isn't ours: it may use a handle, or drop the source. So none of that happens under the lock.
//!
//! `tests/handle_model.rs` compiles this file against loom, and tries every order of events.

use std::{fmt, mem, sync::PoisonError, task::Waker};

use super::{
    session::ReadyState,
    sync::{Arc, Mutex, MutexGuard},
};

/// Closes an `EventSource`, or makes it reconnect, from another task.
///
/// The source obeys when it is next polled, and the task that polled it last is woken for that.
/// A handle doesn't keep its source alive: once the source is dropped, it is closed.
///
/// Handles are cheap to clone. `Debug` doesn't show the last event ID.
#[derive(Clone)]
pub struct EventSourceHandle(Arc<Mutex<Shared>>);

struct Shared {
    /// Once closed, for good: by either end.
    state: ReadyState,
    /// Whether the source may send its request again.
    repeats: bool,
    last_event_id: String,
    command: Option<Command>,
    /// Wakes the task that polled the source last. A source that is closed has none.
    waker: Option<Waker>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Command {
    Reconnect,
    Close,
}

impl EventSourceHandle {
    /// Closes the source for good. If it is closed already, this does nothing.
    pub fn close(&self) {
        let mut shared = lock(&self.0);
        if shared.state == ReadyState::Closed {
            return;
        }
        shared.state = ReadyState::Closed;
        order(shared, Command::Close);
    }

    /// Makes the source drop its connection, or stop waiting for the next one, and connect again
    /// at once. Returns whether it will.
    ///
    /// It is `false`, and nothing happens, if the source is closed, or if its request must not be
    /// sent again: see
    /// [`resend_unsafe_methods`](crate::EventSourceBuilder::resend_unsafe_methods). It is `true`
    /// for a source that was not polled yet: its first connection is still to come. A source that
    /// ends by itself before it is polled again doesn't reconnect.
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

    /// The state of the source's connection.
    #[must_use]
    pub fn ready_state(&self) -> ReadyState {
        lock(&self.0).state
    }

    /// The last event ID of the source, also after its end.
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

/// Leaves a command for the source, and wakes it once the lock is released.
fn order(mut shared: MutexGuard<'_, Shared>, command: Command) {
    shared.command = Some(command);
    let waker = shared.waker.take();
    drop(shared);
    if let Some(waker) = waker {
        waker.wake();
    }
}

/// No code that may panic runs under the lock, so what it guards is whole.
fn lock(shared: &Mutex<Shared>) -> MutexGuard<'_, Shared> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The source's end of its handles. Dropping it closes them.
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

    /// Takes the command that was given since the last call. The next one wakes `waker`.
    pub(super) fn command(&mut self, waker: &Waker) -> Option<Command> {
        let mut shared = lock(&self.0);
        if !shared.lacks(waker) {
            return shared.command.take();
        }
        drop(shared);
        let waker = waker.clone();
        // A command that came meanwhile has woken the old waker, if there was one, and is taken here.
        let mut shared = lock(&self.0);
        let outdated = shared.waker.replace(waker);
        let command = shared.command.take();
        drop(shared);
        drop(outdated);
        command
    }

    /// Tells the handles the state of the source.
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

/// A source that is closed needs nobody to wake it: its task may be gone, and what the waker holds
/// of it with it.
fn set_state(mut shared: MutexGuard<'_, Shared>, state: ReadyState) {
    // A handle may have closed the source before it knows.
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
    /// Whether commands to come would not wake `waker`, but should.
    fn lacks(&self, waker: &Waker) -> bool {
        let known = |known: &Waker| known.will_wake(waker);
        self.state != ReadyState::Closed && !self.waker.as_ref().is_some_and(known)
    }
}
