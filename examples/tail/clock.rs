//! A server to try `tail` on: it tells the time, and is not very reliable.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use everstream::testing::{Reply, Request, Server};
use everstream::{Event, encode};

use crate::output::{now, time};

/// Starts the server. It ends when it is dropped.
pub(crate) async fn start() -> Server {
    Server::start(answer).await
}

/// `event: time` for each second, with the second as its ID. A client that comes back gets those
/// that it has missed.
fn answer(request: &Request) -> Reply {
    /// For so many seconds it remembers what it has said.
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
    // Not all lives are equally long, nor do all end in bed.
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

/// The beginning of an event, which does not count without its end.
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
