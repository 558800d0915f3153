//! [`Attempt`]: what a connector has to send, and why.

use std::fmt;

use http::{HeaderMap, HeaderValue};

use super::{HeaderNames, LAST_EVENT_ID};
use crate::error::{Error, ErrorKind};

/// Why an `EventSource` connects again.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Cause {
    /// The server ended the response as it should.
    End,
    /// The connection failed, did not come about, or was refused for now.
    Failure(Error),
    /// A time limit has passed.
    Timeout(Error),
    /// The user asked for it, by a handle.
    Requested,
}

impl Cause {
    /// The error behind it, if there is one.
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

/// `{}` says what happened, in words for a log; `{:#}` adds what caused an error, as it does for an
/// [`Error`].
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

/// One attempt to connect: what has to be sent, and why it is made.
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

    /// Which attempt of the source this is, from 1.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.number
    }

    /// The last event ID to resume from, for servers that take it otherwise than in the
    /// `Last-Event-ID` header. Empty where there is none.
    #[must_use]
    pub fn last_event_id(&self) -> &str {
        &self.last_event_id
    }

    /// The headers that have to be sent: `Accept`, `Cache-Control` and `Accept-Encoding:
    /// identity`, unless the request has its own, and `Last-Event-ID`, where there is one, in the
    /// place of any other. [`apply`] puts them on a request so.
    ///
    /// In a browser `Cache-Control` is not among them: fetch's cache mode `no-store` says the same,
    /// without the preflight that the header would cost with another origin. Nor is
    /// `Accept-Encoding`, which fetch sets by itself.
    ///
    /// [`apply`]: Self::apply
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// What ended the last connection, or the last attempt. `None` for the first.
    #[must_use]
    pub fn cause(&self) -> Option<&Cause> {
        self.cause.as_ref()
    }

    /// Puts the headers of this attempt on a request. `Accept`, `Cache-Control` and
    /// `Accept-Encoding` stay what the request says, where it says something; `Last-Event-ID`
    /// never does.
    pub fn apply(&self, headers: &mut HeaderMap) {
        headers.remove(LAST_EVENT_ID);
        for (name, value) in &self.headers {
            if !headers.contains_key(name) {
                headers.insert(name, value.clone());
            }
        }
    }
}

/// Shows the names of headers and no ID.
impl fmt::Debug for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Attempt")
            .field("number", &self.number)
            .field("headers", &HeaderNames(&self.headers))
            .field("cause", &self.cause)
            .finish_non_exhaustive()
    }
}

/// The last event ID as the value of a header that arrives as it is.
fn header_value(last_event_id: &str) -> Result<HeaderValue, Error> {
    // "A field value does not include leading or trailing whitespace" (RFC 9110 5.5): it is taken
    // off on the way, and the feed would go on from another place.
    if last_event_id.trim_matches([' ', '\t']) != last_event_id {
        return Err(unsendable(
            last_event_id,
            ", which takes off the white space around it",
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
