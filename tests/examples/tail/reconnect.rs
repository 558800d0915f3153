//! Reconnecting and resuming.

use everstream::testing::{ClosedPort, Gate, Reply, Server};
use serde_json::json;

use super::{Folder, Running, event, kinds, parsed, tail, told};

#[tokio::test]
async fn it_resumes_where_it_was() {
    let server = Server::script([
        event("a", "1").expect_no_last_event_id(),
        event("b", "2")
            .raw("id: c\ndata: half")
            .cut()
            .expect_last_event_id("a"),
        event("c", "3").raw("id: d\n\n").expect_last_event_id("b"),
        Reply::status(204).expect_last_event_id("d"),
    ])
    .await;
    let (lines, code) = told(tail(&server, [""; 0])).await;
    server.verify();
    let expected = [
        "event 1",
        "reconnecting end",
        "event 2",
        "reconnecting failure",
        "event 3",
        "reconnecting end",
        "closed 204",
    ];
    assert_eq!(kinds(&lines), expected);
    let message = lines[3]["message"].as_str().unwrap();
    assert!(
        message.starts_with("the response was cut off: "),
        "{message}"
    );
    assert_eq!(code, 0);
}

#[tokio::test]
async fn an_id_to_start_from_is_sent() {
    let server = Server::script([Reply::status(204).expect_last_event_id("größe 7")]).await;
    let (lines, _) = told(tail(&server, ["--last-event-id", "größe 7"])).await;
    server.verify();
    assert_eq!(kinds(&lines), ["closed 204"]);
}

#[tokio::test]
async fn the_id_is_stored_in_a_file() {
    let folder = Folder::new("kept");
    let file = folder.file("last-id");
    let resume = |server: &Server, more: &[&str]| {
        let mut command = tail(server, more);
        command.arg("--resume").arg(&file);
        command
    };

    // There is no file yet, and another ID to start from.
    let events = event("1", "a").raw("id: 2\ndata: b\n\nid: 3\ndata: c\n\n");
    let server = Server::script([events.expect_last_event_id("0")]).await;
    let options = ["--max-events", "2", "--last-event-id", "0"];
    let (_, code) = told(resume(&server, &options)).await;
    server.verify();
    assert_eq!(code, 0);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "2");

    // The file takes precedence; an ID without an event counts too.
    let server = Server::script([
        event("3", "c").raw("id: 4\n\n").expect_last_event_id("2"),
        Reply::status(404),
    ])
    .await;
    let (_, code) = told(resume(&server, &["--last-event-id", "0"])).await;
    server.verify();
    assert_eq!(code, 1);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "4");

    // A server may take the ID back. An editor may have put a line end there.
    std::fs::write(&file, "4\n").unwrap();
    let server = Server::script([event("", "x").expect_last_event_id("4")]).await;
    told(resume(&server, &[])).await;
    server.verify();
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "");
    assert_eq!(folder.names(), ["last-id"], "nothing is left behind");
}

#[tokio::test]
async fn an_event_counts_as_seen_once_it_was_printed() {
    let folder = Folder::new("seen");
    let file = folder.file("last-id");
    let gate = Gate::new();
    let events = event("1", "a").gate(&gate).raw("id: 2\ndata: b\n\n").hold();
    let server = Server::script([events]).await;
    let options = ["--resume".as_ref(), file.as_os_str()];
    let mut tail = Running::start(tail(&server, options));
    tail.line().await;
    tail.line().await;
    gate.open();
    assert_eq!(parsed(&tail.line().await)["id"], "2");
    // By now the previous one has been stored, and possibly this one.
    let kept = std::fs::read_to_string(&file).unwrap();
    assert!(kept == "1" || kept == "2", "{kept:?}");
}

#[tokio::test]
async fn a_file_that_cannot_be_written_is_an_error() {
    let folder = Folder::new("unwritable");
    let server = Server::script([event("1", "a").hold()]).await;
    let file = folder.file("missing/last-id");
    let options = ["--resume".as_ref(), file.as_os_str()];
    let (lines, code) = told(tail(&server, options)).await;
    assert_eq!(kinds(&lines), ["event a", "error"]);
    let message = lines[1]["message"].as_str().unwrap();
    assert!(message.contains("last-id"), "{message}");
    assert_eq!(code, 1);
}

