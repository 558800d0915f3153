//! [`EventBody`], with a paused clock.

use std::{
    convert::Infallible,
    task::{Context, Waker},
};

use futures_util::{FutureExt, StreamExt, TryStreamExt, stream, stream::FusedStream};
use tokio::{
    sync::mpsc,
    time::{Instant, advance, sleep},
};

use super::super::*;

const SECOND: Duration = Duration::from_secs(1);

type Sender = mpsc::UnboundedSender<Result<Outgoing, &'static str>>;

/// A stream that the test feeds.
fn fed() -> (
    Sender,
    impl futures_util::Stream<Item = Result<Outgoing, &'static str>> + Unpin,
) {
    let (sender, mut receiver) = mpsc::unbounded_channel();
    (sender, stream::poll_fn(move |cx| receiver.poll_recv(cx)))
}

fn event_of(data: &str) -> Result<Outgoing, &'static str> {
    Ok(Event::new(data).into())
}

#[tokio::test(start_paused = true)]
async fn a_comment_comes_after_each_interval_of_silence() {
    let (sender, events) = fed();
    let mut body = EventBody::new(events).keep_alive(10 * SECOND);
    let start = Instant::now();
    let mut seen = Vec::new();
    let feed = async {
        for pause in [5, 12, 28, 1] {
            sleep(pause * SECOND).await;
            sender.send(event_of("x")).unwrap();
        }
        drop(sender);
    };
    let read = async {
        while let Some(wire) = body.next().await {
            seen.push((start.elapsed().as_secs(), wire.unwrap()));
        }
    };
    tokio::join!(feed, read);
    let (event, comment) = ("data: x\n\n", ":\n\n");
    assert_eq!(
        seen,
        [
            (5, event.into()),
            (15, comment.into()),
            (17, event.into()),
            (27, comment.into()),
            (37, comment.into()),
            (45, event.into()),
            (46, event.into()),
        ]
    );
    assert!(body.is_terminated());
    assert!(body.next().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn the_default_is_an_empty_comment_after_15_seconds() {
    let mut body = EventBody::new(stream::pending::<Result<Event, Infallible>>());
    let start = Instant::now();
    assert_eq!(body.next().await.unwrap().unwrap(), ":\n\n");
    assert_eq!(start.elapsed().as_secs(), 15);
}

#[tokio::test(start_paused = true)]
async fn ready_items_come_before_a_due_comment() {
    let (sender, events) = fed();
    let mut body = EventBody::new(events).keep_alive(SECOND);
    assert!(body.next().now_or_never().is_none());
    // The client does not read for an hour.
    advance(3600 * SECOND).await;
    sender.send(event_of("x")).unwrap();
    assert_eq!(body.next().await.unwrap().unwrap(), "data: x\n\n");
    // The silence starts when there is nothing to send.
    advance(3600 * SECOND).await;
    assert!(body.next().now_or_never().is_none());
}

#[test]
fn without_keep_alive_no_runtime_is_needed() {
    for interval in [None, Some(Duration::ZERO)] {
        let silence = stream::pending::<Result<Event, Infallible>>();
        let mut body = EventBody::new(silence).keep_alive(interval);
        let cx = &mut Context::from_waker(Waker::noop());
        assert!(body.poll_next_unpin(cx).is_pending());
    }
}

#[tokio::test]
async fn every_kind_of_item_is_sent() {
    let items = [
        Outgoing::Retry(SECOND),
        Outgoing::Comment(" hi".into()),
        Outgoing::Id("7".into()),
        Event::new("x").with_id("7").into(),
        Event::new("y").into(),
    ];
    let body = EventBody::new(stream::iter(items.map(Ok::<_, Infallible>)));
    let wire: Vec<_> = body.try_collect().await.unwrap();
    assert_eq!(
        wire,
        [
            "retry: 1000\n\n",
            ": hi\n\n",
            "id: 7\n\n",
            "data: x\n\n",
            "id: \ndata: y\n\n"
        ]
    );
}

#[tokio::test]
async fn an_error_ends_the_body() {
    let items = || stream::iter([event_of("x"), Err("it broke"), event_of("never")]);
    let mut body = EventBody::new(items());
    assert!(body.next().await.unwrap().is_ok());
    let error = body.next().await.unwrap().unwrap_err();
    assert_eq!(error.to_string(), "it broke");
    assert!(body.next().await.is_none());
    assert!(body.is_terminated());
    assert_eq!(body.into_inner().count().await, 1, "nothing more was taken");

    let body = EventBody::new(items())
        .on_error(|error| Event::new(error).with_event_type("error"))
        .encoder(Encoder::new().with_last_event_id("7"));
    let wire: Vec<_> = body.try_collect().await.unwrap();
    assert_eq!(
        wire,
        ["id: \ndata: x\n\n", "event: error\ndata: it broke\n\n"]
    );
}

#[tokio::test]
async fn an_error_event_leaves_the_last_event_id() {
    let items = [Ok(Event::new("x").with_id("1")), Err("it broke")];
    let body = EventBody::new(stream::iter(items)).on_error(Event::new);
    let wire: Vec<_> = body.try_collect().await.unwrap();
    assert_eq!(wire, ["id: 1\ndata: x\n\n", "data: it broke\n\n"]);
}

#[tokio::test]
async fn an_item_that_cannot_be_encoded_ends_the_body() {
    let forged = Event::new("x").with_event_type("a\ndata: b");
    let items = stream::iter([forged, Event::new("never")].map(Ok::<_, &'static str>));
    let mut body = EventBody::new(items).on_error(|_| Event::new("not this"));
    let error = body.next().await.unwrap().unwrap_err();
    assert_eq!(error.downcast_ref(), Some(&EncodeError::EventType));
    assert!(body.next().await.is_none());

    let items = stream::iter([Err::<Event, _>("a\rb")]);
    let mut body = EventBody::new(items).on_error(|text| Event::new("").with_event_type(text));
    let error = body.next().await.unwrap().unwrap_err();
    assert_eq!(error.downcast_ref(), Some(&EncodeError::EventType));
    assert!(body.next().await.is_none());
}

/// The next event is polled only after the previous one was taken.
#[tokio::test]
async fn nothing_is_read_ahead() {
    let mut asked = 0;
    let items = stream::repeat_with(|| {
        asked += 1;
        Ok::<_, Infallible>(Event::new("x"))
    });
    let taken = EventBody::new(items).take(3).count().await;
    assert_eq!((taken, asked), (3, 3));
}

#[test]
fn debug_shows_no_secrets() {
    let items = [
        Event::new("secret").with_id("secret").into(),
        Outgoing::Id("secret".into()),
        Outgoing::Comment("secret".into()),
        Outgoing::Retry(SECOND),
    ];
    let shown = std::format!("{items:?}");
    assert_eq!(shown, "[Event(..), Id(..), Comment(..), Retry(1s)]");
    let body = EventBody::new(stream::pending::<Result<Event, Infallible>>())
        .keep_alive_comment("secret")
        .encoder(Encoder::new().with_last_event_id("secret"));
    assert!(!std::format!("{body:?}").contains("secret"));
}
