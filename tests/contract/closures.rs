//! Contracts that users build from closures, alone and on top of the presets.

use everstream::{Contract, Event, Meaning};

fn kind(kind: &'static str) -> impl FnMut(&Event) -> bool + Send {
    move |event| event.event_type() == kind
}

/// What each event means, and whether the body may end after each.
fn observed(mut contract: Contract, events: &[&Event]) -> (Vec<Meaning>, Vec<bool>) {
    let observe = |event: &&Event| (contract.observe(event), contract.is_complete());
    events.iter().map(observe).unzip()
}

#[test]
fn an_empty_contract() {
    let (meanings, complete) = observed(
        Contract::new(),
        &[
            &Event::new(""),
            &Event::new("[DONE]"),
            &Event::new("{}").with_event_type("error"),
        ],
    );
    assert_eq!(meanings, [Meaning::Item; 3]);
    assert_eq!(complete, [true; 3]);
    assert!(Contract::new().is_complete());
}

#[test]
fn closures_check_errors_first_and_completion_last() {
    use Meaning::{EndMarker, Error, Item, KeepAlive, Last};
    let contract = || {
        Contract::new()
            .complete_on_data(" end ")
            .complete_when(kind("last"))
            .keep_alive_when(kind("ping"))
            .error_when(kind("error"))
            .error_when(|event| event.data() == "broken")
    };
    for (event_type, data, expected, is_complete) in [
        ("message", "a", Item, false),
        ("ping", "a", KeepAlive, false),
        ("ping", "end", KeepAlive, false),
        ("ping", "broken", Error, false),
        ("error", "end", Error, false),
        ("last", "broken", Error, false),
        ("last", "end", Last, true),
        ("message", "end\n", EndMarker, true),
    ] {
        let event = Event::new(data).with_event_type(event_type);
        let seen = observed(contract(), &[&event]);
        assert_eq!(seen, (vec![expected], vec![is_complete]), "{event:?}");
    }
    assert!(!contract().is_complete());
}

#[test]
fn complete_on_end_makes_the_end_of_the_body_complete() {
    let reason = || Event::new("stop");
    let contract = || Contract::new().complete_on_data("[DONE]");
    let (_, complete) = observed(
        contract().or_at_end_after(|event| event.data() == "stop"),
        &[&Event::new("a"), &reason(), &Event::new("b")],
    );
    assert_eq!(complete, [false, true, true]);
    assert!(!Contract::new().or_at_end_after(|_| true).is_complete());
    assert!(contract().or_at_end().is_complete());
    let (_, complete) = observed(
        Contract::anthropic_messages()
            .or_at_end()
            .error_when(kind("broken")),
        &[
            &Event::new("{}"),
            &Event::new("{}").with_event_type("broken"),
        ],
    );
    assert_eq!(complete, [true, false]);
}

#[test]
fn the_preset_decides_when_closures_do_not() {
    let contract = || {
        Contract::openai_chat()
            .keep_alive_when(kind("queue"))
            .complete_when(|event| event.data().contains("\"usage\":{"))
            .error_when(|event| event.data().contains("content_filter"))
    };
    let ends_with = |data: &str| observed(contract(), &[&Event::new(data)]).0[0];
    assert_eq!(ends_with("[DONE]"), Meaning::EndMarker);
    assert_eq!(ends_with(r#"{"error":{"code":1}}"#), Meaning::Error);
    assert_eq!(
        ends_with(r#"{"choices":[],"usage":{"total_tokens":1}}"#),
        Meaning::Last
    );
    assert_eq!(
        ends_with(r#"{"choices":[{"finish_reason":"content_filter"}]}"#),
        Meaning::Error
    );
    assert_eq!(ends_with(r#"{"choices":[{"delta":{}}]}"#), Meaning::Item);
    let queued = Event::new("{}").with_event_type("queue");
    assert_eq!(observed(contract(), &[&queued]).0, [Meaning::KeepAlive]);
}

/// A closure may have state, and is called once for each event.
#[test]
fn closures_are_called_once_per_event() {
    let mut left = 2;
    let contract = Contract::new().complete_when(move |_| {
        left -= 1;
        left == 0
    });
    let (meanings, _) = observed(contract, &[&Event::new("a"), &Event::new("b")]);
    assert_eq!(meanings, [Meaning::Item, Meaning::Last]);
}

#[test]
fn debug_shows_the_preset() {
    let contract = Contract::gemini().or_at_end_after(|_| true);
    assert_eq!(
        format!("{contract:?}"),
        "Contract { api: Some(\"gemini\"), closures: 1, is_complete: false, .. }"
    );
}
