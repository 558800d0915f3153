//! The messages of errors: what failed, then what to do.

use std::fmt::{self, Write as _};

#[cfg(feature = "stream")]
use super::ShownUrl;
use super::{Error, ErrorKind, Timeout, causes};

/// Writes text from outside on one line: a line end in it does not end our line.
struct OneLine<'a, 'f>(&'a mut fmt::Formatter<'f>);

impl fmt::Write for OneLine<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for (i, part) in text.split(char::is_control).enumerate() {
            if i > 0 {
                self.0.write_str(" ")?;
            }
            self.0.write_str(part)?;
        }
        Ok(())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fmt_own(f)?;
        #[cfg(feature = "stream")]
        self.fmt_url(f)?;
        if f.alternate() {
            self.fmt_causes(f)?;
        }
        Ok(())
    }
}

impl Error {
    #[cfg(feature = "stream")]
    fn fmt_url(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.url().and_then(ShownUrl::of) {
            Some(url) => write!(f, " ({url})"),
            None => Ok(()),
        }
    }

    /// Writes the causes on one line. A URL that was just shown is not repeated.
    fn fmt_causes(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        #[cfg(feature = "stream")]
        let mut shown = self.url();
        for cause in causes(self) {
            #[cfg(feature = "stream")]
            if let Some(ours) = cause.downcast_ref::<Self>() {
                let is_new = ours.url().is_some() && ours.url() != shown;
                f.write_str(": ")?;
                ours.fmt_own(f)?;
                if is_new {
                    ours.fmt_url(f)?;
                    shown = ours.url();
                }
                continue;
            }
            write!(OneLine(f), ": {cause}")?;
        }
        Ok(())
    }

    /// Writes the message of this error only.
    fn fmt_own(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(message) = &self.0.message {
            return f.write_str(message);
        }
        #[cfg(feature = "stream")]
        if let (ErrorKind::Status, Some(status)) = (self.0.kind, self.status()) {
            return write!(f, "the server answered {status}");
        }
        fmt::Display::fmt(&self.0.kind, f)
    }
}

/// The message of an error of this kind, without details.
impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ErrorKind::Request => "could not build the request",
            ErrorKind::Connect => "could not connect to the server",
            ErrorKind::Transport => "the connection failed before the response arrived",
            ErrorKind::Body => "the response was cut off",
            ErrorKind::Timeout(timeout) => timeout.message(),
            ErrorKind::Status => "the server refused the request",
            ErrorKind::ContentType => "the response is not an event stream",
            ErrorKind::NotEventStream => {
                "expected an event stream, got a body without a single field or comment; `body` \
                 holds it"
            }
            ErrorKind::ContentEncoding => "the response is compressed",
            ErrorKind::Redirect => "could not follow the redirect",
            ErrorKind::LastEventId => "the last event ID cannot be sent in a header",
            ErrorKind::EventTooLarge => {
                "an event is too large; raise `max_event_bytes`, or skip such events with \
                 `oversized`"
            }
            ErrorKind::Incomplete => "the stream ended before it was complete",
            ErrorKind::ErrorEvent => "the server sent an error event",
            ErrorKind::Json => "could not read the data of an event as its type",
            ErrorKind::Read => "could not read from the reader",
            ErrorKind::Other => "the connector failed",
        })
    }
}

/// The message of an error of this kind.
impl fmt::Display for Timeout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message())
    }
}

impl Timeout {
    fn message(self) -> &'static str {
        match self {
            Self::Headers => {
                "the response headers did not arrive in time; raise `headers_timeout` if the server may \
                 take longer"
            }
            Self::FirstEvent => {
                "the first event did not arrive in time; raise `first_event_timeout` if the server \
                 may take longer"
            }
            Self::Idle => {
                "the server was silent for too long; raise `idle_timeout` if its pauses are longer"
            }
            Self::Event => {
                "no event arrived in time; raise `event_timeout` if the server may take longer"
            }
            Self::HttpClient => {
                "a timeout of the HTTP client has passed; don't set a total `timeout`, which also \
                 ends a healthy stream, and set `read_timeout` longer than the server's pauses"
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(feature = "stream")]
    #[test]
    fn a_url_is_shown_once_and_can_be_removed() {
        let at = |url: &str, source: Error| Error::new(ErrorKind::Redirect, source).with_url(url);
        let inner = Error::new(ErrorKind::Connect, "cable pulled");
        let here = "http://u:p@h/a?k#f";
        for (error, shown) in [
            (
                at(here, inner.clone()),
                "could not follow the redirect (http://h/a): could not connect to the server: \
                 cable pulled",
            ),
            (
                at(here, at(here, inner.clone().with_url(here))),
                "could not follow the redirect (http://h/a): could not follow the redirect: could \
                 not connect to the server: cable pulled",
            ),
            (
                at(here, inner.clone().with_url("http://other/")),
                "could not follow the redirect (http://h/a): could not connect to the server \
                 (http://other/): cable pulled",
            ),
            (
                at("nowhere", inner.clone()),
                "could not follow the redirect: could not connect to the server: cable pulled",
            ),
        ] {
            assert_eq!(format!("{error:#}"), shown);
            let kept = error.clone();
            let bare = error.without_url();
            assert_eq!((bare.url(), bare.kind()), (None, ErrorKind::Redirect));
            let shown_bare = shown
                .replace(" (http://h/a)", "")
                .replace(" (http://other/)", "");
            assert_eq!(format!("{bare:#}"), shown_bare);
            assert!(causes(&bare).all(|it| !it.to_string().contains("http")));
            assert_eq!(format!("{kept:#}"), shown, "a clone keeps it");
        }
        assert_eq!(
            at(here, inner).to_string(),
            "could not follow the redirect (http://h/a)"
        );
    }

    #[test]
    fn the_alternate_form_is_the_whole_chain_in_one_line() {
        let error = super::super::tests::nested();
        assert_eq!(error.to_string(), "the connector failed");
        assert_eq!(
            format!("{error:#}"),
            "the connector failed: could not connect to the server: outer line: cable pulled"
        );
        assert_eq!(
            format!("{:#}", Error::of(ErrorKind::Body)),
            "the response was cut off"
        );
        let chain = causes(&error).map(ToString::to_string);
        let chain: Vec<_> = std::iter::once(error.to_string()).chain(chain).collect();
        assert_eq!(
            chain.join(": ").replace(char::is_control, " "),
            format!("{error:#}")
        );
    }
}
