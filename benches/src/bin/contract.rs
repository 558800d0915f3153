//! What a contract costs for each event, beside reading the same event as JSON.

use std::{error::Error, hint::black_box, process::ExitCode};

use cpu_time::ThreadTime;
use everstream::{Contract, Event, Meaning};
use everstream_benches::{
    callgrind::{self, COUNTED, Count},
    options::Options,
    table,
};
use serde::de::IgnoredAny;

const HELP: &str = "\
Counts instructions per event with callgrind, which must be installed (valgrind), and measures the
time per event: of a contract, and of reading all of the event's JSON only to skip it.";

/// How many events are timed at once, and how often.
const EVENTS: u32 = 10_000;
const ROUNDS: usize = 30;

struct Case {
    name: &'static str,
    contract: fn() -> Contract,
    event: Event,
    expected: Meaning,
}

/// The usual event of each API, and those that are dear.
fn cases() -> Vec<Case> {
    let case = |name, contract, kind: &str, data: String, expected| Case {
        name,
        contract,
        event: Event::new(data).with_event_type(kind),
        expected,
    };
    let chat = |rest: &str| {
        let head = r#"{"id":"chatcmpl-DPTOY1fOc1bx6wsQMzD3G4y2Oa4Z4","object":"chat.completion.chunk","created":1774963566,"model":"gpt-4.1-mini","service_tier":"default","system_fingerprint":null,"choices":"#;
        format!(r#"{head}[{{"index":0,{rest}}}]}}"#)
    };
    let delta = r#""delta":{"content":" there"},"logprobs":null,"finish_reason":null"#;
    let response = "response.output_text.delta";
    let image = "iVBORw0KGgo".repeat(100_000);
    vec![
        case("chat, a delta", Contract::openai_chat, "", chat(delta), Meaning::Item),
        case(
            "chat, a finish reason",
            Contract::openai_chat,
            "",
            chat(r#""delta":{},"finish_reason":"stop""#),
            Meaning::Item,
        ),
        case(
            "responses, a delta",
            Contract::openai_responses,
            response,
            format!(
                r#"{{"type":"{response}","item_id":"msg_0dbef2d9d14a548c00696d5e6fb1a08190941cffd38695ae38","output_index":0,"content_index":0,"delta":" there","logprobs":[],"sequence_number":7,"obfuscation":"Zg"}}"#
            ),
            Meaning::Item,
        ),
        case(
            "messages, a delta",
            Contract::anthropic_messages,
            "content_block_delta",
            r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":" there"}     }"#.into(),
            Meaning::Item,
        ),
        case(
            "messages, a ping",
            Contract::anthropic_messages,
            "ping",
            r#"{"type": "ping"}"#.into(),
            Meaning::KeepAlive,
        ),
        case(
            "gemini, a chunk",
            Contract::gemini,
            "",
            r#"{"candidates": [{"content": {"parts": [{"text": " there"}],"role": "model"},"index": 0}],"usageMetadata": {"promptTokenCount": 46,"candidatesTokenCount": 51,"totalTokenCount": 198},"modelVersion": "gemini-3-flash","responseId": "n1P6abvRFaKdz7IPkcuQ2Aw"}"#.into(),
            Meaning::Item,
        ),
        case(
            "gemini, 1.1 MB of image",
            Contract::gemini,
            "",
            format!(r#"{{"candidates": [{{"content": {{"parts": [{{"inlineData": {{"data": "{image}"}}}}]}},"index": 0}}]}}"#),
            Meaning::Item,
        ),
    ]
}

/// Something that is done with one event.
type Work<'a> = Box<dyn FnMut() + 'a>;

impl Case {
    /// By the contract, which has seen one such event.
    fn observe(&self) -> Work<'_> {
        let mut contract = (self.contract)();
        assert_eq!(
            contract.observe(&self.event),
            self.expected,
            "{}",
            self.name
        );
        Box::new(move || {
            black_box(contract.observe(black_box(&self.event)));
        })
    }

    /// By a parser that keeps nothing.
    fn skip(&self) -> Work<'_> {
        Box::new(|| {
            let data = black_box(self.event.data());
            black_box(serde_json::from_str::<IgnoredAny>(data)).expect("JSON");
        })
    }
}

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let options = Options::from_arguments(HELP);
    if let [word, name, times] = &options.rest[..]
        && word == COUNTED
    {
        let cases = cases();
        let (case, work) = name.split_once('/').ok_or("a case and what to do")?;
        let case = cases
            .iter()
            .find(|one| one.name == case)
            .ok_or("no such case")?;
        let work = if work == "contract" {
            case.observe()
        } else {
            case.skip()
        };
        counted(work, times.parse()?);
        return Ok(ExitCode::SUCCESS);
    }
    if !callgrind::is_there() {
        eprintln!("valgrind is not installed");
        return Ok(ExitCode::FAILURE);
    }
    let mut rows = Vec::new();
    for case in &cases() {
        let mut row = vec![case.name.to_owned(), case.event.data().len().to_string()];
        for (name, work) in [("contract", case.observe()), ("skip", case.skip())] {
            row.push(table::short(count(case.name, name)?));
            row.push(table::short(time(work, case)));
        }
        rows.push(row);
    }
    let head = [
        "",
        "bytes",
        "instructions",
        "ns",
        "skipping: instructions",
        "ns",
    ];
    println!("{}", table::markdown(&head.map(str::to_owned), &rows));
    Ok(ExitCode::SUCCESS)
}

/// The instructions of one event: what a hundred take beyond none, for each.
fn count(case: &str, work: &str) -> Result<f64, Box<dyn Error>> {
    let count = |times: &str| {
        let arguments = [format!("{case}/{work}"), times.to_owned()];
        let within = Some("*counted*");
        let count = Count {
            within,
            arguments: arguments.to_vec(),
            ..Count::default()
        };
        count.run(|_| {})
    };
    Ok((count("101")? - count("1")?) as f64 / 100.0)
}

#[inline(never)]
fn counted(mut work: Work<'_>, times: usize) {
    (0..times).for_each(|_| work());
}

/// The nanoseconds of one event, in the best of the rounds.
fn time(mut work: Work<'_>, case: &Case) -> f64 {
    let events = if case.event.data().len() > 10_000 {
        10
    } else {
        EVENTS
    };
    let rounds = (0..ROUNDS).map(|_| {
        let start = ThreadTime::now();
        (0..events).for_each(|_| work());
        start.elapsed().as_nanos() as f64 / f64::from(events)
    });
    rounds.fold(f64::INFINITY, f64::min)
}