#[tokio::test]
async fn a_busy_server_is_retried_after_the_requested_delay() {
    let busy = Reply::status(503).header("retry-after", "0").raw("soon");
    let server = Server::script([busy, event("1", "a")]).await;
    let (lines, code) = told(tail(&server, ["--max-events", "1"])).await;
    assert_eq!(kinds(&lines), ["reconnecting failure", "event a", "closed"]);
    let message = "the server answered 503 Service Unavailable: soon";
    assert_eq!(lines[0]["message"], message);
    assert_eq!(lines[0]["failure"], 1);
    assert_eq!(code, 0);
}

#[tokio::test]
async fn attempts_are_limited() {
    // An ID that was there before is no progress.
    let port = ClosedPort::reserve();
    for id in ["", "7"] {
        let options = [
            "--json",
            "--max-initial-failures",
            "1",
            "--last-event-id",
            id,
        ];
        let mut command = super::example("tail", options);
        command.arg(port.url("/"));
        let (lines, code) = told(command).await;
        assert_eq!((&*kinds(&lines), code), (&["error".to_owned()][..], 1));
    }

    let busy = Reply::status(503).header("retry-after", "0");
    let server = Server::script_then([event("1", "a")], busy).await;
    let (lines, code) = told(tail(&server, ["--max-consecutive-failures", "2"])).await;
    let expected = [
        "event a",
        "reconnecting end",
        "reconnecting failure",
        "error 503",
    ];
    assert_eq!(
        (&*kinds(&lines), code),
        (&expected.map(String::from)[..], 1)
    );
    assert_eq!(server.requests().len(), 3);
}

#[tokio::test]
async fn a_post_is_sent_once() {
    let ended = Server::script([event("1", "a")]).await;
    let (lines, code) = told(tail(&ended, ["-d", "ask"])).await;
    assert_eq!(
        (kinds(&lines), code),
        (vec!["event a".into(), "closed".into()], 0)
    );
    assert_eq!(ended.requests().len(), 1);

    let cut = Server::script([event("1", "a").cut()]).await;
    let (lines, code) = told(tail(&cut, ["-d", "ask"])).await;
    assert_eq!(
        (kinds(&lines), code),
        (vec!["event a".into(), "error".into()], 1)
    );
    assert_eq!(cut.requests().len(), 1);

    let again = Server::script([event("1", "a"), event("2", "b")]).await;
    let (lines, _) = told(tail(&again, ["-d", "ask", "--resend-unsafe-methods"])).await;
    let expected = [
        "event a",
        "reconnecting end",
        "event b",
        "reconnecting end",
        "closed 204",
    ];
    assert_eq!(kinds(&lines), expected);
    for request in again.requests() {
        assert_eq!(
            (request.method().as_str(), &request.body()[..]),
            ("POST", &b"ask"[..])
        );
    }
}

#[tokio::test]
async fn silence_has_its_limits() {
    let never = Gate::new();
    for (option, stalled) in [
        ("--idle-timeout", Reply::events().hold()),
        ("--response-timeout", Reply::events().gate_head(&never)),
        ("--event-timeout", Reply::events().comment("").hold()),
    ] {
        let server = Server::script([stalled]).await;
        let options = [option, "20", "--max-initial-failures", "0"];
        let (lines, code) = told(tail(&server, options)).await;
        let mut kinds = kinds(&lines);
        // A machine may be too busy to answer in time.
        kinds.dedup();
        assert_eq!(kinds, ["reconnecting timeout", "closed 204"], "{option}");
        assert_eq!(code, 0);
    }
}

#[tokio::test]
async fn commands_are_read_from_stdin() {
    let server = Server::script([
        event("1", "a").hold(),
        event("2", "b").hold().expect_last_event_id("1"),
    ])
    .await;
    let mut tail = Running::start(tail(&server, ["--control"]));
    assert_eq!(parsed(&tail.line().await)["kind"], "open");
    assert_eq!(parsed(&tail.line().await)["data"], "a");
    tail.write("reconnect\n").await;
    let again = parsed(&tail.line().await);
    assert_eq!(
        (&again["cause"], &again["delay_ms"]),
        (&json!("requested"), &json!(0))
    );
    assert_eq!(parsed(&tail.line().await)["kind"], "open");
    assert_eq!(parsed(&tail.line().await)["data"], "b");
    tail.write("nonsense\n\nclose\n").await;
    assert_eq!(tail.line().await, r#"{"kind":"closed"}"#);
    let run = tail.end().await;
    assert_eq!((run.code, &*run.stdout), (Some(0), ""));
    assert!(run.stderr.contains("nonsense"), "{:?}", run.stderr);
    server.verify();
}
