//! The faces that are held to it, as one stream of signals.

use std::{
    future::IntoFuture,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use everstream::{
    Error, Event, EventSource, EventSourceHandle, EventStream, EventStreamBuilder, Oversized,
    ReadyState, Signal, Signals, transport::BoxFuture,
};
use everstream_fuzz::{executor::Wakers, server::Server};
use futures_util::{Stream, StreamExt};

use super::Item;

pub struct Options {
    pub is_feed: bool,
    pub signals: bool,
    pub handle: bool,
    pub is_cooperative: bool,
    pub wakers: Wakers,
    pub oversized: Oversized,
    pub max_event_bytes: usize,
    /// Not set, the limit on silence holds for the headers, too.
    pub headers: Option<Option<Duration>>,
    pub idle: Option<Duration>,
    pub first_event: Option<Duration>,
    pub event: Option<Duration>,
}

macro_rules! built {
    ($builder:expr, $options:expr) => {{
        let builder = $builder
            .idle_timeout($options.idle)
            .first_event_timeout($options.first_event)
            .event_timeout($options.event)
            .max_event_bytes($options.max_event_bytes)
            .oversized($options.oversized);
        match $options.headers {
            Some(limit) => builder.headers_timeout(limit),
            None => builder,
        }
    }};
}

pub enum Subject {
    Opening(BoxFuture<'static, Result<EventStream, Error>>, bool),
    Failed,
    Answer(EventStream),
    AnswerSignals(Signals<EventStream>),
    Feed(EventSource),
    FeedSignals(Signals<EventSource>),
}

impl Subject {
    pub fn new(options: &Options, server: &Server) -> Self {
        if options.is_feed {
            let builder = EventSource::builder(server.clone())
                .max_initial_failures(None)
                .seed(7);
            let source = built!(builder, options).build().expect("a source");
            return match options.signals {
                true => Self::FeedSignals(source.signals()),
                false => Self::Feed(source),
            };
        }
        let builder = EventStreamBuilder::new(server.respond());
        Self::Opening(built!(builder, options).into_future(), options.signals)
    }

    pub fn handle(&mut self) -> Option<EventSourceHandle> {
        match self {
            Self::Feed(source) => Some(source.handle()),
            Self::FeedSignals(signals) => Some(signals.get_mut().handle()),
            _ => None,
        }
    }

    pub fn ready_state(&self) -> ReadyState {
        match self {
            Self::Opening(..) => ReadyState::Connecting,
            Self::Failed => ReadyState::Closed,
            Self::Answer(_) | Self::AnswerSignals(_) => ReadyState::Open,
            Self::Feed(source) => source.ready_state(),
            Self::FeedSignals(signals) => signals.get_ref().ready_state(),
        }
    }

    pub fn last_event_id(&self) -> &str {
        match self {
            Self::Opening(..) | Self::Failed => "",
            Self::Answer(events) => events.last_event_id(),
            Self::AnswerSignals(signals) => signals.get_ref().last_event_id(),
            Self::Feed(source) => source.last_event_id(),
            Self::FeedSignals(signals) => signals.get_ref().last_event_id(),
        }
    }
}

impl Stream for Subject {
    type Item = Item;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Item>> {
        if let Self::Opening(opening, signals) = &mut *self {
            let signals = *signals;
            match ready!(opening.as_mut().poll(cx)) {
                Ok(events) if signals => *self = Self::AnswerSignals(events.signals()),
                Ok(events) => *self = Self::Answer(events),
                Err(error) => {
                    *self = Self::Failed;
                    return Poll::Ready(Some(Err(error)));
                }
            }
        }
        let event = |event: Option<Result<Event, Error>>| event.map(|it| it.map(Signal::Event));
        match &mut *self {
            Self::Answer(events) => events.poll_next_unpin(cx).map(event),
            Self::AnswerSignals(signals) => signals.poll_next_unpin(cx),
            Self::Feed(source) => source.poll_next_unpin(cx).map(event),
            Self::FeedSignals(signals) => signals.poll_next_unpin(cx),
            Self::Failed => Poll::Ready(None),
            Self::Opening(..) => unreachable!("it has opened"),
        }
    }
}
