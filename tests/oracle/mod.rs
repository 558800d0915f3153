//! WHATWG HTML 9.2.6, sentence by sentence, for a whole stream at once: what the incremental parser
//! has to agree with. It is deliberately slow and simple, and shares no code with the crate.
//!
//! The tests and the fuzz targets use this same file.
#![allow(dead_code, reason = "each test binary uses its own part of this file")]
#![allow(
    unreachable_pub,
    reason = "the fuzz targets include this file as a module of theirs"
)]

/// A longer comment is not kept, only counted.
pub const MAX_COMMENT_BYTES: usize = 64 * 1024;

/// How the stream is read; everything else follows the standard.
#[derive(Clone, Debug)]
pub struct Options {
    /// The last event ID of an earlier connection.
    pub last_event_id: String,
    /// How many bytes the field lines of one block may have.
    pub max_event_bytes: usize,
    /// What a block over the limit does: `false` ends the stream, `true` skips the block.
    pub skip_oversized: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            last_event_id: String::new(),
            max_event_bytes: 16 * 1024 * 1024,
            skip_oversized: false,
        }
    }
}

/// The items of a stream, in the order of the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    Event(Event),
    Comment(String),
    /// The reconnection time in milliseconds.
    Retry(u64),
    /// A block without data that named a type or had an ID.
    Undispatched {
        event: String,
        id: String,
    },
    /// The number of bytes.
    SkippedEvent(u64),
    /// The number of bytes after the colon.
    SkippedComment(u64),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    pub event: String,
    pub data: String,
    pub id: String,
}

/// An item, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed {
    pub item: Item,
    /// The item is complete once this many bytes have arrived: those up to and including its line's
    /// LF, or CR, whether or not an LF follows.
    pub at: usize,
    /// The last event ID at that moment.
    pub last_event_id: String,
}

impl Placed {
    fn event(&self) -> Option<Event> {
        match &self.item {
            Item::Event(event) => Some(event.clone()),
            _ => None,
        }
    }
}

/// The result of dispatching the unfinished block at the end of the stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unfinished {
    Nothing,
    Event(Event),
    TooLarge,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    pub items: Vec<Placed>,
    /// The size limit ended the stream at the last of this many bytes.
    pub exceeded: Option<usize>,
    /// That of the last finished block.
    pub last_event_id: String,
    /// In milliseconds.
    pub reconnection_time: Option<u64>,
    /// Whether a data, event or id line, or what may become one, is left without a blank line.
    pub has_unfinished: bool,
}

impl Outcome {
    pub fn events(&self) -> Vec<Event> {
        self.items.iter().filter_map(Placed::event).collect()
    }
}

/// The parser's result for the stream `wire`.
pub fn read(wire: &[u8], options: &Options) -> Outcome {
    let mut oracle = Oracle {
        outcome: Outcome {
            items: Vec::new(),
            exceeded: None,
            last_event_id: options.last_event_id.clone(),
            reconnection_time: None,
            has_unfinished: false,
        },
        data: String::new(),
        event_type: String::new(),
        // 9.2.3: a new connection continues with the ID of the last one.
        last_event_id: options.last_event_id.clone(),
        has_id: false,
        counted: 0,
        oversized: false,
    };
    for line in lines(wire) {
        let bytes = &wire[line.start..line.end];
        let at = line.end + 1;
        if let Some(byte) = oracle.limit(bytes, line.finished, options.max_event_bytes) {
            oracle.oversized = true;
            if !options.skip_oversized {
                oracle.outcome.exceeded = Some(line.start + byte);
                oracle.outcome.has_unfinished = true;
                break;
            }
        }
        if line.finished {
            oracle.interpret(bytes, at, options.max_event_bytes);
        } else {
            oracle.outcome.has_unfinished |= may_matter(bytes);
        }
    }
    oracle.outcome
}

