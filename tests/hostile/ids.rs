//! IDs that try to forge headers, and huge IDs.

use crate::*;

/// An ID that no header can carry ends the source, after the events before it, and is never sent.
#[test]
fn an_id_with_a_control_byte_is_named_and_never_sent() {
    alone(async {
        let client = client();
        let controls = (1..0x20_u8).chain([0x7f]);
        for byte in controls.filter(|byte| !b"\t\n\r".contains(byte)) {
            let mut wire = b"data: a\n\nid: 4".to_vec();
            wire.push(byte);
            wire.extend_from_slice(b"2\ndata: b\n\n");
            let server = Server::script_then([], events(wire)).await;
            let feed = source(&client, &server).build().unwrap();
            let what = format!("an ID with {byte:#04x}");
            let told = within(CONNECTION, &what, life(feed)).await;
            assert_eq!(told.data, ["a", "b"], "{what}");
            let error = told.error.expect("an error");
            assert_eq!(error.kind(), ErrorKind::LastEventId, "{what}");
            assert_eq!(error.events_before(), 2, "{what}");
            let id = format!("4{}2", char::from(byte));
            assert!(error.to_string().contains(&format!("{id:?}")), "{error}");
            assert!(!error.to_string().contains(char::from(byte)), "{error:?}");
            assert_eq!(server.requests().len(), 1, "{what}");
        }
    });
}

/// Over a socket: a header loses the white space at its ends, so the feed would continue from
/// another place.
#[test]
fn an_id_with_white_space_around_it_is_named_and_never_sent() {
    alone(async {
        let client = client();
        for id in [" 7", "7 ", "\t7", "7\t", " ", "\t"] {
            let wire = format!("data: a\n\nid: {id}\ndata: b\n\n");
            let server = Server::script_then([], events(wire)).await;
            let feed = source(&client, &server).build().unwrap();
            let told = life(feed).await;
            assert_eq!(told.data, ["a", "b"], "{id:?}");
            assert_eq!(told.kind(), Some(ErrorKind::LastEventId), "{id:?}");
            assert_eq!(server.requests().len(), 1, "{id:?}");
        }
    });
}

/// If the server replaces it in time, nothing is wrong.
#[test]
fn an_invalid_id_that_is_replaced_in_time_is_harmless() {
    alone(async {
        let client = client();
        let server = Server::script([
            events("id: \u{1}\ndata: a\n\nid: 2\n\n"),
            events("id: \u{1}\ndata: b\n\nid\n\n").expect_last_event_id("2"),
            // An ID with NUL is ignored, and an unfinished one does not count yet.
            events("id: 3\ndata: c\n\nid: \u{0}\n\nid: \u{1}\ndata").cut(),
            events("id: a\tb é\ndata: d\n\n").expect_last_event_id("3"),
        ])
        .await;
        let told = life(source(&client, &server).build().unwrap()).await;
        assert_eq!(told.data, ["a", "b", "c", "d"]);
        assert!(told.error.is_none(), "{:?}", told.error);
        let requests = server.requests();
        assert_eq!(requests[2].last_event_id(), None);
        assert_eq!(requests[4].last_event_id(), Some("a\tb é"));
        server.verify();
    });
}

/// HTTP carries an ID of a megabyte, so it is sent whole; a server that will not have it says so.
#[test]
fn an_id_of_a_mebibyte_is_sent_whole() {
    alone(async {
        let client = client();
        let first = events("id: ").repeat("x", MIB as u64).raw("\ndata: a\n\n");
        let second = events("data: b\n\nid: 2\n\n");
        let too_large = Reply::status(431).raw("no");
        let server = Server::script([first.clone(), second, first, too_large]).await;
        let feed = source(&client, &server).build().unwrap();
        // It is held by the parser and the event, by the attempt and its header, and by the HTTP
        // client that writes it; more than once by the server that reads it, and remembers it.
        let told = within(24 * MIB, "an ID of 1 MiB", life(feed)).await;
        assert_eq!(told.data, ["a", "b", "a"]);
        let error = told.error.expect("an error");
        assert_eq!(error.status().unwrap().as_u16(), 431);
        assert!(error.to_string().len() < KIB && format!("{error:?}").len() < 4 * KIB);
        let requests = server.requests();
        assert_eq!(requests.len(), 4);
        assert_eq!(requests[1].last_event_id(), Some(&*"x".repeat(MIB)));
        assert_eq!(requests[2].last_event_id(), Some("2"));
        assert_eq!(requests[3].last_event_id().map(str::len), Some(MIB));
        for request in requests {
            assert!(request.headers().get_all("last-event-id").iter().count() <= 1);
        }
    });
}

/// One that has a control byte at its end is named by its beginning alone.
#[test]
fn an_error_truncates_a_long_id() {
    alone(async {
        let client = client();
        let reply = events("id: ").repeat("x", MIB as u64).raw("\u{1}\n\n");
        let server = Server::script_then([], reply).await;
        let feed = source(&client, &server).build().unwrap();
        let what = "an ID of 1 MiB and a control byte";
        let told = within(8 * MIB, what, life(feed)).await;
        let error = told.error.expect("an error");
        assert_eq!(error.kind(), ErrorKind::LastEventId);
        assert!(error.to_string().len() < KIB && format!("{error:?}").len() < 4 * KIB);
        assert_eq!(server.requests().len(), 1);
    });
}
