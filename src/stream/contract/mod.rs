//! [`Contract`]: what completes an answer, what is an error within it, what only keeps it alive.
//!
//! A byte's way through it: [`Contract::observe`] asks the closures, then `api`, which scans the
//! data (`scan`) and, where that finds something, walks its JSON (`skim`) for the few members that
//! decide; `choices` remembers which choices have ended. There is no I/O and no clock in here.

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

/// What completes one answer, what is an error within it, and what only keeps it alive.
///
/// There is one for each of four APIs, and [`new`](Self::new) begins one for any other. Closures
/// can be added to all of them.
///
/// | | whole with | or when the body ends after | errors | only keep it alive |
/// |---|---|---|---|---|
/// | [`openai_chat`](Self::openai_chat) | `[DONE]` | a finish reason for every choice | `error` | `ping`, `keepalive` |
/// | [`openai_responses`](Self::openai_responses) | `response.completed`, `response.incomplete` | | `error`, `response.failed` | `keepalive`, `ping` |
/// | [`anthropic_messages`](Self::anthropic_messages) | `message_stop` | | `error` | `ping`, `keepalive` |
/// | [`gemini`](Self::gemini) | | a finish reason for every candidate, or a block reason | `error` | `ping`, `keepalive` |
///
/// Each of these names counts as the event type and as the `type` of the JSON, so that a gateway
/// may leave out `event:` lines or add them. An `error` at the top of the JSON is an error as
/// well, as long as it says something: `null`, `""`, `{}`, `[]`, `0` and `false` do not. Empty
/// data and data that begins with a colon (`data: : keepalive`, which Vertex AI sends) only keep
/// the answer alive, too. So does a `[DONE]` that a gateway appends where the API has none: it
/// makes nothing whole.
///
/// Once the answer itself has said that it is whole, what becomes of its connection doesn't matter:
/// a body that breaks off after a finish reason, or a time limit that passes, is a normal end.
/// Where the end of the body is all there is to go by ([`or_at_end`](Self::or_at_end)), only an end
/// without an error counts.
///
/// # Without a stream
///
/// A contract does no I/O: [`observe`](Self::observe) takes events from anywhere, and
/// [`is_complete`](Self::is_complete) says whether they were a whole answer.
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
/// # What it costs
///
/// An event's bytes are scanned for the few names that matter, and its JSON is looked at only
/// where one of them is found. The usual event, of 90 to 270 bytes, takes 1,300 to 1,900
/// instructions, some 100 ns: half of what `serde_json` takes to skip it. One with a finish reason
/// takes 7,100, one of a megabyte 0.16 ms. Nothing is allocated, and all of it is linear.
///
/// It takes JSON that a strict parser refuses for a lone half of a surrogate pair, and names that
/// are escaped (`"\u0074ype"`). A name that is given twice counts as the last one does.
pub struct Contract {
    api: Option<Api>,
    closures: Vec<(Rule, Predicate)>,
    /// Whether the end of the body alone completes nothing.
    has_an_end: bool,
    /// Whether the end of the body completes it, wherever that is.
    ends_anywhere: bool,
    progress: Progress,
}

/// What a closure decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rule {
    Error,
    KeepAlive,
    Last,
    EndMarker,
    MayEnd,
}

/// How far the answer has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Progress {
    Open,
    /// The end of the body would complete it.
    MayEnd,
    Complete,
    Failed,
}

impl Contract {
    /// A contract that asks for nothing: every event is an item, and the answer is complete when
    /// the body ends. What else holds is said with the methods that follow.
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

    /// OpenAI's [Chat Completions], and what has its shape: Azure, OpenRouter, Mistral, Groq,
    /// DeepSeek, vLLM, llama.cpp, Ollama, LiteLLM.
    ///
    /// * `[DONE]` completes the answer, whatever came before it, and is not an item.
    /// * Where it does not come, the answer is whole if the body ends once every choice that was
    ///   seen has a finish reason that is more than `null` or `""` ([Ollama] sent that). With
    ///   `n` over 1 the choices end one by one, and the first of them to end says nothing of the
    ///   others. Chunks without a choice, such as the usage after the finish reason or
    ///   [Azure's] first, change nothing.
    /// * An `error` is one wherever it stands beside the choices, or in one of them, and so are a
    ///   finish reason of `error` ([OpenRouter] documents all three), an event of the type
    ///   `error`, and `"object":"error"` ([vLLM]).
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