/// What dispatching the unfinished block of `wire` gives, the outcome of which is `before`: as if a
/// line end and a blank line had followed. The outcome is that of the stream made whole.
pub fn dispatch_unfinished(
    wire: &[u8],
    options: &Options,
    before: &Outcome,
) -> (Unfinished, Outcome) {
    let whole = read(&[wire, b"\n\n"].concat(), options);
    let added = &whole.items[before.items.len()..];
    let event = added.iter().find_map(Placed::event);
    let unfinished = match (whole.exceeded, event) {
        (Some(_), _) => Unfinished::TooLarge,
        (None, Some(event)) => Unfinished::Event(event),
        (None, None) => Unfinished::Nothing,
    };
    (unfinished, whole)
}

struct Line {
    start: usize,
    /// Without the line end.
    end: usize,
    finished: bool,
}

/// 9.2.6, "parsing an event stream": the stream is decoded as UTF-8, which drops one BOM, and
/// `stream = [ bom ] *event`, `end-of-line = ( cr lf / cr / lf )`.
///
/// The lines are split before they are decoded, since the size limit counts bytes. It is the same:
/// CR and LF are never part of a longer UTF-8 sequence, valid or not.
fn lines(wire: &[u8]) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut start = if wire.starts_with(b"\xEF\xBB\xBF") {
        3
    } else {
        0
    };
    loop {
        let rest = &wire[start..];
        let length = rest.iter().position(|&byte| byte == b'\r' || byte == b'\n');
        let end = start + length.unwrap_or(rest.len());
        lines.push(Line {
            start,
            end,
            finished: length.is_some(),
        });
        if length.is_none() {
            return lines;
        }
        let crlf = wire[end..].starts_with(b"\r\n");
        start = end + if crlf { 2 } else { 1 };
    }
}

struct Oracle {
    outcome: Outcome,
    data: String,
    event_type: String,
    last_event_id: String,
    /// The block had an `id` field that was not ignored.
    has_id: bool,
    /// Bytes of this block that count towards the limit.
    counted: usize,
    /// Whether this block exceeds the limit.
    oversized: bool,
}

impl Oracle {
    /// Not in the standard: counts the line, and says at which of its bytes (the line end being
    /// one more than it has) the count passes the limit, if it does so here.
    ///
    /// Only a line of a known field counts, and only once it is known to be one: with its colon,
    /// or with its line end where it has no colon. From then on each byte of it counts.
    fn limit(&mut self, line: &[u8], finished: bool, limit: usize) -> Option<usize> {
        let name = name(line);
        let known = matches!(name, b"data" | b"event" | b"id" | b"retry");
        if !known || !(finished || name.len() < line.len()) {
            return None;
        }
        let room = limit.saturating_sub(self.counted);
        self.counted += line.len();
        let exceeds = !self.oversized && self.counted > limit;
        exceeds.then_some((room + 1).max(name.len() + 1))
    }

