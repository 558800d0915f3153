//! The faces that drive the parser themselves: `Reader` over a `Read`, `EventStream` over a stream
//! of chunks. Held against the oracle as in `faces`.

use std::{
    convert::Infallible,
    io::{self, Read},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use everstream::{
    ErrorKind, EventStream, Oversized, Reader, Signal, Skipped, Unfinished as Policy, bytes::Bytes,
};
use futures_util::{StreamExt, stream};

use super::faces::{self, Expected, owned, show};
use crate::oracle::{Item, Placed, Unfinished};

impl Expected<'_> {
    /// Reads the stream with `Reader`, each read giving the next chunk.
    pub fn check_reader(&self, chunks: &[&[u8]]) {
        let said = |what: &str| format!("{what}; {:?}, {}", self.options, show(chunks));
        let pieces = Pieces::new(chunks);
        let read = Arc::clone(&pieces.read);
        let mut reader = Reader::with_parser(pieces, faces::parser(self.options));
        for placed in self.events() {
            let event = reader.next().expect("an event").expect("no error");
            assert_eq!(Item::Event(owned(&event)), placed.item, "{}", said("event"));
            assert_eq!(
                reader.last_event_id(),
                placed.last_event_id,
                "{}",
                said("ID")
            );
            let due = Pieces::end_of_read(chunks, placed.at);
            assert_eq!(
                read.load(Ordering::Relaxed),
                due,
                "{}",
                said("read ahead, or late")
            );
        }
        match self.outcome.struck {
            None => assert!(reader.next().is_none(), "{}", said("one too many")),
            Some(_) => {
                let error = reader.next().expect("an error").expect_err("an error");
                assert_eq!(error.kind(), ErrorKind::EventTooLarge, "{}", said("error"));
            }
        }
        assert!(reader.next().is_none(), "{}", said("it ends once"));
        assert_eq!(
            reader.last_event_id(),
            self.outcome.last_event_id,
            "{}",
            said("ID")
        );
        assert_eq!(
            reader.has_unfinished(),
            self.outcome.has_unfinished,
            "{}",
            said("unfinished")
        );
        let time = reader.reconnection_time().map(faces::milliseconds);
        assert_eq!(
            time,
            self.outcome.reconnection_time,
            "{}",
            said("reconnection time")
        );
        let unfinished = match reader.take_unfinished() {
            Ok(None) => Unfinished::Nothing,
            Ok(Some(event)) => Unfinished::Event(owned(&event)),
            Err(_) => Unfinished::TooLarge,
        };
        assert_eq!(unfinished, self.dispatched().0, "{}", said("unfinished"));
    }

    /// Reads the stream with `EventStream`. A last event ID from before is not for it to know.
    pub async fn check_stream(&self, chunks: &[&[u8]]) {
        assert_eq!(self.options.last_event_id, "");
        let said = |what: &str| format!("{what}; {:?}, {}", self.options, show(chunks));
        let (mut events, pulled) = self.open(chunks, Policy::Discard);
        for placed in self.events() {
            let event = events.next().await.expect("an event").expect("no error");
            assert_eq!(Item::Event(owned(&event)), placed.item, "{}", said("event"));
            assert_eq!(
                events.last_event_id(),
                placed.last_event_id,
                "{}",
                said("ID")
            );
            let due = end_of_chunk(chunks, placed.at);
            assert_eq!(
                pulled.load(Ordering::Relaxed),
                due,
                "{}",
                said("read ahead, or late")
            );
        }
        match self.outcome.struck {
            None => assert!(events.next().await.is_none(), "{}", said("one too many")),
            Some(_) => {
                let error = events
                    .next()
                    .await
                    .expect("an error")
                    .expect_err("an error");
                assert_eq!(error.kind(), ErrorKind::EventTooLarge, "{}", said("error"));
            }
        }
        assert!(events.next().await.is_none(), "{}", said("it is fused"));
        assert_eq!(
            events.last_event_id(),
            self.outcome.last_event_id,
            "{}",
            said("ID")
        );
        assert_eq!(
            events.has_unfinished(),
            self.outcome.has_unfinished,
            "{}",
            said("unfinished")
        );
        let time = events.reconnection_time().map(faces::milliseconds);
        assert_eq!(
            time,
            self.outcome.reconnection_time,
            "{}",
            said("reconnection time")
        );
    }

    /// Reads the stream as signals, its unfinished event dispatched.
    pub async fn check_signals(&self, chunks: &[&[u8]]) {
        let said = |what: &str| format!("{what}; {:?}, {}", self.options, show(chunks));
        let (events, _) = self.open(chunks, Policy::Dispatch);
        let mut signals = events.signals();
        let mut items = Vec::new();
        let error = loop {
            match signals.next().await {
                Some(Ok(Signal::Open(_))) => assert_eq!(items, [], "{}", said("open")),
                Some(Ok(Signal::Event(event))) => items.push(Item::Event(owned(&event))),
                Some(Ok(Signal::Comment(comment))) => items.push(Item::Comment(comment)),
                Some(Ok(Signal::Retry(time))) => {
                    items.push(Item::Retry(faces::milliseconds(time)));
                }
                Some(Ok(Signal::Undispatched { event_type, id, .. })) => {
                    let event = event_type;
                    items.push(Item::Undispatched { event, id });
                }
                Some(Ok(Signal::Skipped(Skipped::Event { bytes }))) => {
                    items.push(Item::SkippedEvent(bytes));
                }
                Some(Ok(Signal::Skipped(Skipped::Comment { bytes }))) => {
                    items.push(Item::SkippedComment(bytes));
                }
                Some(Ok(other)) => panic!("{other:?} is new"),
                Some(Err(error)) => break Some(error),
                None => break None,
            }
        };
        let told = self.outcome.items.iter();
        let mut expected: Vec<Item> = told.map(|placed| placed.item.clone()).collect();
        match &self.dispatched().0 {
            Unfinished::Nothing => assert!(error.is_none(), "{}", said("no error")),
            Unfinished::Event(event) => expected.push(Item::Event(event.clone())),
            Unfinished::TooLarge => {
                let kind = error.map(|error| error.kind());
                assert_eq!(kind, Some(ErrorKind::EventTooLarge), "{}", said("error"));
            }
        }
        assert_eq!(items, expected, "{}", said("signals"));
        assert!(signals.next().await.is_none(), "{}", said("it is fused"));
    }

    fn events(&self) -> impl Iterator<Item = &Placed> {
        let items = self.outcome.items.iter();
        items.filter(|placed| matches!(placed.item, Item::Event(_)))
    }

    /// The stream, and how many bytes it has pulled so far.
    fn open(&self, chunks: &[&[u8]], unfinished: Policy) -> (EventStream, Arc<AtomicUsize>) {
        let pulled = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&pulled);
        let chunks: Vec<Bytes> = chunks
            .iter()
            .map(|chunk| Bytes::copy_from_slice(chunk))
            .collect();
        let body = stream::iter(chunks).map(move |chunk| {
            count.fetch_add(chunk.len(), Ordering::Relaxed);
            Ok::<_, Infallible>(chunk)
        });
        let events = EventStream::builder(body)
            .max_event_bytes(self.options.max_event_bytes)
            .oversized(match self.options.skip_oversized {
                true => Oversized::Skip,
                false => Oversized::Error,
            })
            .unfinished(unfinished)
            .build();
        (events, pulled)
    }
}

