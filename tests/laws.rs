//! Laws that hold for any stream: chunked equals whole equals the oracle, the limit is exceeded at the
//! same byte in any split, encoded events parse back, and no input to the encoder can forge anything.

mod oracle;
mod support;

use std::{collections::hash_map::DefaultHasher, hash::BuildHasherDefault, time::Duration};

use everstream::{Event, Parser, encode};
use oracle::Options;
use proptest::{collection::vec, prelude::*, sample::select};
use support::{
    faces::{self, Expected},
    pass_through, splits,
};

type Hashes = BuildHasherDefault<DefaultHasher>;

/// A piece of a stream: mostly syntax, so that most streams contain events.
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

/// Any text, with more line ends and NUL than random text.
fn text() -> impl Strategy<Value = String> {
    let character = prop_oneof![
        select(vec!['\r', '\n', '\0', ':', ' ', '\u{feff}']),
        any::<char>()
    ];
    vec(character, 0..12).prop_map(String::from_iter)
}

/// What the law below found: a line that is not part of an event exceeds the limit, when an
/// unfinished event is to be dispatched.
#[test]
fn a_line_over_the_limit_is_an_error_at_the_end_too() {
    let options = Options {
        max_event_bytes: 0,
        ..Options::default()
    };
    for wire in [&b":\nretry"[..], b"retry", b"x", b"\n\nx: y"] {
        let expected = Expected::new(wire, &options);
        expected.check_drivers(&[wire]);
    }
}

/// Everything that an unfinished block holds is told: an ID without data, a skipped event, and
/// `retry` or a comment whose line has not ended.
#[test]
fn an_unfinished_block_is_reported_at_any_cut() {
    let wire =
        b"id: 1\n\nevent: x\nid: 22\nretry: 50\n: c\n\ndata: 0123456789\nid: 3\n\nid\n\nid: 4";
    for (max_event_bytes, skip_oversized) in [(1 << 20, false), (14, true), (14, false)] {
        let options = Options {
            max_event_bytes,
            skip_oversized,
            ..Options::default()
        };
        for end in 0..=wire.len() {
            let wire = &wire[..end];
            Expected::new(wire, &options).check_drivers(&[wire]);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn chunked_and_whole_match_the_oracle(wire in stream(), options in options(), lengths in lengths()) {
        let expected = Expected::new(&wire, &options);
        expected.check(&splits::whole(&wire));
        expected.check(&splits::by_lengths(&wire, lengths));
        expected.check(&splits::bytewise(&wire));
    }

    #[test]
    fn reader_and_stream_match_the_oracle(wire in stream(), options in options(), lengths in lengths()) {
        let options = Options { last_event_id: String::new(), ..options };
        let expected = Expected::new(&wire, &options);
        let chunks = splits::by_lengths(&wire, lengths);
        expected.check_drivers(&chunks);
    }

    #[test]
    fn a_reconnection_keeps_only_id_and_time(wire in stream(), options in options(), lengths in lengths()) {
        Expected::new(&wire, &options).check_reconnection(&splits::by_lengths(&wire, lengths));
    }

    #[test]
    fn an_encoded_event_parses_back(event in line(), data in text(), id in line(), lengths in lengths()) {
        let event = Event::new(data).with_event_type(event).with_id(id);
        let wire = encode::event(&event).expect("type and ID are lines").to_vec();
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

    /// Whatever a server sent, a proxy can send it on: items, IDs and all.
    #[test]
    fn a_parsed_stream_round_trips(wire in stream(), options in options(), lengths in lengths()) {
        pass_through::check(&splits::by_lengths(&wire, lengths), &options);
    }

    /// For any input, the stream contains exactly what was encoded, or the encoder returned an
    /// error.
    #[test]
    fn encoding_prevents_injection(
        written in vec((0..4_u8, text(), text(), text(), any::<Duration>()), 0..6),
        keeps_id in any::<bool>(),
        lengths in lengths(),
    ) {
        let mut written_down = pass_through::Written::new(keeps_id);
        for (what, event, data, id, time) in written {
            match what {
                0 => written_down.event(&Event::new(data).with_event_type(event).with_id(id)),
                1 => written_down.comment(&data),
                2 => written_down.id(&id),
                _ => written_down.retry(time),
            }
        }
        let wire = &written_down.wire;
        let read = pass_through::read(&splits::by_lengths(wire, lengths), &Options::default());
        prop_assert_eq!(read, written_down.expected);
    }
}

/// Events are equal if all their accessors are: an explicit type equals the same default type, and
/// an ID that was reset equals one that was never set.
#[test]
fn events_with_equal_parts_are_equal() {
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
