//! A server whose certificate is not accepted: no attempt will change that.

use std::error::Error as _;

use everstream::{Error, Failure, Retry};

use crate::terminal::line;

/// What is wrong with the certificate, where that is why there is no connection, and what to do.
pub(crate) fn explain(error: &Error) -> Option<String> {
    let reason = reason(error)?;
    let (reason, may_be_trusted) = match reason.strip_prefix("invalid peer certificate: ") {
        Some("UnknownIssuer") => (
            "it is signed by an authority that is not trusted here",
            true,
        ),
        Some("CaUsedAsEndEntity") => ("it is that of an authority, not of a server", false),
        Some(reason) => (reason, false),
        None => (&*reason, true),
    };
    let trust = if may_be_trusted {
        "--cacert FILE trusts that authority, "
    } else {
        ""
    };
    Some(format!(
        "the server's certificate was not accepted: {reason}. {trust}-k accepts any certificate"
    ))
}

/// Gives up at once.
pub(crate) fn retry_when(failure: &Failure<'_>) -> Retry {
    match reason(failure.error()) {
        Some(_) => Retry::GiveUp,
        None => Retry::Default,
    }
}

/// What the TLS library says. There are several of them, each with errors of its own, so it is found
/// by its words: rustls says `invalid peer certificate`, OpenSSL `certificate verify failed`. An
/// alert comes from the server, which does not accept *our* certificate.
fn reason(error: &Error) -> Option<String> {
    let mut reason = None;
    let mut cause = error.source();
    while let Some(error) = cause {
        let words = line(&error.to_string());
        if words.contains("certificate") && !words.contains("alert") {
            reason = Some(words);
        }
        cause = error.source();
    }
    reason
}
