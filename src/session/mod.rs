//! When to connect, wait and give up: without I/O, and without a clock.
//!
//! ```text
//! Start ──connect──▶ Connecting ──accepted──▶ Open ──end of body / failure──▶ Waiting ──▶ Start
//!                        │   └──failed, worth retrying──────────────────────────▲
//!                        └──refused for good──▶ Closed ◀── close(), 204, limits used up ──┘
//! ```
//!
//! [`Session`] knows when. What a response means is `verdict`'s, and how long to wait is
//! `backoff`'s. Time comes in as an argument, counted from any fixed moment, and a deadline goes
//! out.

#[cfg(feature = "client")]
mod backoff;
#[cfg(feature = "client")]
mod machine;
#[cfg(all(test, feature = "client"))]
mod tests;
mod verdict;

#[cfg(feature = "client")]
pub use crate::transport::Cause;
#[cfg(feature = "client")]
pub use backoff::Backoff;
#[cfg(feature = "client")]
pub use machine::{Decision, Loss, ReadyState, Retry, Rules, Session, State, Time};
pub use verdict::ContentType;
#[cfg(feature = "client")]
pub(crate) use verdict::is_no_content;
pub(crate) use verdict::{refusal, retry_after};
