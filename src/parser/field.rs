//! line → field: pure functions over the bytes of one line.
//!
//! The grammar, from WHATWG HTML 9.2.5:
//!
//! ```text
//! comment = colon *any-char end-of-line
//! field   = 1*name-char [ colon [ space ] *any-char ] end-of-line
//! ```

/// The fields that the standard defines. All others are ignored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Name {
    Data,
    Event,
    Id,
    Retry,
}

impl Name {
    const fn bytes(self) -> &'static [u8] {
        match self {
            Self::Data => b"data",
            Self::Event => b"event",
            Self::Id => b"id",
            Self::Retry => b"retry",
        }
    }

    /// The length of the name and its colon, in bytes.
    pub(super) const fn wire_len(self) -> usize {
        self.bytes().len() + 1
    }
}

/// The kind of a line, as far as its start determines it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Too short to tell: empty, or the start of a known name.
    Undecided,
    Comment,
    /// A known name and its colon.
    Field(Name),
    Unknown,
}

/// Returns the kind of the line that starts with `line`. Looks at the first six bytes at most.
#[inline]
pub(super) fn kind(line: &[u8]) -> Kind {
    let name = match line.first() {
        None => return Kind::Undecided,
        Some(b':') => return Kind::Comment,
        Some(b'd') => Name::Data,
        Some(b'e') => Name::Event,
        Some(b'i') => Name::Id,
        Some(b'r') => Name::Retry,
        Some(_) => return Kind::Unknown,
    };
    match line.get(name.bytes().len()) {
        Some(b':') if line.starts_with(name.bytes()) => Kind::Field(name),
        None if name.bytes().starts_with(line) => Kind::Undecided,
        _ => Kind::Unknown,
    }
}

/// Returns the kind of the line that starts with `line`, and where its value starts: 0 without a
/// known name and a colon. The line does not end before that position.
#[inline(always)]
pub(super) fn start(line: &[u8]) -> (Kind, usize) {
    if line.starts_with(b"data:") {
        (Kind::Field(Name::Data), value_start(line, Name::Data))
    } else if line.starts_with(b":") {
        (Kind::Comment, 1)
    } else if line.starts_with(b"event:") {
        (Kind::Field(Name::Event), value_start(line, Name::Event))
    } else if line.starts_with(b"id:") {
        (Kind::Field(Name::Id), value_start(line, Name::Id))
    } else if line.starts_with(b"retry:") {
        (Kind::Field(Name::Retry), value_start(line, Name::Retry))
    } else {
        (Kind::Unknown, 0)
    }
}

/// Returns what follows the colon and an optional space, if `line` starts with this name and a
/// colon.
#[inline(always)]
pub(super) fn value(line: &[u8], name: Name) -> Option<&[u8]> {
    match line.strip_prefix(name.bytes())? {
        [b':', b' ', value @ ..] | [b':', value @ ..] => Some(value),
        _ => None,
    }
}

/// Whether a line, or the start of an unfinished line, is a comment or has a known name.
#[cfg(feature = "stream")]
pub(crate) fn is_field_or_comment(line: &[u8], has_ended: bool) -> bool {
    match kind(line) {
        Kind::Comment | Kind::Field(_) => true,
        Kind::Undecided | Kind::Unknown => has_ended && name_alone(line).is_some(),
    }
}

/// Returns the known name that a complete line without a colon consists of, if any.
///
/// "If the line is not empty but does not contain a colon: process the field using the whole line
/// as the field name, and the empty string as the field value."
#[cold]
pub(super) fn name_alone(line: &[u8]) -> Option<Name> {
    [Name::Data, Name::Event, Name::Id, Name::Retry]
        .into_iter()
        .find(|name| name.bytes() == line)
}

/// Returns where the value of a field starts: after the colon and an optional space.
#[inline]
pub(super) fn value_start(line: &[u8], name: Name) -> usize {
    let after_colon = name.wire_len();
    after_colon + usize::from(line.get(after_colon) == Some(&b' '))
}

/// Returns the milliseconds of a `retry` value: "only ASCII digits", at least one. A number that
/// does not fit becomes `u64::MAX`.
pub(super) fn retry_millis(value: &[u8]) -> Option<u64> {
    if value.is_empty() || !value.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let digits = value.iter().map(|digit| u64::from(digit - b'0'));
    Some(digits.fold(0, |millis: u64, digit| {
        millis.saturating_mul(10).saturating_add(digit)
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kind_is_known_as_early_as_possible() {
        for (line, expected) in [
            ("", Kind::Undecided),
            ("d", Kind::Undecided),
            ("data", Kind::Undecided),
            ("data:", Kind::Field(Name::Data)),
            ("data: x", Kind::Field(Name::Data)),
            ("datas", Kind::Unknown),
            ("datas:", Kind::Unknown),
            ("Data:", Kind::Unknown),
            (" data:", Kind::Unknown),
            ("id", Kind::Undecided),
            ("id:", Kind::Field(Name::Id)),
            ("ide", Kind::Unknown),
            ("event:", Kind::Field(Name::Event)),
            ("event\0", Kind::Unknown),
            ("retr", Kind::Undecided),
            ("retry:", Kind::Field(Name::Retry)),
            (":", Kind::Comment),
            (": x", Kind::Comment),
            ("\u{feff}", Kind::Unknown),
        ] {
            assert_eq!(kind(line.as_bytes()), expected, "{line:?}");
        }
    }

    #[test]
    fn one_space_belongs_to_the_colon() {
        for (line, expected) in [
            ("data", Some((Name::Data, ""))),
            ("data:", Some((Name::Data, ""))),
            ("data: ", Some((Name::Data, ""))),
            ("data:x", Some((Name::Data, "x"))),
            ("data: x", Some((Name::Data, "x"))),
            ("data:  x", Some((Name::Data, " x"))),
            ("id:\t7", Some((Name::Id, "\t7"))),
            ("event: a:b", Some((Name::Event, "a:b"))),
            ("retry", Some((Name::Retry, ""))),
            ("dat", None),
            ("foo: x", None),
        ] {
            let found = match start(line.as_bytes()) {
                (Kind::Field(name), start) => Some((name, &line[start..])),
                _ => name_alone(line.as_bytes()).map(|name| (name, "")),
            };
            assert_eq!(found, expected, "{line:?}");
        }
    }

    #[test]
    fn retry_accepts_only_digits_and_saturates() {
        for (value, expected) in [
            ("0", Some(0)),
            ("03000", Some(3000)),
            ("18446744073709551615", Some(u64::MAX)),
            ("18446744073709551616", Some(u64::MAX)),
            ("", None),
            ("-1", None),
            ("+1", None),
            ("1.5", None),
            ("1 ", None),
            ("１", None),
        ] {
            assert_eq!(retry_millis(value.as_bytes()), expected, "{value:?}");
        }
    }
}
