//! The options that an answer and a feed share.

use crate::{
    parser::{Oversized, Parser},
    response::{Accepted, Events, Limits, Progress, Waiting},
    transport::maybe_send::EventPredicate,
};

/// What a response is held to.
#[derive(Default)]
pub(crate) struct Options {
    pub(crate) limits: Limits,
    pub(crate) progress: Option<EventPredicate>,
    /// A contract says which events are progress, once it has seen them.
    pub(crate) progress_by_contract: bool,
    pub(crate) accepted: Accepted,
    pub(crate) max_event_bytes: Option<usize>,
    pub(crate) oversized: Oversized,
    pub(crate) last_event_id: Option<String>,
    /// The URL that is asked, where that is known.
    pub(crate) url: Option<Box<str>>,
}

impl Options {
    /// What reads the body of a response that is held to this.
    pub(crate) fn into_events(self) -> Events {
        let mut parser = Parser::new().with_oversized(self.oversized);
        if let Some(bytes) = self.max_event_bytes {
            parser = parser.with_max_event_bytes(bytes);
        }
        if let Some(id) = self.last_event_id {
            parser = parser.with_last_event_id(id);
        }
        let progress = match self.progress {
            Some(counts) => Progress::When(counts),
            None if self.progress_by_contract => Progress::Confirmed,
            None => Progress::Any,
        };
        let waiting = Waiting::new(self.limits, progress);
        Events::new(parser, waiting, self.accepted.max_error_body_bytes)
    }
}

/// The setters of what holds for any body, for a builder with [`Options`] in a field `options`.
macro_rules! body_setters {
    () => {
        /// Sets the last event ID to start from, such as one stored by an earlier run of the
        /// program. The empty string is none.
        pub fn last_event_id(mut self, id: impl Into<String>) -> Self {
            self.options.last_event_id = Some(id.into());
            self
        }

        /// Limits how long to wait for the first event once the headers have come. No limit by
        /// default.
        pub fn first_event_timeout(mut self, limit: impl Into<Option<Duration>>) -> Self {
            self.options.limits.first_event = limit.into();
            self
        }

        /// Limits how long to wait for the next byte, comments included: it finds dead
        /// connections. Five minutes by default; `None` is for ever.
        pub fn idle_timeout(mut self, limit: impl Into<Option<Duration>>) -> Self {
            self.options.limits.idle = limit.into();
            self
        }

        /// Limits how long to wait for the next event, whatever else comes: it finds servers that
        /// keep the connection alive with comments but have stalled. No limit by default.
        /// [`progress_when`](Self::progress_when) says which events count.
        ///
        /// Every limit counts only the time spent waiting for the server, never the time you take
        /// between two polls. To tell them apart, a stream that waits is woken 16 times within a
        /// limit, or more often; a pause of yours may count for as much as one of these spans.
        pub fn event_timeout(mut self, limit: impl Into<Option<Duration>>) -> Self {
            self.options.limits.event = limit.into();
            self
        }

        /// Sets which events are progress: only they start the
        /// [event limit](Self::event_timeout) over, and only they reset a feed's count of
        /// failures. `|event| event.event_type() != "ping"`, for example. All of them by default.
        pub fn progress_when(
            mut self,
            is_progress: impl FnMut(&Event) -> bool + MaybeSend + 'static,
        ) -> Self {
            self.options.progress = Some(Box::new(is_progress));
            self
        }

        /// Sets the size of the largest event to accept, in bytes; 16 MiB by default. See
        /// [`Parser::with_max_event_bytes`](crate::Parser::with_max_event_bytes).
        pub fn max_event_bytes(mut self, bytes: usize) -> Self {
            self.options.max_event_bytes = Some(bytes);
            self
        }

        /// Sets what to do with a larger event. By default the stream ends with an error.
        pub fn oversized(mut self, oversized: Oversized) -> Self {
            self.options.oversized = oversized;
            self
        }

        /// Sets how many bytes to keep of an answer that is not an event stream, for
        /// [`Error::body`]; 64 KiB by default. Raise it to read a whole JSON answer of a server
        /// that doesn't stream.
        pub fn max_error_body_bytes(mut self, bytes: usize) -> Self {
            self.options.accepted.max_error_body_bytes = bytes;
            self
        }
    };
}

/// The setters of what holds for a response, for a builder with [`Options`] in a field `options`.
macro_rules! response_setters {
    () => {
        /// Limits how long to wait for the response's headers, from sending the request on. If it
        /// is set, it alone rules until they have come, and `None` waits for ever. If it isn't set,
        /// the [idle limit](Self::idle_timeout) holds for them too.
        pub fn headers_timeout(mut self, limit: impl Into<Option<Duration>>) -> Self {
            self.options.limits.headers = Some(limit.into());
            self
        }

        /// Sets which content types to accept as an event stream; `text/event-stream` alone by
        /// default.
        pub fn content_type(mut self, content_type: ContentType) -> Self {
            self.options.accepted.content_type = content_type;
            self
        }

        /// Sets which statuses to accept as an event stream; 200 alone by default, as the standard
        /// says. `|status| status.is_success()` takes every 2xx. A 204 is never accepted: it has no
        /// body, and ends a feed.
        pub fn accept_status(
            mut self,
            is_accepted: impl Fn(http::StatusCode) -> bool + MaybeSend + MaybeSync + 'static,
        ) -> Self {
            self.options.accepted.status = Some(std::sync::Arc::new(is_accepted));
            self
        }
    };
}

pub(crate) use body_setters;
pub(crate) use response_setters;
