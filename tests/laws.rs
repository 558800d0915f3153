//! Laws that hold for any stream: chunked equals whole equals the oracle, the limit strikes alike
//! in any split, what was encoded reads back, and nothing given to the encoder forges anything.

mod oracle;
mod support;

use std::{collections::hash_map::DefaultHasher, hash::BuildHasherDefault, time::Duration};

use everstream::{Event, Parser, encode};
use oracle::{Item, Options};
use proptest::{collection::vec, prelude::*, sample::select};
use support::{
    faces::{self, Expected},
    splits, streams,
};

type Hashes = BuildHasherDefault<DefaultHasher>;

/// A piece of a stream: mostly syntax, so that most streams hold events.
fn piece() -> impl Strategy<Value = Vec<u8>> {
    let syntax: Vec<&[u8]> = vec![
        b"data:",
        b"data: ",
        b"data",
        b"event:",
        b"event: ",
        b"event",
        b"id:",
        b"id: ",
        b"id",
        b"retry: ",
        b"retry:",
        b"retry",
        b":",
        b" ",
        b"\n",
        b"\r",
        b"\r\n",
        b"\n\n",
        b"\r\r",
        b"\r\n\r\n",
        b"\0",
        b"0",
        b"10",
        b"x",
        b"message",
        b"da",
        b"\xef\xbb\xbf",
        b"\xef\xbb",
        b"\xef",
    ];
    prop_oneof![
        6 => select(syntax).prop_map(<[u8]>::to_vec),
        1 => "[a-z0-9 ]{0,12}".prop_map(String::into_bytes),
        1 => "\\PC{0,4}".prop_map(String::into_bytes),
        1 => vec(any::<u8>(), 0..4),
    ]
}

fn stream() -> impl Strategy<Value = Vec<u8>> {
    vec(piece(), 0..60).prop_map(|pieces| pieces.concat())
}

fn options() -> impl Strategy<Value = Options> {
    let limit = prop_oneof![Just(Options::default().max_event_bytes), 0..60_usize];
    (limit, any::<bool>(), select(vec!["", "41"])).prop_map(
        |(max_event_bytes, skip_oversized, id)| Options {
            last_event_id: id.to_owned(),
            max_event_bytes,
            skip_oversized,
        },
    )
}

/// Lengths of the first chunks; the rest is one more.
fn lengths() -> impl Strategy<Value = Vec<usize>> {
    prop_oneof![vec(0..8_usize, 0..80), vec(0..100_usize, 0..6)]
}

/// Anything but line ends and NUL.
fn line() -> impl Strategy<Value = String> {
    "[^\r\n\0]{0,8}"
}

