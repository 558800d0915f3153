//! The other crates, each by the entry that has the least in front of its parser.
//!
//! Only sse-core has a parser that can be fed. The others are streams over a stream of chunks, so
//! they are polled over one that is always ready, which costs next to nothing.

use std::{
    convert::Infallible,
    num::NonZeroUsize,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
};

use bytes::Bytes;
use eventsource_client::{Client, ClientBuilder, ReconnectOptions, SSE};
use futures_util::{Stream, stream};
use launchdarkly_sdk_transport::{ByteStream, HttpTransport, ResponseFuture};

use super::{Chunks, Contender, Drive, Role, Sink};

/// All peers, in the order of the tables.
#[must_use]
pub fn all() -> Vec<Contender> {
    vec![
        Contender::parser::<SseCore>("sse-core", Role::Parser),
        Contender::parser::<SseStream>("sse-stream", Role::Stream),
        Contender::parser::<Eventsrc>("eventsrc", Role::Stream),
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
    let woken = Arc::new(Woken::default());
    let waker = Waker::from(woken.clone());
    let mut context = Context::from_waker(&waker);
    loop {
        match stream.as_mut().poll_next(&mut context) {
            Poll::Ready(Some(item)) => each(item)?,
            Poll::Ready(None) => return Ok(()),
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
        self.0.store(true, Ordering::Relaxed);
    }
}

fn slices(chunks: Chunks<'_>) -> impl Stream<Item = Result<&[u8], Infallible>> {
    stream::iter(chunks.slices().map(Ok))
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

struct SseStream;

impl Drive for SseStream {
    fn drive<S: Sink>(chunks: Chunks<'_>, sink: &mut S) -> Result<(), String> {
        poll_all(sse_stream::SseByteStream::new(slices(chunks)), |block| {
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

struct Eventsrc;

impl Drive for Eventsrc {
    fn drive<S: Sink>(chunks: Chunks<'_>, sink: &mut S) -> Result<(), String> {
        poll_all(eventsrc::EventStream::new(slices(chunks)), |event| {
            let event = event.map_err(said)?;
            sink.event(event.event(), event.data(), event.id());
            Ok(())
        })
    }
}

struct Sseer;

impl Drive for Sseer {
    fn drive<S: Sink>(chunks: Chunks<'_>, sink: &mut S) -> Result<(), String> {
        let chunks = stream::iter(chunks.bytes().map(Ok::<_, Infallible>));
        poll_all(sseer::EventStream::new(chunks), |event| {
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
            eventsource_stream::EventStream::new(slices(chunks)),
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
        let (input, size, fuse) = (chunks.input.clone(), chunks.size, chunks.fuse.cloned());
        Self(Arc::new(move || {
            let chunks = Chunks::new(&input, size, fuse.as_ref());
            Box::pin(stream::iter(chunks.bytes().map(Ok)))
        }))
    }
}

impl HttpTransport for Memory {
    fn request(&self, _: http::Request<Option<Bytes>>) -> ResponseFuture {
        let response = http::Response::new((self.0)());
        Box::pin(std::future::ready(Ok(response)))
    }
}
