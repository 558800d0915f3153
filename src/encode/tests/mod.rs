#[cfg(feature = "stream")]
mod body;

use alloc::{format, string::ToString};

use super::*;
use crate::Parser;

/// Encodes the events of a stream, as a proxy does.
fn passed_through(wire: &str, mut encoder: Encoder) -> String {
    let mut parser = Parser::new();
    let mut feed = parser.feed(wire.as_bytes());
    let mut out = String::new();
    while let Some(event) = feed.next_event().unwrap() {
        let lent = encoder.clone().event(event).unwrap().to_string();
        let owned = event.to_owned();
        out += &encoder.event(&owned).unwrap().to_string();
        assert!(out.ends_with(&lent), "lent and owned events are the same");
    }
    out
}

#[test]
fn an_id_is_written_when_it_changes() {
    let from_nothing: [(&str, &str); 8] = [
        ("data: a\n\ndata: b\n\n", "data: a\n\ndata: b\n\n"),
        ("id: 1\ndata: a\n\n", "id: 1\ndata: a\n\n"),
        (
            "id: 1\ndata: a\n\ndata: b\n\n",
            "id: 1\ndata: a\n\ndata: b\n\n",
        ),
        (
            "id: 1\ndata: a\n\nid: 1\ndata: b\n\n",
            "id: 1\ndata: a\n\ndata: b\n\n",
        ),
        // An ID of a block without data is that of the next event.
        ("id: 1\n\ndata: a\n\n", "id: 1\ndata: a\n\n"),
        (
            "id: 1\ndata: a\n\nid\ndata: b\n\n",
            "id: 1\ndata: a\n\nid: \ndata: b\n\n",
        ),
        (
            "id: 1\ndata: a\n\nid\ndata: b\n\ndata: c\n\n",
            "id: 1\ndata: a\n\nid: \ndata: b\n\ndata: c\n\n",
        ),
        // White space is part of it.
        ("id:  1 \ndata: a\n\n", "id:  1 \ndata: a\n\n"),
    ];
    for (wire, expected) in from_nothing {
        assert_eq!(passed_through(wire, Encoder::new()), expected, "{wire:?}");
    }
    let from_7: [(&str, &str); 3] = [
        ("data: a\n\n", "id: \ndata: a\n\n"),
        ("id: 7\ndata: a\n\n", "data: a\n\n"),
        ("id: 8\ndata: a\n\n", "id: 8\ndata: a\n\n"),
    ];
    for (wire, expected) in from_7 {
        let encoder = Encoder::new().with_last_event_id("7");
        assert_eq!(passed_through(wire, encoder), expected, "{wire:?}");
    }
}

#[test]
fn without_resets_an_event_without_an_id_changes_nothing() {
    let mut encoder = Encoder::new().without_id_resets();
    let mut out = String::new();
    for id in ["1", "", "1", "2", ""] {
        out += &encoder
            .event(&Event::new("x").with_id(id))
            .unwrap()
            .to_string();
    }
    assert_eq!(
        out,
        "id: 1\ndata: x\n\ndata: x\n\ndata: x\n\nid: 2\ndata: x\n\ndata: x\n\n"
    );
    assert_eq!(encoder.last_event_id(), "2");
    // An ID that was set explicitly counts.
    assert_eq!(encoder.id("").unwrap().to_string(), "id: \n\n");
    assert_eq!(encoder.last_event_id(), "");
}

#[test]
fn an_id_alone_is_a_block_that_dispatches_nothing() {
    let mut encoder = Encoder::new();
    assert_eq!(encoder.id("7").unwrap().to_string(), "id: 7\n\n");
    assert_eq!(encoder.id("7").unwrap().to_string(), "id: 7\n\n");
    let event = Event::new("x").with_id("7");
    assert_eq!(encoder.event(&event).unwrap().to_string(), "data: x\n\n");
}

