//! One feed to many tasks: one connection to the server, however many listen.
//!
//! `cargo run --example fan_out`; it follows a server of its own, which ends the feed.
//!
//! A `broadcast` channel gives every event to every task, and tells a task that is too slow how
//! many it has missed, so that it holds up neither the feed nor the others. A `watch` channel gives
//! the latest event alone, to those who want to know how things stand.
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

/// Reads the feed to its end. The channels close with it.
async fn pump(
    mut source: EventSource,
    all: broadcast::Sender<Event>,
    latest: watch::Sender<Option<Event>>,
) -> Result<(), Error> {
    while let Some(event) = source.try_next().await? {
        latest.send_replace(Some(event.clone()));
        // An error says that nobody listens at the moment.
        let _ = all.send(event);
    }
    Ok(())
}

/// A task that wants every event.
async fn listen(name: &str, mut all: broadcast::Receiver<Event>) {
    loop {
        match all.recv().await {
            Ok(event) => println!("{name}: {} {}", event.id(), event.data()),
            Err(RecvError::Lagged(missed)) => println!("{name}: {missed} events missed"),
            Err(RecvError::Closed) => break,
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // Then 204, which ends the feed.
    let server = Server::script([
        Reply::events().raw("retry: 100\nid: 1\ndata: one\n\nid: 2\ndata: two\n\n"),
        Reply::events()
            .raw("id: 3\ndata: three\n\n")
            .expect_last_event_id("2"),
    ])
    .await;
    // Whatever proxy there is cannot know a server within this program.
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
        println!("the last one: {}", event.data());
    }
    Ok(())
}
