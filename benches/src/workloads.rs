//! The inputs: seven event streams, the same bytes on every machine, each with the events it holds.
//!
//! The expected events are recorded by the writer while it writes, so no parser is trusted to say
//! what is right.

use std::{ops::Deref, sync::Arc};

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::table;

/// How many bytes of a workload the full runs take.
pub const FULL: usize = 4 << 20;

/// How many bytes of a workload the quick runs take.
pub const QUICK: usize = 1 << 20;

/// An event stream and what a right parser finds in it.
#[derive(Debug, Clone)]
pub struct Workload {
    /// The name it is asked for by, and its column in the tables.
    pub name: &'static str,
    /// The stream.
    pub input: Input,
    /// The events in it, in order, as a checksum.
    pub expected: Digest,
    /// How many CR and LF bytes it has: what the limits are checked against.
    pub line_ends: u64,
}

/// The bytes of a stream, and where its blocks end: an event, or a comment that stands alone.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Input {
    bytes: Bytes,
    /// Where each block ends; empty where that is not known.
    pub blocks: Arc<[usize]>,
}

impl Deref for Input {
    type Target = Bytes;

    fn deref(&self) -> &Bytes {
        &self.bytes
    }
}

impl From<Bytes> for Input {
    /// A stream of one block.
    fn from(bytes: Bytes) -> Self {
        Self {
            bytes,
            blocks: Arc::default(),
        }
    }
}

/// How a stream is cut into chunks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Framing {
    /// Chunks of so many bytes, whatever is in them.
    Bytes(usize),
    /// Each block is a chunk, as servers flush them.
    Blocks,
    /// The same, and each chunk is waited for: a stream finds nothing the first time it looks.
    Waited,
}

impl Framing {
    /// What the tables call it.
    #[must_use]
    pub fn name(self) -> String {
        match self {
            Self::Bytes(size) => table::bytes(size),
            Self::Blocks => "a block each".into(),
            Self::Waited => "a block each, waited for".into(),
        }
    }

    /// As it is asked for: a number of bytes, `block` or `waited`.
    ///
    /// # Errors
    ///
    /// Where it is none of these.
    pub fn from_argument(argument: &str) -> Result<Self, String> {
        match argument {
            "block" => Ok(Self::Blocks),
            "waited" => Ok(Self::Waited),
            _ => match argument.parse() {
                Ok(size) if size > 0 => Ok(Self::Bytes(size)),
                _ => Err("a chunk is a number of bytes, `block` or `waited`".into()),
            },
        }
    }

    /// As it is asked for.
    #[must_use]
    pub fn to_argument(self) -> String {
        match self {
            Self::Bytes(size) => size.to_string(),
            Self::Blocks => "block".into(),
            Self::Waited => "waited".into(),
        }
    }

    /// How many chunks a stream is cut into.
    #[must_use]
    pub fn count(self, input: &Input) -> usize {
        match self {
            Self::Bytes(size) => input.len().div_ceil(size),
            Self::Blocks | Self::Waited => input.blocks.len().max(1),
        }
    }
}

/// The names of all workloads, in the order of the tables.
pub const NAMES: [&str; 7] = [
    "openai",
    "anthropic",
    "tiny",
    "crlf3",
    "large",
    "keepalive",
    "cjk",
];

impl Workload {
    /// Writes the workload called `name`, with as many whole blocks as it takes to reach `size`
    /// bytes, or `None` if there is none of that name.
    #[must_use]
    pub fn named(name: &str, size: usize) -> Option<Self> {
        let name = NAMES.into_iter().find(|known| *known == name)?;
        let write: fn(&mut Writer) = match name {
            "openai" => Writer::openai,
            "anthropic" => Writer::anthropic,
            "tiny" => Writer::tiny,
            "crlf3" => Writer::crlf3,
            "large" => Writer::large,
            "keepalive" => Writer::keepalive,
            _ => Writer::cjk,
        };
        let mut writer = Writer::default();
        while writer.out.len() < size {
            write(&mut writer);
            writer.block += 1;
        }
        if name == "openai" {
            writer.event(&[("data", "[DONE]")], "\n");
        }
        Some(writer.finish(name))
    }

    /// Writes one event whose only line, `data: ` included, is `bytes` long.
    ///
    /// # Panics
    ///
    /// If `bytes` is less than the field name, its colon and the space take.
    #[must_use]
    pub fn one_line(bytes: usize) -> Self {
        let value = bytes
            .checked_sub("data: ".len())
            .expect("a line is at least its name");
        let mut writer = Writer::default();
        let text = writer.prose(value);
        writer.out.extend_from_slice(b"data: ");
        writer.out.extend_from_slice(text.as_bytes());
        writer.out.extend_from_slice(b"\n\n");
        writer.digest.event("message", &text, "");
        writer.finish("one line")
    }

