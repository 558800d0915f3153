//! Ten thousand connections that the server cuts, resets, refuses and splits, over TCP.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use everstream::{
    Backoff, Error, EventSource, Signal,
    http::Request as HttpRequest,
    testing::{Reply, Request, Server},
};
use futures_util::TryStreamExt;

use crate::{
    CUTS, Memory, heap,
    numbered::{self, Follower},
    splits::Random,
};

/// Continues after the last event that the client has seen, and fails in some way after a while.
fn reply(request: &Request, random: &mut Random) -> Reply {
    let seen = numbered::seen(request.last_event_id());
    if random.below(10) == 0 {
        let status = [408, 425, 429, 500, 502, 503][random.below(6)];
        return Reply::status(status).header("retry-after", "0");
    }
    let mut body = if random.below(4) == 0 {
        b"\xef\xbb\xbf: hello\n".to_vec()
    } else {
        Vec::new()
    };
    for number in seen + 1..seen + 2 + random.below(6) as u64 {
        body.extend(numbered::wire(number));
    }
    let length = body.len();
    let mut reply = Reply::events().raw("retry: 0\n");
    reply = match random.below(4) {
        0 => reply.split_every(1 + random.below(7)),
        1 => reply.split_at([random.below(length) as u64, random.below(length) as u64]),
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
        _ => reply.cut_after(random.below(length + 9) as u64),
    }
}

#[test]
fn ten_thousand_cuts_of_a_server_lose_nothing_and_repeat_nothing() -> Result<(), Error> {
    let _alone = heap::alone();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.expect("a runtime").block_on(follow())
}

async fn follow() -> Result<(), Error> {
    let random = Arc::new(Mutex::new(Random::new(0x5eed)));
    let server =
        Server::start(move |request| reply(request, &mut random.lock().expect("no reply panics")))
            .await;
    let at_once = Backoff::new()
        .min_delay(Duration::ZERO)
        .initial_backoff(Duration::ZERO)
        .jitter(0.0);
    let mut signals = EventSource::request(HttpRequest::get(server.url("/")).body(""))
        .backoff(at_once)
        .max_initial_failures(None)
        .build()?
        .signals();

    let mut memory = Memory::new();
    let mut follower = Follower::default();
    let mut cuts = 0;
    while cuts < CUTS {
        match signals.try_next().await? {
            Some(Signal::Event(event)) => {
                follower.see(&event);
                assert_eq!(signals.get_ref().last_event_id(), event.id());
            }
            Some(Signal::Reconnecting { .. }) => {
                cuts += 1;
                // Otherwise the server's records would grow.
                drop(server.take_requests());
                memory.look(cuts);
            }
            Some(_) => {}
            None => panic!("the server never ends it"),
        }
    }
    memory.verify("sockets");
    assert!(follower.seen() > CUTS, "most connections brought something");
    drop(signals);
    server.wait_until_closed().await;
    server.verify();
    Ok(())
}
