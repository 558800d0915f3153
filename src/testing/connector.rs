//! [`Script`]: a connector that answers as a test has it, without a network.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use super::body::{Playing, gone};
use super::open::{Counts, Open};
use super::reply::{Head, Prelude, Reply, Step};
use super::request::Request;
use crate::transport::{
    Attempt, Body, BoxFuture, Connect, PrepareOptions, RequestPolicy, Response,
};
use crate::{Error, ErrorKind, EventStreamBuilder};

/// A connector that answers the nth attempt with the nth answer of a script: for tests without a
/// network, and with a clock that may be paused.
///
/// It stands where the request stands in the program: an
/// [`EventSource`](crate::EventSource) is built from it. Clones are the same script, so a test
/// keeps one to see what was asked for and what is still open. After the last answer it answers
/// with a 204, which ends a source.
///
/// An answer is the same [`Reply`] that the [`Server`](super::Server) gives. What describes the
/// bytes on the wire has nothing to act on here: framing, trailers, reason phrases and
/// informational heads are left out, and a [`raw_response`](Reply::raw_response) is none. A
/// [`cut`](Reply::cut) breaks the body off, unless it is delimited by the close, and each piece is
/// one chunk. All pauses are in Tokio's time, as the client's own limits are.
///
/// ```
/// use everstream::testing::{Reply, Script};
/// use everstream::{ErrorKind, EventSource};
/// use futures_util::TryStreamExt;
/// use std::time::Duration;
///
/// #[tokio::main(flavor = "current_thread", start_paused = true)]
/// async fn main() -> Result<(), everstream::Error> {
///     let script = Script::new()
///         .reply(Reply::events().raw("id: 1\ndata: one\n\n").raw("id: 2\ndata: tw").cut())
///         .fail(ErrorKind::Connect)
///         .reply(Reply::events().pause(Duration::from_secs(60)).raw("id: 2\ndata: two\n\n"));
///
///     let mut source = EventSource::builder(script.clone()).build()?;
///     let mut data = Vec::new();
///     while let Some(event) = source.try_next().await? {
///         data.push(event.into_data());
///     }
///
///     // Minutes have passed for the program, and none for whoever runs the test.
///     assert_eq!(data, ["one", "two"]);
///     let ids: Vec<_> = script.attempts().iter().map(|a| a.last_event_id().to_owned()).collect();
///     assert_eq!(ids, ["", "1", "1", "2"]);
///     assert!(script.times()[1] >= Duration::from_secs(3), "the reconnection time");
///     Ok(())
/// }
/// ```
#[derive(Clone)]
pub struct Script {
    shared: Arc<Shared>,
    safe: bool,
    anew: bool,
}

struct Shared {
    answers: Mutex<Answers>,
    counts: watch::Sender<Counts>,
    born: Instant,
}

type Handler = Box<dyn FnMut(&Attempt) -> Reply + Send>;

#[derive(Default)]
struct Answers {
    script: VecDeque<Answer>,
    handler: Option<Handler>,
    attempts: Vec<(Duration, Attempt)>,
    complaints: Vec<String>,
}

enum Answer {
    Reply(Box<Reply>),
    Fail(Error),
    Never,
}

/// The script.
impl Script {
    /// A script without answers: every attempt is answered with a 204.
    ///
    /// It stands for a GET that is sent again and again; see [`not_safe`](Self::not_safe) and
    /// [`anew`](Self::anew).
    #[must_use]
    pub fn new() -> Self {
        Self::with(Answers::default())
    }

    /// Asks `handler` what to answer once the script is at its end.
    #[must_use]
    pub fn from_fn(handler: impl FnMut(&Attempt) -> Reply + Send + 'static) -> Self {
        Self::with(Answers {
            handler: Some(Box::new(handler)),
            ..Answers::default()
        })
    }

    fn with(answers: Answers) -> Self {
        Self {
            shared: Arc::new(Shared {
                answers: Mutex::new(answers),
                counts: watch::Sender::default(),
                born: Instant::now(),
            }),
            safe: true,
            anew: false,
        }
    }

    /// Adds an answer.
    #[must_use]
    pub fn reply(self, reply: Reply) -> Self {
        self.then(Answer::Reply(Box::new(reply)))
    }

    /// Adds a failure of this kind in place of an answer, such as [`ErrorKind::Connect`].
    #[must_use]
    pub fn fail(self, kind: ErrorKind) -> Self {
        self.fail_with(Error::new(kind, "as the script has it"))
    }

