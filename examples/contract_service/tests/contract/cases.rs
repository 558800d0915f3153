//! The harness's cases: what the server sends, and the callbacks that the harness expects.

use everstream::testing::Reply;
use serde_json::{Value, json};

pub(crate) struct Case {
    pub(crate) name: &'static str,
    /// `None` if every client must support it.
    pub(crate) capability: Option<&'static str>,
    /// The parameters, without the URLs.
    pub(crate) params: Value,
    /// The expected body of every request.
    pub(crate) body: &'static str,
    pub(crate) replies: Vec<Reply>,
    /// How many requests are expected: one per reply.
    pub(crate) requests: usize,
    /// After this many callbacks, the harness sends `restart`.
    pub(crate) restart_after: Option<usize>,
    /// Whether the stream ends, so that no more callbacks come.
    pub(crate) ends: bool,
    pub(crate) told: Vec<Value>,
}

pub(crate) fn event(kind: &str, data: &str, id: &str) -> Value {
    json!({ "kind": "event", "event": { "type": kind, "data": data, "id": id } })
}

pub(crate) fn error() -> Value {
    json!({ "kind": "error" })
}

fn message(data: &str) -> Value {
    event("message", data, "")
}

fn comment(text: &str) -> Value {
    json!({ "kind": "comment", "comment": text })
}

/// An event stream that begins with these bytes, and does not end.
fn open(bytes: impl AsRef<[u8]>) -> Reply {
    Reply::events().raw(bytes).hold()
}

fn case<const R: usize, const T: usize>(
    name: &'static str,
    replies: [Reply; R],
    told: [Value; T],
) -> Case {
    Case {
        name,
        capability: None,
        params: json!({ "initialDelayMs": 0 }),
        body: "",
        replies: replies.into(),
        requests: R,
        restart_after: None,
        ends: false,
        told: told.into(),
    }
}

impl Case {
    fn shows(mut self, capability: &'static str) -> Self {
        self.capability = Some(capability);
        self
    }

    fn with(mut self, params: Value) -> Self {
        let params = params.as_object().unwrap().clone();
        self.params.as_object_mut().unwrap().extend(params);
        self
    }

    fn with_body(mut self, method: &str, body: &'static str) -> Self {
        self.body = body;
        let headers = json!({ "content-type": "application/json; charset=utf-8" });
        self.with(json!({ "method": method, "body": body, "headers": headers }))
    }

    fn restarts_after(mut self, callbacks: usize) -> Self {
        self.restart_after = Some(callbacks);
        self
    }
}

/// A response that ends the stream, with an error.
fn refused(name: &'static str, reply: Reply) -> Case {
    let mut case = case(name, [reply], [error()]);
    case.ends = true;
    case
}

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = parsing();
    cases.extend(line_ends());
    cases.extend(comments_and_boms());
    cases.extend(requests());
    cases.extend(redirects_and_refusals());
    cases.extend(reconnections());
    cases.push(sizes());
    cases
}

fn parsing() -> Vec<Case> {
    vec![
        case(
            "events, the fields of which come in any order",
            [open(
                "data: a\n\nevent: greeting\nid: 1\ndata: b\n\ndata: c\nid: 2\nevent: greeting\n\n",
            )],
            [
                message("a"),
                event("greeting", "b", "1"),
                event("greeting", "c", "2"),
            ],
        ),
        case(
            "an ID stays until another takes its place",
            [open(
                "id: 1\ndata: a\n\ndata: b\n\nid: \0\ndata: c\n\nid\ndata: d\n\n",
            )],
            [
                event("message", "a", "1"),
                event("message", "b", "1"),
                event("message", "c", "1"),
                message("d"),
            ],
        ),
        case(
            "a field without a colon, without a space, with two, and an unknown field",
            [open(
                "data\n\ndata\ndata\n\ndata:a\n\nevent:  b\ndata:  b\n\ncolour: blue\ndata: c\n\n",
            )],
            [
                message(""),
                message("\n"),
                message("a"),
                event(" b", " b", ""),
                message("c"),
            ],
        ),
        case(
            "characters of several bytes, byte by byte",
            [open("data: €\r\n\r\n\r\ndata:\rdata: 豆腐\r\rdata: c\n\n").split_every(1)],
            [message("€"), message("\n豆腐"), message("c")],
        ),
    ]
}

/// Each kind of line end, with and without a split inside it.
fn line_ends() -> Vec<Case> {
    let lines = "data: a||data: b|data: c||data:|data: d||data: e|data|data: f||||data: g||";
    let told = || ["a", "b\nc", "\nd", "e\n\nf", "g"].map(message);
    let mut cases = Vec::new();
    for end in ["\n", "\r\n", "\r"] {
        let whole = open(lines.replace('|', end));
        let pieces = [1, 2].map(|size| whole.clone().split_every(size));
        for reply in pieces.into_iter().chain([whole]) {
            cases.push(case("lines with every end", [reply], told()));
        }
    }
    cases
}

