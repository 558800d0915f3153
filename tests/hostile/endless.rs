//! Bodies without an end.

use everstream::Timeout;

use crate::*;

/// What counts against the limit on events is an error at the limit.
#[test]
fn an_endless_event_is_an_error_at_the_limit() {
    alone(async {
        let client = reqwest::Client::new();
        let limit = MIB;
        let endless = [
            ("data: ", "x"),
            ("id: ", "1"),
            ("event: ", "x"),
            ("retry: ", "1"),
            ("data: \u{fffd}", "\u{ff}"),
            ("", "data:\n"),
            ("", "data: x\rdata: y\r\n"),
            ("", "id: 1\nevent: x\n"),
        ];
        for (start, unit) in endless {
            let first = "id: 7\ndata: a\n\n";
            let reply = events(first).raw(start).repeat(unit, None);
            let server = Server::script_then([], reply).await;
            let what = format!("an endless event of {start:?} and {unit:?}, limit 1 MiB");
            // The client's buffers beside the event, which grows by no more than a quarter.
            let room = limit * 5 / 4 + CONNECTION;

            let asked = answer(&client, &server).max_event_bytes(limit);
            let told = within(room, &what, whole(asked)).await;
            assert_eq!(told.data, ["a"], "{what}");
            assert_eq!(told.kind(), Some(ErrorKind::EventTooLarge), "{what}");
            assert_eq!(told.error.unwrap().events_before(), 1);
            server.wait_until_closed().await;
            assert_eq!(server.requests().len(), 1, "{what}");

            // Another connection would bring the same: it is no reason for one.
            let feed = source(&client, &server).max_event_bytes(limit);
            let told = within(room, &what, life(feed.build().unwrap())).await;
            assert_eq!(told.data, ["a"], "{what}");
            assert_eq!(told.kind(), Some(ErrorKind::EventTooLarge), "{what}");
            assert!(told.causes.is_empty());
            server.wait_until_closed().await;
            assert_eq!(server.requests().len(), 2, "{what}");
        }
    });
}

/// What counts against no limit takes no memory, and a limit on the time to an event ends it.
#[test]
fn endless_noise_takes_no_memory_and_ends_with_the_time_for_events() {
    alone(async {
        let client = reqwest::Client::new();
        let limit = Duration::from_millis(50);
        let endless = [
            (":", "x"),
            ("", ":\n"),
            ("", ": a comment\n\n"),
            ("x", "x"),
            ("unknown: ", "x"),
            ("", "unknown: x\n"),
            ("", "\n"),
            ("", "\r"),
            ("", "event: x\n\n"),
            ("", "retry: 1\n\n"),
        ];
        for (start, unit) in endless {
            // The server goes by the ID, so that it does not matter how often it is asked.
            let server = Server::start(move |request| match request.last_event_id() {
                None => {
                    let first = format!("id: 1\ndata: a\n\n{start}");
                    in_one("", &first).repeat(unit, None)
                }
                Some("1") => in_one("", "id: 2\ndata: b\n\n"),
                _ => Reply::status(204),
            })
            .await;
            let what = format!("endless {start:?} and {unit:?}");

            let asked = answer(&client, &server).event_timeout(limit);
            let told = within(CONNECTION, &what, whole(asked)).await;
            assert_eq!(told.data, ["a"], "{what}");
            assert_eq!(told.kind(), Some(ErrorKind::Timeout(Timeout::Event)));
            server.wait_until_closed().await;
            assert_eq!(server.requests().len(), 1);

            let feed = source(&client, &server).event_timeout(limit);
            let told = within(CONNECTION, &what, life(feed.build().unwrap())).await;
            assert_eq!(told.data, ["a", "b"], "{what}");
            assert!(told.error.is_none(), "{what}: {:?}", told.error);
            let cause = Some(ErrorKind::Timeout(Timeout::Event));
            assert_eq!(told.causes[0], cause, "{what}");
            // A request for each that is told, and no others.
            assert_eq!(server.requests().len(), 1 + told.causes.len() + 1);
            server.wait_until_closed().await;
        }
    });
}

/// A comment of 64 MiB is passed over, and said to be.
#[test]
fn a_comment_that_ends_after_all_is_passed_over() {
    alone(async {
        let client = reqwest::Client::new();
        let long = 64 * MIB as u64;
        let reply = events(":").repeat("x", long).raw("\ndata: a\n\n");
        let server = Server::script([reply]).await;
        let what = "a comment of 64 MiB";
        let told = within(CONNECTION, what, whole(answer(&client, &server))).await;
        assert_eq!(told.skipped, [long]);
        assert_eq!(told.data, ["a"]);
        assert!(told.error.is_none());
    });
}