/// Any text at all, line ends and NUL more often than chance would have it.
fn text() -> impl Strategy<Value = String> {
    let character = prop_oneof![
        select(vec!['\r', '\n', '\0', ':', ' ', '\u{feff}']),
        any::<char>()
    ];
    vec(character, 0..12).prop_map(String::from_iter)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn chunked_is_whole_is_the_oracle(wire in stream(), options in options(), lengths in lengths()) {
        let expected = Expected::new(&wire, &options);
        expected.check(&splits::whole(&wire));
        expected.check(&splits::by_lengths(&wire, lengths));
        expected.check(&splits::bytewise(&wire));
    }

    #[test]
    fn read_and_streamed_is_the_oracle(wire in stream(), options in options(), lengths in lengths()) {
        let options = Options { last_event_id: String::new(), ..options };
        let expected = Expected::new(&wire, &options);
        let chunks = splits::by_lengths(&wire, lengths);
        expected.check_reader(&chunks);
        let runtime = streams::runtime();
        runtime.block_on(expected.check_stream(&chunks));
        runtime.block_on(expected.check_signals(&chunks));
    }

    #[test]
    fn a_reconnection_keeps_id_and_time_alone(wire in stream(), options in options(), lengths in lengths()) {
        Expected::new(&wire, &options).check_reconnection(&splits::by_lengths(&wire, lengths));
    }

    #[test]
    fn an_event_reads_back(event in line(), data in text(), id in line(), lengths in lengths()) {
        let event = Event::new(data).with_event_type(event).with_id(id);
        let mut wire = Vec::new();
        encode::event(&event, &mut wire).expect("type and ID are lines");
        let mut parser = Parser::new();
        let mut events = Vec::new();
        for chunk in splits::by_lengths(&wire, lengths) {
            let mut feed = parser.feed(chunk);
            while let Some(event) = feed.next_owned().expect("it is small") {
                events.push(event);
            }
        }
        prop_assert_eq!(events, [event]);
        prop_assert!(!parser.has_unfinished());
    }

    /// Whatever the encoder is given, a stream holds just what was encoded, or it was refused.
    #[test]
    fn nothing_is_forged(
        written in vec((0..3_u8, text(), text(), text(), any::<Duration>()), 0..6),
        lengths in lengths(),
    ) {
        let mut wire = Vec::new();
        let mut expected = Vec::new();
        let mut last_event_id = String::new();
        for (what, event, data, id, time) in written {
            match what {
                0 => {
                    let event = Event::new(data).with_event_type(event).with_id(id);
                    let before = wire.len();
                    if encode::event(&event, &mut wire).is_err() {
                        prop_assert_eq!(wire.len(), before, "what is refused writes nothing");
                        let lines = event.event_type().to_owned() + event.id();
                        prop_assert!(lines.contains(['\r', '\n', '\0']), "it is refused for a reason");
                        continue;
                    }
                    // An event without an ID has that of the one before it.
                    if !event.id().is_empty() {
                        last_event_id = event.id().to_owned();
                    }
                    let event = faces::owned(&event);
                    expected.push(Item::Event(oracle::Event { id: last_event_id.clone(), ..event }));
                }
                1 => {
                    encode::comment(&data, &mut wire);
                    let lines = data.split(['\r', '\n']).map(|line| Item::Comment(line.to_owned()));
                    expected.extend(lines);
                }
                _ => {
                    encode::retry(time, &mut wire);
                    let milliseconds = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
                    expected.push(Item::Retry(milliseconds));
                }
            }
        }
        let mut parser = Parser::new();
        let mut items = Vec::new();
        for chunk in splits::by_lengths(&wire, lengths) {
            let mut feed = parser.feed(chunk);
            while let Some(item) = feed.next_item().expect("it is small") {
                items.push(faces::item(item));
            }
        }
        prop_assert_eq!(items, expected);
        prop_assert!(!parser.has_unfinished());
    }
}

/// Events are equal if all that can be seen of them is: a type said aloud is no other than one
/// not said, an ID that was reset no other than one that never was.
#[test]
fn events_that_look_equal_are() {
    let hash = |event: &Event| std::hash::BuildHasher::hash_one(&Hashes::default(), event);
    for (wire, made) in [
        ("data: a\n\n", Event::new("a")),
        ("event: message\ndata: a\n\n", Event::new("a")),
        ("event\ndata: a\n\n", Event::new("a")),
        (
            "event: t\ndata: a\n\n",
            Event::new("a").with_event_type("t"),
        ),
        ("id: 1\n\nid\ndata: a\n\n", Event::new("a")),
        ("id: 1\n\ndata: a\n\n", Event::new("a").with_id("1")),
        (
            "data: a\n\n",
            Event::new("a").with_event_type("message").with_id(""),
        ),
        (
            "data: a\n\n",
            Event::new("a").with_event_type("t").with_event_type(""),
        ),
    ] {
        let mut parser = Parser::new();
        let parsed = parser.feed(wire.as_bytes()).next_owned();
        let parsed = parsed.expect("it is small").expect("one event");
        assert_eq!(faces::owned(&parsed), faces::owned(&made), "{wire:?}");
        assert_eq!(parsed, made, "{wire:?}");
        assert_eq!(hash(&parsed), hash(&made), "{wire:?}");
    }
}