#[test]
fn every_parsed_item_can_be_encoded() {
    for wire in [
        "event: a\0b\ndata: x\n\n",
        "event:  spaces \ndata:  x \n\n",
        "event: \u{feff}\ndata: \u{feff}\n\n",
        "data: \n\n",
        "data: \ndata: \n\n",
        "data: :\n\n",
        "event: t\nid: é\ndata: a\ndata: \ndata: b\n\n",
    ] {
        assert_eq!(passed_through(wire, Encoder::new()), wire);
    }
    let named = passed_through("event: message\ndata: x\n\n", Encoder::new());
    assert_eq!(named, "data: x\n\n", "`message` is the type without a name");
}

#[test]
fn rejects_what_no_stream_can_carry() {
    for (event_type, id, expected) in [
        ("a\nb", "1", EncodeError::EventType),
        ("a\rb", "1", EncodeError::EventType),
        ("a", "1\n2", EncodeError::Id),
        ("a", "1\r2", EncodeError::Id),
        ("a", "1\x002", EncodeError::Id),
    ] {
        let bad = Event::new("x").with_event_type(event_type).with_id(id);
        assert_eq!(event(&bad).unwrap_err(), expected);
        let mut encoder = Encoder::new().with_last_event_id("0");
        assert_eq!(encoder.event(&bad).unwrap_err(), expected);
        assert_eq!(encoder.last_event_id(), "0", "nothing was sent");
    }
    assert_eq!(Encoder::new().id("a\nb").unwrap_err(), EncodeError::Id);
    // An ID that the client already has need not be written.
    let odd = Event::new("x").with_id("1\x002");
    let mut encoder = Encoder::new().with_last_event_id("1\x002");
    assert_eq!(encoder.event(&odd).unwrap().to_string(), "data: x\n\n");
}

#[test]
fn a_single_event_writes_its_id() {
    let one = Event::new("x").with_id("1");
    assert_eq!(event(&one).unwrap().to_string(), "id: 1\ndata: x\n\n");
    let none = Event::new("x");
    assert_eq!(event(&none).unwrap().to_string(), "data: x\n\n");
}

#[test]
fn each_line_of_a_comment_is_a_comment() {
    for (text, expected) in [
        ("", ":\n\n"),
        (" hi", ": hi\n\n"),
        ("a\nb", ":a\n:b\n\n"),
        ("a\rb", ":a\n:b\n\n"),
        ("a\r\nb", ":a\n:b\n\n"),
        ("a\n\rb", ":a\n:\n:b\n\n"),
        ("\ndata: x\n\n", ":\n:data: x\n:\n:\n\n"),
    ] {
        assert_eq!(comment(text).to_string(), expected, "{text:?}");
    }
}

#[test]
fn a_time_is_in_whole_milliseconds() {
    for (time, expected) in [
        (Duration::ZERO, "retry: 0\n\n"),
        (Duration::from_micros(1999), "retry: 1\n\n"),
        (Duration::MAX, "retry: 18446744073709551615\n\n"),
    ] {
        assert_eq!(retry(time).to_string(), expected);
    }
}

#[test]
fn output_does_not_depend_on_the_writer() {
    let one = Event::new("a\nb").with_event_type("t").with_id("1");
    for block in [
        event(&one).unwrap(),
        comment("a\nb"),
        retry(Duration::from_secs(1)),
    ] {
        let text = block.to_string();
        assert_eq!(block.len(), text.len());
        assert_eq!(block.to_vec(), text.as_bytes());
        let mut vec = b"before".to_vec();
        block.append_to(&mut vec);
        assert_eq!(vec, format!("before{text}").as_bytes());
        #[cfg(feature = "stream")]
        {
            assert_eq!(block.to_bytes(), text);
            let mut buffer = bytes::BytesMut::new();
            block.put_into(&mut buffer);
            assert_eq!(buffer, text);
            let mut room = [0; 64];
            let mut rest = &mut room[..];
            block.put_into(&mut rest);
            let left = rest.len();
            assert_eq!(&room[..64 - left], text.as_bytes());
        }
    }
}

#[test]
fn debug_shows_no_secrets() {
    let one = Event::new("secret")
        .with_event_type("secret")
        .with_id("secret");
    let encoder = Encoder::new().with_last_event_id("secret");
    let shown = format!(
        "{:?}{:?}{encoder:?}{:?}",
        event(&one).unwrap(),
        comment("secret"),
        encoder.clone().id("secret"),
    );
    assert!(!shown.contains("secret"), "{shown}");
}