    /// Adds a failure in place of an answer.
    #[must_use]
    pub fn fail_with(self, error: Error) -> Self {
        self.then(Answer::Fail(error))
    }

    /// Adds an answer that never comes.
    #[must_use]
    pub fn never(self) -> Self {
        self.then(Answer::Never)
    }

    fn then(self, answer: Answer) -> Self {
        self.answers().script.push_back(answer);
        self
    }

    /// Has the script stand for a request that is not safe, such as a POST: it is sent once,
    /// unless [`resend_unsafe_methods`](crate::EventSourceBuilder::resend_unsafe_methods) says otherwise.
    #[must_use]
    pub fn not_safe(mut self) -> Self {
        self.safe = false;
        self
    }

    /// Has the script stand for requests that are made anew, as by a factory: a 401 is worth
    /// another one.
    #[must_use]
    pub fn anew(mut self) -> Self {
        self.anew = true;
        self
    }
}

impl Default for Script {
    fn default() -> Self {
        Self::new()
    }
}

/// What the program did.
impl Script {
    /// Takes the next answer for that to one request, as `events()` on a request of reqwest does.
    pub fn events(&self) -> EventStreamBuilder {
        let number = self.shared.counts.borrow().attempts as u64 + 1;
        match Attempt::new(number, "", None) {
            Ok(attempt) => EventStreamBuilder::new(self.clone().connect(attempt)),
            Err(error) => EventStreamBuilder::new(async move { Err(error) }),
        }
    }

    /// The attempts so far, in order.
    ///
    /// They are kept in memory; see [`take_attempts`](Self::take_attempts).
    #[must_use]
    pub fn attempts(&self) -> Vec<Attempt> {
        let answers = self.answers();
        answers.attempts.iter().map(|(_, it)| it.clone()).collect()
    }

    /// When each of the attempts was made, in Tokio's time since the script was.
    #[must_use]
    pub fn times(&self) -> Vec<Duration> {
        self.answers().attempts.iter().map(|(at, _)| *at).collect()
    }

    /// The attempts since the last call, which the script then forgets, for long tests.
    #[must_use]
    pub fn take_attempts(&self) -> Vec<Attempt> {
        let attempts = std::mem::take(&mut self.answers().attempts);
        attempts.into_iter().map(|(_, attempt)| attempt).collect()
    }

    /// How many connections are open: attempts under way, and bodies that neither have ended nor
    /// were dropped.
    #[must_use]
    pub fn open_connections(&self) -> usize {
        self.shared.counts.borrow().open
    }

    /// Waits until `n` attempts have been made in all; at once if they have.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing.
    pub async fn wait_for_attempts(&self, n: usize) {
        self.wait(|counts| counts.attempts >= n).await;
    }

    /// Waits until no connection is open; at once if none is or was.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing.
    pub async fn wait_until_closed(&self) {
        self.wait(|counts| counts.open == 0).await;
    }

    async fn wait(&self, condition: impl FnMut(&Counts) -> bool) {
        // The sender lives as long as `self`, so the wait cannot fail.
        let _ = self.shared.counts.subscribe().wait_for(condition).await;
    }

    /// Checks that all went as scripted.
    ///
    /// # Panics
    ///
    /// Panics with a list of what did not: expectations that were not met, answers that were never
    /// asked for, replies that only a [`Server`](super::Server) can give.
    #[track_caller]
    pub fn verify(&self) {
        let answers = self.answers();
        let mut faults = answers.complaints.clone();
        let left = answers.script.len();
        // Let go before a panic: whoever looks at the script afterwards shall be able to.
        drop(answers);
        if left > 0 {
            faults.push(format!("{left} answers were never asked for"));
        }
        assert!(
            faults.is_empty(),
            "not as scripted:\n- {}",
            faults.join("\n- ")
        );
    }

