//! The heap's size, counted by an allocator. This is the allocator of each binary that has this
//! module. It counts for all threads at once.
#![allow(
    dead_code,
    reason = "each test binary uses its own part of this module"
)]
#![allow(unreachable_pub, reason = "a module of tests has no outside")]

use std::{
    alloc::System,
    sync::{Mutex, MutexGuard, PoisonError},
};

use peakmem_alloc::{PeakMemAlloc, PeakMemAllocTrait};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

/// Counts, and keeps the peak. A buffer that grows counts once, not twice, as the system moves
/// large ones without a copy.
#[global_allocator]
static ALLOCATOR: PeakMemAlloc<&StatsAlloc<System>> = PeakMemAlloc::new(&INSTRUMENTED_SYSTEM);

/// One test at a time, so that each only counts its own memory.
pub fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The bytes in use now.
pub fn held() -> isize {
    let stats = INSTRUMENTED_SYSTEM.stats();
    stats.bytes_allocated as isize - stats.bytes_deallocated as isize
}

/// The number of allocations so far, including reallocations.
pub fn allocations() -> usize {
    let stats = INSTRUMENTED_SYSTEM.stats();
    stats.allocations + stats.reallocations
}

/// Counts the peak from here on.
pub fn reset_peak() {
    ALLOCATOR.reset_peak_memory();
}

/// The peak since the last reset, compared with the bytes in use at that reset.
pub fn peak() -> usize {
    ALLOCATOR.get_peak_memory()
}
