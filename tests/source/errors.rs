//! What an error shows, and what it hides.

use std::error::Error as _;

use everstream::{ErrorKind, http::StatusCode};

use crate::*;

/// An ID that no header can carry is reported, never silently dropped.
#[tokio::test(start_paused = true)]
async fn an_id_that_cannot_be_sent_is_named() {
    for id in ["a\u{1}b", "bell\u{7}", "del\u{7f}", "esc\u{1b}[31m"] {
        let script = Script::new().reply(events(format!("id: {id}\ndata: a\n\n")));
        let (data, error) = collect(source(&script)).await;
        let error = error.unwrap();
        assert_eq!(data, ["a"]);
        assert_eq!(error.kind(), ErrorKind::LastEventId);
        assert!(error.to_string().contains(&format!("{id:?}")), "{error}");
        assert!(
            !error.to_string().contains('\u{1b}'),
            "and no terminal is steered"
        );
        assert_eq!(error.events_before(), 1);
        assert_eq!(script.attempts().len(), 1);
    }
    for id in ["tab\there", "größe", "a b", "\u{80}\u{9f}"] {
        let script = Script::new().reply(events(format!("id: {id}\ndata: a\n\n")));
        assert!(collect(source(&script)).await.1.is_none(), "{id:?}");
        assert_eq!(ids(&script), ["", id]);
    }
    for seed in ["a\nb", "a\r\nx-injected: 1", "a\0b"] {
        let script = Script::new();
        let source = builder(&script).last_event_id(seed).build().unwrap();
        assert_eq!(failure(source).await.kind(), ErrorKind::LastEventId);
        assert_eq!(script.attempts().len(), 0, "nothing is sent");
    }
}

/// HTTP removes white space at the ends of a header: the server would get another ID.
#[tokio::test(start_paused = true)]
async fn an_id_that_a_header_would_change_is_named() {
    for id in [" 7", "7 ", "\t7", "7\t", " ", "\t", "  ", " a b "] {
        let script = Script::new().reply(events(format!("id: {id}\ndata: a\n\n")));
        let (data, error) = collect(source(&script)).await;
        let error = error.expect(id);
        assert_eq!(data, ["a"]);
        assert_eq!(error.kind(), ErrorKind::LastEventId, "{id:?}");
        let shown = error.to_string();
        assert!(shown.contains(&format!("{id:?}")) && shown.contains("white space"));
        assert_eq!(script.attempts().len(), 1, "{id:?}");
        assert!(!error.is_unsent(), "the feed was open");

        let script = Script::new();
        let source = builder(&script).last_event_id(id).build().unwrap();
        let error = failure(source).await;
        assert_eq!(error.kind(), ErrorKind::LastEventId, "{id:?}");
        assert!(error.is_unsent());
        assert_eq!(script.attempts().len(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn debug_names_no_id() {
    for id in ["secret\u{1}", " secret"] {
        let source = builder(&Script::new()).last_event_id(id).build().unwrap();
        let error = failure(source).await;
        assert!(error.to_string().contains("secret"));
        assert!(!format!("{error:?}").contains("secret"), "{error:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_long_id_that_cannot_be_sent_is_truncated_in_the_error() {
    let script = Script::new().reply(events(format!("id: \u{1}{}\n\n", "x".repeat(1 << 20))));
    let error = failure(source(&script)).await;
    assert_eq!(error.kind(), ErrorKind::LastEventId);
    assert!(error.to_string().len() < 1000);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_keeps_the_servers_response() {
    let body = format!("{{\"error\":\"{}\"}}", "x".repeat(100_000));
    let refusal = Reply::status(403)
        .content_type("application/json")
        .header("x-request-id", "r1")
        .header("retry-after", "5")
        .raw(&body);
    let script = Script::new()
        .reply(events("data: a\n\ndata: b\n\n"))
        .reply(refusal);
    let error = failure(source(&script)).await;
    assert_eq!(error.kind(), ErrorKind::Status);
    assert_eq!(error.status(), Some(StatusCode::FORBIDDEN));
    assert_eq!(error.headers().unwrap()["x-request-id"], "r1");
    assert_eq!(error.retry_after(), Some(5 * SECOND));
    assert_eq!(error.body().unwrap(), &body.as_bytes()[..64 * 1024]);
    assert_eq!(error.events_before(), 2, "over all connections");
    assert!(!error.is_connect() && !error.is_timeout() && !error.is_incomplete());
    let clone = error.clone();
    assert_eq!(clone.status(), error.status());
    assert_eq!(clone.to_string(), "the server answered 403 Forbidden");
}

/// `Display` shows its own part, and the source chain the rest.
#[tokio::test(start_paused = true)]
async fn the_error_source_chain_is_complete() {
    #[derive(Debug, thiserror::Error)]
    #[error("no route")]
    struct Outer(#[source] std::io::Error);

    let cause = Outer(std::io::Error::other("cable pulled"));
    let error = Error::new(ErrorKind::Connect, cause);
    let script = Script::new().fail_with(error);
    let source = builder(&script).max_initial_failures(1).build().unwrap();
    let error = failure(source).await;
    assert_eq!(error.to_string(), "could not connect to the server");
    let outer = error.source().unwrap();
    assert_eq!(outer.to_string(), "no route");
    assert!(outer.is::<Outer>());
    assert_eq!(outer.source().unwrap().to_string(), "cable pulled");
    assert!(error.is_connect());
}

#[tokio::test(start_paused = true)]
async fn nothing_secret_is_shown() {
    let secret = "s3cr3t";
    let refusal = Reply::status(403)
        .header("set-cookie", format!("session={secret}"))
        .raw(secret);
    let script =
        Script::new().reply(events(format!("data: {secret}\n\n")).header("x-token", secret));
    let script = script.reply(refusal);
    let mut source = source(&script);
    let shown = format!("{source:?} {:?} {script:?}", builder(&script));
    assert!(!shown.contains(secret));
    let event = source.next().await.unwrap().unwrap();
    assert!(!format!("{source:?}").contains(secret));
    drop(event);
    let mut signals = source.signals();
    while let Some(signal) = signals.next().await {
        match signal {
            Ok(signal) => assert!(!format!("{signal:?}").contains(secret)),
            Err(error) => {
                let mut chain = format!("{error} {error:?} {error:#?}");
                let mut next = error.source();
                while let Some(source) = next {
                    chain += &format!("{source} {source:?}");
                    next = source.source();
                }
                assert!(!chain.contains(secret), "{chain}");
                assert!(
                    error.body_text().unwrap().contains(secret),
                    "for the asking"
                );
            }
        }
    }
}
