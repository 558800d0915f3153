//! Any headers: the content type is judged as an oracle that goes by the letter of the standard
//! judges it, no `Retry-After` is waited for beyond its bounds, and an ID is sent once, byte for
//! byte, or refused before anything is.
#![no_main]

use std::{
    convert::Infallible,
    sync::{Arc, Mutex},
    time::Duration,
};

use arbitrary::Arbitrary;
use everstream::{
    Backoff, ErrorKind, EventSource, EventStreamBuilder, Signal,
    bytes::Bytes,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    transport::{Attempt, Body, Response},
};
use everstream_fuzz::with_runtime;
use futures_util::{FutureExt, StreamExt};
use libfuzzer_sys::fuzz_target;

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
const HOUR: Duration = Duration::from_secs(60 * 60);
const YEAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);

#[derive(Arbitrary, Debug)]
struct Input<'a> {
    content_types: Vec<Vec<Piece<'a>>>,
    retry_after: Vec<Vec<Piece<'a>>>,
    date: Option<Vec<Piece<'a>>>,
    id: &'a [u8],
}

/// What the values of headers are made of: any bytes, and words that these would seldom make.
#[derive(Arbitrary, Debug)]
enum Piece<'a> {
    Bytes(&'a [u8]),
    EventStream,
    Html,
    Any,
    Charset,
    Comma,
    Quote,
    Backslash,
    Past,
    Future,
    Seconds(u64),
}

fn value(pieces: &[Piece<'_>]) -> Vec<u8> {
    let mut value = Vec::new();
    for piece in pieces {
        match piece {
            Piece::Bytes(bytes) => value.extend_from_slice(bytes),
            Piece::EventStream => value.extend_from_slice(b"text/Event-Stream"),
            Piece::Html => value.extend_from_slice(b"text/html"),
            Piece::Any => value.extend_from_slice(b"*/*"),
            Piece::Charset => value.extend_from_slice(b"; charset="),
            Piece::Comma => value.extend_from_slice(b", "),
            Piece::Quote => value.push(b'"'),
            Piece::Backslash => value.push(b'\\'),
            Piece::Past => value.extend_from_slice(b"Sun, 06 Nov 1994 08:49:37 GMT"),
            Piece::Future => value.extend_from_slice(b"Fri, 31 Dec 9999 23:59:59 GMT"),
            Piece::Seconds(seconds) => value.extend_from_slice(seconds.to_string().as_bytes()),
        }
    }
    value
}

fuzz_target!(|input: Input<'_>| {
    // For the timers of those who wait; nobody does.
    with_runtime(|runtime| {
        let _guard = runtime.enter();
        content_type(&input.content_types);
        retry_after(&input.retry_after, &input.date);
        last_event_id(&String::from_utf8_lossy(input.id));
    });
});

/// Adds a header for each value that one can have.
fn add(headers: &mut HeaderMap, name: &HeaderName, values: &[Vec<Piece<'_>>]) {
    for pieces in values {
        if let Ok(value) = HeaderValue::from_bytes(&value(pieces)) {
            headers.append(name, value);
        }
    }
}

fn response(status: StatusCode, headers: HeaderMap) -> Response {
    let wire = Bytes::from_static(b"data: x\n\n");
    Response::new(status, headers, Body::from(wire))
}

fn content_type(values: &[Vec<Piece<'_>>]) {
    let mut headers = HeaderMap::new();
    add(&mut headers, &header::CONTENT_TYPE, values);
    let expected = oracle::essence(headers.get_all(header::CONTENT_TYPE));
    let events = EventStreamBuilder::new(async { Ok(response(StatusCode::OK, headers)) });
    match events
        .into_future()
        .now_or_never()
        .expect("nothing to wait for")
    {
        Ok(_) => assert_eq!(expected.as_deref(), Some("text/event-stream")),
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::ContentType);
            assert_ne!(expected.as_deref(), Some("text/event-stream"));
            assert_eq!(
                error.body().map(|body| &body[..]),
                Some(&b"data: x\n\n"[..])
            );
        }
    }
}

