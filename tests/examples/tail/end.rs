//! How it ends.

use everstream::testing::{Gate, Reply, Server};

use super::super::soon;
use super::{Running, event, example, kinds, lines, tail};

#[tokio::test]
async fn stops_after_the_given_number_of_events() {
    let events = event("1", "a").data("b").data("c").hold();
    let server = Server::script([events]).await;
    let (lines, code) = lines(tail(&server, ["--max-events", "2"])).await;
    assert_eq!(kinds(&lines), ["open 200", "event a", "event b", "closed"]);
    assert_eq!(code, 0);
    soon(server.wait_until_closed()).await;
}

#[cfg(unix)]
#[tokio::test]
async fn a_closed_pipe_ends_it_silently() {
    // While it waits for the server, which says nothing more…
    let server = Server::script([event("1", "a").hold()]).await;
    let mut waiting = Running::start(tail(&server, [""; 0]));
    waiting.line().await;
    waiting.line().await;
    let run = waiting.end_unread().await;
    assert_eq!((run.code, &*run.stderr), (Some(0), ""));
    soon(server.wait_until_closed()).await;

    // … and while it waits for its reader.
    let server = Server::script([Reply::events().repeat("data: x\n\n", None)]).await;
    let mut writing = Running::start(tail(&server, [""; 0]));
    writing.line().await;
    let run = writing.end_unread().await;
    assert_eq!((run.code, &*run.stderr), (Some(0), ""));
}

#[cfg(unix)]
#[tokio::test]
async fn a_signal_ends_it_silently() {
    for signal in ["TERM", "INT"] {
        let server = Server::script([event("1", "a").hold()]).await;
        let mut tail = Running::start(tail(&server, [""; 0]));
        tail.line().await;
        tail.line().await;
        tail.signal(signal).await;
        let run = tail.end().await;
        assert_eq!(
            (run.code, &*run.stdout, &*run.stderr),
            (Some(0), "", ""),
            "{signal}"
        );
        soon(server.wait_until_closed()).await;
    }
}

/// Most messages go to stderr, which may be closed too.
#[cfg(unix)]
#[tokio::test]
async fn a_closed_stderr_does_not_panic() {
    let gate = Gate::new();
    let server = Server::script([event("1", "a").gate_head(&gate)]).await;
    let mut tail = Running::start(example("tail", [server.url("/")]));
    drop(tail.child.stderr.take());
    gate.open();
    let run = tail.end().await;
    assert_eq!((run.code, &*run.stdout), (Some(0), ""));
}

/// Even if nobody reads its output, but the pipe is open.
#[cfg(unix)]
#[tokio::test]
async fn a_signal_ends_it_while_it_cannot_print() {
    let server = Server::script([Reply::events().repeat("data: x\n\n", None)]).await;
    let mut tail = Running::start(tail(&server, [""; 0]));
    tail.line().await;
    tail.signal("TERM").await;
    // What is in the pipe is read only now.
    let status = soon(tail.child.wait()).await.unwrap();
    assert_eq!(status.code(), Some(0));
}