    /// Writes one comment of `bytes` bytes, and an event after it.
    #[must_use]
    pub fn one_comment(bytes: usize) -> Self {
        let mut writer = Writer::default();
        writer.out.push(b':');
        writer.out.resize(bytes, b'.');
        writer.out.push(b'\n');
        writer.event(&[("data", "after")], "\n");
        writer.finish("one comment")
    }

    /// Writes a `data` line of `bytes` bytes that never ends, so no event at all.
    #[must_use]
    pub fn endless_line(bytes: usize) -> Self {
        let mut writer = Writer::default();
        writer.out.extend_from_slice(b"data:");
        writer.out.resize(bytes, b'.');
        writer.finish("endless line")
    }

    /// The same stream twice over, as one stream.
    #[must_use]
    pub fn twice(&self) -> Input {
        let again = self.input.blocks.iter().map(|end| self.input.len() + end);
        Input {
            bytes: [&self.input[..], &self.input[..]].concat().into(),
            blocks: self.input.blocks.iter().copied().chain(again).collect(),
        }
    }
}

/// An order-sensitive checksum over the type, data and ID of each event, and their number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Digest {
    /// How many events there were.
    pub events: u64,
    hash: u64,
}

impl Default for Digest {
    fn default() -> Self {
        // FNV-1a's offset basis.
        Self {
            events: 0,
            hash: 0xcbf2_9ce4_8422_2325,
        }
    }
}

impl Digest {
    /// Takes one more event in.
    pub fn event(&mut self, event: &str, data: &str, id: &str) {
        self.events += 1;
        for part in [event, data, id] {
            // The length first, so that no two ways to cut the same text are equal.
            self.bytes(&(part.len() as u64).to_le_bytes());
            self.bytes(part.as_bytes());
        }
    }

