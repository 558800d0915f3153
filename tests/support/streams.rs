//! The faces of the feature `stream` that drive the parser themselves, over a stream of chunks.

use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use everstream::{
    ErrorKind, EventStream, Oversized, Signal, Skipped, Unfinished as Policy, bytes::Bytes,
};
use futures_util::{StreamExt, stream};

use super::{
    faces::{self, Expected, owned, show},
    reader::end_of_chunk,
};
use crate::oracle::{Item, Unfinished};

impl Expected<'_> {
    /// Reads the stream with `EventStream`, without an earlier last event ID.
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
        match self.outcome.exceeded {
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

    /// Reads the stream as signals, its unfinished event dispatched: wherever the stream is cut, the
    /// signals are those of the stream made whole with a line end and a blank line.
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
                Some(Ok(Signal::Skipped(Skipped::Event { bytes, .. }))) => {
                    items.push(Item::SkippedEvent(bytes));
                }
                Some(Ok(Signal::Skipped(Skipped::Comment { bytes, .. }))) => {
                    items.push(Item::SkippedComment(bytes));
                }
                Some(Ok(other)) => panic!("{other:?} is new"),
                Some(Err(error)) => break Some(error),
                None => break None,
            }
        };
        let (unfinished, whole) = self.dispatched();
        let kind = error.map(|error| error.kind());
        let too_large = *unfinished == Unfinished::TooLarge;
        let expected = too_large.then_some(ErrorKind::EventTooLarge);
        assert_eq!(kind, expected, "{}", said("error"));
        let told = whole.items.iter();
        let expected: Vec<Item> = told.map(|placed| placed.item.clone()).collect();
        assert_eq!(items, expected, "{}", said("signals"));
        assert!(signals.next().await.is_none(), "{}", said("it is fused"));
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
