//! The events of the providers' APIs, as documented, and as gateways change them.

use super::{
    Meaning,
    choices::{self, Choices},
    scan, skim,
};

/// A supported API, and the state of its answer.
#[derive(Debug, Clone, Copy)]
pub(super) enum Api {
    Chat(Choices),
    Responses,
    Messages,
    Gemini { candidates: Choices, blocked: bool },
}

/// Event types that are keep-alives in every API: Anthropic documents `ping`; OpenAI's Responses
/// send `keepalive`, which is undocumented and which OpenAI's clients skip.
const KEEP_ALIVE: [&str; 2] = ["ping", "keepalive"];

/// OpenAI's clients, too, only check the start of the data.
const DONE: &[u8] = b"[DONE]";

/// The top-level members of an event's JSON that matter.
#[derive(Default)]
struct Top<'a> {
    /// The raw text of `type` between its quotes.
    kind: Option<&'a [u8]>,
    /// `object` is `error`, as sent by vLLM and FastChat.
    is_error_object: bool,
    /// There is an `error` that is not empty.
    has_error: bool,
    choices: Option<&'a [u8]>,
    candidates: Option<&'a [u8]>,
    feedback: Option<&'a [u8]>,
}

impl<'a> Top<'a> {
    /// `None` if the data is not one complete object.
    fn of(data: &'a [u8]) -> Option<Self> {
        let mut top = Self::default();
        skim::members(data, |name, value| {
            if skim::is(name, "type") {
                top.kind = skim::string(value);
            } else if skim::is(name, "error") {
                top.has_error = skim::is_truthy(value);
            } else if skim::is(name, "choices") {
                top.choices = Some(value);
            } else if skim::is(name, "object") {
                top.is_error_object = skim::string(value).is_some_and(|raw| skim::is(raw, "error"));
            } else if skim::is(name, "candidates") {
                top.candidates = Some(value);
            } else if skim::is(name, "promptFeedback") {
                top.feedback = Some(value);
            }
        })?;
        Some(top)
    }

    fn is_any(&self, kinds: &[&str]) -> bool {
        let is_it = |kind: &&str| self.kind.is_some_and(|raw| skim::is(raw, kind));
        kinds.iter().any(is_it)
    }
}

impl Api {
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Chat(_) => "openai_chat",
            Self::Responses => "openai_responses",
            Self::Messages => "anthropic_messages",
            Self::Gemini { .. } => "gemini",
        }
    }

    /// Returns what an event with this type and data means.
    pub(super) fn observe(&mut self, kind: &str, data: &str) -> Meaning {
        let data = data.trim_ascii().as_bytes();
        if self.errors().contains(&kind) {
            return Meaning::Error;
        }
        let is_last = self.last().contains(&kind);
        match data.first() {
            Some(b'{') if is_last || self.may_matter(data) => {}
            Some(b'[') if data.starts_with(DONE) => return self.done(is_last),
            // `message_stop` needs no data: the usage was sent before it.
            None if is_last && matches!(self, Self::Messages) => return Meaning::EndMarker,
            None | Some(b':') => return Meaning::KeepAlive,
            Some(_) => return self.by_type(kind),
        }
        // Only an unfinished event can hold a truncated object. It completes nothing.
        Top::of(data).map_or(Meaning::Item, |top| self.meaning_of_json(kind, &top))
    }

    /// Whether the answer is complete if the body ends now.
    pub(super) fn may_end(&self) -> bool {
        match self {
            Self::Chat(choices) => choices.are_finished(),
            Self::Gemini {
                candidates,
                blocked,
            } => *blocked || candidates.are_finished(),
            Self::Responses | Self::Messages => false,
        }
    }

    /// The types that complete the answer.
    fn last(&self) -> &'static [&'static str] {
        match self {
            Self::Responses => &["response.completed", "response.incomplete"],
            Self::Messages => &["message_stop"],
            Self::Chat(_) | Self::Gemini { .. } => &[],
        }
    }

    /// The types that are errors.
    fn errors(&self) -> &'static [&'static str] {
        match self {
            Self::Responses => &["error", "response.failed"],
            Self::Messages | Self::Chat(_) | Self::Gemini { .. } => &["error"],
        }
    }

    /// `[DONE]` completes a chat. Gateways also append it to answers of the other APIs. There, it
    /// only counts if the answer is complete without it.
    fn done(&self, is_last: bool) -> Meaning {
        match is_last || self.may_end() || matches!(self, Self::Chat(_)) {
            true => Meaning::EndMarker,
            false => Meaning::KeepAlive,
        }
    }

    fn by_type(&self, kind: &str) -> Meaning {
        if self.last().contains(&kind) {
            Meaning::Last
        } else if KEEP_ALIVE.contains(&kind) {
            Meaning::KeepAlive
        } else {
            Meaning::Item
        }
    }

    /// Scans the bytes: whether the data could mean anything other than an ordinary item.
    fn may_matter(&self, data: &[u8]) -> bool {
        let of_the_api = match self {
            Self::Chat(choices) => {
                !choices.has_seen_the_first()
                    || scan::FINISH_REASON.is_in_with(data, scan::is_given)
                    || scan::INDEX.is_in_with(data, scan::is_not_first)
            }
            Self::Gemini { candidates, .. } => {
                !candidates.has_seen_the_first()
                    || scan::GEMINI_FINISH_REASON.is_in_with(data, scan::is_given)
                    || scan::INDEX.is_in_with(data, scan::is_not_first)
                    || scan::BLOCK_REASON.is_in(data)
            }
            Self::Responses | Self::Messages => false,
        };
        of_the_api
            || scan::TYPE.is_in_with(data, |value| self.is_special(value))
            || scan::ERROR.is_in_with(data, scan::is_given)
            || scan::ESCAPED_ASCII.is_in(data)
    }

    /// Whether a `type` whose value starts like this has a special meaning.
    fn is_special(&self, value: &[u8]) -> bool {
        let Some(text) = value.strip_prefix(b"\"") else {
            return false;
        };
        let name = text.split(|byte| *byte == b'"').next().unwrap_or(text);
        let kinds = [self.last(), self.errors(), &KEEP_ALIVE];
        let mut kinds = kinds.into_iter().flatten();
        kinds.any(|kind| kind.as_bytes() == name)
    }

    /// Returns the meaning of an event by the members of its JSON.
    fn meaning_of_json(&mut self, kind: &str, top: &Top<'_>) -> Meaning {
        if top.has_error || top.is_error_object || top.is_any(self.errors()) {
            return Meaning::Error;
        }
        if top.is_any(self.last()) || self.last().contains(&kind) {
            return Meaning::Last;
        }
        if top.is_any(&KEEP_ALIVE) {
            return Meaning::KeepAlive;
        }
        let failed = match self {
            Self::Chat(choices) => top
                .choices
                .is_some_and(|it| choices.note(it, "finish_reason")),
            Self::Gemini {
                candidates,
                blocked,
            } => {
                *blocked |= top.feedback.is_some_and(blocks);
                top.candidates
                    .is_some_and(|it| candidates.note(it, "finishReason"))
            }
            Self::Responses | Self::Messages => false,
        };
        match failed {
            true => Meaning::Error,
            false => self.by_type(kind),
        }
    }
}

/// Whether `promptFeedback` says that the prompt was blocked.
fn blocks(feedback: &[u8]) -> bool {
    let mut blocks = false;
    let whole = skim::members(feedback, |name, value| {
        if skim::is(name, "blockReason") {
            blocks = choices::is_reason(value);
        }
    });
    whole.is_some() && blocks
}
