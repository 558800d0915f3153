//! `Reader`, which drives the parser itself, over a `Read`. Compared with the oracle as in `faces`.

use std::{
    io::{self, Read},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use everstream::{ErrorKind, Reader};

use super::faces::{self, Expected, owned, show};
use crate::oracle::{Item, Placed, Unfinished};

impl Expected<'_> {
    /// Reads the stream with `Reader`; each read returns the next chunk.
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
        match self.outcome.exceeded {
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

    pub(super) fn events(&self) -> impl Iterator<Item = &Placed> {
        let items = self.outcome.items.iter();
        items.filter(|placed| matches!(placed.item, Item::Event(_)))
    }
}

/// Where the chunk with the last of these bytes ends.
pub(super) fn end_of_chunk(chunks: &[&[u8]], bytes: usize) -> usize {
    let mut end = 0;
    chunks.iter().find_map(|chunk| {
        end += chunk.len();
        (end >= bytes).then_some(end)
    });
    end
}

/// Returns one chunk per read, and counts. A chunk that is longer than the reader's buffer takes
/// more than one.
struct Pieces {
    chunks: std::vec::IntoIter<Vec<u8>>,
    rest: Vec<u8>,
    read: Arc<AtomicUsize>,
}

/// What `Reader` reads at most at once.
const BUFFER: usize = 16 * 1024;

impl Pieces {
    fn new(chunks: &[&[u8]]) -> Self {
        // An empty read is the end of the stream.
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
