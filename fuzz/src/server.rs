//! A server that does as it is told, and remembers what was taken from it.

use std::{
    collections::VecDeque,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard},
    task::{Context, Poll, Waker},
};

use everstream::{
    Cause, Error, ErrorKind,
    bytes::Bytes,
    http::{HeaderMap, HeaderValue, StatusCode, header::CONTENT_TYPE},
    transport::{Attempt, Body, BoxFuture, Connect, Response},
};
use futures_util::Stream;
use tokio::task::coop;

/// The server's end of all connections, of which the last one made is the one it acts on.
#[derive(Clone, Default)]
pub struct Server(Arc<Mutex<State>>);

#[derive(Default)]
pub struct State {
    /// The requests so far.
    pub requests: usize,
    /// What the last one was to resume from, and why it was made.
    pub resumed_from: String,
    pub cause: Option<Cause>,
    pub answer: Option<Answer>,
    /// What was sent on the last connection and not taken yet.
    pub chunks: VecDeque<Bytes>,
    pub end: Option<End>,
    /// What was taken, for the model to read.
    pub taken: Vec<Bytes>,
    pub end_taken: bool,
    /// Reading uses up the task's budget, as with a socket or a channel of Tokio's.
    pub is_cooperative: bool,
    waker: Option<Waker>,
    /// The last request, or its response, is still held by the client.
    held: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    Accept,
    Refuse(u16),
    Fail,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    Clean,
    Cut,
}

impl Server {
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    /// Whether the client still holds the last connection.
    pub fn is_held(&self) -> bool {
        self.state().held
    }

    /// Changes something, and wakes whoever waits for it.
    pub fn act(&self, act: impl FnOnce(&mut State)) {
        let mut state = self.state();
        act(&mut state);
        let waker = state.waker.take();
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// The response to a request that is made now.
    pub fn respond(&self) -> BoxFuture<'static, Result<Response, Error>> {
        let number = {
            let mut state = self.state();
            state.requests += 1;
            state.answer = None;
            state.chunks.clear();
            state.end = None;
            state.end_taken = false;
            state.waker = None;
            state.held = true;
            state.requests
        };
        let connection = Connection {
            server: self.clone(),
            number,
        };
        Box::pin(async move {
            let server = &connection.server;
            let waits = std::future::poll_fn(|cx| server.poll(cx, |state| state.answer));
            let (status, content_type) = match waits.await {
                Answer::Accept => (200, "text/event-stream"),
                Answer::Refuse(status) => (status, "text/plain"),
                Answer::Fail => return Err(Error::new(ErrorKind::Connect, "as told")),
            };
            let content_type = HeaderValue::from_static(content_type);
            let headers = HeaderMap::from_iter([(CONTENT_TYPE, content_type)]);
            let status = StatusCode::from_u16(status).expect("a status");
            Ok(Response::new(status, headers, Body::new(connection)))
        })
    }

    fn poll<T>(&self, cx: &mut Context<'_>, get: impl FnOnce(&mut State) -> Option<T>) -> Poll<T> {
        let mut state = self.state();
        let unit = match state.is_cooperative {
            true => Some(std::task::ready!(coop::poll_proceed(cx))),
            false => None,
        };
        match get(&mut state) {
            Some(value) => {
                if let Some(unit) = unit {
                    unit.made_progress();
                }
                Poll::Ready(value)
            }
            None => {
                state.waker = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }
}

impl Connect for Server {
    fn connect(&mut self, attempt: Attempt) -> BoxFuture<'static, Result<Response, Error>> {
        let response = self.respond();
        let mut state = self.state();
        state.resumed_from = attempt.last_event_id().to_owned();
        state.cause = attempt.cause().cloned();
        response
    }
}

/// A request under way, then the body of its response.
struct Connection {
    server: Server,
    number: usize,
}

impl Drop for Connection {
    fn drop(&mut self) {
        let mut state = self.server.state();
        if state.requests == self.number {
            state.held = false;
        }
    }
}

impl Stream for Connection {
    type Item = Result<Bytes, Error>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let number = self.number;
        self.server.poll(cx, |state| {
            assert_eq!(state.requests, number, "an old connection is read");
            assert!(!state.end_taken, "a body is read beyond its end");
            if let Some(chunk) = state.chunks.pop_front() {
                state.taken.push(chunk.clone());
                return Some(Some(Ok(chunk)));
            }
            let end = state.end?;
            state.end_taken = true;
            Some(match end {
                End::Clean => None,
                End::Cut => Some(Err(Error::new(ErrorKind::Body, "as told"))),
            })
        })
    }
}
