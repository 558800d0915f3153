//! The parsers that are measured, all behind one face.
//!
//! Each file holds one kind: [`ours`] is everstream, [`peers`] the other crates, [`limits`] what no
//! parser can beat. Everyone gets chunks in the form it likes best: borrowed slices where it takes
//! them, reference-counted [`Bytes`] where it insists on owning, at about 10 ns each. Streams of
//! events, ours and theirs, get [`Bytes`], as they do from HTTP.

use std::{
    convert::Infallible,
    fmt,
    hint::black_box,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::{Duration, Instant},
};

use bytes::Bytes;
use futures_util::Stream;

use crate::workloads::{Digest, Framing, Input, Workload};

pub mod limits;
pub mod ours;
pub mod peers;

/// Why a contender was not timed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// It found other events than there are, or none, or stopped with an error.
    Wrong(String),
    /// It was not through its input when its time was up.
    Slow(Duration),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Wrong(why) => write!(f, "wrong: {why}"),
            Self::Slow(limit) => write!(f, "not done in {} s", limit.as_secs_f64()),
        }
    }
}

/// Where a contender's events go.
pub trait Sink {
    /// Takes one event.
    fn event(&mut self, event: &str, data: &str, id: &str);
}

impl Sink for Digest {
    fn event(&mut self, event: &str, data: &str, id: &str) {
        Self::event(self, event, data, id);
    }
}

/// Counts events and looks at nothing in them, but has each made whole: what is timed.
#[derive(Debug, Default)]
struct Tally {
    events: u64,
}

impl Sink for Tally {
    #[inline]
    fn event(&mut self, event: &str, data: &str, id: &str) {
        black_box((event, data, id));
        self.events += 1;
    }
}

/// A parser as it is driven here.
trait Drive {
    /// Parses all of `chunks` and puts every event into `sink`.
    fn drive<S: Sink>(chunks: Chunks<'_>, sink: &mut S) -> Result<(), String>;
}

/// What a contender is to the comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// everstream's borrowed events.
    Borrowed,
    /// everstream's owned events.
    Owned,
    /// everstream's faces over a source of bytes.
    Face,
    /// Another crate's parser, in the form in which it is fastest: fed by its user, or polled over
    /// borrowed chunks.
    Parser,
    /// Another crate's stream of events over a stream of `Bytes`, as a transport gives them.
    Stream,
    /// What no parser can beat.
    Limit,
}

impl Role {
    /// Whether it is everstream.
    #[must_use]
    pub fn is_ours(self) -> bool {
        matches!(self, Self::Borrowed | Self::Owned | Self::Face)
    }

    /// Whether it is a peer that everstream in the form `ours` is held against: a parser against
    /// all of them, a face over a source of bytes against those that are one.
    #[must_use]
    pub fn rivals(self, ours: Self) -> bool {
        match ours {
            Self::Face => self == Self::Stream,
            _ => matches!(self, Self::Parser | Self::Stream),
        }
    }

    /// Whether it can wait for a chunk.
    #[must_use]
    pub fn waits(self) -> bool {
        matches!(self, Self::Face | Self::Stream)
    }
}

/// One parser, ready to be checked and timed.
#[derive(Clone, Copy)]
pub struct Contender {
    /// Its row in the tables.
    pub name: &'static str,
    /// What it is to the comparison.
    pub role: Role,
    run: fn(Chunks<'_>) -> Result<u64, String>,
    check: fn(Chunks<'_>, &Workload) -> Result<(), String>,
}

impl fmt::Debug for Contender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Contender")
            .field("name", &self.name)
            .field("role", &self.role)
            .finish_non_exhaustive()
    }
}

impl Contender {
    fn parser<D: Drive>(name: &'static str, role: Role) -> Self {
        Self {
            name,
            role,
            run: |chunks| {
                let mut tally = Tally::default();
                D::drive(chunks, &mut tally)?;
                Ok(tally.events)
            },
            check: |chunks, workload| {
                let mut digest = Digest::default();
                D::drive(chunks, &mut digest)?;
                if digest.events != workload.expected.events {
                    let (found, right) = (digest.events, workload.expected.events);
                    return Err(format!("{found} events instead of {right}"));
                }
                if digest != workload.expected {
                    return Err("as many events, but others".into());
                }
                Ok(())
            },
        }
    }

