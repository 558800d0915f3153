//! What types promise, checked by the compiler.

use everstream::{
    Attempt, Backoff, Cause, ContentType, Error, ErrorKind, ErrorWhen, Event, EventSource,
    EventSourceBuilder, EventStream, Events, Failure, Handle, JsonStream, Opening, Oversized,
    Parser, ReadyState, Retry, Signal, Signals, Skipped, Timeout, Unfinished, Until,
    testing::Script,
    transport::{Body, Connect, Connector, FollowRedirects, Head, Prepared, Response},
};
use futures_util::stream::FusedStream;

use crate::{events, source};

fn sendable<T: Send + Unpin + 'static>() {}
fn shareable<T: Send + Sync + Unpin + 'static>() {}
fn cloneable<T: Clone + std::fmt::Debug>() {}
fn fused<T: FusedStream>() {}
fn debuggable<T: std::fmt::Debug>() {}

#[test]
fn everything_that_yields_can_be_sent_and_polled_unpinned() {
    sendable::<EventStream>();
    sendable::<EventSource>();
    sendable::<EventSourceBuilder>();
    sendable::<Events>();
    sendable::<Opening>();
    sendable::<Until>();
    sendable::<Until<EventSource>>();
    sendable::<ErrorWhen>();
    sendable::<ErrorWhen<Until<EventSource>>>();
    sendable::<JsonStream<String>>();
    sendable::<JsonStream<std::rc::Rc<str>, EventSource>>();
    sendable::<Signals>();
    sendable::<Signals<EventSource>>();
    sendable::<Body>();
    sendable::<Response>();
    sendable::<Connector>();
    sendable::<FollowRedirects>();
    sendable::<Box<dyn Connect>>();
}

#[test]
fn everything_that_is_held_can_be_shared() {
    shareable::<Error>();
    shareable::<ErrorKind>();
    shareable::<Timeout>();
    shareable::<Event>();
    shareable::<Handle>();
    shareable::<Signal>();
    shareable::<Cause>();
    shareable::<Attempt>();
    shareable::<Head>();
    shareable::<Prepared>();
    shareable::<ReadyState>();
    shareable::<Retry>();
    shareable::<Backoff>();
    shareable::<ContentType>();
    shareable::<Oversized>();
    shareable::<Skipped>();
    shareable::<Unfinished>();
    shareable::<Parser>();
    shareable::<Script>();
}

#[test]
fn what_is_held_can_be_cloned_and_shown() {
    cloneable::<Error>();
    cloneable::<Event>();
    cloneable::<Handle>();
    cloneable::<Signal>();
    cloneable::<Cause>();
    cloneable::<Attempt>();
    cloneable::<Head>();
    cloneable::<Backoff>();
    cloneable::<Script>();
    debuggable::<EventSource>();
    debuggable::<EventSourceBuilder>();
    debuggable::<Failure<'static>>();
    debuggable::<Signals<EventSource>>();
    debuggable::<Connector>();
    debuggable::<FollowRedirects>();
}

#[test]
fn every_stream_is_fused() {
    fused::<EventStream>();
    fused::<EventSource>();
    fused::<Until<EventSource>>();
    fused::<ErrorWhen<EventSource>>();
    fused::<JsonStream<String, EventSource>>();
    fused::<Signals<EventSource>>();
}

/// A source can be polled on any thread, by any task.
#[tokio::test]
async fn a_source_can_be_moved_to_another_task() {
    let script = Script::new().reply(events("data: a\n\n").hold());
    let mut source = source(&script);
    let task = tokio::spawn(async move { crate::next_data(&mut source).await });
    assert_eq!(task.await.unwrap(), "a");
    assert_eq!(script.open_connections(), 0, "dropped with the task");
}
