//! Ways to cut a stream into chunks.
#![allow(
    dead_code,
    reason = "each test binary uses its own part of this module"
)]
#![allow(unreachable_pub, reason = "a module of tests has no outside")]

/// One chunk.
pub fn whole(wire: &[u8]) -> Vec<&[u8]> {
    vec![wire]
}

/// One chunk per byte.
pub fn bytewise(wire: &[u8]) -> Vec<&[u8]> {
    wire.chunks(1).collect()
}

/// Chunks of the lengths given, the rest as one more.
pub fn by_lengths(mut wire: &[u8], lengths: impl IntoIterator<Item = usize>) -> Vec<&[u8]> {
    let mut chunks = Vec::new();
    for length in lengths {
        let (chunk, rest) = wire.split_at(length.min(wire.len()));
        chunks.push(chunk);
        wire = rest;
    }
    if !wire.is_empty() {
        chunks.push(wire);
    }
    chunks
}

/// Every way to cut in two, empty parts included.
pub fn in_two(wire: &[u8]) -> impl Iterator<Item = Vec<&[u8]>> {
    (0..=wire.len()).map(|cut| vec![&wire[..cut], &wire[cut..]])
}

/// Every way to cut in three, empty parts included.
pub fn in_three(wire: &[u8]) -> impl Iterator<Item = Vec<&[u8]>> {
    (0..=wire.len()).flat_map(move |first| {
        (first..=wire.len())
            .map(move |second| vec![&wire[..first], &wire[first..second], &wire[second..]])
    })
}

/// Random, but the same for the same seed: mostly short chunks, some long, some empty.
pub fn at_random<'a>(mut wire: &'a [u8], random: &mut Random) -> Vec<&'a [u8]> {
    let mut chunks = Vec::new();
    let longest = 1 << random.below(12);
    while !wire.is_empty() {
        let length = random.below(longest + 1).min(wire.len());
        chunks.push(&wire[..length]);
        wire = &wire[length..];
    }
    chunks
}

/// Numbers that look random (Knuth's MMIX generator), for tests that are the same each time.
#[derive(Debug)]
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number less than `bound`, which is not zero.
    pub fn below(&mut self, bound: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % bound
    }
}