    /// All contenders, in the order of the tables.
    #[must_use]
    pub fn all() -> Vec<Self> {
        [ours::all(), peers::all(), limits::all()].concat()
    }

    /// Parses the workload in these chunks and compares every event with what is right.
    ///
    /// # Errors
    ///
    /// What it got wrong, or that it was not done after `limit`.
    pub fn check(
        &self,
        workload: &Workload,
        chunk: Framing,
        limit: Duration,
    ) -> Result<(), Failure> {
        let fuse = Fuse::new(limit);
        let result = (self.check)(Chunks::new(&workload.input, chunk, Some(&fuse)), workload);
        if fuse.blown() {
            return Err(Failure::Slow(limit));
        }
        result.map_err(Failure::Wrong)
    }

    /// Parses the input in these chunks and says how many events there were.
    ///
    /// # Errors
    ///
    /// What the parser said.
    // Not inlined: `instructions` counts from where this function is entered to where it is left.
    #[inline(never)]
    pub fn run(&self, input: &Input, chunk: Framing) -> Result<u64, String> {
        (self.run)(Chunks::new(input, chunk, None))
    }

    /// As [`run`](Self::run), but gives up after `limit`.
    ///
    /// # Errors
    ///
    /// What the parser said, or that it was not done after `limit`.
    pub fn run_within(
        &self,
        input: &Input,
        chunk: Framing,
        limit: Duration,
    ) -> Result<u64, Failure> {
        let fuse = Fuse::new(limit);
        let result = (self.run)(Chunks::new(input, chunk, Some(&fuse)));
        if fuse.blown() {
            return Err(Failure::Slow(limit));
        }
        result.map_err(Failure::Wrong)
    }
}

/// Ends a stream of chunks when time is up: some peers take hours on a long line in small chunks.
#[derive(Debug, Clone)]
struct Fuse {
    until: Instant,
    blown: Arc<std::sync::atomic::AtomicBool>,
}

impl Fuse {
    fn new(limit: Duration) -> Self {
        Self {
            until: Instant::now() + limit,
            blown: Arc::default(),
        }
    }

    fn blown(&self) -> bool {
        self.blown.load(std::sync::atomic::Ordering::Relaxed)
    }

    #[cold]
    fn burn(&self) -> bool {
        let blown = Instant::now() > self.until;
        self.blown
            .store(blown, std::sync::atomic::Ordering::Relaxed);
        blown
    }
}

/// An input and how it is cut.
#[derive(Debug, Clone, Copy)]
struct Chunks<'a> {
    input: &'a Input,
    framing: Framing,
    fuse: Option<&'a Fuse>,
}

impl<'a> Chunks<'a> {
    fn new(input: &'a Input, framing: Framing, fuse: Option<&'a Fuse>) -> Self {
        Self {
            input,
            framing,
            fuse,
        }
    }

    /// The chunks, borrowed.
    fn slices(self) -> impl Iterator<Item = &'a [u8]> {
        let cuts = Cuts::new(self);
        cuts.map(|(from, to)| &self.input[from..to])
    }

    /// The chunks, each sharing in the input.
    fn bytes(self) -> impl Iterator<Item = Bytes> + Send + Sync + 'static {
        let input = Bytes::clone(self.input);
        let cuts = Cuts::new(self);
        cuts.map(move |(from, to)| input.slice(from..to))
    }

    /// The chunks as they come from a transport: shared, and waited for where they should be.
    fn stream(self) -> Arriving<impl Iterator<Item = Bytes> + Send + Sync + 'static> {
        Arriving {
            chunks: self.bytes(),
            is_waited_for: self.framing == Framing::Waited,
            was_missed: false,
        }
    }
}

/// Chunks that have come, or that come when they were asked for once in vain.
struct Arriving<I> {
    chunks: I,
    is_waited_for: bool,
    was_missed: bool,
}

impl<I: Iterator<Item = Bytes> + Unpin> Stream for Arriving<I> {
    type Item = Result<Bytes, Infallible>;

    #[inline]
    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.is_waited_for {
            self.was_missed = !self.was_missed;
            if self.was_missed {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
        }
        Poll::Ready(self.chunks.next().map(Ok))
    }
}