    fn bytes(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.hash = (self.hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}

/// Writes blocks and records the events that they are.
struct Writer {
    out: Vec<u8>,
    /// Where the blocks end.
    blocks: Vec<usize>,
    digest: Digest,
    block: usize,
    random: u64,
}

impl Default for Writer {
    fn default() -> Self {
        Self {
            out: Vec::new(),
            blocks: Vec::new(),
            digest: Digest::default(),
            block: 0,
            random: 0x5eed_e7e2_57e2_ea50,
        }
    }
}

const WORDS: [&str; 24] = [
    " the",
    " of",
    " and",
    "ing",
    " stream",
    ",",
    " a",
    " which",
    " event",
    "s",
    " is",
    " that",
    " server",
    ".",
    " in",
    " parse",
    "ly",
    " to",
    " connection",
    " it",
    " not",
    "er",
    " be",
    " I",
];

impl Writer {
    /// The next number below `below`, from Knuth's linear congruential generator.
    fn below(&mut self, below: usize) -> usize {
        self.random = self
            .random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        // The low bits of such a generator have short periods.
        (self.random >> 33) as usize % below
    }

    fn word(&mut self) -> &'static str {
        WORDS[self.below(WORDS.len())]
    }

    /// `length` bytes of ASCII words.
    fn prose(&mut self, length: usize) -> String {
        let mut text = String::with_capacity(length + 16);
        while text.len() < length {
            text += self.word();
        }
        text.truncate(length);
        text
    }

    /// Between `min` and `max` characters of three bytes each.
    fn han(&mut self, min: usize, max: usize) -> String {
        let length = min + self.below(max - min + 1);
        let first = '\u{4e00}' as u32;
        (0..length)
            .filter_map(|_| char::from_u32(first + self.below(0x5000) as u32))
            .collect()
    }

    /// Writes a block of these fields, one line each, and records the event it is.
    fn event(&mut self, fields: &[(&str, &str)], end: &str) {
        let (mut event, mut id, mut data) = ("message", "", None::<String>);
        for (name, value) in fields {
            for part in [name, ": ", value, end] {
                self.out.extend_from_slice(part.as_bytes());
            }
            match *name {
                "event" => event = value,
                "id" => id = value,
                _ => match &mut data {
                    None => data = Some((*value).to_owned()),
                    Some(data) => {
                        data.push('\n');
                        data.push_str(value);
                    }
                },
            }
        }
        self.out.extend_from_slice(end.as_bytes());
        self.blocks.push(self.out.len());
        self.digest.event(event, &data.unwrap_or_default(), id);
    }

    fn finish(self, name: &'static str) -> Workload {
        let line_ends = self
            .out
            .iter()
            .filter(|byte| matches!(byte, b'\r' | b'\n'))
            .count() as u64;
        Workload {
            name,
            input: Input {
                bytes: self.out.into(),
                blocks: self.blocks.into(),
            },
            expected: self.digest,
            line_ends,
        }
    }

    /// One token of a chat completion: a `data` line of about 250 bytes of JSON.
    fn openai(&mut self) {
        let data = format!(
            concat!(
                r#"{{"id":"chatcmpl-CkXq3Zt0aVb81LmNoPqRsTuVwXyZ2","object":"chat.completion.chunk","#,
                r#""created":1764547200,"model":"gpt-4.1-2025-04-14","system_fingerprint":"fp_3f58d112f7","#,
                r#""choices":[{{"index":0,"delta":{{"content":"{}"}},"logprobs":null,"finish_reason":null}}]}}"#,
            ),
            self.word()
        );
        self.event(&[("data", &data)], "\n");
    }

    /// One delta of a message: an `event` line, and a `data` line of about 120 bytes.
    fn anthropic(&mut self) {
        let text: String = (0..1 + self.below(5)).map(|_| self.word()).collect();
        let data = format!(
            r#"{{"type":"content_block_delta","index":0,"delta":{{"type":"text_delta","text":"{text}"}}}}"#
        );
        self.event(&[("event", "content_block_delta"), ("data", &data)], "\n");
    }

    /// The smallest event worth the name.
    fn tiny(&mut self) {
        self.event(&[("data", "x")], "\n");
    }

    /// A feed with IDs, CRLF line ends, and three `data` lines to an event.
    fn crlf3(&mut self) {
        let id = (1_000_000 + self.block).to_string();
        let lengths = [
            20 + self.below(30),
            20 + self.below(30),
            20 + self.below(30),
        ];
        let data = lengths.map(|length| self.prose(length));
        self.event(
            &[
                ("id", &id),
                ("event", "update"),
                ("data", &data[0]),
                ("data", &data[1]),
                ("data", &data[2]),
            ],
            "\r\n",
        );
    }

    /// One `data` line of 64 KiB to 1 MiB: images, and a response repeated whole at its end.
    fn large(&mut self) {
        let data = self.prose((64 << 10) << (self.block % 5));
        self.event(&[("data", &data)], "\n");
    }

    /// Ten comments, each a block of its own, to one event.
    fn keepalive(&mut self) {
        for _ in 0..10 {
            self.out.extend_from_slice(b": keepalive\n\n");
            self.blocks.push(self.out.len());
        }
        let data = format!(r#"{{"sequence":{}}}"#, self.block);
        self.event(&[("data", &data)], "\n");
    }

    /// JSON whose text is Chinese: three bytes a character.
    fn cjk(&mut self) {
        let data = format!(r#"{{"index":0,"content":"{}"}}"#, self.han(10, 60));
        self.event(&[("data", &data)], "\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_has_a_workload_and_it_is_the_same_each_time() {
        for name in NAMES {
            let once = Workload::named(name, 10_000).expect("a known name");
            let again = Workload::named(name, 10_000).expect("a known name");
            assert_eq!(once.name, name);
            assert_eq!(once.input, again.input);
            assert_eq!(once.expected, again.expected);
            assert!(once.input.len() >= 10_000);
        }
        assert!(Workload::named("none such", 10).is_none());
    }

    #[test]
    fn events_are_as_many_as_the_blank_lines_after_data() {
        for name in NAMES {
            let workload = Workload::named(name, 10_000).expect("a known name");
            let text = std::str::from_utf8(&workload.input).expect("UTF-8");
            let blocks = text.replace("\r\n", "\n");
            let blocks = blocks.split_terminator("\n\n");
            let events = blocks.filter(|block| block.contains("data: ")).count();
            assert_eq!(workload.expected.events, events as u64, "{name}");
        }
    }

    #[test]
    fn blocks_end_with_a_blank_line_and_are_all_there_is() {
        for name in NAMES {
            let workload = Workload::named(name, 10_000).expect("a known name");
            let mut from = 0;
            for end in workload.input.blocks.iter().copied() {
                let block = std::str::from_utf8(&workload.input[from..end]).expect("UTF-8");
                let block = block.replace("\r\n", "\n");
                assert_eq!(block.find("\n\n"), Some(block.len() - 2), "{name}");
                from = end;
            }
            assert_eq!(from, workload.input.len(), "{name}");
        }
    }

    #[test]
    fn the_checksum_tells_order_and_cuts_apart() {
        let digest = |events: &[(&str, &str, &str)]| {
            let mut digest = Digest::default();
            for (event, data, id) in events {
                digest.event(event, data, id);
            }
            digest
        };
        let (a, b) = (("message", "a", ""), ("message", "b", ""));
        assert_eq!(digest(&[a, b]), digest(&[a, b]));
        assert_ne!(digest(&[a, b]), digest(&[b, a]));
        assert_ne!(digest(&[("m", "ab", "")]), digest(&[("m", "a", "b")]));
    }
}
