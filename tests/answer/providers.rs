//! Recorded answers of real servers, sent again byte by byte, read as the README shows for each
//! provider.

use everstream::{
    Error, ErrorKind, Event, EventStreamBuilder, EventStreamExt, RequestBuilderExt,
    testing::{Reply, Server},
};
use futures_util::{Stream, StreamExt};
use serde_json::Value;

/// The recorded response, whole or in pieces of `piece` bytes.
async fn server(name: &str, piece: Option<usize>) -> Server {
    let path = format!("{}/tests/captures/{name}.raw", env!("CARGO_MANIFEST_DIR"));
    let recorded = std::fs::read(path).expect("the recording is there");
    let mut reply = Reply::raw_response(recorded);
    if let Some(piece) = piece {
        reply = reply.split_every(piece);
    }
    Server::start(move |_| reply.clone()).await
}

fn ask(server: &Server) -> EventStreamBuilder {
    let client = reqwest::Client::new();
    client.post(server.url("/")).body("{}").events()
}

/// The text that `token` finds in each event's JSON, and the error that ended the answer.
async fn answer(
    events: impl Stream<Item = Result<Event, Error>>,
    token: fn(&Value) -> &Value,
) -> (String, Option<Error>) {
    let mut items = Box::pin(events.json::<Value>());
    let mut text = String::new();
    while let Some(item) = items.next().await {
        match item {
            Ok(json) => text += token(&json).as_str().unwrap_or_default(),
            Err(error) if error.is_final() => return (text, Some(error)),
            // Half an emoji: data that cannot be a `Value` is still available as text.
            Err(error) => {
                let event = error.event().expect("it is of an event");
                assert!(event.data().contains(r"\ud8") || event.data().contains(r"\ud"));
                text.push('?');
            }
        }
    }
    (text, None)
}

#[tokio::test]
async fn openai_chat() {
    for piece in [None, Some(1), Some(7)] {
        let server = server("aimock-chat", piece).await;
        let events = ask(&server).await.unwrap().complete_on_data("[DONE]");
        let (text, error) = answer(events, |json| &json["choices"][0]["delta"]["content"]).await;
        assert_eq!(text, "Hello??w can I help you today?");
        assert!(error.is_none());
    }
}

#[tokio::test]
async fn openai_responses() {
    let server = server("aimock-responses", Some(11)).await;
    let terminal = [
        "response.completed",
        "response.failed",
        "response.incomplete",
    ];
    let events = ask(&server)
        .await
        .unwrap()
        .error_when(|event| event.event_type() == "error")
        .complete_when(move |event| terminal.contains(&event.event_type()));
    let events: Vec<_> = events.map(Result::unwrap).collect().await;
    // This server cuts an emoji in half, which JSON cannot say.
    let halved = |event: &&Event| event.data().contains(r"\ud8") || event.data().contains(r"\udf");
    for event in events.iter().filter(|event| !halved(event)) {
        let json: Value = event.json().unwrap();
        assert_eq!(json["type"], event.event_type());
    }
    let last: Value = events.last().unwrap().json().unwrap();
    assert_eq!(
        last["response"]["output"][0]["content"][0]["text"],
        "Hello 你好 🌍! How can I help you today?"
    );
}

#[tokio::test]
async fn anthropic() {
    let server = server("aimock-messages", Some(13)).await;
    let events = ask(&server)
        .await
        .unwrap()
        .error_when(|event| event.event_type() == "error")
        .complete_when(|event| event.event_type() == "message_stop");
    let (text, error) = answer(events, |json| &json["delta"]["text"]).await;
    assert!(
        text.starts_with("Hello") && text.ends_with("help you today?"),
        "{text}"
    );
    assert!(error.is_none());
}

#[tokio::test]
async fn gemini_ends_with_its_body() {
    let server = server("aimock-gemini", None).await;
    let events = ask(&server).await.unwrap();
    let (text, error) = answer(events, |json| {
        &json["candidates"][0]["content"]["parts"][0]["text"]
    })
    .await;
    assert!(
        text.starts_with("Hello") && text.ends_with("help you today?"),
        "{text}"
    );
    assert!(error.is_none());
}

