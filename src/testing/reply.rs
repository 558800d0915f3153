//! What the server answers: a head, then one step after another.

use std::time::Duration;

use bytes::Bytes;

use super::expectation::Expectation;
use super::gate::Gate;
use crate::{Event, encode};

/// An answer, described step by step: a head, and pieces of a body with pauses, gates, cuts and
/// lies between them.
///
/// The methods that add to the body ([`data`](Reply::data), [`raw`](Reply::raw),
/// [`pause`](Reply::pause), [`cut`](Reply::cut), …) take effect in the order in which they are
/// called; all others describe the reply as a whole and may stand anywhere. Each piece is written
/// on its own and, in the chunked framing, is one HTTP chunk, so that a client whose HTTP library
/// hands out chunks as they are sees these very pieces.
///
/// Nothing is checked: names and values of headers go out byte for byte as given, also such as no
/// server should send.
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
#[must_use = "a reply does nothing until a server gives it"]
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

/// What comes before the head.
#[derive(Clone, Debug)]
pub(super) enum Prelude {
    Informational(u16),
    Pause(Duration),
    Gate(Gate),
}

/// How the client can tell where the body ends.
#[derive(Clone, Copy, Debug)]
pub(super) enum Framing {
    Chunked,
    Length { beyond: u64 },
    UntilClose,
}

/// What is done, one after another, once the head has been sent.
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

/// How the body's bytes are cut into pieces, and where they stop.
#[derive(Clone, Debug, Default)]
pub(super) struct Shape {
    pub(super) every: Option<usize>,
    /// Offsets into the whole body, sorted.
    pub(super) at: Vec<u64>,
    pub(super) cut_after: Option<u64>,
    pub(super) pace: Option<Duration>,
}

impl Shape {
    /// How many of `available` bytes make the next piece, after `sent` of them in all.
    pub(super) fn piece_length(&self, sent: u64, available: usize) -> usize {
        let next = self.at.partition_point(|&offset| offset <= sent);
        let until_split = self.at.get(next).map_or(u64::MAX, |offset| offset - sent);
        let until_split = usize::try_from(until_split).unwrap_or(usize::MAX);
        available
            .min(until_split)
            .min(self.every.unwrap_or(usize::MAX))
    }
}

/// Where a reply begins.
impl Reply {
    /// A 200 with `Content-Type: text/event-stream`, chunked.
    pub fn events() -> Self {
        Self::status(200).content_type("text/event-stream")
    }

    /// A reply of that status, without a content type; any number is sent, also one that is no
    /// HTTP status.
    ///
    /// The answers to HEAD and those of status 1xx, 204 and 304 have no body: its pieces are then
    /// left out unless [`force_body`](Reply::force_body) insists.
    pub fn status(status: u16) -> Self {
        Self::with_head(Some(Head {
            status,
            reason: None,
            content_type: None,
            headers: Vec::new(),
            endless: false,
        }))
    }

    /// A redirect of that status, to that `Location`.
    pub fn redirect(status: u16, location: impl AsRef<[u8]>) -> Self {
        Self::status(status).header("location", location)
    }

    /// The whole response as given, status line, headers and framing included, such as one that
    /// was recorded; then the connection is closed.
    ///
    /// Steps added to it go on where it ends, without any framing, and
    /// [`split_every`](Reply::split_every) and its like count from its first byte.
    pub fn raw_response(response: impl AsRef<[u8]>) -> Self {
        Self::with_head(None).raw(response)
    }

