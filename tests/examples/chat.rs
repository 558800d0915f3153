use everstream::testing::{ClosedPort, Gate, Reply, Server};
use serde_json::{Value, json};
use tokio::process::Command;

use super::{Run, Running, example, run};

/// `chat` with a server of the test's.
fn chat(server: &Server) -> Command {
    let mut command = example("chat", ["What", "is it?"]);
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
async fn tokens_are_shown_as_they_come() {
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
async fn a_wrong_key_is_told_in_the_servers_words() {
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
async fn an_answer_cut_short_is_no_answer() {
    let ended = Reply::events().data(token("Hel"));
    assert_eq!(
        answered(ended).await,
        failed(
            "Hel\n",
            "chat: the answer was cut short: the stream ended before it was complete"
        )
    );
    let cut = answered(Reply::events().data(token("Hel")).raw("data: {").cut()).await;
    let sentence = "chat: the answer was cut short: the response broke off: ";
    assert!(cut.stderr.starts_with(sentence), "{:?}", cut.stderr);
    assert_eq!(cut.stderr.lines().count(), 1);
    assert_eq!((cut.code, &*cut.stdout), (Some(1), "Hel\n"));
}

#[tokio::test]
async fn an_error_within_the_stream_is_told() {
    let error = r#"{"error":{"message":"The model is overloaded."}}"#;
    for (reply, stdout) in [
        (Reply::events().data(error).data("[DONE]"), ""),
        (Reply::events().data(token("Hel")).data(error), "Hel\n"),
    ] {
        let sentence = "chat: the server sent an error event: The model is overloaded.";
        assert_eq!(answered(reply).await, failed(stdout, sentence));
    }
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
    let note = "(Events that could not be read: 1.)\n";
    assert_eq!((&*run.stdout, &*run.stderr), ("Hel\u{fffd}lo […]\n", note));
    assert_eq!(run.code, Some(0));
}

#[tokio::test]
async fn what_is_no_stream_is_shown() {
    let html = Reply::status(200)
        .content_type("text/html")
        .raw("<h1>\x1b[31mLog in</h1>");
    assert_eq!(
        answered(html).await,
        failed(
            "",
            "chat: expected `text/event-stream`, got `text/html`: <h1> [31mLog in</h1>"
        )
    );
}

#[tokio::test]
async fn nobody_there_is_told() {
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