    /// 9.2.6, "interpreting an event stream".
    fn interpret(&mut self, line: &[u8], at: usize, limit: usize) {
        // "If the line is empty (a blank line): Dispatch the event, as defined below."
        if line.is_empty() {
            return self.dispatch(at);
        }
        // "If the line starts with a U+003A COLON character (:): Ignore the line." Ours yields the
        // comment.
        if line[0] == b':' {
            let comment = &line[1..];
            let item = match comment.len() > MAX_COMMENT_BYTES {
                true => Item::SkippedComment(comment.len() as u64),
                false => Item::Comment(String::from_utf8_lossy(comment).into_owned()),
            };
            return self.push(at, item);
        }
        // "Collect the characters on the line before the first U+003A COLON character (:), and
        // let field be that string. Collect the characters on the line after the first U+003A
        // COLON character (:), and let value be that string. If value starts with a U+0020 SPACE
        // character, remove it from value." Without a colon the whole line is the field name, and
        // the value is empty.
        let text = String::from_utf8_lossy(line);
        let (field, value) = text.split_once(':').unwrap_or((&text, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        // Ours: id and retry lines of a block over the limit are still read if the line itself
        // keeps to the limit.
        let fits = line.len() <= limit;
        match field {
            // "Set the event type buffer to field value."
            "event" => self.event_type = value.to_owned(),
            // "Append the field value to the data buffer, then append a single U+000A LINE FEED
            // (LF) character to the data buffer."
            "data" => {
                self.data.push_str(value);
                self.data.push('\n');
            }
            // "If the field value does not contain U+0000 NULL, then set the last event ID buffer
            // to the field value. Otherwise, ignore the field."
            "id" if fits && !value.contains('\0') => {
                self.last_event_id = value.to_owned();
                self.has_id = true;
            }
            // "If the field value consists of only ASCII digits, then interpret the field value
            // as an integer in base ten, and set the event stream's reconnection time to that
            // integer. Otherwise, ignore the field." An empty value is no integer, and what no u64
            // can hold is the longest that one can.
            "retry" if fits && !value.is_empty() && value.bytes().all(|it| it.is_ascii_digit()) => {
                let milliseconds = value.parse().unwrap_or(u64::MAX);
                self.outcome.reconnection_time = Some(milliseconds);
                self.push(at, Item::Retry(milliseconds));
            }
            // "The field is ignored."
            _ => {}
        }
        self.outcome.has_unfinished |= matches!(field, "data" | "event" | "id");
    }

    /// 9.2.6, "dispatch the event".
    fn dispatch(&mut self, at: usize) {
        // "Set the last event ID string of the event source to the value of the last event ID
        // buffer. The buffer does not get reset."
        self.outcome.last_event_id = self.last_event_id.clone();
        if self.oversized {
            self.push(at, Item::SkippedEvent(self.counted as u64));
        } else if !self.data.is_empty() {
            // "If the data buffer is an empty string, set the data buffer and the event type
            // buffer to the empty string and return. If the data buffer's last character is a
            // U+000A LINE FEED (LF) character, then remove the last character from the data
            // buffer." The type is "message" unless the event type buffer is not empty.
            let event = match self.event_type.as_str() {
                "" => "message".to_owned(),
                event_type => event_type.to_owned(),
            };
            let data = self.data.strip_suffix('\n').unwrap_or(&self.data);
            let data = data.to_owned();
            let id = self.outcome.last_event_id.clone();
            self.push(at, Item::Event(Event { event, data, id }));
        } else if self.has_id || !matches!(self.event_type.as_str(), "" | "message") {
            // Nothing is dispatched; ours says so, unless the block had nothing to say.
            let event = match self.event_type.as_str() {
                "" => "message".to_owned(),
                event_type => event_type.to_owned(),
            };
            let id = self.outcome.last_event_id.clone();
            self.push(at, Item::Undispatched { event, id });
        }
        // "Set the data buffer and the event type buffer to the empty string."
        self.data.clear();
        self.event_type.clear();
        self.has_id = false;
        self.counted = 0;
        self.oversized = false;
        self.outcome.has_unfinished = false;
    }

    fn push(&mut self, at: usize, item: Item) {
        let last_event_id = self.outcome.last_event_id.clone();
        self.outcome.items.push(Placed {
            item,
            at,
            last_event_id,
        });
    }
}

/// The bytes before the first colon, or all of them.
fn name(line: &[u8]) -> &[u8] {
    line.split(|&byte| byte == b':').next().unwrap_or_default()
}

/// Whether a line that has not ended is a data, event or id line, or the beginning of one.
fn may_matter(line: &[u8]) -> bool {
    let fields: [&[u8]; 3] = [b"data", b"event", b"id"];
    match line.contains(&b':') {
        true => fields.contains(&name(line)),
        false => !line.is_empty() && fields.iter().any(|field| field.starts_with(line)),
    }
}
