//! Makes text from a server safe to print.
//!
//! A terminal treats some characters as commands: they set its title, clear the screen, move the
//! cursor over earlier output, or reverse the order of letters. Neither a server nor the author of the
//! text that it forwards should be able to send such commands to your terminal.
#![allow(dead_code, reason = "each example uses a part of this")]

use std::borrow::Cow;
use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};

/// Whether a terminal may treat this character as a command: all control characters except line ends
/// and tabs, and the characters that override the text direction.
fn is_command(c: char) -> bool {
    match c {
        '\n' | '\t' => false,
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => true,
        c => c.is_control(),
    }
}

/// Replaces every character that a terminal may treat as a command with a symbol: `␛` for an escape,
/// `�` for those without a symbol.
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
    // The line ends of Windows are harmless, and their symbols would clutter the text.
    text.replace("\r\n", "\n").chars().map(picture).collect()
}

/// The start of the text, as one harmless line.
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

/// Writes a value as JSON. A program that reads it gets all characters back; a terminal shows escapes
/// such as `\u001b`.
pub(crate) fn write_json(output: impl Write, value: &impl Serialize) -> io::Result<()> {
    let mut serializer = Serializer::with_formatter(output, Escaped);
    Ok(value.serialize(&mut serializer)?)
}

/// JSON only requires the first 32 control characters to be escaped; this escapes all of them.
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
