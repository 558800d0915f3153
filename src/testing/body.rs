//! [`Reply`] → the chunks of a body, without a connection.

use std::io;

use bytes::{Bytes, BytesMut};
use futures_util::{Stream, stream};
use tokio::time::sleep;

use super::open::Open;
use super::reply::{Framing, Reply, Shape, Step};
use crate::{Error, ErrorKind};

/// The approximate chunk size of a repeated body, in bytes.
const REPEATED: usize = 64 << 10;

/// A body that is being sent.
pub(super) struct Playing {
    steps: std::vec::IntoIter<Step>,
    shape: Shape,
    framing: Framing,
    /// The rest of the bytes that are being sent.
    bytes: Bytes,
    /// The bytes to repeat after them, and how many are left; `None` is endless.
    again: Option<(Bytes, Option<u64>)>,
    /// The number of bytes sent.
    sent: u64,
    ended: bool,
    /// Dropped with the body, or at its end.
    _open: Open,
}

impl Playing {
    pub(super) fn stream(reply: Reply, open: Open) -> impl Stream<Item = Result<Bytes, Error>> {
        let playing = Self {
            steps: reply.steps.into_iter(),
            shape: reply.shape,
            framing: reply.framing,
            bytes: Bytes::new(),
            again: None,
            sent: 0,
            ended: false,
            _open: open,
        };
        stream::unfold(playing, Self::next)
    }

    async fn next(mut self) -> Option<(Result<Bytes, Error>, Self)> {
        while !self.ended {
            if self.shape.cut_after == Some(self.sent) {
                return self.end(true, false);
            }
            if !self.bytes.is_empty() {
                return Some((Ok(self.piece().await), self));
            }
            if self.repeat() {
                continue;
            }
            match self.steps.next() {
                Some(Step::Bytes(bytes)) => self.bytes = bytes,
                Some(Step::Repeat { unit, total }) => {
                    self.again = Some((block(&unit), total));
                }
                Some(Step::Pause(delay)) => sleep(delay).await,
                Some(Step::Gate(gate)) => gate.pass().await,
                Some(Step::Hold) => std::future::pending().await,
                Some(Step::Cut) => return self.end(true, false),
                Some(Step::Reset) => return self.end(true, true),
                None => {
                    let truncated = matches!(self.framing, Framing::Length { beyond: 1.. });
                    let cut = truncated || self.shape.cut_after.is_some();
                    return self.end(cut, false);
                }
            }
        }
        None
    }

    /// Returns the next chunk of the current bytes.
    async fn piece(&mut self) -> Bytes {
        let mut length = self.shape.piece_length(self.sent, self.bytes.len());
        if let (Some(delay), 1..) = (self.shape.pace, self.sent) {
            sleep(delay).await;
        }
        if let Some(cut) = self.shape.cut_after {
            let until_cut = usize::try_from(cut - self.sent).unwrap_or(usize::MAX);
            length = length.min(until_cut);
        }
        self.sent += length as u64;
        self.bytes.split_to(length)
    }

    /// Starts another repetition, if there is one.
    fn repeat(&mut self) -> bool {
        let Some((block, left)) = &mut self.again else {
            return false;
        };
        self.bytes = match left {
            None => block.clone(),
            Some(left) => {
                let length = usize::try_from(*left).unwrap_or(usize::MAX);
                let length = length.min(block.len());
                *left -= length as u64;
                block.slice(..length)
            }
        };
        if *left == Some(0) {
            self.again = None;
        }
        true
    }

    /// Ends the body, with an error if it was cut short and the client can tell.
    fn end(mut self, cut: bool, reset: bool) -> Option<(Result<Bytes, Error>, Self)> {
        self.ended = true;
        let told = reset || (cut && !matches!(self.framing, Framing::UntilClose));
        told.then(|| (Err(gone(ErrorKind::Body, reset)), self))
    }
}

fn block(unit: &Bytes) -> Bytes {
    let units = REPEATED.div_ceil(unit.len());
    let mut block = BytesMut::with_capacity(units * unit.len());
    for _ in 0..units {
        block.extend_from_slice(unit);
    }
    block.freeze()
}

/// The error for a connection that ended too early.
pub(super) fn gone(kind: ErrorKind, reset: bool) -> Error {
    Error::new(
        kind,
        io::Error::from(if reset {
            io::ErrorKind::ConnectionReset
        } else {
            io::ErrorKind::UnexpectedEof
        }),
    )
}
