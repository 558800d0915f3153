//! [`Attempt`]: what a connector must send, and why.

use std::fmt;

use http::{HeaderMap, HeaderValue};

use super::{HeaderNames, LAST_EVENT_ID};
use crate::error::{Error, ErrorKind};

/// Why an `EventSource` reconnects.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Cause {
    /// The server ended the response cleanly.
    End,
    /// The connection was lost, failed to open, or was refused with a temporary error.
    Failure(Error),
    /// A time limit was exceeded.
    Timeout(Error),
    /// The user requested it with a handle.
    Requested,
}

impl Cause {
    /// Returns the error, if there is one.
    #[must_use]
    pub fn error(&self) -> Option<&Error> {
        match self {
            Self::Failure(error) | Self::Timeout(error) => Some(error),
            Self::End | Self::Requested => None,
        }
    }

    pub(crate) fn of(error: Option<Error>) -> Self {
        match error {
            None => Self::End,
            Some(error) if error.is_timeout() => Self::Timeout(error),
            Some(error) => Self::Failure(error),
        }
    }
}

/// `{}` is a message for logs; `{:#}` adds the sources of an error, as it does for an [`Error`].
///
/// ```
/// use everstream::{Cause, Error, ErrorKind};
///
/// let cause = Cause::Failure(Error::new(ErrorKind::Connect, "cable pulled"));
/// assert_eq!(format!("{cause:#}"), "could not connect to the server: cable pulled");
/// assert_eq!(Cause::End.to_string(), "the server ended the response");
/// ```
impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::End => f.write_str("the server ended the response"),
            Self::Failure(error) | Self::Timeout(error) => fmt::Display::fmt(error, f),
            Self::Requested => f.write_str("a reconnection was requested"),
        }
    }
}

/// One attempt to connect: what to send, and why.
#[derive(Clone)]
pub struct Attempt {
    number: u64,
    last_event_id: String,
    headers: HeaderMap,
    cause: Option<Cause>,
}

impl Attempt {
    pub(crate) fn new(
        number: u64,
        last_event_id: &str,
        cause: Option<Cause>,
    ) -> Result<Self, Error> {
        let mut headers: HeaderMap = super::default_headers().collect();
        if !last_event_id.is_empty() {
            headers.insert(LAST_EVENT_ID, header_value(last_event_id)?);
        }
        Ok(Self {
            number,
            last_event_id: last_event_id.to_owned(),
            headers,
            cause,
        })
    }

    /// Returns the number of this attempt of the source, starting with 1.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Returns the last event ID to resume from, for servers that expect it elsewhere than in the
    /// `Last-Event-ID` header. Empty if there is none.
    #[must_use]
    pub fn last_event_id(&self) -> &str {
        &self.last_event_id
    }

    /// Returns the headers that must be sent: `Accept`, `Cache-Control` and `Accept-Encoding:
    /// identity`, which the request's own headers override, and `Last-Event-ID`, if there is one,
    /// which overrides the request's own. [`apply`] adds them to a request in this way.
    ///
    /// In a browser, `Cache-Control` is missing, because it would need a preflight for another
    /// origin; fetch's cache mode `no-store` replaces it. `Accept-Encoding` is missing, too,
    /// because fetch sets it.
    ///
    /// [`apply`]: Self::apply
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// Returns what ended the previous connection or attempt. `None` for the first attempt.
    #[must_use]
    pub fn cause(&self) -> Option<&Cause> {
        self.cause.as_ref()
    }

    /// Adds the headers of this attempt to a request. If the request has its own `Accept`,
    /// `Cache-Control` or `Accept-Encoding`, they are kept. Its own `Last-Event-ID` is always
    /// removed.
    pub fn apply(&self, headers: &mut HeaderMap) {
        headers.remove(LAST_EVENT_ID);
        for (name, value) in &self.headers {
            if !headers.contains_key(name) {
                headers.insert(name, value.clone());
            }
        }
    }
}

/// Shows the names of headers, but no ID.
impl fmt::Debug for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Attempt")
            .field("number", &self.number)
            .field("headers", &HeaderNames(&self.headers))
            .field("cause", &self.cause)
            .finish_non_exhaustive()
    }
}

/// Converts the last event ID to a header value, if it arrives unchanged.
fn header_value(last_event_id: &str) -> Result<HeaderValue, Error> {
    // "A field value does not include leading or trailing whitespace" (RFC 9110 5.5): it would be
    // removed on the way, and the feed would resume from the wrong event.
    if last_event_id.trim_matches([' ', '\t']) != last_event_id {
        return Err(unsendable(
            last_event_id,
            ", which removes the white space around it",
        ));
    }
    HeaderValue::from_bytes(last_event_id.as_bytes())
        .ok()
        .filter(|value| !super::IN_BROWSER || value.to_str().is_ok())
        .ok_or_else(|| unsendable(last_event_id, ""))
}

fn unsendable(last_event_id: &str, why: &str) -> Error {
    const FITS: usize = 80;
    let start: String = last_event_id.chars().take(FITS).collect();
    Error::of(ErrorKind::LastEventId).and_message(format!(
        "the last event ID {start:?} cannot be sent in a header{why}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_id() {
        let attempt = Attempt::new(7, "secret", Some(Cause::End)).unwrap();
        let shown = format!("{attempt:?}");
        for part in ["7", "last-event-id", "End"] {
            assert!(shown.contains(part), "{shown}");
        }
        assert!(!shown.contains("secret"), "{shown}");
    }
}
