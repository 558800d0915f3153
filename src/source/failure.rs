//! What `retry_when` is asked about.

use super::{Retry, session::is_no_content};
use crate::{
    error::{Error, ErrorKind},
    transport::MaybeSend,
};

/// What [`retry_when`](crate::EventSourceBuilder::retry_when) is asked about.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Failure<'a> {
    error: &'a Error,
    attempt: u64,
    failures: u32,
    ended_cleanly: bool,
}

impl<'a> Failure<'a> {
    /// What failed, with status and headers where the server refused.
    ///
    /// After a [clean end](Self::ended_cleanly) it is one of kind [`ErrorKind::Incomplete`] that
    /// says so.
    #[must_use]
    pub fn error(&self) -> &'a Error {
        self.error
    }

    /// Which request of the source it was, from 1.
    #[must_use]
    pub fn attempt(&self) -> u64 {
        self.attempt
    }

    /// How many failures in a row this makes. It is 0 after a clean end with progress.
    #[must_use]
    pub fn failures(&self) -> u32 {
        self.failures
    }

    /// Whether the server ended the response as it should, between two events. It is only asked
    /// about with [`retry_on_end`](crate::EventSourceBuilder::retry_on_end).
    #[must_use]
    pub fn ended_cleanly(&self) -> bool {
        self.ended_cleanly
    }
}

#[cfg(not(all(target_arch = "wasm32", target_os = "unknown")))]
type Advise = Box<dyn FnMut(&Failure<'_>) -> Retry + Send>;
#[cfg(all(target_arch = "wasm32", target_os = "unknown"))]
type Advise = Box<dyn FnMut(&Failure<'_>) -> Retry>;

/// The user's word on failures.
pub(super) struct RetryWhen {
    advise: Advise,
    pub(super) on_end: bool,
}

/// A loss, as far as the user is asked about it.
#[derive(Clone, Copy)]
pub(super) struct Ask<'a> {
    pub(super) error: Option<&'a Error>,
    pub(super) attempt: u64,
    pub(super) failures: u32,
}

impl RetryWhen {
    pub(super) fn new(advise: impl FnMut(&Failure<'_>) -> Retry + MaybeSend + 'static) -> Self {
        Self {
            advise: Box::new(advise),
            on_end: false,
        }
    }

    pub(super) fn ask(&mut self, ask: Ask<'_>) -> Retry {
        let ended;
        let error = match ask.error {
            // A 204 is the server's word, not a failure.
            Some(error) if is_no_content(error) => return Retry::Default,
            Some(error) => error,
            None if !self.on_end => return Retry::Default,
            None => {
                ended = Error::of(ErrorKind::Incomplete).and_message("the response has ended");
                &ended
            }
        };
        (self.advise)(&Failure {
            error,
            attempt: ask.attempt,
            failures: ask.failures,
            ended_cleanly: ask.error.is_none(),
        })
    }
}
