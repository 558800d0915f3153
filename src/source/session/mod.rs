//! Decides when to connect, wait and give up, without I/O and without a clock.
//!
//! ```text
//! Start ──connect──▶ Connecting ──accepted──▶ Open ──end of body / failure──▶ Waiting ──▶ Start
//!                        │   └──failed, worth retrying──────────────────────────▲
//!                        └──refused for good──▶ Closed ◀── close(), 204, limits used up ──┘
//! ```
//!
//! [`Session`] is the state machine. `verdict` classifies failures, and `backoff` calculates
//! delays. Time is an argument, counted from any fixed moment; deadlines are return values.

mod backoff;
mod machine;
#[cfg(test)]
mod tests;
mod verdict;

pub use backoff::Backoff;
pub use machine::{Decision, Loss, ReadyState, Retry, Rules, Session, State, Time};
pub(super) use verdict::is_no_content;
