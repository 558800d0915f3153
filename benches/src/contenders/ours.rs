//! everstream, in the forms it is used.

use std::{convert::Infallible, io, sync::LazyLock};

use everstream::{EventStream, Parser, Reader};
use futures_util::stream;
use tokio::runtime::Runtime;

use super::{Chunks, Contender, Drive, Role, Sink, peers::poll_all};
use crate::server::runtime;

/// All of everstream's forms, in the order of the tables.
#[must_use]
pub fn all() -> Vec<Contender> {
    // Made here, it is nobody's memory and nobody's time.
    LazyLock::force(&TIMER);
    vec![
        Contender::parser::<Borrowed>("everstream, borrowed", Role::Borrowed),
        Contender::parser::<Owned>("everstream, owned", Role::Owned),
        Contender::parser::<OverStream>("everstream, EventStream", Role::Face),
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

/// The events of a stream of chunks that are always ready.
struct OverStream;

impl Drive for OverStream {
    fn drive<S: Sink>(chunks: Chunks<'_>, sink: &mut S) -> Result<(), String> {
        let _timer = TIMER.enter();
        let chunks = stream::iter(chunks.bytes().map(Ok::<_, Infallible>));
        poll_all(EventStream::new(chunks), |event| {
            let event = event.map_err(|error| error.to_string())?;
            sink.event(event.event_type(), event.data(), event.id());
            Ok(())
        })
    }
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
