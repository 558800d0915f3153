//! Shares one feed among many tasks, over one connection to the server.
//!
//! Run `cargo run --example fan_out`. It follows a built-in server, which ends the feed.
//!
//! A `broadcast` channel sends every event to every task. A task that is too slow is told how many
//! events it missed, and delays neither the feed nor the other tasks. A `watch` channel holds only the
//! latest event, for tasks that need the current state.
#![expect(clippy::print_stdout, reason = "it is a program for a terminal")]

use everstream::{
    Error, Event, EventSource, RequestBuilderExt,
    reqwest013::client_builder,
    testing::{Reply, Server},
};
use futures_util::TryStreamExt;
use tokio::sync::{
    broadcast::{self, error::RecvError},
    watch,
};

/// Reads the feed to its end. Then it drops the senders, which closes the channels.
async fn pump(
    mut source: EventSource,
    all: broadcast::Sender<Event>,
    latest: watch::Sender<Option<Event>>,
) -> Result<(), Error> {
    while let Some(event) = source.try_next().await? {
        latest.send_replace(Some(event.clone()));
        // An error means that no task is listening at the moment.
        let _ = all.send(event);
    }
    Ok(())
}

/// A task that wants every event.
async fn listen(name: &str, mut all: broadcast::Receiver<Event>) {
    loop {
        match all.recv().await {
            Ok(event) => println!("{name}: {} {}", event.id(), event.data()),
            Err(RecvError::Lagged(missed)) => println!("{name}: missed {missed} events"),
            Err(RecvError::Closed) => break,
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // After these replies, the server answers 204, which ends the feed.
    let server = Server::script([
        Reply::events().raw("retry: 100\nid: 1\ndata: one\n\nid: 2\ndata: two\n\n"),
        Reply::events()
            .raw("id: 3\ndata: three\n\n")
            .expect_last_event_id("2"),
    ])
    .await;
    // A proxy cannot reach the built-in server.
    let client = client_builder().no_proxy().build()?;
    let source = client.get(server.url("/feed")).event_source()?;

    let (all, red) = broadcast::channel(64);
    let blue = all.subscribe();
    let (latest, last) = watch::channel(None);
    let (fed, (), ()) = tokio::join!(
        pump(source, all, latest),
        listen("red", red),
        listen("blue", blue),
    );
    fed?;
    if let Some(event) = last.borrow().as_ref() {
        println!("latest event: {}", event.data());
    }
    Ok(())
}
