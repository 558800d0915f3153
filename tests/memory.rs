//! What the parser allocates, counted by the allocator: nothing that grows with a line it drops,
//! nothing for an event that is lent, one allocation for one that is owned, and no more than a
//! quarter above its size for a large one.
//!
//! It shows linearity, too, without a clock: code that scans a line again with each chunk would not
//! finish 64 MiB in chunks of 64 bytes.

use everstream::{Feed, Oversized, Parser};
use heap::alone;

#[path = "support/heap.rs"]
mod heap;

/// How many more bytes than before `run` were in use at the peak.
fn peak(run: impl FnOnce()) -> usize {
    heap::reset_peak();
    run();
    heap::peak()
}

/// The number of allocations, including reallocations.
fn allocations(run: impl FnOnce()) -> usize {
    let before = heap::allocations();
    run();
    heap::allocations() - before
}

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

/// Reads all of a chunk, and says how many items there were.
fn drain(mut feed: Feed<'_, '_>) -> usize {
    let mut items = 0;
    while feed.next_item().expect("no event is too large").is_some() {
        items += 1;
    }
    items
}

/// Reads all events of a chunk as they are lent, and says how many there were.
fn lent(mut feed: Feed<'_, '_>) -> usize {
    let mut events = 0;
    while feed.next_event().expect("it is small").is_some() {
        events += 1;
    }
    events
}

/// The same of events that are owned.
fn owned(mut feed: Feed<'_, '_>) -> usize {
    let mut events = 0;
    while feed.next_owned().expect("it is small").is_some() {
        events += 1;
    }
    events
}

/// Feeds `start` and then this many bytes of `fill`, and returns the peak memory.
fn endless(
    parser: &mut Parser,
    start: &[u8],
    fill: &[u8],
    bytes: usize,
    chunk_bytes: usize,
) -> usize {
    let chunk = fill.repeat(chunk_bytes / fill.len());
    peak(|| {
        drain(parser.feed(start));
        for _ in 0..bytes / chunk.len() {
            drain(parser.feed(&chunk));
        }
    })
}

/// What a parser may use besides what it has to keep.
const SMALL: usize = 256 * KIB;

#[test]
fn a_dropped_line_takes_constant_memory() {
    let _alone = alone();
    let starts = [
        ":",
        "foo: ",
        "foo",
        "dat",
        "data-",
        "retry-after: ",
        "data: kept\n:",
    ];
    for start in starts {
        for chunk_bytes in [64, 64 * KIB] {
            // The names that look like those of fields are decided in the same way.
            let bytes = if matches!(start, ":" | "foo: ") {
                64 * MIB
            } else {
                4 * MIB
            };
            let mut parser = Parser::new();
            let peak = endless(&mut parser, start.as_bytes(), b"x", bytes, chunk_bytes);
            assert!(peak < SMALL, "{start:?}, {chunk_bytes}: {peak} bytes");
            // It was one line, and the stream continues after it.
            drain(parser.feed(b"\n\n"));
            let mut feed = parser.feed(b"data: on\n\n");
            assert!(matches!(feed.next_event(), Ok(Some(event)) if event.data() == "on"));
        }
    }
}

#[test]
fn invalid_utf8_takes_constant_memory() {
    let _alone = alone();
    for start in [&b":"[..], b"", b"\xef\xbb", b"foo:"] {
        for fill in [&b"\xff"[..], b"\xf0\x9f", b"\0"] {
            let peak = endless(&mut Parser::new(), start, fill, 2 * MIB, 64);
            assert!(peak < SMALL, "{start:?}, {fill:?}: {peak} bytes");
        }
    }
}

