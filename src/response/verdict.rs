//! What a response means.

use std::time::{Duration, SystemTime};

use http::{HeaderMap, StatusCode, header};

use crate::error::ErrorKind;

/// Which content types are taken for an event stream.
///
/// Compared is the essence, `type/subtype`, without parameters and regardless of case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ContentType {
    /// `text/event-stream` and nothing else, as the standard says.
    #[default]
    EventStream,
    /// One of these essences, such as `text/plain` for a server that mislabels its streams.
    OneOf(Vec<String>),
    /// Anything, or none at all.
    Any,
}

impl ContentType {
    /// What is accepted, in words.
    fn expected(&self) -> String {
        match self {
            Self::EventStream => "`text/event-stream`".to_owned(),
            Self::OneOf(list) => {
                let list: Vec<_> = list.iter().map(|it| format!("`{it}`")).collect();
                list.join(" or ")
            }
            Self::Any => "any content type".to_owned(),
        }
    }

    fn accepts(&self, headers: &HeaderMap) -> bool {
        let essence = essence(headers);
        let is = |wanted: &str| essence.is_some_and(|is| is.eq_ignore_ascii_case(wanted));
        match self {
            Self::EventStream => is("text/event-stream"),
            Self::OneOf(list) => list.iter().any(|wanted| is(wanted)),
            Self::Any => true,
        }
    }
}

/// The essence of the response's MIME type, as "extract a MIME type" has it (WHATWG Fetch 2.2.2):
/// of several, the last one that is a type and not `*/*`. A comma within a quoted parameter
/// separates nothing.
pub(crate) fn essence(headers: &HeaderMap) -> Option<&str> {
    let mut last = None;
    // A quote that is not closed goes on in the next value, as if all were one.
    let mut quoted = false;
    for value in headers.get_all(header::CONTENT_TYPE) {
        let value = value.as_bytes();
        // Where a type begins; `None` in what is left of an earlier value's.
        let mut start = (!quoted).then_some(0);
        let mut escaped = false;
        for (at, byte) in value.iter().enumerate() {
            match byte {
                _ if escaped => escaped = false,
                b'\\' if quoted => escaped = true,
                b'"' => quoted = !quoted,
                b',' if !quoted => {
                    last = start
                        .and_then(|start| one_essence(&value[start..at]))
                        .or(last);
                    start = Some(at + 1);
                }
                _ => {}
            }
        }
        last = start
            .and_then(|start| one_essence(&value[start..]))
            .or(last);
    }
    last
}

/// "Parse a MIME type" (WHATWG MIME Sniffing 4.4), as far as the essence.
fn one_essence(value: &[u8]) -> Option<&str> {
    let essence = value.split(|&byte| byte == b';').next()?;
    let essence = std::str::from_utf8(essence).ok()?;
    let essence = essence.trim_matches([' ', '\t', '\r', '\n']);
    let (kind, subtype) = essence.split_once('/')?;
    let is_token_byte =
        |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    let token = |part: &str| !part.is_empty() && part.bytes().all(is_token_byte);
    (token(kind) && token(subtype) && essence != "*/*").then_some(essence)
}

/// Why a response is no event stream, and the words for it. `None` where it is one.
///
/// "If res's status is not 200, or if res's `Content-Type` is not `text/event-stream`, then fail
/// the connection" (WHATWG HTML 9.2.3).
pub(crate) fn refusal(
    status: StatusCode,
    headers: &HeaderMap,
    accepted: &ContentType,
) -> Option<(ErrorKind, Option<String>)> {
    if status != StatusCode::OK {
        return Some((ErrorKind::Status, None));
    }
    if !accepted.accepts(headers) {
        let got = essence(headers).map_or_else(
            || "no content type".to_owned(),
            |essence| format!("`{}`", short(essence)),
        );
        let message = format!("expected {}, got {got}", accepted.expected());
        return Some((ErrorKind::ContentType, Some(message)));
    }
    coding(headers).map(|coding| {
        let message = format!(
            "the response is compressed with `{coding}`, which the HTTP client does not undo: \
             enable that, or ask for `Accept-Encoding: identity`",
        );
        (ErrorKind::ContentEncoding, Some(message))
    })
}

/// The content codings there are (IANA's registry), but for `identity`.
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

/// The coding that is left on the body. What is no coding at all has done nothing to it: "if
/// codings are not supported, then return bytes" (WHATWG Fetch, "handle content codings"). Servers
/// say `Content-Encoding: none` to keep their own middleware from compressing a stream.
fn coding(headers: &HeaderMap) -> Option<&str> {
    headers
        .get_all(header::CONTENT_ENCODING)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .find(|name| CODINGS.iter().any(|it| it.eq_ignore_ascii_case(name)))
}

/// As much of a header's value as fits a message.
fn short(value: &str) -> String {
    const FITS: usize = 80;
    value
        .chars()
        .take(FITS)
        .flat_map(char::escape_default)
        .collect()
}

/// How long the server asked to be left alone: `Retry-After` (RFC 9110 10.2.3), counted from
/// now. A date counts from the server's own `Date`, where it gives one: its clock may be wrong,
/// but not against itself.
pub(crate) fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let value = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        // More seconds than fit are for ever all the same.
        return Some(Duration::from_secs(value.parse().unwrap_or(u64::MAX)));
    }
    let until = httpdate::parse_http_date(value).ok()?;
    let now = headers
        .get(header::DATE)
        .and_then(|date| httpdate::parse_http_date(date.to_str().ok()?).ok())
        .unwrap_or(now);
    Some(until.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::{HeaderName, HeaderValue};

    fn headers(list: &[(HeaderName, &str)]) -> HeaderMap {
        list.iter()
            .map(|(name, value)| (name.clone(), HeaderValue::from_str(value).unwrap()))
            .collect()
    }

    #[test]
    fn the_essence_alone_is_compared() {
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
    fn how_strict_can_be_set() {
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
    fn a_content_coding_is_named_and_what_is_none_is_let_be() {
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

    #[test]
    fn retry_after_comes_in_both_forms() {
        let date = "Sun, 06 Nov 1994 08:49:37 GMT";
        let now = httpdate::parse_http_date(date).unwrap();
        let cases = [
            ("120", None, Some(120)),
            (" 7 ", None, Some(7)),
            ("Sun, 06 Nov 1994 08:50:07 GMT", None, Some(30)),
            ("Sun, 06 Nov 1994 08:50:07 GMT", Some(date), Some(30)),
            (
                "Sun, 06 Nov 1994 08:50:07 GMT",
                Some("Sun, 06 Nov 1994 08:50:00 GMT"),
                Some(7),
            ),
            ("Sun, 06 Nov 1994 08:00:00 GMT", None, Some(0)),
            ("99999999999999999999999", None, Some(u64::MAX)),
            ("soon", None, None),
            ("-1", None, None),
            ("1.5", None, None),
            ("", None, None),
        ];
        for (value, date, expected) in cases {
            let mut list = vec![(header::RETRY_AFTER, value)];
            list.extend(date.map(|date| (header::DATE, date)));
            assert_eq!(
                retry_after(&headers(&list), now),
                expected.map(Duration::from_secs),
                "{value:?}"
            );
        }
    }
}
