//! A ChatGPT-style answer in the terminal, token by token.
//!
//! ```text
//! cargo run --example chat                      # prompts for a question
//! cargo run --example chat -- What is Rust?
//! cargo run --example chat -- --help            # how to use a real model
//! ```

#[path = "support/chat_server.rs"]
mod chat_server;
#[path = "support/explain.rs"]
mod explain;
#[path = "support/terminal.rs"]
mod terminal;

use std::collections::BTreeSet;
use std::env;
use std::error::Error;
use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use everstream::testing::Server;
use everstream::{Contract, RequestBuilderExt};
use futures_util::StreamExt;
use serde::Deserialize;
use serde_json::json;

/// Sends a question to a ChatGPT-style API, and prints the answer as it arrives.
///
/// Without a key or a URL, it uses a built-in server.
#[derive(Parser)]
#[command(name = "chat", version, after_help = AFTER_HELP)]
struct Args {
    /// The question; if missing, the program prompts for it
    #[arg(trailing_var_arg = true)]
    question: Vec<String>,
    /// Give up if no event arrives for this long, even if comments do; 0 means never
    #[arg(long, value_name = "MS", default_value_t = 120_000)]
    event_timeout: u64,
}

const AFTER_HELP: &str = "\
Environment:
  OPENAI_API_KEY   The key; without OPENAI_BASE_URL, it is used with OpenAI's API
  OPENAI_BASE_URL  A compatible server, such as http://localhost:11434/v1
  OPENAI_MODEL     The model; gpt-4.1-mini by default

Control characters in an answer are printed as symbols, such as ␛. This also applies to pipes and
files, because their content may be shown in a terminal later.

The exit code is 0 after a complete answer, 1 after an error, 2 for invalid options, 130 after ^C.";

const DEFAULT_QUESTION: &str = "How does your answer get to my terminal?";

// The fields that we read. Events have many more; serde ignores the rest.

#[derive(Deserialize)]
struct Chunk {
    #[serde(default)]
    choices: Vec<Choice>,
    usage: Option<Usage>,
}

#[derive(Deserialize)]
struct Choice {
    #[serde(default)]
    delta: Delta,
    finish_reason: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Delta {
    content: Option<String>,
    /// Sent instead of `content` if the model refuses to answer.
    refusal: Option<String>,
    tool_calls: Option<Vec<ToolCall>>,
}

/// A part of a tool call. The first part of each call has the tool's name.
#[derive(Deserialize)]
struct ToolCall {
    function: Option<Function>,
}

#[derive(Deserialize)]
struct Function {
    name: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Usage {
    prompt_tokens: u64,
    completion_tokens: u64,
}

/// Sends the question, and prints the answer as it arrives. This is the whole client.
async fn chat(api: &Api, question: &str, limit: Option<Duration>) -> Result<(), Box<dyn Error>> {
    let mut chunks = api
        .request(question)
        .events()
        .contract(Contract::openai_chat()) // If the stream ends before `[DONE]`, it was cut short.
        .event_timeout(limit) // Keep-alive comments don't reset this limit.
        .await? // An error here holds the server's response.
        .json::<Chunk>();

    let (mut finish_reason, mut usage, mut unreadable) = (None, None, 0);
    let (mut has_text, mut tools) = (false, BTreeSet::new());
    while let Some(chunk) = chunks.next().await {
        let chunk = match chunk {
            Ok(chunk) => chunk,
            // If one event cannot be read, keep the rest of the answer.
            Err(error) if !error.is_final() => {
                print("\u{fffd}")?;
                unreadable += 1;
                continue;
            }
            Err(error) => return Err(error.into()),
        };
        for choice in chunk.choices {
            let Delta {
                content,
                refusal,
                tool_calls,
            } = choice.delta;
            for text in [content, refusal].iter().flatten() {
                print(text)?;
                has_text |= !text.is_empty();
            }
            let calls = tool_calls.into_iter().flatten();
            tools.extend(calls.filter_map(|call| call.function?.name));
            finish_reason = choice.finish_reason.or(finish_reason);
        }
        usage = chunk.usage.or(usage);
    }
    let ran_out = finish_reason.as_deref() == Some("length");
    print(match (ran_out, has_text || unreadable > 0) {
        (true, _) => " […]\n",
        (false, true) => "\n",
        (false, false) => "",
    })?;
    if !has_text {
        note(&without_text(&tools, finish_reason.as_deref()));
    }
    if unreadable > 0 {
        note(&format!("(Unreadable events: {unreadable}.)"));
    }
    if let Some(usage) = usage.filter(|_| io::stderr().is_terminal()) {
        let Usage {
            prompt_tokens: asked,
            completion_tokens: answered,
        } = usage;
        note(&format!(
            "({asked} tokens in the question, {answered} in the answer)"
        ));
    }
    Ok(())
}

/// Why the answer has no text.
fn without_text(tools: &BTreeSet<String>, finish_reason: Option<&str>) -> String {
    if !tools.is_empty() {
        let tools: Vec<_> = tools.iter().map(String::as_str).collect();
        let tools = terminal::line(&tools.join(", "));
        return format!("(The answer has no text, only tool calls: {tools}.)");
    }
    match finish_reason {
        Some(why) => format!(
            "(The answer has no text. Finish reason: {}.)",
            terminal::line(why)
        ),
        None => "(The answer has no text.)".to_owned(),
    }
}

/// The API to use, and the key for it.
struct Api {
    client: reqwest::Client,
    base_url: String,
    key: Option<String>,
    model: String,
    /// The built-in server, if it is used.
    _built_in: Option<Server>,
}

impl Api {
    async fn from_env() -> Self {
        let var = |name| env::var(name).ok().filter(|value| !value.is_empty());
        let key = var("OPENAI_API_KEY");
        let mut client = everstream::reqwest013::client_builder();
        let mut built_in = None;
        let base_url = match (var("OPENAI_BASE_URL"), &key) {
            (Some(url), _) => url,
            (None, Some(_)) => "https://api.openai.com/v1".to_owned(),
            (None, None) => {
                note(
                    "(This is the built-in server. For a real one, set OPENAI_API_KEY or OPENAI_BASE_URL.)",
                );
                // A proxy cannot reach the built-in server.
                client = client.no_proxy();
                built_in.insert(chat_server::start().await).url("/v1")
            }
        };
        Self {
            client: client.build().expect("a client with these options"),
            base_url: base_url.trim_end_matches('/').to_owned(),
            key,
            model: var("OPENAI_MODEL").unwrap_or_else(|| "gpt-4.1-mini".to_owned()),
            _built_in: built_in,
        }
    }

