//! Socket → [`Request`]: the head by httparse, the body by its framing.

use bytes::{Buf, Bytes, BytesMut};
use http::header::{CONTENT_LENGTH, EXPECT, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use httparse::Status;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::request::Request;

/// The size limit of a head, and of a body, in bytes.
const LIMIT: usize = 64 << 20;
/// The maximum number of header lines in a request.
const MAX_HEADERS: usize = 256;

/// Why there is no request.
#[derive(Debug)]
pub(super) enum Fault {
    /// The client closed or broke the connection.
    Gone,
    /// The client sent something that is not an HTTP/1 request, or that this server doesn't accept.
    Malformed(String),
}

impl From<httparse::Error> for Fault {
    fn from(error: httparse::Error) -> Self {
        Self::Malformed(error.to_string())
    }
}

/// Reads one request. `buffer` contains bytes that were already read, and keeps those of the next
/// request.
///
/// The caller sets `number` and `connection`, which are 0 here.
pub(super) async fn receive<S>(stream: &mut S, buffer: &mut BytesMut) -> Result<Request, Fault>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut request = loop {
        if let Some((request, length)) = parse_head(buffer)? {
            buffer.advance(length);
            break request;
        }
        read_more(stream, buffer).await?;
    };
    let framing = Framing::of(&request.headers)?;
    let waits = request.headers.get(EXPECT);
    if waits.is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"100-continue")) {
        let go_on = stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n");
        go_on.await.map_err(|_| Fault::Gone)?;
    }
    request.body = match framing {
        Framing::Length(length) => read_exactly(stream, buffer, length).await?,
        Framing::Chunked => read_chunks(stream, buffer).await?,
    };
    Ok(request)
}

/// Returns the request's head and its length, or `None` while it is incomplete.
fn parse_head(bytes: &[u8]) -> Result<Option<(Request, usize)>, Fault> {
    let mut slots = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut head = httparse::Request::new(&mut slots);
    let Status::Complete(length) = head.parse(bytes)? else {
        return Ok(None);
    };
    let method = Method::from_bytes(head.method.unwrap_or_default().as_bytes());
    let mut headers = HeaderMap::with_capacity(head.headers.len());
    for header in head.headers.iter() {
        let name = HeaderName::from_bytes(header.name.as_bytes());
        let value = HeaderValue::from_bytes(header.value);
        headers.append(
            name.map_err(|error| Fault::Malformed(error.to_string()))?,
            value.map_err(|error| Fault::Malformed(error.to_string()))?,
        );
    }
    let request = Request {
        number: 0,
        connection: 0,
        method: method.map_err(|error| Fault::Malformed(error.to_string()))?,
        target: head.path.unwrap_or_default().to_owned(),
        http10: head.version == Some(0),
        headers,
        body: Bytes::new(),
    };
    Ok(Some((request, length)))
}

/// How the end of the body is determined (RFC 9112, 6.3).
enum Framing {
    Length(usize),
    Chunked,
}

impl Framing {
    fn of(headers: &HeaderMap) -> Result<Self, Fault> {
        if headers.contains_key(TRANSFER_ENCODING) {
            return Ok(Self::Chunked);
        }
        let Some(value) = headers.get(CONTENT_LENGTH) else {
            return Ok(Self::Length(0));
        };
        let length = value.to_str().ok().and_then(|text| text.parse().ok());
        length
            .map(Self::Length)
            .ok_or_else(|| Fault::Malformed(format!("Content-Length is {value:?}")))
    }
}

async fn read_exactly<S>(
    stream: &mut S,
    buffer: &mut BytesMut,
    length: usize,
) -> Result<Bytes, Fault>
where
    S: AsyncRead + Unpin,
{
    if length > LIMIT {
        return Err(Fault::Malformed(format!("more than {LIMIT} bytes")));
    }
    while buffer.len() < length {
        read_more(stream, buffer).await?;
    }
    Ok(buffer.split_to(length).freeze())
}

async fn read_chunks<S>(stream: &mut S, buffer: &mut BytesMut) -> Result<Bytes, Fault>
where
    S: AsyncRead + Unpin,
{
    let mut body = BytesMut::new();
    loop {
        let (start, size) = loop {
            let parsed = httparse::parse_chunk_size(buffer)
                .map_err(|_| Fault::Malformed("invalid chunk size".to_owned()))?;
            match parsed {
                Status::Complete(found) => break found,
                Status::Partial => read_more(stream, buffer).await?,
            }
        };
        buffer.advance(start);
        if size == 0 {
            break;
        }
        let room = LIMIT - body.len();
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        if size > room {
            return Err(Fault::Malformed(format!("more than {LIMIT} bytes")));
        }
        body.extend_from_slice(&read_exactly(stream, buffer, size).await?);
        if read_exactly(stream, buffer, 2).await? != "\r\n" {
            return Err(Fault::Malformed("chunk longer than its size".to_owned()));
        }
    }
    skip_trailers(stream, buffer).await?;
    Ok(body.freeze())
}

