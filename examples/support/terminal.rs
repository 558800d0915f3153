//! What a server said, made fit to be shown.
//!
//! A terminal takes some characters for commands: they set its title, clear the screen, move the
//! cursor over what was printed before, or turn the order of letters around. A server is not to give
//! such commands, and neither is whoever wrote what it passes on.
#![allow(dead_code, reason = "each example uses its part of this")]

use std::borrow::Cow;
use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};

/// Whether a terminal would take this character for a command: every control character but line
/// ends and tabs, and the characters that override the direction of the text around them.
fn is_command(c: char) -> bool {
    match c {
        '\n' | '\t' => false,
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => true,
        c => c.is_control(),
    }
}

/// The text with a picture in the place of every character that a terminal would take for a
/// command: `␛` for an escape, `�` for those that have no picture.
pub(crate) fn harmless(text: &str) -> Cow<'_, str> {
    if !text.contains(is_command) {
        return Cow::Borrowed(text);
    }
    let picture = |c: char| match u32::from(c) {
        _ if !is_command(c) => c,
        code @ 0..0x20 => char::from_u32(0x2400 + code).unwrap_or(char::REPLACEMENT_CHARACTER),
        0x7f => '\u{2421}',
        _ => char::REPLACEMENT_CHARACTER,
    };
    // What Windows ends its lines with is no harm, and would litter the text.
    text.replace("\r\n", "\n").chars().map(picture).collect()
}

/// As much of the text as fits a line, harmless.
pub(crate) fn line(text: &str) -> String {
    const FITS: usize = 400;
    let words: Vec<_> = text.split_whitespace().collect();
    let mut line = harmless(&words.join(" ")).into_owned();
    if let Some((end, _)) = line.char_indices().nth(FITS) {
        line.truncate(end);
        line.push('…');
    }
    line
}

/// Writes a value as JSON. Whoever reads it gets every character back; a terminal that shows it
/// gets `\u001b` and the like.
pub(crate) fn write_json(output: impl Write, value: &impl Serialize) -> io::Result<()> {
    let mut serializer = Serializer::with_formatter(output, Escaped);
    Ok(value.serialize(&mut serializer)?)
}

/// JSON itself asks only for the first 32 control characters to be escaped.
struct Escaped;

impl Formatter for Escaped {
    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        output: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let mut rest = fragment;
        while let Some((at, command)) = rest.char_indices().find(|&(_, c)| is_command(c)) {
            output.write_all(&rest.as_bytes()[..at])?;
            write!(output, "\\u{:04x}", u32::from(command))?;
            rest = &rest[at + command.len_utf8()..];
        }
        output.write_all(rest.as_bytes())
    }
}
