use alloc::format;

use super::*;
use crate::Parser;

#[test]
fn an_event_is_small() {
    // The documentation promises this, for 64-bit pointers.
    assert_eq!(size_of::<Event>(), 7 * size_of::<usize>());
}

#[test]
fn parts_equal_the_accessors() {
    let made = Event::new("a\r\nb").with_event_type("t").with_id("1");
    for (event, expected) in [
        (made, ("t", "a\nb", "1")),
        (Event::from("a\rb"), ("message", "a\nb", "")),
        (Event::from(String::from("a")), ("message", "a", "")),
    ] {
        assert_eq!((event.event_type(), event.data(), event.id()), expected);
        let (event_type, data, id) = event.into_parts();
        assert_eq!((&*event_type, &*data, &*id), expected);
    }
}

#[test]
fn lent_and_owned_events_are_equal_if_their_parts_are() {
    let mut parser = Parser::new();
    let mut feed = parser.feed(b"event: t\nid: 1\ndata: x\n\n");
    let lent = feed.next_event().unwrap().unwrap();
    let same = Event::new("x").with_event_type("t").with_id("1");
    for (owned, equal) in [
        (same.clone(), true),
        (lent.to_owned(), true),
        (same.clone().with_event_type(""), false),
        (same.with_id(""), false),
        (Event::new("y").with_event_type("t").with_id("1"), false),
    ] {
        assert_eq!(lent == owned, equal, "{owned:?}");
        assert_eq!(owned == lent, equal, "{owned:?}");
        assert_eq!(lent.to_owned() == owned, equal, "{owned:?}");
    }
}

#[test]
fn debug_names_the_fields_like_the_accessors() {
    let event = Event::new("x");
    let shown = r#"Event { event_type: "message", data: "x", id: "" }"#;
    assert_eq!(format!("{event:?}"), shown);
}

#[cfg(feature = "json")]
#[test]
fn a_json_error_has_a_position_and_a_kind() {
    for (data, line, column, is_syntax) in [
        ("", 1, 0, true),
        ("hello", 1, 1, true),
        ("[1,", 1, 3, true),
        ("[1,\n 2,\n x]", 3, 2, true),
        ("[1] x", 1, 5, true),
        ("[1,\n 300]", 2, 4, false),
        ("true", 1, 4, false),
    ] {
        let error = Event::new(data).json::<Vec<u8>>().unwrap_err();
        let place = (error.line(), error.column());
        assert_eq!(place, (line, column), "{data:?}: {error:?}");
        assert_eq!(error.is_syntax(), is_syntax, "{data:?}: {error:?}");
        assert_eq!(error.is_data(), !is_syntax, "{data:?}: {error:?}");
    }
}

#[cfg(all(feature = "serde", feature = "json"))]
#[test]
fn serde_round_trips_an_event() {
    let event = Event::new("a\nb").with_event_type("t\0").with_id("1");
    let json = r#"{"event_type":"t\u0000","data":"a\nb","id":"1"}"#;
    assert_eq!(serde_json::to_string(&event).unwrap(), json);
    assert_eq!(serde_json::from_str::<Event>(json).unwrap(), event);

    let plain = r#"{"event_type":"message","data":"x","id":""}"#;
    assert_eq!(serde_json::to_string(&Event::new("x")).unwrap(), plain);
    for (json, event) in [
        (plain, Event::new("x")),
        (r#"{"data":"x"}"#, Event::new("x")),
        (r#"{"data":"a\r\nb\rc","more":1}"#, Event::new("a\nb\nc")),
        (
            r#"{"event_type":"","data":"","id":"7"}"#,
            Event::new("").with_id("7"),
        ),
    ] {
        assert_eq!(
            serde_json::from_str::<Event>(json).unwrap(),
            event,
            "{json}"
        );
    }
    assert!(serde_json::from_str::<Event>(r#"{"id":"7"}"#).is_err());
}
