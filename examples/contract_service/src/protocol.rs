//! The messages, as the harness's [specification] defines them.
//!
//! [specification]: https://github.com/launchdarkly/sse-contract-tests/blob/main/docs/service_spec.md

use std::collections::HashMap;

use everstream::Event;
use serde::{Deserialize, Serialize};

/// The optional parts of the suite that the harness should run.
///
/// `event-type-listeners` is missing because this crate's `EventSource` yields events of every type.
pub const CAPABILITIES: [&str; 10] = [
    "bom",
    "comments",
    "headers",
    "last-event-id",
    "payload-size-stress-testable",
    "post",
    "read-timeout",
    "report",
    "restart",
    "server-directed-shutdown-request",
];

/// The answer to `GET /`.
#[derive(Serialize)]
pub(crate) struct Status {
    pub(crate) name: &'static str,
    pub(crate) capabilities: &'static [&'static str],
}

/// The body of `POST /`: a stream to follow. Fields may be absent or `null`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CreateStream {
    pub(crate) stream_url: String,
    pub(crate) callback_url: String,
    pub(crate) tag: Option<String>,
    pub(crate) initial_delay_ms: Option<u64>,
    pub(crate) read_timeout_ms: Option<u64>,
    pub(crate) last_event_id: Option<String>,
    pub(crate) headers: Option<HashMap<String, String>>,
    pub(crate) method: Option<String>,
    pub(crate) body: Option<String>,
}

/// The body of `POST /streams/N`.
#[derive(Deserialize)]
#[serde(tag = "command", rename_all = "lowercase")]
pub(crate) enum Command {
    Restart,
    /// Names an event type to listen to. Does nothing, because the source yields all types.
    Listen,
}

/// The body of a callback.
#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub(crate) enum Message<'a> {
    Event {
        event: EventMessage<'a>,
    },
    Comment {
        comment: &'a str,
    },
    /// The specification puts the text into `comment`, but the harness reads `error`.
    Error {
        error: &'a str,
        comment: &'a str,
    },
}

#[derive(Serialize)]
pub(crate) struct EventMessage<'a> {
    r#type: &'a str,
    data: &'a str,
    id: &'a str,
}

impl<'a> Message<'a> {
    pub(crate) fn event(event: &'a Event) -> Self {
        Self::Event {
            event: EventMessage {
                r#type: event.event_type(),
                data: event.data(),
                id: event.id(),
            },
        }
    }

    pub(crate) fn error(text: &'a str) -> Self {
        Self::Error {
            error: text,
            comment: text,
        }
    }
}
