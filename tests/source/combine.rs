//! `complete_when`, `error_when` and `json` on a source.

use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use everstream::{ErrorKind, EventStream, EventStreamExt, Retry};
use futures_util::{TryStreamExt, stream};

use crate::*;

#[tokio::test(start_paused = true)]
async fn the_terminal_event_closes_the_source() {
    let reply = || events("data: a\n\n").data("[DONE]").hold();
    let script = Script::new().reply(reply());
    let (data, error) = collect(source(&script).complete_on_data("[DONE]")).await;
    assert_eq!((data, error.is_none()), (vec!["a".to_owned()], true));
    assert_eq!(script.open_connections(), 0);
    assert_eq!(script.attempts().len(), 1);

    let script = Script::new().reply(reply());
    let until = source(&script).complete_when(|event| event.data() == "[DONE]");
    assert_eq!(collect(until).await.0, ["a", "[DONE]"]);
    assert_eq!(script.open_connections(), 0);
}

/// A reconnection is not the end; a 204, a close and the end of an answer that is sent once are.
#[tokio::test(start_paused = true)]
async fn an_end_before_the_terminal_event_is_incomplete_and_a_reconnection_is_not() {
    let script = Script::new()
        .reply(events("id: 1\ndata: a\n\n"))
        .reply(events("data: b\n\n").cut())
        .reply(events("data: [DONE]\n\n"));
    let (data, error) = collect(source(&script).complete_on_data("[DONE]")).await;
    assert_eq!((data.len(), error.is_none()), (2, true));
    assert_eq!(script.attempts().len(), 3);

    let script = Script::new().reply(events("data: a\n\n"));
    let (data, error) = collect(source(&script).complete_on_data("[DONE]")).await;
    let error = error.unwrap();
    assert_eq!((data.len(), error.kind()), (1, ErrorKind::Incomplete));
    assert!(error.is_incomplete());
    assert_eq!(error.events_before(), 1);

    let script = Script::new().reply(events("data: a\n\n").hold());
    let mut source_ = source(&script);
    let handle = source_.handle();
    next_data(&mut source_).await;
    handle.close();
    let error = collect(source_.complete_on_data("[DONE]")).await.1.unwrap();
    assert_eq!(error.kind(), ErrorKind::Incomplete);

    let script = Script::new().not_safe().reply(events("data: a\n\n"));
    let error = collect(source(&script).complete_on_data("[DONE]"))
        .await
        .1
        .unwrap();
    assert_eq!(error.kind(), ErrorKind::Incomplete);
}

/// After the terminal event, no other request is sent, however the body ends and whatever the waits
/// are.
#[tokio::test(start_paused = true)]
async fn nothing_is_polled_after_the_terminal_event() {
    let done = || events("retry: 0\ndata: a\n\n").data("[DONE]");
    for reply in [
        done(),
        done().cut(),
        done().reset(),
        done().data("more"),
        done().hold(),
    ] {
        for not_safe in [false, true] {
            let calls = Arc::new(AtomicUsize::new(0));
            let mut script = Script::new().fresh_requests().reply(reply.clone());
            if not_safe {
                script = script.not_safe();
            }
            let script = script.reply(events("data: again\n\n").hold());
            let counted = calls.clone();
            let source = builder(&script)
                .backoff(exactly().min_delay(Duration::ZERO))
                .resend_unsafe_methods(true)
                .retry_when(move |_| {
                    counted.fetch_add(1, Ordering::Relaxed);
                    Retry::Now
                })
                .build()
                .unwrap();
            let (data, error) = collect(source.complete_on_data("[DONE]")).await;
            assert_eq!((data, error.is_none()), (vec!["a".to_owned()], true));
            assert_eq!(script.attempts().len(), 1, "{reply:?}");
            assert_eq!(script.open_connections(), 0);
            assert_eq!(calls.load(Ordering::Relaxed), 0, "nor is the user");
        }
    }
}

