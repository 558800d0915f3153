//! A last look at a stream that is done with.
//!
//! A body that has ended gives its connection back if it is asked once more. The stream that is
//! asked may be any, however it is wrapped, and one that reconnects must not take the look for a
//! wish to go on: it would send a request for which nobody waits. Nor does the look take anything
//! out of it, as it may be lent, and read on by its owner.

use std::cell::Cell;

thread_local! {
    static LOOKING: Cell<bool> = const { Cell::new(false) };
}

/// Polls a stream that nobody here will poll again.
pub(crate) fn last_look<R>(poll: impl FnOnce() -> R) -> R {
    /// A panic on the way must not leave the mark behind.
    struct Unmark(bool);
    impl Drop for Unmark {
        fn drop(&mut self) {
            LOOKING.set(self.0);
        }
    }
    let _unmark = Unmark(LOOKING.replace(true));
    poll()
}

/// Whether this poll is such a look.
pub(crate) fn is_last() -> bool {
    LOOKING.get()
}
