//! [`ContentType`]: which content types are taken for an event stream.

use http::{HeaderMap, header};

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
    pub(super) fn expected(&self) -> String {
        match self {
            Self::EventStream => "`text/event-stream`".to_owned(),
            Self::OneOf(list) => {
                let list: Vec<_> = list.iter().map(|it| format!("`{it}`")).collect();
                list.join(" or ")
            }
            Self::Any => "any content type".to_owned(),
        }
    }

    pub(super) fn accepts(&self, headers: &HeaderMap) -> bool {
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
pub(super) fn essence(headers: &HeaderMap) -> Option<&str> {
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
