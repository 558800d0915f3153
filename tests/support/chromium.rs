//! Reads `tests/vectors/chromium-streams.jsonl.gz`; the README there says what it holds.

use std::io::{BufRead, BufReader};

use base64::Engine;
use serde_json::Value;

use crate::oracle::Event;

/// A stream and the result of Chromium (or the standard, where Chromium departs from it).
#[derive(Debug)]
pub struct Record {
    pub number: u64,
    pub wire: Vec<u8>,
    /// How the server cut the stream.
    pub chunk_lengths: Vec<usize>,
    pub events: Vec<Event>,
    last_event_id: Option<String>,
    delay: u64,
    /// The reconnection time, if the record states it.
    standard_retry: Option<Option<u64>>,
}

/// Chromium's own reconnection time, in milliseconds.
const DEFAULT_DELAY: u64 = 3000;

/// The most that Chromium, its timers and the recording add to the reconnection time.
const DELAY_SLACK: u64 = 1000;

impl Record {
    /// Whether Chromium's request to reconnect agrees with this last event ID and reconnection time.
    pub fn agrees(
        &self,
        last_event_id: &str,
        reconnection_time: Option<u64>,
    ) -> Result<(), String> {
        let header = as_header(last_event_id);
        if header != self.last_event_id {
            return Err(format!(
                "last event ID {header:?}, Chromium's {:?}",
                self.last_event_id
            ));
        }
        let agrees = match self.standard_retry {
            Some(retry) => retry == reconnection_time,
            None => {
                let time = reconnection_time.unwrap_or(DEFAULT_DELAY);
                (time..time + DELAY_SLACK).contains(&self.delay)
            }
        };
        match agrees {
            true => Ok(()),
            false => Err(format!(
                "reconnection time {reconnection_time:?}, the standard's {:?}, Chromium's delay {}",
                self.standard_retry, self.delay
            )),
        }
    }
}

/// The Last-Event-ID header, its bytes as latin-1 text; none for an empty ID.
fn as_header(last_event_id: &str) -> Option<String> {
    if last_event_id.is_empty() {
        return None;
    }
    let bytes = last_event_id.trim_matches([' ', '\t']).bytes();
    Some(bytes.map(char::from).collect())
}

/// All 3,000.
pub fn all() -> Vec<Record> {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/vectors/chromium-streams.jsonl.gz"
    );
    let file = std::fs::File::open(path).expect("the streams");
    let lines = BufReader::new(flate2::read::GzDecoder::new(file)).lines();
    let records =
        lines.map(|line| record(&serde_json::from_str(&line.expect("a line")).expect("JSON")));
    let records: Vec<Record> = records.collect();
    assert_eq!(records.len(), 3000);
    records
}

fn record(value: &Value) -> Record {
    let body = value["b64"].as_str().expect("a body");
    let chunks = value["chunks"].as_array().expect("chunks");
    let standard = value.get("standard");
    let events = standard.map_or(&value["events"], |standard| &standard["events"]);
    Record {
        number: value["n"].as_u64().expect("a number"),
        wire: base64::engine::general_purpose::STANDARD
            .decode(body)
            .expect("base64"),
        chunk_lengths: chunks
            .iter()
            .map(|chunk| chunk[0].as_u64().expect("a length") as usize)
            .collect(),
        events: events
            .as_array()
            .expect("events")
            .iter()
            .map(event)
            .collect(),
        last_event_id: value["reconnect"]["last_event_id"]
            .as_str()
            .map(str::to_owned),
        delay: value["reconnect"]["delay_ms"].as_u64().expect("a delay"),
        standard_retry: standard.map(|standard| standard["retry"].as_u64()),
    }
}

fn event(value: &Value) -> Event {
    let text = |key: &str| value[key].as_str().expect("a string").to_owned();
    Event {
        event: text("type"),
        data: text("data"),
        id: text("id"),
    }
}
