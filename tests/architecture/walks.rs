//! Three walks through the crate, file by file. Each step goes one way: either a file calls down
//! into one that it imports, or a file that imports it takes a value from it. Nothing leads back.

use std::collections::BTreeSet;

use super::sources;

#[derive(Clone, Copy, Debug)]
enum Step {
    /// The previous file imports this one, and calls it.
    Down(&'static str),
    /// This file imports the previous one, and takes a value from it.
    Up(&'static str),
}
use Step::{Down, Up};

/// A byte, from the socket to the user.
const BYTE: (&str, &[Step]) = (
    // reqwest has read it: part of a chunk of the response's body.
    "transport/reqwest.rs",
    &[
        // The chunk is the next item of a boxed stream.
        Down("transport/body.rs"),
        // The response polls that, and keeps one chunk.
        Up("response/events.rs"),
        // A cursor walks the chunk: lines, fields, an event.
        Down("parser/cursor.rs"),
        Up("response/events.rs"),
        // It is the next item of the stream: the user's.
        Up("stream/mod.rs"),
    ],
);

/// `EventSourceHandle::close`, from another task to the socket.
const CLOSE: (&str, &[Step]) = (
    // The command is stored, and the task that polls the source is woken.
    "source/handle.rs",
    &[
        // The source handles the command first.
        Up("source/mod.rs"),
        // It is closed in every state.
        Down("source/session/machine.rs"),
        Up("source/mod.rs"),
        // The response drops the body …
        Down("response/events.rs"),
        // … which closes the connection.
        Down("transport/body.rs"),
    ],
);

/// A time limit, from where it is set to the error.
const LIMIT: (&str, &[Step]) = (
    "stream/builder.rs",
    &[
        // Kept with all other options.
        Down("stream/options.rs"),
        // They become the limits of the response.
        Down("response/limits.rs"),
        // Those set an alarm when there is nothing to read, and it fires.
        Down("timer/alarm.rs"),
        Up("response/limits.rs"),
        // An error that names the limit …
        Down("error.rs"),
        Up("response/limits.rs"),
        // … ends the body …
        Up("response/events.rs"),
        // … and the stream, as its last item.
        Up("stream/mod.rs"),
    ],
);

fn check((start, steps): (&str, &[Step])) {
    let sources = sources();
    let files = sources.files();
    let imports = sources.imports();
    let reach = |from: &str, to: &str| {
        let mut seen = BTreeSet::from([from]);
        let mut next = vec![from];
        while let Some(file) = next.pop() {
            for import in imports.iter().filter(|import| import.from == file) {
                if seen.insert(&import.to) {
                    next.push(&import.to);
                }
            }
        }
        seen.contains(to)
    };
    let mut at = start;
    assert!(files.contains(at), "there is no {at}");
    for step in steps {
        let (above, below, next) = match *step {
            Down(next) => (at, next, next),
            Up(next) => (next, at, next),
        };
        assert!(files.contains(next), "there is no {next}");
        let is_direct = imports
            .iter()
            .any(|import| import.from == above && import.to == below);
        assert!(is_direct, "{above} no longer imports {below}");
        assert!(!reach(below, above), "{below} leads back to {above}");
        at = next;
    }
}

#[test]
fn a_byte_from_the_socket_to_the_user() {
    check(BYTE);
}

#[test]
fn closing_by_a_handle() {
    check(CLOSE);
}

#[test]
fn a_time_limit_that_is_exceeded() {
    check(LIMIT);
}
