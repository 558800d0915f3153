//! Reads the rows of `tests/vectors/*.txt`; their README says how they are written.

use crate::oracle::{Event, Item, Options, Unfinished};

/// A stream, and its expected items.
#[derive(Debug)]
pub struct Vector {
    /// File and title, for messages.
    pub name: String,
    pub title: String,
    pub options: Options,
    pub wire: Vec<u8>,
    pub items: Vec<Item>,
    pub exceeded: Option<usize>,
    pub last_event_id: String,
    pub reconnection_time: Option<u64>,
    /// `None` if nothing is unfinished.
    pub unfinished: Option<Unfinished>,
}

/// All rows of all files.
pub fn all() -> Vec<Vector> {
    of_folder(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors"))
}

pub fn of_folder(folder: &str) -> Vec<Vector> {
    let entries = std::fs::read_dir(folder).expect("the folder of the vectors");
    let mut paths: Vec<_> = entries
        .map(|entry| entry.expect("an entry").path())
        .collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "txt"));
    paths.sort();
    let mut vectors = Vec::new();
    for path in paths {
        let text = std::fs::read_to_string(&path).expect("a file of vectors");
        let file = path.file_name().expect("a name").to_string_lossy();
        let lines = text
            .lines()
            .filter(|line| !line.starts_with('#') && !line.is_empty());
        let mut rows: Vec<(&str, Vec<&str>)> = Vec::new();
        for line in lines {
            match (line.strip_prefix("  "), rows.last_mut()) {
                (None, _) => rows.push((line, Vec::new())),
                (Some(line), Some((_, row))) => row.push(line),
                (Some(line), None) => panic!("{file}: {line:?} stands before the first title"),
            }
        }
        vectors.extend(rows.iter().map(|(title, row)| vector(&file, title, row)));
    }
    vectors
}

fn vector(file: &str, title: &str, row: &[&str]) -> Vector {
    let mut vector = Vector {
        name: format!("{file}: {title}"),
        title: title.to_owned(),
        options: Options::default(),
        wire: Vec::new(),
        items: Vec::new(),
        exceeded: None,
        last_event_id: String::new(),
        reconnection_time: None,
        unfinished: None,
    };
    let mut last_event_id = None;
    for line in row {
        let mut words = Words { rest: line };
        match words.word() {
            "limit" => vector.options.max_event_bytes = words.number(),
            "skip" => vector.options.skip_oversized = true,
            "seed" => vector.options.last_event_id = words.text(),
            "wire" => vector.wire = words.bytes(),
            "event" => vector.items.push(Item::Event(words.event())),
            "comment" => vector.items.push(Item::Comment(words.text())),
            "retry" => {
                let milliseconds = words.number();
                vector.reconnection_time = Some(milliseconds);
                vector.items.push(Item::Retry(milliseconds));
            }
            "undispatched" => {
                let Event { event, id, .. } = words.event_of(String::new());
                vector.items.push(Item::Undispatched { event, id });
            }
            "skipped" => vector.items.push(match words.word() {
                "event" => Item::SkippedEvent(words.number()),
                "comment" => Item::SkippedComment(words.number()),
                other => panic!("{}: skipped {other:?}", vector.name),
            }),
            "exceeded" => vector.exceeded = Some(words.number()),
            "last_id" => last_event_id = Some(words.text()),
            "unfinished" => {
                vector.unfinished = Some(match words.rest.trim() {
                    "nothing" => Unfinished::Nothing,
                    "too_large" => Unfinished::TooLarge,
                    _ => Unfinished::Event(words.event()),
                });
                words.rest = "";
            }
            other => panic!("{}: {other:?} is no such line", vector.name),
        }
        assert_eq!(words.rest.trim(), "", "{}: left over", vector.name);
    }
    vector.last_event_id = last_event_id.unwrap_or_else(|| {
        let mut ids = vector.items.iter().rev().filter_map(|item| match item {
            Item::Event(event) => Some(&event.id),
            _ => None,
        });
        ids.next().unwrap_or(&vector.options.last_event_id).clone()
    });
    vector
}

struct Words<'a> {
    rest: &'a str,
}

impl<'a> Words<'a> {
    fn word(&mut self) -> &'a str {
        let line = self.rest.trim_start();
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        self.rest = rest;
        word
    }

    fn number<N: std::str::FromStr<Err: std::fmt::Debug>>(&mut self) -> N {
        self.word().parse().expect("a number")
    }

    fn text(&mut self) -> String {
        String::from_utf8(self.bytes()).expect("UTF-8")
    }

    fn event(&mut self) -> Event {
        let data = self.text();
        self.event_of(data)
    }

    fn event_of(&mut self, data: String) -> Event {
        let mut event = Event {
            event: "message".to_owned(),
            data,
            id: String::new(),
        };
        while !self.rest.trim().is_empty() {
            match self.word() {
                "type" => event.event = self.text(),
                "id" => event.id = self.text(),
                other => panic!("{other:?} is no part of an event"),
            }
        }
        event
    }

    /// One string or several, each perhaps repeated.
    fn bytes(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        while let Some(rest) = self.rest.trim_start().strip_prefix('"') {
            let (string, rest) = unescape(rest);
            let word = rest.split(' ').next().unwrap_or_default();
            let times = word
                .strip_prefix('*')
                .map_or(1, |n| n.parse().expect("a number"));
            self.rest = &rest[word.len()..];
            bytes.extend(string.repeat(times));
        }
        bytes
    }
}

/// Reads up to the closing quote; returns the rest after it.
fn unescape(text: &str) -> (Vec<u8>, &str) {
    let mut bytes = Vec::new();
    let mut characters = text.chars();
    loop {
        let character = characters.next().expect("a closing quote");
        let literal = match character {
            '"' => return (bytes, characters.as_str()),
            '\\' => match characters.next().expect("an escape") {
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                '0' => '\0',
                'x' => {
                    let digits: String = characters.by_ref().take(2).collect();
                    bytes.push(u8::from_str_radix(&digits, 16).expect("two hexadecimal digits"));
                    continue;
                }
                'u' => {
                    let digits: String = characters
                        .by_ref()
                        .skip(1)
                        .take_while(|&c| c != '}')
                        .collect();
                    let number = u32::from_str_radix(&digits, 16).expect("hexadecimal digits");
                    char::from_u32(number).expect("a character")
                }
                other => other,
            },
            other => other,
        };
        bytes.extend(literal.encode_utf8(&mut [0; 4]).bytes());
    }
}
