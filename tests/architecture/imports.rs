//! Which file of a crate imports which, according to its source text.
//!
//! A file imports another when it names something that the other defines, by whatever path and
//! through however many `pub use`. A `pub use` whose name the file itself does not use is a
//! re-export and imports nothing. Comments, strings and what is compiled for tests alone do not
//! count.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

/// The source of a crate.
#[derive(Default)]
pub(crate) struct Sources {
    modules: BTreeMap<Vec<String>, Module>,
}

/// A module: a file's, or one written within a file.
#[derive(Default)]
struct Module {
    file: String,
    defined: BTreeSet<String>,
    uses: Vec<Use>,
    /// Paths in code, as they are written.
    paths: BTreeSet<Vec<String>>,
    /// Every name in code, to see which names of a `pub use` are used.
    names: BTreeSet<String>,
}

struct Use {
    path: Vec<String>,
    /// The name that it gets here, or `*`.
    name: String,
    is_public: bool,
}

/// A file, another one that it imports, and the path in its code.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Import {
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) by: String,
}

impl Sources {
    /// Reads `src` of the crate in this folder.
    pub(crate) fn read(folder: &Path) -> Self {
        let mut sources = Self::default();
        sources.read_folder(&folder.join("src"), "");
        sources
    }

    fn read_folder(&mut self, folder: &Path, prefix: &str) {
        for entry in fs::read_dir(folder).expect("a folder") {
            let entry = entry.expect("an entry");
            let name = format!("{prefix}{}", entry.file_name().to_str().expect("UTF-8"));
            if entry.file_type().expect("a type").is_dir() {
                self.read_folder(&entry.path(), &format!("{name}/"));
            } else if name.ends_with(".rs") && !is_for_tests(&name) {
                self.add(&name, &fs::read_to_string(entry.path()).expect("text"));
            }
        }
    }

    /// Adds a file, whose name is relative to `src`.
    pub(crate) fn add(&mut self, file: &str, text: &str) {
        let stem = file.trim_end_matches(".rs");
        let mut path: Vec<String> = stem.split('/').map(str::to_owned).collect();
        if matches!(path.last().map(String::as_str), Some("mod" | "lib")) {
            path.pop();
        }
        let tokens = without_tests(&tokens(text));
        self.read_module(file, &path, &tokens);
    }

    /// The files' names, relative to `src`.
    pub(crate) fn files(&self) -> BTreeSet<&str> {
        self.modules
            .values()
            .map(|module| module.file.as_str())
            .collect()
    }

    /// Every name in the code of the files below `room`, with its file.
    pub(crate) fn names_in(&self, room: &str) -> impl Iterator<Item = (&str, &str)> {
        let modules = self.modules.values();
        let within = modules.filter(move |module| module.file.starts_with(room));
        within.flat_map(|module| {
            let used = module.uses.iter().flat_map(|found| &found.path);
            let names = used
                .chain(&module.names)
                .chain(module.paths.iter().flatten());
            names.map(|name| (module.file.as_str(), name.as_str()))
        })
    }

    fn read_module(&mut self, file: &str, path: &[String], tokens: &[Token]) {
        let mut module = Module {
            file: file.to_owned(),
            ..Module::default()
        };
        let mut depth = 0;
        let mut at = 0;
        // Whether the item that begins here, or has begun, is public.
        let mut is_public = false;
        while at < tokens.len() {
            match &tokens[at] {
                Token::Name(name) if name == "pub" => is_public = true,
                Token::Name(name) if name == "use" => {
                    let end = at + position(&tokens[at..], ";");
                    let mut tree = &tokens[at + 1..end];
                    read_use(&mut tree, &[], is_public, &mut module.uses);
                    is_public = false;
                    at = end;
                }
                Token::Name(name) if name == "mod" && is(tokens, at + 2, "{") => {
                    let end = at + 2 + block(&tokens[at + 2..]);
                    if let Token::Name(inner) = &tokens[at + 1] {
                        let path = [path, std::slice::from_ref(inner)].concat();
                        self.read_module(file, &path, &tokens[at + 3..end - 1]);
                    }
                    is_public = false;
                    at = end - 1;
                }
                Token::Name(name) => {
                    if depth == 0 && DEFINES.contains(&name.as_str()) {
                        let skip = if name == "macro_rules" { 2 } else { 1 };
                        if let Some(Token::Name(defined)) = tokens.get(at + skip) {
                            module.defined.insert(defined.clone());
                        }
                        is_public = false;
                    }
                    let mut written = vec![name.clone()];
                    while is(tokens, at + 1, "::") {
                        let Some(Token::Name(next)) = tokens.get(at + 2) else {
                            break;
                        };
                        written.push(next.clone());
                        at += 2;
                    }
                    module.names.insert(name.clone());
                    if written.len() > 1 {
                        module.paths.insert(written);
                    }
                }
                Token::Mark("{") => depth += 1,
                Token::Mark("}") => depth -= 1,
                Token::Mark(";") => is_public = false,
                Token::Mark(_) => {}
            }
            at += 1;
        }
        self.modules.insert(path.to_vec(), module);
    }

