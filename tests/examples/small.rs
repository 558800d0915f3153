//! The examples that only need to be run.

use super::{example, run};

#[tokio::test]
async fn a_response_is_created_once_and_resumed() {
    let run = run(example("responses_resume", [""; 0]), "").await;
    let expected = "\
Rivers, lava, time and this text.
  POST /v1/responses
  GET /v1/responses/resp_1?stream=true&starting_after=2
  GET /v1/responses/resp_1?stream=true&starting_after=5
";
    assert_eq!(
        (run.code, &*run.stdout, &*run.stderr),
        (Some(0), expected, "")
    );
}

/// The example checks itself what was sent. The second call's stream is resumed, and then holds
/// comments for ever.
#[tokio::test]
async fn a_call_is_sent_once_and_its_answer_resumed_while_it_progresses() {
    let run = run(example("mcp", [""; 0]), "").await;
    let expected = "\
long_task: notifications/progress
long_task: \"It has run once.\"
stuck_task: no event arrived in time; raise `event_timeout` if the server may take longer (http://";
    assert_eq!((run.code, &*run.stderr), (Some(0), ""));
    assert!(run.stdout.starts_with(expected), "{}", run.stdout);
    assert!(run.stdout.ends_with("/mcp)\n"), "{}", run.stdout);
}

#[tokio::test]
async fn every_request_goes_through_the_middleware() {
    let run = run(example("middleware", [""; 0]), "").await;
    let mut lines = run.stdout.lines();
    assert_eq!((lines.next(), lines.next()), (Some("1 one"), Some("2 two")));
    let signed = |line: &str| line.ends_with("signature: a signature of this request");
    let signed: Vec<_> = lines.map(signed).collect();
    assert_eq!(
        (run.code, &*run.stderr, signed),
        (Some(0), "", vec![true; 3])
    );
}

#[tokio::test]
async fn every_task_gets_every_event() {
    let run = run(example("fan_out", [""; 0]), "").await;
    assert_eq!((run.code, &*run.stderr), (Some(0), ""));
    let mut lines: Vec<_> = run.stdout.lines().collect();
    assert_eq!(lines.pop(), Some("latest event: three"));
    for task in ["red", "blue"] {
        let got: Vec<_> = lines
            .iter()
            .filter_map(|line| line.strip_prefix(task))
            .collect();
        assert_eq!(got, [": 1 one", ": 2 two", ": 3 three"], "{task}");
    }
}

#[tokio::test]
async fn stdin_is_read_without_a_runtime() {
    let stream = "data: a\n\nid: 3\nevent: x\ndata: \x1b[2Jb\n\ndata: c";
    let run = run(example("blocking", [""; 0]), stream).await;
    let expected = "message  a\nx 3 ␛[2Jb\n(the stream ended in the middle of an event)\n";
    assert_eq!(
        (run.code, &*run.stdout, &*run.stderr),
        (Some(0), expected, "")
    );
}
