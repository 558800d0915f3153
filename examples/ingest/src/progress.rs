//! The progress line: rate, lag, reconnections.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use everstream::Event;

/// Counts events and reconnections, and prints a line at intervals.
pub(crate) struct Progress {
    every: Duration,
    time_field: Option<String>,
    stored: u64,
    reconnections: u64,
    last_event_id: String,
    /// The ID of the previous event, stored or not.
    previous_id: String,
    /// The time in the newest event, in seconds since 1970.
    newest: Option<f64>,
    printed: (Instant, u64),
    warned: bool,
}

impl Progress {
    pub(crate) fn new(every: Duration, time_field: Option<String>) -> Self {
        Self {
            every,
            time_field,
            stored: 0,
            reconnections: 0,
            last_event_id: String::new(),
            previous_id: String::new(),
            newest: None,
            printed: (Instant::now(), 0),
            warned: false,
        }
    }

    /// Sets the ID that the feed is resumed from.
    pub(crate) fn resume(&mut self, last_event_id: &str) {
        last_event_id.clone_into(&mut self.previous_id);
    }

    pub(crate) fn event(&mut self, event: &Event) {
        if let Some(field) = &self.time_field {
            self.newest = seconds(event.data(), field).or(self.newest);
        }
        // An event without its own ID has the ID of the previous event. No position is between them.
        if event.id() == self.previous_id {
            self.warn_of_missing_ids();
        }
        event.id().clone_into(&mut self.previous_id);
    }

    pub(crate) fn reconnected(&mut self) {
        self.reconnections += 1;
    }

    /// Counts events that were stored with this ID. Prints a line if it is time for one.
    pub(crate) fn stored(&mut self, events: u64, last_event_id: &str) {
        self.stored += events;
        if self.last_event_id != last_event_id {
            last_event_id.clone_into(&mut self.last_event_id);
        }
        if self.printed.0.elapsed() >= self.every {
            self.print();
        }
    }

    fn warn_of_missing_ids(&mut self) {
        if !self.warned {
            self.warned = true;
            eprintln!(
                "ingest: events have no IDs: after a restart, some may be missing or stored twice"
            );
        }
    }

    /// Prints the line: all events so far, and the rate since the last line.
    pub(crate) fn print(&mut self) {
        let (time, stored) = self.printed;
        let seconds = time.elapsed().as_secs_f64().max(0.001);
        let rate = (self.stored - stored) as f64 / seconds;
        let lag = match self.newest {
            Some(newest) => format!("{:.1} s", (now() - newest).max(0.0)),
            None => "unknown".to_owned(),
        };
        eprintln!(
            "ingest: {} events, {rate:.1}/s, lag {lag}, {} reconnections, at {:?}",
            self.stored, self.reconnections, self.last_event_id
        );
        self.printed = (Instant::now(), self.stored);
    }
}

fn now() -> f64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.unwrap_or_default().as_secs_f64()
}

/// The time in a field of the data's JSON. A number too large for seconds is read as milliseconds.
fn seconds(data: &str, field: &str) -> Option<f64> {
    let data: serde_json::Value = serde_json::from_str(data).ok()?;
    let time = data.get(field)?.as_f64()?;
    Some(if time > 1e11 { time / 1000.0 } else { time })
}