    /// OpenAI's [Responses].
    ///
    /// * `response.completed` completes the answer, and is an item: it holds the usage.
    /// * So does `response.incomplete`, whose `incomplete_details` say why the model stopped early:
    ///   what it wrote has been paid for, and asking again would pay twice. Look at its `status` to
    ///   tell them apart.
    /// * `response.failed` and `error` are errors. The event is in the error, with all it says.
    /// * `keepalive` is not an item. It is not documented, and [OpenAI's own clients][node] skip it.
    ///
    /// [Responses]: https://platform.openai.com/docs/api-reference/responses-streaming
    /// [node]: https://github.com/openai/openai-node/pull/1965
    #[must_use]
    pub fn openai_responses() -> Self {
        Self::of(Api::Responses)
    }

    /// Anthropic's [Messages], from Anthropic, Bedrock, Vertex AI or a gateway.
    ///
    /// * `message_stop` completes the answer, and is an item. A `stop_reason` alone does not.
    /// * `error` is an error: `overloaded_error`, for one.
    /// * `ping` is not an item; there may be any number of them.
    /// * A `[DONE]` behind `message_stop` ([OpenRouter] sends it) changes nothing.
    ///
    /// [Messages]: https://platform.claude.com/docs/en/build-with-claude/streaming
    /// [OpenRouter]: https://github.com/OpenRouterTeam/docs/issues/1
    #[must_use]
    pub fn anthropic_messages() -> Self {
        Self::of(Api::Messages)
    }

    /// `streamGenerateContent` of [Gemini] and [Vertex AI], with `alt=sse`.
    ///
    /// * No event completes the answer: it is whole if the body ends once every candidate that was
    ///   seen has a `finishReason`.
    /// * It is whole, too, if the body ends after a `promptFeedback` with a `blockReason`: the
    ///   prompt was refused, and there are no candidates.
    /// * An `error` at the top of the JSON is an error.
    ///
    /// Gemini has at times sent `STOP` with every chunk, as [gateways] still do: then nothing tells
    /// a whole answer from one that a proxy cut short.
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

    /// Takes an event for the last if `is_last` says so. It is an item.
    ///
    /// The closures are asked before the rules of an API are, and each of them until one says yes:
    /// first those for errors, then those for keep-alives, then those for the end.
    #[must_use]
    pub fn complete_when(self, is_last: impl FnMut(&Event) -> bool + MaybeSend + 'static) -> Self {
        self.with(Rule::Last, Box::new(is_last)).with_an_end()
    }

    /// Takes an event with this data for the mark that the answer is complete. It is not an item.
    /// White space around the data counts for nothing.
    #[must_use]
    pub fn complete_on_data(self, last: impl Into<String>) -> Self {
        let last = last.into();
        let is_last = move |event: &Event| event.data().trim() == last.trim();
        self.with(Rule::EndMarker, Box::new(is_last)).with_an_end()
    }

    /// Takes an event for an error if `is_error` says so.
    #[must_use]
    pub fn error_when(self, is_error: impl FnMut(&Event) -> bool + MaybeSend + 'static) -> Self {
        self.with(Rule::Error, Box::new(is_error))
    }

    /// Takes an event for a mere sign of life if `is_keep_alive` says so: it is not an item, and
    /// not progress.
    #[must_use]
    pub fn keep_alive_when(
        self,
        is_keep_alive: impl FnMut(&Event) -> bool + MaybeSend + 'static,
    ) -> Self {
        self.with(Rule::KeepAlive, Box::new(is_keep_alive))
    }

    /// Takes the answer for complete if the body ends, too, once `may_end` has said yes to an
    /// event: a finish reason, for servers that leave out the last event. It is asked about items
    /// only.
    #[must_use]
    pub fn or_at_end_after(
        self,
        may_end: impl FnMut(&Event) -> bool + MaybeSend + 'static,
    ) -> Self {
        self.with(Rule::MayEnd, Box::new(may_end)).with_an_end()
    }

    /// Takes the answer for complete if the body ends, too, wherever that is. An answer cut short
    /// between two events is not told from a whole one then.
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

    /// Says what the next event of the answer means.
    ///
    /// A contract is for one answer: it is done with once a meaning [is
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

    /// Whether the answer is complete if the body ends now.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        match self.progress {
            Progress::Complete | Progress::MayEnd => true,
            Progress::Failed => false,
            Progress::Open => !self.has_an_end || self.ends_anywhere || self.has_come(),
        }
    }

    /// Whether the answer itself has said that all of it is here. The end of the body, which may
    /// be missing, proves nothing more.
    pub(super) fn has_come(&self) -> bool {
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

/// As [`Contract::new`].
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
