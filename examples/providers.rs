//! One loop over four providers' streams: OpenAI Chat, OpenAI Responses, Anthropic and Gemini.
//!
//! ```text
//! cargo run --example providers                 # uses a built-in server for all four
//! cargo run --example providers -- BASE_URL     # uses another server
//! ```
//!
//! The loop is in `ask`. Each provider has a module below with everything that differs: the request, the
//! contract (which event completes an answer, and which reports an error), and where an event has its
//! text.

#[path = "support/explain.rs"]
mod explain;
#[path = "support/provider_server.rs"]
mod provider_server;
#[path = "support/terminal.rs"]
mod terminal;

use std::env;
use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Duration;

use everstream::{Contract, Error, RequestBuilderExt};
use futures_util::StreamExt;
use reqwest::{Client, RequestBuilder};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;

/// Everything that differs between providers.
trait Provider {
    const NAME: &'static str;
    /// The data of an event.
    type Piece: Piece;

    /// The request for an answer.
    fn request(client: &Client, base_url: &str, model: &str, prompt: &str) -> RequestBuilder;

    /// Which event completes an answer, and which reports an error.
    fn contract() -> Contract;
}

/// What the loop reads from an event's data.
trait Piece: DeserializeOwned {
    /// The next part of the answer.
    fn text(&self) -> Option<&str>;
    /// Why the answer ends; only the last pieces have it.
    fn finish(&self) -> Option<&str>;
}

/// Prints an answer as it arrives. This is the loop for all providers.
async fn ask<P: Provider>(api: &Api, model: &str) -> Result<(), Error> {
    let prompt = "Say something that flows.";
    let mut pieces = P::request(&api.client, &api.base_url, model, prompt)
        .events()
        .contract(P::contract())
        .event_timeout(Duration::from_secs(120)) // Comments and pings don't reset it.
        .await?
        .json::<P::Piece>();
    let mut finish = None;
    while let Some(piece) = pieces.next().await {
        match piece {
            Ok(piece) => {
                print(piece.text().unwrap_or_default());
                finish = piece.finish().map(str::to_owned).or(finish);
            }
            // If one event cannot be read, keep the rest of the answer.
            Err(error) if !error.is_final() => print("\u{fffd}"),
            Err(error) => return Err(error),
        }
    }
    if let Some(why) = finish {
        print(&format!("   [{}]", terminal::line(&why)));
    }
    Ok(())
}

/// Only `data:` lines with JSON; `[DONE]`, which is not JSON, completes an answer.
mod openai_chat {
    use super::*;

    pub(super) enum Chat {}

    #[derive(Deserialize)]
    pub(super) struct Chunk {
        choices: Vec<Choice>, // Empty in the chunk with the usage, and in Azure's first chunk.
    }

    #[derive(Deserialize)]
    struct Choice {
        #[serde(default)]
        delta: Delta,
        finish_reason: Option<String>,
    }

    #[derive(Default, Deserialize)]
    struct Delta {
        content: Option<String>,
    }

    impl Provider for Chat {
        const NAME: &'static str = "OpenAI Chat";
        type Piece = Chunk;

        fn request(client: &Client, base_url: &str, model: &str, prompt: &str) -> RequestBuilder {
            client
                .post(format!("{base_url}/v1/chat/completions"))
                .bearer_auth("a key")
                .json(&json!({
                    "model": model,
                    "messages": [{ "role": "user", "content": prompt }],
                    "stream": true,
                }))
        }

        fn contract() -> Contract {
            Contract::openai_chat()
        }
    }

    impl Piece for Chunk {
        fn text(&self) -> Option<&str> {
            self.choices.first()?.delta.content.as_deref()
        }

        fn finish(&self) -> Option<&str> {
            self.choices.first()?.finish_reason.as_deref()
        }
    }
}

/// The event type equals the `type` of the JSON, which is there even if a gateway drops the `event:`
/// line. There is no `[DONE]`: `response.completed` or `response.incomplete` completes the response.
mod openai_responses {
    use super::*;

    pub(super) enum Responses {}

    #[derive(Deserialize)]
    #[serde(tag = "type")]
    pub(super) enum Message {
        #[serde(rename = "response.output_text.delta")]
        Delta { delta: String },
        #[serde(rename = "response.completed", alias = "response.incomplete")]
        Done { response: Response },
        /// There are dozens of others, and OpenAI adds new ones.
        #[serde(other)]
        Other,
    }

    #[derive(Deserialize)]
    pub(super) struct Response {
        status: String,
    }

    impl Provider for Responses {
        const NAME: &'static str = "OpenAI Responses";
        type Piece = Message;

        fn request(client: &Client, base_url: &str, model: &str, prompt: &str) -> RequestBuilder {
            client
                .post(format!("{base_url}/v1/responses"))
                .bearer_auth("a key")
                .json(&json!({ "model": model, "input": prompt, "stream": true }))
        }

        fn contract() -> Contract {
            Contract::openai_responses()
        }
    }

    impl Piece for Message {
        fn text(&self) -> Option<&str> {
            match self {
                Self::Delta { delta } => Some(delta),
                _ => None,
            }
        }

