//! The other crates, each by the entry that has the least in front of its parser.
//!
//! Only sse-core has a parser that can be fed. The others are streams over a stream of chunks: as
//! parsers they are polled over borrowed chunks that are always ready, which cost next to nothing,
//! and as streams over `Bytes`, which is what a transport gives them.

use std::{
    convert::Infallible,
    future::{Future, poll_fn},
    marker::PhantomData,
    num::NonZeroUsize,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Wake, Waker, ready},
};

use bytes::{Buf, Bytes};
use eventsource_client::{Client, ClientBuilder, ReconnectOptions, SSE};
use futures_util::{Stream, TryStreamExt, stream};
use launchdarkly_sdk_transport::{ByteStream, HttpTransport, ResponseFuture};

use super::{Chunks, Contender, Drive, Role, Sink};

/// All peers, in the order of the tables.
#[must_use]
pub fn all() -> Vec<Contender> {
    vec![
        Contender::parser::<SseCore>("sse-core", Role::Parser),
        Contender::parser::<SseStream<Slices>>("sse-stream", Role::Parser),
        Contender::parser::<Eventsrc<Slices>>("eventsrc", Role::Parser),
        Contender::parser::<SseCoreStream>("sse-core, of Bytes", Role::Stream),
        Contender::parser::<SseStream<Shared>>("sse-stream, of Bytes", Role::Stream),
        Contender::parser::<Eventsrc<Shared>>("eventsrc, of Bytes", Role::Stream),
        Contender::parser::<Sseer>("sseer", Role::Stream),
        Contender::parser::<EventsourceClient>("eventsource-client", Role::Stream),
        Contender::parser::<EventsourceStream>("eventsource-stream", Role::Stream),
    ]
}

/// Polls `stream` to its end. A stream may let others run now and then, but then it says so.
///
/// # Errors
///
/// What `each` said, or that the stream waits, which it has no reason to.
pub(super) fn poll_all<T>(
    stream: impl Stream<Item = T>,
    mut each: impl FnMut(T) -> Result<(), String>,
) -> Result<(), String> {
    let mut stream = pin!(stream);
    finish(poll_fn(|cx| {
        loop {
            match ready!(stream.as_mut().poll_next(cx)) {
                Some(item) => each(item)?,
                None => return Poll::Ready(Ok(())),
            }
        }
    }))
}

/// Polls `future` to its end. It may let others run now and then, but then it says so.
///
/// # Errors
///
/// What it said, or that it waits, which it has no reason to.
pub(super) fn finish(future: impl Future<Output = Result<(), String>>) -> Result<(), String> {
    let mut future = pin!(future);
    let woken = Arc::new(Woken::default());
    let waker = Waker::from(woken.clone());
    let mut context = Context::from_waker(&waker);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(result) => return result,
            Poll::Pending if woken.0.swap(false, Ordering::Relaxed) => {}
            Poll::Pending => return Err("waits for more, though all is there".into()),
        }
    }
}

/// Whether a stream that waits wants to be polled again.
#[derive(Default)]
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// The form in which a stream gets its chunks.
trait Form {
    type Chunk<'a>: AsRef<[u8]> + Buf;

    fn of(chunks: Chunks<'_>) -> impl Stream<Item = Result<Self::Chunk<'_>, Infallible>> + Unpin;
}

/// Borrowed: what costs least.
struct Slices;

impl Form for Slices {
    type Chunk<'a> = &'a [u8];

    fn of(chunks: Chunks<'_>) -> impl Stream<Item = Result<&[u8], Infallible>> + Unpin {
        stream::iter(chunks.slices().map(Ok))
    }
}

/// As `Bytes`: what a transport gives.
struct Shared;

impl Form for Shared {
    type Chunk<'a> = Bytes;