    /// A lock that a panic elsewhere does not spoil: what it guards is whole after every
    /// statement.
    fn answers(&self) -> MutexGuard<'_, Answers> {
        let answers = self.shared.answers.lock();
        answers.unwrap_or_else(PoisonError::into_inner)
    }

    /// The answer to this attempt, which is remembered.
    fn next(&self, attempt: &Attempt) -> Answer {
        let mut answers = self.answers();
        let at = self.shared.born.elapsed();
        let number = answers.attempts.len();
        answers.attempts.push((at, attempt.clone()));
        let answer = match answers.script.pop_front() {
            Some(answer) => answer,
            None => Answer::Reply(Box::new(match &mut answers.handler {
                Some(handler) => handler(attempt),
                None => Reply::status(204),
            })),
        };
        let complaints = match &answer {
            Answer::Reply(reply) => complaints(reply, attempt, number),
            Answer::Fail(_) | Answer::Never => Vec::new(),
        };
        if complaints.is_empty() {
            return answer;
        }
        let text = format!("attempt {}: {}", attempt.number(), complaints.join(", "));
        answers.complaints.push(text.clone());
        let excuse = Reply::status(500).content_type("text/plain; charset=utf-8");
        Answer::Reply(Box::new(excuse.raw(text)))
    }
}

fn complaints(reply: &Reply, attempt: &Attempt, number: usize) -> Vec<String> {
    let request = Request {
        number,
        connection: number,
        method: Method::GET,
        target: String::new(),
        http10: false,
        headers: attempt.headers().clone(),
        body: bytes::Bytes::new(),
    };
    let unmet = reply.expectations.iter();
    let mut complaints: Vec<_> = unmet.filter_map(|it| it.complaint(&request)).collect();
    let has_bytes = |step: &Step| matches!(step, Step::Bytes(_) | Step::Repeat { .. });
    if reply.head.is_none() && reply.steps.iter().any(has_bytes) {
        complaints.push("a raw response is for a server to give".to_owned());
    }
    complaints
}

impl Connect for Script {
    fn connect(&mut self, attempt: Attempt) -> BoxFuture<'static, Result<Response, Error>> {
        let answer = self.next(&attempt);
        let open = Open::new(self.shared.counts.clone());
        self.shared
            .counts
            .send_modify(|counts| counts.attempts += 1);
        Box::pin(async move {
            match answer {
                Answer::Reply(reply) => respond(*reply, open).await,
                Answer::Fail(error) => Err(error),
                Answer::Never => {
                    let _open = open;
                    std::future::pending().await
                }
            }
        })
    }

    fn prepare(&mut self, options: &PrepareOptions) -> Result<RequestPolicy, Error> {
        Ok(RequestPolicy {
            resend: self.safe || options.resend_unsafe_methods || self.anew,
            fresh: self.anew,
            ..RequestPolicy::new()
        })
    }
}

async fn respond(reply: Reply, open: Open) -> Result<Response, Error> {
    for prelude in &reply.prelude {
        match prelude {
            Prelude::Informational(_) => {}
            Prelude::Pause(delay) => sleep(*delay).await,
            Prelude::Gate(gate) => gate.pass().await,
        }
    }
    let Some(head) = &reply.head else {
        let reset = reply.steps.iter().any(|step| matches!(step, Step::Reset));
        return Err(gone(ErrorKind::Transport, reset));
    };
    if head.endless {
        std::future::pending::<()>().await;
    }
    let (status, headers) = parse(head)?;
    let body = if matches!(head.status, 100..=199 | 204 | 304) && !reply.force_body {
        Body::empty()
    } else {
        Body::new(Playing::stream(reply, open))
    };
    Ok(Response::new(status, headers, body))
}

/// What an HTTP client makes of the head, or of one that is none.
fn parse(head: &Head) -> Result<(StatusCode, HeaderMap), Error> {
    let malformed = |error: http::Error| Error::new(ErrorKind::Transport, error);
    let status = StatusCode::from_u16(head.status).map_err(|it| malformed(it.into()))?;
    let mut headers = HeaderMap::new();
    if let Some(value) = &head.content_type {
        let value = HeaderValue::from_bytes(value).map_err(|it| malformed(it.into()))?;
        headers.append(header::CONTENT_TYPE, value);
    }
    for (name, value) in &head.headers {
        let name = HeaderName::from_bytes(name).map_err(|it| malformed(it.into()))?;
        let value = HeaderValue::from_bytes(value).map_err(|it| malformed(it.into()))?;
        headers.append(name, value);
    }
    Ok((status, headers))
}

impl fmt::Debug for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Script")
            .field("counts", &*self.shared.counts.borrow())
            .field("safe", &self.safe)
            .field("anew", &self.anew)
            .finish_non_exhaustive()
    }
}
