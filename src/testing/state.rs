//! What the server's thread and the test that owns it share.

use std::any::Any;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use super::request::Request;

/// What has happened so far.
#[derive(Debug, Default)]
pub(super) struct State {
    /// What the test may wait for.
    pub(super) counts: watch::Sender<Counts>,
    requests: Mutex<Vec<Request>>,
    faults: Mutex<Faults>,
}

/// What has been counted so far.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counts {
    pub(super) requests: usize,
    pub(super) accepted: usize,
    pub(super) open: usize,
}

/// What should not have happened.
#[derive(Debug, Default)]
struct Faults {
    /// Requests that were not as expected.
    complaints: Vec<String>,
    /// Panics of the handler, or of the server itself.
    panics: Vec<String>,
}

impl State {
    /// Numbers and remembers a request.
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

    /// Remembers a panic; returns what it said.
    pub(super) fn add_panic(&self, whose: &str, payload: &(dyn Any + Send)) -> String {
        let text = payload.downcast_ref::<&str>().copied();
        let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
        let panic = format!("{whose} panicked: {}", text.unwrap_or("(not a text)"));
        lock(&self.faults).panics.push(panic.clone());
        panic
    }

    /// The panics since the last call.
    pub(super) fn take_panics(&self) -> Vec<String> {
        std::mem::take(&mut lock(&self.faults).panics)
    }

    pub(super) fn complaints(&self) -> Vec<String> {
        lock(&self.faults).complaints.clone()
    }
}

/// A lock that a panic elsewhere does not spoil: what it guards is whole after every statement.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
