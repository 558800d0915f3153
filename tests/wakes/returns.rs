//! A poll returns, however much there is to do at once.

use std::{
    convert::Infallible,
    future::{IntoFuture, poll_fn},
    io,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    task::{Context, Poll},
    time::Duration,
};

use everstream::{
    Backoff, Error, ErrorKind, EventSource, EventStream, EventStreamBuilder, Oversized, Retry,
    Timeout,
    bytes::Bytes,
    http::{HeaderMap, HeaderValue, StatusCode, header::CONTENT_TYPE},
    testing::{Reply, Script},
    transport::{Body, Response},
};
use futures_util::{FutureExt, Stream, StreamExt, stream};
use tokio::time::{advance, sleep};

use crate::SECOND;

/// The work of one poll.
#[derive(Clone, Default)]
struct Work(Arc<AtomicUsize>);

impl Work {
    /// # Panics
    ///
    /// Instead of looping forever.
    fn one_more(&self) {
        const MOST: usize = 1000;
        let done = self.0.fetch_add(1, Relaxed);
        assert!(done < MOST, "this poll does not return");
    }

    /// Polls a hundred times, and returns the first item.
    async fn poll<T>(&self, mut poll: impl FnMut(&mut Context<'_>) -> Poll<T>) -> Option<T> {
        for _ in 0..100 {
            self.0.store(0, Relaxed);
            let polled = poll_fn(|cx| Poll::Ready(poll(cx))).await;
            if let Poll::Ready(item) = polled {
                return Some(item);
            }
            tokio::task::yield_now().await;
        }
        None
    }

    async fn next<S: Stream + Unpin>(&self, stream: &mut S) -> Option<Option<S::Item>> {
        self.poll(|cx| stream.poll_next_unpin(cx)).await
    }

    /// Chunks that are always ready.
    fn chunks(
        &self,
        chunk: &'static [u8],
    ) -> impl Stream<Item = Result<Bytes, Infallible>> + use<> {
        let work = self.clone();
        stream::repeat_with(move || {
            work.one_more();
            Ok(Bytes::from_static(chunk))
        })
    }
}

fn kind<T>(item: Option<Option<Result<T, Error>>>) -> Option<ErrorKind> {
    item??.err().map(|error| error.kind())
}

#[tokio::test(start_paused = true)]
async fn a_body_that_is_always_ready_lets_others_run() {
    for chunk in ["", ":\n", "\n", "data", "id: 1\n\n"] {
        let work = Work::default();
        let mut events = EventStream::new(work.chunks(chunk.as_bytes()));
        assert!(work.next(&mut events).await.is_none(), "{chunk:?}");

        // Comments are signals, and so are IDs.
        if chunk != ":\n" {
            let mut signals = EventStream::new(work.chunks(chunk.as_bytes())).signals();
            work.next(&mut signals).await;
        }

        let work = Work::default();
        let body = work.clone();
        let mut source = EventSource::factory(move |_| {
            let response = response(200, body.chunks(chunk.as_bytes()));
            async { Ok::<_, Error>(response) }
        })
        .oversized(Oversized::Skip)
        .max_event_bytes(100)
        .build()
        .unwrap();
        assert!(work.next(&mut source).await.is_none(), "{chunk:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_event_limit_applies_to_a_body_that_is_always_ready() {
    let work = Work::default();
    let response = response(200, work.chunks(b":\n"));
    let mut events = EventStreamBuilder::new(async { Ok(response) })
        .event_timeout(30 * SECOND)
        .await
        .unwrap();
    for _ in 0..40 {
        if let Some(kind) = kind(work.next(&mut events).await) {
            assert_eq!(kind, ErrorKind::Timeout(Timeout::Event));
            return;
        }
        advance(SECOND).await;
    }
    panic!("no limit has passed");
}

/// Empty chunks are not a sign of life.
#[tokio::test(start_paused = true)]
async fn empty_chunks_do_not_reset_the_idle_limit() {
    let chunks = stream::unfold((), |()| async {
        sleep(SECOND).await;
        Some((Ok::<_, Infallible>(Bytes::new()), ()))
    });
    let mut events = EventStream::new(Box::pin(chunks).take(1000));
    let error = events.next().await.expect("an error").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout(Timeout::Idle));
}

#[tokio::test(start_paused = true)]
async fn a_refusal_that_is_always_ready_lets_others_run() {
    for chunk in [&b""[..], &[b'x'; 1024]] {
        let work = Work::default();
        let response = response(404, work.chunks(chunk));
        let mut opening = EventStreamBuilder::new(async { Ok(response) }).into_future();
        let mut opened = None;
        for _ in 0..100 {
            opened = work.poll(|cx| opening.poll_unpin(cx)).await;
            if opened.is_some() {
                break;
            }
            advance(SECOND).await;
        }
        let error = opened.expect("it ends").expect_err("a refusal");
        assert_eq!(error.kind(), ErrorKind::Status);
    }
}

#[tokio::test(start_paused = true)]
async fn attempts_that_fail_at_once_let_others_run() {
    let work = Work::default();
    let tried = work.clone();
    let mut source = EventSource::factory(move |_| {
        tried.one_more();
        async { Err::<Response, _>(io::Error::other("no token yet")) }
    })
    .max_initial_failures(None)
    .retry_when(|_| Retry::After(Duration::ZERO))
    .build()
    .unwrap();
    assert!(work.next(&mut source).await.is_none());
}

#[tokio::test(start_paused = true)]
async fn connections_that_end_at_once_let_others_run() {
    let work = Work::default();
    let tried = work.clone();
    let script = Script::from_fn(move |_| {
        tried.one_more();
        Reply::events().raw("retry: 0\n\nid: 1\n\n")
    });
    let zero = Duration::ZERO;
    let mut source = EventSource::builder(script)
        .backoff(
            Backoff::new()
                .min_delay(zero)
                .initial_backoff(zero)
                .reconnection_time(zero),
        )
        .build()
        .unwrap();
    assert!(work.next(&mut source).await.is_none());
}

fn response(
    status: u16,
    body: impl Stream<Item = Result<Bytes, Infallible>> + Send + 'static,
) -> Response {
    let headers =
        HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"))]);
    let status = StatusCode::from_u16(status).unwrap();
    Response::new(status, headers, Body::new(body))
}
