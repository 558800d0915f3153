//! Walks over JSON text without building values: it finds where members start and end.
//!
//! It knows strings and nesting, but doesn't check numbers and literals. That is all a contract
//! needs. Unlike a parser, it accepts lone surrogates, allocates nothing and has no depth limit. It
//! tells truncated text from a complete object.

use memchr::memchr2;

/// Calls `each` with the name and the value of every member of the object in `text`: the raw name
/// between its quotes, and the raw value. Returns `None` if `text` is not one complete object;
/// `each` may have been called before that is known.
pub(super) fn members<'a>(text: &'a [u8], mut each: impl FnMut(&'a [u8], &'a [u8])) -> Option<()> {
    let mut walk = Walk::new(text);
    walk.take(b'{')?;
    if walk.take(b'}').is_none() {
        loop {
            let name = walk.string()?;
            walk.spaces();
            walk.take(b':')?;
            each(name, walk.value()?);
            if walk.take(b'}').is_some() {
                break;
            }
            walk.take(b',')?;
        }
    }
    walk.end()
}

/// Calls `each` with every element of the array in `text`. Returns `None` as [`members`] does.
pub(super) fn elements<'a>(text: &'a [u8], mut each: impl FnMut(&'a [u8])) -> Option<()> {
    let mut walk = Walk::new(text);
    walk.take(b'[')?;
    if walk.take(b']').is_none() {
        loop {
            each(walk.value()?);
            if walk.take(b']').is_some() {
                break;
            }
            walk.take(b',')?;
        }
    }
    walk.end()
}

/// Returns the raw text between the quotes, if `value` is a string.
pub(super) fn string(value: &[u8]) -> Option<&[u8]> {
    value.strip_prefix(b"\"")?.strip_suffix(b"\"")
}

/// Whether a value is none of `null`, `false`, `0`, an empty string, array or object.
pub(super) fn is_truthy(value: &[u8]) -> bool {
    match value {
        [b'"', inside @ .., b'"'] => !inside.is_empty(),
        [b'{', inside @ .., b'}'] | [b'[', inside @ .., b']'] => !inside.trim_ascii().is_empty(),
        _ => !matches!(value, b"null" | b"false" | b"0"),
    }
}

/// Whether the raw text of a JSON string, between its quotes, equals this ASCII text. `"\u0074ype"`
/// equals `type`.
pub(super) fn is(mut raw: &[u8], text: &str) -> bool {
    let mut left = text.as_bytes();
    if raw.len() <= left.len() || !raw.contains(&b'\\') {
        // An escaped character is longer than the character.
        return raw == left;
    }
    while let Some((byte, rest)) = unescaped(raw) {
        match left.split_first() {
            Some((expected, more)) if *expected == byte => (raw, left) = (rest, more),
            _ => return false,
        }
    }
    raw.is_empty() && left.is_empty()
}

/// Returns the first character, if it is ASCII, and the rest.
fn unescaped(raw: &[u8]) -> Option<(u8, &[u8])> {
    match raw {
        [b'\\', b'u', b'0', b'0', high, low, rest @ ..] => {
            let digit = |byte: &u8| char::from(*byte).to_digit(16);
            let byte = u8::try_from(digit(high)? * 16 + digit(low)?).ok()?;
            byte.is_ascii().then_some((byte, rest))
        }
        [b'\\', escaped @ (b'"' | b'\\' | b'/'), rest @ ..] => Some((*escaped, rest)),
        [b'\\', ..] | [] => None,
        [byte, rest @ ..] => Some((*byte, rest)),
    }
}

struct Walk<'a> {
    rest: &'a [u8],
}

impl<'a> Walk<'a> {
    fn new(text: &'a [u8]) -> Self {
        let mut walk = Self { rest: text };
        walk.spaces();
        walk
    }

    fn spaces(&mut self) {
        self.rest = self.rest.trim_ascii_start();
    }

    /// Takes this byte and the white space after it.
    fn take(&mut self, byte: u8) -> Option<()> {
        self.rest = self.rest.strip_prefix(&[byte])?;
        self.spaces();
        Some(())
    }

    fn end(&self) -> Option<()> {
        self.rest.is_empty().then_some(())
    }

