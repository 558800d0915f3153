//! [`Opening`]: from a request under way to an open event stream.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::BytesMut;
use futures_util::Stream;

use super::{
    Accepted, Waiting,
    retry_after::retry_after,
    verdict::{Verdict, verdict},
};
use crate::{
    error::{Error, ErrorKind, Refusal},
    timer,
    transport::{Body, BoxFuture, Head, Response},
};

/// A request under way. It becomes the head and body of a response, or an error with the body of a
/// refusal.
pub(crate) struct Opening {
    state: State,
    accepted: Accepted,
    /// The URL of the request, if known, for errors without one.
    url: Option<Box<str>>,
}

enum State {
    Connecting(BoxFuture<'static, Result<Response, Error>>),
    Refused(Refused),
    Done,
}

impl Opening {
    pub(crate) fn new(
        response: BoxFuture<'static, Result<Response, Error>>,
        accepted: Accepted,
        url: Option<Box<str>>,
        waiting: &mut Waiting,
    ) -> Self {
        waiting.for_headers();
        Self {
            state: State::Connecting(response),
            accepted,
            url,
        }
    }

    /// Ready with the head and the body of an event stream, or with an error. Don't poll it after
    /// that.
    pub(crate) fn poll(
        &mut self,
        cx: &mut Context<'_>,
        waiting: &mut Waiting,
    ) -> Poll<Result<(Head, Body), Error>> {
        waiting.begin(false);
        loop {
            match &mut self.state {
                State::Connecting(connecting) => {
                    let Poll::Ready(response) = connecting.as_mut().poll(cx) else {
                        return self.fail_late(cx, waiting);
                    };
                    self.state = State::Done;
                    let Response { head, body } = match response {
                        Ok(response) => response,
                        Err(error) => return Poll::Ready(Err(error.or_url(self.url.as_deref()))),
                    };
                    match verdict(&head, &self.accepted) {
                        Verdict::Stream => return Poll::Ready(Ok((head.compact(), body))),
                        // The body is compressed, so nobody could read it.
                        Verdict::Refused(kind @ ErrorKind::ContentEncoding, message) => {
                            let mut refused = Refused::new(kind, message, head, Body::empty());
                            return Poll::Ready(Err(refused.error(false)));
                        }
                        Verdict::Refused(kind, message) => {
                            waiting.for_refusal();
                            self.state = State::Refused(Refused::new(kind, message, head, body));
                        }
                    }
                }
                State::Refused(refused) => {
                    let max_bytes = self.accepted.max_error_body_bytes;
                    let is_whole = ready!(refused.poll(cx, waiting, max_bytes));
                    return Poll::Ready(Err(refused.error(is_whole)));
                }
                State::Done => return Poll::Pending,
            }
        }
    }

    fn fail_late(
        &mut self,
        cx: &mut Context<'_>,
        waiting: &mut Waiting,
    ) -> Poll<Result<(Head, Body), Error>> {
        let error = ready!(waiting.poll(cx));
        self.state = State::Done;
        Poll::Ready(Err(error.or_url(self.url.as_deref())))
    }
}

/// A response that is not an event stream. Its body may say why.
struct Refused {
    kind: ErrorKind,
    message: Option<String>,
    head: Head,
    body: Body,
    said: BytesMut,
}

impl Refused {
    fn new(kind: ErrorKind, message: Option<String>, head: Head, body: Body) -> Self {
        Self {
            kind,
            message,
            head,
            body,
            said: BytesMut::new(),
        }
    }

    /// Reads the body. Ready with whether it was read to its end: a body that is late, breaks off
    /// or is too long is not another error.
    fn poll(&mut self, cx: &mut Context<'_>, waiting: &mut Waiting, max: usize) -> Poll<bool> {
        /// Yields to other tasks after this many chunks.
        const CHUNKS_AT_ONCE: usize = 64;

        for _ in 0..CHUNKS_AT_ONCE {
            match Pin::new(&mut self.body).poll_next(cx) {
                Poll::Ready(Some(Ok(chunk))) if chunk.is_empty() => waiting.empty_chunk(),
                Poll::Ready(Some(Ok(chunk))) => {
                    waiting.chunk();
                    let left = max - self.said.len();
                    self.said.extend_from_slice(&chunk[..chunk.len().min(left)]);
                    if chunk.len() > left {
                        return Poll::Ready(false);
                    }
                }
                Poll::Ready(Some(Err(_))) => return Poll::Ready(false),
                Poll::Ready(None) => return Poll::Ready(true),
                Poll::Pending => return waiting.poll(cx).map(|_| false),
            }
        }
        cx.waker().wake_by_ref();
        waiting.poll(cx).map(|_| false)
    }

    fn error(&mut self, is_whole: bool) -> Error {
        let said = std::mem::take(&mut self.said).freeze();
        let error = Error::of(self.kind).refused_by(&self.head, said, is_whole);
        match self.message.take() {
            Some(message) => error.and_message(message),
            None => error,
        }
    }
}

impl Error {
    /// Adds the server's response: the head, and the bytes of the body that were kept.
    pub(super) fn refused_by(self, head: &Head, body: bytes::Bytes, is_whole: bool) -> Self {
        let refusal = Refusal {
            status: Some(head.status()),
            headers: head.headers().clone(),
            body,
            is_whole,
            retry_after: retry_after(head.headers(), timer::wall_clock()),
        };
        self.and_refusal(refusal).or_url(head.url())
    }
}
