//! The locks that handles share. The model check in `tests/handle_model.rs` puts loom's here.

pub(super) use std::sync::{Arc, Mutex, MutexGuard};
