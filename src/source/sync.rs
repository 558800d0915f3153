//! The locks used by handles. The model check in `tests/handle_model.rs` replaces them with loom's.

pub(super) use std::sync::{Arc, Mutex, MutexGuard};
