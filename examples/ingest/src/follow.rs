//! From the feed into a store, in batches of what is there already.

use std::{error::Error, time::Duration};

use everstream::{Backoff, Event, EventSource, Signal};
use futures_util::FutureExt;
use tokio::time::MissedTickBehavior;

use crate::progress::Progress;

/// The events of one step, and the ID to resume from after it.
pub(crate) struct Batch<'a> {
    pub(crate) events: &'a [Event],
    pub(crate) last_event_id: &'a str,
}

/// Where events go.
pub(crate) trait Store {
    /// Stores all of the batch, with its last event ID, or nothing of it. Without events it says
    /// that we are still here.
    ///
    /// `false` is a refusal: another process has taken over.
    async fn store(&mut self, batch: Batch<'_>) -> Result<bool, Box<dyn Error>>;
}

/// Why following came to an end without an error.
#[derive(Debug, PartialEq)]
pub(crate) enum Ended {
    /// The server says that there is nothing more to come: 204.
    Feed,
    /// We were asked to, by a signal.
    Asked,
    /// The store takes nothing from us any more.
    Refused,
}

/// The feed that is followed.
pub(crate) struct Feed {
    request: reqwest::RequestBuilder,
    url: String,
    backoff: Duration,
}

impl Feed {
    pub(crate) fn new(
        url: &str,
        headers: &[(String, String)],
        backoff: Duration,
    ) -> Result<Self, Box<dyn Error>> {
        let client = everstream::reqwest013::client_builder().build()?;
        let mut request = client.get(url);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        Ok(Self {
            request,
            url: url.to_owned(),
            backoff,
        })
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// The feed from after this ID on. The empty string is none.
    pub(crate) fn source(&self, last_event_id: &str) -> Result<EventSource, Box<dyn Error>> {
        let request = self.request.try_clone().ok_or("a GET can be repeated")?;
        let source = EventSource::builder(request)
            .last_event_id(last_event_id)
            .backoff(Backoff::new().initial_backoff(self.backoff))
            // A program that runs for months waits for a server that is down.
            .max_initial_failures(None)
            .build()?;
        Ok(source)
    }
}

/// So much is stored in one step at most.
const MAX_EVENTS: usize = 500;
const MAX_BYTES: usize = 1 << 20;

/// Follows the feed until it ends, we are asked to stop, or the store refuses.
///
/// At least `every` so often the store hears of us, if only by an empty batch.
pub(crate) async fn follow(
    source: EventSource,
    store: &mut impl Store,
    every: Duration,
    progress: &mut Progress,
) -> Result<Ended, Box<dyn Error>> {
    let mut stored_id = source.last_event_id().to_owned();
    let mut signals = source.signals();
    let mut tick = tokio::time::interval(every);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut stop = std::pin::pin!(stop_requested());
    let mut events = Vec::new();
    loop {
        // Dropping `next_signal` loses nothing: it is cancel safe.
        let mut next = tokio::select! {
            () = &mut stop => return Ok(Ended::Asked),
            _ = tick.tick() => signals.next_signal().now_or_never(),
            signal = signals.next_signal() => Some(signal),
        };
        // Whatever else is there by now goes into the same step. It waits for nothing.
        let mut bytes = 0;
        let mut end = None;
        while let Some(signal) = next.take() {
            match signal {
                Ok(Some(Signal::Event(event))) => {
                    bytes += event.data().len();
                    progress.event(&event);
                    events.push(event);
                }
                Ok(Some(Signal::Reconnecting { .. })) => progress.reconnected(),
                Ok(Some(_)) => {}
                Ok(None) => end = Some(Ok(Ended::Feed)),
                Err(error) => end = Some(Err(error.into())),
            }
            if end.is_none() && events.len() < MAX_EVENTS && bytes < MAX_BYTES {
                next = signals.next_signal().now_or_never();
            }
        }
        // That of the last event taken, or of a block without data since.
        let last_event_id = signals.get_ref().last_event_id();
        let batch = Batch {
            events: &events,
            last_event_id,
        };
        if !store.store(batch).await? {
            return Ok(Ended::Refused);
        }
        if events.len() > 1 && last_event_id == stored_id {
            progress.warn_of_missing_ids();
        }
        progress.stored(events.len() as u64, last_event_id);
        stored_id.clear();
        stored_id.push_str(last_event_id);
        events.clear();
        if let Some(end) = end {
            return end;
        }
    }
}

/// Waits for Ctrl-C, or for SIGTERM where there is one.
pub(crate) async fn stop_requested() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}
