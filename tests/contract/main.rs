//! What completes an answer, checked with answers of every API in every form that gateways produce.

#![allow(unreachable_pub, reason = "a module of tests has no outside")]

mod afterwards;
mod closures;
#[allow(dead_code, reason = "a part of it is used here")]
#[path = "../support/http.rs"]
mod http;
mod naive;
mod seen;
mod surrogates;
mod transcripts;
mod variants;

use everstream::{Contract, Event, Meaning};
use seen::{End, Seen};
use transcripts::{Api, Outcome, Row};

/// A row's outcome once `from` bytes have arrived, and before.
fn decided(outcome: Outcome) -> (Option<usize>, End) {
    match outcome {
        Outcome::Whole { from } | Outcome::OnlyWithMark { from } => (Some(from), End::Whole),
        Outcome::Fails { from } => (Some(from), End::Failed),
        Outcome::Cut => (None, End::CutShort),
    }
}

#[test]
fn each_transcript_has_the_expected_result_at_every_cut() {
    let rows = transcripts::all();
    assert_eq!(rows.len(), 51);
    for row in &rows {
        let (from, end) = decided(row.outcome);
        for (cut, seen) in seen::at_every_byte(row.api.contract(), row.body.as_bytes())
            .iter()
            .enumerate()
        {
            let expected = match from {
                Some(from) if cut >= from => end,
                _ => End::CutShort,
            };
            assert_eq!(seen.end, expected, "{}, cut after byte {cut}", row.name);
        }
        let seen = seen::at_once(row.api.contract(), row.body.as_bytes(), false);
        assert_eq!(
            (seen.items.len(), seen.end),
            (row.items, end),
            "{}",
            row.name
        );
    }
}

#[test]
fn a_gateway_changes_nothing() {
    for row in &transcripts::all() {
        let cut = seen::at_every_byte(row.api.contract(), row.body.as_bytes());
        // How many items make it complete, whatever is between them.
        let enough = cut.iter().find(|seen| seen.end == End::Whole);
        let enough = enough.map_or(usize::MAX, |seen| seen.items.len());
        for (variant, body) in variants::of(row) {
            let name = format!("{}, {variant}", row.name);
            let (_, end) = decided(row.outcome);
            let seen = seen::at_every_byte(row.api.contract(), body.as_bytes());
            let whole = seen.last().expect("at least the empty body");
            assert_eq!((whole.items.len(), whole.end), (row.items, end), "{name}");
            for (
                at,
                Seen {
                    items,
                    end,
                    is_final,
                },
            ) in seen.iter().enumerate()
            {
                let expected = match row.outcome {
                    Outcome::Whole { .. } if items.len() >= enough => End::Whole,
                    Outcome::OnlyWithMark { .. } if *is_final => End::Whole,
                    Outcome::Fails { .. } if *is_final => End::Failed,
                    _ => End::CutShort,
                };
                assert_eq!(*end, expected, "{name}, cut after byte {at}");
            }
        }
    }
}

#[test]
fn an_answer_without_its_end_mark_is_incomplete() {
    let mut rows = 0;
    for row in &transcripts::all() {
        if let Outcome::OnlyWithMark { .. } = row.outcome {
            rows += 1;
            let body = variants::without_done(&row.body);
            let seen = seen::at_once(row.api.contract(), body.as_bytes(), false);
            assert_eq!((seen.items.len(), seen.end), (row.items, End::CutShort));
        }
    }
    assert_eq!(rows, 2);
}

/// If the last event lacks its blank line, and the user asked for such events, it completes the
/// answer only if all of its data has arrived.
#[test]
fn an_event_that_is_cut_within_its_data_completes_nothing() {
    for row in &transcripts::all() {
        let (Some(from), End::Whole) = decided(row.outcome) else {
            continue;
        };
        let blank_line = "\n\n".len();
        for cut in 0..=from - blank_line {
            let body = &row.body.as_bytes()[..cut];
            let seen = seen::at_once(row.api.contract(), body, true);
            // A `message_stop` whose data has not started is not missing anything.
            let line = body.rsplit(|byte| *byte == b'\n').next().expect("a line");
            if row.api == Api::Messages && [&b"data"[..], b"data:", b"data: "].contains(&line) {
                continue;
            }
            let is_all_there = cut == from - blank_line;
            let expected = if is_all_there {
                End::Whole
            } else {
                End::CutShort
            };
            assert_eq!(seen.end, expected, "{}, cut after byte {cut}", row.name);
        }
    }
}

