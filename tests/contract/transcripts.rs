//! Reads the rows of `tests/contract/transcripts`; their README says how they are written.

use everstream::Contract;

use crate::http::Recording;

/// An answer, and the expected result.
#[derive(Debug, Clone)]
pub struct Row {
    pub name: String,
    pub api: Api,
    pub body: String,
    /// How many events are parts of the answer.
    pub items: usize,
    pub outcome: Outcome,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Complete, or complete if the body ends, once this many bytes have arrived.
    Whole { from: usize },
    /// Complete with its `[DONE]`, and incomplete without it.
    OnlyWithMark { from: usize },
    /// An error, once this many bytes have arrived.
    Fails { from: usize },
    /// Never complete.
    Cut,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Api {
    Chat,
    Responses,
    Messages,
    Gemini,
}

impl Api {
    pub fn contract(self) -> Contract {
        match self {
            Self::Chat => Contract::openai_chat(),
            Self::Responses => Contract::openai_responses(),
            Self::Messages => Contract::anthropic_messages(),
            Self::Gemini => Contract::gemini(),
        }
    }
}

macro_rules! file {
    ($name:literal) => {
        include_str!(concat!("transcripts/", $name))
    };
}

/// All rows.
pub fn all() -> Vec<Row> {
    let written = [
        (Api::Chat, file!("chat.txt")),
        (Api::Responses, file!("responses.txt")),
        (Api::Messages, file!("messages.txt")),
        (Api::Gemini, file!("gemini.txt")),
    ];
    let mut rows: Vec<Row> = written
        .into_iter()
        .flat_map(|(api, file)| file.split("=== ").skip(1).map(move |row| (api, row)))
        .map(|(api, row)| {
            let (title, row) = row.split_once('\n').expect("a title");
            let (verdict, body) = row.split_once('\n').expect("what is to come of it");
            Row::new(format!("{api:?}: {title}"), api, verdict, body.into())
        })
        .collect();
    for (api, verdict, body) in [
        (
            Api::Messages,
            "fails 2 by overloaded_error",
            file!("anthropic-error-without-event-line.sse"),
        ),
        (
            Api::Chat,
            r#"whole 2 by "finish_reason":"stop""#,
            file!("chat-without-done.sse"),
        ),
        (
            Api::Responses,
            "whole 3 by response.completed",
            file!("responses-without-event-lines.sse"),
        ),
        (
            Api::Chat,
            "whole 2 only by [DONE]",
            file!("surrogate-halves.sse"),
        ),
    ] {
        rows.push(Row::new(verdict.into(), api, verdict, body.into()));
    }
    for (api, verdict, recording) in [
        (
            Api::Chat,
            r#"whole 10 by "finish_reason":"stop""#,
            "aimock-chat",
        ),
        (Api::Gemini, "whole 8 by finishReason", "aimock-gemini"),
        (Api::Messages, "whole 13 by message_stop", "aimock-messages"),
        (
            Api::Responses,
            "whole 16 by response.completed",
            "aimock-responses",
        ),
        (
            Api::Chat,
            r#"whole 12 by "finish_reason":"length""#,
            "llama-chat",
        ),
    ] {
        let body = Recording::load(recording).body();
        let body = String::from_utf8(body).expect("UTF-8");
        rows.push(Row::new(recording.into(), api, verdict, body));
    }
    rows
}

impl Row {
    fn new(name: String, api: Api, verdict: &str, body: String) -> Self {
        let (verdict, text) = verdict.split_once(" by ").unwrap_or((verdict, ""));
        // The decisive event ends with the first blank line after the text.
        let from = || {
            let at = body.find(text).expect("the text is there");
            at + body[at..].find("\n\n").expect("a blank line") + 2
        };
        let words: Vec<&str> = verdict.split(' ').collect();
        let outcome = match words[..] {
            ["whole", _] => Outcome::Whole { from: from() },
            ["whole", _, "only"] => Outcome::OnlyWithMark { from: from() },
            ["fails", _] => Outcome::Fails { from: from() },
            ["cut", _] => Outcome::Cut,
            _ => panic!("{name}: {verdict}"),
        };
        let items = words[1].parse().expect("a number");
        Self {
            name,
            api,
            body,
            items,
            outcome,
        }
    }
}
