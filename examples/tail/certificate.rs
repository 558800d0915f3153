//! Detects errors about the server's certificate. Retrying won't change them.

use std::error::Error as _;

use everstream::{Error, Failure, Retry};

use crate::terminal::line;

/// If the certificate is the reason for the error: what is wrong with it, and what to do.
pub(crate) fn explain(error: &Error) -> Option<String> {
    let reason = reason(error)?;
    let (reason, may_be_trusted) = match reason.strip_prefix("invalid peer certificate: ") {
        Some("UnknownIssuer") => (
            "it is signed by an authority that this system does not trust",
            true,
        ),
        Some("CaUsedAsEndEntity") => ("it belongs to an authority, not to a server", false),
        Some(reason) => (reason, false),
        None => (&*reason, true),
    };
    let advice = if may_be_trusted {
        "use --cacert FILE to trust that authority, or -k to accept any certificate"
    } else {
        "use -k to accept any certificate"
    };
    Some(format!(
        "the server's certificate was not accepted: {reason}; {advice}"
    ))
}

/// Gives up immediately if the certificate is the reason.
pub(crate) fn retry_when(failure: &Failure<'_>) -> Retry {
    match reason(failure.error()) {
        Some(_) => Retry::GiveUp,
        None => Retry::Default,
    }
}

/// The TLS library's message. Each TLS library has its own error types, so this searches the text: rustls
/// says `invalid peer certificate`, OpenSSL `certificate verify failed`. An alert comes from the server:
/// it means that the server does not accept *our* certificate.
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
