//! How the crate is built: which layer may import which, and the way that a byte, a `close` and a
//! limit take through it. ARCHITECTURE.md says the same in words.

mod checker_itself;
mod imports;
mod walks;

use std::path::Path;

use imports::{Import, Sources, circles};

/// Each layer, and the layers that it may import. None may be imported by one that stands above it
/// in this table.
const LAYERS: [(&str, &[&str]); 13] = [
    ("event", &[]),
    ("error", &["event"]),
    ("timer", &[]),
    ("trace", &["error"]),
    ("parser", &["event", "error"]),
    ("encode", &["event", "error", "timer"]),
    ("reader", &["event", "error", "parser"]),
    ("transport", &["event", "error"]),
    (
        "response",
        &["event", "error", "parser", "timer", "transport"],
    ),
    (
        "stream",
        &["event", "error", "parser", "trace", "transport", "response"],
    ),
    (
        "source",
        &[
            "event",
            "error",
            "timer",
            "trace",
            "parser",
            "transport",
            "response",
            "stream",
        ],
    ),
    ("requests", &["error", "transport", "stream", "source"]),
    (
        "testing",
        &["event", "error", "encode", "transport", "stream"],
    ),
];

/// The rooms that do no I/O: crates that they may not name.
const PURE: [(&str, &[&str]); 2] = [("parser", &NOT_PURE), ("source/session", &NOT_PURE)];
const NOT_PURE: [&str; 6] = [
    "tokio",
    "reqwest",
    "reqwest012",
    "futures_util",
    "web_time",
    "gloo_timers",
];

fn sources() -> Sources {
    Sources::read(Path::new(env!("CARGO_MANIFEST_DIR")))
}

/// The layer of a file: its folder, or its own name.
fn layer(file: &str) -> &str {
    let first = file.split('/').next().unwrap_or(file);
    first.trim_end_matches(".rs")
}

/// Imports that the table does not allow, each with the pair that offends.
fn offences(imports: &[Import]) -> Vec<String> {
    let mut offences = Vec::new();
    for Import { from, to, by } in imports {
        let (from_layer, to_layer) = (layer(from), layer(to));
        if from_layer == to_layer || ["lib", "_guide"].contains(&from_layer) {
            continue;
        }
        match LAYERS.iter().find(|(name, _)| *name == from_layer) {
            None => offences.push(format!("{from} is in no layer: add it to LAYERS")),
            Some((_, allowed)) if allowed.contains(&to_layer) => {}
            Some(_) => offences.push(format!("{from} must not import {to}, but names `{by}`")),
        }
    }
    offences
}

#[test]
fn imports_point_one_way() {
    let offences = offences(&sources().imports());
    assert!(offences.is_empty(), "\n{}\n", offences.join("\n"));
}

/// Its files are one circle still, around `Parser` and its fields.
const ONE_CIRCLE: &str = "parser/";

#[test]
fn no_file_imports_one_that_imports_it_back() {
    let imports = sources().imports();
    let mut told = String::new();
    let (known, circles): (Vec<_>, Vec<_>) = circles(&imports)
        .into_iter()
        .partition(|circle| circle.iter().all(|file| file.starts_with(ONE_CIRCLE)));
    assert!(
        !known.is_empty(),
        "{ONE_CIRCLE} is clean: no exception is needed"
    );
    for circle in circles {
        told += "\na circle:\n";
        let inside = |file: &String| circle.contains(file);
        for Import { from, to, by } in &imports {
            if inside(from) && inside(to) {
                told += &format!("  {from} imports {to}: `{by}`\n");
            }
        }
    }
    assert!(told.is_empty(), "{told}");
}

#[test]
fn the_table_of_layers_has_no_way_back() {
    for (at, (name, allowed)) in LAYERS.iter().enumerate() {
        for below in *allowed {
            let position = LAYERS.iter().position(|(name, _)| name == below);
            assert!(
                position.is_some_and(|position| position < at),
                "{name} may import {below}, which has to stand above it in the table"
            );
        }
    }
}

#[test]
fn the_parser_and_the_session_do_no_io() {
    let sources = sources();
    for (room, crates) in PURE {
        for (file, name) in sources.names_in(room) {
            assert!(!crates.contains(&name), "{file} names {name}");
        }
    }
}

#[test]
fn few_rooms_name_reqwest_or_sleep() {
    let sources = sources();
    for (file, name) in sources.names_in("") {
        let is_reqwest = ["reqwest", "reqwest012"].contains(&name);
        let rooms = ["transport/reqwest", "requests/"];
        // The last two only have a module of that name.
        let may = rooms.iter().any(|room| file.starts_with(room))
            || ["lib.rs", "transport/mod.rs"].contains(&file);
        assert!(!is_reqwest || may, "{file} names {name}");
        let is_clock = ["sleep", "sleep_until", "set_timeout"].contains(&name);
        let may = file.starts_with("timer/") || file.starts_with("testing/");
        assert!(!is_clock || may, "{file} names {name}");
    }
}
