//! Ten thousand cuts: whatever happens between a server that numbers its events and the client,
//! every event is seen once, in order, and memory stays flat.
//!
//! `proxy` puts the chaos between two implementations of HTTP, in virtual time. In `sockets`, the
//! server cuts connections over real sockets. The seeds are fixed, so that a failure can be
//! reproduced.

#[path = "../support/heap.rs"]
mod heap;
#[path = "../support/numbered.rs"]
mod numbered;
mod proxy;
mod sockets;
#[path = "../support/splits.rs"]
mod splits;

const CUTS: u64 = 10_000;

/// The memory is checked after this many cuts.
const WINDOW: u64 = 1_000;

/// How much more memory may be in use after ten thousand cuts than after the first two thousand:
/// three bytes per cut.
const MARGIN: isize = 24 * 1024;

/// How much more memory the peak may be: a few connections and their buffers.
const PEAK: usize = 1024 * 1024;

/// The memory of a long run: the minimum in each window, which would rise with a leak, and the
/// peak.
#[derive(Debug)]
struct Memory {
    before: isize,
    least: Vec<isize>,
    peaks: Vec<usize>,
    next: u64,
}

impl Memory {
    fn new() -> Self {
        heap::reset_peak();
        Self {
            before: heap::held(),
            least: vec![isize::MAX],
            peaks: Vec::new(),
            next: WINDOW,
        }
    }

    /// Checks it after this many cuts.
    fn look(&mut self, cuts: u64) {
        let now = heap::held() - self.before;
        if let Some(least) = self.least.last_mut() {
            *least = now.min(*least);
        }
        if cuts >= self.next {
            self.next += WINDOW;
            self.peaks.push(heap::peak());
            self.least.push(isize::MAX);
        }
    }

    #[track_caller]
    fn verify(mut self, what: &str) {
        self.least.pop();
        eprintln!("{what}: least held {:?}, peak {:?}", self.least, self.peaks);
        let grown = self.least[self.least.len() - 1] - self.least[1];
        assert!(grown < MARGIN, "{what}: {grown} bytes more");
        let peak = self.peaks[self.peaks.len() - 1];
        assert!(peak < PEAK, "{what}: {peak} bytes at the peak");
    }
}