        fn finish(&self) -> Option<&str> {
            match self {
                Self::Done { response } => Some(&response.status),
                _ => None,
            }
        }
    }
}

/// From `message_start` to `message_stop`, with some `ping` events.
mod anthropic {
    use super::*;

    pub(super) enum Messages {}

    #[derive(Deserialize)]
    #[serde(tag = "type", rename_all = "snake_case")]
    pub(super) enum Data {
        ContentBlockDelta {
            delta: Delta,
        },
        MessageDelta {
            delta: Stop,
        },
        /// `ping`, all other types, and types that are added later.
        #[serde(other)]
        Other,
    }

    #[derive(Deserialize)]
    pub(super) struct Delta {
        text: Option<String>,
    }

    #[derive(Deserialize)]
    pub(super) struct Stop {
        stop_reason: Option<String>,
    }

    impl Provider for Messages {
        const NAME: &'static str = "Anthropic";
        type Piece = Data;

        fn request(client: &Client, base_url: &str, model: &str, prompt: &str) -> RequestBuilder {
            client
                .post(format!("{base_url}/v1/messages"))
                .header("x-api-key", "a key")
                .header("anthropic-version", "2023-06-01")
                .json(&json!({
                    "model": model,
                    "max_tokens": 1024,
                    "messages": [{ "role": "user", "content": prompt }],
                    "stream": true,
                }))
        }

        fn contract() -> Contract {
            Contract::anthropic_messages()
        }
    }

    impl Piece for Data {
        fn text(&self) -> Option<&str> {
            match self {
                Self::ContentBlockDelta { delta } => delta.text.as_deref(),
                _ => None,
            }
        }

        fn finish(&self) -> Option<&str> {
            match self {
                Self::MessageDelta { delta } => delta.stop_reason.as_deref(),
                _ => None,
            }
        }
    }
}

/// Lines end with CRLF. The answer ends with the body, and is complete if a `finishReason` came before.
mod gemini {
    use super::*;

    pub(super) enum Gemini {}

    #[derive(Deserialize)]
    pub(super) struct Chunk {
        #[serde(default)]
        candidates: Vec<Candidate>,
    }

    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Candidate {
        #[serde(default)]
        content: Content,
        finish_reason: Option<String>,
    }

    #[derive(Default, Deserialize)]
    struct Content {
        #[serde(default)]
        parts: Vec<Part>,
    }

    #[derive(Deserialize)]
    struct Part {
        text: Option<String>,
    }

    impl Provider for Gemini {
        const NAME: &'static str = "Gemini";
        type Piece = Chunk;

        fn request(client: &Client, base_url: &str, model: &str, prompt: &str) -> RequestBuilder {
            client
                .post(format!(
                    "{base_url}/v1beta/models/{model}:streamGenerateContent?alt=sse"
                ))
                .header("x-goog-api-key", "a key")
                .json(&json!({ "contents": [{ "parts": [{ "text": prompt }] }] }))
        }

        fn contract() -> Contract {
            Contract::gemini()
        }
    }

    impl Piece for Chunk {
        fn text(&self) -> Option<&str> {
            self.candidates
                .first()?
                .content
                .parts
                .first()?
                .text
                .as_deref()
        }

        fn finish(&self) -> Option<&str> {
            self.candidates.first()?.finish_reason.as_deref()
        }
    }
}

/// The client and the server to use.
struct Api {
    client: Client,
    base_url: String,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let server = provider_server::start().await;
    let (client, base_url) = match env::args().nth(1) {
        Some(url) => (
            everstream::reqwest013::client_builder(),
            url.trim_end_matches('/').to_owned(),
        ),
        // A proxy cannot reach the built-in server.
        None => (
            everstream::reqwest013::client_builder().no_proxy(),
            server.url("").trim_end_matches('/').to_owned(),
        ),
    };
    let client = client.build().expect("a client with these options");
    let api = Api { client, base_url };

    let mut all_well = true;
    all_well &= show::<openai_chat::Chat>(&api, "gpt-4.1-mini").await;
    all_well &= show::<openai_responses::Responses>(&api, "gpt-4.1-mini").await;
    all_well &= show::<anthropic::Messages>(&api, "claude-haiku-4-5").await;
    all_well &= show::<gemini::Gemini>(&api, "gemini-2.5-flash").await;
    if all_well {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Prints one provider's answer, and returns whether it was complete.
async fn show<P: Provider>(api: &Api, model: &str) -> bool {
    print(&format!("{:<17} ", P::NAME));
    let answered = ask::<P>(api, model).await;
    print("\n");
    if let Err(error) = &answered {
        let said = explain::explain(error);
        let _ = writeln!(io::stderr(), "providers: {}: {said}", P::NAME);
    }
    answered.is_ok()
}

/// Prints and flushes, and ignores errors.
fn print(text: &str) {
    let mut stdout = io::stdout().lock();
    let _ = stdout
        .write_all(terminal::harmless(text).as_bytes())
        .and_then(|()| stdout.flush());
}
