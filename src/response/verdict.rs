//! Decides whether a response is an event stream.

use http::{HeaderMap, header};

use super::{Accepted, content_type::essence};
use crate::{error::ErrorKind, transport::Head};

/// The decision about a response, from its head.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Stream,
    /// Not an event stream: the kind of the error, and a message if there is a better one than the
    /// kind's own.
    Refused(ErrorKind, Option<String>),
}

/// "If res's status is not 200, or if res's `Content-Type` is not `text/event-stream`, then fail
/// the connection" (WHATWG HTML 9.2.3).
pub(super) fn verdict(head: &Head, accepted: &Accepted) -> Verdict {
    let headers = head.headers();
    if !accepted.status(head.status()) {
        return Verdict::Refused(ErrorKind::Status, None);
    }
    if !accepted.content_type.accepts(headers) {
        let expected = accepted.content_type.expected();
        let message = match essence(headers) {
            None => format!("expected {expected}, got a response without a content type"),
            Some(essence) => format!("expected {expected}, got `{}`", short(essence)),
        };
        return Verdict::Refused(ErrorKind::ContentType, Some(message));
    }
    match coding(headers) {
        None => Verdict::Stream,
        Some(coding) => {
            let message = format!(
                "the response is compressed with `{coding}`, and the HTTP client did not \
                 decompress it: enable its decompression, or send `Accept-Encoding: identity`",
            );
            Verdict::Refused(ErrorKind::ContentEncoding, Some(message))
        }
    }
}

/// All content codings in IANA's registry, except `identity`.
const CODINGS: [&str; 12] = [
    "aes128gcm",
    "br",
    "compress",
    "dcb",
    "dcz",
    "deflate",
    "exi",
    "gzip",
    "pack200-gzip",
    "x-compress",
    "x-gzip",
    "zstd",
];

/// Returns the coding of the body, if any. Unknown codings are ignored: "if codings are not
/// supported, then return bytes" (WHATWG Fetch, "handle content codings"). Some servers send
/// `Content-Encoding: none` to keep their own middleware from compressing a stream.
fn coding(headers: &HeaderMap) -> Option<&str> {
    headers
        .get_all(header::CONTENT_ENCODING)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .find(|name| CODINGS.iter().any(|it| it.eq_ignore_ascii_case(name)))
}

