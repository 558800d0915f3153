//! Any stream in any chunks: every face of the parser agrees with the tests' oracle, item by item
//! and at the byte where each is due, and so does the limit.
//!
//! The input is a header of [`HEADER`] bytes and the stream.
#![no_main]

use std::borrow::Cow;

use everstream_fuzz::{
    faces::{Expected, Face},
    oracle::Options,
    splits::{self, Random},
    with_runtime,
};
use libfuzzer_sys::{Corpus, fuzz_target};

/// Limit, flags, padding and longest chunk, and the seed of the splits.
const HEADER: usize = 4;

/// Who reads the stream, after the faces of the parser itself.
const READER: usize = Face::ALL.len();
const STREAM: usize = READER + 1;
const SIGNALS: usize = READER + 2;

fuzz_target!(|input: &[u8]| -> Corpus {
    let Some((header, stream)) = input.split_first_chunk::<HEADER>() else {
        return Corpus::Reject;
    };
    let [limit, flags, layout, seed] = *header;
    let options = Options {
        last_event_id: if flags & 2 == 0 {
            String::new()
        } else {
            "41".to_owned()
        },
        // 0 is the default limit; a small one is what streams this short can reach.
        max_event_bytes: match limit {
            0 => Options::default().max_event_bytes,
            limit => usize::from(limit) - 1,
        },
        skip_oversized: flags & 1 == 1,
    };
    let wire = padded(stream, layout >> 4);
    let wire = wire.as_ref();
    let expected = Expected::new(wire, &options);
    // From single bytes to all in one: large chunks are looked at in another way.
    let longest = 1 << (layout % 16);
    let mut random = Random::new(u64::from(seed));
    let mut lengths = Vec::new();
    let mut total = 0;
    while total < wire.len() {
        lengths.push(random.below(longest + 1));
        total += lengths[lengths.len() - 1];
    }
    let chunks = splits::by_lengths(wire, lengths);
    // One face at a time: the fuzzer takes all of them soon enough.
    match usize::from(flags >> 3) % (SIGNALS + 1) {
        READER => expected.check_reader(&chunks),
        STREAM if options.last_event_id.is_empty() => {
            with_runtime(|runtime| runtime.block_on(expected.check_stream(&chunks)));
        }
        SIGNALS if options.last_event_id.is_empty() => {
            with_runtime(|runtime| runtime.block_on(expected.check_signals(&chunks)));
        }
        face => {
            let face = Face::ALL[face % Face::ALL.len()];
            if flags & 4 == 0 {
                expected.check_face(face, &chunks);
            } else {
                expected.check_face_reconnection(face, &chunks);
            }
        }
    }
    Corpus::Keep
});

/// The stream between comments that make a large chunk of it: the streams of a fuzzer are shorter
/// than what is looked at as a whole (256 bytes), or copied where the chunk is kept (1024).
fn padded(stream: &[u8], padding: u8) -> Cow<'_, [u8]> {
    let length = if padding & 4 == 0 { 300 } else { 1100 };
    let comment = || [b":".as_slice(), &[b'x'].repeat(length), b"\n"].concat();
    match padding & 3 {
        0 => Cow::Borrowed(stream),
        1 => [stream, &comment()].concat().into(),
        2 => [&comment(), stream].concat().into(),
        _ => [&comment(), stream, &comment()].concat().into(),
    }
}
