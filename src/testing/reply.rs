//! The server's answer: a head, followed by steps.

use std::time::Duration;

use bytes::Bytes;

use super::expectation::Expectation;
use super::gate::Gate;
use crate::{Event, encode};

/// A scripted response: a head, and pieces of a body with pauses, gates, cuts and false lengths
/// between them.
///
/// The methods that add to the body ([`data`](Reply::data), [`raw`](Reply::raw),
/// [`pause`](Reply::pause), [`cut`](Reply::cut), …) take effect in the order of the calls. All
/// others apply to the whole reply, and can be called at any point. Each piece is one write, and,
/// with chunked framing, one HTTP chunk. So a client whose HTTP library does not merge chunks sees
/// the same pieces.
///
/// Nothing is checked: header names and values are sent byte for byte, even if no server should
/// send them.
///
/// ```
/// use everstream::testing::Reply;
///
/// let answer = Reply::events().data("Hel").data("lo").data("[DONE]");
/// let busy = Reply::status(429).header("retry-after", "2").raw("slow down");
/// let cut_off = Reply::events().data("whole").raw("data: ha").cut();
/// let shredded = Reply::events().data("größer").split_every(1);
/// # let _ = (answer, busy, cut_off, shredded);
/// ```
#[derive(Clone, Debug)]
#[must_use = "a reply does nothing until a server sends it"]
pub struct Reply {
    pub(super) head: Option<Head>,
    pub(super) prelude: Vec<Prelude>,
    pub(super) framing: Framing,
    pub(super) steps: Vec<Step>,
    pub(super) trailers: Vec<(Bytes, Bytes)>,
    pub(super) force_body: bool,
    pub(super) close: bool,
    pub(super) shape: Shape,
    pub(super) expectations: Vec<Expectation>,
}

/// Status line and headers.
#[derive(Clone, Debug)]
pub(super) struct Head {
    pub(super) status: u16,
    pub(super) reason: Option<Bytes>,
    pub(super) content_type: Option<Bytes>,
    pub(super) headers: Vec<(Bytes, Bytes)>,
    pub(super) endless: bool,
}

/// What happens before the head.
#[derive(Clone, Debug)]
pub(super) enum Prelude {
    Informational(u16),
    Pause(Duration),
    Gate(Gate),
}

/// How the client knows where the body ends.
#[derive(Clone, Copy, Debug)]
pub(super) enum Framing {
    Chunked,
    Length { beyond: u64 },
    UntilClose,
}

/// A step after the head was sent.
#[derive(Clone, Debug)]
pub(super) enum Step {
    Bytes(Bytes),
    Repeat { unit: Bytes, total: Option<u64> },
    Pause(Duration),
    Gate(Gate),
    Hold,
    Cut,
    Reset,
}

/// How the body is split into pieces, and where it is cut.
#[derive(Clone, Debug, Default)]
pub(super) struct Shape {
    pub(super) every: Option<usize>,
    /// Offsets in the whole body, sorted.
    pub(super) at: Vec<u64>,
    pub(super) cut_after: Option<u64>,
    pub(super) pace: Option<Duration>,
}

impl Shape {
    /// Returns how many of the `available` bytes are the next piece, after `sent` bytes of the
    /// body.
    pub(super) fn piece_length(&self, sent: u64, available: usize) -> usize {
        let next = self.at.partition_point(|&offset| offset <= sent);
        let until_split = self.at.get(next).map_or(u64::MAX, |offset| offset - sent);
        let until_split = usize::try_from(until_split).unwrap_or(usize::MAX);
        available
            .min(until_split)
            .min(self.every.unwrap_or(usize::MAX))
    }
}

/// Constructors.
impl Reply {
    /// Creates a 200 response with `Content-Type: text/event-stream`, chunked.
    pub fn events() -> Self {
        Self::status(200).content_type("text/event-stream")
    }

    /// Creates a response with this status, without a content type. Any number is sent, even if it
    /// is not a valid HTTP status.
    ///
    /// Responses to HEAD, and those with status 1xx, 204 or 304, have no body: its pieces are not
    /// sent, unless you call [`force_body`](Reply::force_body).
    pub fn status(status: u16) -> Self {
        Self::with_head(Some(Head {
            status,
            reason: None,
            content_type: None,
            headers: Vec::new(),
            endless: false,
        }))
    }

    /// Creates a redirect with this status and `Location`.
    pub fn redirect(status: u16, location: impl AsRef<[u8]>) -> Self {
        Self::status(status).header("location", location)
    }