/// Where the chunks begin and end.
struct Cuts {
    from: usize,
    length: usize,
    size: usize,
    /// Where the blocks end, if they are the chunks, and how many are passed.
    blocks: Option<(Arc<[usize]>, usize)>,
    /// How many more chunks until the fuse is looked at. A clock read for every chunk would be
    /// most of the time where chunks are small.
    countdown: u64,
    fuse: Option<Fuse>,
}

impl Cuts {
    const EVERY: u64 = 64;

    fn new(chunks: Chunks<'_>) -> Self {
        let Chunks {
            input,
            framing,
            fuse,
        } = chunks;
        Self {
            from: 0,
            length: input.len(),
            size: match framing {
                Framing::Bytes(size) => size,
                Framing::Blocks | Framing::Waited => input.len(),
            },
            blocks: match framing {
                Framing::Bytes(_) => None,
                Framing::Blocks | Framing::Waited => Some((Arc::clone(&input.blocks), 0)),
            },
            countdown: if fuse.is_some() {
                Self::EVERY
            } else {
                u64::MAX
            },
            fuse: fuse.cloned(),
        }
    }

    #[cold]
    fn burn(&mut self) -> bool {
        self.countdown = Self::EVERY;
        self.fuse.as_ref().is_some_and(Fuse::burn)
    }
}

impl Iterator for Cuts {
    type Item = (usize, usize);

    #[inline]
    fn next(&mut self) -> Option<(usize, usize)> {
        if self.from == self.length {
            return None;
        }
        self.countdown -= 1;
        if self.countdown == 0 && self.burn() {
            return None;
        }
        let from = self.from;
        self.from = match &mut self.blocks {
            None => self.length.min(from + self.size),
            Some((blocks, passed)) => {
                *passed += 1;
                blocks.get(*passed - 1).copied().unwrap_or(self.length)
            }
        };
        Some((from, self.from))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{options::FRAMINGS, workloads::NAMES};

    /// Long enough that only a parser that hangs passes it.
    const PATIENCE: Duration = Duration::from_secs(60);

    #[test]
    fn cuts_cover_the_input_once() {
        let input = Input::from(Bytes::from_static(b"0123456789"));
        for size in [1, 3, 10, 11] {
            let chunks = Chunks::new(&input, Framing::Bytes(size), None);
            assert_eq!(chunks.slices().collect::<Vec<_>>().concat(), &input[..]);
            let shared = chunks.bytes().collect::<Vec<_>>();
            assert_eq!(shared.concat(), &input[..]);
            assert!(shared.iter().all(|chunk| chunk.len() <= size));
        }
    }

    #[test]
    fn a_blown_fuse_is_told() {
        let workload = Workload::named("tiny", 10_000).expect("a known name");
        for contender in [ours::all(), peers::all()].concat() {
            let result = contender.check(&workload, Framing::Bytes(1), Duration::ZERO);
            assert_eq!(result, Err(Failure::Slow(Duration::ZERO)), "{contender:?}");
        }
    }

    #[test]
    fn another_stream_is_told() {
        let mut workload = Workload::named("openai", 10_000).expect("a known name");
        workload.expected = Workload::named("openai", 20_000)
            .expect("a known name")
            .expected;
        for contender in [ours::all(), peers::all()].concat() {
            let result = contender.check(&workload, Framing::Bytes(1460), PATIENCE);
            assert!(matches!(result, Err(Failure::Wrong(_))), "{contender:?}");
        }
    }

    #[test]
    fn ours_and_the_limits_are_right_in_every_cell() {
        for name in NAMES {
            let workload = Workload::named(name, 20_000).expect("a known name");
            for chunk in FRAMINGS {
                for contender in [ours::all(), limits::all()].concat() {
                    let result = contender.check(&workload, chunk, PATIENCE);
                    assert_eq!(result, Ok(()), "{contender:?}, {name}, {chunk:?}");
                }
            }
        }
    }

    #[test]
    fn no_peer_is_driven_wrong() {
        for name in NAMES {
            let workload = Workload::named(name, 20_000).expect("a known name");
            for chunk in [Framing::Bytes(16 << 10), Framing::Blocks, Framing::Waited] {
                for contender in peers::all() {
                    let result = contender.check(&workload, chunk, PATIENCE);
                    assert_eq!(result, Ok(()), "{contender:?}, {name}, {chunk:?}");
                }
            }
        }
    }
}