/// What an `EventStream` needs: a runtime with a timer, for its limits.
pub fn runtime() -> tokio::runtime::Runtime {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build();
    runtime.expect("a runtime")
}

/// Where the chunk ends that has the last of so many bytes.
fn end_of_chunk(chunks: &[&[u8]], bytes: usize) -> usize {
    let mut end = 0;
    chunks.iter().find_map(|chunk| {
        end += chunk.len();
        (end >= bytes).then_some(end)
    });
    end
}

/// Gives a chunk a read, and counts. A chunk that is longer than the reader's buffer takes more
/// than one.
struct Pieces {
    chunks: std::vec::IntoIter<Vec<u8>>,
    rest: Vec<u8>,
    read: Arc<AtomicUsize>,
}

/// What `Reader` reads at most at once.
const BUFFER: usize = 16 * 1024;

impl Pieces {
    fn new(chunks: &[&[u8]]) -> Self {
        // A read of nothing is the end of the stream.
        let chunks = chunks.iter().filter(|chunk| !chunk.is_empty());
        Self {
            chunks: chunks
                .map(|chunk| chunk.to_vec())
                .collect::<Vec<_>>()
                .into_iter(),
            rest: Vec::new(),
            read: Arc::default(),
        }
    }

    fn end_of_read(chunks: &[&[u8]], bytes: usize) -> usize {
        let reads: Vec<&[u8]> = chunks
            .iter()
            .flat_map(|chunk| chunk.chunks(BUFFER))
            .collect();
        end_of_chunk(&reads, bytes)
    }
}

impl Read for Pieces {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.rest.is_empty() {
            self.rest = self.chunks.next().unwrap_or_default();
        }
        let length = self.rest.len().min(buffer.len()).min(BUFFER);
        buffer[..length].copy_from_slice(&self.rest[..length]);
        self.rest.drain(..length);
        self.read.fetch_add(length, Ordering::Relaxed);
        Ok(length)
    }
}