    /// Creates a response from these bytes: status line, headers, body and framing, for example
    /// from a recording. Then the connection is closed.
    ///
    /// Steps that you add follow at its end, without framing. [`split_every`](Reply::split_every)
    /// and similar methods count from its first byte.
    pub fn raw_response(response: impl AsRef<[u8]>) -> Self {
        Self::with_head(None).raw(response)
    }

    /// Creates a reply without a response: the server reads the request, and closes the connection
    /// without sending a byte.
    ///
    /// With [`reset`](Reply::reset), it resets the connection instead. For a port on which nothing
    /// listens, see [`ClosedPort`](super::ClosedPort).
    pub fn refuse() -> Self {
        Self::with_head(None)
    }

    fn with_head(head: Option<Head>) -> Self {
        Self {
            head,
            prelude: Vec::new(),
            framing: Framing::Chunked,
            steps: Vec::new(),
            trailers: Vec::new(),
            force_body: false,
            close: false,
            shape: Shape::default(),
            expectations: Vec::new(),
        }
    }
}

/// The head. On a [`raw_response`](Reply::raw_response), only the methods for what comes before the
/// head have an effect.
impl Reply {
    /// Adds a header, byte for byte. Existing headers with the same name are kept.
    pub fn header(self, name: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Self {
        let header = (copy(name), copy(value));
        self.map_head(|head| head.headers.push(header))
    }

    /// Sets the content type, and replaces an existing one.
    pub fn content_type(self, value: impl AsRef<[u8]>) -> Self {
        let value = copy(value);
        self.map_head(|head| head.content_type = Some(value))
    }

    /// Removes the content type.
    pub fn without_content_type(self) -> Self {
        self.map_head(|head| head.content_type = None)
    }

    /// Sets the reason phrase, which may be empty. By default it is the standard one of the status.
    pub fn reason(self, phrase: impl AsRef<[u8]>) -> Self {
        let phrase = copy(phrase);
        self.map_head(|head| head.reason = Some(phrase))
    }

    /// Sends more headers forever after the given ones; the head never ends.
    pub fn endless_headers(self) -> Self {
        self.map_head(|head| head.endless = true)
    }

    /// Sends an informational response with this status (such as 103), without headers, before the
    /// real head.
    ///
    /// It is sent in the order of the calls, with [`delay_head`](Reply::delay_head) and
    /// [`gate_head`](Reply::gate_head).
    pub fn informational(self, status: u16) -> Self {
        self.before(Prelude::Informational(status))
    }

    /// Waits for `delay`, in real time, before the head.
    pub fn delay_head(self, delay: Duration) -> Self {
        self.before(Prelude::Pause(delay))
    }

    /// Waits until the gate is open, before the head.
    pub fn gate_head(self, gate: &Gate) -> Self {
        self.before(Prelude::Gate(gate.clone()))
    }

    fn map_head(mut self, change: impl FnOnce(&mut Head)) -> Self {
        if let Some(head) = &mut self.head {
            change(head);
        }
        self
    }

    fn before(mut self, prelude: Prelude) -> Self {
        self.prelude.push(prelude);
        self
    }
}

/// The framing. The default is chunked; then the end of the connection ends the body of a response
/// to an HTTP/1.0 request.
impl Reply {
    /// Sends a `Content-Length` instead of chunks.
    ///
    /// It is the length of all pieces, including those after a [`cut`](Reply::cut); 2⁶³ − 1 bytes
    /// for an endless body.
    pub fn length_delimited(self) -> Self {
        self.truncated_length(0)
    }

    /// Announces `extra` bytes more than the body has, and closes the connection at its end.
    pub fn truncated_length(mut self, extra: u64) -> Self {
        self.framing = Framing::Length { beyond: extra };
        self
    }

    /// Sends `Connection: close`, without a length or chunks: the body ends with the connection.
    pub fn until_close(mut self) -> Self {
        self.framing = Framing::UntilClose;
        self
    }

    /// Sends these trailers after the last chunk. With other framings they are not sent.
    pub fn trailers<N, V>(mut self, trailers: impl IntoIterator<Item = (N, V)>) -> Self
    where
        N: AsRef<[u8]>,
        V: AsRef<[u8]>,
    {
        let trailers = trailers
            .into_iter()
            .map(|(name, value)| (copy(name), copy(value)));
        self.trailers.extend(trailers);
        self
    }

    /// Sends the body, with its framing, even if HTTP doesn't allow one: for 1xx, 204, 304, and
    /// HEAD.
    pub fn force_body(mut self) -> Self {
        self.force_body = true;
        self
    }

