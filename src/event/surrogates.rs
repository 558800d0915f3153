//! Halves of surrogate pairs in JSON: `\ud83c` at the end of one event, `\udf0d` at the start of
//! the next.
//!
//! A server that splits text by UTF-16 code units may split a character. Each half is a valid
//! escape in the grammar of JSON ([RFC 8259, section 8.2]), but not a character, so a strict parser
//! rejects the whole event. Here, at most the half is lost.
//!
//! Only escapes within strings are considered, and only in data that starts like JSON. Data without
//! a half is never copied.
//!
//! [RFC 8259, section 8.2]: https://www.rfc-editor.org/rfc/rfc8259#section-8.2

use alloc::{borrow::Cow, string::String};

use memchr::{memchr, memchr_iter, memchr2};

use crate::event::{Event, EventRef};

/// The replacement for a half that is lost.
const REPLACEMENT: &str = r"\ufffd";

/// The length of an escape: `\ud83c`.
const ESCAPE: usize = 6;

impl Event {
    /// Reads the data as JSON, like [`json`](Self::json), but replaces every unpaired half of a
    /// surrogate pair with U+FFFD: `\ud83c` that is not followed by `\udf0d`.
    ///
    /// `json` rejects such data, because a half is not a character. If the other half arrives in
    /// the next event, use [`SurrogateJoiner`] to join them.
    ///
    /// ```
    /// # use everstream::Event;
    /// let event = Event::new(r#"{"text":"Hi \ud83c"}"#);
    /// assert!(event.json::<serde_json::Value>().is_err());
    /// let value: serde_json::Value = event.json_lossy()?;
    /// assert_eq!(value["text"], "Hi \u{fffd}");
    /// # Ok::<(), everstream::JsonError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`JsonError`](crate::JsonError) if the data is not JSON, or does not fit `T`.
    pub fn json_lossy<T: serde::de::DeserializeOwned>(&self) -> Result<T, crate::JsonError> {
        super::json::from_data(&replace_lone_surrogates(self.data()))
    }
}

impl EventRef<'_> {
    /// The same as [`Event::json_lossy`].
    ///
    /// # Errors
    ///
    /// [`JsonError`](crate::JsonError) if the data is not JSON, or does not fit `T`.
    pub fn json_lossy<T: serde::de::DeserializeOwned>(&self) -> Result<T, crate::JsonError> {
        super::json::from_data(&replace_lone_surrogates(self.data()))
    }
}

/// Replaces every unpaired half of a surrogate pair in the strings of `json` with U+FFFD.
pub(crate) fn replace_lone_surrogates(json: &str) -> Cow<'_, str> {
    rewrite(json, |_, out| out.push_str(REPLACEMENT))
}

/// Joins the halves of a character that a server has split between two events.
///
/// Pass it the data of each event, in order. A high half at the end of a string is removed from its
/// event and kept. When a later event has a string with the same name that starts with a low half,
/// both halves are put there. Nothing is read ahead, so every event is available immediately.
///
/// ```
/// use everstream::SurrogateJoiner;
///
/// let mut joiner = SurrogateJoiner::new();
/// assert_eq!(joiner.join(r#"{"text":"Hi \ud83c"}"#), r#"{"text":"Hi "}"#);
/// assert_eq!(joiner.join(r#"{"text":"\udf0d!"}"#), r#"{"text":"\ud83c\udf0d!"}"#);
/// ```
///
/// Other events in between, such as keep-alives, usage or other choices, don't matter. If the other
/// half never arrives, the kept half is lost silently, because its event was already returned. Only
/// one high half is kept at a time, and a newer one replaces it. If several strings of an event end
/// with a high half, the last one is kept, and the others become U+FFFD. An unpaired half in the
/// middle of a string, in a name, or at the start of a string without a matching kept half also
/// becomes U+FFFD. Everything else is unchanged.
///
/// Data that is not JSON, and JSON without unpaired halves, is returned unchanged, without a copy.
#[derive(Default, Clone, PartialEq, Eq)]
pub struct SurrogateJoiner {
    kept: Option<Kept>,
}

/// A high half that ended a string.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Kept {
    /// The escape, as written in the JSON.
    escape: String,
    /// The name of the string, as written in the JSON; `None` in an array.
    name: Option<String>,
}

/// Shows no part of an event.
impl core::fmt::Debug for SurrogateJoiner {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("SurrogateJoiner").finish_non_exhaustive()
    }
}

