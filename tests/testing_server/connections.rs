//! Connections: how they end, and what each side notices.

use std::io::ErrorKind;
use std::time::Duration;

use everstream::testing::{ClosedPort, Gate, Reply, Server};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::{GET, body_of, connect, exchange, read_exactly, read_to_end, soon};

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
async fn a_gate_blocks_and_reports() {
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
async fn a_client_that_disconnects_is_noticed_in_every_state() {
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

/// Unread input at the close would make the system send a reset instead.
#[tokio::test]
async fn a_close_is_not_a_reset_despite_unread_input() {
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
async fn one_connection_does_not_block_another() {
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

/// The server has its own thread, so a client may block the test's only thread.
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
