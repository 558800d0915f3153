//! Chromium's own `EventSource`, asked about 3,000 random streams: the parser agrees with all of them.

mod oracle;
mod support;

use everstream::Parser;
use oracle::Options;
use support::{
    chromium::{self, Record},
    faces::{self, Expected},
    splits::{self, Random},
};

fn each(chunks: impl for<'a> Fn(&'a Record) -> Vec<&'a [u8]>) {
    for record in chromium::all() {
        let number = record.number;
        let mut parser = Parser::new();
        let mut events = Vec::new();
        for chunk in chunks(&record) {
            let mut feed = parser.feed(chunk);
            while let Some(event) = feed.next_owned().expect("no event is too large") {
                events.push(faces::owned(&event));
            }
        }
        assert_eq!(events, record.events, "stream {number}");
        let time = parser
            .reconnection_time()
            .map(|time| time.as_millis() as u64);
        let agrees = record.agrees(parser.last_event_id(), time);
        assert_eq!(agrees, Ok(()), "stream {number}");
    }
}

#[test]
fn whole() {
    each(|record| splits::whole(&record.wire));
}

#[test]
fn byte_by_byte() {
    each(|record| splits::bytewise(&record.wire));
}

#[test]
fn in_the_chunks_of_the_recording() {
    each(|record| splits::by_lengths(&record.wire, record.chunk_lengths.iter().copied()));
}

#[test]
fn in_random_chunks() {
    each(|record| splits::at_random(&record.wire, &mut Random::new(record.number)));
}

/// Chromium reports events, the ID and the delay; the oracle also reports everything else.
#[test]
fn through_every_face() {
    let options = Options::default();
    for record in chromium::all().iter().step_by(10) {
        let expected = Expected::new(&record.wire, &options);
        let lengths = record.chunk_lengths.iter().copied();
        let recorded = splits::by_lengths(&record.wire, lengths);
        expected.check(&recorded);
        expected.check_drivers(&recorded);
    }
}
