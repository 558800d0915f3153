//! everstream, in the forms it is used.

use everstream::Parser;

use super::{Chunks, Contender, Drive, Role, Sink};

/// All of everstream's forms, in the order of the tables.
#[must_use]
pub fn all() -> Vec<Contender> {
    vec![
        Contender::parser::<Borrowed>("everstream, borrowed", Role::Borrowed),
        Contender::parser::<Owned>("everstream, owned", Role::Owned),
    ]
}

/// Each event lent by the parser, and looked at before the next is asked for.
struct Borrowed;

impl Drive for Borrowed {
    fn drive<S: Sink>(chunks: Chunks<'_>, sink: &mut S) -> Result<(), String> {
        let mut parser = Parser::new();
        for chunk in chunks.slices() {
            let mut feed = parser.feed(chunk);
            while let Some(event) = feed.next_event().map_err(|error| error.to_string())? {
                sink.event(event.event(), event.data(), event.id());
            }
        }
        Ok(())
    }
}

/// Each event given away, to be kept, sent or dropped.
struct Owned;

impl Drive for Owned {
    fn drive<S: Sink>(chunks: Chunks<'_>, sink: &mut S) -> Result<(), String> {
        let mut parser = Parser::new();
        for chunk in chunks.slices() {
            let mut feed = parser.feed(chunk);
            while let Some(event) = feed.next_owned().map_err(|error| error.to_string())? {
                sink.event(event.event(), event.data(), event.id());
            }
        }
        Ok(())
    }
}
