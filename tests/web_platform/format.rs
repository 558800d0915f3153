//! The files `format-*`, and `event-data`: how an event stream is read.

use super::*;

/// One response, the events in it, and nothing else before its end.
fn one<const N: usize>(file: &'static str, wire: impl AsRef<[u8]>, events: [Seen; N]) -> Row {
    let mut row = row(file, [stream(wire)], [Open]);
    row.seen.extend(events);
    row.seen.push(Reconnecting(0));
    row
}

#[tokio::test]
async fn lines_and_fields() {
    let long = "x".repeat(2048);
    check(vec![
        one(
            "event-data",
            "data:one\ndata: two\n\n:\nno field:x\n\nDATA:x\nno field\n\ndata\n\ndata:last\n\n",
            [message("one\ntwo"), message(""), message("last")],
        ),
        one(
            "format-comments",
            format!("data:1\r:\0\n:\r\ndata:2\n:{long}\rdata:3\n:data:x\r:{long}\ndata:4\n\n"),
            [message("1\n2\n3\n4")],
        ),
        one(
            "format-field-data",
            "data:\n\ndata\ndata\n\ndata:a\n\n",
            [message(""), message("\n"), message("a")],
        ),
        one(
            "format-field-event",
            "event:odd\ndata:a\n\ndata:b\n\n",
            [event("odd", "a", ""), message("b")],
        ),
        one(
            "format-field-event-empty",
            "event: \ndata:a\n\n",
            [message("a")],
        ),
        one(
            "format-field-parsing",
            "data:\0\ndata:  a\rData:x\ndata\0:x\ndata:b\r\0data:x\nda-ta:x\rdata_x\ndata:c\r\
             data:\r\n data:x\ndata:d\n\n",
            [message("\0\n a\nb\nc\n\nd")],
        ),
        one(
            "format-field-unknown",
            "data:a\n data\ndata\nother:x\nnothing in particular\n:a comment\ndata:b\n\n",
            [message("a\n\nb")],
        ),
        one(
            "format-leading-space",
            "data:\ta\rdata: \ndata:b\n\n",
            [message("\ta\n\nb")],
        ),
        one(
            "format-newlines",
            "data:a\r\ndata\ndata:b\r\n\r",
            [message("a\n\nb")],
        ),
        one("format-null-character", "data:\0\n\n\n\n", [message("\0")]),
    ])
    .await;
}

#[tokio::test]
async fn text() {
    let latin = "text/event-stream;charset=windows-1252";
    check(vec![
        one(
            "format-bom",
            "\u{feff}data:1\n\n\u{feff}data:2\n\ndata:3\n\n",
            [message("1"), message("3")],
        ),
        one(
            "format-bom-2",
            "\u{feff}\u{feff}data:1\n\ndata:2\n\ndata:3\n\n",
            [message("2"), message("3")],
        ),
        row(
            "format-utf-8",
            [stream("data:größer…\n\n").content_type(latin)],
            [Open, message("größer…"), Reconnecting(0)],
        ),
    ])
    .await;
}

#[tokio::test]
async fn content_types() {
    let bogus = |content_type: &str| {
        let page = stream("data:x\n\n").content_type(content_type);
        [page]
    };
    let failed = || [Failed(ErrorKind::ContentType, Some(200))];
    check(vec![
        row("format-mime-bogus", bogus("x bogus"), failed()),
        row("format-mime-valid-bogus", bogus("text/x-bogus"), failed()),
        row(
            "format-mime-trailing-semicolon",
            bogus("text/event-stream;"),
            [Open, message("x")],
        ),
    ])
    .await;
}

#[tokio::test]
async fn ids() {
    let hello = || stream("id: …\nretry: 1\ndata: hello\n\n");
    let resumed = || stream("data: again\n\n").expect_last_event_id("…");
    let [first, again] = ["hello", "again"].map(|data| move || event("message", data, "…"));
    let mut rows = vec![
        row(
            "format-field-id",
            [hello().expect_no_last_event_id(), resumed()],
            [Open, first(), Reconnecting(1), Open, again()],
        ),
        row(
            "format-field-id-2",
            [hello(), resumed(), resumed()],
            [
                Open,
                first(),
                Reconnecting(1),
                Open,
                again(),
                Reconnecting(1),
                Open,
                again(),
            ],
        ),
        one(
            "format-field-id-3, persists",
            "id: 1\ndata: a\n\ndata: b\n\n",
            [event("message", "a", "1"), event("message", "b", "1")],
        ),
        one(
            "format-field-id-3, changes and persists",
            "id: 1\ndata: a\n\nid: 2\ndata: b\n\ndata: c\n\n",
            [
                event("message", "a", "1"),
                event("message", "b", "2"),
                event("message", "c", "2"),
            ],
        ),
        one(
            "format-field-id-3, resets",
            "id: 1\ndata: a\n\nid:\ndata: b\n\ndata: c\n\n",
            [event("message", "a", "1"), message("b"), message("c")],
        ),
        row(
            "format-data-before-final-empty-line",
            [
                stream("retry:1\ndata:a\n\nid:x\ndata:b"),
                stream("data:a\n\n").expect_no_last_event_id(),
            ],
            [
                Open,
                message("a"),
                Reconnecting(1),
                Open,
                message("a"),
                Reconnecting(1),
            ],
        ),
    ];
    for id in ["\0\0", "x\0", "\0x", "x\0x", " \0"] {
        let hello = || stream(format!("id: {id}\ndata: hello\n\n")).expect_no_last_event_id();
        rows.push(row(
            "format-field-id-null",
            [hello(), hello()],
            [
                Open,
                message("hello"),
                Reconnecting(0),
                Open,
                message("hello"),
            ],
        ));
    }
    check(rows).await;
}

/// The next wait is reported; the test does not wait.
#[tokio::test]
async fn reconnection_times() {
    let row = |file, wire, delay| row(file, [stream(wire)], [Open, message("x"), delay]);
    check(vec![
        row(
            "format-field-retry",
            "retry:03000\ndata:x\n\n",
            Reconnecting(3000),
        ),
        row(
            "format-field-retry-bogus",
            "retry:3000\nretry:1000x\ndata:x\n\n",
            Reconnecting(3000),
        ),
        row(
            "format-field-retry-empty",
            "retry\ndata:x\n\n",
            Reconnecting(0),
        ),
        row(
            "format-field-retry-empty, after another",
            "retry:3000\nretry\nretry:\ndata:x\n\n",
            Reconnecting(3000),
        ),
    ])
    .await;
}
