//! [`ContentType`]: which content types to accept as an event stream.

use http::{HeaderMap, header};

/// Which content types to accept as an event stream.
///
/// Only the essence, `type/subtype`, is compared. Parameters and case are ignored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ContentType {
    /// Accepts only `text/event-stream`, as the standard says.
    #[default]
    EventStream,
    /// Accepts these essences, such as `text/plain` for servers with a wrong content type.
    OneOf(Vec<String>),
    /// Accepts any content type, or none.
    Any,
}

impl ContentType {
    /// Describes the accepted content types for a message.
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

/// Returns the essence of the response's MIME type, as in "extract a MIME type" (WHATWG Fetch
/// 2.2.2). If there are several types, this is the last valid one that is not `*/*`. A comma in a
/// quoted parameter is not a separator.
pub(super) fn essence(headers: &HeaderMap) -> Option<&str> {
    let mut last = None;
    // An unclosed quote continues in the next value, as if all values were joined.
    let mut quoted = false;
    for value in headers.get_all(header::CONTENT_TYPE) {
        let value = value.as_bytes();
        // The start of a type; `None` while still in a quote of an earlier value.
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

/// "Parse a MIME type" (WHATWG MIME Sniffing 4.4), but only the essence.
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
