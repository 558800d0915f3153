//! A feed whose events are numbered from 1, to detect lost, repeated and reordered events.
#![allow(
    dead_code,
    reason = "each test binary uses its own part of this module"
)]
#![allow(unreachable_pub, reason = "a module of tests has no outside")]

use everstream::Event;

/// The data of the event with this number: one line or more, ASCII or not.
pub fn data(number: u64) -> String {
    let lines = 1 + number as usize % 3;
    vec![format!("número {number} 🎲"); lines].join("\n")
}

/// The event on the wire, with its number as ID, and each of the line ends in turn.
pub fn wire(number: u64) -> Vec<u8> {
    let end = ["\n", "\r\n", "\r"][number as usize % 3];
    let mut wire = format!("id: {number}{end}");
    for line in data(number).lines() {
        wire += &format!("data: {line}{end}");
    }
    (wire + end).into_bytes()
}

/// The number of the last event that a client has seen, as its request says.
pub fn seen(last_event_id: Option<&str>) -> u64 {
    last_event_id.map_or(0, |id| id.parse().expect("an ID that was sent"))
}

/// Sees every event once, in order.
#[derive(Debug, Default)]
pub struct Follower {
    seen: u64,
}

impl Follower {
    /// Takes the next event.
    #[track_caller]
    pub fn see(&mut self, event: &Event) {
        self.seen += 1;
        assert_eq!(event.id(), self.seen.to_string());
        assert_eq!(event.data(), data(self.seen));
        assert_eq!(event.event_type(), "message");
    }

    /// How many events there were.
    pub fn seen(&self) -> u64 {
        self.seen
    }
}
