//! What a server may do, and the resulting items: the data of each event, and after a `!` the kind
//! of an error.

use std::time::Duration;

use everstream::{
    ErrorKind,
    testing::{Gate, Reply, Script},
};

use crate::SECOND;

/// A script, its limits, and the expected results.
pub struct Scenario {
    pub name: &'static str,
    pub script: fn() -> Script,
    pub limits: Limits,
    /// The items of the first answer alone, and of a feed.
    pub answer: &'static str,
    pub feed: &'static str,
}

/// The settings that differ from the defaults.
#[derive(Clone, Copy, Debug, Default)]
pub struct Limits {
    pub headers: Option<Duration>,
    pub first_event: Option<Duration>,
    pub event: Option<Duration>,
    pub no_idle: bool,
    pub max_event_bytes: Option<usize>,
    pub skip: bool,
}

fn scenario(
    name: &'static str,
    script: fn() -> Script,
    answer: &'static str,
    feed: &'static str,
) -> Scenario {
    Scenario {
        name,
        script,
        limits: Limits::default(),
        answer,
        feed,
    }
}

impl Scenario {
    fn with(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }
}

/// Repeats `unit`, which is not looked at one by one when the reply is made.
fn for_ever(reply: Reply, unit: &str) -> Reply {
    reply.repeat(unit.repeat(32 << 10), None)
}

/// Keeps the connection alive, but sends no event.
fn comments(reply: Reply) -> Reply {
    for_ever(reply, ":\n").split_every(2).pace(3 * SECOND)
}

/// The last answer of most feeds, which a single answer does not see.
fn last() -> Reply {
    Reply::events().data("9")
}

/// A gate that opens after this time.
fn opening(after: Duration) -> Gate {
    let gate = Gate::new();
    let opened = gate.clone();
    tokio::spawn(async move {
        tokio::time::sleep(after).await;
        opened.open();
    });
    gate
}

pub fn all() -> Vec<Scenario> {
    let mut all = bodies();
    all.extend(ends());
    all.extend(limits());
    all.extend(before_the_body());
    all
}

fn bodies() -> Vec<Scenario> {
    vec![
        scenario(
            "events in one piece",
            || Script::new().reply(Reply::events().raw("data: 1\n\ndata: 2\n\ndata: 9\n\n")),
            "1 2 9",
            "1 2 9",
        ),
        scenario(
            "events one by one",
            || Script::new().reply(Reply::events().data("1").data("2").data("9")),
            "1 2 9",
            "1 2 9",
        ),
        scenario(
            "events with pauses",
            || {
                let pause = 100 * SECOND;
                let reply = Reply::events()
                    .data("1")
                    .pause(pause)
                    .data("2")
                    .pause(pause);
                Script::new().reply(reply.comment("").pause(pause).data("9").pause(pause))
            },
            "1 2 9",
            "1 2 9",
        ),
        scenario(
            "byte by byte",
            || {
                let reply = Reply::events().data("1").data("9");
                Script::new().reply(reply.split_every(1).pace(SECOND))
            },
            "1 9",
            "1 9",
        ),
        scenario(
            "behind a gate",
            || {
                let gate = opening(400 * SECOND);
                Script::new().reply(Reply::events().data("1").gate(&gate).data("9"))
            },
            "1 9",
            "1 9",
        )
        .with(Limits {
            no_idle: true,
            ..Limits::default()
        }),
        scenario(
            "too large, and skipped",
            || Script::new().reply(Reply::events().data("1").data("x".repeat(99)).data("9")),
            "1 9",
            "1 9",
        )
        .with(Limits {
            max_event_bytes: Some(20),
            skip: true,
            ..Limits::default()
        }),
        scenario(
            "too large",
            || Script::new().reply(Reply::events().data("1").data("x".repeat(99)).data("9")),
            "1 !EventTooLarge",
            "1 !EventTooLarge",
        )
        .with(Limits {
            max_event_bytes: Some(20),
            ..Limits::default()
        }),
    ]
}

