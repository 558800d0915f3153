//! What the server writes, byte for byte.

use std::time::Duration;

use everstream::Event;
use everstream::testing::{Reply, Server};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::{GET, LAST, body_of, connect, soon, written};

#[tokio::test]
async fn every_framing_is_exact_to_the_byte() {
    let abc = || Reply::events().data("a").raw("bc");
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n";
    let table = [
        (
            abc(),
            "transfer-encoding: chunked\r\n",
            "9\r\ndata: a\n\n\r\n2\r\nbc\r\n0\r\n\r\n",
        ),
        (
            abc().length_delimited(),
            "content-length: 11\r\n",
            "data: a\n\nbc",
        ),
        (
            abc().truncated_length(5),
            "content-length: 16\r\n",
            "data: a\n\nbc",
        ),
        (abc().until_close(), "", "data: a\n\nbc"),
        (
            abc().length_delimited().cut().raw("never sent"),
            "content-length: 21\r\n",
            "data: a\n\nbc",
        ),
        (
            Reply::events(),
            "transfer-encoding: chunked\r\n",
            "0\r\n\r\n",
        ),
        (
            abc().trailers([("x-a", "1"), ("x-b", "2")]),
            "transfer-encoding: chunked\r\n",
            "9\r\ndata: a\n\n\r\n2\r\nbc\r\n0\r\nx-a: 1\r\nx-b: 2\r\n\r\n",
        ),
    ];
    for (reply, framing, body) in table {
        let expected = format!("{head}{framing}connection: close\r\n\r\n{body}");
        assert_eq!(written(reply, LAST).await, expected);
    }
}

#[tokio::test]
async fn heads_are_exact_to_the_byte() {
    let end = "connection: close\r\n\r\n0\r\n\r\n";
    let chunked = "transfer-encoding: chunked\r\n";
    let table = [
        (
            Reply::status(404),
            format!("HTTP/1.1 404 Not Found\r\n{chunked}{end}"),
        ),
        (
            Reply::status(200).reason(""),
            format!("HTTP/1.1 200 \r\n{chunked}{end}"),
        ),
        (
            Reply::status(799),
            format!("HTTP/1.1 799 \r\n{chunked}{end}"),
        ),
        (
            Reply::status(200).reason("Süß"),
            format!("HTTP/1.1 200 Süß\r\n{chunked}{end}"),
        ),
        (
            Reply::redirect(307, "/b")
                .header("X-Twice", "1")
                .header("X-Twice", "2"),
            format!(
                "HTTP/1.1 307 Temporary Redirect\r\nlocation: /b\r\nX-Twice: 1\r\nX-Twice: 2\r\n\
                 {chunked}{end}"
            ),
        ),
        (
            Reply::events()
                .content_type("text/html")
                .without_content_type(),
            format!("HTTP/1.1 200 OK\r\n{chunked}{end}"),
        ),
        (
            Reply::status(200)
                .informational(103)
                .content_type("a/b")
                .informational(100),
            format!(
                "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n\
                 HTTP/1.1 200 OK\r\ncontent-type: a/b\r\n{chunked}{end}"
            ),
        ),
    ];
    for (reply, expected) in table {
        assert_eq!(written(reply, LAST).await, expected);
    }
}

#[tokio::test]
async fn header_values_are_raw_bytes() {
    let server = Server::script([Reply::status(200).header("x-raw", b"a\xffb\x01")]).await;
    let mut stream = connect(&server).await;
    stream.write_all(LAST.as_bytes()).await.unwrap();
    let mut wire = Vec::new();
    stream.read_to_end(&mut wire).await.unwrap();
    let line = b"\r\nx-raw: a\xffb\x01\r\n";
    assert!(
        wire.windows(line.len()).any(|window| window == line),
        "{wire:?}"
    );
}

#[tokio::test]
async fn fields_are_written_as_the_standard_reads_them() {
    let reply = Reply::events()
        .data("one\r\ntwo\rthree\n")
        .comment("note\nwell")
        .comment("")
        .retry_ms(1500)
        .event(&Event::new("x").with_event_type("e").with_id("7"))
        .until_close();
    assert_eq!(
        body_of(&written(reply, LAST).await),
        "data: one\ndata: two\ndata: three\ndata: \n\n\
         :note\n:well\n:\nretry: 1500\nevent: e\nid: 7\ndata: x\n\n",
    );
}

#[tokio::test]
async fn pieces_are_split_where_the_reply_says() {
    let abcde = || Reply::status(200).raw("abc").raw("de");
    let table: [(Reply, &[&str]); 7] = [
        (abcde(), &["abc", "de"]),
        (abcde().split_every(1), &["a", "b", "c", "d", "e"]),
        (abcde().split_every(2), &["ab", "c", "de"]),
        (abcde().split_at([1, 4]), &["a", "bc", "d", "e"]),
        (abcde().split_at([4, 0, 3, 9]), &["abc", "d", "e"]),
        (abcde().split_at([1]).split_every(2), &["a", "bc", "de"]),
        (
            Reply::status(200).repeat("xy", 5).split_every(3).raw(""),
            &["xyx", "yx"],
        ),
    ];
    for (reply, pieces) in table {
        let mut expected = String::new();
        for piece in pieces {
            expected += &format!("{:x}\r\n{piece}\r\n", piece.len());
        }
        expected += "0\r\n\r\n";
        // With a delay, the pieces are the same.
        let paced = reply.clone().pace(Duration::from_micros(1));
        assert_eq!(body_of(&written(reply, LAST).await), expected);
        assert_eq!(body_of(&written(paced, LAST).await), expected);
    }
}

