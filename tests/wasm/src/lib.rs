//! The program in the page. See `main.rs` for its server.
#![cfg(target_arch = "wasm32")]

use std::{fmt::Debug, time::Duration};

use everstream::{
    Error, ErrorKind, EventSource, EventStreamExt, RequestBuilderExt, Signal, Timeout,
};
use futures_util::{StreamExt, TryStreamExt};
use wasm_bindgen::prelude::*;

/// Runs everything, and reports to the server: `ok`, or what was wrong.
#[wasm_bindgen(start)]
async fn run() {
    std::panic::set_hook(Box::new(|panic| {
        web_sys::console::error_1(&panic.to_string().into());
    }));
    let page = web_sys::window().expect("a window").location();
    let here = page.origin().expect("an origin");
    let elsewhere = page.hash().expect("the URL of the other server");
    let said = match all(&here, elsewhere.trim_start_matches('#')).await {
        Ok(()) => "ok".to_owned(),
        Err(wrong) => wrong,
    };
    let client = reqwest::Client::new();
    let done = client.post(format!("{here}/done")).body(said).send().await;
    done.expect("the server listens");
}

async fn all(here: &str, elsewhere: &str) -> Result<(), String> {
    let client = reqwest::Client::new();
    a_feed_resumes(&client, here).await?;
    an_answer_is_complete(&client, here).await?;
    what_the_browser_unpacked_is_no_error(&client, here).await?;
    time_limits_apply(&client, here).await?;
    a_refusal_says_why(&client, here).await?;
    redirects_are_followed(here).await?;
    another_origin_is_not_asked_first(&client, elsewhere).await?;
    a_dropped_stream_is_closed(&client, elsewhere).await
}

/// Cut in the middle of an event, with one that is lost and sent again.
async fn a_feed_resumes(client: &reqwest::Client, here: &str) -> Result<(), String> {
    let source = client.get(format!("{here}/feed")).event_source();
    let mut signals = source.map_err(told)?.signals();
    let mut seen = Vec::new();
    while let Some(signal) = signals.next().await {
        seen.push(match signal.map_err(told)? {
            Signal::Open(head) => format!("open {}", head.status().as_u16()),
            Signal::Event(event) => {
                if event.id() == "1" {
                    let told = client.get(format!("{here}/seen")).send().await;
                    told.map_err(|error| error.to_string())?;
                }
                format!("{}={}", event.id(), event.data())
            }
            Signal::Reconnecting { attempt, .. } => format!("reconnecting {attempt}"),
            other => format!("{other:?}"),
        });
    }
    let expected = [
        "open 200",
        "1=one",
        "reconnecting 1",
        "open 200",
        "2=two",
        "3=three",
        "reconnecting 1",
    ];
    same("the feed", &seen, &expected.map(str::to_owned).to_vec())
}

#[derive(serde::Deserialize)]
struct Chunk {
    text: String,
}

async fn an_answer_is_complete(client: &reqwest::Client, here: &str) -> Result<(), String> {
    let request = client.post(format!("{here}/answer")).body("{}");
    let events = request.events().await.map_err(told)?;
    let chunks = events.complete_on_data("[DONE]").json::<Chunk>();
    let texts = chunks.map_ok(|chunk| chunk.text).try_collect::<String>();
    same(
        "the answer",
        &texts.await.map_err(told)?,
        &"Hello".to_owned(),
    )?;

    let request = client.post(format!("{here}/cut-short"));
    let events = request.events().await.map_err(told)?;
    let texts: Result<Vec<_>, Error> = events.complete_on_data("[DONE]").try_collect().await;
    let error = texts
        .err()
        .map(|error| (error.kind(), error.events_before()));
    same(
        "an answer cut short",
        &error,
        &Some((ErrorKind::Incomplete, 1)),
    )
}

/// Fetch decodes the body, but still shows the `Content-Encoding` header.
async fn what_the_browser_unpacked_is_no_error(
    client: &reqwest::Client,
    here: &str,
) -> Result<(), String> {
    let events = client.get(format!("{here}/gzip")).events().await;
    let events = events
        .map_err(told)?
        .map_ok(|event| event.data().to_owned());
    let data: Vec<_> = events.try_collect().await.map_err(told)?;
    same("what was compressed", &data, &vec!["packed".to_owned()])
}

async fn time_limits_apply(client: &reqwest::Client, here: &str) -> Result<(), String> {
    let soon = Duration::from_millis(50);
    let request = client.get(format!("{here}/no-head"));
    let error = request.events().headers_timeout(soon).await.err();
    let kind = error.map(|error| error.kind());
    same(
        "no head",
        &kind,
        &Some(ErrorKind::Timeout(Timeout::Headers)),
    )?;

    let request = client.get(format!("{here}/stalls"));
    let mut events = request.events().idle_timeout(soon).await.map_err(told)?;
    let first = events.try_next().await.map_err(told)?;
    same(
        "the first",
        &first.map(|event| event.data().to_owned()),
        &Some("one".to_owned()),
    )?;
    let kind = events.try_next().await.err().map(|error| error.kind());
    same("a stall", &kind, &Some(ErrorKind::Timeout(Timeout::Idle)))
}

async fn a_refusal_says_why(client: &reqwest::Client, here: &str) -> Result<(), String> {
    let error = client.get(format!("{here}/refused")).events().await.err();
    let error = error.ok_or("a refusal was taken for a stream")?;
    let said = (
        error.status().map(|status| status.as_u16()),
        error.retry_after(),
        error.body_text().map(String::from),
    );
    let expected = (
        Some(429),
        Some(Duration::from_secs(7)),
        Some("slowly".to_owned()),
    );
    same("a refusal", &said, &expected)
}

async fn redirects_are_followed(here: &str) -> Result<(), String> {
    let mut source = EventSource::get(format!("{here}/moved")).map_err(told)?;
    let event = source.try_next().await.map_err(told)?;
    same(
        "a redirect",
        &event.map(|event| event.data().to_owned()),
        &Some("moved".to_owned()),
    )
}

/// The server of another origin refuses every `OPTIONS`.
async fn another_origin_is_not_asked_first(
    client: &reqwest::Client,
    elsewhere: &str,
) -> Result<(), String> {
    let events = client.get(elsewhere).events().await.map_err(told)?;
    let data: Vec<_> = events
        .map_ok(|event| event.data().to_owned())
        .try_collect()
        .await
        .map_err(told)?;
    same("another origin", &data, &vec!["elsewhere".to_owned()])
}

async fn a_dropped_stream_is_closed(
    client: &reqwest::Client,
    elsewhere: &str,
) -> Result<(), String> {
    let events = client.get(format!("{elsewhere}endless")).events().await;
    let mut events = events.map_err(told)?;
    let first = events.try_next().await.map_err(told)?;
    same("an endless stream", &first.is_some(), &true)
}

fn told(error: Error) -> String {
    format!("{error:?}")
}

fn same<T: PartialEq + Debug>(what: &str, is: &T, expected: &T) -> Result<(), String> {
    match is == expected {
        true => Ok(()),
        false => Err(format!("{what}: {is:?} instead of {expected:?}")),
    }
}
