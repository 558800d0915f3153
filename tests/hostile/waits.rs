//! Servers that ask for long waits. The signal shows the wait; the test does not wait.

use everstream::Backoff;

use crate::*;

const YEAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// Values of `Retry-After` that say a year, or more.
const YEARS: [&str; 3] = [
    "31536000",
    "99999999999999999999",
    "Fri, 31 Dec 9999 23:59:59 GMT",
];

/// Everything up to the first reconnection, or to the one after it.
async fn until_reconnection(source: EventSource, nth: usize) -> (Told, EventSource) {
    let mut told = Told::default();
    let mut signals = source.signals();
    while told.causes.len() < nth {
        match signals.next().await {
            Some(signal) => told.note(signal),
            None => break,
        }
    }
    (told, signals.into_inner())
}

#[test]
fn a_retry_of_20_digits_is_accepted_if_it_fits() {
    alone(async {
        let client = client();
        let default = Duration::from_secs(3);
        for (digits, time, delay) in [
            ("00000000000000000050", Duration::from_millis(50), None),
            (
                "00000000000000000000",
                Duration::ZERO,
                Some(Duration::from_millis(50)),
            ),
            (
                "18446744073709551615",
                Duration::from_millis(u64::MAX),
                Some(Duration::from_secs(3600)),
            ),
            (
                "18446744073709551616",
                Duration::from_millis(u64::MAX),
                Some(Duration::from_secs(3600)),
            ),
            (
                "99999999999999999999",
                Duration::from_millis(u64::MAX),
                Some(Duration::from_secs(3600)),
            ),
            ("-9999999999999999999", default, None),
            ("1e999999999999999999", default, None),
        ] {
            assert_eq!(digits.len(), 20);
            let wire = format!("data: a\nretry: {digits}\n\n");
            let server = Server::script_then([], events(wire)).await;
            let feed = EventSource::builder(client.get(server.url("/")))
                .backoff(Backoff::new().jitter(0.0))
                .build()
                .unwrap();
            let (told, feed) = within(CONNECTION, digits, until_reconnection(feed, 1)).await;
            assert_eq!(told.data, ["a"]);
            assert_eq!(feed.reconnection_time(), time, "{digits}");
            assert_eq!(told.delays, [delay.unwrap_or(time)], "{digits}");
            assert_eq!(server.requests().len(), 1);
        }
    });
}

/// A million digits are the longest time, and take no memory to speak of.
#[test]
fn a_retry_of_a_million_digits_is_the_longest() {
    alone(async {
        let client = client();
        let reply = events("data: a\n\nretry: ")
            .repeat("9", 1_000_000)
            .raw("\n\n");
        let server = Server::script_then([], reply).await;
        let feed = EventSource::builder(client.get(server.url("/")));
        let what = "a retry of a million digits";
        let run = until_reconnection(feed.build().unwrap(), 1);
        let (told, feed) = within(4 * MIB, what, run).await;
        assert_eq!(told.data, ["a"]);
        assert_eq!(feed.reconnection_time(), Duration::from_millis(u64::MAX));
    });
}

/// Before the first connection has opened, a long wait is an error instead.
#[test]
fn a_retry_after_of_a_year_is_an_error_before_the_first_connection() {
    alone(async {
        let client = client();
        for value in YEARS {
            let reply = Reply::status(503).header("retry-after", value).raw("later");
            let server = Server::script_then([], reply).await;
            let feed = source(&client, &server).build().unwrap();
            let what = format!("Retry-After: {value}, at first");
            let told = within(CONNECTION, &what, life(feed)).await;
            let error = told.error.expect("an error");
            assert_eq!(error.kind(), ErrorKind::Status);
            assert!(error.retry_after().unwrap() >= YEAR, "{what}");
            assert_eq!(error.body_text().as_deref(), Some("later"));
            assert_eq!(server.requests().len(), 1, "{what}");
        }
    });
}

/// After that, the wait is an hour, and the error has the server's value.
#[test]
fn a_retry_after_of_a_year_is_an_hour_after_the_first_connection() {
    alone(async {
        let client = client();
        for value in YEARS {
            let refusal = Reply::status(429).header("retry-after", value);
            let server = Server::script_then([events("data: a\n\n")], refusal).await;
            let feed = source(&client, &server).build().unwrap();
            let what = format!("Retry-After: {value}");
            let (told, mut feed) = within(CONNECTION, &what, until_reconnection(feed, 2)).await;
            assert_eq!(told.data, ["a"]);
            assert_eq!(told.causes, [None, Some(ErrorKind::Status)]);
            assert_eq!(
                told.delays,
                [Duration::ZERO, Duration::from_secs(3600)],
                "{what}"
            );
            // It does wait.
            let poll = futures_util::poll!(feed.next());
            assert!(poll.is_pending());
            assert_eq!(server.requests().len(), 2);
        }
    });
}

/// Dates in the past and invalid values add no wait, and the attempts are still counted.
#[test]
fn a_retry_after_in_the_past_adds_no_wait() {
    alone(async {
        let client = client();
        for value in [
            "Sun, 06 Nov 1994 08:49:37 GMT",
            "Thu, 01 Jan 1970 00:00:00 GMT",
            "0",
            "-1",
            "soon",
            "",
        ] {
            let reply = Reply::status(503).header("retry-after", value);
            let server = Server::script_then([], reply).await;
            let feed = EventSource::builder(client.get(server.url("/")))
                .backoff(
                    Backoff::new()
                        .reconnection_time(Duration::from_millis(4))
                        .min_delay(Duration::from_millis(3))
                        .initial_backoff(Duration::ZERO)
                        .jitter(0.0),
                )
                .build()
                .unwrap();
            let what = format!("Retry-After: {value:?}");
            let told = within(CONNECTION, &what, life(feed)).await;
            assert_eq!(told.kind(), Some(ErrorKind::Status), "{what}");
            let asked = told.error.unwrap().retry_after();
            let delay = if asked.is_some() { 3 } else { 4 };
            assert_eq!(told.delays, [Duration::from_millis(delay); 2], "{what}");
            assert_eq!(server.requests().len(), 3, "{what}");
        }
    });
}
