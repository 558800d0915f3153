//! How the crate is built: which layer may import which, and the path of a byte, a `close` and a
//! limit through it. ARCHITECTURE.md describes the same.

mod checker_itself;
mod imports;
mod walks;

use std::path::Path;

use imports::{Import, Sources, circles};

/// Each layer, and the layers that it may import. Each may only import layers that are above it in
/// this table.
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

/// The folders that do no I/O, and the crates that they may not name.
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

/// Imports that the table does not allow, each with its pair of files.
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

#[test]
fn there_are_no_import_cycles() {
    let imports = sources().imports();
    let mut told = String::new();
    for circle in circles(&imports) {
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
fn the_table_of_layers_is_ordered() {
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

/// Crates whose types the public API may name; reqwest's are behind their features.
const IN_THE_API: [&str; 9] = [
    "everstream",
    "core",
    "alloc",
    "std",
    "http",
    "bytes",
    "futures_core",
    "serde_core",
    "reqwest",
];

/// `docs/public-api.txt` is the public API with every feature; CI compares it with the code.
#[test]
fn the_public_api_names_few_foreign_crates() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/public-api.txt");
    let api = std::fs::read_to_string(path).expect("the list of the API");
    let foreign = foreign_crates(&api);
    assert!(foreign.is_empty(), "\n{}\n", foreign.join("\n"));
    // The list is not empty, and the check would find a foreign crate in it.
    assert!(api.contains("fn everstream::EventStream::next_event_ref"));
    let leak = "pub fn everstream::Error::url(&self) -> &url::Url";
    assert_eq!(foreign_crates(leak), [format!("url: {leak}")]);
}

fn foreign_crates(api: &str) -> Vec<String> {
    let is_name = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
    let mut foreign = Vec::new();
    for line in api.lines() {
        // pin-project derives this; users cannot name it.
        if line.contains("pin_project::__private") {
            continue;
        }
        for path in line.split(|c| !is_name(c)) {
            let Some((first, _)) = path.split_once("::") else {
                continue;
            };
            let is_crate = first.starts_with(|c: char| c.is_lowercase());
            if is_crate && !IN_THE_API.contains(&first) {
                foreign.push(format!("{first}: {line}"));
            }
        }
    }
    foreign
}

/// Prints which layer imports which, with the number of files that do.
#[test]
fn picture() {
    let imports = sources().imports();
    for (name, _) in LAYERS {
        let mut below = std::collections::BTreeMap::new();
        for import in imports.iter().filter(|import| layer(&import.from) == name) {
            if layer(&import.to) != name {
                *below.entry(layer(&import.to)).or_insert(0) += 1;
            }
        }
        let below: Vec<_> = below.iter().map(|(to, n)| format!("{to} ({n})")).collect();
        eprintln!("{name:>9} -> {}", below.join(", "));
    }
    assert!(
        imports.len() > 100,
        "only {} imports were seen",
        imports.len()
    );
}
