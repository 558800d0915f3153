//! What the types promise beyond their methods: that they can be sent, moved, compared and shown.

use std::{
    fmt::Debug,
    future::{Future, IntoFuture},
    pin::pin,
    task::{Context, Poll, Waker},
};

use everstream::{
    Attempt, Backoff, Cause, ContentType, Error, ErrorKind, ErrorWhen, Event, EventRef,
    EventSource, EventSourceBuilder, EventStream, EventTooLarge, Events, Failure, Feed, Handle,
    Item, JsonError, JsonStream, Opening, Oversized, Parser, Reader, ReadyState, Retry, Signal,
    Signals, Skipped, Timeout, Unfinished, Until,
    encode::EncodeError,
    http::{HeaderMap, StatusCode, header},
    transport::{Body, Connector, FollowRedirects, Head, Prepared, Response},
};
use futures_util::{Stream, stream};

fn shared<T: Send + Sync + Debug>() {}
fn sent<T: Send + Unpin + Debug + 'static>() {}
fn error<T: std::error::Error + Send + Sync + 'static>() {}
fn compared<T: Eq + Clone>() {}

#[test]
fn values_can_be_shared_between_threads() {
    shared::<Attempt>();
    shared::<Backoff>();
    shared::<Cause>();
    shared::<ContentType>();
    shared::<Error>();
    shared::<Event>();
    shared::<EventRef<'_>>();
    shared::<Failure<'_>>();
    shared::<Feed<'_, '_>>();
    shared::<Handle>();
    shared::<Head>();
    shared::<Item<'_>>();
    shared::<Parser>();
    shared::<Prepared>();
    shared::<Reader<std::io::Empty>>();
    shared::<Signal>();
}

#[test]
fn streams_can_be_sent_and_need_no_pinning() {
    sent::<Body>();
    sent::<Connector>();
    sent::<ErrorWhen>();
    sent::<EventSource>();
    sent::<EventSourceBuilder>();
    sent::<EventStream>();
    sent::<Events>();
    sent::<FollowRedirects>();
    sent::<JsonStream<String>>();
    sent::<Opening>();
    sent::<Response>();
    sent::<Signals>();
    sent::<Signals<EventSource>>();
    sent::<Until>();
    sent::<Until<EventSource>>();
}

#[test]
fn errors_are_errors() {
    error::<EncodeError>();
    error::<Error>();
    error::<EventTooLarge>();
    error::<JsonError>();
}

#[test]
fn what_is_a_value_can_be_compared() {
    compared::<Backoff>();
    compared::<ContentType>();
    compared::<ErrorKind>();
    compared::<Event>();
    compared::<EventRef<'_>>();
    compared::<Oversized>();
    compared::<Prepared>();
    compared::<ReadyState>();
    compared::<Retry>();
    compared::<Skipped>();
    compared::<Timeout>();
    compared::<Unfinished>();
}

#[test]
fn lent_events_are_equal_as_their_own_are() {
    let lend = |wire: &'static [u8], check: &dyn Fn(EventRef<'_>)| {
        let mut parser = Parser::new();
        let mut feed = parser.feed(wire);
        check(feed.next_event().unwrap().unwrap());
    };
    lend(b"id: 1\ndata: x\n\n", &|one| {
        for (wire, equal) in [
            (&b"event: message\nid: 1\ndata:x\n\n"[..], true),
            (b"id: 2\ndata: x\n\n", false),
            (b"id: 1\ndata: y\n\n", false),
            (b"id: 1\nevent: z\ndata: x\n\n", false),
        ] {
            lend(wire, &|other| {
                assert_eq!(one == other, equal);
                assert_eq!(Event::from(one) == Event::from(other), equal);
            });
        }
    });
}

#[test]
fn without_limits_no_runtime_is_needed() {
    let mut chunks = vec![Ok::<_, Error>("data: x\n\n")].into_iter();
    let body = Body::new(stream::poll_fn(move |_| match chunks.next() {
        Some(chunk) => Poll::Ready(Some(chunk)),
        None => Poll::Pending,
    }));
    let content_type = (header::CONTENT_TYPE, "text/event-stream".parse().unwrap());
    let headers = HeaderMap::from_iter([content_type]);
    let response = Response::new(StatusCode::OK, headers, body);
    let events = Events::new(async { Ok(response) }).idle_timeout(None);
    let cx = &mut Context::from_waker(Waker::noop());
    let Poll::Ready(Ok(events)) = pin!(events.into_future()).poll(cx) else {
        panic!("the response is there");
    };
    let mut events = pin!(events);
    let Poll::Ready(Some(Ok(event))) = events.as_mut().poll_next(cx) else {
        panic!("the event is there");
    };
    assert_eq!(event.data(), "x");
    assert!(events.poll_next(cx).is_pending());
}
