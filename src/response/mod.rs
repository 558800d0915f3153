//! One response: whether it is an event stream, its body through the parser, and how long to wait
//! for it.
//!
//! What [`EventStream`](crate::EventStream) and [`EventSource`](crate::EventSource) share. An
//! [`Opening`] turns a request under way into a body, or into the error that tells what the server
//! said instead. [`Events`] reads the body.

mod accepted;
mod content_type;
mod events;
mod limits;
mod opening;
mod prelude;
mod retry_after;
mod verdict;

pub(crate) use accepted::Accepted;
pub use content_type::ContentType;
pub(crate) use events::Events;
pub(crate) use limits::{Limits, Progress, Waiting};
pub(crate) use opening::Opening;
