//! Copies the feed to a store, in batches of the events that have already arrived.

use std::{error::Error, io, pin::Pin, time::Duration};

use everstream::{Backoff, Event, EventSource, Signal};
use futures_util::FutureExt;
use tokio::time::MissedTickBehavior;

use crate::progress::Progress;

/// The events of one step, and the ID to resume from after it.
pub(crate) struct Batch<'a> {
    pub(crate) events: &'a [Event],
    pub(crate) last_event_id: &'a str,
}

/// Where events are stored.
pub(crate) trait Store {
    /// Stores the whole batch with its last event ID, or nothing. An empty batch shows that this
    /// process is still alive.
    ///
    /// `false` means that the batch was refused, because another process has taken over.
    async fn store(&mut self, batch: Batch<'_>) -> Result<bool, Box<dyn Error>>;
}

/// Why following ended without an error.
#[derive(Debug, PartialEq)]
pub(crate) enum Ended {
    /// The server answered 204: no more events will come.
    Feed,
    /// A signal asked the process to stop.
    Asked,
    /// The store accepts no more writes from this process.
    Refused,
}

/// The feed to follow.
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

    /// Follows the feed after this ID. The empty string means no ID.
    pub(crate) fn source(&self, last_event_id: &str) -> Result<EventSource, Box<dyn Error>> {
        let request = self.request.try_clone().ok_or("a GET can be repeated")?;
        let source = EventSource::builder(request)
            .last_event_id(last_event_id)
            .backoff(Backoff::new().initial_backoff(self.backoff))
            // The program runs for months, so it waits for a server that is down.
            .max_initial_failures(None)
            .build()?;
        Ok(source)
    }
}

/// The most that is stored in one step.
const MAX_EVENTS: usize = 500;
const MAX_BYTES: usize = 1 << 20;

/// Follows the feed until it ends, a signal arrives, or the store refuses a batch.
///
/// Stores a batch at least every `every`, even if it is empty.
pub(crate) async fn follow(
    source: EventSource,
    store: &mut impl Store,
    every: Duration,
    progress: &mut Progress,
    stop: &mut Stop,
) -> Result<Ended, Box<dyn Error>> {
    progress.resume(source.last_event_id());
    let mut signals = source.signals();
    let mut tick = tokio::time::interval(every);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut events = Vec::new();
    loop {
        // Dropping `next_signal` loses nothing: it is cancel safe.
        let mut next = tokio::select! {
            () = &mut *stop => return Ok(Ended::Asked),
            _ = tick.tick() => signals.next_signal().now_or_never(),
            signal = signals.next_signal() => Some(signal),
        };
        // Add the events that have already arrived to the same step, without waiting for more.
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
        // The ID of the last event in the batch, or of a block without data after it.
        let last_event_id = signals.get_ref().last_event_id();
        let batch = Batch {
            events: &events,
            last_event_id,
        };
        if !store.store(batch).await? {
            return Ok(Ended::Refused);
        }
        progress.stored(events.len() as u64, last_event_id);
        events.clear();
        if let Some(end) = end {
            return end;
        }
    }
}

/// Completes when the process is asked to stop. Don't poll it again after that.
pub(crate) type Stop = Pin<Box<dyn Future<Output = ()>>>;

/// From now on, Ctrl-C and, on Unix, SIGTERM complete the returned future instead of ending the
/// process.
pub(crate) fn stop_requested() -> io::Result<Stop> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        Ok(Box::pin(async move {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        }))
    }
    #[cfg(not(unix))]
    Ok(Box::pin(async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }))
}
