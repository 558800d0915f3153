//! Letting go of a connection that an answer needs no longer.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use crate::{
    error::{Error, ErrorKind},
    transport::Head,
};

/// A stream of ours, which holds a connection.
///
/// The last event of an answer often comes before the end of its body. Whoever sees it lets the
/// connection go, so that the HTTP client may use it for the next request. Only streams of ours can
/// be told to: nothing is ever polled for that, neither they nor the stream of someone else, which
/// may only be lent and would lose an event, or send a request.
pub trait Release {
    /// Lets go of the connection. Returns the head of its response, for an error to name the URL.
    #[doc(hidden)]
    fn release(&mut self) -> Option<Head>;
}

/// How a wrapper lets go of the stream beneath: `None` where that is not ours to end.
pub(crate) type ReleaseWith<S> = Option<fn(Pin<&mut S>) -> Option<Head>>;

/// For a stream of ours.
pub(crate) fn release<S: Release + Unpin>(stream: Pin<&mut S>) -> Option<Head> {
    stream.get_mut().release()
}

/// An error at the end of `inner`, which has yielded so many events.
pub(super) fn failed<S>(
    kind: ErrorKind,
    events: u64,
    inner: Pin<&mut S>,
    release: ReleaseWith<S>,
) -> Error {
    let head = release.and_then(|release| release(inner));
    of(kind, events, head.as_ref())
}

/// An error of an answer with this head.
pub(super) fn of(kind: ErrorKind, events: u64, head: Option<&Head>) -> Error {
    let error = Error::of(kind).ends_after(events);
    error.or_url(head.and_then(Head::url))
}

/// The end of a wrapper's stream, once the stream beneath is not needed any more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum End {
    /// Not yet.
    #[default]
    Open,
    /// The connection was let go. The task that reads it needs this many turns to see whether the
    /// body has ended, and to keep the connection for the next request if it has.
    Leaving(u8),
    Ended,
}

impl End {
    /// Enough for a task that reads the connection to run in between.
    const TURNS: u8 = 2;

    /// The last item has come: lets go of `inner` if that is ours.
    pub(super) fn leave<S>(&mut self, inner: Pin<&mut S>, release: ReleaseWith<S>) -> Option<Head> {
        let Some(release) = release else {
            *self = Self::Ended;
            return None;
        };
        *self = Self::Leaving(Self::TURNS);
        release(inner)
    }

    pub(super) fn is_open(self) -> bool {
        self == Self::Open
    }

    /// Ready once there is nothing left to wait for.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if let Self::Leaving(turns) = *self {
            if turns > 0 {
                *self = Self::Leaving(turns - 1);
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            *self = Self::Ended;
        }
        Poll::Ready(())
    }
}
