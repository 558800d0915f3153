//! What the examples show of what a server said.

#[path = "../../examples/support/terminal.rs"]
mod support;

use support::{harmless, line, write_json};

#[test]
fn escaped_text_cannot_control_a_terminal() {
    for (text, shown) in [
        ("", ""),
        (
            "as it is: ä 👩‍🚀 שלום\n\tand on",
            "as it is: ä 👩‍🚀 שלום\n\tand on",
        ),
        ("\x1b[31mred\x1b[0m", "␛[31mred␛[0m"),
        ("\x1b]0;title\x07", "␛]0;title␇"),
        ("\0\x08\x0b\x0c\x0e\x1f", "␀␈␋␌␎␟"),
        ("back\rover", "back␍over"),
        ("Windows\r\nlines\r\n", "Windows\nlines\n"),
        (
            "\x7f\u{80}\u{9b}31m\u{9d}\u{9f}",
            "␡\u{fffd}\u{fffd}31m\u{fffd}\u{fffd}",
        ),
        (
            "\u{202a}\u{202e}\u{2066}\u{2069}",
            "\u{fffd}\u{fffd}\u{fffd}\u{fffd}",
        ),
        (
            "\u{200e}\u{200f}\u{200d}\u{2028}\u{206a}",
            "\u{200e}\u{200f}\u{200d}\u{2028}\u{206a}",
        ),
    ] {
        assert_eq!(harmless(text), shown, "{text:?}");
    }
}

#[test]
fn a_line_is_truncated_to_fit() {
    assert_eq!(line(" a\r\n\tb\x1b[2J \u{202e} "), "a b␛[2J \u{fffd}");
    let long = line(&"ä".repeat(500));
    assert_eq!(long, format!("{}…", "ä".repeat(400)));
}

/// Every character there is: what is left of those that are commands is an escape, and reads back.
#[test]
fn json_escapes_control_characters_without_loss() {
    let all: String = ('\0'..=char::MAX).collect();
    let mut json = Vec::new();
    write_json(&mut json, &all).unwrap();
    let json = String::from_utf8(json).unwrap();
    assert_eq!(harmless(&json), json);
    assert!(json.contains(r"\u001b") && json.contains(r"\u009b") && json.contains(r"\u202e"));
    assert_eq!(serde_json::from_str::<String>(&json).unwrap(), all);
}
