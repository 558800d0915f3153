//! What a contract makes of a body, byte by byte.

use everstream::{Contract, Event, Meaning, Parser, Reader};

/// What has arrived of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// It is complete if the body ends here, or was complete before.
    Whole,
    CutShort,
    Failed,
}

/// What was seen of an answer when its body was cut.
#[derive(Debug, Clone)]
pub struct Seen {
    pub items: Vec<Event>,
    pub end: End,
    /// Whether an event has marked the end.
    pub is_final: bool,
}

/// What is seen of `body` where it is cut after no byte, after one, after two, to the end.
pub fn at_every_byte(contract: Contract, body: &[u8]) -> Vec<Seen> {
    let mut answer = Answer::new(contract);
    let mut seen = vec![answer.seen()];
    for byte in body {
        answer.feed(std::slice::from_ref(byte));
        seen.push(answer.seen());
    }
    seen
}

/// What is seen of the whole of `body`. The unfinished event at its end is taken for an event if
/// `dispatch` says so.
pub fn at_once(contract: Contract, body: &[u8], dispatch: bool) -> Seen {
    let mut answer = Answer::new(contract);
    let mut reader = Reader::new(body);
    for event in reader.by_ref() {
        answer.observe(event.expect("none is too large"));
    }
    if dispatch {
        let event = reader.take_unfinished().expect("none is too large");
        event.into_iter().for_each(|event| answer.observe(event));
    }
    answer.seen()
}

struct Answer {
    contract: Contract,
    parser: Parser,
    items: Vec<Event>,
    last: Option<Meaning>,
}

impl Answer {
    fn new(contract: Contract) -> Self {
        Self {
            contract,
            parser: Parser::new(),
            items: Vec::new(),
            last: None,
        }
    }

    fn feed(&mut self, bytes: &[u8]) {
        let mut events = Vec::new();
        let mut feed = self.parser.feed(bytes);
        while let Some(event) = feed.next_owned().expect("none is too large") {
            events.push(event);
        }
        events.into_iter().for_each(|event| self.observe(event));
    }

    fn observe(&mut self, event: Event) {
        if self.last.is_some() {
            return;
        }
        let meaning = self.contract.observe(&event);
        if meaning.is_item() {
            self.items.push(event);
        }
        if meaning.is_final() {
            self.last = Some(meaning);
        }
    }

    fn seen(&self) -> Seen {
        let end = match (self.last, self.contract.is_complete()) {
            (Some(Meaning::Error), false) => End::Failed,
            (Some(Meaning::Last | Meaning::EndMarker) | None, true) => End::Whole,
            (None, false) => End::CutShort,
            (last, is_complete) => panic!("{last:?}, and is_complete() says {is_complete}"),
        };
        Seen {
            items: self.items.clone(),
            end,
            is_final: self.last.is_some(),
        }
    }
}
