//! What more than one fuzz target needs: the oracle of the tests and what holds the parser against
//! it, the very same files, and a runtime.

#[path = "../../tests/support/executor.rs"]
pub mod executor;
#[path = "../../tests/support/faces.rs"]
pub mod faces;
#[path = "../../tests/oracle/mod.rs"]
pub mod oracle;
#[path = "../../tests/support/pass_through.rs"]
pub mod pass_through;
#[path = "../../tests/support/reader.rs"]
pub mod reader;
pub mod server;
#[path = "../../tests/support/splits.rs"]
pub mod splits;
#[path = "../../tests/support/streams.rs"]
pub mod streams;
#[path = "../../tests/support/vectors.rs"]
pub mod vectors;

use std::cell::LazyCell;

use tokio::runtime::Runtime;

thread_local! {
    static RUNTIME: LazyCell<Runtime> = LazyCell::new(streams::runtime);
}

/// Lends the thread's runtime, which has a timer.
pub fn with_runtime<T>(run: impl FnOnce(&Runtime) -> T) -> T {
    RUNTIME.with(|runtime| run(runtime))
}
