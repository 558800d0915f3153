//! [`Reply`] → bytes on a connection.

use std::future::pending;
use std::io;
use std::ops::ControlFlow::{self, Break, Continue};

use bytes::{Bytes, BytesMut};
use http::{Method, StatusCode};
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::time::sleep;

use super::reply::{Framing, Head, Prelude, Reply, Shape, Step};
use super::request::Request;

/// The approximate number of bytes of a repeated body that are written at once.
const REPEATED: usize = 64 << 10;

/// What happens to the connection after a reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum After {
    /// The next request may come.
    Open,
    /// It is closed normally (FIN).
    Close,
    /// It is reset (RST).
    Reset,
}

/// Whether the reply continues, or how it ends here.
type Flow = ControlFlow<After>;

/// Writes the reply to `request`.
///
/// # Errors
///
/// Only errors of writing: the client has disconnected.
pub(super) async fn play<W>(reply: &Reply, request: &Request, out: &mut W) -> io::Result<After>
where
    W: AsyncWrite + Unpin,
{
    for prelude in &reply.prelude {
        match prelude {
            Prelude::Informational(status) => {
                let mut wire = Vec::new();
                status_line(*status, None, &mut wire);
                wire.extend_from_slice(b"\r\n");
                out.write_all(&wire).await?;
            }
            Prelude::Pause(delay) => sleep(*delay).await,
            Prelude::Gate(gate) => gate.pass().await,
        }
    }
    let after = if reply.close || !request.keeps_alive() {
        After::Close
    } else {
        After::Open
    };
    let mode = match &reply.head {
        None => Mode::Bare,
        Some(head) => {
            let mode = Mode::of(reply, head, request);
            write_head(reply, head, mode, after, out).await?;
            mode
        }
    };
    let mut body = Body {
        out,
        mode,
        shape: &reply.shape,
        sent: 0,
        buffer: Vec::new(),
    };
    if let Break(after) = body.run(&reply.steps).await? {
        return Ok(after);
    }
    match mode {
        Mode::Chunked => {
            body.end_chunks(&reply.trailers).await?;
            Ok(after)
        }
        Mode::Length | Mode::None => Ok(after),
        Mode::Bare | Mode::Truncated => Ok(After::Close),
    }
}

/// How the body is framed on this connection.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// The request or the status does not allow a body.
    None,
    /// Without framing; the end of the connection ends the body.
    Bare,
    /// Without framing, with the length that the head announced.
    Length,
    /// Without framing, shorter than the head announced.
    Truncated,
    Chunked,
}

impl Mode {
    fn of(reply: &Reply, head: &Head, request: &Request) -> Self {
        let none = never_has_a_body(head.status) || request.method == Method::HEAD;
        if none && !reply.force_body {
            return Self::None;
        }
        match reply.framing {
            Framing::Chunked if request.http10 => Self::Bare,
            Framing::Chunked => Self::Chunked,
            Framing::Length { beyond: 0 } => Self::Length,
            Framing::Length { .. } => Self::Truncated,
            Framing::UntilClose => Self::Bare,
        }
    }
}

/// Whether a response with this status ends with its head (RFC 9112, 6.3).
fn never_has_a_body(status: u16) -> bool {
    matches!(status, 100..=199 | 204 | 304)
}

async fn write_head<W>(
    reply: &Reply,
    head: &Head,
    mode: Mode,
    after: After,
    out: &mut W,
) -> io::Result<()>
where
    W: AsyncWrite + Unpin,
{
    let mut wire = Vec::new();
    status_line(head.status, head.reason.as_ref(), &mut wire);
    if let Some(value) = &head.content_type {
        header_line(b"content-type", value, &mut wire);
    }
    for (name, value) in &head.headers {
        header_line(name, value, &mut wire);
    }
    match reply.framing {
        Framing::Chunked if mode == Mode::Chunked => {
            header_line(b"transfer-encoding", b"chunked", &mut wire);
        }
        // A response to HEAD may have a length, but a 204 must not (RFC 9110, 8.6).
        Framing::Length { beyond } if mode != Mode::None || !never_has_a_body(head.status) => {
            let length = body_length(&reply.steps).saturating_add(beyond);
            header_line(b"content-length", length.to_string().as_bytes(), &mut wire);
        }
        _ => {}
    }
    if after != After::Open || mode == Mode::Bare {
        header_line(b"connection", b"close", &mut wire);
    }
    if head.endless {
        out.write_all(&wire).await?;
        return endless_headers(out).await;
    }
    wire.extend_from_slice(b"\r\n");
    out.write_all(&wire).await
}

fn status_line(status: u16, reason: Option<&Bytes>, wire: &mut Vec<u8>) {
    let usual = || {
        StatusCode::from_u16(status)
            .ok()
            .and_then(|known| known.canonical_reason())
    };
    wire.extend_from_slice(format!("HTTP/1.1 {status} ").as_bytes());
    match reason {
        Some(phrase) => wire.extend_from_slice(phrase),
        None => wire.extend_from_slice(usual().unwrap_or_default().as_bytes()),
    }
    wire.extend_from_slice(b"\r\n");
}

