//! What no parser can beat: the scans that each must make, and nothing else.

use std::hint::black_box;

use memchr::{memchr_iter, memchr2_iter};

use super::{Chunks, Contender, Role};

/// All limits, in the order of the tables.
#[must_use]
pub fn all() -> Vec<Contender> {
    vec![
        Contender {
            name: "limit: memchr2 + simdutf8",
            role: Role::Limit,
            run: scan,
            check: |chunks, workload| same(scan(chunks)?, workload.line_ends, "line ends"),
        },
        Contender {
            name: "limit: memchr + allocation",
            role: Role::Limit,
            run: copy,
            check: |chunks, workload| same(copy(chunks)?, workload.expected.events, "events"),
        },
        Contender {
            name: "limit: the chunks alone",
            role: Role::Limit,
            run: chunks_alone,
            check: |chunks, _| {
                let length = chunks.input.len() as u64;
                same(chunks_alone(chunks)?, length, "bytes")
            },
        },
    ]
}

fn same(found: u64, right: u64, what: &str) -> Result<(), String> {
    if found == right {
        return Ok(());
    }
    Err(format!("{found} {what} instead of {right}"))
}

/// Finds every CR and LF, and validates UTF-8, a chunk at a time. Counts the line ends.
fn scan(chunks: Chunks<'_>) -> Result<u64, String> {
    let mut line_ends = 0;
    for chunk in chunks.slices() {
        for at in memchr2_iter(b'\r', b'\n', chunk) {
            black_box(at);
            line_ends += 1;
        }
        // A chunk may begin and end within a character. Whether it is valid is not asked: the
        // scan is as long either way, but for chunks of less than 64 bytes.
        let _ = black_box(simdutf8::basic::from_utf8(chunk));
    }
    Ok(line_ends)
}

/// Finds every LF of the whole input and copies the last `data` line of each block into an
/// allocation of its own. Counts the copies.
fn copy(chunks: Chunks<'_>) -> Result<u64, String> {
    let input = &chunks.input[..];
    let (mut events, mut from, mut data) = (0, 0, None);
    for end in memchr_iter(b'\n', input) {
        let line = &input[from..end];
        from = end + 1;
        match line.first() {
            Some(b'd') => data = Some(line),
            None | Some(b'\r') => {
                if let Some(data) = data.take() {
                    black_box(data.to_vec());
                    events += 1;
                }
            }
            Some(_) => {}
        }
    }
    Ok(events)
}

/// Takes every chunk and does nothing with it: what this harness costs. Counts the bytes.
fn chunks_alone(chunks: Chunks<'_>) -> Result<u64, String> {
    Ok(chunks
        .slices()
        .map(|chunk| black_box(chunk).len() as u64)
        .sum())
}
