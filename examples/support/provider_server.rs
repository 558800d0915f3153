//! A server that imitates the streams of four providers.

use std::time::Duration;

use everstream::Event;
use everstream::testing::{Reply, Request, Server};
use serde_json::{Value, json};

const ANSWER: [&str; 6] = ["Rivers", ", lava", ", time", " and", " this", " text."];

/// Starts the server. It ends when it is dropped.
pub(crate) async fn start() -> Server {
    Server::start(answer).await
}

fn answer(request: &Request) -> Reply {
    let asked = serde_json::from_slice::<Value>(request.body()).unwrap_or_default();
    let streams = asked["stream"] == true;
    match (request.method().as_str(), request.path()) {
        ("POST", "/v1/chat/completions") if streams => openai_chat(),
        ("POST", "/v1/responses") if streams => openai_responses(),
        ("POST", "/v1/messages") if streams && request.header("anthropic-version").is_some() => {
            anthropic()
        }
        ("POST", "/v1beta/models/gemini-2.5-flash:streamGenerateContent")
            if request.target().ends_with("?alt=sse") =>
        {
            gemini()
        }
        _ => Reply::status(404)
            .content_type("application/json")
            .raw(r#"{"error":{"message":"Not found."}}"#),
    }
}

/// A short pause between two tokens.
fn breathe(reply: Reply) -> Reply {
    reply.pause(Duration::from_millis(30))
}

fn openai_chat() -> Reply {
    let chunk = |delta: Value, finish_reason: Value| {
        json!({
            "id": "chatcmpl-1",
            "object": "chat.completion.chunk",
            "created": 1_763_836_800,
            "model": "gpt-4.1-mini",
            "choices": [{ "index": 0, "delta": delta, "finish_reason": finish_reason }],
        })
        .to_string()
    };
    let start = chunk(json!({ "role": "assistant", "content": "" }), Value::Null);
    let mut reply = Reply::events().data(start);
    for token in ANSWER {
        reply = breathe(reply).data(chunk(json!({ "content": token }), Value::Null));
    }
    reply.data(chunk(json!({}), json!("stop"))).data("[DONE]")
}

fn openai_responses() -> Reply {
    let response = |status: &str| json!({ "id": "resp_1", "object": "response", "status": status });
    let mut messages = vec![
        json!({ "type": "response.created", "response": response("in_progress") }),
        json!({ "type": "response.in_progress", "response": response("in_progress") }),
        json!({ "type": "response.output_item.added", "output_index": 0, "item": { "type": "message" } }),
    ];
    messages.extend(ANSWER.map(
        |token| json!({ "type": "response.output_text.delta", "item_id": "msg_1", "delta": token }),
    ));
    messages.push(json!({ "type": "response.output_text.done", "text": ANSWER.concat() }));
    messages.push(json!({ "type": "response.completed", "response": response("completed") }));

    let mut reply = Reply::events();
    for (number, mut message) in messages.into_iter().enumerate() {
        message["sequence_number"] = json!(number);
        reply = breathe(reply).event(&named(&message));
    }
    reply
}

fn anthropic() -> Reply {
    let usage = json!({ "input_tokens": 12, "output_tokens": 1 });
    let mut messages = vec![
        json!({ "type": "message_start", "message": { "role": "assistant", "content": [], "usage": usage } }),
        json!({ "type": "content_block_start", "index": 0, "content_block": { "type": "text", "text": "" } }),
        json!({ "type": "ping" }),
    ];
    messages.extend(ANSWER.map(|token| {
        let delta = json!({ "type": "text_delta", "text": token });
        json!({ "type": "content_block_delta", "index": 0, "delta": delta })
    }));
    let delta = json!({ "stop_reason": "end_turn", "stop_sequence": null });
    messages.extend([
        json!({ "type": "content_block_stop", "index": 0 }),
        json!({ "type": "message_delta", "delta": delta, "usage": { "output_tokens": 8 } }),
        json!({ "type": "message_stop" }),
    ]);
    let reply = Reply::events();
    messages.iter().fold(reply, |reply, message| {
        breathe(reply).event(&named(message))
    })
}

fn gemini() -> Reply {
    let mut reply = Reply::events();
    for (n, token) in ANSWER.iter().enumerate() {
        let content = json!({ "parts": [{ "text": token }], "role": "model" });
        let mut candidate = json!({ "content": content, "index": 0 });
        if n + 1 == ANSWER.len() {
            candidate["finishReason"] = json!("STOP");
        }
        let chunk = json!({ "candidates": [candidate], "modelVersion": "gemini-2.5-flash" });
        // Its lines end with CRLF.
        reply = breathe(reply).raw(format!("data: {chunk}\r\n\r\n"));
    }
    reply
}

/// An event whose type is the `type` of its JSON, as OpenAI and Anthropic send it.
fn named(message: &Value) -> Event {
    Event::new(message.to_string()).with_event_type(message["type"].as_str().unwrap_or_default())
}
