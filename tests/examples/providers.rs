use everstream::Event;
use everstream::testing::{Reply, Server};

use super::{example, run};

const ANSWERS: &str = "\
OpenAI Chat       Rivers, lava, time and this text.   [stop]
OpenAI Responses  Rivers, lava, time and this text.   [completed]
Anthropic         Rivers, lava, time and this text.   [end_turn]
Gemini            Rivers, lava, time and this text.   [STOP]
";

#[tokio::test]
async fn four_apis_give_the_same_answer() {
    let run = run(example("providers", [""; 0]), "").await;
    assert_eq!(
        (run.code, &*run.stdout, &*run.stderr),
        (Some(0), ANSWERS, "")
    );
}

/// What each provider's contract says about an incomplete answer.
async fn failures(replies: [Reply; 4], expected: [&str; 4]) {
    let server = Server::script(replies).await;
    let run = run(example("providers", [server.url("")]), "").await;
    server.verify();
    let lines: Vec<_> = run.stderr.lines().collect();
    assert_eq!(lines, expected);
    assert_eq!(run.code, Some(1));
    assert_eq!(server.requests().len(), 4, "no POST is sent again");
}

#[tokio::test]
async fn a_truncated_answer_is_distinguished_from_a_complete_one() {
    let message = |kind: &str, more: &str| {
        Event::new(format!(r#"{{"type":"{kind}"{more}}}"#)).with_event_type(kind)
    };
    failures(
        [
            Reply::events().data(r#"{"choices":[{"delta":{"content":"x"}}]}"#),
            Reply::events().event(&message("response.output_text.delta", r#","delta":"x""#)),
            Reply::events().event(&message("ping", "")).event(&message(
                "message_delta",
                r#","delta":{"stop_reason":"end_turn"}"#,
            )),
            Reply::events().raw(
                "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"x\"}]}}]}\r\n\r\n",
            ),
        ],
        [
            "providers: OpenAI Chat: the stream ended before it was complete",
            "providers: OpenAI Responses: the stream ended before it was complete",
            "providers: Anthropic: the stream ended before it was complete",
            "providers: Gemini: the stream ended before it was complete",
        ],
    )
    .await;
}

#[tokio::test]
async fn an_error_in_a_stream_is_reported() {
    let failed = r#"{"type":"response.failed","response":{"error":{"message":"It broke."}}}"#;
    let error = r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#;
    failures(
        [
            Reply::events().data(r#"{"error":{"message":"Out of tokens."}}"#),
            Reply::events().event(&Event::new(failed).with_event_type("response.failed")),
            Reply::events().event(&Event::new(error).with_event_type("error")),
            Reply::status(503)
                .header("retry-after", "0")
                .raw(r#"{"error":{"code":503,"message":"The model is overloaded."}}"#),
        ],
        [
            "providers: OpenAI Chat: the server sent an error event: Out of tokens.",
            "providers: OpenAI Responses: the server sent an error event: It broke.",
            "providers: Anthropic: the server sent an error event: Overloaded",
            "providers: Gemini: the server answered 503 Service Unavailable: The model is overloaded.",
        ],
    )
    .await;
}

/// Gateways that pass on the JSON may drop the `event:` line.
#[tokio::test]
async fn the_type_in_the_json_is_enough() {
    let delta = r#"{"type":"response.output_text.delta","delta":"x"}"#;
    let completed = r#"{"type":"response.completed","response":{"status":"completed"}}"#;
    let text = r#"{"type":"content_block_delta","delta":{"type":"text_delta","text":"x"}}"#;
    let stop = r#"{"type":"message_delta","delta":{"stop_reason":"end_turn"}}"#;
    let replies = [
        Reply::events()
            .data(r#"{"choices":[{"delta":{"content":"x"},"finish_reason":"stop"}]}"#)
            .data("[DONE]"),
        Reply::events().data(delta).data(completed).hold(),
        Reply::events()
            .data(text)
            .data(stop)
            .data(r#"{"type":"message_stop"}"#)
            .hold(),
        Reply::events()
            .data(r#"{"candidates":[{"content":{"parts":[{"text":"x"}]},"finishReason":"STOP"}]}"#),
    ];
    let server = Server::script(replies).await;
    let run = run(example("providers", [server.url("")]), "").await;
    let expected = "\
OpenAI Chat       x   [stop]
OpenAI Responses  x   [completed]
Anthropic         x   [end_turn]
Gemini            x   [STOP]
";
    assert_eq!(
        (run.code, &*run.stdout, &*run.stderr),
        (Some(0), expected, "")
    );

    let failed = r#"{"type":"response.failed","response":{"error":{"message":"It broke."}}}"#;
    failures(
        [
            Reply::events().data(r#"{"type":"error","message":"Out of tokens."}"#),
            Reply::events().data(failed),
            Reply::events().data(r#"{"type":"error","error":{"message":"Overloaded"}}"#),
            Reply::events().data(r#"{"error":{"message":"Not here."}}"#),
        ],
        [
            "providers: OpenAI Chat: the server sent an error event: Out of tokens.",
            "providers: OpenAI Responses: the server sent an error event: It broke.",
            "providers: Anthropic: the server sent an error event: Overloaded",
            "providers: Gemini: the server sent an error event: Not here.",
        ],
    )
    .await;
}
