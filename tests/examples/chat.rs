use std::time::Duration;

use everstream::testing::{ClosedPort, Gate, Reply, Server};
use serde_json::{Value, json};
use tokio::process::Command;

use super::{Run, Running, example, run};

/// `chat` with a server of the test's.
fn chat(server: &Server) -> Command {
    chat_with(server, &["What", "is it?"])
}

fn chat_with(server: &Server, args: &[&str]) -> Command {
    let mut command = example("chat", args);
    command
        .env("OPENAI_BASE_URL", server.url("/v1/"))
        .env("OPENAI_API_KEY", "sk-test")
        .env("OPENAI_MODEL", "test-1");
    command
}

fn token(text: &str) -> String {
    json!({ "choices": [{ "index": 0, "delta": { "content": text }, "finish_reason": null }] })
        .to_string()
}

async fn answered(reply: Reply) -> Run {
    let server = Server::script([reply]).await;
    let run = run(chat(&server), "").await;
    server.verify();
    assert_eq!(server.requests().len(), 1, "a POST is sent once");
    run
}

fn failed(stdout: &str, stderr: &str) -> Run {
    Run {
        code: Some(1),
        stdout: stdout.to_owned(),
        stderr: format!("{stderr}\n"),
    }
}

#[tokio::test]
async fn the_built_in_server_answers() {
    let chat = run(example("chat", ["hello", "there"]), "").await;
    assert!(chat.stdout.starts_with("You asked: “hello there”\n"));
    assert!(chat.stdout.ends_with(" 👋\n"), "{:?}", chat.stdout);
    assert!(chat.stderr.contains("built-in server"), "{:?}", chat.stderr);
    assert_eq!(chat.stderr.lines().count(), 1);
    assert_eq!(chat.code, Some(0));
    assert!(!chat.stdout.contains('\x1b') && !chat.stderr.contains('\x1b'));
}

#[tokio::test]
async fn tokens_are_shown_as_they_arrive() {
    let gate = Gate::new();
    let usage = json!({ "prompt_tokens": 3, "completion_tokens": 2 });
    let reply = Reply::events()
        .data(token("Hel"))
        .comment(" keep-alive")
        .gate(&gate)
        .data(token("lo"))
        .data(json!({ "choices": [], "usage": usage }).to_string())
        .data("[DONE]")
        .hold();
    let server = Server::script([reply]).await;
    let mut chat = Running::start(chat(&server));
    assert_eq!(chat.text(3).await, "Hel");
    gate.open();
    let run = chat.end().await;
    assert_eq!(
        (run.code, &*run.stdout, &*run.stderr),
        (Some(0), "lo\n", "")
    );

    let requests = server.requests();
    let [request] = &requests[..] else {
        panic!("{requests:?}");
    };
    assert_eq!(request.method(), "POST");
    assert_eq!(request.target(), "/v1/chat/completions");
    assert_eq!(request.header("authorization"), Some("Bearer sk-test"));
    assert_eq!(request.header("accept"), Some("text/event-stream"));
    let body: Value = serde_json::from_slice(request.body()).unwrap();
    assert_eq!(body["stream"], true);
    assert_eq!(body["model"], "test-1");
    assert_eq!(body["messages"][0]["content"], "What is it?");
}

#[tokio::test]
async fn a_wrong_key_shows_the_servers_message() {
    let error = json!({ "error": {
        "message": "Incorrect API key provided: sk-test.",
        "type": "invalid_request_error",
        "code": "invalid_api_key",
    }});
    let reply = Reply::status(401)
        .content_type("application/json")
        .raw(error.to_string());
    assert_eq!(
        answered(reply).await,
        failed(
            "",
            "chat: the server answered 401 Unauthorized: Incorrect API key provided: sk-test."
        )
    );
}

