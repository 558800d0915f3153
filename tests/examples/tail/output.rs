//! What is printed.

use everstream::testing::{Gate, Reply, Server};
use serde_json::json;

use super::{Running, event, example, kinds, lines, run, tail};

/// Byte for byte: programs are built on it.
#[tokio::test]
async fn every_line_has_its_form() {
    let server = Server::script([
        Reply::events()
            .retry_ms(1)
            .comment(" hi")
            .raw("event: x\nid: 1\ndata: a\ndata: \"b\"\n\n"),
        Reply::events().data("without an ID of its own"),
    ])
    .await;
    let run = run(tail(&server, ["--comments"]), "").await;
    let url = server.url("/feed");
    let again = r#"{"kind":"reconnecting","attempt":1,"delay_ms":1,"cause":"end","message":"the server ended the response"}"#;
    let open = format!(r#"{{"kind":"open","status":200,"url":"{url}"}}"#);
    let expected = [
        &open,
        r#"{"kind":"comment","data":" hi"}"#,
        r#"{"kind":"event","event":"x","data":"a\n\"b\"","id":"1"}"#,
        again,
        &open,
        r#"{"kind":"event","event":"message","data":"without an ID of its own","id":"1"}"#,
        again,
        r#"{"kind":"closed","status":204}"#,
    ];
    assert_eq!(run.stdout.lines().collect::<Vec<_>>(), expected);
    assert_eq!((run.code, &*run.stderr), (Some(0), ""));
}

#[tokio::test]
async fn comments_are_for_the_asking() {
    let server = Server::script([Reply::events().comment("quiet").data("x")]).await;
    let (lines, _) = lines(tail(&server, ["--max-events", "1"])).await;
    assert_eq!(kinds(&lines), ["open 200", "event x", "closed"]);
}

#[tokio::test]
async fn lines_are_printed_as_they_come() {
    let gate = Gate::new();
    let server = Server::script([event("1", "now").gate(&gate).data("later").hold()]).await;
    let mut tail = Running::start(tail(&server, ["--max-events", "2"]));
    assert!(tail.line().await.starts_with(r#"{"kind":"open""#));
    assert!(tail.line().await.contains(r#""data":"now""#));
    gate.open();
    assert!(tail.line().await.contains(r#""data":"later""#));
    assert_eq!(tail.line().await, r#"{"kind":"closed"}"#);
    assert_eq!(tail.end().await.code, Some(0));
}

#[tokio::test]
async fn a_refusal_is_told_with_what_the_server_said() {
    let refused = Reply::status(404)
        .content_type("text/plain")
        .raw("no such feed");
    let server = Server::script([refused]).await;
    let (lines, code) = lines(tail(&server, [""; 0])).await;
    let expected = json!({
        "kind": "error",
        "message": "the server answered 404 Not Found",
        "status": 404,
        "body": "no such feed",
    });
    assert_eq!((lines, code), (vec![expected], 1));
}

#[tokio::test]
async fn people_see_events_and_what_else_happens_apart() {
    let server = Server::script([Reply::events()
        .raw("event: greeting\ndata: one\ndata: two\n\ndata: \x1b[2J\tx\u{9b}\n\n")
        .comment("hidden")])
    .await;
    let mut command = example("tail", ["--reconnection-time", "0"]);
    command.arg(server.url("/"));
    let run = run(command, "").await;
    // Without the time that each event begins with.
    let lines: Vec<_> = run.stdout.lines().map(|line| &line[8..]).collect();
    assert_eq!(
        lines,
        [
            "  greeting  one",
            "            two",
            "  message   \u{241b}[2J\tx\u{fffd}",
        ]
    );
    let notes: Vec<_> = run.stderr.lines().map(|line| &line[8..]).collect();
    assert_eq!(
        notes,
        [
            &format!("  open: {}", server.url("/")),
            "  the server ended the response; again in 0.1 s",
            "  closed: the server answered 204 No Content",
        ]
    );
    assert_eq!(run.code, Some(0));
}

#[tokio::test]
async fn people_read_one_sentence_for_an_error() {
    let refused = Reply::status(403).raw(r#"{"message":"Not\nfor you."}"#);
    let server = Server::script([refused]).await;
    let run = run(example("tail", [server.url("/")]), "").await;
    let sentence = "tail: the server answered 403 Forbidden: Not for you.\n";
    assert_eq!(
        (run.code, &*run.stdout, &*run.stderr),
        (Some(1), "", sentence)
    );
}

#[tokio::test]
async fn without_a_url_it_tells_the_time() {
    let (lines, code) = lines(example("tail", ["--json", "--max-events", "1"])).await;
    let [open, event, closed] = &lines[..] else {
        panic!("{lines:?}");
    };
    assert_eq!(
        (&open["kind"], &closed["kind"]),
        (&json!("open"), &json!("closed"))
    );
    assert_eq!(event["event"], "time");
    assert!(event["data"].as_str().unwrap().ends_with(" UTC"));
    assert!(event["id"].as_str().unwrap().parse::<u64>().is_ok());
    assert_eq!(code, 0);
}
