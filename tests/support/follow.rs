//! Following a stream, without a wait, to its end.
#![allow(
    dead_code,
    reason = "each test binary uses its own part of this module"
)]
#![allow(unreachable_pub, reason = "a module of tests has no outside")]

use std::time::Duration;

use everstream::{Backoff, Error, Event};
use futures_util::{Stream, StreamExt};

/// No wait between two connections.
pub fn at_once() -> Backoff {
    Backoff::new()
        .reconnection_time(Duration::ZERO)
        .min_delay(Duration::ZERO)
        .initial_backoff(Duration::ZERO)
        .jitter(0.0)
}

/// The data of the next event.
pub async fn next_data<S>(stream: &mut S) -> String
where
    S: Stream<Item = Result<Event, Error>> + Unpin,
{
    stream.next().await.unwrap().unwrap().into_data()
}

/// The data of every event, and the error that ended the stream. Checks that the stream is fused.
pub async fn collect<S>(mut stream: S) -> (Vec<String>, Option<Error>)
where
    S: Stream<Item = Result<Event, Error>> + Unpin,
{
    let mut data = Vec::new();
    let mut error = None;
    while let Some(item) = stream.next().await {
        match item {
            Ok(event) => data.push(event.into_data()),
            Err(it) => {
                assert!(it.is_final());
                error = Some(it);
                break;
            }
        }
    }
    for _ in 0..3 {
        assert!(stream.next().await.is_none(), "it is fused");
    }
    (data, error)
}