async fn skip_trailers<S>(stream: &mut S, buffer: &mut BytesMut) -> Result<(), Fault>
where
    S: AsyncRead + Unpin,
{
    loop {
        let mut slots = [httparse::EMPTY_HEADER; MAX_HEADERS];
        let parsed = httparse::parse_headers(buffer, &mut slots)?;
        if let Status::Complete((length, _)) = parsed {
            buffer.advance(length);
            return Ok(());
        }
        read_more(stream, buffer).await?;
    }
}

async fn read_more<S>(stream: &mut S, buffer: &mut BytesMut) -> Result<(), Fault>
where
    S: AsyncRead + Unpin,
{
    if buffer.len() > LIMIT {
        return Err(Fault::Malformed(format!("more than {LIMIT} bytes")));
    }
    // Double the buffer, so that parsing a long head again after each read stays linear.
    buffer.reserve(buffer.len().max(4096));
    match stream.read_buf(buffer).await {
        Ok(0) | Err(_) => Err(Fault::Gone),
        Ok(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Receives two requests from `wire`, first in one piece and then one byte at a time.
    fn both_ways(wire: &[u8], check: impl Fn(Request, Request)) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        for piece in [wire.len(), 1] {
            runtime.block_on(async {
                let mut mock = Pieces {
                    rest: wire,
                    piece,
                    written: Vec::new(),
                };
                let mut buffer = BytesMut::new();
                let first = receive(&mut mock, &mut buffer).await.unwrap();
                let second = receive(&mut mock, &mut buffer).await.unwrap();
                check(first, second);
                assert!(matches!(
                    receive(&mut mock, &mut buffer).await,
                    Err(Fault::Gone)
                ));
            });
        }
    }

    /// A client that sends `rest` in pieces of `piece` bytes and then closes.
    struct Pieces<'a> {
        rest: &'a [u8],
        piece: usize,
        written: Vec<u8>,
    }

    impl AsyncRead for Pieces<'_> {
        fn poll_read(
            mut self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
            into: &mut tokio::io::ReadBuf<'_>,
        ) -> std::task::Poll<std::io::Result<()>> {
            let n = self.rest.len().min(self.piece).min(into.remaining());
            let (now, later) = self.rest.split_at(n);
            into.put_slice(now);
            self.rest = later;
            std::task::Poll::Ready(Ok(()))
        }
    }

    impl AsyncWrite for Pieces<'_> {
        fn poll_write(
            mut self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
            bytes: &[u8],
        ) -> std::task::Poll<std::io::Result<usize>> {
            self.written.extend_from_slice(bytes);
            std::task::Poll::Ready(Ok(bytes.len()))
        }

        fn poll_flush(
            self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
        ) -> std::task::Poll<std::io::Result<()>> {
            std::task::Poll::Ready(Ok(()))
        }

        fn poll_shutdown(
            self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
        ) -> std::task::Poll<std::io::Result<()>> {
            std::task::Poll::Ready(Ok(()))
        }
    }

    #[test]
    fn bodies_end_according_to_their_framing() {
        both_ways(
            b"POST /a?b=c HTTP/1.1\r\nContent-Length: 5\r\nX-Raw: \xff\r\n\r\nhello\
              PUT /d HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n\
              3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nx-trailer: 1\r\n\r\n",
            |first, second| {
                assert_eq!(first.body(), "hello");
                assert_eq!((first.target(), first.path()), ("/a?b=c", "/a"));
                assert_eq!(first.header_bytes("x-raw"), Some(&b"\xff"[..]));
                assert_eq!(first.header("x-raw"), None);
                assert_eq!(second.method(), Method::PUT);
                assert_eq!(second.body(), "abcde");
            },
        );
    }

    #[test]
    fn no_framing_means_no_body_and_close_is_respected() {
        both_ways(
            b"GET / HTTP/1.1\r\nConnection: x, Close\r\n\r\nGET / HTTP/1.0\r\n\r\n",
            |first, second| {
                assert!(first.body().is_empty());
                assert!(!first.keeps_alive());
                assert!(second.http10);
                assert!(!second.keeps_alive());
            },
        );
    }

    #[test]
    fn invalid_requests_are_malformed() {
        let wires: [&[u8]; 5] = [
            b"\x16\x03\x01\x02\x00",
            b"GET / HTTP/1.1\r\nLast-Event-ID: a\x00b\r\n\r\n",
            b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
            b"POST / HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n",
            b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n0\r\n\r\n",
        ];
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        for wire in wires {
            let mut mock = Pieces {
                rest: wire,
                piece: 1,
                written: Vec::new(),
            };
            let got = runtime.block_on(receive(&mut mock, &mut BytesMut::new()));
            assert!(matches!(got, Err(Fault::Malformed(_))), "{wire:?}: {got:?}");
        }
    }

    #[test]
    fn expect_continue_is_answered() {
        let wire = b"POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\na";
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        let mut mock = Pieces {
            rest: wire,
            piece: 1,
            written: Vec::new(),
        };
        runtime
            .block_on(receive(&mut mock, &mut BytesMut::new()))
            .unwrap();
        assert_eq!(mock.written, b"HTTP/1.1 100 Continue\r\n\r\n");
    }
}