/// Shortens a header value to fit in a message.
fn short(value: &str) -> String {
    const FITS: usize = 80;
    value
        .chars()
        .take(FITS)
        .flat_map(char::escape_default)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::{HeaderName, HeaderValue, StatusCode};

    use crate::{
        response::ContentType,
        transport::{Body, Response},
    };

    fn refusal(
        status: StatusCode,
        headers: &HeaderMap,
        content_type: &ContentType,
    ) -> Option<(ErrorKind, Option<String>)> {
        let accepted = Accepted {
            content_type: content_type.clone(),
            ..Accepted::default()
        };
        let response = Response::new(status, headers.clone(), Body::empty());
        match verdict(response.head(), &accepted) {
            Verdict::Stream => None,
            Verdict::Refused(kind, message) => Some((kind, message)),
        }
    }

    fn headers(list: &[(HeaderName, &str)]) -> HeaderMap {
        list.iter()
            .map(|(name, value)| (name.clone(), HeaderValue::from_str(value).unwrap()))
            .collect()
    }

    #[test]
    fn only_the_essence_is_compared() {
        for (value, accepted) in [
            ("text/event-stream", true),
            ("Text/Event-Stream", true),
            ("text/event-stream;charset=utf-8", true),
            ("text/event-stream ; charset=windows-1252", true),
            ("text/event-stream;", true),
            ("text/event-stream;bogus", true),
            (" text/event-stream", true),
            ("text/html, text/event-stream", true),
            ("text/event-stream, text/html", false),
            ("text/event-stream, */*", true),
            ("text/event-stream, (none)/x", true),
            ("text/event-stream; charset=\u{e9}", true),
            ("text/event-stream;x=\"a,text/html\"", true),
            ("text/event-stream;x=\"a, text/html, b\"", true),
            ("text/event-stream;x=\"\\\", text/html, \"", true),
            ("text/event-stream;x=\\\", text/html, \"", true),
            ("text/html;x=\"a\\\",text/event-stream\"", false),
            ("text/html;x=\"a\",text/event-stream", true),
            ("text/event-streamfoo", false),
            ("text/event-stream foo", false),
            ("text/html", false),
            ("event-stream", false),
            ("", false),
        ] {
            let headers = headers(&[(header::CONTENT_TYPE, value)]);
            let refused = refusal(StatusCode::OK, &headers, &ContentType::EventStream);
            assert_eq!(refused.is_none(), accepted, "{value:?}");
        }
        assert!(refusal(StatusCode::OK, &HeaderMap::new(), &ContentType::EventStream).is_some());
    }

    #[test]
    fn several_values_are_one_list() {
        for (first, second, essence_of_all) in [
            ("text/html", "text/event-stream", Some("text/event-stream")),
            ("text/event-stream", "", Some("text/event-stream")),
            ("text/html;x=\"", "text/event-stream", Some("text/html")),
            ("text/html;x=\"", "a\", text/plain", Some("text/plain")),
            ("text/html;x=\"\\", "a\", text/plain", Some("text/plain")),
            ("*/*", "text", None),
        ] {
            let list = [
                (header::CONTENT_TYPE, first),
                (header::CONTENT_TYPE, second),
            ];
            let mut all = HeaderMap::new();
            for (name, value) in list {
                all.append(name, HeaderValue::from_str(value).unwrap());
            }
            assert_eq!(essence(&all), essence_of_all, "{first:?}, {second:?}");
        }
    }

    #[test]
    fn strictness_can_be_set() {
        let plain = headers(&[(header::CONTENT_TYPE, "text/plain; charset=utf-8")]);
        let list = ContentType::OneOf(vec!["Text/Plain".into()]);
        assert_eq!(refusal(StatusCode::OK, &plain, &list), None);
        assert_eq!(refusal(StatusCode::OK, &plain, &ContentType::Any), None);
        assert_eq!(
            refusal(StatusCode::OK, &HeaderMap::new(), &ContentType::Any),
            None
        );
        assert!(refusal(StatusCode::OK, &HeaderMap::new(), &list).is_some());
    }

    #[test]
    fn only_200_is_a_stream() {
        let ok = headers(&[(header::CONTENT_TYPE, "text/event-stream")]);
        for status in [201, 202, 204, 205, 206, 304, 404, 500] {
            let status = StatusCode::from_u16(status).unwrap();
            let refused = refusal(status, &ok, &ContentType::Any);
            assert_eq!(refused, Some((ErrorKind::Status, None)));
        }
    }

    #[test]
    fn only_real_content_codings_are_named() {
        for (encoding, named) in [
            ("identity", None),
            ("", None),
            ("none", None),
            ("utf-8", None),
            ("chunked, none", None),
            ("gzip", Some("gzip")),
            ("GZip", Some("GZip")),
            ("x-gzip", Some("x-gzip")),
            ("br", Some("br")),
            (" zstd ", Some("zstd")),
            ("none,deflate", Some("deflate")),
            ("gzip, identity", Some("gzip")),
        ] {
            let headers = headers(&[
                (header::CONTENT_TYPE, "text/event-stream"),
                (header::CONTENT_ENCODING, encoding),
            ]);
            let refused = refusal(StatusCode::OK, &headers, &ContentType::Any);
            let message = refused.and_then(|(_, message)| message);
            let what = message.as_ref().and_then(|text| text.split('`').nth(1));
            assert_eq!(what, named, "{encoding:?}");
        }
    }
}
