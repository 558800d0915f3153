//! Runs a stream through each face of the parser, and compares the results with the oracle.

use std::{cell::OnceCell, time::Duration};

use everstream::{EventRef, EventTooLarge, Feed, Oversized, Parser, Skipped};

use crate::oracle::{self, Event, Item, Options, Outcome, Unfinished};

/// Ways to read a chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Face {
    /// `next_item`
    Items,
    /// `next_event`
    Events,
    /// `next_owned`
    Owned,
    /// The three in turn; only events are kept.
    Mixed,
    /// `next_item`, each from a new cursor, with the rest of the chunk fed again.
    ItemsOneByOne,
    /// As above, with `next_event`.
    EventsOneByOne,
    /// As above, with `next_owned`.
    OwnedOneByOne,
    /// As above, with the three in reverse order; only events are kept.
    MixedOneByOne,
}

impl Face {
    pub const ALL: [Self; 8] = [
        Self::Items,
        Self::Events,
        Self::Owned,
        Self::Mixed,
        Self::ItemsOneByOne,
        Self::EventsOneByOne,
        Self::OwnedOneByOne,
        Self::MixedOneByOne,
    ];

    fn gives_all_items(self) -> bool {
        matches!(self, Self::Items | Self::ItemsOneByOne)
    }

    fn is_one_by_one(self) -> bool {
        matches!(
            self,
            Self::ItemsOneByOne | Self::EventsOneByOne | Self::OwnedOneByOne | Self::MixedOneByOne
        )
    }

    fn is_mixed(self) -> bool {
        matches!(self, Self::Mixed | Self::MixedOneByOne)
    }

    /// The next item of the face, or its next event.
    fn next(self, feed: &mut Feed<'_, '_>, turn: usize) -> Result<Option<Item>, EventTooLarge> {
        let face = match (self, turn % 3) {
            (Self::Mixed | Self::MixedOneByOne, 0) => Self::Items,
            (Self::Mixed, 1) | (Self::MixedOneByOne, 2) => Self::Events,
            (Self::Mixed | Self::MixedOneByOne, _) => Self::Owned,
            (face, _) => face,
        };
        match face {
            Self::Items | Self::ItemsOneByOne => Ok(feed.next_item()?.map(item)),
            Self::Owned | Self::OwnedOneByOne => {
                Ok(feed.next_owned()?.map(|event| Item::Event(owned(&event))))
            }
            Self::Events | Self::EventsOneByOne | Self::Mixed | Self::MixedOneByOne => {
                Ok(feed.next_event()?.map(|event| Item::Event(borrowed(event))))
            }
        }
    }
}

pub fn item(item: everstream::Item<'_>) -> Item {
    match item {
        everstream::Item::Event(event) => Item::Event(borrowed(event)),
        everstream::Item::Comment(comment) => Item::Comment(comment.to_owned()),
        everstream::Item::Retry(time) => Item::Retry(milliseconds(time)),
        everstream::Item::Undispatched { event_type, id, .. } => Item::Undispatched {
            event: event_type.to_owned(),
            id: id.to_owned(),
        },
        everstream::Item::Skipped(Skipped::Event { bytes, .. }) => Item::SkippedEvent(bytes),
        everstream::Item::Skipped(Skipped::Comment { bytes, .. }) => Item::SkippedComment(bytes),
        other => panic!("{other:?} is new: tell the oracle"),
    }
}

fn borrowed(event: EventRef<'_>) -> Event {
    let copy = owned(&event.to_owned());
    let event = Event {
        event: event.event_type().to_owned(),
        data: event.data().to_owned(),
        id: event.id().to_owned(),
    };
    assert_eq!(copy, event, "to_owned() changes nothing");
    event
}

/// In the oracle's words.
pub fn owned(event: &everstream::Event) -> Event {
    Event {
        event: event.event_type().to_owned(),
        data: event.data().to_owned(),
        id: event.id().to_owned(),
    }
}

