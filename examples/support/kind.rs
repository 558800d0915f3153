//! What an event of a provider's is: by its `event:` line, or by its JSON. Some gateways pass on the
//! JSON and drop the line.

use everstream::Event;
use serde::Deserialize;
use serde_json::Value;

/// What tells the kinds of events apart.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Kind {
    r#type: Value,
    error: Value,
}

fn kind(event: &Event) -> Kind {
    event.json().unwrap_or_default()
}

/// Whether the event is of one of these types.
#[allow(dead_code, reason = "OpenAI's chat has no types")]
pub(crate) fn is_one_of(event: &Event, types: &[&str]) -> bool {
    let named = |name: &str| types.contains(&name);
    named(event.event_type()) || kind(event).r#type.as_str().is_some_and(named)
}

/// Whether the event reports an error: its type is `error`, or its JSON has an `error` in it.
pub(crate) fn is_error(event: &Event) -> bool {
    let kind = kind(event);
    event.event_type() == "error" || kind.r#type == "error" || !kind.error.is_null()
}