    /// Takes a string, and returns the text between its quotes.
    fn string(&mut self) -> Option<&'a [u8]> {
        let inside = self.rest.strip_prefix(b"\"")?;
        let mut at = 0;
        loop {
            at += memchr2(b'"', b'\\', inside.get(at..)?)?;
            if inside[at] == b'"' {
                self.rest = &inside[at + 1..];
                return Some(&inside[..at]);
            }
            // The backslash and the escaped character.
            at += 2;
        }
    }

    /// Takes a value and the white space after it.
    fn value(&mut self) -> Option<&'a [u8]> {
        let from = self.rest;
        match from.first()? {
            b'"' => {
                self.string()?;
            }
            b'{' | b'[' => self.nested()?,
            _ => self.scalar()?,
        }
        let value = &from[..from.len() - self.rest.len()];
        self.spaces();
        Some(value)
    }

    fn nested(&mut self) -> Option<()> {
        let mut depth = 0_usize;
        loop {
            match self.rest.first()? {
                b'"' => {
                    self.string()?;
                    continue;
                }
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth -= 1,
                _ => {}
            }
            self.rest = &self.rest[1..];
            if depth == 0 {
                return Some(());
            }
        }
    }

    fn scalar(&mut self) -> Option<()> {
        let ends = |byte: &u8| matches!(byte, b',' | b'}' | b']') || byte.is_ascii_whitespace();
        let length = self.rest.iter().position(ends)?;
        self.rest = &self.rest[length..];
        (length > 0).then_some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Map, Value};

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i32>().prop_map(Value::from),
            "[a-z\"\\\\{}\\[\\]:, \u{e9}\u{1f30d}\n]{0,8}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::vec(("[a-c\"\\\\]{0,3}", inner), 0..4)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    fn parsed(text: &[u8]) -> Value {
        serde_json::from_slice(text).expect("a value of the whole is a value")
    }

    /// The object that the walk finds, with each value parsed separately.
    fn walked(text: &[u8]) -> Option<Value> {
        let mut object = Map::new();
        members(text, |name, value| {
            let name = [b"\"", name, b"\""].concat();
            let name = parsed(&name).as_str().expect("a string").to_owned();
            object.insert(name, parsed(value));
        })?;
        Some(Value::Object(object))
    }

    proptest! {
        #[test]
        fn skim_finds_what_a_json_parser_finds(json in any_json(), pretty in any::<bool>()) {
            let text = match pretty {
                true => serde_json::to_string_pretty(&json),
                false => serde_json::to_string(&json),
            }.expect("any value can be written");
            let walked = walked(text.as_bytes());
            prop_assert_eq!(walked, json.is_object().then(|| json.clone()));
            let mut array = Vec::new();
            let walked = elements(text.as_bytes(), |element| array.push(parsed(element)));
            prop_assert_eq!(walked.map(|()| Value::from(array)), json.is_array().then_some(json));
        }

        #[test]
        fn truncated_json_is_incomplete(json in any_json()) {
            let text = serde_json::to_vec(&json).expect("any value can be written");
            for cut in 0..text.len() {
                prop_assert_eq!(members(&text[..cut], |_, _| {}), None);
                prop_assert_eq!(elements(&text[..cut], |_| {}), None);
            }
        }

        #[test]
        fn never_panics_on_any_bytes(bytes in any::<Vec<u8>>(), wild in r#"[\[\]{}",:\\u0-9a ]{0,40}"#) {
            for text in [&bytes[..], wild.as_bytes()] {
                let _ = members(text, |name, value| {
                    let _ = (is(name, "type"), is_truthy(value), string(value));
                });
                let _ = elements(text, |_| {});
            }
        }
    }

    #[test]
    fn an_object_is_all_there_is_and_each_name_has_a_value() {
        for text in [
            r#"{"a":1} x"#,
            r#"{"a":1}}"#,
            r#"{"a":}"#,
            r#"{"a":,"b":1}"#,
            r#"{"a"}"#,
        ] {
            assert_eq!(members(text.as_bytes(), |_, _| {}), None, "{text}");
        }
        for text in ["[1] x", "[1]]", "[,1]", "[1,]"] {
            assert_eq!(elements(text.as_bytes(), |_| {}), None, "{text}");
        }
    }

    #[test]
    fn names_may_be_escaped() {
        for (raw, same) in [
            ("type", true),
            (r"\u0074ype", true),
            (r"typ\u0065", true),
            (r"\u0074\u0079\u0070\u0065", true),
            ("typ", false),
            ("types", false),
            (r"\u0074yp", false),
            (r"\u0074ypes", false),
            (r"\u0074ype\n", false),
            (r"typ\u00e9", false),
            (r"typ\ud83c", false),
            (r"typ\u006", false),
            ("typ\\", false),
            ("typé", false),
        ] {
            assert_eq!(is(raw.as_bytes(), "type"), same, "{raw}");
        }
        assert!(is(br"a\/b", "a/b") && is(br#"\"\\"#, "\"\\"));
    }

    #[test]
    fn empty_values_are_ignored() {
        for value in ["null", "false", "0", r#""""#, "{}", "[]", "{ }", "[\n]"] {
            assert!(!is_truthy(value.as_bytes()), "{value}");
        }
        for value in ["true", "1", "-1", "0.5", r#""0""#, r#"{"a":0}"#, "[0]"] {
            assert!(is_truthy(value.as_bytes()), "{value}");
        }
    }

    #[test]
    fn deep_nesting_does_not_overflow_the_stack() {
        let deep = "[".repeat(1 << 20);
        assert!(members(format!(r#"{{"a":{deep}"#).as_bytes(), |_, _| {}).is_none());
        let whole = format!(r#"{{"a":{deep}{}}}"#, "]".repeat(1 << 20));
        assert!(members(whole.as_bytes(), |_, _| {}).is_some());
    }

    #[test]
    fn lone_surrogates_are_skipped() {
        let mut error = false;
        let text = br#"{"a":"\ud83c","\udf0d":1,"error":"\ud83c"}"#;
        let whole = members(text, |name, value| {
            error |= is(name, "error") && is_truthy(value);
        });
        assert!(whole.is_some() && error);
    }
}
