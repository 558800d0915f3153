//! What is printed.

use everstream::testing::{Gate, Reply, Server};
use serde_json::json;

use super::{Running, event, example, kinds, lines, parsed, run, tail};

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
    let again = r#"{"kind":"reconnecting","failure":0,"delay_ms":1,"cause":"end","message":"the server ended the response"}"#;
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
async fn comments_are_shown_on_request() {
    let server = Server::script([Reply::events().comment("quiet").data("x")]).await;
    let (lines, _) = lines(tail(&server, ["--max-events", "1"])).await;
    assert_eq!(kinds(&lines), ["open 200", "event x", "closed"]);
}

#[tokio::test]
async fn lines_are_printed_as_they_arrive() {
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
async fn a_refusal_shows_the_servers_message() {
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
async fn events_and_other_output_are_separate() {
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
            "  the server ended the response; reconnecting in 0.1 s",
            "  closed: the server answered 204 No Content",
        ]
    );
    assert_eq!(run.code, Some(0));
}

#[tokio::test]
async fn output_cannot_control_the_terminal() {
    let wire = "\
        : \x1b[2J\u{202e}\nevent: a\x1b]0;x\x07\nid: \x7f\u{9b}\ndata: 1\u{9b}2J\x08\ndata: \u{2066}\tü\n\n\
        event: \x1b\nid: 9\n\n";
    let refused = Reply::status(403)
        .content_type("text/\u{9b}html")
        .raw("{\"error\":\"\\u001b[2J\u{9b}\u{202e}No.\"}");
    let server = Server::script([Reply::events().raw(wire), refused.clone()]).await;
    let mut command = example("tail", ["-v", "--reconnection-time", "0"]);
    command.arg(server.url("/"));
    let people = run(command, "").await;
    assert!(people.stdout.contains("a␛]0;x␇"), "{:?}", people.stdout);
    assert!(
        people.stdout.contains("1\u{fffd}2J␈\n"),
        "{:?}",
        people.stdout
    );
    assert!(
        people.stdout.ends_with(" \u{fffd}\tü\n"),
        "{:?}",
        people.stdout
    );
    assert!(
        people.stderr.contains(":␛[2J\u{fffd}\n"),
        "{:?}",
        people.stderr
    );
    assert!(
        people.stderr.contains("no data: ␛, ID \"9\"\n"),
        "{:?}",
        people.stderr
    );
    let sentence = "tail: the server answered 403 Forbidden: ␛[2J\u{fffd}\u{fffd}No.\n";
    assert!(people.stderr.ends_with(sentence), "{:?}", people.stderr);

    // Programs get all of it.
    let server = Server::script([Reply::events().raw(wire), refused]).await;
    let programs = run(tail(&server, ["-v"]), "").await;
    let is_command = |c: char| c != '\n' && c.is_control() || "\u{202e}\u{2066}".contains(c);
    for printed in [
        people.stdout.replace('\t', ""),
        people.stderr,
        programs.stdout.clone(),
    ] {
        assert!(!printed.contains(is_command), "{printed:?}");
    }
    let lines: Vec<_> = programs.stdout.lines().map(parsed).collect();
    assert_eq!(
        lines[1],
        json!({ "kind": "comment", "data": " \x1b[2J\u{202e}" })
    );
    assert_eq!(
        lines[2],
        json!({
            "kind": "event",
            "event": "a\x1b]0;x\x07",
            "data": "1\u{9b}2J\x08\n\u{2066}\tü",
            "id": "\x7f\u{9b}",
        })
    );
}

#[tokio::test]
async fn other_items_are_shown_on_request() {
    let reply = || {
        Reply::events()
            .retry_ms(20)
            .raw(": hi\nid: 7\nevent: x\n\ndata: x\n\n")
    };
    let server = Server::script([reply()]).await;
    let (all, _) = lines(tail(&server, ["-v", "--max-events", "1"])).await;
    let expected = [
        json!({ "kind": "retry", "ms": 20 }),
        json!({ "kind": "comment", "data": " hi" }),
        json!({ "kind": "undispatched", "event": "x", "id": "7" }),
    ];
    assert_eq!(all[1..4], expected);
    assert_eq!(kinds(&all[4..]), ["event x", "closed"]);

    let server = Server::script([reply()]).await;
    let mut command = example("tail", ["--verbose", "--max-events", "1"]);
    command.arg(server.url("/"));
    let run = run(command, "").await;
    let notes: Vec<_> = run.stderr.lines().map(|line| &line[8..]).collect();
    let expected = [
        "  the reconnection time is 0.0 s",
        "  :hi",
        "  no data: x, ID \"7\"",
    ];
    assert_eq!(notes[1..4], expected);
}

#[tokio::test]
async fn an_unfinished_event_is_reported_with_its_likely_cause() {
    let hint = "each event must end with a blank line, and the server sent none";
    let server = Server::script([
        Reply::events().raw("data: 1\ndata: 2\n"),
        event("1", "a").raw("data: half"),
    ])
    .await;
    let (lines, code) = lines(tail(&server, [""; 0])).await;
    assert_eq!(lines[1], json!({ "kind": "unfinished", "hint": hint }));
    assert_eq!(lines[5], json!({ "kind": "unfinished" }));
    let expected = [
        "open 200",
        "unfinished",
        "reconnecting failure",
        "open 200",
        "event a",
        "unfinished",
        "reconnecting failure",
        "closed 204",
    ];
    assert_eq!(
        (&*kinds(&lines), code),
        (&expected.map(String::from)[..], 0)
    );

    let server = Server::script([Reply::events().raw("data: 1\n")]).await;
    let mut command = example("tail", ["-d", "ask"]);
    command.arg(server.url("/"));
    let run = run(command, "").await;
    let notes: Vec<_> = run.stderr.lines().collect();
    let told = format!("the response ended in the middle of an event, which was discarded: {hint}");
    assert!(notes[1].ends_with(&told), "{notes:?}");
    let sentence = "tail: the response ended in the middle of an event";
    assert_eq!((notes[2], notes.len()), (sentence, 3));
    assert_eq!((run.code, &*run.stdout), (Some(1), ""));
}

#[tokio::test]
async fn an_answer_that_is_not_an_event_stream_is_shown() {
    let body = r#"{"error":{"message":"No credit left."}}"#;
    let json = Reply::status(200)
        .content_type("application/json")
        .raw(body);
    for (reply, sentence) in [
        (
            json,
            "tail: expected `text/event-stream`, got `application/json`",
        ),
        (
            Reply::events().raw(body),
            "tail: expected an event stream, got a body without a single field or comment",
        ),
        (
            Reply::status(500).raw(body),
            "tail: the server answered 500 Internal Server Error",
        ),
    ] {
        let server = Server::script([reply]).await;
        let mut command = example("tail", ["-d", "ask"]);
        command.arg(server.url("/"));
        let run = run(command, "").await;
        let last = run.stderr.lines().last().unwrap();
        assert!(last.starts_with(sentence), "{last}");
        assert!(last.ends_with(": No credit left."), "{last}");
        assert_eq!((run.code, &*run.stdout), (Some(1), ""));
        assert_eq!(server.requests().len(), 1);
    }
}

#[tokio::test]
async fn an_error_is_one_sentence() {
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
async fn without_a_url_it_follows_the_built_in_clock() {
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
