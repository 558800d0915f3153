//! The checker finds what it should, and nothing else.

use super::{
    imports::{Import, Sources, circles},
    offences,
};

fn imports(files: &[(&str, &str)]) -> Vec<Import> {
    let mut sources = Sources::default();
    sources.add("lib.rs", "");
    for (file, text) in files {
        sources.add(file, text);
    }
    sources.imports()
}

fn pairs(files: &[(&str, &str)]) -> Vec<(String, String)> {
    let imports = imports(files).into_iter();
    imports.map(|import| (import.from, import.to)).collect()
}

fn pair(from: &str, to: &str) -> (String, String) {
    (from.to_owned(), to.to_owned())
}

#[test]
fn an_import_of_a_higher_layer_is_reported() {
    let found = imports(&[
        (
            "stream/mod.rs",
            "pub struct EventStream; use crate::parser::Parser;",
        ),
        ("parser/mod.rs", "pub struct Parser;"),
        ("parser/feed.rs", "use crate::{stream::EventStream};"),
    ]);
    assert_eq!(
        offences(&found),
        ["parser/feed.rs must not import stream/mod.rs, but names `crate::stream::EventStream`"]
    );
    assert_eq!(circles(&found), Vec::<Vec<String>>::new());
}

#[test]
fn a_file_in_no_layer_is_reported() {
    let found = imports(&[
        ("event.rs", "pub struct Event;"),
        ("attic.rs", "use crate::event::Event;"),
    ]);
    assert_eq!(
        offences(&found),
        ["attic.rs is in no layer: add it to LAYERS"]
    );
}

#[test]
fn cycles_of_any_length_are_found() {
    let found = imports(&[
        ("a.rs", "use crate::b::B; pub struct A;"),
        ("b.rs", "use crate::c::C; pub struct B;"),
        ("c.rs", "pub fn c(_: crate::a::A) {} pub struct C;"),
        ("d.rs", "use crate::a::A;"),
    ]);
    assert_eq!(circles(&found), [["a.rs", "b.rs", "c.rs"]]);
}

#[test]
fn nested_groups_names_and_globs_are_followed() {
    let found = pairs(&[
        ("a/mod.rs", "pub struct A; pub mod one; pub use one::*;"),
        ("a/one.rs", "pub struct One; pub struct Other;"),
        (
            "b.rs",
            "use crate::{a::{self as first, one::{One as Uno}}}; fn b(_: first::A) {}",
        ),
        ("c.rs", "use crate::a::{Other, A};"),
        ("d.rs", "use super::a::One;"),
    ]);
    assert_eq!(
        found,
        [
            pair("b.rs", "a/mod.rs"),
            pair("b.rs", "a/one.rs"),
            pair("c.rs", "a/mod.rs"),
            pair("c.rs", "a/one.rs"),
            pair("d.rs", "a/one.rs"),
        ]
    );
}

#[test]
fn a_re_export_is_no_import_and_is_resolved() {
    let found = pairs(&[
        (
            "a/mod.rs",
            "mod one; pub(crate) use one::One; pub use self::one::Two;",
        ),
        ("a/one.rs", "pub struct One; pub struct Two;"),
        ("b.rs", "use crate::a::One;"),
    ]);
    assert_eq!(found, [pair("b.rs", "a/one.rs")]);
    // A file that uses a name that it re-exports imports it.
    let found = pairs(&[
        ("a/mod.rs", "mod one; pub use one::One; fn f(_: One) {}"),
        ("a/one.rs", "pub struct One;"),
    ]);
    assert_eq!(found, [pair("a/mod.rs", "a/one.rs")]);
}

#[test]
fn paths_in_code_and_macros_count() {
    let found = pairs(&[
        ("a.rs", "pub struct A; pub fn f() {}"),
        ("b.rs", "fn b() { let _ = super::a::f(); }"),
        (
            "c.rs",
            "macro_rules! c { () => { fn c(_: $crate::a::A) {} }; }",
        ),
        ("d.rs", "mod inner { pub fn d(_: super::super::a::A) {} }"),
    ]);
    assert_eq!(
        found,
        [
            pair("b.rs", "a.rs"),
            pair("c.rs", "a.rs"),
            pair("d.rs", "a.rs")
        ]
    );
}

#[test]
fn comments_literals_and_tests_do_not_count() {
    let found = pairs(&[
        ("a.rs", "pub struct A;"),
        (
            "b.rs",
            r####"
            //! See [`A`](crate::a::A). use crate::a::A;
            /* use crate::a::A; /* crate::a::A */ use crate::a::A; */
            const S: &str = "use crate::a::A;\" crate::a::A";
            const R: &str = r#"" crate::a::A"#;
            const B: &[u8] = b"crate::a::A";
            const C: [char; 3] = ['"', '\'', '/'];
            fn f<'a>(text: &'a str) -> &'a str { text }
            #[cfg(test)]
            use crate::a::A;
            #[cfg(all(test, feature = "x"))]
            #[allow(unused)]
            mod tests { use crate::a::A; fn g() { crate::a::A; } }
            #[cfg(test)]
            fn h(_: [crate::a::A; 3]) -> crate::a::A { crate::a::A }
            "####,
        ),
    ]);
    assert_eq!(found, []);
    let found = pairs(&[
        ("a.rs", "pub struct A;"),
        ("b.rs", "#[cfg(not(test))] use crate::a::A;"),
    ]);
    assert_eq!(found, [pair("b.rs", "a.rs")]);
}

#[test]
fn other_crates_are_ignored() {
    let found = pairs(&[
        ("a.rs", "pub struct A;"),
        (
            "b.rs",
            "use std::a::A; use ::a::A as B; fn b(_: core::a::A) {}",
        ),
    ]);
    assert_eq!(found, []);
}
