//! The oracle itself agrees with the vectors written by hand, and with Chromium.

mod oracle;
mod support;

use oracle::{Item, Options, Unfinished};
use proptest::prelude::*;
use support::{chromium, vectors};

#[test]
fn agrees_with_the_vectors() {
    let vectors = vectors::all();
    assert!(
        vectors.len() >= 300,
        "the files are read: {}",
        vectors.len()
    );
    for vector in &vectors {
        let name = &vector.name;
        let outcome = oracle::read(&vector.wire, &vector.options);
        let (unfinished, _) = oracle::dispatch_unfinished(&vector.wire, &vector.options, &outcome);
        let items: Vec<Item> = outcome
            .items
            .into_iter()
            .map(|placed| placed.item)
            .collect();
        assert_eq!(items, vector.items, "{name}");
        assert_eq!(outcome.exceeded, vector.exceeded, "{name}");
        assert_eq!(outcome.last_event_id, vector.last_event_id, "{name}");
        assert_eq!(
            outcome.reconnection_time, vector.reconnection_time,
            "{name}"
        );
        assert_eq!(
            outcome.has_unfinished,
            vector.unfinished.is_some(),
            "{name}"
        );
        let nothing = Unfinished::Nothing;
        let expected = vector.unfinished.as_ref().unwrap_or(&nothing);
        assert_eq!(&unfinished, expected, "{name}");
    }
}

#[test]
fn agrees_with_chromium() {
    for record in chromium::all() {
        let outcome = oracle::read(&record.wire, &Options::default());
        assert_eq!(outcome.events(), record.events, "stream {}", record.number);
        let agrees = record.agrees(&outcome.last_event_id, outcome.reconnection_time);
        assert_eq!(agrees, Ok(()), "stream {}", record.number);
    }
}

proptest! {
    /// The oracle splits lines before it decodes them. Decoding the whole stream first gives the same.
    #[test]
    fn decoding_lines_equals_decoding_the_stream(wire in proptest::collection::vec(prop_oneof![
        proptest::sample::select(b"\r\na\xC3\xA9\xE4\xBD\xA0\xF0\x9F\x8C\x8D\xC0\xED\xF4\xFF".as_slice()),
        any::<u8>(),
    ], 0..60)) {
        let by_line: Vec<String> = wire
            .split(|byte| matches!(byte, b'\r' | b'\n'))
            .map(|line| String::from_utf8_lossy(line).into_owned())
            .collect();
        let whole = String::from_utf8_lossy(&wire);
        let of_whole: Vec<&str> = whole.split(['\r', '\n']).collect();
        prop_assert_eq!(by_line, of_whole);
    }
}