impl SurrogateJoiner {
    /// Creates a joiner. Use one per stream.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns the data of the next event, with its halves joined or replaced.
    pub fn join<'a>(&mut self, data: &'a str) -> Cow<'a, str> {
        let mut last = None;
        walk(data, |half| {
            if half.may_wait() {
                last = Some(half.at);
            }
        });
        rewrite(data, |half, out| {
            let escape = &data[half.at..half.at + ESCAPE];
            let is_other = |kept: &mut Kept| half.begins && kept.name.as_deref() == half.name;
            if half.may_wait() {
                if last == Some(half.at) {
                    self.kept = Some(Kept {
                        escape: escape.into(),
                        name: half.name.map(Into::into),
                    });
                } else {
                    out.push_str(REPLACEMENT);
                }
            } else if let Some(kept) = self.kept.take_if(|kept| half.is_low && is_other(kept)) {
                out.push_str(&kept.escape);
                out.push_str(escape);
            } else {
                out.push_str(REPLACEMENT);
            }
        })
    }

    /// Returns the next event, with the halves in its data joined or replaced.
    #[must_use]
    pub fn join_event(&mut self, event: Event) -> Event {
        match self.join(event.data()) {
            Cow::Borrowed(_) => event,
            Cow::Owned(data) => Event::new(data)
                .with_event_type(event.event_type())
                .with_id(event.id()),
        }
    }
}

/// The escape of an unpaired half.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Half<'a> {
    /// The offset of its backslash.
    at: usize,
    is_low: bool,
    /// Whether its string starts with it.
    begins: bool,
    /// Whether its string ends with it.
    ends: bool,
    /// Whether its string is the name of a member.
    in_name: bool,
    /// The name of the member whose value its string is.
    name: Option<&'a str>,
}

impl Half<'_> {
    /// Whether its other half may arrive in a later event.
    fn may_wait(&self) -> bool {
        !self.is_low && self.ends && !self.in_name
    }
}

/// Returns `json`, with each unpaired half replaced by what `replace` writes.
fn rewrite<'a>(json: &'a str, mut replace: impl FnMut(&Half<'a>, &mut String)) -> Cow<'a, str> {
    let mut out = String::new();
    let mut copied = None;
    walk(json, |half| {
        out.push_str(&json[copied.unwrap_or(0)..half.at]);
        replace(&half, &mut out);
        copied = Some(half.at + ESCAPE);
    });
    match copied {
        None => Cow::Borrowed(json),
        Some(copied) => {
            out.push_str(&json[copied..]);
            Cow::Owned(out)
        }
    }
}

/// Calls `each` for every unpaired half in the strings of `json`.
fn walk<'a>(json: &'a str, mut each: impl FnMut(Half<'a>)) {
    let bytes = json.as_bytes();
    let is_json = matches!(bytes.trim_ascii_start().first(), Some(b'{' | b'[' | b'"'));
    if !is_json || !may_contain_a_surrogate(bytes) {
        return;
    }
    // The last name, and the offset of its colon.
    let mut named: Option<(&str, usize)> = None;
    let mut from = 0;
    while let Some(quote) = memchr(b'"', &bytes[from..]) {
        let start = from + quote + 1;
        let Some(end) = string_end(bytes, start) else {
            return;
        };
        from = end + 1;
        let after = bytes[from..].trim_ascii_start();
        let in_name = after.first() == Some(&b':');
        let name = named.take().filter(|(_, colon)| {
            let between = &bytes[colon + 1..start - 1];
            between.trim_ascii().is_empty()
        });
        if in_name {
            named = Some((&json[start..end], bytes.len() - after.len()));
        }
        halves(bytes, start..end, |half| {
            each(Half {
                in_name,
                name: name.map(|(name, _)| name),
                ..half
            });
        });
    }
}

/// Only looks at the backslashes. For most JSON this is enough.
fn may_contain_a_surrogate(bytes: &[u8]) -> bool {
    memchr_iter(b'\\', bytes).any(|at| matches!(bytes.get(at + 1..at + 3), Some(b"ud" | b"uD")))
}

/// Returns the offset of the quote that ends the string that starts at `start`.
fn string_end(bytes: &[u8], start: usize) -> Option<usize> {
    let mut at = start;
    loop {
        at += memchr2(b'"', b'\\', bytes.get(at..)?)?;
        if bytes[at] == b'"' {
            return Some(at);
        }
        at += 2;
    }
}

/// Calls `each` for every unpaired half in one string.
fn halves<'a>(bytes: &[u8], string: core::ops::Range<usize>, mut each: impl FnMut(Half<'a>)) {
    let mut at = string.start;
    while let Some(backslash) = memchr(b'\\', &bytes[at..string.end]) {
        at += backslash;
        let unit = |at: usize| code_unit(&bytes[at.min(string.end)..string.end]);
        let Some(first @ 0xd800..=0xdfff) = unit(at) else {
            at += 2;
            continue;
        };
        let is_low = first >= 0xdc00;
        if !is_low && matches!(unit(at + ESCAPE), Some(0xdc00..=0xdfff)) {
            at += 2 * ESCAPE;
            continue;
        }
        each(Half {
            at,
            is_low,
            begins: at == string.start,
            ends: at + ESCAPE == string.end,
            in_name: false,
            name: None,
        });
        at += ESCAPE;
    }
}