#[test]
fn a_type_that_is_an_error_needs_no_json() {
    for (api, kind) in [
        (Api::Chat, "error"),
        (Api::Responses, "error"),
        (Api::Responses, "response.failed"),
        (Api::Messages, "error"),
        (Api::Gemini, "error"),
    ] {
        for data in ["Overloaded", "{}", "", "{\"type\":"] {
            let mut contract = api.contract();
            let meaning = contract.observe(&Event::new(data).with_event_type(kind));
            assert_eq!(meaning, Meaning::Error, "{api:?}, {kind}: {data}");
            assert!(!contract.is_complete());
        }
    }
}

#[test]
fn white_space_around_the_mark_is_ignored() {
    for data in ["[DONE]", " [DONE] ", "[DONE]\n", "\n[DONE]"] {
        let mut contract = Contract::openai_chat();
        let meaning = contract.observe(&Event::new(data));
        assert_eq!(meaning, Meaning::EndMarker, "{data:?}");
    }
}

/// A single answer, as an example of a row.
#[test]
fn an_answer_without_event_lines() {
    let rows = transcripts::all();
    let is_it = |row: &&Row| row.name == "Messages: with a ping";
    let row = rows.iter().find(is_it).expect("the row");
    let (_, body) = variants::of(row).swap_remove(2);
    let seen = seen::at_once(row.api.contract(), body.as_bytes(), false);
    assert_eq!(seen.end, End::Whole);
    assert!(
        seen.items
            .iter()
            .all(|event| event.event_type() == "message")
    );
    assert_eq!(seen.items[5].data(), r#"{"type":"message_stop"   }"#);
}

/// A choice that was seen has to finish, whichever was seen first and whichever finishes.
#[test]
fn an_answer_is_complete_once_each_choice_that_was_seen_has_finished() {
    let chat = |index: u32, finished: bool| {
        let reason = if finished { r#""stop""# } else { "null" };
        format!(r#"{{"choices":[{{"index":{index},"delta":{{}},"finish_reason":{reason}}}]}}"#)
    };
    let gemini = |index: u32, finished: bool| {
        let reason = if finished {
            r#","finishReason":"STOP""#
        } else {
            ""
        };
        format!(r#"{{"candidates":[{{"index":{index},"content":{{}}{reason}}}]}}"#)
    };
    type Make<'a> = &'a dyn Fn(u32, bool) -> String;
    let apis: [(fn() -> Contract, Make<'_>); 2] =
        [(Contract::openai_chat, &chat), (Contract::gemini, &gemini)];
    for (contract, event) in apis {
        for seen in [[0, 1], [1, 0]] {
            for finished in [vec![], vec![0], vec![1], vec![0, 1], vec![1, 0]] {
                let mut contract = contract();
                for index in seen {
                    contract.observe(&Event::new(event(index, false)));
                }
                for index in &finished {
                    contract.observe(&Event::new(event(*index, true)));
                }
                let whole = finished.len() == seen.len();
                assert_eq!(contract.is_complete(), whole, "{seen:?}, {finished:?}");
            }
        }
    }
}

/// Gateways drop the data of the last event, or put `[DONE]` in its place.
#[test]
fn the_type_of_the_last_event_is_enough() {
    use Meaning::{EndMarker, KeepAlive, Last};

    for (contract, event_type, data, meaning) in [
        (Contract::anthropic_messages(), "message_stop", "{}", Last),
        (
            Contract::anthropic_messages(),
            "message_stop",
            "\n",
            EndMarker,
        ),
        (
            Contract::anthropic_messages(),
            "message_stop",
            "[DONE]",
            EndMarker,
        ),
        (
            Contract::anthropic_messages(),
            "message_delta",
            "\n",
            KeepAlive,
        ),
        (
            Contract::anthropic_messages(),
            "message_delta",
            "[DONE]",
            KeepAlive,
        ),
        (
            Contract::openai_responses(),
            "response.completed",
            "{}",
            Last,
        ),
        (
            Contract::openai_responses(),
            "response.completed",
            "[DONE]",
            EndMarker,
        ),
        (
            Contract::openai_responses(),
            "response.created",
            "[DONE]",
            KeepAlive,
        ),
    ] {
        let mut contract = contract;
        let event = Event::new(data).with_event_type(event_type);
        assert_eq!(contract.observe(&event), meaning, "{event:?}");
    }
}
