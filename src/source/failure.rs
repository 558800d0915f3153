//! [`Failure`]: the argument of `retry_when`.

use super::{Retry, session::is_no_content};
use crate::{
    error::{Error, ErrorKind},
    transport::MaybeSend,
};

/// A failure that [`retry_when`](crate::EventSourceBuilder::retry_when) decides about.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Failure<'a> {
    error: &'a Error,
    attempt: u64,
    failures: u32,
    ended_cleanly: bool,
}

impl<'a> Failure<'a> {
    /// Returns the error. If the server refused the request, it holds the status and the headers.
    ///
    /// After a [clean end](Self::ended_cleanly), this is an error of kind
    /// [`ErrorKind::Incomplete`].
    #[must_use]
    pub fn error(&self) -> &'a Error {
        self.error
    }

    /// Returns the number of the source's request that failed, starting with 1.
    #[must_use]
    pub fn attempt(&self) -> u64 {
        self.attempt
    }

    /// Returns the number of failures in a row, including this one. It is 0 after a clean end with
    /// progress.
    #[must_use]
    pub fn failures(&self) -> u32 {
        self.failures
    }

    /// Returns whether the server ended the response cleanly, between two events. Only `true` with
    /// [`retry_on_end`](crate::EventSourceBuilder::retry_on_end).
    #[must_use]
    pub fn ended_cleanly(&self) -> bool {
        self.ended_cleanly
    }
}

#[cfg(not(all(target_arch = "wasm32", target_os = "unknown")))]
type Advise = Box<dyn FnMut(&Failure<'_>) -> Retry + Send>;
#[cfg(all(target_arch = "wasm32", target_os = "unknown"))]
type Advise = Box<dyn FnMut(&Failure<'_>) -> Retry>;

/// The user's `retry_when` closure.
pub(super) struct RetryWhen {
    advise: Advise,
    pub(super) on_end: bool,
}

/// The parts of a loss that the closure can see.
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
            // A 204 is a command of the server, not a failure.
            Some(error) if is_no_content(error) => return Retry::Default,
            Some(error) => error,
            None if !self.on_end => return Retry::Default,
            None => {
                ended =
                    Error::of(ErrorKind::Incomplete).and_message("the server ended the response");
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
