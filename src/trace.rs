//! Reports what a connection does to `tracing`, if that feature is enabled.
//!
//! Reports statuses, counts, delays and kinds of errors, but never a URL, a header, an ID or a
//! payload.

use crate::error::Error;

#[cfg(feature = "tracing")]
macro_rules! tell {
    ($level:ident, $($rest:tt)*) => { tracing::$level!(target: "everstream", $($rest)*) };
}

/// Without the feature, this only marks the values as used.
#[cfg(not(feature = "tracing"))]
macro_rules! tell {
    ($level:ident, $($name:ident = $(?)? $value:expr,)* $message:literal) => {{
        $(let _ = &$value;)*
    }};
}

/// A request is about to be sent.
#[cfg(feature = "client")]
pub(crate) fn connecting(attempt: u64, resumes: bool) {
    tell!(debug, attempt = attempt, resumes = resumes, "connecting");
}

/// A response is an event stream.
pub(crate) fn open(status: http::StatusCode) {
    tell!(debug, status = status.as_u16(), "the event stream is open");
}

/// A new connection will be made.
#[cfg(feature = "client")]
pub(crate) fn reconnecting(attempt: u32, delay: std::time::Duration, cause: Option<&Error>) {
    tell!(
        info,
        attempt = attempt,
        delay_ms = delay.as_millis() as u64,
        cause = ?cause.map(Error::kind),
        status = ?cause.and_then(Error::status),
        "the connection has ended, reconnecting"
    );
}

/// The stream has ended.
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
