//! Tests of internals; behaviour is tested in `tests/`.

use alloc::vec::Vec;

use super::{
    size::{LARGE, SPILL},
    *,
};
use crate::event::{Event, EventRef};

fn events(chunks: &[&[u8]]) -> Vec<Event> {
    let mut parser = Parser::new();
    let mut events = Vec::new();
    for chunk in chunks {
        let mut feed = parser.feed(chunk);
        while let Some(event) = feed.next_event().unwrap() {
            events.push(event.to_owned());
        }
        assert_eq!(feed.consumed(), chunk.len());
    }
    events
}

#[test]
fn an_event_within_a_chunk_is_not_copied() {
    let chunk = b": hi\nevent: a\ndata: one line\n\n";
    let mut parser = Parser::new();
    let mut feed = parser.feed(chunk);
    let event = feed.next_event().unwrap().unwrap();
    assert!(chunk.as_ptr_range().contains(&event.data().as_ptr()));
    assert_eq!(parser.data.capacity(), 0);
    assert_eq!(parser.tail.kept.capacity(), 0);
}

#[test]
fn short_data_in_pieces_is_copied_once() {
    let mut parser = Parser::new();
    for chunk in [
        &b"data: on"[..],
        b"e\nid: 1\nda",
        b"ta: two\ndata",
        b": three\n",
    ] {
        assert_eq!(parser.feed(chunk).next_owned(), Ok(None));
    }
    let mut feed = parser.feed(b"\n");
    let event = feed.next_event().unwrap().unwrap();
    assert_eq!((event.data(), event.id()), ("one\ntwo\nthree", "1"));
    assert_eq!(parser.data.capacity(), 0);
}

#[test]
fn data_lines_join_at_any_length_and_any_split() {
    // Around the length from which data is decoded as it arrives. All of them would take Miri
    // hours.
    let lengths = [SPILL, 0, 3, 500, SPILL - 7, SPILL - 1, SPILL + 1, 3 * SPILL];
    let lengths = if cfg!(miri) { &lengths[..1] } else { &lengths };
    for &first in lengths {
        for &second in lengths {
            let data =
                [first, second, 2].map(|length| "é".repeat(length / 2) + &"x".repeat(length % 2));
            let stream = alloc::format!(
                "data:{}\nid: 1\ndata: {}\ndata:{}\n\n",
                data[0],
                data[1],
                data[2]
            );
            for size in [1, 5, 64, 1000, 1500, 10_000] {
                let chunks: Vec<&[u8]> = stream.as_bytes().chunks(size).collect();
                let events = events(&chunks);
                assert_eq!(events.len(), 1, "{first}, {second} in {size}");
                assert_eq!(
                    events[0].data(),
                    data.join("\n"),
                    "{first}, {second} in {size}"
                );
            }
        }
    }
}

#[test]
fn types_and_ids_are_shared_between_events() {
    let stream = b"event: a\nid: 1\ndata: x\n\nevent: a\ndata: y\n\n";
    let [first, second] = &events(&[stream])[..] else {
        panic!("two events");
    };
    assert!(core::ptr::eq(first.event_type(), second.event_type()));
    assert!(core::ptr::eq(first.id(), second.id()));
}

#[test]
fn a_large_event_is_moved_out() {
    let data = "x".repeat(3 * LARGE);
    let mut parser = Parser::new();
    assert_eq!(parser.feed(b"data: ").next_owned(), Ok(None));
    for piece in data.as_bytes().chunks(1000) {
        assert_eq!(parser.feed(piece).next_owned(), Ok(None));
    }
    let buffer = parser.data.as_ptr();
    let event = parser.feed(b"\n\n").next_owned().unwrap().unwrap();
    assert_eq!(event.data(), data);
    assert!(core::ptr::eq(event.data().as_ptr(), buffer));
    assert!(event.into_data().capacity() <= data.len() * 5 / 4);
    assert_eq!(parser.data.capacity(), 0);
}