/// In the oracle's unit.
pub fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).expect("a retry field holds 64 bits")
}

/// For messages: where the cuts are, shortened.
pub fn show(chunks: &[&[u8]]) -> String {
    let chunks: Vec<_> = chunks
        .iter()
        .map(|chunk| chunk.escape_ascii().to_string())
        .collect();
    let mut shown = chunks.join("|");
    if shown.len() > 3000 {
        shown.truncate(3000);
        shown.push('…');
    }
    shown
}

/// A parser with these options.
pub fn parser(options: &Options) -> Parser {
    Parser::new()
        .with_last_event_id(options.last_event_id.clone())
        .with_max_event_bytes(options.max_event_bytes)
        .with_oversized(match options.skip_oversized {
            true => Oversized::Skip,
            false => Oversized::Error,
        })
}

/// A stream, and the oracle's result.
#[derive(Debug)]
pub struct Expected<'a> {
    pub wire: &'a [u8],
    pub options: &'a Options,
    pub outcome: Outcome,
    dispatched: OnceCell<(Unfinished, Outcome)>,
    /// The same stream again, on a new connection of the same parser.
    again: OnceCell<Outcome>,
}

impl<'a> Expected<'a> {
    pub fn new(wire: &'a [u8], options: &'a Options) -> Self {
        Self {
            wire,
            options,
            outcome: oracle::read(wire, options),
            dispatched: OnceCell::new(),
            again: OnceCell::new(),
        }
    }

    /// With the unfinished block dispatched.
    pub fn dispatched(&self) -> &(Unfinished, Outcome) {
        let dispatch = || oracle::dispatch_unfinished(self.wire, self.options, &self.outcome);
        self.dispatched.get_or_init(dispatch)
    }

    /// Reads the stream through every face, cut into these chunks.
    pub fn check(&self, chunks: &[&[u8]]) {
        for face in Face::ALL {
            self.check_face(face, chunks);
        }
    }

    pub fn check_face(&self, face: Face, chunks: &[&[u8]]) {
        let said = || format!("{face:?}, {:?}, {}", self.options, show(chunks));
        let mut parser = parser(self.options);
        self.check_life(&mut parser, face, chunks, &self.outcome);
        let (unfinished, dispatched) = self.dispatched();
        match (parser.dispatch_unfinished(), unfinished) {
            (Ok(None), Unfinished::Nothing) | (Err(EventTooLarge { .. }), Unfinished::TooLarge) => {
            }
            (Ok(Some(event)), Unfinished::Event(expected)) => {
                assert_eq!(&borrowed(event), expected, "{}", said());
            }
            (event, expected) => {
                panic!("unfinished: {event:?}, expected {expected:?}; {}", said());
            }
        }
        if *unfinished != Unfinished::TooLarge {
            assert_eq!(
                parser.last_event_id(),
                dispatched.last_event_id,
                "{}",
                said()
            );
            let time = parser.reconnection_time().map(milliseconds);
            assert_eq!(time, dispatched.reconnection_time, "{}", said());
            assert!(
                !parser.has_unfinished(),
                "nothing is left to dispatch; {}",
                said()
            );
        }
    }

    /// Reads the stream, reconnects wherever it stopped, and reads it again.
    pub fn check_reconnection(&self, chunks: &[&[u8]]) {
        for face in Face::ALL {
            self.check_face_reconnection(face, chunks);
        }
    }

    pub fn check_face_reconnection(&self, face: Face, chunks: &[&[u8]]) {
        let next = || {
            let last_event_id = self.outcome.last_event_id.clone();
            oracle::read(
                self.wire,
                &Options {
                    last_event_id,
                    ..self.options.clone()
                },
            )
        };
        let again = self.again.get_or_init(next);
        let mut parser = parser(self.options);
        self.check_life(&mut parser, face, chunks, &self.outcome);
        parser.reconnect();
        let said = || format!("{face:?}, {:?}, {}", self.options, show(chunks));
        assert!(!parser.has_unfinished(), "{}", said());
        assert_eq!(
            parser.last_event_id(),
            self.outcome.last_event_id,
            "{}",
            said()
        );
        self.check_life(&mut parser, face, chunks, again);
    }

