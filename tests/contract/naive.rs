//! The contracts compared with an oracle that parses everything, on generated events.

use everstream::{Event, Meaning};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::transcripts::Api;

/// What the documentation of `Contract` says, applied to one event after another.
struct Oracle {
    api: Api,
    /// By index: whether each choice that was seen has a finish reason.
    choices: std::collections::BTreeMap<u64, bool>,
    blocked: bool,
    complete: bool,
}

impl Oracle {
    fn is_whole(&self) -> bool {
        let finished = !self.choices.is_empty() && self.choices.values().all(|finished| *finished);
        self.complete || self.blocked || finished
    }

    fn observe(&mut self, kind: &str, json: &Value) -> Meaning {
        let kinds = [kind, json["type"].as_str().unwrap_or_default()];
        let any = |names: &[&str]| kinds.iter().any(|kind| names.contains(kind));
        let fails: &[&str] = match self.api {
            Api::Responses => &["error", "response.failed"],
            _ => &["error"],
        };
        let last: &[&str] = match self.api {
            Api::Responses => &["response.completed", "response.incomplete"],
            Api::Messages => &["message_stop"],
            Api::Chat | Api::Gemini => &[],
        };
        if any(fails) || is_truthy(&json["error"]) || json["object"] == "error" {
            return Meaning::Error;
        }
        if any(last) {
            self.complete = true;
            return Meaning::Last;
        }
        // The JSON takes precedence: a part of an answer may have any event type.
        if ["ping", "keepalive"].contains(&kinds[1]) {
            return Meaning::KeepAlive;
        }
        let (choices, reason) = match self.api {
            Api::Chat => (&json["choices"], "finish_reason"),
            Api::Gemini => (&json["candidates"], "finishReason"),
            Api::Responses | Api::Messages => (&Value::Null, ""),
        };
        for choice in choices.as_array().into_iter().flatten() {
            if choice[reason] == "error" || is_truthy(&choice["error"]) {
                return Meaning::Error;
            }
            let finished = is_reason(&choice[reason]);
            let index = choice["index"].as_u64().unwrap_or(0);
            *self.choices.entry(index).or_default() |= finished;
        }
        self.blocked |=
            self.api == Api::Gemini && is_reason(&json["promptFeedback"]["blockReason"]);
        match ["ping", "keepalive"].contains(&kind) {
            true => Meaning::KeepAlive,
            false => Meaning::Item,
        }
    }
}

fn is_truthy(value: &Value) -> bool {
    ![
        json!(null),
        json!(false),
        json!(0),
        json!(""),
        json!([]),
        json!({}),
    ]
    .contains(value)
}

fn is_reason(value: &Value) -> bool {
    let is_unset = *value == "FINISH_REASON_UNSPECIFIED" || *value == "BLOCK_REASON_UNSPECIFIED";
    is_truthy(value) && !is_unset
}

fn scalar() -> impl Strategy<Value = Value> {
    prop::sample::select(vec![
        json!(null),
        json!(false),
        json!(0),
        json!(1),
        json!(""),
        json!({}),
        json!([]),
        json!("stop"),
        json!("error"),
        json!("ping"),
        json!("keepalive"),
        json!("message_stop"),
        json!("response.completed"),
        json!("response.incomplete"),
        json!("response.failed"),
        json!("response.output_text.delta"),
        json!("FINISH_REASON_UNSPECIFIED"),
        json!("BLOCK_REASON_UNSPECIFIED"),
        json!("\"type\":\"error\""),
        json!("\"error\":{}}"),
        json!({ "message": "no" }),
    ])
}

fn name() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "type",
        "error",
        "object",
        "index",
        "finish_reason",
        "finishReason",
        "blockReason",
        "choices",
        "candidates",
        "promptFeedback",
        "delta",
        "\"type",
        "type\"",
        "\\",
    ])
    .prop_map(str::to_owned)
}

fn object(inner: BoxedStrategy<Value>) -> BoxedStrategy<Value> {
    prop::collection::vec((name(), inner), 0..5)
        .prop_map(|members| Value::Object(members.into_iter().collect::<Map<_, _>>()))
        .boxed()
}

fn event() -> impl Strategy<Value = (String, Value, Writing)> {
    let choice = object(scalar().boxed());
    let choices = prop::collection::vec(choice.clone(), 0..3).prop_map(Value::from);
    let value = prop_oneof![4 => scalar(), 3 => choices, 2 => choice].boxed();
    let kind = prop::sample::select(vec![
        "message",
        "message",
        "message",
        "error",
        "ping",
        "message_stop",
        "response.completed",
        "delta",
    ]);
    let writing = prop::sample::select(vec![Writing::Compact, Writing::Pretty, Writing::Escaped]);
    (kind.prop_map(str::to_owned), object(value), writing)
}

#[derive(Debug, Clone, Copy)]
enum Writing {
    Compact,
    Pretty,
    /// Writes some letters of every name and text as `\u00XX`.
    Escaped,
}

impl Writing {
    fn write(self, json: &Value) -> String {
        match self {
            Self::Compact => json.to_string(),
            Self::Pretty => format!("{json:#}"),
            Self::Escaped => json
                .to_string()
                .replace("typ", "t\\u0079p")
                .replace("err", "e\\u0072r")
                .replace("ndex", "nde\\u0078")
                .replace("eason", "\\u0065ason"),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 2000,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn scan_and_skim_find_what_a_json_parser_finds(
        api in prop::sample::select(vec![Api::Chat, Api::Responses, Api::Messages, Api::Gemini]),
        events in prop::collection::vec(event(), 1..6),
    ) {
        let mut contract = api.contract();
        let mut oracle = Oracle { api, choices: Default::default(), blocked: false, complete: false };
        for (kind, json, writing) in events {
            let event = Event::new(writing.write(&json)).with_event_type(&kind);
            let meaning = contract.observe(&event);
            prop_assert_eq!(meaning, oracle.observe(&kind, &json), "{:?}", event);
            if meaning == Meaning::Error {
                prop_assert!(!contract.is_complete());
                break;
            }
            prop_assert_eq!(contract.is_complete(), oracle.is_whole(), "{:?}", event);
        }
    }
}
