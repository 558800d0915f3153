//! Any data read as JSON: an event gives what `serde_json` makes of its data, and a typed stream
//! has an item for each event, whatever is not JSON among them.
#![no_main]

use std::convert::Infallible;

use arbitrary::Arbitrary;
use everstream::{ErrorKind, Event, EventStream, encode};
use everstream_fuzz::with_runtime;
use futures_util::{StreamExt, stream};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

#[derive(Arbitrary, Debug)]
struct Input<'a> {
    /// How many bytes make a chunk, less one.
    chunk: u8,
    data: Vec<Data<'a>>,
}

#[derive(Arbitrary, Debug)]
enum Data<'a> {
    Bytes(&'a [u8]),
    /// What is JSON for certain, and such as is no one's idea of it.
    Number(f64),
    Text(&'a str),
    List(Vec<Option<i64>>),
    Deep(u8),
}

impl Data<'_> {
    fn text(&self) -> String {
        match self {
            Self::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned(),
            Self::Number(number) => number.to_string(),
            Self::Text(text) => Value::from(*text).to_string(),
            Self::List(list) => Value::from(list.clone()).to_string(),
            Self::Deep(depth) => {
                let depth = usize::from(*depth);
                "[".repeat(depth) + &"]".repeat(depth)
            }
        }
    }
}

fuzz_target!(|input: Input<'_>| {
    let events: Vec<Event> = input
        .data
        .iter()
        .map(|data| Event::new(data.text()))
        .collect();
    let mut wire = Vec::new();
    for event in &events {
        let expected: Result<Value, _> = serde_json::from_str(event.data());
        match (event.json::<Value>(), expected) {
            (Ok(value), Ok(expected)) => assert_eq!(value, expected),
            (Err(_), Err(_)) => {}
            (value, expected) => panic!("{value:?} in place of {expected:?}"),
        }
        let encoded = encode::event(event).expect("it has neither type nor ID");
        encoded.append_to(&mut wire);
    }
    let chunks: Vec<_> = wire
        .chunks(usize::from(input.chunk) + 1)
        .map(|chunk| Ok::<_, Infallible>(chunk.to_vec()))
        .collect();
    let typed = EventStream::new(stream::iter(chunks)).json::<Value>();
    let items: Vec<_> = with_runtime(|runtime| runtime.block_on(typed.collect()));
    assert_eq!(items.len(), events.len(), "each event is an item");
    for (n, (item, event)) in items.into_iter().zip(&events).enumerate() {
        match (item, serde_json::from_str::<Value>(event.data())) {
            (Ok(value), Ok(expected)) => assert_eq!(value, expected),
            (Err(error), Err(_)) => {
                assert_eq!(error.kind(), ErrorKind::Json);
                assert!(!error.is_final());
                assert_eq!(error.event(), Some(event));
                assert_eq!(error.events_before(), n as u64);
            }
            (item, expected) => panic!("{item:?} in place of {expected:?}"),
        }
    }
});