    fn of(chunks: Chunks<'_>) -> impl Stream<Item = Result<Bytes, Infallible>> + Unpin {
        chunks.stream()
    }
}

fn said(error: impl std::fmt::Display) -> String {
    error.to_string()
}

struct SseCore;

impl Drive for SseCore {
    fn drive<S: Sink>(chunks: Chunks<'_>, sink: &mut S) -> Result<(), String> {
        // Its own limit of 512 KiB is less than `large` needs; this is everstream's.
        let limit = NonZeroUsize::new(16 << 20).expect("not zero");
        let mut decoder = sse_core::SseDecoder::with_limit(limit);
        for mut chunk in chunks.slices() {
            while let Some(event) = decoder.next(&mut chunk) {
                if let sse_core::SseEvent::Message(event) = event.map_err(said)? {
                    let id = event.last_event_id.as_deref().unwrap_or_default();
                    sink.event(&event.event, &event.data, id);
                }
            }
        }
        Ok(())
    }
}

struct SseCoreStream;

impl Drive for SseCoreStream {
    fn drive<S: Sink>(chunks: Chunks<'_>, sink: &mut S) -> Result<(), String> {
        let limit = NonZeroUsize::new(16 << 20).expect("not zero");
        let decoder = sse_core::SseDecoder::with_limit(limit);
        let mut stream = sse_core::SseStream::with_decoder(decoder);
        stream.attach(chunks.stream());
        poll_all(stream, |event| {
            if let sse_core::SseEvent::Message(event) = event.map_err(said)? {
                let id = event.last_event_id.as_deref().unwrap_or_default();
                sink.event(&event.event, &event.data, id);
            }
            Ok(())
        })
    }
}

struct SseStream<F>(PhantomData<F>);

impl<F: Form> Drive for SseStream<F> {
    fn drive<S: Sink>(chunks: Chunks<'_>, sink: &mut S) -> Result<(), String> {
        poll_all(sse_stream::SseByteStream::new(F::of(chunks)), |block| {
            let block = block.map_err(said)?;
            // It gives blocks as they are: the standard's default type, and an ID that stays in
            // force, are left to its user. In these workloads all blocks have an ID or none has.
            if let Some(data) = &block.data {
                let event = block.event.as_deref().unwrap_or("message");
                sink.event(event, data, block.id.as_deref().unwrap_or_default());
            }
            Ok(())
        })
    }
}

struct Eventsrc<F>(PhantomData<F>);

impl<F: Form> Drive for Eventsrc<F> {
    fn drive<S: Sink>(chunks: Chunks<'_>, sink: &mut S) -> Result<(), String> {
        poll_all(eventsrc::EventStream::new(F::of(chunks)), |event| {
            let event = event.map_err(said)?;
            sink.event(event.event(), event.data(), event.id());
            Ok(())
        })
    }
}

struct Sseer;

impl Drive for Sseer {
    fn drive<S: Sink>(chunks: Chunks<'_>, sink: &mut S) -> Result<(), String> {
        poll_all(sseer::EventStream::new(chunks.stream()), |event| {
            let event = event.map_err(said)?;
            sink.event(&event.event, &event.data, &event.id);
            Ok(())
        })
    }
}

struct EventsourceStream;

impl Drive for EventsourceStream {
    fn drive<S: Sink>(chunks: Chunks<'_>, sink: &mut S) -> Result<(), String> {
        poll_all(
            eventsource_stream::EventStream::new(chunks.stream()),
            |event| {
                let event = event.map_err(said)?;
                sink.event(&event.event, &event.data, &event.id);
                Ok(())
            },
        )
    }
}

/// Its parser is private: it is driven as a client whose transport answers from memory.
struct EventsourceClient;

impl Drive for EventsourceClient {
    fn drive<S: Sink>(chunks: Chunks<'_>, sink: &mut S) -> Result<(), String> {
        let client = ClientBuilder::for_url("http://localhost/")
            .map_err(said)?
            .reconnect(ReconnectOptions::reconnect(false).build())
            .build_with_transport(Memory::of(chunks));
        poll_all(client.stream(), |item| {
            match item {
                Ok(SSE::Event(event)) => {
                    let id = event.id.as_deref().unwrap_or_default();
                    sink.event(&event.event_type, &event.data, id);
                }
                Ok(SSE::Connected(_) | SSE::Comment(_)) | Err(eventsource_client::Error::Eof) => {}
                Err(error) => return Err(said(error)),
            }
            Ok(())
        })
    }
}

/// Answers every request with the same chunks.
#[derive(Clone)]
struct Memory(Arc<dyn Fn() -> ByteStream + Send + Sync>);

impl Memory {
    fn of(chunks: Chunks<'_>) -> Self {
        let (input, framing, fuse) = (chunks.input.clone(), chunks.framing, chunks.fuse.cloned());
        Self(Arc::new(move || {
            let chunks = Chunks::new(&input, framing, fuse.as_ref());
            Box::pin(chunks.stream().map_err(|never| match never {}))
        }))
    }
}

impl HttpTransport for Memory {
    fn request(&self, _: http::Request<Option<Bytes>>) -> ResponseFuture {
        let response = http::Response::new((self.0)());
        Box::pin(std::future::ready(Ok(response)))
    }
}
