//! Tables as Markdown, so that they can be pasted as they are.

use std::fmt::Write;

/// Lays out rows under a head, every column as wide as its widest entry.
#[must_use]
pub fn markdown(head: &[String], rows: &[Vec<String>]) -> String {
    let width = |column: usize| {
        let entries = rows.iter().filter_map(|row| row.get(column));
        let widths = entries
            .chain(head.get(column))
            .map(|text| text.chars().count());
        widths.max().unwrap_or_default()
    };
    let widths: Vec<usize> = (0..head.len()).map(width).collect();
    let mut out = String::new();
    line(&mut out, head, &widths);
    let rule: Vec<String> = widths
        .iter()
        .enumerate()
        .map(|(column, width)| match column {
            0 => "-".repeat(*width),
            _ => format!("{}:", "-".repeat(width.saturating_sub(1))),
        })
        .collect();
    line(&mut out, &rule, &widths);
    for row in rows {
        line(&mut out, row, &widths);
    }
    out
}

fn line(out: &mut String, entries: &[String], widths: &[usize]) {
    for (column, (entry, width)) in entries.iter().zip(widths).enumerate() {
        // Writing to a string cannot fail.
        let _ = match column {
            0 => write!(out, "| {entry:<width$} "),
            _ => write!(out, "| {entry:>width$} "),
        };
    }
    out.push_str("|\n");
}

/// A number of nanoseconds, or of anything else, in at most four digits: `8.52`, `83`, `47.8k`.
#[must_use]
pub fn short(number: f64) -> String {
    match number {
        n if n < 10.0 => format!("{n:.2}"),
        n if n < 100.0 => format!("{n:.1}"),
        n if n < 10_000.0 => format!("{n:.0}"),
        n if n < 100_000.0 => format!("{:.1}k", n / 1e3),
        n if n < 10_000_000.0 => format!("{:.0}k", n / 1e3),
        n => format!("{:.1}M", n / 1e6),
    }
}

/// A number of bytes: `64 B`, `1460 B`, `16 KiB`, `15 MiB`.
#[must_use]
pub fn bytes(number: usize) -> String {
    match number {
        n if n >= 1 << 20 && n.is_multiple_of(1 << 20) => format!("{} MiB", n >> 20),
        n if n >= 1 << 10 && n.is_multiple_of(1 << 10) => format!("{} KiB", n >> 10),
        n => format!("{n} B"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        let numbers = [0.5, 8.516, 83.2, 524.7, 47_812.0, 4_175_000.0, 12_000_000.0];
        let texts = ["0.50", "8.52", "83.2", "525", "47.8k", "4175k", "12.0M"];
        assert_eq!(numbers.map(short), texts);
    }

    #[test]
    fn sizes_are_in_their_own_unit() {
        let sizes = [1, 1460, 16 << 10, 15 << 20];
        assert_eq!(sizes.map(bytes), ["1 B", "1460 B", "16 KiB", "15 MiB"]);
    }

    #[test]
    fn columns_are_as_wide_as_they_must() {
        let row = |texts: [&str; 2]| texts.map(String::from).to_vec();
        let table = markdown(&row(["", "tiny"]), &[row(["sse-core", "49"])]);
        assert_eq!(
            table,
            "|          | tiny |\n| -------- | ---: |\n| sse-core |   49 |\n"
        );
    }
}
