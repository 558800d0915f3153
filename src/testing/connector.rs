//! [`Script`]: a scripted connector for tests, without a network.

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

/// A connector that answers the nth attempt with the nth answer of a script. Tests need no network,
/// and can pause the clock.
///
/// Use it instead of a request to build an [`EventSource`](crate::EventSource). Clones share the
/// script, so a test can keep one to inspect the attempts and the open connections. After the last
/// answer, it answers with a 204, which ends a source.
///
/// The answers are [`Reply`]s, as for a [`Server`](super::Server). Framing, trailers, reason
/// phrases and informational responses have no effect here, because there is no connection, and a
/// [`raw_response`](Reply::raw_response) is not supported. A [`cut`](Reply::cut) ends the body with
/// an error, unless the body is [`until_close`](Reply::until_close). Each piece is one chunk. All
/// pauses use Tokio's clock, like the client's time limits.
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
///     // Minutes have passed for the program, but the test did not wait.
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
    fresh: bool,
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

/// Building the script.
impl Script {
    /// Creates a script without answers: every attempt is answered with a 204.
    ///
    /// It behaves like a GET request, which may be sent again. [`not_safe`](Self::not_safe) and
    /// [`fresh_requests`](Self::fresh_requests) change that.
    #[must_use]
    pub fn new() -> Self {
        Self::with(Answers::default())
    }

    /// Creates a script that calls `handler` for the answer, after the answers that are added.
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
            fresh: false,
        }
    }

    /// Adds an answer.
    #[must_use]
    pub fn reply(self, reply: Reply) -> Self {
        self.then(Answer::Reply(Box::new(reply)))
    }

    /// Adds a failure of this kind instead of an answer, such as [`ErrorKind::Connect`].
    #[must_use]
    pub fn fail(self, kind: ErrorKind) -> Self {
        self.fail_with(Error::new(kind, "a failure of the script"))
    }

    /// Adds a failure instead of an answer.
    #[must_use]
    pub fn fail_with(self, error: Error) -> Self {
        self.then(Answer::Fail(error))
    }

    /// Adds an answer that never arrives.
    #[must_use]
    pub fn never(self) -> Self {
        self.then(Answer::Never)
    }

    fn then(self, answer: Answer) -> Self {
        self.answers().script.push_back(answer);
        self
    }

    /// Makes the script behave like a request whose method is not safe, such as POST: it is sent
    /// once, unless [`resend_unsafe_methods`](crate::EventSourceBuilder::resend_unsafe_methods)
    /// says otherwise.
    #[must_use]
    pub fn not_safe(mut self) -> Self {
        self.safe = false;
        self
    }

    /// Makes the script behave like a factory that creates each request: after a 401, there is
    /// another attempt.
    #[must_use]
    pub fn fresh_requests(mut self) -> Self {
        self.fresh = true;
        self
    }
}

impl Default for Script {
    fn default() -> Self {
        Self::new()
    }
}

/// Inspecting what the program did.
impl Script {
    /// Uses the next answer for a single request, like `events()` on a reqwest request.
    pub fn events(&self) -> EventStreamBuilder {
        let number = self.shared.counts.borrow().attempts as u64 + 1;
        match Attempt::new(number, "", None) {
            Ok(attempt) => EventStreamBuilder::new(self.clone().connect(attempt)),
            Err(error) => EventStreamBuilder::new(async move { Err(error) }),
        }
    }

    /// Returns the attempts so far, in order.
    ///
    /// They are kept in memory; see [`take_attempts`](Self::take_attempts).
    #[must_use]
    pub fn attempts(&self) -> Vec<Attempt> {
        let answers = self.answers();
        answers.attempts.iter().map(|(_, it)| it.clone()).collect()
    }

    /// Returns the time of each attempt, by Tokio's clock, since the script was created.
    #[must_use]
    pub fn times(&self) -> Vec<Duration> {
        self.answers().attempts.iter().map(|(at, _)| *at).collect()
    }

    /// Returns the attempts since the last call, and removes them from memory, for long tests.
    #[must_use]
    pub fn take_attempts(&self) -> Vec<Attempt> {
        let attempts = std::mem::take(&mut self.answers().attempts);
        attempts.into_iter().map(|(_, attempt)| attempt).collect()
    }

    /// Returns how many connections are open: attempts in progress, and bodies that have neither
    /// ended nor been dropped.
    #[must_use]
    pub fn open_connections(&self) -> usize {
        self.shared.counts.borrow().open
    }

    /// Waits until `n` attempts have been made in total. Returns immediately if they already have.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing.
    pub async fn wait_for_attempts(&self, n: usize) {
        self.wait(|counts| counts.attempts >= n).await;
    }

    /// Waits until no connection is open. Returns immediately if there is none.
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

    /// Checks that everything went as scripted.
    ///
    /// # Panics
    ///
    /// Panics with a list of everything that did not: expectations that were not met, answers that
    /// were not used, replies that only a [`Server`](super::Server) supports.
    #[track_caller]
    pub fn verify(&self) {
        let answers = self.answers();
        let mut faults = answers.complaints.clone();
        let left = answers.script.len();
        // Unlock before a panic, so that the script can still be inspected afterwards.
        drop(answers);
        if left > 0 {
            faults.push(format!("{left} answers were not used"));
        }
        assert!(
            faults.is_empty(),
            "not as scripted:\n- {}",
            faults.join("\n- ")
        );
    }

    /// Locks, and ignores poisoning: the data is consistent after every statement.
    fn answers(&self) -> MutexGuard<'_, Answers> {
        let answers = self.shared.answers.lock();
        answers.unwrap_or_else(PoisonError::into_inner)
    }

    /// Records the attempt, and returns its answer.
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
        complaints.push("only a server can send a raw response".to_owned());
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
            resend: self.safe || options.resend_unsafe_methods || self.fresh,
            fresh: self.fresh,
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

/// Parses the head like an HTTP client. A malformed one is an error.
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
            .field("fresh", &self.fresh)
            .finish_non_exhaustive()
    }
}