    fn check_life(&self, parser: &mut Parser, face: Face, chunks: &[&[u8]], outcome: &Outcome) {
        assert_eq!(chunks.concat(), self.wire);
        let said = |what: &str| format!("{what}; {face:?}, {:?}, {}", self.options, show(chunks));
        let earlier_time = parser.reconnection_time().map(milliseconds);
        // An item is due with the chunk that has the last byte of it.
        let due = outcome
            .items
            .iter()
            .filter(|placed| face.gives_all_items() || matches!(placed.item, Item::Event(_)));
        let mut due = due.peekable();
        let mut turn = 0;
        let mut start = 0;
        for chunk in chunks {
            let end = start + chunk.len();
            let mut feed = parser.feed(chunk);
            let mut base = start;
            let exceeded = loop {
                let next = face.next(&mut feed, turn);
                turn += 1;
                let consumed = base + feed.consumed();
                match next {
                    Ok(Some(item)) => {
                        if face.is_mixed() && !matches!(item, Item::Event(_)) {
                            if face.is_one_by_one() {
                                drop(feed);
                                base = consumed;
                                feed = parser.feed(&chunk[base - start..]);
                            }
                            continue;
                        }
                        let Some(placed) = due.next() else {
                            panic!("{}", said(&format!("{item:?} is one too many")));
                        };
                        assert_eq!(item, placed.item, "{}", said("another item"));
                        assert!(
                            placed.at <= consumed && consumed <= end,
                            "{}",
                            said("consumed()")
                        );
                        if face.is_one_by_one() {
                            drop(feed);
                            assert_eq!(
                                parser.last_event_id(),
                                placed.last_event_id,
                                "{}",
                                said("ID")
                            );
                            base = consumed;
                            feed = parser.feed(&chunk[base - start..]);
                        }
                    }
                    Ok(None) => {
                        assert_eq!(consumed, end, "{}", said("a chunk is taken whole"));
                        assert_eq!(face.next(&mut feed, turn), Ok(None), "{}", said("still"));
                        break None;
                    }
                    Err(error) => {
                        assert_eq!(error.limit, self.options.max_event_bytes);
                        let again = face.next(&mut feed, turn).expect_err("an error stays");
                        assert_eq!(again, error, "{}", said("an error stays"));
                        break Some(consumed);
                    }
                }
            };
            if exceeded.is_some() {
                assert_eq!(
                    exceeded,
                    outcome.exceeded,
                    "{}",
                    said("where the limit is exceeded")
                );
                assert_eq!(
                    due.next(),
                    None,
                    "{}",
                    said("an item was lost to the limit")
                );
                for chunk in [b"".as_slice(), b"x", b"data: x\n\ndata: x\n\n"] {
                    let feed = parser.feed(chunk).next_event().map(drop);
                    assert!(feed.is_err(), "{}", said("an error stays"));
                }
                break;
            }
            if let Some(exceeded) = outcome.exceeded {
                assert!(end < exceeded, "{}", said("the limit is not exceeded"));
            }
            if let Some(placed) = due.peek() {
                assert!(placed.at > end, "{}", said(&format!("{placed:?} is late")));
            }
            start = end;
        }
        assert_eq!(due.next(), None, "{}", said("an item never came"));
        assert_eq!(
            parser.last_event_id(),
            outcome.last_event_id,
            "{}",
            said("last event ID")
        );
        let time = parser.reconnection_time().map(milliseconds);
        assert_eq!(
            time,
            outcome.reconnection_time.or(earlier_time),
            "{}",
            said("reconnection time")
        );
        assert_eq!(
            parser.has_unfinished(),
            outcome.has_unfinished,
            "{}",
            said("unfinished")
        );
    }
}
