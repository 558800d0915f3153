//! Characters that a server has cut in two, in answers as they come.

use everstream::{Event, SurrogateJoiner};
use serde_json::Value;

use crate::{
    seen,
    transcripts::{self, Api, Row},
};

/// Where each API has its text.
fn text(api: Api, json: &Value) -> String {
    let pointer = match api {
        Api::Chat => "/choices/0/delta/content",
        Api::Responses => "/delta",
        Api::Messages => "/delta/text",
        Api::Gemini => "/candidates/0/content/parts/0/text",
    };
    let text = json.pointer(pointer).and_then(Value::as_str);
    text.unwrap_or_default().to_owned()
}

fn items(row: &Row) -> Vec<Event> {
    seen::at_once(row.api.contract(), row.body.as_bytes(), false).items
}

fn cut_in_two() -> Vec<Row> {
    let mut rows = transcripts::all();
    rows.retain(|row| row.body.contains(r"\ud83c"));
    rows
}

#[test]
fn joining_restores_the_text() {
    let rows = cut_in_two();
    assert_eq!(rows.len(), 5);
    for row in rows {
        let mut joiner = SurrogateJoiner::new();
        let events = items(&row)
            .into_iter()
            .map(|event| joiner.join_event(event));
        let json = events.map(|event| event.json::<Value>().expect("no half is left"));
        let said: String = json.map(|json| text(row.api, &json)).collect();
        assert!(said.contains("你好 🌍! How"), "{}: {said}", row.name);
        assert!(!said.contains('\u{fffd}'), "{}: {said}", row.name);
    }
}

#[test]
fn without_joining_only_the_surrogate_is_lost() {
    for row in cut_in_two() {
        let events = items(&row);
        let refused = events.iter().filter(|event| event.json::<Value>().is_err());
        // Responses repeat the halves in what they sum up.
        assert!(refused.count() >= 2, "{}", row.name);
        let json = events.iter().map(|event| event.json_lossy::<Value>());
        let json = json.map(|json| json.expect("no half is left"));
        let said: String = json.map(|json| text(row.api, &json)).collect();
        assert!(
            said.contains("你好 \u{fffd}\u{fffd}! How"),
            "{}: {said}",
            row.name
        );
    }
}