#[test]
fn a_skipped_event_takes_no_more_than_the_limit() {
    let _alone = alone();
    let parser = || {
        let parser = Parser::new().with_max_event_bytes(MIB);
        parser.with_oversized(Oversized::Skip)
    };
    let skipped = format!("data: {}\nid: ", "x".repeat(MIB));
    for start in [
        "data: ",
        "event: ",
        "id: ",
        "retry: ",
        "data: x\nid: ",
        &skipped,
    ] {
        for chunk_bytes in [64, 64 * KIB] {
            let mut parser = parser();
            let peak = endless(&mut parser, start.as_bytes(), b"0", 8 * MIB, chunk_bytes);
            assert!(
                peak < 2 * MIB + SMALL,
                "{:?}, {chunk_bytes}: {peak} bytes",
                &start[..start.len().min(20)]
            );
            let mut feed = parser.feed(b"\n\ndata: on\n\n");
            assert!(matches!(feed.next_event(), Ok(Some(event)) if event.data() == "on"));
        }
    }
    let long = format!("data: {}\n", "x".repeat(1000));
    for lines in [
        &*long,
        "data: x\n",
        "data\n",
        "event: t\n",
        "id: 1\n",
        "retry: 5\n",
    ] {
        let peak = endless(
            &mut parser(),
            b"data: x\n",
            lines.as_bytes(),
            8 * MIB,
            64 * KIB,
        );
        assert!(peak < 2 * MIB + SMALL, "{lines:?}: {peak} bytes");
    }
}

#[test]
fn a_long_ids_memory_is_freed_with_the_next_id() {
    let _alone = alone();
    let long = format!("id: {}\ndata\n\n", "1".repeat(MIB));
    for chunk_bytes in [64, 64 * KIB, 2 * MIB] {
        let before = heap::held();
        let mut parser = Parser::new();
        for chunk in long.as_bytes().chunks(chunk_bytes) {
            drain(parser.feed(chunk));
        }
        assert_eq!(parser.last_event_id().len(), MIB);
        drain(parser.feed(b"id: 2\ndata\n\n"));
        assert_eq!(parser.last_event_id(), "2");
        let held = heap::held() - before;
        assert!(held < SMALL as isize, "{chunk_bytes}: {held} bytes");
    }
}

#[test]
fn many_long_types_take_no_more_than_one() {
    let _alone = alone();
    let before = heap::held();
    let mut parser = Parser::new();
    for letter in ["a", "b", "c", "d", "e", "f", "g", "h"] {
        let event = format!("event: {}\ndata\n\n", letter.repeat(MIB));
        assert_eq!(drain(parser.feed(event.as_bytes())), 1);
    }
    let held = heap::held() - before;
    assert!(held < (2 * MIB) as isize, "{held} bytes");
}

#[test]
fn many_small_things_take_constant_memory() {
    let _alone = alone();
    for lines in [
        ":\n",
        ": keep-alive\n\n",
        "\n",
        "foo\n",
        "retry: 5\n\n",
        "id: 1\n\n",
        "event: t\n\n",
        "data\n\n",
    ] {
        let peak = endless(&mut Parser::new(), b"", lines.as_bytes(), 4 * MIB, 64 * KIB);
        assert!(peak < SMALL, "{lines:?}: {peak} bytes");
    }
    // Each a type and an ID of its own, none of which comes again.
    let mut parser = Parser::new();
    let mut line = Vec::new();
    let peak = peak(|| {
        for number in 0..50_000 {
            use std::io::Write;
            line.clear();
            write!(line, "event: type {number}\nid: {number}\ndata\n\n").expect("a vector grows");
            assert_eq!(drain(parser.feed(&line)), 1);
        }
    });
    assert!(peak < SMALL, "{peak} bytes");
}

/// This many events, and how many allocations of the test harness, in another thread, may come
/// among theirs.
const EVENTS: usize = 10_000;
const NOISE: usize = EVENTS / 100;

