//! [`EventSourceHandle`]: an `EventSource` steered from elsewhere.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::Waker,
};

use super::session::ReadyState;

/// Closes an `EventSource`, or has it reconnect, from another task.
///
/// The source does as told when it is polled next, for which it is woken. A handle does not keep
/// a source alive: one that was dropped is closed.
#[derive(Clone, Debug)]
pub struct EventSourceHandle(Arc<Mutex<Shared>>);

#[derive(Debug)]
struct Shared {
    state: ReadyState,
    last_event_id: String,
    command: Option<Command>,
    waker: Option<Waker>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Command {
    Reconnect,
    Close,
}

impl EventSourceHandle {
    /// Closes the source, for good.
    pub fn close(&self) {
        let mut shared = lock(&self.0);
        shared.state = ReadyState::Closed;
        shared.order(Command::Close);
    }

    /// Has the source give up its connection, or its waiting, and connect again at once. A source
    /// that must not repeat its request, or is closed, stays as it is.
    pub fn reconnect(&self) {
        lock(&self.0).order(Command::Reconnect);
    }

    /// The state of the source's connection.
    #[must_use]
    pub fn ready_state(&self) -> ReadyState {
        lock(&self.0).state
    }

    /// The last event ID of the source.
    #[must_use]
    pub fn last_event_id(&self) -> String {
        lock(&self.0).last_event_id.clone()
    }
}

impl Shared {
    fn order(&mut self, command: Command) {
        // What was closed stays so.
        if self.command != Some(Command::Close) {
            self.command = Some(command);
        }
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}

/// A panic elsewhere leaves nothing half done in there.
fn lock(shared: &Mutex<Shared>) -> MutexGuard<'_, Shared> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The source's end of its handles.
#[derive(Debug)]
pub(crate) struct Watched(Arc<Mutex<Shared>>);

impl Watched {
    pub(crate) fn new(state: ReadyState, last_event_id: &str) -> Self {
        Self(Arc::new(Mutex::new(Shared {
            state,
            last_event_id: last_event_id.to_owned(),
            command: None,
            waker: None,
        })))
    }

    pub(crate) fn handle(&self) -> EventSourceHandle {
        EventSourceHandle(Arc::clone(&self.0))
    }

    /// What was asked for since the last time. Whoever asks next wakes `waker`.
    pub(crate) fn command(&mut self, waker: &Waker) -> Option<Command> {
        let mut shared = lock(&self.0);
        if !shared
            .waker
            .as_ref()
            .is_some_and(|known| known.will_wake(waker))
        {
            shared.waker = Some(waker.clone());
        }
        shared.command.take()
    }

    pub(crate) fn tell(&self, state: ReadyState, last_event_id: &str) {
        let mut shared = lock(&self.0);
        if shared.command != Some(Command::Close) {
            shared.state = state;
        }
        if shared.last_event_id != last_event_id {
            shared.last_event_id.clear();
            shared.last_event_id.push_str(last_event_id);
        }
    }
}
