//! Handles one response: checks whether it is an event stream, parses its body, and enforces time
//! limits.
//!
//! [`EventStream`](crate::EventStream) and [`EventSource`](crate::EventSource) share this code. An
//! [`Opening`] turns a request under way into a body, or into an error with the server's response.
//! [`Events`] reads the body.

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
