//! When another request is sent, and which is the last.

use std::sync::{Arc, Mutex};

use everstream::{
    ContentType, ErrorKind, ReadyState, Retry, Signal,
    http::StatusCode,
    transport::{Attempt, Connect, Connector, Response},
};
use futures_util::TryStreamExt;

use crate::*;

fn busy(status: u16) -> Reply {
    Reply::status(status)
}

#[tokio::test(start_paused = true)]
async fn nothing_is_requested_before_the_first_poll() {
    let script = Script::new().reply(events("data: a\n\n"));
    let mut source = source(&script);
    settle().await;
    assert_eq!(script.attempts().len(), 0);
    assert_eq!(source.ready_state(), ReadyState::Connecting);
    assert_eq!(next_data(&mut source).await, "a");
    assert_eq!(source.ready_state(), ReadyState::Open);
}

#[tokio::test(start_paused = true)]
async fn a_204_ends_the_stream_without_an_error() {
    for replies in [0, 1] {
        for standard in [false, true] {
            let mut script = Script::new();
            for _ in 0..replies {
                script = script.reply(events("data: a\n\n"));
            }
            let mut builder = builder(&script);
            if standard {
                builder = builder.standard();
            }
            let mut source = builder.build().unwrap();
            assert_eq!(source.closed_by(), None);
            let (data, error) = collect(&mut source).await;
            assert_eq!((data.len(), error.is_none()), (replies, true));
            assert_eq!(source.closed_by(), Some(StatusCode::NO_CONTENT));
            assert_eq!(source.ready_state(), ReadyState::Closed);
            assert_eq!(script.open_connections(), 0);
            assert_eq!(
                script.attempts().len(),
                replies + 1,
                "and it stays the last"
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_third_initial_failure_is_the_error() {
    let refused = || {
        Script::new()
            .fail(ErrorKind::Connect)
            .fail(ErrorKind::Transport)
    };
    let script = refused().reply(busy(503).raw("come back later"));
    let error = failure(source(&script)).await;
    assert_eq!(error.status(), Some(StatusCode::SERVICE_UNAVAILABLE));
    assert_eq!(error.body_text().as_deref(), Some("come back later"));
    assert_eq!(times(&script), [0, 3000, 6000]);

    let script = refused().reply(events("data: a\n\n"));
    assert_eq!(collect(source(&script)).await.0, ["a"]);

    let script = refused();
    let source = builder(&script).max_initial_failures(1).build().unwrap();
    assert!(failure(source).await.is_connect());

    let mut script = Script::new();
    for _ in 0..100 {
        script = script.fail(ErrorKind::Connect);
    }
    let source = builder(&script).max_initial_failures(None).build().unwrap();
    assert!(collect(source).await.1.is_none());
    assert_eq!(script.attempts().len(), 101);
}

/// A failure after an event with an ID is a failure like any other.
#[tokio::test(start_paused = true)]
async fn failures_are_counted_after_a_connection_with_progress() {
    for wire in ["data: a\n\n", "id: 1\n\n", "id: 1\ndata: a\n\n"] {
        let mut script = Script::new().reply(events(wire));
        for _ in 0..10 {
            script = script.fail(ErrorKind::Connect);
        }
        let source = builder(&script)
            .max_consecutive_failures(4)
            .build()
            .unwrap();
        let mut told = story(source).await;
        told.retain(|it| it.starts_with("failure") || it.starts_with("error"));
        assert_eq!(
            told,
            [
                "failure Connect 1 in 3000 ms",
                "failure Connect 2 in 3000 ms",
                "failure Connect 3 in 3000 ms",
                "error Connect",
            ],
            "{wire:?}"
        );
        assert_eq!(script.attempts().len(), 5);
    }
}

/// The same with a last event ID from the start.
#[tokio::test(start_paused = true)]
async fn an_initial_id_is_no_progress() {
    let script = Script::new().reply(Reply::events()).reply(Reply::events());
    let source = builder(&script)
        .last_event_id("1")
        .max_consecutive_failures(2)
        .build()
        .unwrap();
    let error = failure(source).await;
    assert_eq!(error.kind(), ErrorKind::Incomplete);
    assert_eq!(script.attempts().len(), 2);
}

/// Events of a connection that was replaced on request still reset the count.
#[tokio::test(start_paused = true)]
async fn events_before_a_requested_reconnection_count() {
    let mut script = Script::new()
        .reply(events("data: a\n\n"))
        .fail(ErrorKind::Connect)
        .fail(ErrorKind::Connect)
        .reply(events("data: b\n\n").hold());
    for _ in 0..2 {
        script = script.fail(ErrorKind::Connect);
    }
    let mut source = builder(&script)
        .max_consecutive_failures(3)
        .build()
        .unwrap();
    let handle = source.handle();
    assert_eq!(next_data(&mut source).await, "a");
    assert_eq!(next_data(&mut source).await, "b");
    handle.reconnect();
    let (_, error) = collect(&mut source).await;
    assert!(error.is_none(), "two failures are not three: {error:?}");
}

/// An empty 200 counts as a failure: peers consider it a success and never give up.
#[tokio::test(start_paused = true)]
async fn empty_answers_use_up_the_attempts() {
    let script = Script::from_fn(|_| Reply::events());
    let source = builder(&script)
        .max_consecutive_failures(3)
        .build()
        .unwrap();
    let error = failure(source).await;
    assert_eq!(error.kind(), ErrorKind::Incomplete);
    assert!(
        error.to_string().contains("without sending an event"),
        "{error}"
    );
    assert_eq!(script.attempts().len(), 3);
}

/// Long polling: responses that are held open and closed empty are not failures.
#[tokio::test(start_paused = true)]
async fn long_polling_may_continue_forever() {
    let script = Script::from_fn(|attempt| match attempt.number() {
        ..=500 => Reply::events().pause(30 * SECOND),
        501 => events("data: a\n\n"),
        _ => Reply::status(204),
    });
    let source = builder(&script)
        .max_consecutive_failures(2)
        .build()
        .unwrap();
    assert_eq!(collect(source).await.0, ["a"]);
    let every = script.times()[500] / 500;
    assert_eq!(every, 33 * SECOND, "and are waited for exactly");
}

#[tokio::test(start_paused = true)]
async fn max_elapsed_ends_a_run_of_failures() {
    let script = Script::from_fn(|attempt| match attempt.number() {
        1 => events("data: a\n\n").pause(MINUTE),
        _ => busy(503),
    });
    let source = builder(&script)
        .max_elapsed(MINUTE + SECOND)
        .build()
        .unwrap();
    let (data, error) = collect(source).await;
    assert_eq!(data, ["a"]);
    assert_eq!(
        error.unwrap().status(),
        Some(StatusCode::SERVICE_UNAVAILABLE)
    );
    // The first after the reconnection time, the last one minute later.
    assert_eq!(script.attempts().len(), 1 + 21);
}

/// A connection that lasted is not a failure, however long ago earlier failures started.
#[tokio::test(start_paused = true)]
async fn max_elapsed_does_not_end_a_healthy_connection() {
    let script = Script::new()
        .fail(ErrorKind::Connect)
        .reply(Reply::events().pause(10 * SECOND));
    let source = builder(&script).max_elapsed(8 * SECOND).build().unwrap();
    let told = story_until(source, 3).await;
    let failed = "failure Connect 1 in 3000 ms";
    assert_eq!(told, [failed, "open 200", "end 0 in 3000 ms"]);
}

#[tokio::test(start_paused = true)]
async fn a_retry_after_is_honoured_in_both_forms() {
    let date = "Sun, 06 Nov 1994 08:49:37 GMT";
    let later = "Sun, 06 Nov 1994 08:49:57 GMT";
    let script = Script::new()
        .reply(events("data: a\n\n"))
        .reply(busy(503).header("retry-after", "120"))
        .reply(busy(429).header("date", date).header("retry-after", later))
        .reply(busy(503).header("retry-after", "0"))
        .reply(busy(503).header("retry-after", "soon"))
        .reply(busy(503));
    assert!(collect(source(&script)).await.1.is_none());
    assert_eq!(
        times(&script),
        [0, 3000, 123_000, 143_000, 143_050, 146_050, 149_050]
    );
}

/// `x-should-retry`, which some APIs send, takes precedence over the status; not over a 204, which
/// is no refusal, nor for a browser.
#[tokio::test(start_paused = true)]
async fn a_server_can_say_whether_to_retry() {
    for (status, said, retried) in [
        (404, "true", true),
        (401, "true", true),
        (501, "true", true),
        (503, "false", false),
        (429, "false", false),
        (404, "yes", false),
        (503, "no", true),
        (204, "true", false),
    ] {
        let reply = busy(status).header("x-should-retry", said);
        let script = Script::new().reply(reply.clone()).reply(reply);
        let (_, error) = collect(source(&script)).await;
        let refused = (!retried && status != 204).then_some(status);
        let status_of_error = error.map(|error| error.status().unwrap().as_u16());
        assert_eq!(status_of_error, refused, "{status} {said}");
        let attempts = if retried { 3 } else { 1 };
        assert_eq!(script.attempts().len(), attempts, "{status} {said}");
    }
    let script = Script::new().reply(busy(503).header("x-should-retry", "true"));
    let error = failure(builder(&script).standard().build().unwrap()).await;
    assert_eq!(error.status(), Some(StatusCode::SERVICE_UNAVAILABLE));
}

#[tokio::test(start_paused = true)]
async fn a_long_retry_after_is_an_error_before_the_first_open() {
    let script = Script::new().reply(busy(503).header("retry-after", "61"));
    let error = failure(source(&script)).await;
    assert_eq!(error.retry_after(), Some(61 * SECOND));
    assert_eq!(script.attempts().len(), 1);
    let script = Script::new().reply(busy(503).header("retry-after", "60"));
    assert!(collect(source(&script)).await.1.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_wrong_content_type_is_final_and_reported() {
    let html = Reply::status(200)
        .content_type("text/html")
        .raw("<h1>Log in</h1>");
    let script = Script::new()
        .reply(events("data: a\n\n"))
        .reply(html.clone());
    let (data, error) = collect(source(&script)).await;
    let error = error.unwrap();
    assert_eq!(data, ["a"]);
    assert_eq!(error.kind(), ErrorKind::ContentType);
    assert_eq!(error.status(), Some(StatusCode::OK));
    assert_eq!(error.body_text().as_deref(), Some("<h1>Log in</h1>"));
    assert_eq!(error.events_before(), 1);
    assert_eq!(script.attempts().len(), 2);

    let script = Script::new().reply(html);
    let source = builder(&script)
        .content_type(ContentType::Any)
        .build()
        .unwrap();
    assert!(collect(source).await.1.is_none(), "unless anything will do");
}

#[tokio::test(start_paused = true)]
async fn retry_when_sees_every_failure_and_has_the_last_word() {
    let html = Reply::status(200).content_type("text/html").raw("starting");
    let script = Script::new()
        .reply(html)
        .reply(busy(404).header("x-wait", "9").raw("not yet"))
        .fail(ErrorKind::Connect)
        .reply(events("data: a\n\n").cut())
        .reply(events("data: b\n\n"))
        .reply(busy(503));
    let seen = Arc::new(Mutex::new(Vec::new()));
    let saw = seen.clone();
    let source = builder(&script)
        .max_initial_failures(None)
        .retry_when(move |failure| {
            let error = failure.error();
            saw.lock().unwrap().push((failure.attempt(), error.kind()));
            match error.kind() {
                ErrorKind::ContentType if error.body_text().as_deref() == Some("starting") => {
                    Retry::Now
                }
                ErrorKind::Status if error.status() == Some(StatusCode::NOT_FOUND) => {
                    let wait = &error.headers().unwrap()["x-wait"];
                    Retry::After(SECOND * wait.to_str().unwrap().parse().unwrap())
                }
                ErrorKind::Status => Retry::GiveUp,
                _ => Retry::Default,
            }
        })
        .build()
        .unwrap();
    let (data, error) = collect(source).await;
    assert_eq!(data, ["a", "b"]);
    assert_eq!(
        error.unwrap().status(),
        Some(StatusCode::SERVICE_UNAVAILABLE)
    );
    assert_eq!(times(&script), [0, 0, 9000, 12_000, 15_000, 18_000]);
    assert_eq!(
        *seen.lock().unwrap(),
        [
            (1, ErrorKind::ContentType),
            (2, ErrorKind::Status),
            (3, ErrorKind::Connect),
            (4, ErrorKind::Body),
            (6, ErrorKind::Status),
        ],
        "but not the clean end of the fifth"
    );
}

/// A 204 is not a failure: `retry_when` is not called for it.
#[tokio::test(start_paused = true)]
async fn retry_when_is_not_asked_about_a_204() {
    let script = Script::new();
    let source = builder(&script)
        .retry_when(|failure| panic!("{:?} is no failure", failure.error()))
        .build()
        .unwrap();
    assert!(collect(source).await.1.is_none());
}

#[tokio::test(start_paused = true)]
async fn an_unsafe_request_is_sent_once() {
    let replies = [
        (events("data: a\n\n"), None),
        (events("data: a\n\ndata: [DONE]\n\n"), None),
        (events("data: a\n\n").cut(), Some(ErrorKind::Body)),
        (events("data: a\n\n").reset(), Some(ErrorKind::Body)),
        (
            busy(503).header("retry-after", "0"),
            Some(ErrorKind::Status),
        ),
        (busy(401), Some(ErrorKind::Status)),
        (Reply::refuse(), Some(ErrorKind::Transport)),
        (Reply::events(), None),
        (busy(204), None),
        (
            Reply::events().hold(),
            Some(ErrorKind::Timeout(everstream::Timeout::Idle)),
        ),
    ];
    for (reply, expected) in replies {
        let script = Script::new().not_safe().reply(reply.clone());
        let source = builder(&script).retry_when(|_| Retry::Now).build().unwrap();
        let error = collect(source).await.1;
        assert_eq!(error.map(|error| error.kind()), expected, "{reply:?}");
        assert_eq!(script.attempts().len(), 1, "{reply:?}");

        let script = Script::new()
            .not_safe()
            .reply(reply.clone())
            .reply(events("data: b\n\n"));
        let source = builder(&script)
            .resend_unsafe_methods(true)
            .retry_when(|_| Retry::Now)
            .build()
            .unwrap();
        let repeated = collect(source).await.0.contains(&"b".to_owned());
        // Only a 204 is the end of a request that may be repeated.
        let is_204 = format!("{reply:?}").contains("status: 204");
        assert_eq!(repeated, !is_204, "{reply:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_refused_connection_of_an_unsafe_request_is_an_error_at_once() {
    let script = Script::new().not_safe().fail(ErrorKind::Connect);
    assert!(failure(source(&script)).await.is_connect());
    assert_eq!(script.attempts().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_401_is_retried_once_with_fresh_requests() {
    let unauthorized = || busy(401).raw("who are you?");
    let script = Script::new()
        .fresh_requests()
        .reply(unauthorized())
        .reply(events("data: a\n\n"))
        .reply(unauthorized())
        .reply(events("data: b\n\n"))
        .reply(unauthorized())
        .reply(unauthorized());
    let (data, error) = collect(source(&script)).await;
    assert_eq!(data, ["a", "b"]);
    assert_eq!(error.unwrap().status(), Some(StatusCode::UNAUTHORIZED));
    assert_eq!(script.attempts().len(), 6);

    let script = Script::new().reply(unauthorized());
    assert_eq!(
        failure(source(&script)).await.status(),
        Some(StatusCode::UNAUTHORIZED)
    );
    assert_eq!(script.attempts().len(), 1);
}

/// A factory may fail with its own error.
#[tokio::test(start_paused = true)]
async fn an_error_in_a_factory_counts_as_a_failure_to_connect() {
    let calls = Arc::new(Mutex::new(0));
    let script = Script::new().reply(events("data: a\n\n"));
    let connect = {
        let (calls, mut script) = (calls.clone(), script.clone());
        move |attempt| {
            *calls.lock().unwrap() += 1;
            let fails = *calls.lock().unwrap() < 3;
            let response = script.connect(attempt);
            async move {
                if fails {
                    return Err::<Response, everstream::BoxError>("no token".into());
                }
                Ok(response.await?)
            }
        }
    };
    // The first two attempts have used up replies of the script, too.
    let script = script
        .reply(events("data: b\n\n"))
        .reply(events("data: c\n\n"));
    let source = EventSource::factory(connect)
        .backoff(exactly())
        .build()
        .unwrap();
    let told = story(source).await;
    assert_eq!(
        told[..4],
        [
            "failure Other 1 in 3000 ms",
            "failure Other 2 in 3000 ms",
            "open 200",
            "event c",
        ]
    );

    let connect = |_| async { Err::<Response, _>(std::io::Error::other("no token")) };
    let source = EventSource::factory(connect)
        .backoff(exactly())
        .build()
        .unwrap();
    let error = failure(source).await;
    assert_eq!(error.kind(), ErrorKind::Other);
    assert_eq!(
        std::error::Error::source(&error).unwrap().to_string(),
        "no token"
    );
    drop(script);
}

/// A factory may ask another server first, for a token: what goes wrong there is not the feed's
/// answer, whatever it is.
#[tokio::test(start_paused = true)]
async fn errors_of_another_request_are_failures_to_connect() {
    let json = || Reply::events().content_type("application/json").raw("{}");
    let answers = [
        (busy(204), ErrorKind::Status),
        (busy(401), ErrorKind::Status),
        (busy(404), ErrorKind::Status),
        (busy(501), ErrorKind::Status),
        (json(), ErrorKind::ContentType),
        (
            json().header("content-encoding", "gzip"),
            ErrorKind::ContentType,
        ),
        (events("data: not a number\n\n"), ErrorKind::Json),
        (events("data: 1\n\n"), ErrorKind::Incomplete),
        (events("data: 1\n\n").cut(), ErrorKind::Body),
    ];
    for (answer, kind) in answers {
        let feed = Script::new().reply(events("data: a\n\n"));
        let tokens = Script::new()
            .reply(answer)
            .reply(events("data: 1\n\ndata: .\n\n"));
        let connect = {
            let mut feed = feed.clone();
            move |attempt: Attempt| {
                let token = tokens.events();
                let response = feed.connect(attempt);
                async move {
                    let mut token = token.await?.complete_on_data(".").json::<u32>();
                    while token.try_next().await?.is_some() {}
                    response.await
                }
            }
        };
        // The first attempt has used up a reply, too.
        let _also = feed.clone().reply(events("data: b\n\n"));
        let mut signals = EventSource::factory(connect).build().unwrap().signals();
        let Some(Ok(Signal::Reconnecting { cause, .. })) = signals.next().await else {
            panic!("{kind:?} is tried again");
        };
        let error = cause.error().unwrap();
        assert_eq!(error.kind(), ErrorKind::Other, "{kind:?}");
        assert!(error.status().is_none() && !error.is_unsent());
        let source = std::error::Error::source(error).unwrap();
        assert_eq!(source.downcast_ref::<Error>().unwrap().kind(), kind);
        let opened = signals.next().await.unwrap().unwrap();
        assert!(matches!(opened, Signal::Open(_)), "{kind:?}");
    }
}

/// All errors of a connector are about the feed.
#[tokio::test(start_paused = true)]
async fn errors_of_a_connector_are_passed_through() {
    for (answer, kind) in [
        (busy(204), None),
        (busy(404), Some(ErrorKind::Status)),
        (
            events("").content_type("text/html"),
            Some(ErrorKind::ContentType),
        ),
    ] {
        let script = Script::new().reply(answer);
        let connector = Connector::from_fn(move |_: Attempt| {
            let answer = script.events();
            async move { Err::<Response, _>(answer.await.unwrap_err()) }
        });
        let (_, error) = collect(EventSource::builder(connector).build().unwrap()).await;
        assert_eq!(error.map(|error| error.kind()), kind);
    }
}

/// Final errors that the factory creates end it immediately.
#[tokio::test(start_paused = true)]
async fn a_factory_can_fail() {
    let connect =
        |_| async { Err::<Response, _>(Error::new(ErrorKind::Request, "no such account")) };
    let source = EventSource::factory(connect).build().unwrap();
    assert_eq!(failure(source).await.kind(), ErrorKind::Request);
}

/// The browser's rules: any other status always ends it immediately, and nothing else ever does.
#[tokio::test(start_paused = true)]
async fn the_standard_preset_is_the_browser() {
    let mut script = Script::new();
    for _ in 0..20 {
        script = script.fail(ErrorKind::Connect);
    }
    for _ in 0..20 {
        script = script.reply(Reply::events());
    }
    let script = script.reply(busy(503).header("retry-after", "1"));
    let source = builder(&script)
        .standard()
        .max_initial_failures(1)
        .max_consecutive_failures(1)
        .max_elapsed(SECOND)
        .build()
        .unwrap();
    let error = failure(source).await;
    assert_eq!(error.status(), Some(StatusCode::SERVICE_UNAVAILABLE));
    assert_eq!(script.attempts().len(), 41);
    script.verify();
}

/// Random waits depend only on the seed.
#[tokio::test(start_paused = true)]
async fn the_same_seed_gives_the_same_waits() {
    async fn waits(seed: u64) -> Vec<u128> {
        let mut script = Script::new().reply(events("data: a\n\n"));
        for _ in 0..8 {
            script = script.fail(ErrorKind::Connect);
        }
        let source = EventSource::builder(script.clone())
            .seed(seed)
            .build()
            .unwrap();
        collect(source).await;
        times(&script)
    }
    assert_eq!(waits(1).await, waits(1).await);
    assert_ne!(waits(1).await, waits(2).await);
}

/// Every reported delay is the actual delay.
#[tokio::test(start_paused = true)]
async fn the_reported_delay_is_the_actual_delay() {
    let mut script = Script::new().reply(events("data: a\n\n"));
    for _ in 0..12 {
        script = script.fail(ErrorKind::Connect);
    }
    let source = EventSource::builder(script.clone())
        .seed(7)
        .build()
        .unwrap();
    let signals: Vec<_> = source.signals().collect().await;
    let mut at = Duration::ZERO;
    let mut expected = vec![at];
    for signal in signals {
        if let Ok(Signal::Reconnecting { delay, .. }) = signal {
            at += delay;
            expected.push(at);
        }
    }
    let times = script.times();
    assert_eq!(times.len(), expected.len());
    for (time, expected) in times.iter().zip(expected) {
        // Tokio's timer rounds up to milliseconds.
        assert!(
            *time >= expected && *time < expected + ms(20),
            "{time:?} {expected:?}"
        );
    }
}
