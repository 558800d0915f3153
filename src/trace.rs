//! What a connection does, told to `tracing` where that feature is on.
//!
//! Statuses, counts, delays and kinds of errors; never a URL, a header, an ID or a payload.

use crate::error::Error;

#[cfg(feature = "tracing")]
macro_rules! tell {
    ($level:ident, $($rest:tt)*) => { tracing::$level!(target: "everstream", $($rest)*) };
}

/// Without the feature nothing is left of it but that its values count as used.
#[cfg(not(feature = "tracing"))]
macro_rules! tell {
    ($level:ident, $($name:ident = $(?)? $value:expr,)* $message:literal) => {{
        $(let _ = &$value;)*
    }};
}

/// A request is about to be made.
#[cfg(feature = "client")]
pub(crate) fn connecting(attempt: u64, resumes: bool) {
    tell!(debug, attempt = attempt, resumes = resumes, "connecting");
}

/// A response is an event stream.
pub(crate) fn open(status: http::StatusCode) {
    tell!(debug, status = status.as_u16(), "the event stream is open");
}

/// Another connection will be made.
#[cfg(feature = "client")]
pub(crate) fn reconnecting(attempt: u32, delay: std::time::Duration, cause: Option<&Error>) {
    tell!(
        info,
        attempt = attempt,
        delay_ms = delay.as_millis() as u64,
        cause = ?cause.map(Error::kind),
        status = ?cause.and_then(Error::status),
        "the connection is gone, another will be made"
    );
}

/// The stream has ended, for good.
pub(crate) fn ended(events: u64, error: Option<&Error>) {
    match error {
        None => tell!(debug, events = events, "the event stream has ended"),
        Some(error) => tell!(
            warn,
            events = events,
            kind = ?error.kind(),
            status = ?error.status(),
            "the event stream has failed"
        ),
    }
}