    /// Which file imports which, each pair once.
    pub(crate) fn imports(&self) -> Vec<Import> {
        let mut imports = BTreeMap::new();
        for (at, module) in &self.modules {
            let used = module
                .uses
                .iter()
                .filter(|found| !found.is_public || module.names.contains(&found.name));
            let paths = used.map(|found| &found.path).chain(&module.paths);
            for path in paths {
                let Some(to) = self.resolve(at, path, 0) else {
                    continue;
                };
                let to = &self.modules[&to].file;
                if *to != module.file {
                    imports
                        .entry((module.file.clone(), to.clone()))
                        .or_insert_with(|| path.join("::"));
                }
            }
        }
        let imports = imports.into_iter();
        imports
            .map(|((from, to), by)| Import { from, to, by })
            .collect()
    }

    /// The module that defines what a path names, if it is one of the crate's.
    fn resolve(&self, from: &[String], path: &[String], depth: usize) -> Option<Vec<String>> {
        let (mut at, mut rest): (Vec<String>, _) = match path.first()?.as_str() {
            "crate" => (Vec::new(), &path[1..]),
            "self" => (from.to_vec(), &path[1..]),
            "super" => (from[..from.len().checked_sub(1)?].to_vec(), &path[1..]),
            name => {
                // A name of this module, or another crate.
                let here = self.modules.get(from)?;
                let child = [from, &[name.to_owned()]].concat();
                let is_known = self.modules.contains_key(&child)
                    || here.uses.iter().any(|found| found.name == name)
                    || here.defined.contains(name);
                if !is_known {
                    return None;
                }
                (from.to_vec(), path)
            }
        };
        while let Some((name, after)) = rest.split_first() {
            if name == "super" {
                at.pop()?;
                rest = after;
                continue;
            }
            let child = [at.as_slice(), std::slice::from_ref(name)].concat();
            if self.modules.contains_key(&child) {
                at = child;
                rest = after;
                continue;
            }
            let module = self.modules.get(&at)?;
            if module.defined.contains(name) || depth > 16 {
                return Some(at);
            }
            let bound = module
                .uses
                .iter()
                .find(|found| found.name == *name && found.path != [name.clone()]);
            if let Some(bound) = bound {
                let path = [bound.path.as_slice(), after].concat();
                return self.resolve(&at, &path, depth + 1);
            }
            for glob in module.uses.iter().filter(|found| found.name == "*") {
                let Some(target) = self.resolve(&at, &glob.path, depth + 1) else {
                    continue;
                };
                let there = &self.modules[&target];
                if there.defined.contains(name) || there.uses.iter().any(|u| u.name == *name) {
                    return self.resolve(&target, rest, depth + 1).or(Some(target));
                }
            }
            // Possibly a macro defines it here.
            return Some(at);
        }
        Some(at)
    }
}

/// The import cycles: each list is a set of files that reach one another.
pub(crate) fn circles(imports: &[Import]) -> Vec<Vec<String>> {
    let mut to: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for import in imports {
        to.entry(&import.from).or_default().insert(&import.to);
    }
    let reached = |from: &str| {
        let mut seen = BTreeSet::new();
        let mut next = vec![from];
        while let Some(file) = next.pop() {
            for file in to.get(file).into_iter().flatten() {
                if seen.insert(*file) {
                    next.push(file);
                }
            }
        }
        seen
    };
    let reached: BTreeMap<&str, _> = to.keys().map(|file| (*file, reached(file))).collect();
    let mut circles = BTreeSet::new();
    for (file, files) in &reached {
        if files.contains(file) {
            let circle = files
                .iter()
                .filter(|other| reached.get(*other).is_some_and(|back| back.contains(file)));
            circles.insert(circle.map(|file| (*file).to_owned()).collect::<Vec<_>>());
        }
    }
    circles.into_iter().collect()
}

const DEFINES: [&str; 9] = [
    "struct",
    "enum",
    "trait",
    "fn",
    "type",
    "const",
    "static",
    "union",
    "macro_rules",
];

/// Files that only `#[cfg(test)] mod …;` brings in.
fn is_for_tests(file: &str) -> bool {
    file.ends_with("tests.rs") || file.contains("/tests/")
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Name(String),
    Mark(&'static str),
}

const MARKS: [&str; 13] = [
    "::", "{", "}", "(", ")", "[", "]", ";", ",", "*", "#", "!", "=",
];

/// Names, and the marks that matter here; no comments, literals or lifetimes.
fn tokens(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            block_comment(rest)
        } else if let Some(length) = string(rest) {
            length
        } else if first == '\'' {
            quote(rest)
        } else if first.is_alphanumeric() || first == '_' {
            let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_');
            let name = &rest[..end.unwrap_or(rest.len())];
            tokens.push(Token::Name(name.to_owned()));
            name.len()
        } else if let Some(mark) = MARKS.iter().find(|mark| rest.starts_with(**mark)) {
            tokens.push(Token::Mark(mark));
            mark.len()
        } else {
            first.len_utf8()
        };
        rest = &rest[length..];
    }
    tokens
}