/// Ways that servers write events, each the same every time.
const SHAPES: [&str; 6] = [
    "data: x\n\n",
    "event: content_block_delta\ndata: {\"type\":\"content_block_delta\"}\n\n",
    "id: 41\r\nevent: tick\r\ndata: one\r\ndata: two\r\ndata: three\r\n\r\n",
    ": OPENROUTER PROCESSING\n\ndata: {\"choices\":[]}\n\n",
    "data: 你好 🌍\n\n",
    "retry: 3000\ndata\n\n",
];

/// Reads the stream over and over, in chunks that cut it everywhere, after having done so once.
fn steady(stream: &[u8], chunk_bytes: usize, read: fn(Feed<'_, '_>) -> usize) -> usize {
    let mut parser = Parser::new();
    let mut pass = || -> usize {
        stream
            .chunks(chunk_bytes)
            .map(|chunk| read(parser.feed(chunk)))
            .sum()
    };
    assert_eq!(pass(), EVENTS);
    allocations(|| {
        assert_eq!(pass(), EVENTS);
    })
}

#[test]
fn a_lent_event_allocates_nothing() {
    let _alone = alone();
    for shape in SHAPES {
        let stream = shape.repeat(EVENTS).into_bytes();
        for chunk_bytes in [1, 7, 64, 1460, 16 * KIB, 64 * KIB] {
            let allocations = steady(&stream, chunk_bytes, lent);
            assert!(
                allocations < NOISE,
                "{shape:?}, {chunk_bytes}: {allocations}"
            );
        }
    }
}

#[test]
fn a_lent_event_with_a_new_id_allocates_nothing() {
    let _alone = alone();
    let events = (0..EVENTS).map(|number| format!("id: {number:05}\ndata: x\n\n"));
    let stream = events.collect::<String>().into_bytes();
    for chunk_bytes in [1, 7, 64, 1460, 64 * KIB] {
        let allocations = steady(&stream, chunk_bytes, lent);
        assert!(allocations < NOISE, "{chunk_bytes}: {allocations}");
    }
}

#[test]
fn an_owned_event_allocates_once() {
    let _alone = alone();
    for shape in SHAPES {
        let stream = shape.repeat(EVENTS).into_bytes();
        for chunk_bytes in [7, 64, 64 * KIB] {
            let allocations = steady(&stream, chunk_bytes, owned);
            let most = EVENTS + NOISE;
            assert!(
                allocations <= most,
                "{shape:?}, {chunk_bytes}: {allocations}"
            );
        }
    }
}

#[test]
fn a_new_id_is_one_more_allocation() {
    let _alone = alone();
    let events = (0..EVENTS).map(|number| format!("event: t\nid: {number:05}\ndata: x\n\n"));
    let stream = events.collect::<String>().into_bytes();
    let allocations = steady(&stream, 64 * KIB, owned);
    assert!(allocations <= 2 * EVENTS + NOISE, "{allocations}");
}

#[test]
fn a_large_event_takes_a_quarter_more_than_its_size_at_most() {
    let _alone = alone();
    let line = |text: &str, bytes: usize| format!("data: {}\n", text.repeat(bytes / text.len()));
    for (what, stream) in [
        ("one line", line("x", 15 * MIB)),
        ("one line that is not ASCII", line("你", 15 * MIB)),
        ("two lines", line("x", 7 * MIB) + &line("y", 7 * MIB)),
        ("many lines", line("x", 10_000).repeat(1500)),
    ] {
        let stream = (stream + "\n").into_bytes();
        for chunk_bytes in [64, 1460, 64 * KIB, stream.len()] {
            let mut event = None;
            let peak = peak(|| {
                let mut parser = Parser::new();
                for chunk in stream.chunks(chunk_bytes) {
                    event = event
                        .take()
                        .or(parser.feed(chunk).next_owned().expect("it fits"));
                }
            });
            let size = event.expect("an event").data().len();
            assert!(size > 13 * MIB);
            let most = size + size / 4 + SMALL;
            assert!(
                peak <= most,
                "{what}, {chunk_bytes}: {peak} bytes for {size}"
            );
        }
    }
}
