//! Classifies failures for the session.

use http::StatusCode;

use crate::error::{Error, ErrorKind};

/// What a failure means for an `EventSource`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The failure may be temporary: try again.
    Passing,
    /// The server told the client to stop reconnecting.
    NoContent,
    /// Another request may be accepted, with a fresh token.
    Unauthorized,
    Final,
}

pub(crate) fn verdict(error: &Error) -> Verdict {
    match error.kind() {
        ErrorKind::Status => match (error.status(), should_retry(error)) {
            (Some(StatusCode::NO_CONTENT), _) => Verdict::NoContent,
            (_, Some(true)) => Verdict::Passing,
            (_, Some(false)) | (None, None) => Verdict::Final,
            (Some(status), None) => of_status(status),
        },
        ErrorKind::Connect
        | ErrorKind::Transport
        | ErrorKind::Body
        | ErrorKind::Timeout(_)
        | ErrorKind::NotEventStream
        | ErrorKind::Incomplete
        | ErrorKind::Other => Verdict::Passing,
        _ => Verdict::Final,
    }
}

fn of_status(status: StatusCode) -> Verdict {
    match status.as_u16() {
        401 => Verdict::Unauthorized,
        501 | 505 => Verdict::Final,
        408 | 425 | 429 | 500..=599 => Verdict::Passing,
        _ => Verdict::Final,
    }
}

/// The `x-should-retry` header, which takes precedence over the status.
fn should_retry(error: &Error) -> Option<bool> {
    match error.headers()?.get("x-should-retry")?.as_bytes() {
        b"true" => Some(true),
        b"false" => Some(false),
        _ => None,
    }
}

/// Whether the server told the client to stop reconnecting, which is not a failure.
pub(crate) fn is_no_content(error: &Error) -> bool {
    verdict(error) == Verdict::NoContent
}

/// Classifies failures as a browser does: "if res is a network error, reestablish the connection;
/// otherwise \[…\] fail the connection" (WHATWG HTML 9.2.3). For a browser, a 204 is an ordinary
/// failure. But "a client can be told to stop reconnecting using" it (9.2.1), so here it ends the
/// source without an error.
pub(crate) fn standard_verdict(error: &Error) -> Verdict {
    match (error.kind(), verdict(error)) {
        (ErrorKind::Status, Verdict::NoContent) => Verdict::NoContent,
        (ErrorKind::Status, _) => Verdict::Final,
        (_, verdict) => verdict,
    }
}
