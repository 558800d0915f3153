//! Ten thousand connections that are cut, reset, refused and split at random: every event is seen
//! once, in order.
//!
//! The seed is fixed, so that a failure can be had again.

use std::sync::{Arc, Mutex};

use everstream::{
    Backoff, Error, EventSource, Signal,
    http::Request as HttpRequest,
    testing::{Reply, Request, Server},
};
use futures_util::TryStreamExt;

const CONNECTIONS: usize = 10_000;
const SEED: u64 = 0x5eed;

/// A small generator of numbers that look random (splitmix64): what matters is that they are the
/// same in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % limit
    }
}

/// What the event of this number says: of one line or of many, ASCII or not.
fn data(number: u64) -> String {
    let lines = 1 + number as usize % 3;
    vec![format!("número {number} 🎲"); lines].join("\n")
}

fn wire(number: u64) -> Vec<u8> {
    let end = ["\n", "\r\n", "\r"][number as usize % 3];
    let mut wire = format!("id: {number}{end}");
    for line in data(number).lines() {
        wire += &format!("data: {line}{end}");
    }
    (wire + end).into_bytes()
}

/// Goes on after the last event that the client has seen, for a while and then somehow not.
fn reply(request: &Request, random: &mut Random) -> Reply {
    let seen: u64 = match request.last_event_id() {
        None => 0,
        Some(id) => id.parse().expect("an ID that was sent"),
    };
    if random.below(10) == 0 {
        let status = [408, 425, 429, 500, 502, 503][random.below(6) as usize];
        return Reply::status(status).header("retry-after", "0");
    }
    let mut body = if random.below(4) == 0 {
        b"\xef\xbb\xbf: hello\n".to_vec()
    } else {
        Vec::new()
    };
    for number in seen + 1..seen + 2 + random.below(6) {
        body.extend(wire(number));
    }
    let len = body.len() as u64;
    let mut reply = Reply::events().raw("retry: 0\n");
    reply = match random.below(4) {
        0 => reply.split_every(1 + random.below(7) as usize),
        1 => reply.split_at([random.below(len), random.below(len)]),
        _ => reply,
    };
    reply = match random.below(4) {
        0 => reply.until_close(),
        _ => reply,
    };
    let reply = reply.raw(body);
    match random.below(5) {
        0 => reply,
        1 => reply.reset(),
        _ => reply.cut_after(random.below(len + 9)),
    }
}

#[tokio::test]
async fn ten_thousand_cuts_lose_nothing_and_repeat_nothing() -> Result<(), Error> {
    let random = Arc::new(Mutex::new(Random(SEED)));
    let server =
        Server::start(move |request| reply(request, &mut random.lock().expect("no reply panics")))
            .await;
    let at_once = Backoff::new()
        .floor(std::time::Duration::ZERO)
        .first(std::time::Duration::ZERO);
    let mut signals = EventSource::request(HttpRequest::get(server.url("/")).body(""))
        .backoff(at_once)
        .initial_attempts(None)
        .build()?
        .signals();

    let (mut seen, mut connections) = (0, 0);
    while connections < CONNECTIONS {
        match signals.try_next().await? {
            Some(Signal::Event(event)) => {
                seen += 1;
                assert_eq!(event.id(), seen.to_string());
                assert_eq!(event.data(), data(seen));
                assert_eq!(signals.get_ref().last_event_id(), event.id());
            }
            Some(Signal::Reconnecting { .. }) => {
                connections += 1;
                // What the server remembers would be all that grows.
                drop(server.take_requests());
            }
            Some(_) => {}
            None => panic!("the server never ends it"),
        }
    }
    assert!(
        seen > CONNECTIONS as u64,
        "most connections brought something"
    );
    drop(signals);
    server.wait_until_closed().await;
    server.verify();
    Ok(())
}
