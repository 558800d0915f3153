//! The state that the server's thread shares with the test.

use std::any::Any;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use super::request::Request;

/// Everything that has happened so far.
#[derive(Debug, Default)]
pub(super) struct State {
    /// The counts, which the test can wait for.
    pub(super) counts: watch::Sender<Counts>,
    requests: Mutex<Vec<Request>>,
    faults: Mutex<Faults>,
}

/// The counts so far.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counts {
    pub(super) requests: usize,
    pub(super) accepted: usize,
    pub(super) open: usize,
}

/// Everything that should not have happened.
#[derive(Debug, Default)]
struct Faults {
    /// Requests that were not as expected.
    complaints: Vec<String>,
    /// Panics of the handler, or of the server itself.
    panics: Vec<String>,
}

impl State {
    /// Numbers and records a request.
    pub(super) fn add_request(&self, request: &mut Request) {
        let mut requests = lock(&self.requests);
        request.number = self.counts.borrow().requests;
        requests.push(request.clone());
        self.counts.send_modify(|counts| counts.requests += 1);
    }

    pub(super) fn requests(&self) -> Vec<Request> {
        lock(&self.requests).clone()
    }

    pub(super) fn take_requests(&self) -> Vec<Request> {
        std::mem::take(&mut lock(&self.requests))
    }

    pub(super) fn complain(&self, complaint: String) {
        lock(&self.faults).complaints.push(complaint);
    }

    /// Records a panic, and returns its message.
    pub(super) fn add_panic(&self, whose: &str, payload: &(dyn Any + Send)) -> String {
        let text = payload.downcast_ref::<&str>().copied();
        let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
        let panic = format!("{whose} panicked: {}", text.unwrap_or("(no message)"));
        lock(&self.faults).panics.push(panic.clone());
        panic
    }

    /// Returns the panics since the last call.
    pub(super) fn take_panics(&self) -> Vec<String> {
        std::mem::take(&mut lock(&self.faults).panics)
    }

    pub(super) fn complaints(&self) -> Vec<String> {
        lock(&self.faults).complaints.clone()
    }
}

/// Locks, and ignores poisoning: the data is consistent after every statement.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
