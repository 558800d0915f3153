//! A great many of something small.

use everstream::{Timeout, testing::Script};

use crate::*;

const MILLION: u64 = 1_000_000;

/// A million different IDs: the last one counts, and the others are freed.
#[test]
fn a_million_ids_take_no_more_than_one() {
    alone(async {
        let client = client();
        for (what, end) in [("each in a block", "\n\n"), ("in one block", "\n")] {
            let mut wire = String::new();
            for n in 1..=MILLION {
                wire.push_str(&format!("id: {n}{end}"));
            }
            let reply = events(wire).split_every(16 * KIB).raw("data: a\n\n");
            let server = Server::script([reply]).await;
            let what = format!("a million IDs, {what}");
            let feed = source(&client, &server).build().unwrap();
            let told = within(CONNECTION, &what, life(feed)).await;
            assert_eq!(told.data, ["a"]);
            assert!(told.error.is_none(), "{:?}", told.error);
            let requests = server.requests();
            assert_eq!(requests.len(), 2);
            assert_eq!(requests[1].last_event_id(), Some("1000000"));
        }
    });
}

#[test]
fn a_million_empty_events_are_all_yielded() {
    alone(async {
        let client = client();
        let unit = "data\n\n";
        let total = unit.len() as u64 * MILLION;
        let server = Server::script([events("").repeat(unit, total)]).await;
        let mut feed = source(&client, &server).build().unwrap();
        let counted = within(CONNECTION, "a million empty events", async {
            let mut count = 0;
            while let Some(event) = feed.next().await {
                assert_eq!(event.unwrap().data(), "");
                count += 1;
            }
            count
        });
        assert_eq!(counted.await, MILLION);
        assert_eq!(server.requests().len(), 2);
    });
}

/// A million blocks without data: nothing is dispatched.
#[test]
fn a_million_blocks_without_data_yield_no_event() {
    alone(async {
        let client = client();
        for unit in ["event: x\n\n", "id: 1\n\n", "retry: 0\n\n", ":\n\n", "\n"] {
            let total = unit.len() as u64 * MILLION;
            let reply = events("").repeat(unit, total).raw("data: a\n\n");
            let server = Server::script([reply]).await;
            let what = format!("a million of {unit:?}");
            let told = within(CONNECTION, &what, whole(answer(&client, &server))).await;
            assert_eq!(told.data, ["a"], "{what}");
            assert!(told.error.is_none(), "{what}");
        }
    });
}

/// One byte every two milliseconds, and each a chunk of its own: slow, but right.
#[test]
fn byte_by_byte_delivery_is_parsed_correctly() {
    alone(async {
        let client = client();
        let wire = "\u{feff}id: ä\r\nevent: €\r\ndata: 😀\r\ndata: \u{0}\r\r: c\n\rdata: b\n\n";
        let slow = events(wire).split_every(1).pace(Duration::from_millis(2));
        let server = Server::script([slow.clone(), slow.length_delimited()]).await;
        let feed = source(&client, &server).build().unwrap();
        let told = within(CONNECTION, "a byte every 2 ms", life(feed)).await;
        assert_eq!(told.data, ["😀\n\u{0}", "b", "😀\n\u{0}", "b"]);
        assert!(told.error.is_none());
        let id = |n: usize| server.requests()[n].last_event_id().map(str::to_owned);
        assert_eq!(
            [id(0), id(1), id(2)],
            [None, Some("ä".into()), Some("ä".into())]
        );
    });
}

/// One byte per second keeps a connection alive, but is not an event.
#[test]
fn one_byte_per_second_is_no_progress() {
    alone(async {
        tokio::time::pause();
        let start = tokio::time::Instant::now();
        let second = Duration::from_secs(1);
        let slow = events("").repeat("data: x\n", None).split_every(1);
        let script = Script::new().reply(slow.pace(second));
        let asked = script.events().idle_timeout(2 * second);
        let told = whole(asked.event_timeout(60 * second)).await;
        assert!(told.data.is_empty());
        assert_eq!(told.kind(), Some(ErrorKind::Timeout(Timeout::Event)));
        assert!(start.elapsed() >= 60 * second);
        script.verify();
    });
}
