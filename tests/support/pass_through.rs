//! Encodes parsed items, parses them again, and records what was encoded.

use std::time::Duration;

use everstream::{
    Event, Parser, Skipped,
    encode::{self, EncodeError, Encoder},
};

use super::faces::{self, milliseconds};
use crate::oracle::{self, Item, Options};

/// The items of a stream.
#[derive(Debug, PartialEq)]
pub struct Read {
    pub items: Vec<Item>,
    pub last_event_id: String,
    pub has_unfinished: bool,
}

/// Reads a stream in these chunks.
pub fn read(chunks: &[&[u8]], options: &Options) -> Read {
    let mut parser = faces::parser(options);
    let mut items = Vec::new();
    for chunk in chunks {
        let mut feed = parser.feed(chunk);
        while let Ok(Some(item)) = feed.next_item() {
            items.push(faces::item(item));
        }
    }
    Read {
        items,
        last_event_id: parser.last_event_id().to_owned(),
        has_unfinished: parser.has_unfinished(),
    }
}

/// Sends a stream on as a proxy does, to a client that has its last event ID and to one that has
/// none, and compares what they read with what the proxy read.
pub fn check(chunks: &[&[u8]], options: &Options) {
    let whole = Options::default();
    for client_has_id in [true, false] {
        let last_event_id = match client_has_id {
            true => options.last_event_id.clone(),
            false => String::new(),
        };
        let mut encoder = Encoder::new().with_last_event_id(last_event_id.clone());
        let mut parser = faces::parser(options);
        let (expected, wire) = send_on(chunks, &mut parser, &mut encoder);
        let client = Options {
            last_event_id,
            ..whole.clone()
        };
        assert_eq!(
            read(&[&wire], &client),
            expected,
            "{} was sent on as {}",
            faces::show(chunks),
            wire.escape_ascii()
        );
    }
}

/// The parser's items, and the same encoded. Skipped items are left out.
fn send_on(chunks: &[&[u8]], parser: &mut Parser, encoder: &mut Encoder) -> (Read, Vec<u8>) {
    let (mut items, mut wire) = (Vec::new(), Vec::new());
    // Once more at the end, because there may be no chunk at all.
    for chunk in chunks.iter().chain([&&b""[..]]) {
        let mut feed = parser.feed(chunk);
        while let Ok(Some(item)) = feed.next_item() {
            let encoded = match item {
                everstream::Item::Event(event) => encoder.event(event).expect("it was parsed"),
                everstream::Item::Comment(text) => encode::comment(text),
                everstream::Item::Retry(time) => encode::retry(time),
                everstream::Item::Skipped(Skipped::Event { .. } | Skipped::Comment { .. }) => {
                    continue;
                }
                everstream::Item::Undispatched { id, .. } => {
                    // Its type would say nothing to the client, and not even its ID if it has it.
                    if id != encoder.last_event_id() {
                        let encoded = encoder.id(id).expect("it was parsed");
                        encoded.append_to(&mut wire);
                        items.push(only_id(id));
                    }
                    continue;
                }
                other => panic!("{other:?} is new: send it on"),
            };
            encoded.append_to(&mut wire);
            items.push(faces::item(item));
        }
        if parser.last_event_id() != encoder.last_event_id() {
            let encoded = encoder.id(parser.last_event_id()).expect("it was parsed");
            encoded.append_to(&mut wire);
            items.push(only_id(parser.last_event_id()));
        }
    }
    let read = Read {
        items,
        last_event_id: parser.last_event_id().to_owned(),
        has_unfinished: false,
    };
    (read, wire)
}

/// An encoder's input, and what a parser has to make of the output. If the encoder returns an
/// error, it must have written nothing, and have a reason.
#[derive(Debug)]
pub struct Written {
    pub wire: Vec<u8>,
    pub expected: Read,
    encoder: Encoder,
    keeps_id: bool,
}

impl Written {
    pub fn new(keeps_id: bool) -> Self {
        Self {
            wire: Vec::new(),
            expected: Read {
                items: Vec::new(),
                last_event_id: String::new(),
                has_unfinished: false,
            },
            encoder: match keeps_id {
                true => Encoder::new().without_id_resets(),
                false => Encoder::new(),
            },
            keeps_id,
        }
    }

    pub fn event(&mut self, event: &Event) {
        match self.encoder.event(event) {
            Ok(encoded) => encoded.append_to(&mut self.wire),
            Err(EncodeError::EventType) => return assert!(has_line_end(event.event_type())),
            Err(EncodeError::Id) => return assert!(is_not_an_id(event.id())),
            Err(other) => panic!("{other:?} is new"),
        }
        assert!(!has_line_end(event.event_type()) && !is_not_an_id(event.id()));
        if !(event.id().is_empty() && self.keeps_id) {
            self.expected.last_event_id = event.id().to_owned();
        }
        self.expected.items.push(Item::Event(oracle::Event {
            id: self.expected.last_event_id.clone(),
            ..faces::owned(event)
        }));
    }

    pub fn id(&mut self, id: &str) {
        let encoded = self.encoder.id(id);
        assert_eq!(encoded.is_err(), is_not_an_id(id));
        if let Ok(encoded) = encoded {
            encoded.append_to(&mut self.wire);
            self.expected.last_event_id = id.to_owned();
            self.expected.items.push(only_id(id));
        }
    }

    pub fn comment(&mut self, text: &str) {
        encode::comment(text).append_to(&mut self.wire);
        let lines = text.replace("\r\n", "\n");
        let lines = lines.split(['\r', '\n']);
        let comments = lines.map(|line| Item::Comment(line.to_owned()));
        self.expected.items.extend(comments);
    }

    pub fn retry(&mut self, time: Duration) {
        encode::retry(time).append_to(&mut self.wire);
        let most = Duration::from_millis(u64::MAX);
        let time = milliseconds(time.min(most));
        self.expected.items.push(Item::Retry(time));
    }
}

/// A block of an ID alone.
fn only_id(id: &str) -> Item {
    Item::Undispatched {
        event: "message".to_owned(),
        id: id.to_owned(),
    }
}

fn has_line_end(text: &str) -> bool {
    text.contains(['\r', '\n'])
}

fn is_not_an_id(text: &str) -> bool {
    text.contains(['\r', '\n', '\0'])
}
