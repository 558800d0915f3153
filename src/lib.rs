//! skeleton
#![cfg_attr(not(feature = "std"), no_std)]
extern crate alloc;
pub mod encode;
mod event;
#[cfg(feature = "json")]
mod json;
mod parser;
pub use event::{Event, EventRef};
#[cfg(feature = "json")]
pub use json::JsonError;
pub use parser::{EventTooLarge, Feed, Item, Oversized, Parser, Skipped};
#[cfg(all(feature = "testing", not(target_arch = "wasm32")))]
#[cfg_attr(docsrs, doc(cfg(feature = "testing")))]
pub mod testing;
