//! Each face through which a scenario can be seen, with what is to be seen there.

use std::{fmt, future::IntoFuture};

use everstream::{Error, Event, EventSource, EventStream, EventStreamExt, Oversized, Signal};
use futures_util::{
    FutureExt, Stream, StreamExt, TryFutureExt,
    future::ready,
    stream::{self, BoxStream},
};

use crate::scenarios::Scenario;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// One answer: `Events`, then `EventStream`.
    IntoResponse,
    /// `EventSource`.
    Feed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Face {
    Events,
    Signals,
    Until,
    UntilData,
    ErrorWhen,
    Json,
}

/// Every face, of both ways.
pub fn all() -> impl Iterator<Item = (Way, Face)> {
    let faces = [
        Face::Events,
        Face::Signals,
        Face::Until,
        Face::UntilData,
        Face::ErrorWhen,
        Face::Json,
    ];
    let ways = [Way::IntoResponse, Way::Feed].into_iter();
    ways.flat_map(move |way| faces.map(|face| (way, face)))
}

/// The data of the event that completes an answer, or is an error.
const LAST: &str = "9";

/// Plays a scenario.
pub fn play(scenario: &Scenario, way: Way, face: Face) -> BoxStream<'static, String> {
    match (way, face) {
        (Way::IntoResponse, Face::Signals) => answer(scenario, |events| signals(events.signals())),
        (Way::Feed, Face::Signals) => signals(source(scenario).signals()).boxed(),
        (Way::IntoResponse, face) => answer(scenario, move |events| seen(face, events)),
        (Way::Feed, face) => seen(face, source(scenario)),
    }
}

macro_rules! limited {
    ($builder:expr, $limits:expr) => {{
        let (mut builder, limits) = ($builder, $limits);
        builder = builder
            .headers_timeout(limits.headers)
            .first_event_timeout(limits.first_event)
            .event_timeout(limits.event);
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

fn answer<S>(
    scenario: &Scenario,
    face: impl FnOnce(EventStream) -> S + Send + 'static,
) -> BoxStream<'static, String>
where
    S: Stream<Item = String> + Send + 'static,
{
    let events = limited!((scenario.script)().events(), scenario.limits);
    let failed = |error| stream::once(ready(told(Err::<u32, _>(error)))).boxed();
    let opened = move |events| face(events).boxed();
    let items = events.into_future().map_ok_or_else(failed, opened);
    items.flatten_stream().boxed()
}

fn seen<S>(face: Face, events: S) -> BoxStream<'static, String>
where
    S: Stream<Item = Result<Event, Error>> + Send + 'static,
{
    fn is_last(event: &Event) -> bool {
        event.data() == LAST
    }
    let data = |event: Result<Event, Error>| told(event.map(Event::into_data));
    match face {
        Face::Events | Face::Signals => events.map(data).boxed(),
        Face::Until => events.complete_when(is_last).map(data).boxed(),
        Face::UntilData => events.complete_on_data(LAST).map(data).boxed(),
        Face::ErrorWhen => events.error_when(is_last).map(data).boxed(),
        Face::Json => events.json::<u32>().map(told).boxed(),
    }
}

fn signals<S>(signals: S) -> impl Stream<Item = String> + Send + 'static
where
    S: Stream<Item = Result<Signal, Error>> + Send + 'static,
{
    signals.filter_map(|signal| {
        ready(match signal {
            Ok(Signal::Event(event)) => Some(told(Ok(event.into_data()))),
            Ok(_) => None,
            Err(error) => Some(told(Err::<u32, _>(error))),
        })
    })
}

/// The data of an event, or the kind of an error.
pub fn told(item: Result<impl fmt::Display, Error>) -> String {
    match item {
        Ok(data) => data.to_string(),
        Err(error) => format!("!{:?}", error.kind()),
    }
}

/// What there is to be seen of a scenario.
pub fn expected(scenario: &Scenario, way: Way, face: Face) -> Vec<String> {
    let story = match way {
        Way::IntoResponse => scenario.answer,
        Way::Feed => scenario.feed,
    };
    let mut items: Vec<&str> = story.split_whitespace().collect();
    let last = items.iter().position(|&item| item == LAST);
    let ends = items.last().is_none_or(|item| !item.starts_with('!'));
    match (face, last) {
        (Face::Until, Some(last)) => items.truncate(last + 1),
        (Face::UntilData, Some(last)) => items.truncate(last),
        (Face::ErrorWhen, Some(last)) => items.splice(last.., ["!ErrorEvent"]).for_each(drop),
        (Face::Until | Face::UntilData, None) if ends => items.push("!Incomplete"),
        _ => {}
    }
    items.into_iter().map(str::to_owned).collect()
}