    /// Sends `Connection: close`, and closes the connection after the complete reply.
    pub fn close_after(mut self) -> Self {
        self.close = true;
        self
    }
}

/// Pieces of the body.
impl Reply {
    /// Adds an event, as one piece.
    ///
    /// # Panics
    ///
    /// Panics if its type or ID can't be encoded; see [`encode::event`]. Use [`raw`](Reply::raw) to
    /// send it anyway.
    pub fn event(self, event: &Event) -> Self {
        let wire = encode::event(event).expect("an event that a stream can carry");
        self.raw(wire.to_vec())
    }

    /// Adds an event with this data, without type and ID, as one piece.
    pub fn data(self, data: impl Into<String>) -> Self {
        self.event(&Event::new(data))
    }

    /// Adds a comment, as one piece. Each line of `text` becomes a comment.
    ///
    /// Nothing is added between the colon and the text.
    pub fn comment(self, text: impl AsRef<str>) -> Self {
        self.raw(encode::comment(text.as_ref()).to_lines())
    }

    /// Adds a `retry` field with this reconnection time in milliseconds, as one piece.
    pub fn retry_ms(self, milliseconds: u64) -> Self {
        self.raw(encode::retry(Duration::from_millis(milliseconds)).to_lines())
    }

    /// Adds these bytes unchanged, as one piece. Without bytes, there is no piece.
    pub fn raw(self, bytes: impl AsRef<[u8]>) -> Self {
        self.then(Step::Bytes(copy(bytes)))
    }

    /// Adds `unit` repeatedly, `total` bytes in total (the last unit may be cut short); endlessly
    /// if `total` is `None`.
    ///
    /// It is sent in pieces of about 64 KiB, and takes only that much memory, plus the unit.
    ///
    /// # Panics
    ///
    /// Panics if `unit` is empty.
    pub fn repeat(self, unit: impl AsRef<[u8]>, total: impl Into<Option<u64>>) -> Self {
        let unit = copy(unit);
        assert!(!unit.is_empty(), "`unit` must not be empty");
        self.then(Step::Repeat {
            unit,
            total: total.into(),
        })
    }

    /// Splits every piece into smaller ones of `n` bytes, each of which is one HTTP chunk and one
    /// write.
    ///
    /// # Panics
    ///
    /// Panics if `n` is 0.
    pub fn split_every(mut self, n: usize) -> Self {
        assert!(n > 0, "`n` must not be 0");
        self.shape.every = Some(n);
        self
    }

    /// Splits pieces at these offsets, in bytes from the start of the whole body.
    pub fn split_at(mut self, offsets: impl IntoIterator<Item = u64>) -> Self {
        self.shape.at.extend(offsets);
        self.shape.at.sort_unstable();
        self
    }

    /// Waits for `delay`, in real time, before every piece except the first.
    ///
    /// With `split_every(1)`, the body is sent byte by byte at this pace.
    pub fn pace(mut self, delay: Duration) -> Self {
        self.shape.pace = Some(delay);
        self
    }
}

/// The flow: what happens between the pieces.
///
/// If the client closes the connection while the server waits or writes, the server drops the reply
/// immediately, and counts the connection as closed.
impl Reply {
    /// Waits for `delay`, in real time. Prefer a [`gate`](Reply::gate) if possible.
    pub fn pause(self, delay: Duration) -> Self {
        self.then(Step::Pause(delay))
    }

    /// Waits until the gate is open.
    pub fn gate(self, gate: &Gate) -> Self {
        self.then(Step::Gate(gate.clone()))
    }

    /// Stalls until the client closes the connection or the server is dropped.
    pub fn hold(self) -> Self {
        self.then(Step::Hold)
    }

    /// Closes the connection here, without ending the framing.
    ///
    /// If the body is [`until_close`](Reply::until_close), this is a normal end;
    /// [`reset`](Reply::reset) is not.
    pub fn cut(self) -> Self {
        self.then(Step::Cut)
    }

    /// Closes the connection once `n` bytes of the body have been written, counted over all pieces,
    /// without framing.
    ///
    /// The last chunk announces its full size. A body of at most `n` bytes is written completely,
    /// but without the end of its framing, so the client only sees a complete body if it is
    /// length-delimited. With 0, the connection is closed after the head.
    pub fn cut_after(mut self, n: u64) -> Self {
        self.shape.cut_after = Some(n);
        self
    }

    /// Resets the connection here (RST): the client sees an error instead of an end.
    ///
    /// Bytes that were written before still reach a client on the same machine, if its buffer has
    /// room for them.
    pub fn reset(self) -> Self {
        self.then(Step::Reset)
    }

    fn then(mut self, step: Step) -> Self {
        self.steps.push(step);
        self
    }
}

pub(super) fn copy(bytes: impl AsRef<[u8]>) -> Bytes {
    Bytes::copy_from_slice(bytes.as_ref())
}
