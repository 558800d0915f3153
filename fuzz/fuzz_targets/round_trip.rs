//! Anything given to the encoder reads back as it was given, or is refused and writes nothing: no
//! type, ID, data or comment forges a field, an event or an end.
#![no_main]

use std::time::Duration;

use arbitrary::Arbitrary;
use everstream::{Event, encode};
use everstream_fuzz::{
    faces::{self, Expected},
    oracle::{self, Item, Options},
    splits::{self, Random},
};
use libfuzzer_sys::fuzz_target;

#[derive(Arbitrary, Debug)]
enum Written<'a> {
    Event {
        event: &'a str,
        data: &'a str,
        id: &'a str,
    },
    Comment(&'a str),
    Retry(Duration),
}

#[derive(Arbitrary, Debug)]
struct Input<'a> {
    seed: u64,
    written: Vec<Written<'a>>,
}

fuzz_target!(|input: Input<'_>| {
    let mut wire = Vec::new();
    let mut items = Vec::new();
    let mut last_event_id = String::new();
    for written in input.written {
        match written {
            Written::Event { event, data, id } => {
                let made = Event::new(data).with_event_type(event).with_id(id);
                let before = wire.len();
                let refused = encode::event(&made, &mut wire).is_err();
                assert_eq!(refused, [event, id].concat().contains(['\r', '\n', '\0']));
                if refused {
                    assert_eq!(wire.len(), before);
                    continue;
                }
                // An event without an ID has that of the one before it.
                if !id.is_empty() {
                    last_event_id = id.to_owned();
                }
                items.push(Item::Event(oracle::Event {
                    id: last_event_id.clone(),
                    ..faces::owned(&made)
                }));
            }
            Written::Comment(text) => {
                encode::comment(text, &mut wire);
                items.extend(
                    text.split(['\r', '\n'])
                        .map(|line| Item::Comment(line.to_owned())),
                );
            }
            Written::Retry(time) => {
                encode::retry(time, &mut wire);
                let milliseconds = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
                items.push(Item::Retry(milliseconds));
            }
        }
    }
    // The parser reads what the oracle does, and the oracle what was written.
    let options = Options::default();
    let expected = Expected::new(&wire, &options);
    let read: Vec<Item> = expected
        .outcome
        .items
        .iter()
        .map(|placed| placed.item.clone())
        .collect();
    assert_eq!(read, items);
    assert!(!expected.outcome.has_unfinished);
    expected.check(&splits::at_random(&wire, &mut Random::new(input.seed)));
});
