//! Each vector, in every split, through every face of the parser.

mod oracle;
mod support;

use everstream::Parser;
use oracle::{Event, Item, Options};
use support::{
    faces::{self, Expected, Face},
    splits::{self, Random},
    vectors::{self, Vector},
};

/// Longer streams are slow, so they don't get every cut and face.
const SHORT: usize = 2000;

fn each(check: impl Fn(&Vector, &Expected<'_>)) {
    for vector in vectors::all() {
        check(&vector, &Expected::new(&vector.wire, &vector.options));
    }
}

#[test]
fn whole_and_byte_by_byte() {
    each(|_, expected| {
        expected.check(&splits::whole(expected.wire));
        let bytes = splits::bytewise(expected.wire);
        if expected.wire.len() <= SHORT {
            expected.check(&bytes);
        } else {
            expected.check_face(Face::Items, &bytes);
            expected.check_face(Face::Owned, &bytes);
        }
    });
}

/// The oracle agrees with the vectors (`tests/oracle_itself.rs`) and the parser with the oracle;
/// this closes the circle.
#[test]
fn matches_the_items_in_the_vectors() {
    each(|vector, _| {
        let name = &vector.name;
        let mut parser = faces::parser(&vector.options);
        let mut feed = parser.feed(&vector.wire);
        let mut items = Vec::new();
        let exceeded = loop {
            match feed.next_item() {
                Ok(Some(item)) => items.push(faces::item(item)),
                Ok(None) => break None,
                Err(_) => break Some(feed.consumed()),
            }
        };
        assert_eq!(items, vector.items, "{name}");
        assert_eq!(exceeded, vector.exceeded, "{name}");
        assert_eq!(parser.last_event_id(), vector.last_event_id, "{name}");
        let time = parser.reconnection_time().map(|time| time.as_millis());
        assert_eq!(time, vector.reconnection_time.map(u128::from), "{name}");
        assert_eq!(
            parser.has_unfinished(),
            vector.unfinished.is_some(),
            "{name}"
        );
    });
}

#[test]
fn cut_in_two() {
    each(|_, expected| {
        if expected.wire.len() <= SHORT {
            splits::in_two(expected.wire).for_each(|chunks| expected.check(&chunks));
        } else {
            let ends =
                (0..expected.wire.len()).filter(|&at| matches!(expected.wire[at], b'\r' | b'\n'));
            let around = ends
                .take(10)
                .flat_map(|end| end.saturating_sub(2)..=end + 2);
            around.for_each(|cut| expected.check(&splits::by_lengths(expected.wire, [cut])));
        }
    });
}

#[test]
fn cut_in_three() {
    each(|_, expected| {
        if expected.wire.len() <= 40 {
            splits::in_three(expected.wire).for_each(|chunks| expected.check(&chunks));
        }
    });
}

#[test]
fn cut_at_random() {
    let mut random = Random::new(1);
    for vector in vectors::all() {
        let expected = Expected::new(&vector.wire, &vector.options);
        let times = if vector.wire.len() <= SHORT { 20 } else { 1 };
        for _ in 0..times {
            expected.check(&splits::at_random(&vector.wire, &mut random));
        }
    }
}

/// A large chunk is decoded as a whole, in windows of whole lines.
#[test]
fn within_a_large_chunk() {
    let mut random = Random::new(4);
    for vector in vectors::all() {
        let wire = &vector.wire;
        if wire.len() > SHORT {
            continue;
        }
        // A separate stream, so that a BOM stays at its start.
        let after = [b"\n\n:".as_slice(), &b"x".repeat(1024), b"\ndata: on\n\n"].concat();
        let alone = [wire.as_slice(), &after].concat();
        let expected = Expected::new(&alone, &vector.options);
        expected.check(&splits::whole(&alone));
        expected.check(&splits::by_lengths(&alone, [random.below(wire.len() + 1)]));
        // An owned chunk is split into windows after its first event.
        let second = [b"data: first\n\n", alone.as_slice()].concat();
        let expected = Expected::new(&second, &vector.options);
        let cut = random.below(second.len() + 1);
        for chunks in [splits::whole(&second), splits::by_lengths(&second, [cut])] {
            expected.check_drivers(&chunks);
        }
        // Around the end of a window.
        let before = 16 * 1024 - random.below(wire.len() + 4);
        let within = [b":".as_slice(), &b"x".repeat(before), b"\n", &alone].concat();
        let expected = Expected::new(&within, &vector.options);
        expected.check_face(Face::Items, &splits::whole(&within));
        expected.check_face(Face::OwnedOneByOne, &splits::whole(&within));
    }
}

/// Long lines are decoded or dropped before they have ended, and the limit counts those bytes too.
/// Lines, limits and pieces have lengths around the one where this starts.
#[test]
fn long_lines_around_the_limit() {
    const LIMIT: usize = 3000;

    for name in ["data: ", "event: ", "id: ", "retry: ", ":", "unknown: "] {
        for length in [
            LIMIT - 1100,
            LIMIT - 8,
            LIMIT - 7,
            LIMIT - 1,
            LIMIT,
            LIMIT + 1,
            2 * LIMIT,
        ] {
            let line = name.to_owned() + &"7".repeat(length - name.len());
            let wires = [
                // Whole, after another line of the same event; cut off; and one after the other.
                format!("data: x\n{line}\ndata: y\n\ndata: z\n\n"),
                format!("id: 1\n\n{line}"),
                format!("{line}\ndata: y\n{line}\n\nid: 2\ndata: z\n\n"),
            ];
            for wire in wires {
                for skip_oversized in [false, true] {
                    let options = Options {
                        max_event_bytes: LIMIT,
                        skip_oversized,
                        ..Options::default()
                    };
                    let expected = Expected::new(wire.as_bytes(), &options);
                    for size in [100, 1023, 1024, 1025, 1500, wire.len()] {
                        let chunks: Vec<_> = wire.as_bytes().chunks(size).collect();
                        expected.check_face(Face::Items, &chunks);
                        expected.check_face(Face::Owned, &chunks);
                        expected.check_face(Face::EventsOneByOne, &chunks);
                    }
                }
            }
        }
    }
}

#[test]
fn reconnected() {
    each(|_, expected| {
        expected.check_reconnection(&splits::whole(expected.wire));
        if expected.wire.len() <= SHORT {
            expected.check_reconnection(&splits::bytewise(expected.wire));
        }
    });
}

/// `Reader` and `EventStream` drive the parser themselves.
#[test]
fn read_and_streamed() {
    let mut random = Random::new(2);
    for vector in vectors::all() {
        let expected = Expected::new(&vector.wire, &vector.options);
        let mut ways = vec![
            splits::whole(&vector.wire),
            splits::at_random(&vector.wire, &mut random),
        ];
        if vector.wire.len() <= SHORT {
            ways.push(splits::bytewise(&vector.wire));
            ways.extend(splits::in_two(&vector.wire));
        }
        for chunks in ways {
            expected.check_drivers(&chunks);
        }
    }
}

/// With `next_event`, comments are not kept, which is decided when the comment starts.
#[test]
fn a_comment_started_by_next_event_is_skipped() {
    let events: [fn(&mut Parser, &[u8]); 2] = [
        |parser, chunk| assert!(parser.feed(chunk).next_event().unwrap().is_none()),
        |parser, chunk| assert!(parser.feed(chunk).next_owned().unwrap().is_none()),
    ];
    // Taken as it lies, or in a window, cut after the colon or later.
    for (before, cut) in [(0, 1), (0, 5), (300, 1), (300, 5)] {
        let (began, rest) = b": comment\n: another\n\n".split_at(cut);
        let chunk = [&b"\n".repeat(before), b"data: 1\n".as_slice(), began].concat();
        for ask in events {
            let mut parser = Parser::new();
            ask(&mut parser, &chunk);
            let mut feed = parser.feed(rest);
            let mut items = Vec::new();
            while let Some(item) = feed.next_item().unwrap() {
                items.push(faces::item(item));
            }
            let event = Event {
                event: "message".to_owned(),
                data: "1".to_owned(),
                id: String::new(),
            };
            let comment = Item::Comment(" another".to_owned());
            assert_eq!(items, [comment, Item::Event(event)], "{before}, {cut}");
        }
    }
}

/// Data that is left from an earlier event does not become part of the comment.
#[test]
fn a_comment_started_by_next_item_is_complete() {
    for before in [0, 300] {
        let chunk = [b"\n".repeat(before), b"data: 1\n: com".to_vec()].concat();
        let mut parser = Parser::new();
        assert!(parser.feed(&chunk).next_item().unwrap().is_none());
        assert!(parser.feed(b"me").next_event().unwrap().is_none());
        let mut feed = parser.feed(b"nt\n\n");
        let item = feed.next_item().unwrap().map(faces::item);
        assert_eq!(item, Some(Item::Comment(" comment".to_owned())), "{before}");
        let event = feed.next_event().unwrap().unwrap();
        assert_eq!(event.data(), "1", "{before}");
    }
}