    fn request(&self, question: &str) -> reqwest::RequestBuilder {
        let request = self
            .client
            .post(format!("{}/chat/completions", self.base_url))
            .json(&json!({
                "model": self.model,
                "messages": [{ "role": "user", "content": question }],
                "stream": true,
                "stream_options": { "include_usage": true },
            }));
        match &self.key {
            Some(key) => request.bearer_auth(key),
            None => request,
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let args = Args::parse();
    let Ok(question) = question(&args.question) else {
        return ExitCode::FAILURE;
    };
    let limit = (args.event_timeout > 0).then(|| Duration::from_millis(args.event_timeout));
    let api = Api::from_env().await;
    let answered = tokio::select! {
        answered = chat(&api, &question, limit) => answered,
        // This drops the answer, and so closes the connection.
        _ = tokio::signal::ctrl_c() => {
            tell("");
            return ExitCode::from(130);
        }
    };
    let Err(error) = answered else {
        return ExitCode::SUCCESS;
    };
    match error.downcast_ref::<everstream::Error>() {
        Some(error) => {
            // Keep what was printed of the answer on its own line.
            if error.events_before() > 0 {
                let _ = print("\n");
            }
            let cut = if error.is_incomplete() {
                "the answer was cut short: "
            } else {
                ""
            };
            tell(&format!("chat: {cut}{}", explain::explain(error)));
            ExitCode::FAILURE
        }
        // Printing failed because the reader has closed the pipe.
        None => ExitCode::SUCCESS,
    }
}

/// The question: from the arguments, or typed in.
fn question(words: &[String]) -> io::Result<String> {
    let mut question = words.join(" ");
    if question.is_empty() && io::stdin().is_terminal() {
        write!(io::stderr(), "Your question (Enter for a default one): ")?;
        io::stdin().read_line(&mut question)?;
    }
    let question = question.trim();
    Ok(match question {
        "" => DEFAULT_QUESTION.to_owned(),
        question => question.to_owned(),
    })
}

/// Prints and flushes: otherwise, a terminal only shows complete lines.
fn print(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(terminal::harmless(text).as_bytes())?;
    stdout.flush()
}

/// Prints text that is not part of the answer, dimmed if stderr is a terminal.
fn note(text: &str) {
    if io::stderr().is_terminal() && env::var_os("NO_COLOR").is_none_or(|no| no.is_empty()) {
        tell(&format!("\x1b[2m{text}\x1b[0m"));
    } else {
        tell(text);
    }
}

/// Prints to stderr, and ignores errors.
fn tell(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}
