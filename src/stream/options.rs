//! The options that `EventStream` and `EventSource` share.

use crate::{
    parser::{Oversized, Parser},
    response::{Accepted, Events, Limits, Progress, Waiting},
    transport::maybe_send::EventPredicate,
};

/// The requirements for a response and its body.
#[derive(Default)]
pub(crate) struct Options {
    pub(crate) limits: Limits,
    pub(crate) progress: Option<EventPredicate>,
    /// The contract decides which events are progress, after they were yielded.
    pub(crate) progress_by_contract: bool,
    pub(crate) accepted: Accepted,
    pub(crate) max_event_bytes: Option<usize>,
    pub(crate) oversized: Oversized,
    pub(crate) last_event_id: Option<String>,
    /// The URL of the request, if known.
    pub(crate) url: Option<Box<str>>,
}

impl Options {
    /// Creates the reader of the body with these options.
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

/// The setters for any body, for a builder with [`Options`] in a field `options`.
macro_rules! body_setters {
    () => {
        /// Sets the last event ID to start from, such as one that an earlier run of the program
        /// stored. An empty string means none, which is the default.
        pub fn last_event_id(mut self, id: impl Into<String>) -> Self {
            self.options.last_event_id = Some(id.into());
            self
        }

        /// Limits how long to wait for the first event after the headers. No limit by default.
        pub fn first_event_timeout(mut self, limit: impl Into<Option<Duration>>) -> Self {
            self.options.limits.first_event = limit.into();
            self
        }

        /// Limits how long to wait for the next byte; bytes of comments count. It detects dead
        /// connections. Five minutes by default; `None` means no limit.
        pub fn idle_timeout(mut self, limit: impl Into<Option<Duration>>) -> Self {
            self.options.limits.idle = limit.into();
            self
        }

        /// Limits how long to wait for the next event, even if other bytes arrive. It detects
        /// servers that have stalled but keep the connection alive with comments. No limit by
        /// default. Use [`progress_when`](Self::progress_when) to choose which events count.
        ///
        /// All limits measure only the time spent waiting for the server, not the time between two
        /// polls of your code. To tell them apart, a waiting stream wakes its task every sixteenth
        /// of the limit, but no more often than every 50 ms and no less often than every 60
        /// seconds. A pause in your code can count for up to one such interval.
        pub fn event_timeout(mut self, limit: impl Into<Option<Duration>>) -> Self {
            self.options.limits.event = limit.into();
            self
        }

        /// Sets which events count as progress: only these restart
        /// [`event_timeout`](Self::event_timeout), and only these reset an `EventSource`'s count of
        /// failures. For example, `|event| event.event_type() != "ping"`. All events by default.
        pub fn progress_when(
            mut self,
            is_progress: impl FnMut(&Event) -> bool + MaybeSend + 'static,
        ) -> Self {
            self.options.progress = Some(Box::new(is_progress));
            self
        }

        /// Sets the maximum size of an event, in bytes; 16 MiB by default. See
        /// [`Parser::with_max_event_bytes`](crate::Parser::with_max_event_bytes).
        pub fn max_event_bytes(mut self, bytes: usize) -> Self {
            self.options.max_event_bytes = Some(bytes);
            self
        }

        /// Sets what to do with an event that exceeds [`max_event_bytes`](Self::max_event_bytes).
        /// By default, the stream ends with an error.
        pub fn oversized(mut self, oversized: Oversized) -> Self {
            self.options.oversized = oversized;
            self
        }

        /// Sets how many bytes to keep of a response that is not an event stream, for
        /// [`Error::body`]; 64 KiB by default. Raise it to get the whole JSON body from a server
        /// that doesn't stream.
        pub fn max_error_body_bytes(mut self, bytes: usize) -> Self {
            self.options.accepted.max_error_body_bytes = bytes;
            self
        }
    };
}

/// The setters for a response, for a builder with [`Options`] in a field `options`.
macro_rules! response_setters {
    () => {
        /// Limits how long to wait for the headers of the response, counted from the start of the
        /// request; `None` means no limit. If this is never called,
        /// [`idle_timeout`](Self::idle_timeout) applies to the headers instead.
        pub fn headers_timeout(mut self, limit: impl Into<Option<Duration>>) -> Self {
            self.options.limits.headers = Some(limit.into());
            self
        }

        /// Sets which content types to accept as an event stream; only `text/event-stream` by
        /// default.
        pub fn content_type(mut self, content_type: ContentType) -> Self {
            self.options.accepted.content_type = content_type;
            self
        }

        /// Sets which statuses to accept as an event stream; only 200 by default, as the standard
        /// says. `|status| status.is_success()` accepts every 2xx. A 204 is never accepted: it has
        /// no body, and it ends an `EventSource`.
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