fn header_line(name: &[u8], value: &[u8], wire: &mut Vec<u8>) {
    wire.extend_from_slice(name);
    wire.extend_from_slice(b": ");
    wire.extend_from_slice(value);
    wire.extend_from_slice(b"\r\n");
}

async fn endless_headers<W: AsyncWrite + Unpin>(out: &mut W) -> io::Result<()> {
    let mut wire = Vec::new();
    for first in (0_u64..).step_by(64) {
        wire.clear();
        for n in first..first + 64 {
            header_line(format!("x-endless-{n}").as_bytes(), &[b'x'; 64], &mut wire);
        }
        out.write_all(&wire).await?;
    }
    Ok(())
}

/// The length of the whole body; a huge number if it is endless.
fn body_length(steps: &[Step]) -> u64 {
    let lengths = steps.iter().map(|step| match step {
        Step::Bytes(bytes) => bytes.len() as u64,
        Step::Repeat { total, .. } => total.unwrap_or(u64::MAX),
        _ => 0,
    });
    // Clients accept at most 2⁶³ − 1, some a little more.
    lengths.fold(0, u64::saturating_add).min(i64::MAX as u64)
}

/// A body that is being written.
struct Body<'a, W> {
    out: &'a mut W,
    mode: Mode,
    shape: &'a Shape,
    /// The number of bytes written, without framing.
    sent: u64,
    /// A chunk with its framing, to write it at once.
    buffer: Vec<u8>,
}

impl<W: AsyncWrite + Unpin> Body<'_, W> {
    async fn run(&mut self, steps: &[Step]) -> io::Result<Flow> {
        if self.mode != Mode::None && self.shape.cut_after == Some(0) {
            return Ok(Break(After::Close));
        }
        for step in steps {
            let flow = match step {
                Step::Bytes(bytes) => self.write(bytes).await?,
                Step::Repeat { unit, total } => self.repeat(unit, *total).await?,
                Step::Pause(delay) => {
                    sleep(*delay).await;
                    Continue(())
                }
                Step::Gate(gate) => {
                    gate.pass().await;
                    Continue(())
                }
                Step::Hold => pending().await,
                Step::Cut => Break(After::Close),
                Step::Reset => Break(After::Reset),
            };
            if flow.is_break() {
                return Ok(flow);
            }
        }
        // A body that is shorter than its cut also ends without the end of its framing.
        match self.shape.cut_after {
            Some(_) if self.mode != Mode::None => Ok(Break(After::Close)),
            _ => Ok(Continue(())),
        }
    }

    async fn repeat(&mut self, unit: &Bytes, total: Option<u64>) -> io::Result<Flow> {
        if self.mode == Mode::None {
            // Endlessly writing nothing would block the thread.
            return Ok(Continue(()));
        }
        let units = REPEATED.div_ceil(unit.len());
        let mut block = BytesMut::with_capacity(units * unit.len());
        for _ in 0..units {
            block.extend_from_slice(unit);
        }
        let mut left = total.unwrap_or(u64::MAX);
        while left > 0 {
            let n = usize::try_from(left).unwrap_or(usize::MAX).min(block.len());
            if let Break(after) = self.write(&block[..n]).await? {
                return Ok(Break(after));
            }
            if total.is_some() {
                left -= n as u64;
            }
        }
        Ok(Continue(()))
    }

    /// Writes bytes in the pieces of the reply's shape.
    async fn write(&mut self, mut bytes: &[u8]) -> io::Result<Flow> {
        while !bytes.is_empty() && self.mode != Mode::None {
            let (piece, rest) = bytes.split_at(self.shape.piece_length(self.sent, bytes.len()));
            if let Break(after) = self.write_piece(piece).await? {
                return Ok(Break(after));
            }
            bytes = rest;
        }
        Ok(Continue(()))
    }

    async fn write_piece(&mut self, piece: &[u8]) -> io::Result<Flow> {
        if let (Some(delay), 1..) = (self.shape.pace, self.sent) {
            sleep(delay).await;
        }
        let until_cut = self.shape.cut_after.map_or(u64::MAX, |n| n - self.sent);
        let kept = usize::try_from(until_cut)
            .unwrap_or(usize::MAX)
            .min(piece.len());
        if self.mode == Mode::Chunked {
            self.buffer.clear();
            self.buffer
                .extend_from_slice(format!("{:x}\r\n", piece.len()).as_bytes());
            self.buffer.extend_from_slice(&piece[..kept]);
            if kept == piece.len() {
                self.buffer.extend_from_slice(b"\r\n");
            }
            self.out.write_all(&self.buffer).await?;
        } else {
            self.out.write_all(&piece[..kept]).await?;
        }
        self.sent += kept as u64;
        if self.shape.cut_after == Some(self.sent) {
            return Ok(Break(After::Close));
        }
        Ok(Continue(()))
    }

    async fn end_chunks(&mut self, trailers: &[(Bytes, Bytes)]) -> io::Result<()> {
        self.buffer.clear();
        self.buffer.extend_from_slice(b"0\r\n");
        for (name, value) in trailers {
            header_line(name, value, &mut self.buffer);
        }
        self.buffer.extend_from_slice(b"\r\n");
        self.out.write_all(&self.buffer).await
    }
}
