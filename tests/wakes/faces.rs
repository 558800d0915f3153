//! Each face that can play a scenario, with the expected result.

use std::{
    fmt,
    future::{Future, IntoFuture},
    pin::pin,
};

use everstream::{Contract, Error, Event, EventSource, EventStream, Oversized, Signal};
use futures_util::{
    FutureExt, Stream, StreamExt, TryFutureExt,
    future::ready,
    stream::{self, BoxStream},
};

use crate::scenarios::Scenario;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// One answer: `Events`, then `EventStream`.
    Answer,
    /// `EventSource`.
    Feed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Face {
    Events,
    /// A future for each event, dropped while it is pending.
    NextEvent,
    Signals,
    CompleteWhen,
    CompleteOnData,
    ErrorWhen,
    Contract,
    ContractedSignals,
    Json,
}

/// Every face, in both ways.
pub fn all() -> impl Iterator<Item = (Way, Face)> {
    let faces = [
        Face::Events,
        Face::NextEvent,
        Face::Signals,
        Face::CompleteWhen,
        Face::CompleteOnData,
        Face::ErrorWhen,
        Face::Contract,
        Face::ContractedSignals,
        Face::Json,
    ];
    let ways = [Way::Answer, Way::Feed].into_iter();
    ways.flat_map(move |way| faces.map(|face| (way, face)))
}

/// The data of the event that completes an answer, or is an error.
const LAST: &str = "9";

fn is_last(event: &Event) -> bool {
    event.data() == LAST
}

/// A macro, because our streams have methods that close the connection.
macro_rules! seen {
    ($face:expr, $events:expr) => {{
        let mut events = $events;
        let data = |event: Result<Event, Error>| describe(event.map(Event::into_data));
        match $face {
            Face::Events => events.map(data).boxed(),
            Face::Signals => signals(events.signals()).boxed(),
            Face::NextEvent => stream::poll_fn(move |cx| {
                let mut next = pin!(events.next_event());
                next.as_mut().poll(cx).map(Result::transpose)
            })
            .map(data)
            .boxed(),
            Face::CompleteWhen => events.complete_when(is_last).map(data).boxed(),
            Face::CompleteOnData => events.complete_on_data(LAST).map(data).boxed(),
            Face::ErrorWhen => events.error_when(is_last).map(data).boxed(),
            Face::Contract => events.contract(contract()).map(data).boxed(),
            Face::ContractedSignals => signals(events.signals().contract(contract())).boxed(),
            Face::Json => events.json::<u32>().map(describe).boxed(),
        }
    }};
}

/// Plays a scenario.
pub fn play(scenario: &Scenario, way: Way, face: Face) -> BoxStream<'static, String> {
    match way {
        Way::Answer => answer(scenario, face),
        Way::Feed => seen!(face, source(scenario)),
    }
}

fn contract() -> Contract {
    Contract::new().complete_when(is_last)
}

macro_rules! limited {
    ($builder:expr, $limits:expr) => {{
        let (mut builder, limits) = ($builder, $limits);
        builder = builder
            .first_event_timeout(limits.first_event)
            .event_timeout(limits.event);
        if let Some(limit) = limits.headers {
            builder = builder.headers_timeout(limit);
        }
        if limits.no_idle {
            builder = builder.idle_timeout(None);
        }
        if let Some(bytes) = limits.max_event_bytes {
            builder = builder.max_event_bytes(bytes);
        }
        if limits.skip {
            builder = builder.oversized(Oversized::Skip);
        }
        builder
    }};
}

fn source(scenario: &Scenario) -> EventSource {
    let builder = EventSource::builder((scenario.script)());
    limited!(builder, scenario.limits).build().unwrap()
}

fn answer(scenario: &Scenario, face: Face) -> BoxStream<'static, String> {
    let events = limited!((scenario.script)().events(), scenario.limits);
    let failed = |error| stream::once(ready(describe(Err::<u32, _>(error)))).boxed();
    let opened = move |events: EventStream| seen!(face, events);
    let items = events.into_future().map_ok_or_else(failed, opened);
    items.flatten_stream().boxed()
}

fn signals<S>(signals: S) -> impl Stream<Item = String> + Send + 'static
where
    S: Stream<Item = Result<Signal, Error>> + Send + 'static,
{
    signals.filter_map(|signal| {
        ready(match signal {
            Ok(Signal::Event(event)) => Some(describe(Ok(event.into_data()))),
            Ok(_) => None,
            Err(error) => Some(describe(Err::<u32, _>(error))),
        })
    })
}

/// The data of an event, or the kind of an error.
pub fn describe(item: Result<impl fmt::Display, Error>) -> String {
    match item {
        Ok(data) => data.to_string(),
        Err(error) => format!("!{:?}", error.kind()),
    }
}

/// The expected result of a scenario.
pub fn expected(scenario: &Scenario, way: Way, face: Face) -> Vec<String> {
    let story = match way {
        Way::Answer => scenario.answer,
        Way::Feed => scenario.feed,
    };
    let mut items: Vec<&str> = story.split_whitespace().collect();
    let last = items.iter().position(|&item| item == LAST);
    let ends = items.last().is_none_or(|item| !item.starts_with('!'));
    match (face, last) {
        (Face::CompleteWhen | Face::Contract | Face::ContractedSignals, Some(last)) => {
            items.truncate(last + 1);
        }
        (Face::CompleteOnData, Some(last)) => items.truncate(last),
        (Face::ErrorWhen, Some(last)) => items.splice(last.., ["!ErrorEvent"]).for_each(drop),
        (
            Face::CompleteWhen | Face::CompleteOnData | Face::Contract | Face::ContractedSignals,
            None,
        ) if ends => items.push("!Incomplete"),
        _ => {}
    }
    items.into_iter().map(str::to_owned).collect()
}
