//! What the types guarantee besides their methods: that they can be sent, moved, compared and
//! printed.

use std::{
    error::Error as StdError,
    fmt::Debug,
    future::{Future, IntoFuture},
    hash::Hash,
    pin::pin,
    rc::Rc,
    task::{Context, Poll, Waker},
};

use everstream::{
    Backoff, Cause, CompleteWhen, ContentType, Error, ErrorKind, ErrorWhen, Event, EventRef,
    EventSource, EventSourceBuilder, EventSourceHandle, EventStream, EventStreamBuilder,
    EventTooLarge, Failure, Feed, Item, JsonError, JsonStream, Oversized, Parser, Reader,
    ReadyState, Release, Retry, Signal, Signals, Skipped, Timeout, Unfinished,
    encode::{EncodeError, Encoded, Encoder, EventBody, Outgoing},
    http::{HeaderMap, StatusCode, header},
    testing::{ClosedPort, Gate, Reply, Script, Server},
    transport::{
        Attempt, Body, Connect, Connector, FollowRedirects, Head, PrepareOptions, Redirects,
        RequestPolicy, Response,
    },
};
use futures_util::{
    Stream,
    stream::{self, FusedStream},
};

/// Holds each of these types to the bounds of a function: the compiler does the checking.
macro_rules! all {
    ($bounds:ident: $($type:ty),+ $(,)?) => {
        $($bounds::<$type>();)+
    };
}

fn shared<T: Send + Sync + Unpin + Debug + 'static>() {}
fn sent<T: Send + Unpin + Debug + 'static>() {}
fn cloned<T: Clone>() {}
fn compared<T: Eq>() {}
fn hashed<T: Hash>() {}
fn fused<T: FusedStream>() {}
fn error<T: StdError + Send + Sync + 'static>() {}

#[test]
fn values_are_send_and_sync() {
    all!(shared:
        Attempt, Backoff, Cause, ContentType, EncodeError, Encoded<'static>, Encoder, Error, ErrorKind, Event,
        EventRef<'static>, EventTooLarge, Failure<'static>, Feed<'static, 'static>, EventSourceHandle, Head,
        Item<'static>, JsonError, Outgoing, Oversized, Parser, PrepareOptions, Redirects, RequestPolicy, Reader<std::io::Empty>, ReadyState,
        Retry, Signal, Skipped, Timeout, Unfinished,
    );
    all!(shared: ClosedPort, Gate, Reply, Script, Server);
    // As http-body-util's `BoxBody` requires.
    all!(shared: EventBody<stream::Empty<Result<Event, Error>>>);
}

#[test]
fn streams_are_send_and_unpin() {
    all!(sent:
        Body, Connector, ErrorWhen, ErrorWhen<CompleteWhen<EventSource>>, EventBody<EventStream>, EventSource, EventSourceBuilder,
        EventStream, EventStreamBuilder, FollowRedirects, JsonStream<Rc<str>, EventSource>, JsonStream<String>,
        Response, Signals, Signals<EventSource>, CompleteWhen, CompleteWhen<EventSource>,
    );
    fn boxed<T: Send + Unpin + 'static>() {}
    boxed::<Box<dyn Connect>>();
}

#[test]
fn every_stream_is_fused() {
    all!(fused:
        ErrorWhen, ErrorWhen<EventSource>, EventBody<EventStream>, EventSource, EventStream, JsonStream<String>,
        JsonStream<String, EventSource>, Signals, Signals<EventSource>, CompleteWhen, CompleteWhen<EventSource>,
    );
}

#[test]
fn error_types_implement_error() {
    all!(error: EncodeError, Error, EventTooLarge, JsonError);
}

#[test]
fn value_types_are_clone_and_mostly_partial_eq() {
    all!(cloned:
        Attempt, Backoff, Cause, ContentType, Encoded<'_>, Encoder, Error, ErrorKind, Event, EventRef<'_>, EventSourceHandle,
        Head, Outgoing, Oversized, RequestPolicy, ReadyState, Retry, Script, Signal, Skipped, Timeout, Unfinished,
    );
    all!(compared:
        ContentType, ErrorKind, Event, EventRef<'_>, Oversized, RequestPolicy, ReadyState,
        Retry, Skipped, Timeout, Unfinished,
    );
    all!(hashed: ErrorKind, Event, ReadyState, Timeout);
}

/// Code that is generic over the streams of this crate can name every bound it needs.
#[test]
fn generic_code_can_name_what_it_needs() {
    fn until_done<S: Release + Unpin>(signals: Signals<S>) -> CompleteWhen<ErrorWhen<Signals<S>>> {
        signals.error_when(|_| false).complete_on_data("[DONE]")
    }
    let chunks = stream::iter([Ok::<_, Error>("data: x\n\n")]);
    let once = until_done(EventStream::new(chunks).signals());
    let twice = until_done(once.into_inner().into_inner());
    assert!(!twice.is_terminated());
}

/// Everything in the list of the public API is in a public module, except the supertraits that seal
/// a trait.
#[test]
fn every_public_type_can_be_named() {
    let list = include_str!("../docs/public-api.txt");
    let modules: Vec<_> = list
        .lines()
        .filter_map(|line| line.strip_prefix("pub mod "))
        .collect();
    assert!(modules.contains(&"everstream::transport"));
    let is_part_of_path = |letter: char| letter.is_alphanumeric() || "_:".contains(letter);
    for line in list.lines() {
        for path in line.split(|letter| !is_part_of_path(letter)) {
            let Some(named) = path.find(|letter: char| letter.is_uppercase()) else {
                continue;
            };
            let module = path[..named].trim_end_matches(':');
            assert!(
                !module.starts_with("everstream")
                    || modules.contains(&module)
                    || module.ends_with("::sealed"),
                "{path} in {line}"
            );
        }
    }
}

#[test]
fn lent_events_compare_like_owned_ones() {
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
                let owned = (Event::from(one), Event::from(other));
                assert_eq!(owned.0 == owned.1, equal);
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
    let events = EventStreamBuilder::new(async { Ok(response) }).idle_timeout(None);
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
