//! [`Contract`]: which events complete an answer, are errors, or only keep the connection alive.
//!
//! [`Contract::observe`] first calls the closures, then `api`. This scans the data (`scan`), and if
//! it finds something, walks the JSON (`skim`) to read the few members that matter. `choices`
//! records which choices have ended. This module uses no I/O and no clock.

mod api;
mod choices;
mod meaning;
mod scan;
mod skim;

use std::fmt;

pub use self::meaning::Meaning;
use self::{api::Api, choices::Choices};
use crate::{
    event::Event,
    transport::{MaybeSend, maybe_send::EventPredicate as Predicate},
};

/// Decides which events complete an answer, which are errors, and which only keep the connection
/// alive.
///
/// There are contracts for four APIs; start with [`new`](Self::new) for any other API. You can add
/// closures to all of them.
///
/// | | complete with | or if the body ends after | errors | keep-alives |
/// |---|---|---|---|---|
/// | [`openai_chat`](Self::openai_chat) | `[DONE]` | a finish reason for every choice | `error` | `ping`, `keepalive` |
/// | [`openai_responses`](Self::openai_responses) | `response.completed`, `response.incomplete` | | `error`, `response.failed` | `keepalive`, `ping` |
/// | [`anthropic_messages`](Self::anthropic_messages) | `message_stop` | | `error` | `ping`, `keepalive` |
/// | [`gemini`](Self::gemini) | | a finish reason for every candidate, or a block reason | `error` | `ping`, `keepalive` |
///
/// Each of these names is recognized both as the event type and as the `type` member of the JSON,
/// because gateways may remove or add `event:` lines. A top-level `error` member is an error, too,
/// unless it is empty: `null`, `""`, `{}`, `[]`, `0` or `false`. Empty data and data that starts
/// with a colon (Vertex AI sends `data: : keepalive`) are keep-alives, too. So is a `[DONE]` that a
/// gateway appends although the API has none: it does not complete the answer.
///
/// After an event that proves the answer complete, connection errors no longer matter: if the body
/// breaks off or exceeds a time limit after a finish reason, that is a normal end. If only the end
/// of the body completes the answer ([`or_at_end`](Self::or_at_end)), the body has to end without
/// an error.
///
/// # Without a stream
///
/// A contract does no I/O: [`observe`](Self::observe) takes events from any source, and
/// [`is_complete`](Self::is_complete) returns whether they form a complete answer.
///
/// ```
/// use everstream::{Contract, Meaning, Reader};
///
/// let body = concat!(
///     "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Hi\"}}]}\n\n",
///     "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n",
/// );
/// let mut contract = Contract::openai_chat();
/// for event in Reader::new(body.as_bytes()) {
///     let event = event?;
///     match contract.observe(&event) {
///         Meaning::Item => println!("{}", event.data()),
///         Meaning::Last => {
///             println!("{}", event.data());
///             break;
///         }
///         Meaning::EndMarker => break,
///         Meaning::Error => panic!("the answer failed: {}", event.data()),
///         Meaning::KeepAlive => {}
///         _ => {}
///     }
/// }
/// assert!(contract.is_complete(), "the answer was cut short");
/// # Ok::<(), everstream::Error>(())
/// ```
///
/// # Performance
///
/// The bytes of an event are scanned for the few names that matter, and its JSON is only read if
/// one of them is found. A typical event of 90 to 270 bytes takes 1,300 to 1,900 instructions,
/// about 100 ns; `serde_json` takes twice as long to skip it. An event with a finish reason takes
/// 7,100 instructions, and an event of one megabyte takes 0.16 ms. Nothing is allocated, and the
/// time is linear in the size.
///
/// A contract accepts JSON with lone surrogates, which strict parsers refuse, and escaped names
/// (`"\u0074ype"`). If a name occurs twice, the last one counts.
pub struct Contract {
    api: Option<Api>,
    closures: Vec<(Rule, Predicate)>,
    /// Whether something other than the end of the body completes the answer.
    has_an_end: bool,
    /// Whether the end of the body completes the answer after any event.
    ends_anywhere: bool,
    progress: Progress,
}

/// What a closure decides about an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rule {
    Error,
    KeepAlive,
    Last,
    EndMarker,
    MayEnd,
}

/// The state of the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Progress {
    Open,
    /// If the body ends now, the answer is complete.
    MayEnd,
    Complete,
    Failed,
}

