//! [`Body`]: a body in chunks, from any source.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use futures_util::{Stream, stream};
use pin_project::pin_project;

use super::{MaybeSend, maybe_send::BoxStream};
use crate::error::{BoxError, Error, ErrorKind};

/// The body of a response: a stream of chunks, boxed once per connection.
#[must_use = "a stream does nothing unless it is polled"]
pub struct Body(BoxStream<'static, Result<Bytes, Error>>);

impl Body {
    /// Creates a body from any stream of chunks.
    ///
    /// If the stream yields an [`Error`], it is kept as it is. Any other error becomes the source
    /// of an error of kind [`ErrorKind::Body`].
    pub fn new<S, B, E>(stream: S) -> Self
    where
        S: Stream<Item = Result<B, E>> + MaybeSend + 'static,
        B: Into<Bytes>,
        E: Into<BoxError>,
    {
        Self::of_chunks(stream, |error: E| broken(error.into()))
    }

    /// The same, but converts errors with `broken`.
    pub(crate) fn of_chunks<S, B, E>(
        stream: S,
        broken: impl Fn(E) -> Error + MaybeSend + 'static,
    ) -> Self
    where
        S: Stream<Item = Result<B, E>> + MaybeSend + 'static,
        B: Into<Bytes>,
    {
        Self(Box::pin(Chunks { stream, broken }))
    }

    /// Creates an empty body.
    pub fn empty() -> Self {
        Self(Box::pin(stream::empty()))
    }
}

/// A foreign stream whose chunks and errors are converted.
#[pin_project]
struct Chunks<S, F> {
    #[pin]
    stream: S,
    broken: F,
}

impl<S, F, B, E> Stream for Chunks<S, F>
where
    S: Stream<Item = Result<B, E>>,
    F: Fn(E) -> Error,
    B: Into<Bytes>,
{
    type Item = Result<Bytes, Error>;

    #[inline]
    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.project();
        Poll::Ready(match ready!(this.stream.poll_next(cx)) {
            Some(Ok(chunk)) => Some(Ok(chunk.into())),
            Some(Err(error)) => Some(Err((this.broken)(error))),
            None => None,
        })
    }
}

fn broken(error: BoxError) -> Error {
    match error.downcast::<Error>() {
        Ok(error) => *error,
        Err(error) => Error::new(ErrorKind::Body, error),
    }
}

impl From<Bytes> for Body {
    fn from(whole: Bytes) -> Self {
        Self(Box::pin(stream::iter([Ok(whole)])))
    }
}

impl Stream for Body {
    type Item = Result<Bytes, Error>;

    #[inline]
    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.as_mut().poll_next(cx)
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Body").finish_non_exhaustive()
    }
}
