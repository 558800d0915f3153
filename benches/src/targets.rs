//! What everstream promises, as numbers that a run can be held against.
//!
//! A ratio is the fastest peer's time over everstream's: 2 is twice as fast.

use std::time::Duration;

use crate::{
    clients::{Client, Cut},
    contenders::Role,
    workloads::Framing,
};

/// Below this ratio a cell counts as behind. The 3% are what runs differ by.
const NOT_BEHIND: f64 = 0.97;

/// Owned large events may be this much behind: each is a copy into memory of its own, which a peer
/// that hands out the memory it was given need not make.
const OWNED_LARGE: f64 = 0.95;

/// A face may be this much behind where each byte is a chunk of its own, which no server sends.
const BYTE_BY_BYTE: f64 = 0.8;

/// From this size of chunk on, speed is the parser's and not the chunks' own.
const LARGE_CHUNK: usize = 16 << 10;

/// How many times the time of `memchr2 + simdutf8` borrowed events may take, in large chunks.
pub const LIMIT: f64 = 1.35;

/// How many times its own size a large event may take at the peak.
pub const PEAK: f64 = 1.25;

/// The least ratio to the fastest peer, or `None` where nothing is promised.
#[must_use]
pub fn ratio(role: Role, workload: &str, chunk: Framing) -> Option<f64> {
    let large_chunk = is_large(chunk);
    match role {
        Role::Face if chunk == Framing::Bytes(1) => Some(BYTE_BY_BYTE),
        Role::Borrowed if large_chunk => Some(borrowed_ratio(workload)),
        Role::Owned if large_chunk => Some(owned_ratio(workload)),
        Role::Owned if workload == "large" => Some(OWNED_LARGE),
        Role::Face | Role::Borrowed | Role::Owned => Some(NOT_BEHIND),
        Role::Parser | Role::Stream | Role::Limit => None,
    }
}

fn is_large(chunk: Framing) -> bool {
    matches!(chunk, Framing::Bytes(size) if size >= LARGE_CHUNK)
}

fn borrowed_ratio(workload: &str) -> f64 {
    match workload {
        "openai" => 2.5,
        "anthropic" => 3.5,
        "tiny" => 4.0,
        "cjk" => 4.5,
        "crlf3" => 1.7,
        "keepalive" => 1.6,
        "large" => 1.2,
        _ => NOT_BEHIND,
    }
}

fn owned_ratio(workload: &str) -> f64 {
    match workload {
        "openai" => 1.5,
        "tiny" => 1.7,
        "anthropic" => 2.0,
        "cjk" => 3.0,
        "large" => OWNED_LARGE,
        _ => NOT_BEHIND,
    }
}

/// The most times the time of `memchr2 + simdutf8`, or `None` where nothing is promised.
#[must_use]
pub fn limit(role: Role, chunk: Framing) -> Option<f64> {
    (role == Role::Borrowed && is_large(chunk)).then_some(LIMIT)
}

/// The most allocations per event, or `None` where nothing is promised: none when borrowed, one
/// for the data when owned, and one more where every event has an ID of its own.
#[must_use]
pub fn allocations(role: Role, workload: &str) -> Option<f64> {
    match (role, workload) {
        (Role::Borrowed, _) => Some(0.0),
        (Role::Owned | Role::Face, "crlf3") => Some(2.0),
        (Role::Owned | Role::Face, _) => Some(1.0),
        _ => None,
    }
}

/// How many times as much per byte a line may cost as one that is sixteen times shorter: as much,
/// but for what two measurements differ by.
pub const LINEAR: f64 = 1.25;

/// How many bytes a comment without end may take: the 64 KiB of it that are kept, and as much
/// again for the window and for room to grow.
pub const ENDLESS_COMMENT: usize = 160 << 10;

/// How many bytes a line without end may take: the size limit, times what an event may.
pub const ENDLESS_LINE: usize = (16 << 20) / 4 * 5;

/// How long a thousand sources may take to make, besides the first.
pub const THOUSAND_SOURCES: Duration = Duration::from_millis(10);

/// How many bytes of heap a source may take that was made and not polled yet.
pub const SOURCE: usize = 2 << 10;

/// How many bytes of heap an idle stream may take above reqwest's bare `bytes_stream()`.
pub const IDLE: i64 = 1 << 10;

/// How many times what bare reqwest takes one of everstream's clients may take for an event
/// that is an HTTP chunk of its own; `None` for the others, and where the chunks are frames.
#[must_use]
pub fn to_bare(client: Client, cut: Cut) -> Option<f64> {
    match client {
        _ if !client.is_ours() || cut == Cut::Frames => None,
        Client::Lent => Some(1.15),
        _ => Some(1.25),
    }
}

/// Whether it takes more than that.
#[must_use]
pub fn costly(client: Client, cut: Cut, to_bare: f64) -> bool {
    self::to_bare(client, cut).is_some_and(|most| to_bare > most)
}

/// Whether one of everstream's clients reads less than 0.8 times as many bytes per second as bare reqwest
/// where they come in frames.
#[must_use]
pub fn slow(client: Client, cut: Cut, to_bare: f64) -> bool {
    client.is_ours() && cut == Cut::Frames && to_bare < 0.8
}
