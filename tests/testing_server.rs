//! The scripted server, byte for byte: what it writes, what it remembers, what it notices.

use std::io::ErrorKind;
use std::time::Duration;

use everstream::Event;
use everstream::testing::{ClosedPort, Gate, Reply, Server};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const GET: &str = "GET / HTTP/1.1\r\nhost: test\r\n\r\n";
/// A request after which the server closes, so that the client can read to the end.
const LAST: &str = "GET / HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n";

/// Fails a test that would hang; no result depends on the time.
async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(60), future)
        .await
        .expect("in time")
}

async fn connect(server: &Server) -> TcpStream {
    TcpStream::connect(server.addr()).await.expect("to connect")
}

/// Sends `request` on a new connection and reads until the server closes it.
async fn exchange(server: &Server, request: &str) -> String {
    let mut stream = connect(server).await;
    stream.write_all(request.as_bytes()).await.unwrap();
    read_to_end(&mut stream).await.expect("no reset")
}

async fn read_to_end(stream: &mut TcpStream) -> std::io::Result<String> {
    let mut bytes = Vec::new();
    soon(stream.read_to_end(&mut bytes)).await?;
    Ok(String::from_utf8(bytes).expect("UTF-8"))
}

async fn read_exactly(stream: &mut TcpStream, expected: &str) {
    let mut bytes = vec![0; expected.len()];
    soon(stream.read_exact(&mut bytes))
        .await
        .expect("as many bytes as expected");
    assert_eq!(String::from_utf8_lossy(&bytes), expected);
}

/// What a server writes for `reply` to a client that asks it to close.
async fn written(reply: Reply, request: &str) -> String {
    let server = Server::script([reply]).await;
    let wire = exchange(&server, request).await;
    server.verify();
    wire
}

/// The body of a response, framing included.
fn body_of(wire: &str) -> &str {
    wire.split_once("\r\n\r\n").expect("a head").1
}

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
        .event(&Event::new("x").with_event("e").with_id("7"))
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
        // At a pace the pieces are the same.
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
async fn a_cut_is_seen_by_a_client_as_a_broken_body() {
    let server = Server::script([
        Reply::events().data("a").cut(),
        Reply::events().data("a").truncated_length(1),
        Reply::events().data("a").until_close().cut(),
    ])
    .await;
    for whole in [false, false, true] {
        let response = reqwest::get(server.url("/")).await.unwrap();
        assert_eq!(response.text().await.is_ok(), whole);
    }
    server.verify();
}

#[tokio::test]
async fn a_reset_is_an_error_after_the_bytes_before_it() {
    let server = Server::script([
        Reply::events().until_close().data("a").reset(),
        Reply::refuse().reset(),
        Reply::refuse(),
    ])
    .await;

    let mut stream = connect(&server).await;
    stream.write_all(GET.as_bytes()).await.unwrap();
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n";
    read_exactly(&mut stream, &format!("{head}data: a\n\n")).await;
    let error = read_to_end(&mut stream).await.expect_err("a reset");
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);

    let mut stream = connect(&server).await;
    stream.write_all(GET.as_bytes()).await.unwrap();
    let error = read_to_end(&mut stream).await.expect_err("a reset");
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);

    assert_eq!(exchange(&server, GET).await, "");
    server.verify();
}

#[tokio::test]
async fn a_gate_holds_and_tells() {
    let (head, body) = (Gate::new(), Gate::new());
    let reply = Reply::status(200)
        .gate_head(&head)
        .until_close()
        .raw("a")
        .gate(&body)
        .raw("b");
    let server = Server::script([reply]).await;
    let mut stream = connect(&server).await;
    stream.write_all(GET.as_bytes()).await.unwrap();

    soon(head.wait_for_arrivals(1)).await;
    let mut nothing = [0; 1];
    let early = stream.try_read(&mut nothing);
    assert_eq!(
        early.expect_err("nothing yet").kind(),
        ErrorKind::WouldBlock
    );
    assert_eq!(
        (head.arrivals(), head.is_open(), body.arrivals()),
        (1, false, 0)
    );

    head.open();
    read_exactly(&mut stream, "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\na").await;
    soon(body.wait_for_arrivals(1)).await;
    let early = stream.try_read(&mut nothing);
    assert_eq!(
        early.expect_err("nothing yet").kind(),
        ErrorKind::WouldBlock
    );

    body.clone().open();
    assert!(body.is_open());
    assert_eq!(read_to_end(&mut stream).await.unwrap(), "b");
}

