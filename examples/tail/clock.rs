//! The built-in server for `tail`: it sends the time, and drops connections.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use everstream::testing::{Reply, Request, Server};
use everstream::{Event, encode};

use crate::output::{now, time};

/// Starts the server. It ends when it is dropped.
pub(crate) async fn start() -> Server {
    Server::start(answer).await
}

/// Sends an event of type `time` every second, with the second as its ID. A client that reconnects gets
/// the events that it missed.
fn answer(request: &Request) -> Reply {
    /// How many seconds of events the server keeps.
    const MEMORY: u64 = 60;

    let now = now();
    let mut reply = Reply::events().retry_ms(2000);
    let resumed = request
        .last_event_id()
        .and_then(|id| id.parse::<u64>().ok());
    if let Some(last) = resumed {
        for second in (last.saturating_add(1)).max(now - MEMORY)..=now {
            reply = reply.event(&event(second));
        }
    }
    // Connections last for different times, and end in different ways.
    let n = request.number();
    let seconds = [7, 4, 9][n % 3];
    for second in now + 1..=now + seconds {
        let pause = if second == now + 1 {
            until(second)
        } else {
            Duration::from_secs(1)
        };
        reply = reply.pause(pause).event(&event(second));
    }
    match n % 3 {
        0 => reply,
        1 => reply.raw(half(&event(now + seconds + 1))).cut(),
        _ => reply.pause(Duration::from_millis(500)).reset(),
    }
}

fn event(second: u64) -> Event {
    Event::new(format!("{} UTC", time(second)))
        .with_event_type("time")
        .with_id(second.to_string())
}

/// The first half of an event. Clients discard an incomplete event.
fn half(event: &Event) -> Vec<u8> {
    let wire = encode::event(event).expect("a type and an ID without line ends");
    let mut wire = wire.to_vec();
    wire.truncate(wire.len() / 2);
    wire
}

fn until(second: u64) -> Duration {
    let then = UNIX_EPOCH + Duration::from_secs(second);
    then.duration_since(SystemTime::now()).unwrap_or_default()
}