#[test]
fn lines_across_windows_are_parsed_correctly() {
    // Longer than a window, with each kind of line end at each offset around its edge. Each takes
    // Miri a minute.
    let shifts = if cfg!(miri) { 1 } else { 8 };
    for shift in 0..shifts {
        let mut stream = alloc::vec![b':'; shift];
        stream.extend_from_slice(b"\r\n");
        let mut expected = 0;
        while stream.len() < 40_000 {
            stream.extend_from_slice("data: é\r\ndata\rid: 1\n\r\n".as_bytes());
            expected += 1;
        }
        let events = events(&[&stream]);
        assert_eq!(events.len(), expected);
        assert!(events.iter().all(|event| event.data() == "é\n"));
    }
}

#[test]
fn a_window_yields_the_same_events_as_single_bytes() {
    let stream = ": c\n\nevent: a\ndata: 1\n\nevent: a\n: c\ndata: 2\n\nevent: a\ndata: 3\ndata: 4\n\n\
        event: a\n\ndata:5\n\nid: 6\ndata: 6\n\ndata: \u{e9}\n\nevent: b\ndata: 7\n\nevent: a\ndata: 8\n\n\
        data\n\nretry: 1\ndata: 9\n\ndata: x\nevent: b\n\nevent:b\ndata: \n\nevent: message\ndata: 10\n\n"
        .repeat(4);
    let bytes: Vec<&[u8]> = stream.as_bytes().chunks(1).collect();
    assert_eq!(events(&[stream.as_bytes()]), events(&bytes));
}

#[test]
fn the_limit_applies_to_usual_events_and_a_failure_is_final() {
    let mut stream = "event: a\ndata: 1\n\n".repeat(20);
    stream.push_str("event: a\ndata: 12\n\n");
    stream.push_str(&"data: 1\n\n".repeat(20));
    let mut parser = Parser::new().with_max_event_bytes("event: adata: 1".len());
    let mut feed = parser.feed(stream.as_bytes());
    for _ in 0..20 {
        assert_eq!(feed.next_owned().unwrap().unwrap().data(), "1");
    }
    for _ in 0..3 {
        assert!(feed.next_owned().is_err());
    }
}

#[test]
fn polling_a_consumed_chunk_again_changes_nothing() {
    for chunk in [&b"d"[..], b"data: x", b"\n\ndata: x"] {
        let mut parser = Parser::new();
        // After the byte order mark; only one is stripped.
        assert_eq!(parser.feed(b"\n").next_owned(), Ok(None));
        let mut feed = parser.feed(chunk);
        for _ in 0..3 {
            assert_eq!(feed.next_owned(), Ok(None));
            assert_eq!(feed.consumed(), chunk.len());
        }
        let rest = if chunk == b"d" {
            &b"ata: x\n\n"[..]
        } else {
            b"\n\n"
        };
        let event = parser.feed(rest).next_owned().unwrap().unwrap();
        assert_eq!(event.data(), "x");
    }
}

#[test]
fn a_clone_continues_independently_at_any_split() {
    let data = "x".repeat(2 * SPILL);
    let stream = alloc::format!(
        "\u{feff}event: a\r\nid: 1\r\ndata: \u{e9}\r\ndata: {data}\r\n\r\n: c\ndata: 2\n\n"
    );
    let stream = stream.as_bytes();
    let rest_of = |parser: &mut Parser, rest: &[u8]| {
        let mut feed = parser.feed(rest);
        let mut events = Vec::new();
        while let Some(event) = feed.next_owned().unwrap() {
            events.push(event);
        }
        (events, parser.clone())
    };
    let step = if cfg!(miri) { 97 } else { 1 };
    for cut in (0..=stream.len()).step_by(step) {
        let (begun, rest) = stream.split_at(cut);
        let (mut events, mut parser) = rest_of(&mut Parser::new(), begun);
        let mut clone = parser.clone();
        // What one of them is fed next does not affect the other.
        let (others, _) = rest_of(&mut parser, b"?\n\nid: 3\ndata: other\n\ndata: y");
        assert!(others.iter().any(|event| event.data() == "other"), "{cut}");
        events.extend(rest_of(&mut clone, rest).0);
        assert_eq!(events, self::events(&[stream]), "{cut}");
        assert_eq!(clone.last_event_id(), "1", "{cut}");
    }
}

#[test]
fn parser_and_events_are_send() {
    fn is_send<T: Send>() {}
    is_send::<Parser>();
    is_send::<Event>();
    #[cfg(feature = "std")]
    is_send::<EventRef<'_>>();
}