#[tokio::test]
async fn a_cut_falls_after_exactly_n_bytes_of_the_body() {
    let reply = || Reply::status(200).raw("abc").raw("de");
    let chunked = [
        "",
        "3\r\na",
        "3\r\nab",
        "3\r\nabc\r\n",
        "3\r\nabc\r\n2\r\nd",
        "3\r\nabc\r\n2\r\nde\r\n",
        // Shorter than the cut: whole, but for the framing's end.
        "3\r\nabc\r\n2\r\nde\r\n",
    ];
    for (n, expected) in (0..).zip(chunked) {
        assert_eq!(body_of(&written(reply().cut_after(n), GET).await), expected);
        let plain = written(reply().length_delimited().cut_after(n), GET).await;
        assert!(plain.contains("content-length: 5\r\n"));
        assert_eq!(body_of(&plain), &"abcde"[..5.min(n as usize)]);
    }
    let split = reply().split_every(2).cut_after(4);
    assert_eq!(
        body_of(&written(split, GET).await),
        "2\r\nab\r\n1\r\nc\r\n2\r\nd"
    );
}

#[tokio::test]
async fn responses_without_a_body_end_with_their_head() {
    let head = LAST.replace("GET", "HEAD");
    let body = || Reply::status(200).raw("abc").repeat("x", None);
    let table = [
        (body(), head.as_str(), "HTTP/1.1 200 OK\r\n"),
        (
            Reply::status(200).length_delimited().raw("abc"),
            &head,
            "HTTP/1.1 200 OK\r\ncontent-length: 3\r\n",
        ),
        (
            Reply::status(204).raw("abc"),
            LAST,
            "HTTP/1.1 204 No Content\r\n",
        ),
        (
            Reply::status(204).length_delimited(),
            LAST,
            "HTTP/1.1 204 No Content\r\n",
        ),
        (
            Reply::status(304).raw("abc").cut_after(0),
            LAST,
            "HTTP/1.1 304 Not Modified\r\n",
        ),
    ];
    for (reply, request, expected) in table {
        let expected = format!("{expected}connection: close\r\n\r\n");
        assert_eq!(written(reply, request).await, expected);
    }
}

#[tokio::test]
async fn a_body_can_be_forced_where_there_is_none() {
    let forced = Reply::status(204).raw("abc").force_body();
    assert_eq!(
        written(forced.clone(), LAST).await,
        "HTTP/1.1 204 No Content\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n\
         3\r\nabc\r\n0\r\n\r\n",
    );
    assert_eq!(
        written(forced.length_delimited(), LAST).await,
        "HTTP/1.1 204 No Content\r\ncontent-length: 3\r\nconnection: close\r\n\r\nabc",
    );
}

#[tokio::test]
async fn a_raw_response_is_written_unchanged() {
    let capture = "HTTP/1.1 200 Fine\r\nX: 1\r\nContent-Length: 100\r\n\r\nabc";
    assert_eq!(written(Reply::raw_response(capture), GET).await, capture);
    let cut = Reply::raw_response(capture).split_every(1).cut_after(20);
    assert_eq!(written(cut, GET).await, capture[..20]);
    let more = Reply::raw_response("HTTP/1.1 200")
        .informational(103)
        .raw(" OK\r\n");
    let expected = "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\n";
    assert_eq!(written(more, GET).await, expected);
}

#[tokio::test]
async fn repeated_bytes_have_the_requested_length() {
    for (unit, total) in [
        ("ab", 1_u64),
        ("abc", 64 << 10),
        ("abc", (1 << 20) + 1),
        ("a", 0),
    ] {
        let reply = Reply::status(200).length_delimited().repeat(unit, total);
        let wire = written(reply, LAST).await;
        assert!(wire.contains(&format!("content-length: {total}\r\n")));
        let body = body_of(&wire);
        assert_eq!(body.len() as u64, total);
        assert!(body.chars().zip(unit.chars().cycle()).all(|(a, b)| a == b));
    }
}

#[tokio::test]
async fn endless_headers_never_end() {
    let server = Server::script([Reply::status(200).endless_headers()]).await;
    let mut stream = connect(&server).await;
    stream.write_all(GET.as_bytes()).await.unwrap();
    let mut wire = vec![0; 1 << 20];
    soon(stream.read_exact(&mut wire)).await.unwrap();
    let wire = String::from_utf8(wire).unwrap();
    assert!(wire.starts_with("HTTP/1.1 200 OK\r\n"));
    assert!(wire.contains("\r\nx-endless-0: ") && wire.contains("\r\nx-endless-64: "));
    assert!(!wire.contains("\r\n\r\n"));
}

#[test]
#[should_panic(expected = "an event that a stream can carry")]
fn an_event_that_cannot_be_sent_is_refused() {
    let _ = Reply::events().event(&Event::new("x").with_id("1\ndata: forged"));
}