#[tokio::test]
async fn a_429_says_how_long_to_wait() {
    let reply = Reply::status(429)
        .header("retry-after", "20")
        .raw(r#"{"error":{"message":"Rate limit reached\nfor test-1."}}"#);
    assert_eq!(
        answered(reply).await,
        failed(
            "",
            "chat: the server answered 429 Too Many Requests, and asks to wait 20 s: \
             Rate limit reached for test-1."
        )
    );
}

#[tokio::test]
async fn a_truncated_answer_is_an_error() {
    let ended = Reply::events().data(token("Hel"));
    assert_eq!(
        answered(ended).await,
        failed(
            "Hel\n",
            "chat: the answer was cut short: the stream ended before it was complete"
        )
    );
    let cut = answered(Reply::events().data(token("Hel")).raw("data: {").cut()).await;
    let sentence = "chat: the answer was cut short: the response was cut off: ";
    assert!(cut.stderr.starts_with(sentence), "{:?}", cut.stderr);
    assert_eq!(cut.stderr.lines().count(), 1);
    assert_eq!((cut.code, &*cut.stdout), (Some(1), "Hel\n"));
}

/// Some servers forget `[DONE]`.
#[tokio::test]
async fn an_answer_with_a_finish_reason_is_complete() {
    let end = r#"{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#;
    let run = answered(Reply::events().data(token("Hel")).data(end)).await;
    assert_eq!(
        (run.code, &*run.stdout, &*run.stderr),
        (Some(0), "Hel\n", "")
    );
}

#[tokio::test]
async fn an_error_in_the_stream_is_reported() {
    let error = r#"{"error":{"message":"The model is overloaded."}}"#;
    for (reply, stdout) in [
        (Reply::events().data(error).data("[DONE]"), ""),
        (Reply::events().data(token("Hel")).data(error), "Hel\n"),
    ] {
        let sentence = "chat: the server sent an error event: The model is overloaded.";
        assert_eq!(answered(reply).await, failed(stdout, sentence));
    }
}

/// Some gateways lose the `event:` line, some the `error` around the message.
#[tokio::test]
async fn an_error_is_recognized_by_its_event_type_or_json() {
    for error in [
        "event: error\ndata: {\"message\":\"Overloaded.\"}\n\n",
        "data: {\"type\":\"error\",\"message\":\"Overloaded.\"}\n\n",
        "data: {\"error\":\"Overloaded.\"}\n\n",
        "event: error\ndata: Overloaded.\n\n",
        "data: {\"type\":1,\"choices\":[],\"error\":{\"message\":\"Overloaded.\"}}\n\n",
    ] {
        let reply = Reply::events().data(token("Hel")).raw(error).data("[DONE]");
        let sentence = "chat: the server sent an error event: Overloaded.";
        assert_eq!(answered(reply).await, failed("Hel\n", sentence));
    }
    // What is null is not an error.
    let fine = json!({ "error": null, "choices": [{ "delta": { "content": "Hel" } }] });
    let run = answered(Reply::events().data(fine.to_string()).data("[DONE]")).await;
    assert_eq!(
        (run.code, &*run.stdout, &*run.stderr),
        (Some(0), "Hel\n", "")
    );
}

#[tokio::test]
async fn a_refusal_labelled_as_an_event_stream_is_still_reported() {
    let json = r#"{"error":{"message":"Out of memory."}}"#;
    for body in [
        json.to_owned(),
        format!("event: error\ndata: {json}\n\n"),
        format!(": hello\n\ndata: {json}"),
    ] {
        let reply = Reply::status(500).content_type("text/event-stream");
        let sentence = "chat: the server answered 500 Internal Server Error: Out of memory.";
        assert_eq!(answered(reply.raw(body)).await, failed("", sentence));
    }
}

#[tokio::test]
async fn a_body_that_is_not_an_event_stream_is_shown() {
    let list = "[{\n  \"error\": {\"message\": \"Quota exceeded.\"}\n}]\n";
    for (body, said) in [
        (
            r#"{"error":{"message":"Quota exceeded."}}"#,
            "Quota exceeded.",
        ),
        (list, "Quota exceeded."),
        (
            "<html>\r\n<h1>Log\tin</h1>\r\n\x1b[2J",
            "<html> <h1>Log in</h1> ␛[2J",
        ),
        ("\x1f\x08\0\0\0\0\0", "7 bytes that are not text"),
    ] {
        let run = answered(Reply::events().raw(body)).await;
        let sentence =
            "chat: expected an event stream, got a body without a single field or comment: ";
        assert!(run.stderr.starts_with(sentence), "{:?}", run.stderr);
        assert!(
            run.stderr.ends_with(&format!(": {said}\n")),
            "{:?}",
            run.stderr
        );
        assert_eq!((run.code, &*run.stdout), (Some(1), ""), "{body:?}");
    }
}

#[tokio::test]
async fn an_answer_without_text_says_so() {
    let piece = |delta: Value| json!({ "choices": [{ "delta": delta }] }).to_string();
    let tool = |name: Option<&str>| {
        let function = json!({ "name": name, "arguments": "{" });
        piece(json!({ "tool_calls": [{ "index": 0, "function": function }] }))
    };
    let end = |why: &str| json!({ "choices": [{ "delta": {}, "finish_reason": why }] }).to_string();
    let calls = Reply::events()
        .data(piece(json!({ "role": "assistant", "content": null })))
        .data(tool(Some("get_weather")))
        .data(tool(None))
        .data(tool(Some("time\x1b[2J")))
        .data(end("tool_calls"));
    let refused = piece(json!({ "refusal": "I won't." }));
    let both = Reply::events().data(token("Let me see."));
    for (reply, stdout, stderr) in [
        (
            calls,
            "",
            "(The answer has no text, only tool calls: get_weather, time␛[2J.)\n",
        ),
        (
            Reply::events().data(end("content_filter")),
            "",
            "(The answer has no text. Finish reason: content_filter.)\n",
        ),
        (Reply::events(), "", "(The answer has no text.)\n"),
        (Reply::events().data(refused), "I won't.\n", ""),
        (both.data(tool(Some("get_weather"))), "Let me see.\n", ""),
    ] {
        let run = answered(reply.data("[DONE]")).await;
        assert_eq!((&*run.stdout, &*run.stderr), (stdout, stderr));
        assert_eq!(run.code, Some(0));
    }
}

#[tokio::test]
async fn an_answer_cannot_control_the_terminal() {
    let reply = Reply::events()
        .data(token("a\x1b]0;title\x07b\r"))
        .data(token("\u{9b}2J\u{202e}\n\tc ü 👩‍🚀"))
        .data("[DONE]");
    let run = answered(reply).await;
    let shown = "a␛]0;title␇b␍\u{fffd}2J\u{fffd}\n\tc ü 👩‍🚀\n";
    assert_eq!((run.code, &*run.stdout, &*run.stderr), (Some(0), shown, ""));
}

#[tokio::test]
async fn comments_do_not_hide_a_stalled_answer() {
    let comments = Reply::events()
        .data(token("Hel"))
        .repeat(": keep-alive\n\n", None)
        .split_every(14)
        .pace(Duration::from_millis(5));
    let server = Server::script([comments]).await;
    let run = run(chat_with(&server, &["--event-timeout", "100", "What"]), "").await;
    assert_eq!(run, failed("Hel\n", "chat: no event arrived in time"));
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn help_explains_how_to_use_a_real_model() {
    let help = run(example("chat", ["--help"]), "").await;
    assert_eq!((help.code, &*help.stderr), (Some(0), ""));
    for word in [
        "OPENAI_API_KEY",
        "OPENAI_BASE_URL",
        "OPENAI_MODEL",
        "--event-timeout",
    ] {
        assert!(help.stdout.contains(word), "{word}");
    }
    let wrong = run(example("chat", ["--no-such-option"]), "").await;
    assert_eq!((wrong.code, &*wrong.stdout), (Some(2), ""));
    // After its first word, a question may contain anything.
    let asked = run(example("chat", ["What", "is", "--help?"]), "").await;
    assert!(asked.stdout.starts_with("You asked: “What is --help?”\n"));
}

#[tokio::test]
async fn one_unreadable_event_does_not_end_the_answer() {
    // Half of an emoji, as one server sends it.
    let half = r#"{"choices":[{"delta":{"content":"\ud83c"}}]}"#;
    let limit = r#"{"choices":[{"delta":{},"finish_reason":"length"}]}"#;
    let reply = Reply::events()
        .data(token("Hel"))
        .data(half)
        .data(token("lo"));
    let run = answered(reply.data(limit).data(" [DONE] ")).await;
    let note = "(Unreadable events: 1.)\n";
    assert_eq!((&*run.stdout, &*run.stderr), ("Hel\u{fffd}lo […]\n", note));
    assert_eq!(run.code, Some(0));
}

#[tokio::test]
async fn a_response_that_is_not_a_stream_is_shown() {
    let html = Reply::status(200)
        .content_type("text/html")
        .raw("<h1>\x1b[31mLog in</h1>");
    assert_eq!(
        answered(html).await,
        failed(
            "",
            "chat: expected `text/event-stream`, got `text/html`: <h1>␛[31mLog in</h1>"
        )
    );
}

#[tokio::test]
async fn a_refused_connection_is_reported() {
    let port = ClosedPort::reserve();
    let mut command = example("chat", ["hello"]);
    command.env("OPENAI_BASE_URL", port.url("/v1"));
    let run = run(command, "").await;
    let sentence = "chat: could not connect to the server: ";
    assert!(run.stderr.starts_with(sentence), "{:?}", run.stderr);
    assert_eq!(run.stderr.lines().count(), 1);
    assert_eq!((run.code, &*run.stdout), (Some(1), ""));
}

#[cfg(unix)]
#[tokio::test]
async fn ctrl_c_stops_it_and_closes_the_connection() {
    let server = Server::script([Reply::events().data(token("Hel")).hold()]).await;
    let mut chat = Running::start(chat(&server));
    assert_eq!(chat.text(3).await, "Hel");
    chat.signal("INT").await;
    super::soon(server.wait_until_closed()).await;
    let run = chat.end().await;
    assert_eq!((run.code, &*run.stdout), (Some(130), ""));
}