/// The same under further combinators.
#[tokio::test(start_paused = true)]
async fn nothing_is_polled_after_the_terminal_event_through_other_streams() {
    let script = Script::new().reply(events("retry: 0\ndata: a\n\ndata: [DONE]\n\n"));
    let source = builder(&script)
        .backoff(exactly().min_delay(Duration::ZERO))
        .build()
        .unwrap();
    let stream = source
        .error_when(|event| event.event_type() == "error")
        .inspect_ok(|_| {})
        .complete_on_data("[DONE]");
    assert_eq!(collect(stream).await.0, ["a"]);
    assert_eq!(script.attempts().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_error_event_is_final_and_closes() {
    let script = Script::new().reply(events("data: a\n\n")).reply(
        events("event: error\ndata: overloaded\n\n")
            .data("b")
            .hold(),
    );
    let stream = source(&script).error_when(|event| event.event_type() == "error");
    let (data, error) = collect(stream).await;
    let error = error.unwrap();
    assert_eq!(data, ["a"]);
    assert_eq!(error.kind(), ErrorKind::ErrorEvent);
    assert_eq!(error.event().unwrap().data(), "overloaded");
    assert_eq!(error.events_before(), 1);
    assert_eq!(script.open_connections(), 0);
    assert_eq!(script.attempts().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn json_continues_after_bad_items_and_reconnections() {
    let script = Script::new()
        .reply(events("data: 1\n\ndata: x\n\n"))
        .reply(events("data: 3\n\n"))
        .reply(Reply::status(404));
    let mut json = source(&script).json::<u32>();
    assert_eq!(json.next().await.unwrap().unwrap(), 1);
    let bad = json.next().await.unwrap().unwrap_err();
    assert_eq!((bad.kind(), bad.is_final()), (ErrorKind::Json, false));
    assert_eq!(bad.event().unwrap().data(), "x");
    assert_eq!(json.next().await.unwrap().unwrap(), 3);
    let last = json.next().await.unwrap().unwrap_err();
    assert_eq!((last.kind(), last.is_final()), (ErrorKind::Status, true));
    assert!(json.next().await.is_none());
}

/// An error that would not be final in another stream, but has ended this one, is final.
#[tokio::test(start_paused = true)]
async fn an_error_that_ended_a_stream_is_final_whatever_its_origin() {
    let not_a_number = || async {
        let chunks = stream::iter([Ok::<_, Infallible>("data: x\n\n")]);
        let mut json = EventStream::new(chunks).json::<u32>();
        json.next().await.unwrap().unwrap_err()
    };
    assert!(!not_a_number().await.is_final());

    let chunks = stream::iter([Ok("data: a\n\n"), Err(not_a_number().await)]);
    let (data, error) = collect(EventStream::new(chunks)).await;
    let error = error.unwrap();
    assert_eq!(
        (data.as_slice(), error.kind()),
        (["a".to_owned()].as_slice(), ErrorKind::Json)
    );
    assert!(error.is_final());
    assert_eq!(error.events_before(), 1);

    let script = Script::new().fail_with(not_a_number().await);
    let error = collect(source(&script)).await.1.unwrap();
    assert_eq!(error.kind(), ErrorKind::Json);
    assert!(error.is_final());
}

/// A borrowed source continues where its events stopped.
#[tokio::test(start_paused = true)]
async fn events_after_the_terminal_event_stay_in_the_source() {
    let script = Script::new()
        .reply(events("id: 1\ndata: a\n\nid: 2\ndata: end\n\nid: 3\ndata: b\n\n").cut())
        .reply(events("id: 4\ndata: end\n\n"))
        .reply(events("id: 5\ndata: c\n\n"));
    let mut source = source(&script);
    for (data, id) in [("a", "2"), ("b", "4")] {
        let (seen, error) = collect((&mut source).complete_on_data("end")).await;
        assert_eq!(seen, [data]);
        assert!(error.is_none());
        assert_eq!(source.last_event_id(), id);
    }
    assert_eq!(next_data(&mut source).await, "c");
    assert_eq!(ids(&script), ["", "3", "4"]);
}

/// The same for a source's signals, by inherent methods: no trait is imported for them here.
mod signals {
    use everstream::{ErrorKind, JsonSignal, Signal};

    use crate::*;

    #[tokio::test(start_paused = true)]
    async fn other_items_pass_through_and_the_source_is_closed() {
        let script = Script::new()
            .reply(events(": hi\n\ndata: 1\n\n"))
            .reply(events("data: x\n\ndata: 2\n\ndata: [DONE]\n\n").hold());
        let mut signals = source(&script)
            .signals()
            .complete_on_data("[DONE]")
            .json::<u8>();
        let mut seen = Vec::new();
        loop {
            match signals.next_signal().await {
                Ok(None) => break,
                Ok(Some(JsonSignal::Event(number))) => seen.push(number.to_string()),
                Ok(Some(JsonSignal::Other(Signal::Comment(text)))) => seen.push(text),
                Ok(Some(JsonSignal::Other(Signal::Reconnecting { .. }))) => {
                    seen.push("again".into());
                }
                Ok(Some(JsonSignal::Other(Signal::Open(_)))) => seen.push("open".into()),
                Ok(Some(other)) => panic!("{other:?}"),
                Err(error) => {
                    assert_eq!((error.kind(), error.is_final()), (ErrorKind::Json, false));
                    seen.push("not a number".into());
                }
            }
        }
        let expected = ["open", " hi", "1", "again", "open", "not a number", "2"];
        assert_eq!(seen, expected);
        assert_eq!(script.open_connections(), 0);
        assert_eq!(
            signals
                .into_inner()
                .into_inner()
                .into_inner()
                .last_event_id(),
            ""
        );
    }
}