impl Contract {
    /// Creates a contract without rules: every event is an item, and the answer is complete when
    /// the body ends. Add rules with the methods below.
    ///
    /// ```
    /// use everstream::{Contract, Event, Meaning};
    ///
    /// let mut contract = Contract::new()
    ///     .error_when(|event| event.event_type() == "failure")
    ///     .keep_alive_when(|event| event.event_type() == "heartbeat")
    ///     .complete_when(|event| event.event_type() == "done");
    /// let mut observe = |kind| contract.observe(&Event::new("{}").with_event_type(kind));
    /// assert_eq!(observe("heartbeat"), Meaning::KeepAlive);
    /// assert_eq!(observe("output"), Meaning::Item);
    /// assert_eq!(observe("done"), Meaning::Last);
    /// assert!(contract.is_complete());
    /// ```
    #[must_use]
    pub fn new() -> Self {
        Self {
            api: None,
            closures: Vec::new(),
            has_an_end: false,
            ends_anywhere: false,
            progress: Progress::Open,
        }
    }

    fn of(api: Api) -> Self {
        Self {
            api: Some(api),
            has_an_end: true,
            ..Self::new()
        }
    }

    /// Returns the contract for OpenAI's [Chat Completions] and compatible APIs: Azure, OpenRouter,
    /// Mistral, Groq, DeepSeek, vLLM, llama.cpp, Ollama, LiteLLM.
    ///
    /// * `[DONE]` completes the answer, whatever came before it, and is not an item.
    /// * Without `[DONE]`, the answer is complete if the body ends after every choice seen has a
    ///   finish reason other than `null` and `""` ([Ollama] sent `""`). If `n` is over 1, each
    ///   choice ends separately, and all of them have to end. Chunks without a choice, such as the
    ///   usage after the finish reason or [Azure's] first chunk, change nothing.
    /// * These are errors: an `error` member next to the choices or in one of them, a finish reason
    ///   of `error` ([OpenRouter] documents all three), an event of type `error`, and
    ///   `"object":"error"` ([vLLM]).
    ///
    /// [Chat Completions]: https://platform.openai.com/docs/api-reference/chat-streaming
    /// [Ollama]: https://github.com/ollama/ollama/issues/4357
    /// [Azure's]: https://learn.microsoft.com/en-us/azure/ai-services/openai/concepts/content-streaming
    /// [OpenRouter]: https://openrouter.ai/docs/api/reference/streaming
    /// [vLLM]: https://github.com/block/goose/pull/8031
    #[must_use]
    pub fn openai_chat() -> Self {
        Self::of(Api::Chat(Choices::default()))
    }

    /// Returns the contract for OpenAI's [Responses].
    ///
    /// * `response.completed` completes the answer, and is an item, as it contains the usage.
    /// * `response.incomplete` completes the answer, too, and is an item. Its `incomplete_details`
    ///   say why the model stopped early. It is not an error, because you have paid for the output,
    ///   and a retry would cost you twice. To tell the two apart, check the `status`.
    /// * `response.failed` and `error` are errors. The error holds the event.
    /// * `keepalive` is not an item. It is undocumented, and [OpenAI's own clients][node] skip it.
    ///
    /// [Responses]: https://platform.openai.com/docs/api-reference/responses-streaming
    /// [node]: https://github.com/openai/openai-node/pull/1965
    #[must_use]
    pub fn openai_responses() -> Self {
        Self::of(Api::Responses)
    }

    /// Returns the contract for Anthropic's [Messages], from Anthropic, Bedrock, Vertex AI or a
    /// gateway.
    ///
    /// * `message_stop` completes the answer, and is an item. A `stop_reason` alone does not.
    /// * `error` is an error, such as `overloaded_error`.
    /// * `ping` is not an item. There can be any number of pings.
    /// * A `[DONE]` after `message_stop` ([OpenRouter] sends it) changes nothing.
    ///
    /// [Messages]: https://platform.claude.com/docs/en/build-with-claude/streaming
    /// [OpenRouter]: https://github.com/OpenRouterTeam/docs/issues/1
    #[must_use]
    pub fn anthropic_messages() -> Self {
        Self::of(Api::Messages)
    }

    /// Returns the contract for `streamGenerateContent` of [Gemini] and [Vertex AI], with
    /// `alt=sse`.
    ///
    /// * No event completes the answer. It is complete if the body ends after every candidate seen
    ///   has a `finishReason`.
    /// * It is also complete if the body ends after a `promptFeedback` with a `blockReason`: the
    ///   prompt was refused, and there are no candidates.
    /// * A top-level `error` member is an error.
    ///
    /// Gemini has at times sent `STOP` with every chunk, and [gateways] still do. Then a complete
    /// answer can't be told from one that a proxy cut short.
    ///
    /// [Gemini]: https://ai.google.dev/api/generate-content
    /// [Vertex AI]: https://docs.cloud.google.com/vertex-ai/docs/reference/rest/v1beta1/GenerateContentResponse
    /// [gateways]: https://github.com/router-for-me/CLIProxyAPI/issues/5651
    #[must_use]
    pub fn gemini() -> Self {
        Self::of(Api::Gemini {
            candidates: Choices::default(),
            blocked: false,
        })
    }

