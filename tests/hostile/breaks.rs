//! Connections that break: complete events were yielded, and incomplete ones are sent again.

use everstream::Timeout;

use crate::*;

const IDLE: ErrorKind = ErrorKind::Timeout(Timeout::Idle);

/// The first event whole, the second one not.
const WIRE: &str = "id: 1\ndata: a\n\nid: 2\ndata: b";

fn breaks() -> Vec<(&'static str, Reply, Option<ErrorKind>)> {
    let body = Some(ErrorKind::Body);
    let chunked = "transfer-encoding: chunked\r\n";
    let chunk = "1c\r\nid: 1\ndata: a\n\nid: 2\ndata: b\r\n";
    vec![
        ("the end", events(WIRE), None),
        ("chunks cut between two", events(WIRE).cut(), body),
        ("chunks cut in one", events(WIRE).cut_after(20), body),
        (
            "chunks cut in a size",
            in_one(chunked, &format!("{chunk}1")).cut(),
            body,
        ),
        (
            "a chunk of no size",
            in_one(chunked, &format!("{chunk}x\r\n")),
            body,
        ),
        (
            "a chunk of more than there can be",
            in_one(chunked, &format!("{chunk}fffffffffffffffff\r\nx")),
            body,
        ),
        (
            "a chunk longer than it says",
            in_one(chunked, &format!("{chunk}1\r\nxxxxxx\r\n")),
            body,
        ),
        (
            "a body shorter than promised",
            events(WIRE).truncated_length(1 << 40),
            body,
        ),
        ("silence in an event", in_one("", WIRE).hold(), Some(IDLE)),
        (
            "silence in a chunk",
            in_one(chunked, &format!("{chunk}ff\r\ndata")).hold(),
            Some(IDLE),
        ),
    ]
}

#[test]
fn complete_events_are_kept_and_the_rest_is_resent() {
    alone(async {
        let client = client();
        for (what, reply, kind) in breaks() {
            let served = reply.clone();
            let server = Server::start(move |request| match request.last_event_id() {
                None => served.clone(),
                Some("1") => events("id: 2\ndata: b\n\n"),
                _ => Reply::status(204),
            })
            .await;
            // A short limit only where there is silence to notice.
            let idle = (kind == Some(IDLE)).then_some(Duration::from_millis(200));
            let asked = answer(&client, &server).idle_timeout(idle);
            let told = within(CONNECTION, what, whole(asked)).await;
            assert_eq!(told.data, ["a"], "{what}");
            assert_eq!(told.kind(), kind, "{what}: {:?}", told.error);
            if let Some(error) = told.error {
                assert_eq!(error.events_before(), 1, "{what}");
            }

            let feed = source(&client, &server).idle_timeout(idle).build();
            let told = within(CONNECTION, what, life(feed.unwrap())).await;
            assert_eq!(told.data, ["a", "b"], "{what}");
            assert!(told.error.is_none(), "{what}: {:?}", told.error);
            // The end of a body within an event is ignored by an answer, but not by a feed.
            let cause = kind.or(Some(ErrorKind::Incomplete));
            assert_eq!(told.causes[0], cause, "{what}");
            assert_eq!(server.requests().len(), 1 + 1 + told.causes.len());
        }
    });
}

/// A reset may destroy what the system holds unread, so the test waits until it has been read.
#[test]
fn a_reset_loses_nothing_that_has_arrived() {
    use everstream::testing::Gate;

    alone(async {
        let client = client();
        let read = Gate::new();
        let reply = events(WIRE).gate(&read).reset();
        let server = Server::script([reply, events("id: 2\ndata: b\n\n")]).await;
        let feed = source(&client, &server).build().unwrap();
        let told = within(CONNECTION, "a reset", async {
            let mut told = Told::default();
            let mut signals = feed.signals();
            while let Some(signal) = signals.next().await {
                told.note(signal);
                if !told.data.is_empty() {
                    read.open();
                }
            }
            told
        });
        let told = told.await;
        assert_eq!(told.data, ["a", "b"]);
        assert_eq!(told.causes, [Some(ErrorKind::Body), None]);
        assert!(told.error.is_none());
        assert_eq!(server.requests()[1].last_event_id(), Some("1"));
        server.verify();
    });
}

/// A server that only breaks connections: the attempts are counted, however it does that.
#[test]
fn repeated_breaks_without_progress_end_in_an_error() {
    alone(async {
        let client = client();
        let nothing = [
            ("an empty stream", Reply::events(), ErrorKind::Incomplete),
            (
                "an empty stream, cut",
                Reply::events().cut(),
                ErrorKind::Body,
            ),
            ("half an event", events("data: half").cut(), ErrorKind::Body),
            ("no answer", Reply::refuse(), ErrorKind::Transport),
            ("a reset", Reply::refuse().reset(), ErrorKind::Transport),
            ("silence", Reply::refuse().hold(), IDLE),
            ("silence after a head", Reply::events().hold(), IDLE),
        ];
        for (what, reply, kind) in nothing {
            let server = Server::script_then([], reply).await;
            let feed = source(&client, &server)
                .idle_timeout((kind == IDLE).then_some(Duration::from_millis(50)))
                .max_consecutive_failures(5)
                .max_initial_failures(None)
                .build();
            let told = within(CONNECTION, what, life(feed.unwrap())).await;
            assert!(told.data.is_empty(), "{what}");
            assert_eq!(told.kind(), Some(kind), "{what}: {:?}", told.error);
            assert_eq!(told.causes.len(), 4, "{what}");
            assert!(server.requests().len() <= 5, "{what}");
        }
    });
}