fn comments_and_boms() -> Vec<Case> {
    vec![
        case(
            "comments, reported before the block around them has ended",
            [open(":one\n: two\n:\ndata: a\n\n:three\n")],
            [
                comment("one"),
                comment(" two"),
                comment(""),
                message("a"),
                comment("three"),
            ],
        )
        .shows("comments"),
        case(
            "a BOM at the start is left out, a second one and later ones are not",
            [open("\u{feff}data: a\n\ndata: \u{feff}b\n\n")],
            [message("a"), message("\u{feff}b")],
        )
        .shows("bom"),
        case(
            "a BOM in pieces, before a comment",
            [open("\u{feff}:one\ndata: a\n\n").split_at([1, 2, 3])],
            [comment("one"), message("a")],
        )
        .shows("bom"),
    ]
}

fn requests() -> Vec<Case> {
    let post = |method: &str| {
        open("data: a\n\n")
            .expect_method(method)
            .expect_header("content-type", "application/json; charset=utf-8")
    };
    vec![
        case(
            "a plain request is that of an `EventSource`",
            [open("data: a\n\n")
                .expect_method("GET")
                .expect_target("/stream")
                .expect_header("accept", "text/event-stream")
                .expect_header("cache-control", "no-cache")
                .expect_no_last_event_id()],
            [message("a")],
        ),
        case(
            "headers",
            [open("data: a\n\n")
                .expect_header("x-one", "1")
                .expect_header("x-two", "2")],
            [message("a")],
        )
        .with(json!({ "headers": { "x-one": "1", "x-two": "2" } }))
        .shows("headers"),
        case(
            "an ID to start from is as if it had been received",
            [open("data: a\n\n").expect_last_event_id("abc")],
            [event("message", "a", "abc")],
        )
        .with(json!({ "lastEventId": "abc" }))
        .shows("last-event-id"),
        case("a POST", [post("POST")], [message("a")])
            .with_body("POST", r#"{"hello": "world"}"#)
            .shows("post"),
        case("a REPORT", [post("REPORT")], [message("a")])
            .with_body("REPORT", r#"{"hello": "world"}"#)
            .shows("report"),
    ]
}

fn redirects_and_refusals() -> Vec<Case> {
    let page = Reply::status(200).content_type("text/html").raw("<p>");
    let mut cases = vec![
        refused("a 404", Reply::status(404)),
        refused("a page that is not an event stream", page),
    ];
    for status in [301, 307] {
        let moved = Reply::redirect(status, "/moved");
        let there = open("data: a\n\n").expect_target("/moved");
        cases.extend([
            case("a redirect is followed", [moved, there], [message("a")]),
            refused(
                "a redirect to an empty location",
                Reply::redirect(status, ""),
            ),
            refused("a redirect without a location", Reply::status(status)),
        ]);
    }
    cases
}

fn reconnections() -> Vec<Case> {
    let broken = |bytes: &str| Reply::events().raw(bytes).cut();
    vec![
        case(
            "what a break leaves unfinished is discarded, and the last ID resumed from",
            [
                broken("id: 1\ndata: a\n\ndata: b\n\nid: 2\ndata: unfin").expect_no_last_event_id(),
                open("data: c\n\nid: 3\ndata: d\n\n").expect_last_event_id("1"),
            ],
            [
                event("message", "a", "1"),
                event("message", "b", "1"),
                error(),
                event("message", "c", "1"),
                event("message", "d", "3"),
            ],
        ),
        case(
            "an ID taken back is not resumed from",
            [
                broken("id: 1\ndata: a\n\nid: \ndata: b\n\n"),
                open("data: c\n\n").expect_no_last_event_id(),
            ],
            [
                event("message", "a", "1"),
                message("b"),
                error(),
                message("c"),
            ],
        ),
        case(
            "the end of a response is not an error",
            [Reply::events().data("a"), open("data: b\n\n")],
            [message("a"), message("b")],
        ),
        case(
            "a broken POST is sent again",
            [
                broken("data: a\n\n").expect_method("POST"),
                broken("").expect_method("POST"),
                open("data: b\n\n").expect_method("POST"),
            ],
            [message("a"), error(), error(), message("b")],
        )
        .with_body("POST", r#"{"hello": "world"}"#)
        .shows("post"),
        case(
            "a restart is not an error",
            [
                open("id: 1\ndata: a\n\n"),
                open("data: b\n\n").expect_last_event_id("1"),
            ],
            [event("message", "a", "1"), event("message", "b", "1")],
        )
        .restarts_after(1)
        .shows("restart"),
    ]
}

/// Lengths around typical buffer sizes, and far above them.
fn sizes() -> Case {
    let sizes = [
        0,
        1,
        512,
        1023,
        1024,
        1025,
        4095,
        4096,
        4097,
        8191,
        8192,
        8193,
        16384,
        65536,
        1 << 20,
        5 << 20,
    ];
    let data = sizes.map(|size| "x".repeat(size));
    let wire: String = data
        .iter()
        .map(|data| format!("data: {data}\n\n"))
        .collect();
    let told = data.map(|data| message(&data));
    case("events of any size", [open(wire)], told).shows("payload-size-stress-testable")
}