    /// Completes the answer with an event for which `is_last` returns `true`. The event is an item.
    ///
    /// All closures take precedence over the rules of the API, and the first that returns `true`
    /// decides. They are called in this order: [`error_when`](Self::error_when),
    /// [`keep_alive_when`](Self::keep_alive_when), [`complete_when`](Self::complete_when),
    /// [`complete_on_data`](Self::complete_on_data).
    #[must_use]
    pub fn complete_when(self, is_last: impl FnMut(&Event) -> bool + MaybeSend + 'static) -> Self {
        self.with(Rule::Last, Box::new(is_last)).with_an_end()
    }

    /// Completes the answer with an event that has this data. The event is not an item. White space
    /// around the data is ignored.
    #[must_use]
    pub fn complete_on_data(self, last: impl Into<String>) -> Self {
        let last = last.into();
        let is_last = move |event: &Event| event.data().trim() == last.trim();
        self.with(Rule::EndMarker, Box::new(is_last)).with_an_end()
    }

    /// Treats an event as an error if `is_error` returns `true`.
    #[must_use]
    pub fn error_when(self, is_error: impl FnMut(&Event) -> bool + MaybeSend + 'static) -> Self {
        self.with(Rule::Error, Box::new(is_error))
    }

    /// Treats an event as a keep-alive if `is_keep_alive` returns `true`: it is neither an item nor
    /// progress.
    #[must_use]
    pub fn keep_alive_when(
        self,
        is_keep_alive: impl FnMut(&Event) -> bool + MaybeSend + 'static,
    ) -> Self {
        self.with(Rule::KeepAlive, Box::new(is_keep_alive))
    }

    /// Also treats the answer as complete if the body ends after `may_end` has returned `true` for
    /// an event, such as one with a finish reason. For servers that omit the last event. `may_end`
    /// is only called for items.
    #[must_use]
    pub fn or_at_end_after(
        self,
        may_end: impl FnMut(&Event) -> bool + MaybeSend + 'static,
    ) -> Self {
        self.with(Rule::MayEnd, Box::new(may_end)).with_an_end()
    }

    /// Also treats the answer as complete if the body ends after any event. An answer that is cut
    /// short between two events then counts as complete.
    ///
    /// ```
    /// use everstream::Contract;
    ///
    /// assert!(!Contract::openai_chat().is_complete());
    /// assert!(Contract::openai_chat().or_at_end().is_complete());
    /// ```
    #[must_use]
    pub fn or_at_end(mut self) -> Self {
        self.ends_anywhere = true;
        self
    }

    fn with(mut self, rule: Rule, closure: Predicate) -> Self {
        self.closures.push((rule, closure));
        self
    }

    fn with_an_end(mut self) -> Self {
        self.has_an_end = true;
        self
    }

    /// Returns what the next event of the answer means.
    ///
    /// A contract is for one answer. Don't use it after a meaning that [is
    /// final](Meaning::is_final).
    pub fn observe(&mut self, event: &Event) -> Meaning {
        let meaning = self.meaning(event);
        match meaning {
            Meaning::Last | Meaning::EndMarker => self.progress = Progress::Complete,
            Meaning::Error => self.progress = Progress::Failed,
            Meaning::Item if self.any(Rule::MayEnd, event) => self.progress = Progress::MayEnd,
            Meaning::Item | Meaning::KeepAlive => {}
        }
        meaning
    }

    /// Returns whether the answer is complete if the body ends now.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        match self.progress {
            Progress::Complete | Progress::MayEnd => true,
            Progress::Failed => false,
            Progress::Open => !self.has_an_end || self.ends_anywhere || self.is_proved_complete(),
        }
    }

    /// Whether an event has proved the answer complete, so that the end of the body is not needed.
    pub(super) fn is_proved_complete(&self) -> bool {
        match self.progress {
            Progress::Complete | Progress::MayEnd => true,
            Progress::Failed => false,
            Progress::Open => self.api.as_ref().is_some_and(Api::may_end),
        }
    }

    fn meaning(&mut self, event: &Event) -> Meaning {
        for (rule, meaning) in [
            (Rule::Error, Meaning::Error),
            (Rule::KeepAlive, Meaning::KeepAlive),
            (Rule::Last, Meaning::Last),
            (Rule::EndMarker, Meaning::EndMarker),
        ] {
            if self.any(rule, event) {
                return meaning;
            }
        }
        match &mut self.api {
            Some(api) => api.observe(event.event_type(), event.data()),
            None => Meaning::Item,
        }
    }

    fn any(&mut self, rule: Rule, event: &Event) -> bool {
        let mut closures = self.closures.iter_mut();
        closures.any(|(of, closure)| *of == rule && closure(event))
    }
}

/// The same as [`Contract::new`].
impl Default for Contract {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Contract {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Contract")
            .field("api", &self.api.as_ref().map(Api::name))
            .field("closures", &self.closures.len())
            .field("is_complete", &self.is_complete())
            .finish_non_exhaustive()
    }
}
