//! `EventSource` over the scripted connector, on a paused clock: no network, and no waiting.

mod cancel;
mod combine;
mod errors;
#[path = "../support/follow.rs"]
mod follow;
mod handle;
mod limits;
mod requests;
mod resume;
mod signals;

use std::time::Duration;

use everstream::{
    Backoff, Cause, Error, EventSource, EventSourceBuilder, Signal,
    testing::{Reply, Script},
};
use follow::{collect, next_data};
use futures_util::{Stream, StreamExt};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// Waits without jitter, so that tests can predict them.
fn exactly() -> Backoff {
    Backoff::new().initial_backoff(Duration::ZERO).jitter(0.0)
}

/// A source of the script with predictable waits.
fn builder(script: &Script) -> EventSourceBuilder {
    EventSource::builder(script.clone()).backoff(exactly())
}

fn source(script: &Script) -> EventSource {
    builder(script).build().unwrap()
}

fn events(bytes: impl AsRef<[u8]>) -> Reply {
    Reply::events().raw(bytes)
}

/// The error that ends the stream.
async fn failure(source: EventSource) -> Error {
    collect(source).await.1.expect("an error")
}

/// Everything that happens, in a few words.
async fn story(source: EventSource) -> Vec<String> {
    let signals = source.signals();
    let mut story: Vec<_> = signals.map(|signal| describe(&signal)).collect().await;
    story.push("none".to_owned());
    story
}

/// The first `n` things that happen.
async fn story_until(source: EventSource, n: usize) -> Vec<String> {
    let signals = source.signals().take(n);
    signals.map(|signal| describe(&signal)).collect().await
}

fn describe(signal: &Result<Signal, Error>) -> String {
    match signal {
        Ok(Signal::Open(head)) => format!("open {}", head.status().as_u16()),
        Ok(Signal::Event(event)) => format!("event {}", event.data()),
        Ok(Signal::Comment(text)) => format!("comment {text}"),
        Ok(Signal::Skipped(skipped)) => format!("{skipped:?}"),
        Ok(Signal::Reconnecting {
            failure,
            delay,
            cause,
            ..
        }) => format!("{} {failure} in {} ms", why(cause), delay.as_millis()),
        Ok(other) => format!("{other:?}"),
        Err(error) => format!("error {:?}", error.kind()),
    }
}

fn why(cause: &Cause) -> String {
    match cause {
        Cause::End => "end".to_owned(),
        Cause::Requested => "asked".to_owned(),
        Cause::Failure(error) => format!("failure {:?}", error.kind()),
        Cause::Timeout(error) => format!("timeout {:?}", error.kind()),
        other => format!("{other:?}"),
    }
}

/// The last event IDs that the attempts were made with.
fn ids(script: &Script) -> Vec<String> {
    let attempts = script.attempts().into_iter();
    attempts.map(|it| it.last_event_id().to_owned()).collect()
}

/// The times of the attempts, in milliseconds.
fn times(script: &Script) -> Vec<u128> {
    script.times().iter().map(Duration::as_millis).collect()
}

/// Polls once.
fn poll<S: Stream + Unpin>(stream: &mut S) -> std::task::Poll<Option<S::Item>> {
    let waker = std::task::Waker::noop();
    stream.poll_next_unpin(&mut std::task::Context::from_waker(waker))
}

/// Lets every other task run until it waits.
async fn settle() {
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
}