    /// No answer: the request is read and the connection closed without a byte.
    ///
    /// With [`reset`](Reply::reset) it is reset instead. For an address at which nothing listens
    /// see [`ClosedPort`](super::ClosedPort).
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

/// The head. None of this has an effect on a [`raw_response`](Reply::raw_response), but for what
/// comes before it.
impl Reply {
    /// Adds a header, byte for byte; one of the same name that is there already stays.
    pub fn header(self, name: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Self {
        let header = (copy(name), copy(value));
        self.map_head(|head| head.headers.push(header))
    }

    /// Sets the content type in place of the one there was.
    pub fn content_type(self, value: impl AsRef<[u8]>) -> Self {
        let value = copy(value);
        self.map_head(|head| head.content_type = Some(value))
    }

    /// Sends no content type.
    pub fn without_content_type(self) -> Self {
        self.map_head(|head| head.content_type = None)
    }

    /// Sets the reason phrase; it may be empty. By default it is the usual one of the status.
    pub fn reason(self, phrase: impl AsRef<[u8]>) -> Self {
        let phrase = copy(phrase);
        self.map_head(|head| head.reason = Some(phrase))
    }

    /// After the head's headers, sends more of them for ever; the head never ends.
    pub fn endless_headers(self) -> Self {
        self.map_head(|head| head.endless = true)
    }

    /// Sends a head of that status (such as 103) and no headers before the real one.
    ///
    /// It keeps its place among [`delay_head`](Reply::delay_head) and
    /// [`gate_head`](Reply::gate_head).
    pub fn informational(self, status: u16) -> Self {
        self.before(Prelude::Informational(status))
    }

    /// Waits that long, in real time, before the head.
    pub fn delay_head(self, delay: Duration) -> Self {
        self.before(Prelude::Pause(delay))
    }

    /// Waits before the head until the gate is open.
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

/// The framing. Chunked is the default; the answer to an HTTP/1.0 request is then delimited by the
/// close instead.
impl Reply {
    /// Sends a `Content-Length` and no chunks.
    ///
    /// It is the length of all pieces, also of those after a [`cut`](Reply::cut); an endless body
    /// promises 2⁶³ − 1 bytes.
    pub fn length_delimited(self) -> Self {
        self.truncated_length(0)
    }

    /// Promises `extra` bytes more than the body has, and closes the connection at its end.
    pub fn truncated_length(mut self, extra: u64) -> Self {
        self.framing = Framing::Length { beyond: extra };
        self
    }

    /// Sends `Connection: close` and neither length nor chunks: the body ends with the connection.
    pub fn until_close(mut self) -> Self {
        self.framing = Framing::UntilClose;
        self
    }

    /// Sends these trailers after the last chunk; other framings have no place for them.
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

    /// Sends the body, framing included, where HTTP allows none: after 1xx, 204, 304, and to HEAD.
    pub fn force_body(mut self) -> Self {
        self.force_body = true;
        self
    }

    /// Sends `Connection: close` and closes after the reply, which ends as its framing demands.
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
    /// Panics if its type or its ID cannot be sent, as [`encode::event`] says; such a thing is for
    /// [`raw`](Reply::raw).
    pub fn event(self, event: &Event) -> Self {
        let wire = encode::event(event).expect("an event that a stream can carry");
        self.raw(wire.to_vec())
    }

    /// Adds an event of that data and of no type or ID, as one piece.
    pub fn data(self, data: impl Into<String>) -> Self {
        self.event(&Event::new(data))
    }

    /// Adds a comment, as one piece; of several lines, as one comment for each.
    ///
    /// Nothing comes between the colon and the text.
    pub fn comment(self, text: impl AsRef<str>) -> Self {
        self.raw(encode::comment(text.as_ref()).to_lines())
    }

    /// Adds a `retry` field with that reconnection time in milliseconds, as one piece.
    pub fn retry_ms(self, milliseconds: u64) -> Self {
        self.raw(encode::retry(Duration::from_millis(milliseconds)).to_lines())
    }

    /// Adds these bytes as they are, as one piece; none for no bytes.
    pub fn raw(self, bytes: impl AsRef<[u8]>) -> Self {
        self.then(Step::Bytes(copy(bytes)))
    }

    /// Adds `unit` over and over, `total` bytes in all (the last one may be cut short), or for ever.
    ///
    /// It goes out in pieces of about 64 KiB and takes no more memory than that (and the unit),
    /// however long it is.
    ///
    /// # Panics
    ///
    /// Panics if `unit` is empty.
    pub fn repeat(self, unit: impl AsRef<[u8]>, total: impl Into<Option<u64>>) -> Self {
        let unit = copy(unit);
        assert!(!unit.is_empty(), "nothing, repeated, is still nothing");
        self.then(Step::Repeat {
            unit,
            total: total.into(),
        })
    }

    /// Writes every piece in smaller ones of `n` bytes, each an HTTP chunk and a write of its own.
    ///
    /// # Panics
    ///
    /// Panics if `n` is 0.
    pub fn split_every(mut self, n: usize) -> Self {
        assert!(n > 0, "a piece has at least one byte");
        self.shape.every = Some(n);
        self
    }

    /// Splits pieces at these offsets, counted in bytes from the beginning of the whole body.
    pub fn split_at(mut self, offsets: impl IntoIterator<Item = u64>) -> Self {
        self.shape.at.extend(offsets);
        self.shape.at.sort_unstable();
        self
    }

    /// Waits that long, in real time, before every piece but the first.
    ///
    /// With `split_every(1)` the body comes byte by byte at this pace.
    pub fn pace(mut self, delay: Duration) -> Self {
        self.shape.pace = Some(delay);
        self
    }
}

/// The flow: what happens between the pieces.
///
/// While it waits or writes, the server listens to the client: once that has closed, the reply is
/// given up at once and the connection counts as closed.
impl Reply {
    /// Waits that long, in real time. Where a [`gate`](Reply::gate) can do, prefer it.
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

    /// Closes the connection here without ending the framing.
    ///
    /// In a body delimited by the close this is an ordinary end; [`reset`](Reply::reset) is not.
    pub fn cut(self) -> Self {
        self.then(Step::Cut)
    }

    /// Closes the connection once `n` bytes of the body, counted over all pieces and without their
    /// framing, have been written.
    ///
    /// The chunk in which that falls announces its whole size. Bodies of no more than `n` bytes are
    /// written whole; the framing's end is not: only in a length-delimited body does the client
    /// then see a complete one. With 0 the connection is closed after the head.
    pub fn cut_after(mut self, n: u64) -> Self {
        self.shape.cut_after = Some(n);
        self
    }

    /// Resets the connection here (RST): the client sees an error and not an end.
    ///
    /// What was written before still reaches a client on the same machine that has room for it.
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
