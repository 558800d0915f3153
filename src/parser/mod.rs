//! The parser: bytes in, events out, without I/O and without a clock.
//!
//! [`Parser`] interprets an event stream as specified in WHATWG HTML 9.2.6. All APIs of the crate
//! are thin layers over one loop over its lines, [`Parser::walk`]. It parses a text up to the next
//! item, and returns where that item's text is. The API then borrows or owns this text.
//!
//! ```text
//! chunk ─▶ feed, cursor ─▶ walk ── a whole line ───────▶ block ─▶ item
//!                            └── a line in pieces ─▶ partial ─┘
//! ```
//!
//! `Parser` and its fields are in `state`. Each other file adds the methods that its name promises.
//! A file only calls into files below it in this list:
//!
//! - `feed`, `cursor`: the borrowed and the owned API. They split a chunk into texts for `walk`: a
//!   short chunk is one text, a long one is split into windows of complete lines that are known to
//!   be UTF-8.
//! - `unfinished`: what is left at the end of a stream.
//! - `walk`: the loop over the lines of a text.
//! - `partial`: a line in pieces: its start, its continuation and its end.
//! - `block`: the lines since the last blank line, and the size limit.
//! - `lend`: borrows or owns the text of an item.
//! - `state`: the parser between two chunks.
//! - `tail`: the buffer for a line in pieces.
//! - `lines`: finding the end of a line, and decoding.
//! - `item`: the parser's output, and where its text is.
//! - `field`: the kind of a line. Only this file knows the names and the colon, except that `walk`
//!   checks for the colon of a comment itself: calling `field` for it costs `keepalive` 4% more
//!   instructions.
//! - `size`: the sizes at which the parser changes its strategy, and what each one gains.
//!
//! # Invariants
//!
//! - The data of a block is in one place ([`item::Data`]): in the text that `walk` parses,
//!   undecoded in the tail, or decoded in `Parser::data`. Data in the text must not outlive it:
//!   code that leaves the text before the block has ended calls [`Parser::buffer_data`].
//! - Every field whose line has ended is counted (`Block::admit`, `Block::count`), so a block with
//!   a count of zero has no fields.
//! - A CR ends its line immediately. An LF directly after it belongs to the same line end
//!   ([`Place::AfterCr`]).
//! - Once the limit is exceeded, the parser stays in [`Place::Failed`], and `walk` consumes
//!   nothing.
//! - However a line is split into chunks, each of its bytes is scanned only a few times.
//!
//! # For those who change it
//!
//! Count instructions before and after a change (`benches/README.md`), for all workloads and all
//! chunk sizes. What has mattered most:
//!
//! - Results are passed in registers: `walk` is inlined into the code that borrows or builds an
//!   event. Layers that pass results through memory cost 50 instructions per event.
//! - Everything next to the path of the usual event is `#[cold]`. Otherwise the compiler considers
//!   that path unlikely, because it has many branches, and does not inline the allocation of an
//!   owned event: 48 instructions.
//! - A long line must cost the same per byte in small chunks as in large ones. `tests/memory.rs`
//!   tests this.

mod block;
#[cfg(feature = "std")]
mod cursor;
mod display;
mod feed;
mod field;
mod item;
mod lend;
mod lines;
mod partial;
mod size;
mod state;
mod tail;
mod unfinished;
mod walk;

#[cfg(feature = "std")]
pub(crate) use cursor::Cursor;
#[cfg(feature = "stream")]
pub(crate) use cursor::Taken;
pub use feed::Feed;
#[cfg(feature = "stream")]
pub(crate) use field::is_field_or_comment;
#[cfg(feature = "stream")]
pub(crate) use item::EventAt;
pub(crate) use item::{Aside, Step, Want};
pub use item::{EventTooLarge, Item, Oversized, Skipped};
pub(crate) use lines::Text;
pub use state::Parser;
use state::Place;

#[cfg(test)]
mod tests;
