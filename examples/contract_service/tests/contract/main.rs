//! Tests the service as the harness does: they request a stream, serve it from a script, and check the
//! callbacks.

mod cases;
mod harness;

use std::collections::BTreeSet;

use everstream::testing::{Reply, Server};
use serde_json::{Value, json};

use cases::{cases, error, event};
use harness::{Callbacks, Harness, soon};

#[tokio::test]
async fn every_case_is_told_as_it_is() {
    let harness = Harness::start().await;
    for case in cases() {
        let name = case.name;
        let server = Server::script(case.replies).await;
        let callbacks = Callbacks::start().await;
        let stream = harness.create(&server, &callbacks, case.params).await;
        if let Some(n) = case.restart_after {
            callbacks.wait(n).await;
            harness.command(&stream, "restart").await;
        }
        callbacks.wait(case.told.len()).await;
        soon(server.wait_for_requests(case.requests)).await;
        if case.ends {
            harness.until_ended(&stream).await;
        }
        assert_eq!(callbacks.told(), case.told, "{name}");
        let requests = server.requests();
        assert_eq!(requests.len(), case.requests, "{name}");
        for request in requests {
            assert_eq!(request.body(), case.body, "{name}");
        }
        server.verify();
        assert_eq!(harness.close(&stream).await, 204, "{name}");
    }
}

/// Every claimed capability has a test.
#[tokio::test]
async fn every_capability_has_a_case() {
    let harness = Harness::start().await;
    let status = harness.status().await;
    let claimed: BTreeSet<_> = status["capabilities"]
        .as_array()
        .unwrap()
        .iter()
        .map(|capability| capability.as_str().unwrap().to_owned())
        .collect();
    let alone = ["read-timeout", "server-directed-shutdown-request"];
    let tested: BTreeSet<_> = cases()
        .iter()
        .filter_map(|case| case.capability)
        .chain(alone)
        .map(str::to_owned)
        .collect();
    assert_eq!(claimed, tested);
    assert_eq!(status["name"], "everstream");
}

/// `read-timeout`. On a slow machine, more than one connection may time out.
#[tokio::test]
async fn a_silent_connection_is_given_up() {
    let harness = Harness::start().await;
    let server = Server::start(|request| match request.number() {
        0 => Reply::events().hold(),
        _ => Reply::events().data("again").hold(),
    })
    .await;
    let callbacks = Callbacks::start().await;
    let params = json!({ "readTimeoutMs": 100, "initialDelayMs": 0 });
    let stream = harness.create(&server, &callbacks, params).await;
    let mut told = Vec::new();
    while !told.contains(&event("message", "again", "")) {
        callbacks.wait(told.len() + 1).await;
        told = callbacks.told();
    }
    assert_eq!(told[0], error());
    harness.close(&stream).await;
}

/// `server-directed-shutdown-request`: a 204 ends the stream without an error.
#[tokio::test]
async fn a_204_is_the_end() {
    let harness = Harness::start().await;
    for before in [vec![], vec![Reply::events().data("a")]] {
        let told: Vec<_> = before.iter().map(|_| event("message", "a", "")).collect();
        let requests = before.len() + 1;
        let server = Server::script(before.into_iter().chain([Reply::status(204)])).await;
        let callbacks = Callbacks::start().await;
        let params = json!({ "initialDelayMs": 0 });
        let stream = harness.create(&server, &callbacks, params).await;
        soon(server.wait_for_requests(requests)).await;
        harness.until_ended(&stream).await;
        assert_eq!(server.requests().len(), requests);
        assert_eq!(callbacks.told(), told);
        assert_eq!(harness.close(&stream).await, 204);
    }
}

#[tokio::test]
async fn a_closed_stream_closes_its_connection() {
    let harness = Harness::start().await;
    let server = Server::script([Reply::events().data("a").hold()]).await;
    let callbacks = Callbacks::start().await;
    let stream = harness.create(&server, &callbacks, json!({})).await;
    callbacks.wait(1).await;
    assert_eq!(harness.close(&stream).await, 204);
    soon(server.wait_until_closed()).await;
    // Now the stream is unknown.
    assert_eq!(harness.close(&stream).await, 404);
    assert_eq!(harness.post(&stream, r#"{"command":"restart"}"#).await, 404);
}

#[tokio::test]
async fn what_makes_no_sense_is_refused() {
    let harness = Harness::start().await;
    let urls = json!({ "streamUrl": "http://localhost/", "callbackUrl": "http://localhost/" });
    let with = |more: Value| {
        let mut params = urls.clone();
        let more = more.as_object().unwrap().clone();
        params.as_object_mut().unwrap().extend(more);
        params.to_string()
    };
    for body in [
        String::new(),
        "[]".to_owned(),
        json!({ "streamUrl": "http://localhost/" }).to_string(),
        json!({ "callbackUrl": "http://localhost/" }).to_string(),
        with(json!({ "streamUrl": "nowhere" })),
        with(json!({ "initialDelayMs": -1 })),
        with(json!({ "readTimeoutMs": "soon" })),
        with(json!({ "method": "NOT ONE" })),
        with(json!({ "headers": { "not a name": "x" } })),
        with(json!({ "headers": { "name": "\n" } })),
        with(json!({ "headers": ["name"] })),
    ] {
        assert_eq!(harness.post("/", &body).await, 400, "{body}");
    }

    let server = Server::script([Reply::events().hold()]).await;
    let callbacks = Callbacks::start().await;
    let stream = harness.create(&server, &callbacks, json!({})).await;
    for (body, status) in [
        ("", 400),
        ("{}", 400),
        (r#"{"command":"dance"}"#, 400),
        (r#"{"command":"listen","listen":{"type":"put"}}"#, 204),
    ] {
        assert_eq!(harness.post(&stream, body).await, status, "{body}");
    }
    assert_eq!(
        harness.post("/streams/7", r#"{"command":"restart"}"#).await,
        404
    );
    assert_eq!(
        harness.post("/streams/x", r#"{"command":"restart"}"#).await,
        400
    );
    harness.close(&stream).await;
}

#[tokio::test]
async fn it_stops_when_it_is_told_to() {
    let harness = Harness::start().await;
    let server = Server::script([Reply::events().data("a").hold()]).await;
    let callbacks = Callbacks::start().await;
    harness.create(&server, &callbacks, json!({})).await;
    callbacks.wait(1).await;
    harness.stop().await;
    soon(server.wait_until_closed()).await;
}