#[tokio::test]
async fn llama_cpp() {
    let server = server("llama-chat", None).await;
    let events = ask(&server).await.unwrap().complete_on_data("[DONE]");
    let events: Vec<_> = events.map(Result::unwrap).collect().await;
    let last: Value = events.last().unwrap().json().unwrap();
    assert_eq!(last["usage"]["completion_tokens"], 12);
}

#[tokio::test]
async fn refusals_keep_the_text_so_far() {
    for (name, status, kind, said, retry_after) in [
        (
            "aimock-429",
            429,
            ErrorKind::Status,
            "Rate limited",
            Some(1),
        ),
        (
            "litellm-error",
            400,
            ErrorKind::Status,
            "Invalid model name",
            None,
        ),
        (
            "litellm-messages",
            200,
            ErrorKind::ContentType,
            "from mock claude",
            None,
        ),
        ("uv-json-error", 200, ErrorKind::ContentType, "{", None),
        (
            "nginx-dead",
            502,
            ErrorKind::Status,
            "502 Bad Gateway",
            None,
        ),
        ("axum-busy", 503, ErrorKind::Status, "", Some(1)),
        ("axum-nocontent", 204, ErrorKind::Status, "", None),
    ] {
        let server = server(name, None).await;
        let error = ask(&server).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{name}");
        assert_eq!(error.status().unwrap(), status, "{name}");
        assert!(error.body_text().unwrap().contains(said), "{name}");
        let seconds = error.retry_after().map(|delay| delay.as_secs());
        assert_eq!(seconds, retry_after, "{name}");
    }
}

#[tokio::test]
async fn a_proxy_that_gives_up_in_the_middle() {
    let server = server("nginx-short-timeout", None).await;
    let events = ask(&server).await.unwrap().complete_on_data("[DONE]");
    let (_, error) = answer(events, |json| json).await;
    let error = error.unwrap();
    assert_eq!(error.kind(), ErrorKind::Body);
    assert!(error.is_incomplete());
}

/// Variants that are not in the recordings, but in bug reports.
#[tokio::test]
async fn quirks_of_gateways() {
    type Habit = (&'static str, &'static [&'static str], Option<ErrorKind>);
    let habits: &[Habit] = &[
        // OpenRouter: comments, and an error within the stream.
        (
            ": OPENROUTER PROCESSING\n\n: OPENROUTER PROCESSING\n\ndata: {\"a\":1}\n\n\
             data: {\"error\":{\"code\":502}}\n\ndata: [DONE]\n\n",
            &["{\"a\":1}"],
            Some(ErrorKind::ErrorEvent),
        ),
        // DeepSeek: keep-alive comments; llama.cpp: bare ones.
        (
            ": keep-alive\n\n:\n\ndata: {\"a\":1}\n\ndata: [DONE]\n\n",
            &["{\"a\":1}"],
            None,
        ),
        // vLLM: an error and no `[DONE]`.
        (
            "data: {\"a\":1}\n\ndata: {\"error\":{\"code\":500}}\n\n",
            &["{\"a\":1}"],
            Some(ErrorKind::ErrorEvent),
        ),
        // Azure: a first chunk with empty `choices`.
        (
            "data: {\"choices\":[]}\n\ndata: [DONE]\n\n",
            &["{\"choices\":[]}"],
            None,
        ),
        // Vertex partner models: a keep-alive as an event.
        (
            "data: : keepalive\n\ndata: {\"a\":1}\n\ndata: [DONE]\n\n",
            &[": keepalive", "{\"a\":1}"],
            None,
        ),
        // Gemini's line ends, through a gateway that adds `[DONE]`.
        (
            "data: {\"a\":1}\r\n\r\ndata: [DONE]\r\n\r\n",
            &["{\"a\":1}"],
            None,
        ),
        // The answer is cut short.
        (
            "data: {\"a\":1}\n\n",
            &["{\"a\":1}"],
            Some(ErrorKind::Incomplete),
        ),
    ];
    for (wire, expected, kind) in habits {
        let server = Server::start(move |_| Reply::events().raw(wire)).await;
        let events = ask(&server)
            .await
            .unwrap()
            .error_when(|event| event.data().starts_with("{\"error\""))
            .complete_on_data("[DONE]");
        let (data, error) = crate::collect(events).await;
        assert_eq!(data, *expected, "{wire}");
        assert_eq!(error.map(|error| error.kind()), *kind, "{wire}");
    }
}
