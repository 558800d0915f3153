//! Over sockets and channels, on the usual runtimes. Times are not asserted.

use std::{future::Future, time::Duration};

use everstream::{
    ErrorKind, EventStream, EventStreamBuilder, RequestBuilderExt, Timeout,
    http::{HeaderMap, HeaderValue, StatusCode, header::CONTENT_TYPE},
    testing::{Reply, Server},
    transport::{Body, Response},
};
use futures_util::{StreamExt, TryStreamExt, stream};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    runtime::Builder,
    sync::mpsc,
    task::JoinSet,
    time::timeout,
};

use crate::executor::{self, BUDGET};

/// Longer than anything here takes on a busy machine.
const LONG: Duration = Duration::from_secs(60);

/// Runs this on one thread, then on several.
fn on_each_runtime<F: Future<Output = ()>>(run: impl Fn() -> F) {
    let one = Builder::new_current_thread().enable_all().build();
    let two = Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    for runtime in [one, two] {
        let done = runtime
            .unwrap()
            .block_on(async { timeout(LONG, run()).await });
        done.expect("something hangs");
    }
}

/// Sending an event over a channel uses up a unit of the budget, and the end of the body may be
/// reached when the budget is used up.
#[test]
fn a_feed_sent_over_a_channel_reconnects() {
    on_each_runtime(|| async {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let mut feeds = JoinSet::new();
        for count in BUDGET - 6..=BUDGET + 2 {
            feeds.spawn(follow(client.clone(), count));
        }
        while let Some(feed) = feeds.join_next().await {
            feed.expect("no panic");
        }
    });
}

async fn follow(client: reqwest::Client, count: usize) {
    let mut first = Reply::events().retry_ms(50).length_delimited();
    let body: String = (0..count).map(|n| format!("data: {n}\n\n")).collect();
    first = first.raw(body);
    let server = Server::script([first, Reply::events().data("after").hold()]).await;
    let mut source = client.get(server.url("/")).event_source().unwrap();
    let (sender, mut events) = mpsc::channel(1000);
    let task = tokio::spawn(async move {
        while let Some(event) = source.try_next().await.expect("no error") {
            sender.send(event).await.expect("someone listens");
        }
    });
    for n in 0..count {
        assert_eq!(events.recv().await.expect("an event").data(), n.to_string());
    }
    assert_eq!(events.recv().await.expect("an event").data(), "after");
    task.abort();
    assert!(task.await.is_err());
}

/// A body that is read from a pipe uses up the budget itself.
#[test]
fn a_silent_pipe_exceeds_the_idle_limit() {
    on_each_runtime(|| async {
        let (mut sender, pipe) = tokio::io::duplex(1 << 16);
        let events = BUDGET + 20;
        for _ in 0..events {
            sender.write_all(b"data: x\n\n").await.unwrap();
        }
        let chunks = stream::unfold(pipe, |mut pipe| async {
            let mut buffer = vec![0; 9];
            let read = pipe.read_exact(&mut buffer).await;
            Some((read.map(|_| buffer), pipe))
        });
        let headers =
            HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"))]);
        let response = Response::new(StatusCode::OK, headers, Body::new(chunks));
        let stream = EventStreamBuilder::new(async { Ok(response) })
            .idle_timeout(Duration::from_millis(300))
            .await
            .expect("an event stream");
        let (count, kind) = tokio::spawn(count(stream)).await.unwrap();
        assert_eq!(count, events);
        assert_eq!(kind, Some(ErrorKind::Timeout(Timeout::Idle)));
        drop(sender);
    });
}

/// So does one that comes over a channel.
#[test]
fn a_silent_channel_exceeds_the_idle_limit() {
    let runtime = executor::runtime();
    for events in BUDGET - 6..=2 * BUDGET {
        let (sender, receiver) = mpsc::unbounded_channel();
        for _ in 0..events {
            sender.send(Ok::<_, std::io::Error>("data: x\n\n")).unwrap();
        }
        let chunks = stream::unfold(receiver, |mut receiver| async {
            let chunk = receiver.recv().await?;
            Some((chunk, receiver))
        });
        let task = count(EventStream::new(chunks));
        let ended = runtime.block_on(async { timeout(10 * LONG, task).await });
        let (count, kind) = ended.expect("it hangs");
        assert_eq!(count, events);
        assert_eq!(kind, Some(ErrorKind::Timeout(Timeout::Idle)));
    }
}

/// The events before the end, and the error that is the end, if one is.
async fn count(mut stream: EventStream) -> (usize, Option<ErrorKind>) {
    let mut events = 0;
    loop {
        match stream.next().await {
            Some(Ok(_)) => events += 1,
            Some(Err(error)) => return (events, Some(error.kind())),
            None => return (events, None),
        }
    }
}