#[tokio::test]
async fn connections_are_kept_alive_and_counted() {
    let server = Server::start(|request| match request.path() {
        "/length" => Reply::status(200).length_delimited().raw("a"),
        "/close" => Reply::status(200).close_after().raw("a"),
        _ => Reply::status(200).raw("a"),
    })
    .await;
    let client = reqwest::Client::new();
    for path in ["/chunked", "/length", "/close", "/chunked?again"] {
        let response = client.get(server.url(path)).send().await.unwrap();
        assert_eq!(response.text().await.unwrap(), "a");
    }
    let requests = server.requests();
    let seen: Vec<_> = requests
        .iter()
        .map(|r| (r.number(), r.connection(), r.target()))
        .collect();
    assert_eq!(
        seen,
        [
            (0, 0, "/chunked"),
            (1, 0, "/length"),
            (2, 0, "/close"),
            (3, 1, "/chunked?again")
        ],
    );
    assert_eq!(server.connections(), 2);
    drop(client);
    soon(server.wait_until_closed()).await;
    assert_eq!((server.connections(), server.open_connections()), (2, 0));
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_order() {
    let server = Server::start(|request| Reply::status(200).raw(request.target())).await;
    let requests = "GET /1 HTTP/1.1\r\n\r\nGET /2 HTTP/1.1\r\n\r\nGET /3 HTTP/1.0\r\n\r\n";
    let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
    assert_eq!(
        exchange(&server, requests).await,
        format!(
            "{head}2\r\n/1\r\n0\r\n\r\n{head}2\r\n/2\r\n0\r\n\r\n\
             HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n/3"
        ),
    );
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn a_client_that_goes_is_noticed_whatever_the_server_does() {
    let hour = Duration::from_secs(3600);
    let table = [
        Reply::events().hold(),
        Reply::events().pause(hour),
        Reply::events().gate(&Gate::new()),
        Reply::events().data("a").data("b").pace(hour),
        Reply::events().repeat("data: x\n\n", None),
        Reply::status(200)
            .length_delimited()
            .repeat("data: x\n\n", None),
        Reply::status(200).endless_headers(),
        Reply::status(200).informational(103).delay_head(hour),
        Reply::status(200)
            .informational(103)
            .gate_head(&Gate::new()),
    ];
    for reply in table {
        let server = Server::script([reply.clone()]).await;
        let mut stream = connect(&server).await;
        stream.write_all(GET.as_bytes()).await.unwrap();
        read_exactly(&mut stream, "HTTP/1.1 ").await;
        assert_eq!(server.open_connections(), 1, "{reply:?}");
        drop(stream);
        soon(server.wait_until_closed()).await;
        assert_eq!(server.open_connections(), 0);
        server.verify();
    }
}

/// What the server has not read when it closes would make the system send a reset instead.
#[tokio::test]
async fn a_close_is_no_reset_though_the_client_said_more() {
    let gate = Gate::new();
    let reply = Reply::status(200).until_close().gate(&gate).raw("end");
    let server = Server::script([reply]).await;
    let mut stream = connect(&server).await;
    // More than twice what the server reads ahead: the last read may overshoot.
    let request = format!("{GET}{}", "x".repeat(160 << 10));
    stream.write_all(request.as_bytes()).await.unwrap();
    soon(gate.wait_for_arrivals(1)).await;
    gate.open();
    assert_eq!(body_of(&read_to_end(&mut stream).await.unwrap()), "end");
}

#[tokio::test]
async fn one_connection_does_not_hold_up_another() {
    let gate = Gate::new();
    let server = Server::script([
        Reply::events().gate(&gate).data("slow"),
        Reply::events().repeat("data: x\n\n", None),
        Reply::events().data("fast"),
    ])
    .await;
    let slow = reqwest::get(server.url("/slow")).await.unwrap();
    let endless = reqwest::get(server.url("/endless")).await.unwrap();
    let fast = reqwest::get(server.url("/fast")).await.unwrap();
    assert_eq!(fast.text().await.unwrap(), "data: fast\n\n");
    gate.open();
    assert_eq!(slow.text().await.unwrap(), "data: slow\n\n");
    drop(endless);
    server.verify();
}

#[tokio::test]
async fn dropping_the_server_closes_everything() {
    let server = Server::start(|_| Reply::status(200).hold()).await;
    let addr = server.addr();
    let mut idle = connect(&server).await;
    let mut held = connect(&server).await;
    held.write_all(GET.as_bytes()).await.unwrap();
    soon(server.wait_for_requests(1)).await;
    drop(server);
    let refused = TcpStream::connect(addr).await.expect_err("nothing listens");
    assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
    assert_eq!(read_to_end(&mut idle).await.unwrap(), "");
    assert!(!read_to_end(&mut held).await.unwrap().contains("0\r\n\r\n"));
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
async fn a_raw_response_is_written_as_it_is() {
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
async fn repeated_bytes_are_as_many_as_asked_for() {
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

#[tokio::test]
async fn requests_are_remembered_whole() {
    let server = Server::script([Reply::status(200)]).await;
    let request = reqwest::Client::new().post(server.url("feed?x=1"));
    let request = request.header("Last-Event-ID", "grün").body("a body");
    assert_eq!(request.send().await.unwrap().status(), 200);
    // The script is at its end.
    assert_eq!(reqwest::get(server.url("/")).await.unwrap().status(), 204);

    soon(server.wait_for_requests(2)).await;
    let requests = server.requests();
    let [first, second] = requests.as_slice() else {
        panic!("two, not {requests:?}")
    };
    assert_eq!(
        (first.method().as_str(), first.target()),
        ("POST", "/feed?x=1")
    );
    assert_eq!(first.path(), "/feed");
    assert_eq!(first.last_event_id(), Some("grün"));
    assert_eq!(first.header_bytes("last-event-id"), Some("grün".as_bytes()));
    assert_eq!(first.headers().get("content-length").unwrap(), "6");
    assert_eq!(first.body(), "a body");
    assert_eq!((second.last_event_id(), second.body().len()), (None, 0));

    assert_eq!(server.take_requests().len(), 2);
    assert!(server.requests().is_empty());
    assert_eq!(reqwest::get(server.url("/")).await.unwrap().status(), 204);
    assert_eq!(server.take_requests()[0].number(), 2);
}

#[tokio::test]
async fn a_script_may_end_with_another_reply() {
    let server = Server::script_then([Reply::status(200)], Reply::status(503)).await;
    for status in [200, 503, 503] {
        assert_eq!(
            reqwest::get(server.url("/")).await.unwrap().status(),
            status
        );
    }
    server.verify();
}

/// The message with which `verify` panics.
fn verdict(server: &Server) -> String {
    let check = std::panic::AssertUnwindSafe(|| server.verify());
    let panic = std::panic::catch_unwind(check).expect_err("a panic");
    *panic.downcast::<String>().expect("a formatted message")
}

#[tokio::test]
async fn expectations_are_checked_and_remembered() {
    let request = "POST /a HTTP/1.1\r\nconnection: close\r\nlast-event-id: 42\r\n\
                   x-twice: 1\r\nx-twice: 2\r\n\r\n";
    let reply = || Reply::status(200);
    let met = [
        reply().expect_last_event_id("42"),
        reply()
            .expect_header("LAST-event-id", "42")
            .expect_no_header("x-none"),
        reply().expect_method("POST").expect_target("/a"),
    ];
    for reply in met {
        assert!(written(reply, request).await.starts_with("HTTP/1.1 200 "));
    }
    let unmet = [
        (
            reply().expect_last_event_id("43"),
            r#"expected last-event-id: [b"43"], came: ["42"]"#,
        ),
        (
            reply().expect_no_last_event_id(),
            r#"expected last-event-id: [], came: ["42"]"#,
        ),
        (
            reply().expect_header("x-none", ""),
            r#"expected x-none: [b""], came: []"#,
        ),
        (
            reply().expect_header("x-twice", "1"),
            r#"expected x-twice: [b"1"], came: ["1", "2"]"#,
        ),
        (
            reply().expect_method("GET"),
            r#"expected method "GET", came "POST""#,
        ),
        (
            reply().expect_target("/b"),
            r#"expected target "/b", came "/a""#,
        ),
    ];
    for (reply, complaint) in unmet {
        let server = Server::script([reply]).await;
        let wire = exchange(&server, request).await;
        assert!(wire.starts_with("HTTP/1.1 500 "), "{wire}");
        assert!(wire.contains(complaint), "{wire}");
        let verdict = verdict(&server);
        assert!(
            verdict.contains(&format!("request 0 (POST /a): {complaint}")),
            "{verdict}"
        );
    }
}

#[tokio::test]
async fn replies_never_asked_for_are_reported() {
    let server = Server::script([Reply::status(200), Reply::status(200)]).await;
    exchange(&server, LAST).await;
    assert!(verdict(&server).contains("2 replies were scripted, 1 asked for"));
}

#[tokio::test]
async fn what_is_no_request_is_refused_and_reported() {
    let server = Server::script([]).await;
    let wire = exchange(&server, "GET / HTTP/1.1\r\nLast-Event-ID: a\0b\r\n\r\n").await;
    assert!(wire.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{wire}");
    assert!(server.requests().is_empty());
    let verdict = verdict(&server);
    assert!(
        verdict.contains("connection 0: not a request: invalid header value"),
        "{verdict}"
    );
}

#[tokio::test]
async fn a_panic_of_the_handler_does_not_go_unnoticed() {
    let server = Server::start(|request| panic!("no answer to {}", request.target())).await;
    let wire = exchange(&server, LAST).await;
    assert!(wire.starts_with("HTTP/1.1 500 "), "{wire}");
    assert!(verdict(&server).contains("the handler panicked: no answer to /"));

    // Once reported it is not reported again; a new one is, when the server is dropped.
    server.verify();
    exchange(&server, LAST).await;
    let dropped = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| drop(server)));
    assert!(dropped.is_err());
}

#[tokio::test]
async fn a_closed_port_refuses_until_it_is_opened() {
    let port = ClosedPort::reserve();
    let addr = port.addr();
    assert_eq!(port.url("/x"), format!("http://{addr}/x"));
    let refused = TcpStream::connect(addr).await.expect_err("nothing listens");
    assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
    let server = port.open(|_| Reply::status(200).raw("up")).await;
    assert_eq!(server.addr(), addr);
    assert_eq!(
        reqwest::get(server.url("x"))
            .await
            .unwrap()
            .text()
            .await
            .unwrap(),
        "up"
    );
}

/// The server has a thread of its own: a client may block the only one of the test.
#[test]
fn blocking_clients_are_served() {
    use std::io::{Read, Write};

    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let server = runtime.block_on(Server::script([Reply::events().until_close().data("a")]));
    let mut stream = std::net::TcpStream::connect(server.addr()).unwrap();
    stream.write_all(GET.as_bytes()).unwrap();
    let mut wire = String::new();
    stream.read_to_string(&mut wire).unwrap();
    assert_eq!(body_of(&wire), "data: a\n\n");
    server.verify();
}

#[test]
fn what_tests_share_can_be_shared() {
    fn check<T: Send + Sync + 'static>() {}
    check::<Server>();
    check::<Reply>();
    check::<Gate>();
    check::<ClosedPort>();
}

#[test]
#[should_panic(expected = "an event that a stream can carry")]
fn an_event_that_cannot_be_sent_is_refused() {
    let _ = Reply::events().event(&Event::new("x").with_id("1\ndata: forged"));
}
