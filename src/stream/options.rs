//! What one response is held to: the options that an answer and a source share.

use crate::{
    parser::{Oversized, Parser},
    response::{ContentType, Limits},
    transport::maybe_send::Progress,
};

/// What to hold a response to.
pub(crate) struct Options {
    pub(crate) limits: Limits,
    pub(crate) progress: Option<Progress>,
    pub(crate) content_type: ContentType,
    pub(crate) max_event_bytes: usize,
    pub(crate) oversized: Oversized,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            progress: None,
            content_type: ContentType::default(),
            max_event_bytes: Parser::DEFAULT_MAX_EVENT_BYTES,
            oversized: Oversized::default(),
        }
    }
}

impl Options {
    pub(crate) fn parser(&self) -> Parser {
        Parser::new()
            .with_max_event_bytes(self.max_event_bytes)
            .with_oversized(self.oversized)
    }
}

/// The setters of [`Options`], for a builder that has them in a field `options`.
macro_rules! setters {
    () => {
        /// How long to wait for a response's headers, the connecting included. No limit of its
        /// own by default; the [idle limit](Self::idle_timeout) holds for them too.
        pub fn headers_timeout(mut self, limit: impl Into<Option<Duration>>) -> Self {
            self.options.limits.headers = limit.into();
            self
        }

        /// How long to wait for a response's first event once its headers have come. No limit by
        /// default.
        pub fn first_event_timeout(mut self, limit: impl Into<Option<Duration>>) -> Self {
            self.options.limits.first_event = limit.into();
            self
        }

        /// How long to wait for the next byte, comments included: it tells a dead connection.
        /// Five minutes by default; `None` is for ever.
        pub fn idle_timeout(mut self, limit: impl Into<Option<Duration>>) -> Self {
            self.options.limits.idle = limit.into();
            self
        }

        /// How long to wait for the next event, whatever else comes: it tells a server that keeps
        /// the connection alive with comments but has stalled. No limit by default. Which events
        /// count can be said with [`progress_when`](Self::progress_when).
        ///
        /// Every limit counts only the time that is spent in waiting for the server, never the
        /// time that is taken between two events.
        pub fn event_timeout(mut self, limit: impl Into<Option<Duration>>) -> Self {
            self.options.limits.event = limit.into();
            self
        }

        /// Says which events count for the [event limit](Self::event_timeout): `|e| e.event_type() !=
        /// "ping"`, for one.
        pub fn progress_when(
            mut self,
            is_progress: impl FnMut(&Event) -> bool + MaybeSend + 'static,
        ) -> Self {
            self.options.progress = Some(Box::new(is_progress));
            self
        }

        /// Which content types to take for an event stream; `text/event-stream` alone by default.
        pub fn content_type(mut self, content_type: ContentType) -> Self {
            self.options.content_type = content_type;
            self
        }

        /// The largest event to take, in bytes; 16 MiB by default. See
        /// [`Parser::with_max_event_bytes`](crate::Parser::with_max_event_bytes).
        pub fn max_event_bytes(mut self, bytes: usize) -> Self {
            self.options.max_event_bytes = bytes;
            self
        }

        /// What to do with an event that is larger; the stream ends with an error by default.
        pub fn oversized(mut self, oversized: Oversized) -> Self {
            self.options.oversized = oversized;
            self
        }
    };
}

pub(crate) use setters;
