//! Events at the limit of 16 MiB, and one byte beyond it.

use everstream::Oversized;

use crate::*;

const LIMIT: u64 = 16 * MIB as u64;

/// An event of this many bytes, as the limit counts them, between two small ones.
fn large(bytes: u64) -> Reply {
    let name = "data: ";
    events("id: 1\ndata: before\n\n")
        .raw(name)
        .repeat("x", bytes - name.len() as u64)
        .raw("\n\n")
        .raw("id: 3\ndata: after\n\n")
}

/// The event, a quarter more for a buffer that grows, and the connection.
const ROOM: usize = LIMIT as usize * 5 / 4 + CONNECTION;

#[test]
fn an_event_of_16_mib_is_accepted_but_not_one_byte_more() {
    alone(async {
        let client = client();
        let server = Server::script_then([large(LIMIT)], large(LIMIT + 1)).await;
        let what = "an event of 16 MiB";
        let told = within(ROOM, what, whole(answer(&client, &server))).await;
        let lengths: Vec<_> = told.data.iter().map(String::len).collect();
        assert_eq!(lengths, [6, LIMIT as usize - 6, 5]);
        assert!(told.error.is_none());
        drop(told);

        let what = "an event of 16 MiB and a byte";
        let told = within(ROOM, what, whole(answer(&client, &server))).await;
        assert_eq!(told.data, ["before"]);
        assert_eq!(told.kind(), Some(ErrorKind::EventTooLarge));
        server.wait_until_closed().await;
        let feed = source(&client, &server).build().unwrap();
        let told = within(ROOM, what, life(feed)).await;
        assert_eq!(told.data, ["before"]);
        assert_eq!(told.kind(), Some(ErrorKind::EventTooLarge));
        server.wait_until_closed().await;
        assert_eq!(server.requests().len(), 3);
    });
}

#[test]
fn an_oversized_event_can_be_skipped() {
    alone(async {
        let client = client();
        for bytes in [LIMIT + 1, 4 * LIMIT] {
            let server = Server::script([large(bytes)]).await;
            let what = format!("an event of {bytes} bytes, passed over");
            let feed = source(&client, &server).oversized(Oversized::Skip);
            let told = within(ROOM, &what, life(feed.build().unwrap())).await;
            assert_eq!(told.data, ["before", "after"]);
            assert_eq!(told.skipped, [bytes]);
            assert!(told.error.is_none());
            let requests = server.requests();
            assert_eq!(requests.len(), 2);
            assert_eq!(requests[1].last_event_id(), Some("3"));
        }
    });
}

/// One after another: each is freed before the next starts.
#[test]
fn many_large_events_take_no_more_than_one() {
    alone(async {
        let client = client();
        let size = 2 * MIB;
        let server = Server::start(move |request| {
            let one = |reply: Reply| reply.raw("data:").repeat("x", size as u64).raw("\n\n");
            match request.number() {
                0..3 => one(one(one(events("")))).raw("data: unfinished").cut(),
                _ => Reply::status(204),
            }
        })
        .await;
        let mut feed = source(&client, &server).build().unwrap();
        let room = size * 5 / 4 + CONNECTION;
        let read = within(room * 2, "9 events of 2 MiB over 3 connections", async {
            let mut lengths = Vec::new();
            while let Some(event) = feed.next().await {
                lengths.push(event.unwrap().data().len());
            }
            lengths
        });
        assert_eq!(read.await, [size; 9]);
        assert_eq!(server.requests().len(), 4);
    });
}

/// The limit counts bytes on the wire. Invalid UTF-8 becomes three times as long, and an ID or a
/// type is stored both undecoded and decoded.
#[test]
fn the_decoded_size_is_bounded_too() {
    alone(async {
        let client = client();
        let limit = 2 * MIB as u64;
        let bad = &b"\xff"[..];
        for (what, start, fill, times, length) in [
            ("data that is not UTF-8", "data:", bad, 5, 3 * (limit - 5)),
            ("an ID", "data\nid:", b"x", 3, 0),
            ("an ID that is not UTF-8", "data\nid:", bad, 9, 0),
            ("a type", "data\nevent:", b"x", 3, 0),
            ("a type that is not UTF-8", "data\nevent:", bad, 9, 0),
        ] {
            // Line ends do not count.
            let counted = start.len() - start.matches('\n').count();
            let fills = limit - counted as u64;
            let reply = events(start).repeat(fill, fills).raw("\n\n");
            let server = Server::script([reply]).await;
            let what = format!("{what}, limit 2 MiB");
            let room = times * limit as usize + CONNECTION;
            let asked = answer(&client, &server).max_event_bytes(limit as usize);
            let told = within(room, &what, whole(asked)).await;
            assert!(told.error.is_none(), "{what}: {:?}", told.error);
            let lengths: Vec<_> = told.data.iter().map(|data| data.len() as u64).collect();
            assert_eq!(lengths, [length], "{what}");
        }
    });
}