fn retry_after(values: &[Vec<Piece<'_>>], date: &Option<Vec<Piece<'_>>>) {
    let mut headers = HeaderMap::new();
    add(&mut headers, &header::RETRY_AFTER, values);
    add(&mut headers, &header::DATE, date.as_slice());
    let first = headers.get(header::RETRY_AFTER).cloned();

    // The first connection opens and ends, so that the second one's refusal is waited for.
    let mut source = EventSource::factory(move |attempt: Attempt| {
        let response = if attempt.number() == 1 {
            let stream = HeaderValue::from_static("text/event-stream");
            response(
                StatusCode::OK,
                HeaderMap::from_iter([(header::CONTENT_TYPE, stream)]),
            )
        } else {
            response(StatusCode::SERVICE_UNAVAILABLE, headers.clone())
        };
        async { Ok::<_, Infallible>(response) }
    })
    .backoff(
        Backoff::new()
            .reconnection_time(Duration::ZERO)
            .min_delay(Duration::ZERO)
            .initial_backoff(Duration::ZERO),
    )
    .build()
    .expect("a source")
    .signals();
    let (delay, error) = loop {
        let signal = source.next().now_or_never().expect("nothing to wait for");
        match signal.expect("no end").expect("no error") {
            Signal::Reconnecting { delay, cause, .. } if cause.error().is_some() => {
                break (delay, cause.error().expect("an error").clone());
            }
            _ => {}
        }
    };
    assert_eq!(error.kind(), ErrorKind::Status);
    let asked = error.retry_after();
    assert_eq!(delay, asked.unwrap_or_default().min(HOUR));
    // Seconds are what they say, within a year; so is a date.
    let digits = first
        .as_ref()
        .and_then(|value| value.to_str().ok())
        .map(str::trim);
    let digits = digits.filter(|text| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()));
    match digits {
        Some(digits) => {
            let seconds = digits.parse::<u64>().unwrap_or(u64::MAX);
            assert_eq!(asked, Some(Duration::from_secs(seconds).min(YEAR)));
        }
        None => assert!(asked.is_none_or(|asked| asked <= YEAR)),
    }
    assert!(first.is_some() || asked.is_none());
}

fn last_event_id(id: &str) {
    let sent = Arc::new(Mutex::new(Vec::new()));
    let recorded = Arc::clone(&sent);
    let mut source = EventSource::factory(move |attempt: Attempt| {
        let mut headers = HeaderMap::new();
        // What the request says itself never stays beside it.
        headers.append(LAST_EVENT_ID, HeaderValue::from_static("of the request"));
        headers.append(LAST_EVENT_ID, HeaderValue::from_static("and another"));
        attempt.apply(&mut headers);
        recorded.lock().expect("no panic").push(headers);
        async { Ok::<_, Infallible>(response(StatusCode::NO_CONTENT, HeaderMap::new())) }
    })
    .last_event_id(id)
    .build()
    .expect("a source");
    let item = source.next().now_or_never().expect("nothing to wait for");
    let sent = sent.lock().expect("no panic");
    let arrives = HeaderValue::from_bytes(id.as_bytes()).is_ok();
    if !arrives || id.trim_matches([' ', '\t']) != id {
        let error = item.expect("an item").expect_err("an error");
        assert_eq!(error.kind(), ErrorKind::LastEventId);
        assert!(sent.is_empty(), "nothing is sent");
        return;
    }
    assert!(item.is_none(), "a 204 is the end");
    let [headers] = &sent[..] else {
        panic!("one request")
    };
    let values: Vec<_> = headers.get_all(LAST_EVENT_ID).iter().collect();
    match &values[..] {
        [] => assert!(id.is_empty()),
        [value] => assert!(!id.is_empty() && value.as_bytes() == id.as_bytes()),
        _ => panic!("it is sent once"),
    }
}

/// "Extract a MIME type" (WHATWG Fetch 2.2.2), step by step and on copies.
mod oracle {
    use everstream::http::{HeaderValue, header::GetAll};

    pub fn essence(values: GetAll<'_, HeaderValue>) -> Option<String> {
        let decoded: Vec<Vec<char>> = values
            .iter()
            .map(|value| {
                value
                    .as_bytes()
                    .iter()
                    .map(|&byte| char::from(byte))
                    .collect()
            })
            .collect();
        let types = split(&decoded.join(&[',', ' '][..]));
        types
            .iter()
            .filter_map(|one| parse(one))
            .filter(|essence| essence != "*/*")
            .last()
    }

    /// "Get, decode, and split".
    fn split(input: &[char]) -> Vec<String> {
        let (mut values, mut value, mut at) = (Vec::new(), String::new(), 0);
        while at < input.len() {
            match input[at] {
                '"' => {
                    let start = at;
                    at += 1;
                    while at < input.len() && input[at] != '"' {
                        at += if input[at] == '\\' { 2 } else { 1 };
                    }
                    at = (at + 1).min(input.len());
                    value.extend(&input[start..at]);
                }
                ',' => {
                    values.push(std::mem::take(&mut value));
                    at += 1;
                }
                other => {
                    value.push(other);
                    at += 1;
                }
            }
        }
        values.push(value);
        values
    }

    /// "Parse a MIME type" (WHATWG MIME Sniffing 4.4), as far as the essence.
    fn parse(input: &str) -> Option<String> {
        let white = ['\n', '\r', '\t', ' '];
        let (kind, rest) = input.trim_matches(white).split_once('/')?;
        let subtype = rest.split(';').next()?.trim_end_matches(white);
        let token = |part: &str| {
            !part.is_empty()
                && part
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c))
        };
        (token(kind) && token(subtype)).then(|| format!("{kind}/{subtype}").to_ascii_lowercase())
    }
}
