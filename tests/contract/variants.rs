//! The same answer, as other gateways would send it.

use serde_json::Value;

use crate::transcripts::{Api, Outcome, Row};

/// Every variant of a row that means the same, with a name.
pub fn of(row: &Row) -> Vec<(&'static str, String)> {
    let body = &row.body;
    let mut variants = vec![
        ("CRLF", body.replace('\n', "\r\n")),
        ("CR", body.replace('\n', "\r")),
        (
            "without event lines",
            without(body, |line| line.starts_with("event:")),
        ),
        (
            "with event lines",
            by_block(body, |block| format!("event: message\n{block}")),
        ),
        ("with the type as an event line", by_block(body, typed)),
        (
            "with keep-alives",
            by_block(body, |block| format!("{KEEP_ALIVES}{block}")),
        ),
        (
            "without spaces",
            body.replace("\ndata: ", "\ndata:")
                .replace("\nevent: ", "\nevent:"),
        ),
        (
            "pretty, sorted",
            by_block(body, |block| rewritten(block, &pretty)),
        ),
        ("names escaped", escaped(body)),
    ];
    if row.outcome != Outcome::Cut || row.api != Api::Chat {
        variants.push(("with [DONE]", format!("{body}data: [DONE]\n\n")));
        variants.push((
            "with a typed [DONE]",
            format!("{body}event: data\ndata: [DONE]\n\n"),
        ));
    }
    if !matches!(row.outcome, Outcome::OnlyWithMark { .. }) {
        variants.push(("without [DONE]", without_done(body)));
    }
    variants
}

/// The row without its `[DONE]`.
pub fn without_done(body: &str) -> String {
    body.replace("event: data\ndata: [DONE]\n\n", "")
        .replace("data: [DONE]\n\n", "")
}

/// What servers and gateways send to keep a connection alive.
const KEEP_ALIVES: &str = concat!(
    ": a comment\n\n",
    "data: : keepalive\n\n",
    "data:\n\n",
    "data\n\n",
    "event: ping\ndata: {\"type\": \"ping\"}\n\n",
    "data: {\"type\":\"ping\"}\n\n",
    "event: keepalive\ndata: {\"sequence_number\":1,\"type\":\"keepalive\"}\n\n",
    "event: ping\ndata: {\"cost\":\"0\"}\n\n",
);

fn without(body: &str, leave_out: impl Fn(&str) -> bool) -> String {
    let lines = body.split_inclusive('\n');
    lines.filter(|line| !leave_out(line)).collect()
}

/// Rewrites each block of lines that has data.
fn by_block(body: &str, rewrite: impl Fn(&str) -> String) -> String {
    let blocks = body.split_inclusive("\n\n");
    let blocks = blocks.map(|block| match block.contains("data:") {
        true => rewrite(block),
        false => block.to_owned(),
    });
    blocks.collect()
}

fn json(block: &str) -> Option<Value> {
    let data = block.lines().find_map(|line| line.strip_prefix("data: "))?;
    serde_json::from_str(data).ok()
}

/// The block with the `type` of its JSON as the event type, where it has one and none is there.
fn typed(block: &str) -> String {
    let kind = json(block).and_then(|json| Some(json.get("type")?.as_str()?.to_owned()));
    match kind {
        Some(kind) if !block.contains("event:") => format!("event: {kind}\n{block}"),
        _ => block.to_owned(),
    }
}

/// The block with its JSON rewritten.
fn rewritten(block: &str, write: &dyn Fn(&Value) -> String) -> String {
    let Some(value) = json(block) else {
        return block.to_owned();
    };
    let rest = without(block, |line| line.starts_with("data:"));
    let data: String = write(&value)
        .lines()
        .map(|line| format!("data: {line}\n"))
        .collect();
    format!("{data}{rest}")
}

fn pretty(value: &Value) -> String {
    format!("{value:#}")
}

/// Every name that matters, partly escaped.
fn escaped(body: &str) -> String {
    [
        ("\"type\"", r#""t\u0079pe""#),
        ("\"error\"", r#""\u0065rror""#),
        ("\"finish_reason\"", r#""finish\u005freason""#),
        ("\"finishReason\"", r#""\u0066inishReason""#),
        ("\"blockReason\"", r#""block\u0052eason""#),
        ("\"choices\"", r#""choice\u0073""#),
        ("\"message_stop\"", r#""message\u005Fstop""#),
        ("\"response.", r#""response\u002e"#),
        ("\"ping\"", r#""pin\u0067""#),
    ]
    .iter()
    .fold(body.to_owned(), |body, (name, escaped)| {
        body.replace(name, escaped)
    })
}