/// Returns the code unit of the escape at the start of `bytes`.
fn code_unit(bytes: &[u8]) -> Option<u16> {
    let digits = bytes.strip_prefix(b"\\u")?.get(..4)?;
    digits.iter().try_fold(0, |unit, digit| {
        let digit = char::from(*digit).to_digit(16)?;
        Some(unit << 4 | u16::try_from(digit).ok()?)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::{format, vec::Vec};
    use proptest::prelude::*;
    use serde_json::Value;

    #[test]
    fn a_lone_surrogate_becomes_the_replacement_character() {
        for (json, expected) in [
            (r#""\ud83c""#, r#""\ufffd""#),
            (r#""a\ud83cb\uDF0Dc""#, r#""a\ufffdb\ufffdc""#),
            (
                r#""\ud83c\ud83c\udf0d\udf0d""#,
                r#""\ufffd\ud83c\udf0d\ufffd""#,
            ),
            (r#"{"\ud83c":["\ud83c"]}"#, r#"{"\ufffd":["\ufffd"]}"#),
            // An escaped backslash does not start an escape.
            (r#""\\\ud83c""#, r#""\\\ufffd""#),
            (" \n[\"\\ud83c\"]", " \n[\"\\ufffd\"]"),
        ] {
            assert_eq!(replace_lone_surrogates(json), expected);
        }
    }

    #[test]
    fn text_without_lone_surrogates_is_not_copied() {
        for json in [
            "",
            "[DONE]",
            r#"{"a":"b"}"#,
            r#""\ud83c\udf0d""#,
            r#""\uD83C\uDF0D \u4f60 \n""#,
            r#""\\ud83c""#,
            r#"{"code":"\\ud83c\\udf0d","n":1}"#,
            // Not JSON: a path, and an unterminated string.
            r"C:\ud83c",
            r#"C:"\ud83c""#,
            r#""\ud83c"#,
            r#""\ud83"#,
            r#"{"a":"\ud83","b":"\u"}"#,
            r#"[\ud83c]"#,
        ] {
            assert!(
                matches!(replace_lone_surrogates(json), Cow::Borrowed(_)),
                "{json}"
            );
            let joined = SurrogateJoiner::new();
            assert!(
                matches!(joined.clone().join(json), Cow::Borrowed(_)),
                "{json}"
            );
        }
    }

    #[test]
    fn surrogates_are_joined_across_events() {
        let table: [(&str, &[(&str, &str)]); 9] = [
            (
                "the next event",
                &[
                    (r#"{"a":"x\ud83c"}"#, r#"{"a":"x"}"#),
                    (r#"{"a":"\udf0dy"}"#, r#"{"a":"\ud83c\udf0dy"}"#),
                    (r#"{"a":"\udf0dy"}"#, r#"{"a":"\ufffdy"}"#),
                ],
            ),
            (
                "events in between",
                &[
                    (r#"{"a":"\uD83C"}"#, r#"{"a":""}"#),
                    (r#"{"type":"ping"}"#, r#"{"type":"ping"}"#),
                    ("", ""),
                    (r#"{"a":"other"}"#, r#"{"a":"other"}"#),
                    (r#"{"a" : "\uDF0D"}"#, r#"{"a" : "\uD83C\uDF0D"}"#),
                ],
            ),
            (
                "both ends of one string",
                &[
                    (r#"["\ud83c"]"#, r#"[""]"#),
                    (r#"["\udf0d\ud83d"]"#, r#"["\ud83c\udf0d"]"#),
                    (r#"["\ude00"]"#, r#"["\ud83d\ude00"]"#),
                ],
            ),
            (
                "another name",
                &[
                    (r#"{"a":"\ud83c"}"#, r#"{"a":""}"#),
                    (r#"{"b":"\udf0d"}"#, r#"{"b":"\ufffd"}"#),
                    (r#"{"b":"","a":"\udf0d"}"#, r#"{"b":"","a":"\ud83c\udf0d"}"#),
                ],
            ),
            (
                "an array in a member has no name of its own",
                &[
                    (r#"{"a":["\ud83c"]}"#, r#"{"a":[""]}"#),
                    (r#"{"a":"\udf0d"}"#, r#"{"a":"\ufffd"}"#),
                    (r#"{"a":["\udf0d"]}"#, r#"{"a":["\ud83c\udf0d"]}"#),
                ],
            ),
            (
                "a newer half takes the place of an older one",
                &[
                    (r#"{"a":"\ud83c"}"#, r#"{"a":""}"#),
                    (r#"{"a":"\ud83d"}"#, r#"{"a":""}"#),
                    (r#"{"a":"\ude00"}"#, r#"{"a":"\ud83d\ude00"}"#),
                ],
            ),
            (
                "the last of an event is kept",
                &[
                    (r#"{"a":"\ud83c","b":"\ud83d"}"#, r#"{"a":"\ufffd","b":""}"#),
                    (r#"{"b":"\ude00"}"#, r#"{"b":"\ud83d\ude00"}"#),
                ],
            ),
            (
                "names are not joined",
                &[
                    (r#"{"\ud83c":1}"#, r#"{"\ufffd":1}"#),
                    (r#"{"\udf0d":1}"#, r#"{"\ufffd":1}"#),
                ],
            ),
            (
                "a half in the middle waits for nothing",
                &[
                    (r#"{"a":"\ud83c "}"#, r#"{"a":"\ufffd "}"#),
                    (r#"{"a":"\udf0d"}"#, r#"{"a":"\ufffd"}"#),
                ],
            ),
        ];
        for (name, events) in table {
            let mut joiner = SurrogateJoiner::new();
            for (data, expected) in events {
                assert_eq!(joiner.join(data), *expected, "{name}");
            }
        }
    }

    #[test]
    fn an_event_keeps_its_type_and_id() {
        let mut joiner = SurrogateJoiner::new();
        for (data, joined) in [(r#"["\ud83c"]"#, r#"[""]"#), (r#"[""]"#, r#"[""]"#)] {
            let event = |data| Event::new(data).with_event_type("delta").with_id("7");
            assert_eq!(joiner.join_event(event(data)), event(joined));
        }
    }

    /// Escapes every character that is not ASCII, as Python's `json` does.
    fn escaped(units: &[u16]) -> String {
        let mut json = String::from("{\"text\":\"");
        for unit in units {
            match u8::try_from(*unit) {
                Ok(byte @ (b'a'..=b'z' | b' ')) => json.push(char::from(byte)),
                _ => json.push_str(&format!("\\u{unit:04x}")),
            }
        }
        json + "\"}"
    }

    fn text(json: &str) -> String {
        let value: Value = serde_json::from_str(json).expect("no half is left");
        value["text"].as_str().expect("a string").into()
    }

    proptest! {
        #[test]
        fn text_split_between_code_units_is_complete_when_joined(
            text_in in "[a-z 你é🌍😀]{0,12}",
            cuts in prop::collection::vec(0_usize..20, 0..6),
        ) {
            let units: Vec<u16> = text_in.encode_utf16().collect();
            let mut cuts: Vec<_> = cuts.into_iter().map(|cut| cut.min(units.len())).collect();
            cuts.extend([0, units.len()]);
            cuts.sort_unstable();
            let mut joiner = SurrogateJoiner::new();
            let pieces = cuts.windows(2).map(|cut| text(&joiner.join(&escaped(&units[cut[0]..cut[1]]))));
            prop_assert_eq!(pieces.collect::<String>(), text_in);
        }

        #[test]
        fn replacement_matches_a_lossy_utf_16_decoder(
            units in prop::collection::vec(
                prop_oneof![Just(0xd83c_u16), Just(0xdf0d), Just(0x61), Just(0x22), Just(0x5c), any::<u16>()],
                0..12,
            ),
        ) {
            let json = escaped(&units);
            let replaced = replace_lone_surrogates(&json);
            prop_assert_eq!(text(&replaced), String::from_utf16_lossy(&units));
            prop_assert_eq!(matches!(replaced, Cow::Borrowed(_)), String::from_utf16(&units).is_ok());
        }

        #[test]
        fn never_panics_on_any_text(json in r#"[\[{":,}\\ud83cf0 é]{0,40}"#) {
            let replaced = replace_lone_surrogates(&json);
            prop_assert_eq!(replace_lone_surrogates(&replaced), replaced.as_ref());
            let mut joiner = SurrogateJoiner::new();
            let _ = (joiner.join(&json).into_owned(), joiner.join(&json));
        }
    }
}
