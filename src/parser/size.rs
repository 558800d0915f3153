//! The sizes at which the parser changes its strategy, and what each one gains (`benches/README.md`
//! says how it was measured). Sizes without figures are not about speed.

/// A comment is kept up to this many bytes after its colon. This is part of the public API.
pub(super) const MAX_COMMENT_BYTES: usize = 64 * 1024;

/// From this many bytes on, the kind of a line is known, including the space after `data:`.
pub(super) const DECIDED: usize = 6;

/// From this many bytes on, a buffer grows by a fifth, and is moved to its event rather than
/// copied. So a large event takes 1.25 times its size instead of twice.
pub(super) const LARGE: usize = 16 * 1024;

/// This much is scanned several times while it stays in the L1 cache. Validating it as UTF-8 at
/// once reduces an event of 250 bytes in an `EventStream` from 1057 instructions to 831.
pub(super) const WINDOW: usize = 16 * 1024;

/// Chunks shorter than this are not split into windows: in chunks of 64 bytes, `openai` takes
/// 93 ns instead of 120.
pub(super) const WORTH_A_WINDOW: usize = 256;

/// Anything shorter than this is not copied into a window, nor is a chunk that is a single
/// event: an event of 1 KiB in its own HTTP chunk takes 5577 instructions instead of 6154.
#[cfg(feature = "std")]
pub(super) const WORTH_A_COPY: usize = 1024;

/// Data shorter than this is kept undecoded, and decoded once: in chunks of 1 byte, `openai`
/// takes half the instructions.
pub(super) const SPILL: usize = 1024;

/// How many times eight bytes are searched for a line end before `memchr` is called. The second
/// time makes `keepalive` 22% faster, and costs 12 instructions for a longer line.
pub(super) const LOOKS: usize = 2;

/// Up to this many bytes in the middle of a line are searched 32 at a time: 64 bytes take 4 ns,
/// instead of 7 with `memchr`.
pub(super) const LONG_PIECE: usize = 128;

/// Below this, the standard library validates UTF-8 as fast as SIMD does.
pub(super) const WORTH_SIMD: usize = 64;
