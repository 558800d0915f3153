//! Anything given to the encoder reads back as it was given, or is refused and writes nothing: no
//! type, ID, data or comment forges a field, an event or an end. And anything that was parsed can be
//! encoded, and reads back the same.
#![no_main]

use std::time::Duration;

use arbitrary::Arbitrary;
use everstream::Event;
use everstream_fuzz::{
    faces::Expected,
    oracle::Options,
    pass_through::{self, Written},
    splits::{self, Random},
};
use libfuzzer_sys::fuzz_target;

#[derive(Arbitrary, Debug)]
enum Given<'a> {
    Event {
        event: &'a str,
        data: &'a str,
        id: &'a str,
    },
    Id(&'a str),
    Comment(&'a str),
    Retry(Duration),
}

#[derive(Arbitrary, Debug)]
struct Input<'a> {
    seed: u64,
    keeps_id: bool,
    given: Vec<Given<'a>>,
    client_id: &'a str,
    skip_oversized: bool,
    max_event_bytes: u8,
    parsed: &'a [u8],
}

fuzz_target!(|input: Input<'_>| {
    let mut random = Random::new(input.seed);
    let mut written = Written::new(input.keeps_id);
    for given in input.given {
        match given {
            Given::Event { event, data, id } => {
                written.event(&Event::new(data).with_event_type(event).with_id(id));
            }
            Given::Id(id) => written.id(id),
            Given::Comment(text) => written.comment(text),
            Given::Retry(time) => written.retry(time),
        }
    }
    // The parser reads what the oracle does, and what was written.
    let (wire, options) = (&written.wire, Options::default());
    let chunks = splits::at_random(wire, &mut random);
    Expected::new(wire, &options).check(&chunks);
    assert_eq!(pass_through::read(&chunks, &options), written.expected);

    let options = Options {
        // What the parser is started with is the user's, who may be wrong; a client is not.
        last_event_id: input.client_id.replace(['\r', '\n', '\0'], ""),
        max_event_bytes: match input.max_event_bytes {
            0..128 => options.max_event_bytes,
            small => usize::from(small - 128),
        },
        skip_oversized: input.skip_oversized,
    };
    pass_through::check(&splits::at_random(input.parsed, &mut random), &options);
});