fn ends() -> Vec<Scenario> {
    vec![
        scenario(
            "an end within an event",
            || {
                let unfinished = Reply::events().data("1").raw("data: 2");
                Script::new().reply(unfinished).reply(last())
            },
            "1",
            "1 9",
        ),
        scenario(
            "a cut within an event",
            || {
                let cut = Reply::events().data("1").raw("data: 2").cut();
                Script::new().reply(cut).reply(last())
            },
            "1 !Body",
            "1 9",
        ),
        scenario(
            "a reset",
            || {
                let reset = Reply::events().data("1").pause(SECOND).reset();
                Script::new().reply(reset).reply(last())
            },
            "1 !Body",
            "1 9",
        ),
        scenario(
            "answers without a byte",
            || {
                let empty = Reply::events;
                Script::new().reply(empty()).reply(empty()).reply(last())
            },
            "",
            "9",
        ),
        scenario(
            "a reconnection time",
            || {
                let short = Reply::events().retry_ms(300).data("1");
                Script::new().reply(short.pause(SECOND)).reply(last())
            },
            "1",
            "1 9",
        ),
        scenario(
            "an end, hours later",
            || {
                let long = Reply::events().retry_ms(3_600_000).data("1");
                Script::new().reply(long).reply(last())
            },
            "1",
            "1 9",
        ),
    ]
}

fn limits() -> Vec<Scenario> {
    vec![
        scenario(
            "silence",
            || {
                let silent = Reply::events().data("1").hold();
                Script::new().reply(silent).reply(last())
            },
            "1 !Timeout(Idle)",
            "1 9",
        ),
        scenario(
            "silence from the start",
            || Script::new().reply(Reply::events().hold()).reply(last()),
            "!Timeout(Idle)",
            "9",
        ),
        scenario(
            "silence after comments",
            || {
                let pause = 200 * SECOND;
                let reply = Reply::events().data("1").pause(pause).comment("");
                Script::new()
                    .reply(reply.pause(pause).comment("").hold())
                    .reply(last())
            },
            "1 !Timeout(Idle)",
            "1 9",
        ),
        scenario(
            "comments before the first event",
            || Script::new().reply(comments(Reply::events())).reply(last()),
            "!Timeout(FirstEvent)",
            "9",
        )
        .with(Limits {
            first_event: Some(5 * SECOND),
            ..Limits::default()
        }),
        scenario(
            "comments for ever",
            || {
                Script::new()
                    .reply(comments(Reply::events().data("1")))
                    .reply(last())
            },
            "1 !Timeout(Event)",
            "1 9",
        )
        .with(Limits {
            event: Some(30 * SECOND),
            ..Limits::default()
        }),
        scenario(
            "comments for a while",
            || {
                let reply = Reply::events().data("1").raw(":\n:\n:\n").data("9");
                Script::new().reply(reply.split_every(2).pace(2 * SECOND))
            },
            "1 9",
            "1 9",
        )
        .with(Limits {
            first_event: Some(20 * SECOND),
            event: Some(30 * SECOND),
            ..Limits::default()
        }),
    ]
}

fn before_the_body() -> Vec<Scenario> {
    vec![
        scenario(
            "headers that never come",
            || Script::new().never().reply(last()),
            "!Timeout(Idle)",
            "9",
        ),
        scenario(
            "headers that never come, within their own limit",
            || Script::new().never().reply(last()),
            "!Timeout(Headers)",
            "9",
        )
        .with(Limits {
            headers: Some(7 * SECOND),
            ..Limits::default()
        }),
        scenario(
            "slow headers",
            || Script::new().reply(last().delay_head(200 * SECOND)),
            "9",
            "9",
        ),
        scenario(
            "headers behind a gate",
            || Script::new().reply(last().gate_head(&opening(30 * SECOND))),
            "9",
            "9",
        ),
        scenario(
            "no connection",
            || {
                let kind = ErrorKind::Connect;
                Script::new().fail(kind).fail(kind).reply(last())
            },
            "!Connect",
            "9",
        ),
        scenario(
            "never a connection",
            || {
                let kind = ErrorKind::Connect;
                Script::new().fail(kind).fail(kind).fail(kind)
            },
            "!Connect",
            "!Connect",
        ),
        scenario(
            "nothing there, said at length",
            || {
                let refusal = Reply::status(404).raw("not").pause(2 * SECOND).raw("here");
                Script::new().reply(refusal.hold())
            },
            "!Status",
            "!Status",
        ),
        scenario(
            "nothing there, said for ever",
            || {
                let refusal = for_ever(Reply::status(404), "x").split_every(1);
                Script::new().reply(refusal.pace(SECOND))
            },
            "!Status",
            "!Status",
        ),
        scenario(
            "busy, and what it says comes slowly",
            || {
                let busy = Reply::status(503).header("retry-after", "2").raw("busy");
                Script::new().reply(busy.hold()).reply(last())
            },
            "!Status",
            "9",
        ),
        scenario(
            "no content",
            || Script::new().reply(Reply::status(204)),
            "!Status",
            "",
        ),
    ]
}
