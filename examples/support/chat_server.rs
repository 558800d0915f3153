//! A ChatGPT-style server for the examples: OpenAI's chat API with a fixed answer.

use std::time::Duration;

use everstream::testing::{Reply, Request, Server};
use serde_json::{Value, json};

/// Starts the server. It ends when it is dropped.
pub(crate) async fn start() -> Server {
    Server::start(|request| answer(request, "/v1/chat/completions")).await
}

/// Answers a request as `POST /v1/chat/completions` of OpenAI's API would.
pub(crate) fn answer(request: &Request, path: &str) -> Reply {
    if request.path() != path {
        let message = format!(
            "Unknown request URL: {} {}.",
            request.method(),
            request.path()
        );
        return refuse(404, &message);
    }
    if request.method() != "POST" {
        return refuse(405, "Only POST is allowed.");
    }
    let Ok(asked) = serde_json::from_slice::<Value>(request.body()) else {
        return refuse(400, "We could not parse the JSON body of your request.");
    };
    if asked["stream"] != true {
        return refuse(400, "This server only streams: set `stream` to true.");
    }
    let last = asked["messages"].as_array().and_then(|all| all.last());
    let Some(prompt) = last.and_then(|message| message["content"].as_str()) else {
        return refuse(400, "`messages` must hold at least one message.");
    };
    stream(&asked, prompt)
}

/// The stream: the role, the tokens, the finish reason, the usage, and `[DONE]`.
fn stream(asked: &Value, prompt: &str) -> Reply {
    let model = asked["model"].as_str().unwrap_or("built-in");
    let chunk = |choices: Value, usage: Value| {
        json!({
            "id": "chatcmpl-built-in",
            "object": "chat.completion.chunk",
            "created": 1_763_836_800,
            "model": model,
            "choices": choices,
            "usage": usage,
        })
        .to_string()
    };
    let choice = |delta: Value, finish_reason: Value| {
        let choice = json!({ "index": 0, "delta": delta, "finish_reason": finish_reason });
        chunk(json!([choice]), Value::Null)
    };

    let text = text(prompt);
    let tokens: Vec<_> = tokens(&text).collect();
    let mut reply = Reply::events()
        .header("cache-control", "no-cache")
        .data(choice(
            json!({ "role": "assistant", "content": "" }),
            Value::Null,
        ));
    for token in &tokens {
        reply = reply
            .pause(Duration::from_millis(20))
            .data(choice(json!({ "content": token }), Value::Null));
    }
    reply = reply.data(choice(json!({}), json!("stop")));
    if asked["stream_options"]["include_usage"] == true {
        let usage = json!({
            "prompt_tokens": self::tokens(prompt).count(),
            "completion_tokens": tokens.len(),
            "total_tokens": self::tokens(prompt).count() + tokens.len(),
        });
        reply = reply.data(chunk(json!([]), usage));
    }
    reply.data("[DONE]")
}

fn text(prompt: &str) -> String {
    format!(
        "You asked: “{prompt}”\n\n\
         I am a small server inside this program. Your question arrived as one POST, which is sent \
         exactly once. My answer comes back as server-sent events: each word is a line of JSON after \
         `data:`, followed by a blank line. You see each word when it arrives. At the end, I send \
         `[DONE]`. If I stopped before that, you would get an error, not half an answer that looks \
         complete.\n\n\
         To ask a real model, set OPENAI_API_KEY or OPENAI_BASE_URL. 👋"
    )
}

/// Words with the white space before them, similar to a model's tokens.
fn tokens(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let word = rest.find(|c: char| !c.is_whitespace())?;
        let end = rest[word..]
            .find(char::is_whitespace)
            .map_or(rest.len(), |end| word + end);
        let (token, after) = rest.split_at(end);
        rest = after;
        Some(token)
    })
}

fn refuse(status: u16, message: &str) -> Reply {
    let error = json!({
        "error": {
            "message": message,
            "type": "invalid_request_error",
            "param": null,
            "code": null,
        }
    });
    Reply::status(status)
        .content_type("application/json")
        .length_delimited()
        .raw(error.to_string())
}
