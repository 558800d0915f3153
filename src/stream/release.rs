//! Releases a connection that an answer no longer needs.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use super::sealed::Sealed;
use crate::{
    error::{Error, ErrorKind},
    transport::Head,
};

/// A stream of this crate, whose connection a combinator can release: [`EventStream`](crate::EventStream),
/// `EventSource`, and what their methods return. This trait is sealed.
///
/// The last event of an answer often arrives before the end of its body. The combinator that sees
/// it releases the connection, so that the HTTP client can use it for the next request. To release
/// it, no stream is polled: a foreign stream may be borrowed, so a poll could lose an event or send
/// a request.
///
/// Use it as a bound in code that is generic over such streams:
///
/// ```
/// use everstream::{CompleteWhen, EventStream, Release, Signals};
///
/// fn until_done<S: Release + Unpin>(signals: Signals<S>) -> CompleteWhen<Signals<S>> {
///     signals.complete_on_data("[DONE]")
/// }
///
/// # use futures_util::stream;
/// # let events = EventStream::new(stream::iter([Ok::<_, std::io::Error>("")]));
/// let signals = until_done(events.signals());
/// ```
pub trait Release: Sealed {
    /// Releases the connection. Returns the head of the response, so that an error can name the
    /// URL.
    #[doc(hidden)]
    fn release(&mut self) -> Option<Head>;
}

/// How a wrapper releases the inner stream. `None` if the inner stream must not be ended.
pub(crate) type ReleaseWith<S> = Option<fn(Pin<&mut S>) -> Option<Head>>;

/// [`ReleaseWith`] for a stream of this crate.
pub(crate) fn release<S: Release + Unpin>(stream: Pin<&mut S>) -> Option<Head> {
    stream.get_mut().release()
}

/// Creates an error at the end of `inner`, after so many events.
pub(super) fn failed<S>(
    kind: ErrorKind,
    events: u64,
    inner: Pin<&mut S>,
    release: ReleaseWith<S>,
) -> Error {
    let head = release.and_then(|release| release(inner));
    of(kind, events, head.as_ref())
}

/// Creates an error for an answer with this head.
pub(super) fn of(kind: ErrorKind, events: u64, head: Option<&Head>) -> Error {
    let error = Error::of(kind).ends_after(events);
    error.or_url(head.and_then(Head::url))
}

/// Whether a wrapper has ended, and no longer needs the inner stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum End {
    /// Not yet.
    #[default]
    Open,
    /// The connection was released. The task that reads it needs this many turns to notice the end
    /// of the body and return the connection to the pool.
    Leaving(u8),
    Ended,
}

impl End {
    /// Enough turns for the task that reads the connection to run.
    const TURNS: u8 = 2;

    /// Ends the wrapper after its last item, and releases `inner` if `release` is set.
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

    /// Ready when the wrapper has ended.
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
