//! What real servers sent, in their chunks. See `tests/captures/README.md`.

mod oracle;
mod support;

use everstream::{Event, Parser};
use oracle::Options;
use serde_json::Value;
use support::{
    faces::{self, Expected},
    http::Recording,
    splits::{self, Random},
    vectors,
};

#[test]
fn every_event_stream_matches_the_oracle() {
    let options = Options::default();
    let mut random = Random::new(3);
    let mut streams = 0;
    for name in Recording::names() {
        let recording = Recording::load(&name);
        if !recording.is_event_stream() {
            continue;
        }
        streams += 1;
        let body = recording.body();
        let expected = Expected::new(&body, &options);
        let ways = [
            recording.chunks(),
            splits::bytewise(&body),
            splits::at_random(&body, &mut random),
            splits::at_random(&body, &mut random),
        ];
        for chunks in &ways {
            expected.check(chunks);
            expected.check_drivers(chunks);
        }
        expected.check_reconnection(&ways[0]);
    }
    assert_eq!(streams, 26);
}

#[test]
fn matches_the_items_written_by_hand() {
    let expected = vectors::of_folder(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/captures"));
    assert_eq!(expected.len(), 19);
    for expected in expected {
        let name = &expected.title;
        let recording = Recording::load(name);
        let mut parser = Parser::new();
        let mut items = Vec::new();
        for chunk in recording.chunks() {
            let mut feed = parser.feed(chunk);
            while let Some(item) = feed.next_item().expect("no event is too large") {
                items.push(faces::item(item));
            }
        }
        assert_eq!(items, expected.items, "{name}");
        assert_eq!(parser.last_event_id(), expected.last_event_id, "{name}");
        assert_eq!(
            parser.has_unfinished(),
            expected.unfinished.is_some(),
            "{name}"
        );
    }
}

#[test]
fn other_responses_are_recognized_by_their_head() {
    for (name, status, content_type) in [
        ("aimock-429", 429, "application/json"),
        ("axum-busy", 503, "text/plain; charset=utf-8"),
        ("axum-nocontent", 204, ""),
        ("litellm-error", 400, "application/json"),
        ("litellm-messages", 200, "application/json"),
        ("nginx-dead", 502, "text/html"),
        ("uv-json-error", 200, "application/json"),
    ] {
        let recording = Recording::load(name);
        assert_eq!(
            (recording.status, recording.content_type.as_str()),
            (status, content_type)
        );
        assert!(!recording.is_event_stream(), "{name}");
    }
}

/// The events of a recording, in its own chunks.
fn events(name: &str) -> Vec<Event> {
    let recording = Recording::load(name);
    assert!(recording.is_event_stream() && recording.complete, "{name}");
    let mut parser = Parser::new();
    let mut events = Vec::new();
    for chunk in recording.chunks() {
        let mut feed = parser.feed(chunk);
        while let Some(event) = feed.next_owned().expect("no event is too large") {
            events.push(event);
        }
    }
    assert!(!parser.has_unfinished(), "{name}");
    assert_eq!(parser.last_event_id(), "", "{name}");
    events
}

fn types(events: &[Event]) -> Vec<&str> {
    events.iter().map(Event::event_type).collect()
}

/// A Rust string cannot hold a lone surrogate, but aimock cuts an emoji in two: the data passes
/// unchanged, with the two halves in two events.
const HALVES: [&str; 2] = [r"\ud83c", r"\udf0d"];

#[test]
fn aimock_chat() {
    let events = events("aimock-chat");
    assert_eq!(events.len(), 11);
    assert!(events.iter().all(|event| event.event_type() == "message"));
    assert_eq!(events[10].data(), "[DONE]");
    assert!(events[2].data().contains(HALVES[0]) && events[3].data().contains(HALVES[1]));
    let text = |event: &Event| {
        let value: Value = event.json().expect("JSON");
        value["choices"][0]["delta"]["content"]
            .as_str()
            .map(str::to_owned)
    };
    assert_eq!(text(&events[0]).as_deref(), Some(""));
    assert_eq!(text(&events[1]).as_deref(), Some("Hello"));
    let rest: Vec<String> = events[4..10].iter().filter_map(text).collect();
    assert_eq!(rest.concat(), "w can I help you today?");
}

#[test]
fn aimock_gemini() {
    let events = events("aimock-gemini");
    assert_eq!(types(&events), ["message"; 8]);
    assert_eq!(
        events[0].data(),
        r#"{"candidates":[{"content":{"role":"model","parts":[{"text":"Hello"}]},"index":0}]}"#
    );
    assert!(events[1].data().contains(HALVES[0]) && events[2].data().contains(HALVES[1]));
    let last: Value = events[7].json().expect("JSON");
    assert_eq!(last["candidates"][0]["finishReason"], "STOP");
}

#[test]
fn aimock_messages() {
    let events = events("aimock-messages");
    let deltas = ["content_block_delta"; 8];
    let around: [&[&str]; 3] = [
        &["message_start", "content_block_start"],
        &deltas,
        &["content_block_stop", "message_delta", "message_stop"],
    ];
    assert_eq!(types(&events), around.concat());
    for event in &events {
        if !HALVES.iter().any(|half| event.data().contains(half)) {
            let value: Value = event.json().expect("JSON");
            assert_eq!(value["type"], event.event_type());
        }
    }
}

#[test]
fn aimock_responses() {
    let events = events("aimock-responses");
    let types = types(&events);
    assert_eq!(types.len(), 16);
    assert_eq!(types[..2], ["response.created", "response.in_progress"]);
    assert_eq!(types[4..12], ["response.output_text.delta"; 8]);
    assert_eq!(types[15], "response.completed");
    let last: Value = events[15].json().expect("JSON");
    let text = &last["response"]["output"][0]["content"][0]["text"];
    assert_eq!(text, "Hello 你好 🌍! How can I help you today?");
}

#[test]
fn llama_chat() {
    let events = events("llama-chat");
    assert_eq!(types(&events), ["message"; 13]);
    assert_eq!(events[12].data(), "[DONE]");
    let usage: Value = events[11].json().expect("JSON");
    assert_eq!(usage["usage"]["total_tokens"], 36);
}

#[test]
fn mcp_everything_init() {
    let recording = Recording::load("mcp-everything-init");
    let mut parser = Parser::new();
    let body = recording.body();
    let mut feed = parser.feed(&body);
    // A priming event: an ID to resume from, and no data.
    let priming = feed.next_owned().expect("it is small").expect("an event");
    assert_eq!(
        (priming.data(), priming.id()),
        ("", "729c6b81-7ca5-4f31-ba1d-90b9c7084785")
    );
    let answer = feed.next_owned().expect("it is small").expect("an event");
    assert_eq!(
        (answer.event_type(), answer.id()),
        ("message", "f1d2e467-54ca-48a4-989e-14f1059b4bf0")
    );
    let answer: Value = answer.json().expect("JSON");
    assert_eq!(
        answer["result"]["serverInfo"]["name"],
        "mcp-servers/everything"
    );
    assert_eq!(feed.next_owned(), Ok(None));
}
