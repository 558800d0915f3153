//! everstream, in the forms it is used.

use std::{convert::Infallible, io, sync::LazyLock};

use bytes::Bytes;
use everstream::{
    ErrorKind, EventSource, EventStream, Parser, Reader, Retry,
    transport::{Body, Connector},
};
use futures_util::Stream;
use tokio::runtime::Runtime;

use super::{
    Chunks, Contender, Drive, Role, Sink,
    peers::{finish, poll_all},
};
use crate::server::runtime;

/// All of everstream's forms, in the order of the tables.
#[must_use]
pub fn all() -> Vec<Contender> {
    // Made here, it is nobody's memory and nobody's time.
    LazyLock::force(&TIMER);
    vec![
        Contender::parser::<Borrowed>("everstream, borrowed", Role::Borrowed),
        Contender::parser::<Owned>("everstream, owned", Role::Owned),
        Contender::parser::<NextEvent>("everstream, next_event", Role::Face),
        Contender::parser::<NextEventRef>("everstream, next_event_ref", Role::Face),
        Contender::parser::<OverStream>("everstream, EventStream", Role::Face),
        Contender::parser::<OverSource>("everstream, EventSource", Role::Face),
        Contender::parser::<OverRead>("everstream, Reader", Role::Face),
    ]
}

/// Each event lent by the parser, and looked at before the next is asked for.
struct Borrowed;

impl Drive for Borrowed {
    fn drive<S: Sink>(chunks: Chunks<'_>, sink: &mut S) -> Result<(), String> {
        let mut parser = Parser::new();
        for chunk in chunks.slices() {
            let mut feed = parser.feed(chunk);
            while let Some(event) = feed.next_event().map_err(|error| error.to_string())? {
                sink.event(event.event_type(), event.data(), event.id());
            }
        }
        Ok(())
    }
}

/// Each event given away, to be kept, sent or dropped.
struct Owned;

impl Drive for Owned {
    fn drive<S: Sink>(chunks: Chunks<'_>, sink: &mut S) -> Result<(), String> {
        let mut parser = Parser::new();
        for chunk in chunks.slices() {
            let mut feed = parser.feed(chunk);
            while let Some(event) = feed.next_owned().map_err(|error| error.to_string())? {
                sink.event(event.event_type(), event.data(), event.id());
            }
        }
        Ok(())
    }
}

/// The timer that an [`EventStream`] sets when it has waited for its server. Nothing runs in it.
static TIMER: LazyLock<Runtime> = LazyLock::new(runtime);

/// A stream polled as a `Stream`.
struct OverStream;

impl Drive for OverStream {
    fn drive<S: Sink>(chunks: Chunks<'_>, sink: &mut S) -> Result<(), String> {
        let _timer = TIMER.enter();
        poll_all(EventStream::new(chunks.stream()), |event| {
            let event = event.map_err(|error| error.to_string())?;
            sink.event(event.event_type(), event.data(), event.id());
            Ok(())
        })
    }
}

/// A stream by the method that most programs call.
struct NextEvent;

impl Drive for NextEvent {
    fn drive<S: Sink>(chunks: Chunks<'_>, sink: &mut S) -> Result<(), String> {
        let _timer = TIMER.enter();
        let mut stream = EventStream::new(chunks.stream());
        finish(async {
            while let Some(event) = stream.next_event().await.map_err(|e| e.to_string())? {
                sink.event(event.event_type(), event.data(), event.id());
            }
            Ok(())
        })
    }
}

/// A stream by the method that lends.
struct NextEventRef;

impl Drive for NextEventRef {
    fn drive<S: Sink>(chunks: Chunks<'_>, sink: &mut S) -> Result<(), String> {
        let _timer = TIMER.enter();
        let mut stream = EventStream::new(chunks.stream());
        finish(async {
            while let Some(event) = stream.next_event_ref().await.map_err(|e| e.to_string())? {
                sink.event(event.event_type(), event.data(), event.id());
            }
            Ok(())
        })
    }
}

/// A source whose one connection answers with the chunks, and which gives up after that.
struct OverSource;

impl Drive for OverSource {
    fn drive<S: Sink>(chunks: Chunks<'_>, sink: &mut S) -> Result<(), String> {
        let _timer = TIMER.enter();
        let mut source = source(chunks.stream()).map_err(|error| error.to_string())?;
        finish(async {
            loop {
                match source.next_event().await {
                    Ok(Some(event)) => sink.event(event.event_type(), event.data(), event.id()),
                    Ok(None) => return Ok(()),
                    Err(error) if error.kind() == ErrorKind::Incomplete => return Ok(()),
                    Err(error) => return Err(error.to_string()),
                }
            }
        })
    }
}

fn source(
    chunks: impl Stream<Item = Result<Bytes, Infallible>> + Send + 'static,
) -> Result<EventSource, everstream::Error> {
    let mut body = Some(Body::new(chunks));
    let connector = Connector::from_fn(move |_| {
        let mut response = http::Response::new(body.take().unwrap_or_else(Body::empty));
        let content_type = http::HeaderValue::from_static("text/event-stream");
        let headers = response.headers_mut();
        headers.insert(http::header::CONTENT_TYPE, content_type);
        std::future::ready(Ok::<_, Infallible>(everstream::transport::Response::from(
            response,
        )))
    });
    EventSource::builder(connector)
        .retry_on_end(true)
        .retry_when(|_| Retry::GiveUp)
        .build()
}

/// The events of a reader that has one chunk for each time it is asked.
struct OverRead;

impl Drive for OverRead {
    fn drive<S: Sink>(chunks: Chunks<'_>, sink: &mut S) -> Result<(), String> {
        for event in Reader::new(ChunkReader::new(chunks.slices())) {
            let event = event.map_err(|error| error.to_string())?;
            sink.event(event.event_type(), event.data(), event.id());
        }
        Ok(())
    }
}

/// Reads at most one chunk at a time; what did not fit stays for the next.
struct ChunkReader<'a, I> {
    chunks: I,
    left: &'a [u8],
}

impl<'a, I: Iterator<Item = &'a [u8]>> ChunkReader<'a, I> {
    fn new(chunks: I) -> Self {
        Self { chunks, left: &[] }
    }
}

impl<'a, I: Iterator<Item = &'a [u8]>> io::Read for ChunkReader<'a, I> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.left.is_empty() {
            self.left = self.chunks.next().unwrap_or_default();
        }
        self.left.read(into)
    }
}
