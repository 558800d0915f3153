//! The scripted server: what it writes, records and notices.

mod connections;
mod requests;
mod wire;

use std::time::Duration;

use everstream::testing::{Reply, Server};
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

/// What a server writes for `reply` if the client asks it to close.
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
