//! A stream continues in another task, on another thread, and on another runtime, even if the one
//! in which it waited stands still or is gone.

use std::{
    future::{IntoFuture, poll_fn},
    task::Poll,
    time::Duration,
};

use everstream::{
    Error, Event, EventSource, EventStream, EventStreamBuilder,
    testing::{Gate, Reply, Script},
};
use futures_util::{
    FutureExt, Stream, StreamExt, TryFutureExt,
    future::ready,
    stream::{self, BoxStream, FuturesUnordered},
};
use tokio::{
    runtime::{Builder, Runtime},
    time::{advance, timeout},
};

use crate::{SECOND, executor, faces::describe};

const SHORT: Duration = Duration::from_millis(40);

/// What may be waited for with a timer, and the result. Only the tested stream has a timer, because
/// that of a scripted pause would stay in its runtime.
fn waits() -> Vec<(&'static str, BoxStream<'static, String>, &'static str)> {
    let silent = || Reply::events().hold();
    let answer = |events: EventStreamBuilder| {
        let failed = |error| stream::once(ready(describe(Err::<u32, _>(error)))).boxed();
        let opened = |events: EventStream| told_of(events);
        let opening = events.into_future().map_ok_or_else(failed, opened);
        opening.flatten_stream().boxed()
    };
    let script = |reply| Script::new().reply(reply);
    let again = Script::new().reply(Reply::events().retry_ms(60));
    let again = again.reply(Reply::events().data("9").hold());
    let events = |script: Script| script.events().idle_timeout(None);
    vec![
        (
            "the time between connections",
            told_of(EventSource::builder(again).build().unwrap()),
            "9",
        ),
        (
            "headers",
            answer(events(Script::new().never()).headers_timeout(SHORT)),
            "!Timeout(Headers)",
        ),
        (
            "headers of a feed",
            told_of(
                EventSource::builder(Script::new().never())
                    .headers_timeout(SHORT)
                    .max_consecutive_failures(1)
                    .build()
                    .unwrap(),
            ),
            "!Timeout(Headers)",
        ),
        (
            "bytes",
            answer(script(silent()).events().idle_timeout(SHORT)),
            "!Timeout(Idle)",
        ),
        (
            "the first event",
            answer(events(script(silent())).first_event_timeout(SHORT)),
            "!Timeout(FirstEvent)",
        ),
        (
            "an event",
            answer(events(script(silent())).event_timeout(SHORT)),
            "!Timeout(Event)",
        ),
    ]
}

/// Items as in [`faces`](crate::faces).
fn told_of(
    events: impl Stream<Item = Result<Event, Error>> + Send + 'static,
) -> BoxStream<'static, String> {
    events
        .map(|event| describe(event.map(Event::into_data)))
        .boxed()
}

fn two_threads() -> Runtime {
    let mut runtime = Builder::new_multi_thread();
    runtime.worker_threads(2).enable_time().build().unwrap()
}

async fn polled(stream: &mut BoxStream<'static, String>) -> Poll<Option<String>> {
    poll_fn(|cx| Poll::Ready(stream.poll_next_unpin(cx))).await
}

/// The clocks of these runtimes are paused, and those that stand still never fire.
#[test]
fn a_stream_continues_in_another_runtime() {
    each_moved(executor::runtime, true);
}

/// All of these wake the waiting thread, with the same waker.
#[test]
fn a_stream_continues_in_another_multi_thread_runtime() {
    each_moved(two_threads, false);
}

/// Polls each stream once in three runtimes, and waits for its item in a fourth. If the clock is
/// not `paused`, the wait may be over before that: starting a runtime takes time.
fn each_moved(runtime: impl Fn() -> Runtime, paused: bool) {
    for gone in [false, true] {
        for (what, mut stream, expected) in waits() {
            let mut kept = Vec::new();
            let mut item = Poll::Pending;
            while item.is_pending() && kept.len() < 3 {
                let runtime = runtime();
                item = runtime.block_on(polled(&mut stream));
                assert!(item.is_pending() || !paused, "{what}");
                kept.push((!gone).then_some(runtime));
            }
            let item = match item {
                Poll::Ready(item) => Ok(item),
                Poll::Pending => {
                    runtime().block_on(async { timeout(60 * SECOND, stream.next()).await })
                }
            };
            let expected = Some(expected.to_owned());
            assert_eq!(item, Ok(expected), "{what}; gone: {gone}");
        }
    }
}

/// Its waker stays the same wherever it is polled, and it polls only what was woken.
#[test]
fn a_collection_of_streams_continues_after_its_runtime_is_dropped() {
    for (what, stream, expected) in waits() {
        let mut all: FuturesUnordered<_> = [stream.into_future()].into_iter().collect();
        let runtime = executor::runtime();
        let pending = poll_fn(|cx| Poll::Ready(all.poll_next_unpin(cx).is_pending()));
        assert!(runtime.block_on(pending), "{what}");
        drop(runtime);
        let next = executor::runtime().block_on(async { timeout(60 * SECOND, all.next()).await });
        let (item, _) = next.expect("it is woken").expect("one item");
        assert_eq!(item.as_deref(), Some(expected), "{what}");
    }
}

#[test]
fn a_stream_continues_on_another_thread() {
    let runtime = two_threads();
    for (what, mut stream, expected) in waits() {
        assert!(runtime.block_on(polled(&mut stream)).is_pending(), "{what}");
        let handle = runtime.handle().clone();
        let thread = std::thread::spawn(move || {
            handle.block_on(async { timeout(60 * SECOND, stream.next()).await })
        });
        let item = thread.join().expect("no panic");
        assert_eq!(item, Ok(Some(expected.to_owned())), "{what}");
    }
}

/// Both faces first yield what arrived, if they were not polled for longer than the limit.
#[tokio::test(start_paused = true)]
async fn headers_that_arrived_between_polls_are_in_time() {
    let gate = Gate::new();
    let reply = || Reply::events().gate_head(&gate).data("9").hold();
    let script = Script::new().reply(reply()).reply(reply());
    let mut opening = script.events().headers_timeout(SECOND).into_future();
    let mut source = EventSource::builder(script.clone())
        .headers_timeout(SECOND)
        .build()
        .unwrap();
    assert!(poll_fn(|cx| Poll::Ready(opening.poll_unpin(cx).is_pending())).await);
    assert!(poll_fn(|cx| Poll::Ready(source.poll_next_unpin(cx).is_pending())).await);
    // The headers arrive a moment after the waiting streams are polled.
    advance(5 * SECOND).await;
    let opener = tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(100)).await;
        gate.open();
    });
    let mut events = opening.await.expect("an answer");
    assert_eq!(events.next().await.unwrap().unwrap().data(), "9");
    assert_eq!(source.next().await.unwrap().unwrap().data(), "9");
    opener.await.unwrap();
}

#[test]
fn a_limit_needs_a_runtime() {
    let mut events = EventStream::new(stream::pending::<Result<&str, std::io::Error>>());
    let waits = std::panic::AssertUnwindSafe(|| events.next().now_or_never());
    let panic = std::panic::catch_unwind(waits).expect_err("a panic");
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
    assert!(text.is_some_and(|text| text.contains("Tokio")), "{text:?}");
}