fn block_comment(text: &str) -> usize {
    let mut depth = 0;
    let mut at = 0;
    while at < text.len() {
        if text[at..].starts_with("/*") {
            depth += 1;
            at += 2;
        } else if text[at..].starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += text[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    text.len()
}

/// The length of the string that the text begins with: plain, of bytes, or raw.
fn string(text: &str) -> Option<usize> {
    let body = text.strip_prefix(['b', 'c']).unwrap_or(text);
    if let Some(raw) = body.strip_prefix('r') {
        let hashes = raw.len() - raw.trim_start_matches('#').len();
        let inner = raw[hashes..].strip_prefix('"')?;
        let end = format!("\"{}", "#".repeat(hashes));
        let length = inner.find(&end)? + end.len();
        return Some(text.len() - inner.len() + length);
    }
    let inner = body.strip_prefix('"')?;
    Some(text.len() - inner.len() + closing(inner, '"')?)
}

/// The length of a character, of a byte, or of a lifetime.
fn quote(text: &str) -> usize {
    let inner = &text[1..];
    let mut chars = inner.chars();
    match (chars.next(), chars.next()) {
        (Some('\\'), _) | (Some(_), Some('\'')) => 1 + closing(inner, '\'').unwrap_or(0),
        _ => 1,
    }
}

/// Where a literal ends, including its closing quote.
fn closing(inner: &str, quote: char) -> Option<usize> {
    let mut is_escaped = false;
    for (at, c) in inner.char_indices() {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            c if c == quote => return Some(at + c.len_utf8()),
            _ => {}
        }
    }
    None
}

fn is(tokens: &[Token], at: usize, mark: &str) -> bool {
    matches!(tokens.get(at), Some(Token::Mark(found)) if *found == mark)
}

fn position(tokens: &[Token], mark: &str) -> usize {
    (0..tokens.len())
        .find(|at| is(tokens, *at, mark))
        .unwrap_or(tokens.len())
}

/// The number of tokens in the bracketed group that starts here.
fn block(tokens: &[Token]) -> usize {
    let mut depth = 0;
    for (at, token) in tokens.iter().enumerate() {
        match token {
            Token::Mark("{" | "(" | "[") => depth += 1,
            Token::Mark("}" | ")" | "]") => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at + 1;
        }
    }
    tokens.len()
}

/// Leaves out each item with `#[cfg(test)]`, or a `cfg` that asks for `test` among others.
fn without_tests(tokens: &[Token]) -> Vec<Token> {
    let mut kept = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        if is(tokens, at, "#") && is(tokens, at + 1, "[") {
            let attribute = &tokens[at + 1..at + 1 + block(&tokens[at + 1..])];
            at += 1 + attribute.len();
            if is_cfg_test(attribute) {
                at += item(&tokens[at..]);
            }
            continue;
        }
        kept.push(tokens[at].clone());
        at += 1;
    }
    kept
}

fn is_cfg_test(attribute: &[Token]) -> bool {
    let name = |at: usize, name: &str| matches!(attribute.get(at), Some(Token::Name(found)) if found == name);
    name(1, "cfg") && (2..attribute.len()).any(|at| name(at, "test") && !name(at - 2, "not"))
}

/// The number of tokens in the item that starts here, including further attributes.
fn item(tokens: &[Token]) -> usize {
    let mut at = 0;
    while at < tokens.len() {
        if is(tokens, at, ";") {
            return at + 1;
        }
        if is(tokens, at, "{") {
            return at + block(&tokens[at..]);
        }
        at += match &tokens[at] {
            Token::Mark("(" | "[") => block(&tokens[at..]),
            _ => 1,
        };
    }
    tokens.len()
}

/// Reads what follows `use`, up to the end of this tree.
fn read_use(tokens: &mut &[Token], before: &[String], is_public: bool, uses: &mut Vec<Use>) {
    let mut path = before.to_vec();
    while let Some((token, rest)) = tokens.split_first() {
        *tokens = rest;
        match token {
            Token::Name(name) if name == "as" => {
                let Some((Token::Name(name), rest)) = tokens.split_first() else {
                    return;
                };
                *tokens = rest;
                uses.push(Use {
                    path,
                    name: name.clone(),
                    is_public,
                });
                return;
            }
            Token::Name(name) if name == "self" && !path.is_empty() => {}
            Token::Name(name) => path.push(name.clone()),
            Token::Mark("::") => continue,
            Token::Mark("*") => {
                uses.push(Use {
                    path,
                    name: "*".to_owned(),
                    is_public,
                });
                return;
            }
            Token::Mark("{") => {
                while !tokens.is_empty() && !is(tokens, 0, "}") {
                    read_use(tokens, &path, is_public, uses);
                    if is(tokens, 0, ",") {
                        *tokens = &tokens[1..];
                    }
                }
                *tokens = tokens.get(1..).unwrap_or_default();
                return;
            }
            Token::Mark(_) => return,
        }
        let ends = tokens.is_empty() || is(tokens, 0, ",") || is(tokens, 0, "}");
        if ends {
            let name = path.last().cloned().unwrap_or_default();
            uses.push(Use {
                path,
                name,
                is_public,
            });
            return;
        }
    }
}
