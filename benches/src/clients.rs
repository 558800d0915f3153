//! The clients that are measured over loopback, all behind one face: a request goes out, events
//! come in.
//!
//! sseer's and eventsrc's own clients insist on reqwest with TLS, which takes a C compiler and
//! minutes to build. What they do for each event is what is measured here: their streams over
//! `bytes_stream()`.

use std::fmt::Display;

use eventsource_client::Client as _;
use eventsource_stream::Eventsource as _;
use everstream::RequestBuilderExt as _;
use futures_util::{StreamExt as _, TryStreamExt as _};
use launchdarkly_sdk_transport::HyperTransport;

use crate::workloads::Digest;

/// A way to follow an event stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Client {
    /// reqwest's `bytes_stream()`, with nothing made of what it reads.
    Bare,
    /// everstream's, which reads one response.
    EventStream,
    /// The same by `next_event_ref`, which lends each event.
    Lent,
    /// The same as the first without its limit on silence, as none of the peers has one.
    Endless,
    /// everstream's, which would reconnect.
    EventSource,
    /// sse-stream over `bytes_stream()`.
    SseStream,
    /// sse-core over `bytes_stream()`.
    SseCore,
    /// eventsrc-client's one-shot source over `bytes_stream()`.
    Eventsrc,
    /// sseer over `bytes_stream()`.
    Sseer,
    /// eventsource-client over its own HTTP client, which is hyper's.
    EventsourceClient,
    /// eventsource-stream over `bytes_stream()`.
    EventsourceStream,
    /// reqwest-eventsource, on reqwest 0.12.
    ReqwestEventsource,
}

/// What the clients share, and make once.
#[derive(Debug, Clone, Default)]
pub struct Http {
    reqwest: reqwest::Client,
    reqwest012: reqwest012::Client,
}

/// What has come from the server.
#[derive(Default)]
pub struct Heard {
    /// How many events.
    pub events: u64,
    /// How many bytes, where nothing was made of them.
    pub bytes: u64,
    /// All events, where they are to be compared.
    pub digest: Option<Digest>,
    /// Told of each event, or where nothing was made of the bytes, of each chunk.
    pub on_each: Option<Box<dyn FnMut()>>,
}

impl std::fmt::Debug for Heard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Heard")
            .field("events", &self.events)
            .field("bytes", &self.bytes)
            .finish_non_exhaustive()
    }
}

impl Heard {
    fn event(&mut self, event: &str, data: &str, id: &str) {
        std::hint::black_box((event, data, id));
        self.events += 1;
        if let Some(digest) = &mut self.digest {
            digest.event(event, data, id);
        }
        self.tell();
    }

    fn chunk(&mut self, chunk: &[u8]) {
        self.bytes += std::hint::black_box(chunk).len() as u64;
        self.tell();
    }

    fn tell(&mut self) {
        if let Some(tell) = &mut self.on_each {
            tell();
        }
    }
}

impl Client {
    /// All of them, in the order of the tables.
    pub const ALL: [Self; 12] = [
        Self::Bare,
        Self::EventStream,
        Self::Lent,
        Self::Endless,
        Self::EventSource,
        Self::SseStream,
        Self::SseCore,
        Self::Eventsrc,
        Self::Sseer,
        Self::EventsourceClient,
        Self::EventsourceStream,
        Self::ReqwestEventsource,
    ];

    /// Its row in the tables.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Bare => "reqwest, bytes_stream()",
            Self::EventStream => "everstream, EventStream",
            Self::Lent => "everstream, next_event_ref",
            Self::Endless => "everstream, EventStream, idle_timeout(None)",
            Self::EventSource => "everstream, EventSource",
            Self::SseStream => "reqwest + sse-stream",
            Self::SseCore => "reqwest + sse-core",
            Self::Eventsrc => "reqwest + eventsrc-client",
            Self::Sseer => "reqwest + sseer",
            Self::EventsourceClient => "eventsource-client",
            Self::EventsourceStream => "reqwest + eventsource-stream",
            Self::ReqwestEventsource => "reqwest-eventsource",
        }
    }

    /// Whether it is everstream.
    #[must_use]
    pub fn is_ours(self) -> bool {
        matches!(
            self,
            Self::EventStream | Self::Lent | Self::Endless | Self::EventSource
        )
    }

    /// Reads one response, in which there are so many events, to its end or to the last of them.
    ///
    /// # Errors
    ///
    /// What the client said.
    pub async fn follow(
        self,
        http: &Http,
        url: &str,
        events: u64,
        heard: &mut Heard,
    ) -> Result<(), String> {
        let request = http.reqwest.get(url);
        match self {
            Self::Bare => {
                let mut chunks = request.send().await.map_err(said)?.bytes_stream();
                while let Some(chunk) = chunks.try_next().await.map_err(said)? {
                    heard.chunk(&chunk);
                }
            }
            Self::EventStream | Self::Endless => {
                let mut answer = request.events();
                if self == Self::Endless {
                    answer = answer.idle_timeout(None);
                }
                let mut stream = answer.await.map_err(said)?;
                while let Some(event) = stream.next_event().await.map_err(said)? {
                    heard.event(event.event_type(), event.data(), event.id());
                }
            }
            Self::Lent => {
                let mut stream = request.events().await.map_err(said)?;
                while let Some(event) = stream.next_event_ref().await.map_err(said)? {
                    heard.event(event.event_type(), event.data(), event.id());
                }
            }
            Self::EventSource => {
                let mut source = request.event_source().map_err(said)?;
                while heard.events < events
                    && let Some(event) = source.try_next().await.map_err(said)?
                {
                    heard.event(event.event_type(), event.data(), event.id());
                }
            }
            Self::SseStream => {
                let chunks = request.send().await.map_err(said)?.bytes_stream();
                let mut stream = sse_stream::SseByteStream::new(chunks);
                while let Some(block) = stream.try_next().await.map_err(said)? {
                    let event = block.event.as_deref().unwrap_or("message");
                    let id = block.id.as_deref().unwrap_or_default();
                    heard.event(event, block.data.as_deref().unwrap_or_default(), id);
                }
            }
            Self::SseCore => {
                let chunks = request.send().await.map_err(said)?.bytes_stream();
                let mut stream = sse_core::SseStream::new(chunks);
                while let Some(event) = stream.try_next().await.map_err(said)? {
                    if let sse_core::SseEvent::Message(event) = event {
                        let id = event.last_event_id.as_deref().unwrap_or_default();
                        heard.event(&event.event, &event.data, id);
                    }
                }
            }
            Self::Eventsrc => {
                let chunks = request.send().await.map_err(said)?.bytes_stream();
                let mut source = eventsrc_client::oneshot::EventSource::new(chunks);
                while let Some(event) = source.try_next().await.map_err(said)? {
                    heard.event(event.event(), event.data(), event.id());
                }
            }
            Self::Sseer => {
                let chunks = request.send().await.map_err(said)?.bytes_stream();
                let mut stream = sseer::EventStream::new(chunks);
                while let Some(event) = stream.next().await {
                    let event = event.map_err(said)?;
                    heard.event(&event.event, &event.data, &event.id);
                }
            }
            Self::EventsourceClient => {
                let transport = HyperTransport::builder()
                    .disable_proxy()
                    .build_http()
                    .map_err(said)?;
                let client = eventsource_client::ClientBuilder::for_url(url)
                    .map_err(said)?
                    .build_with_transport(transport);
                let mut stream = client.stream();
                while heard.events < events
                    && let Some(event) = stream.try_next().await.map_err(said)?
                {
                    if let eventsource_client::SSE::Event(event) = event {
                        let id = event.id.as_deref().unwrap_or_default();
                        heard.event(&event.event_type, &event.data, id);
                    }
                }
            }
            Self::EventsourceStream => {
                let response = request.send().await.map_err(said)?;
                let mut stream = response.bytes_stream().eventsource();
                while let Some(event) = stream.try_next().await.map_err(said)? {
                    heard.event(&event.event, &event.data, &event.id);
                }
            }
            Self::ReqwestEventsource => {
                let request = http.reqwest012.get(url);
                let mut source = reqwest_eventsource::EventSource::new(request).map_err(said)?;
                while heard.events < events
                    && let Some(event) = source.try_next().await.map_err(said)?
                {
                    if let reqwest_eventsource::Event::Message(event) = event {
                        heard.event(&event.event, &event.data, &event.id);
                    }
                }
            }
        }
        Ok(())
    }
}

fn said(error: impl Display) -> String {
    error.to_string()
}

/// How the server sends its events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// Each event is its own HTTP chunk; all are sent at once.
    PerEvent,
    /// Each event is its own HTTP chunk, sent when the one before it was taken.
    ByTurns,
    /// HTTP chunks of 16 KiB, whatever the events.
    Frames,
}

impl Cut {
    /// All of them, in the order of the tables.
    pub const ALL: [Self; 3] = [Self::PerEvent, Self::ByTurns, Self::Frames];

    /// The head of its table.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::PerEvent => "one HTTP chunk per event",
            Self::ByTurns => "one HTTP chunk per event, each when the last was taken",
            Self::Frames => "frames of 16 KiB",
        }
    }

    /// The HTTP chunks' bodies.
    #[must_use]
    pub fn cut(self, script: &Script) -> Vec<&[u8]> {
        let size = match self {
            Self::PerEvent | Self::ByTurns => script.size,
            Self::Frames => 16 << 10,
        };
        script.body.chunks(size).collect()
    }
}

/// A body of many events of the same size.
#[derive(Debug, Clone)]
pub struct Script {
    /// The body.
    pub body: Vec<u8>,
    /// What is in it.
    pub expected: Digest,
    /// How many bytes each event takes.
    pub size: usize,
}

impl Script {
    /// So many events of `size` bytes each, like those of a chat API.
    ///
    /// # Panics
    ///
    /// Where no such event is that small.
    #[must_use]
    pub fn new(events: u64, size: usize) -> Self {
        let (mut body, mut expected) = (Vec::new(), Digest::default());
        for number in 0..events {
            let data = |content: &str| {
                format!(
                    "{{\"id\":\"chatcmpl-{number:08}\",\
                     \"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"{content}\"}}}}]}}"
                )
            };
            let around = "data: \n\n".len() + data("").len();
            let content = size.checked_sub(around).expect("room for an event");
            let data = data(&"x".repeat(content));
            expected.event("message", &data, "");
            body.extend_from_slice(format!("data: {data}\n\n").as_bytes());
        }
        Self {
            body,
            expected,
            size,
        }
    }

    /// Whether a client has heard all of it, and nothing else.
    ///
    /// # Errors
    ///
    /// What it heard instead.
    pub fn check(&self, client: Client, heard: &Heard) -> Result<(), String> {
        let name = client.name();
        if client == Client::Bare {
            let (bytes, right) = (heard.bytes, self.body.len() as u64);
            return (bytes == right)
                .then_some(())
                .ok_or_else(|| format!("{name}: {bytes} bytes instead of {right}"));
        }
        let (events, right) = (heard.events, self.expected.events);
        if events != right {
            return Err(format!("{name}: {events} events instead of {right}"));
        }
        match &heard.digest {
            Some(digest) if *digest != self.expected => {
                Err(format!("{name}: as many events, but others"))
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::{self, Job};

    fn follow(client: Client, url: &str, events: u64) -> Heard {
        let mut heard = Heard {
            digest: Some(Digest::default()),
            ..Heard::default()
        };
        server::runtime()
            .block_on(client.follow(&Http::default(), url, events, &mut heard))
            .expect("no failure");
        heard
    }

    #[test]
    fn every_client_hears_the_right_events() {
        for cut in [Cut::PerEvent, Cut::Frames] {
            let script = Script::new(500, 250);
            let url = server::start(Job::response(&cut.cut(&script)));
            for client in Client::ALL {
                let heard = follow(client, &url, 500);
                assert_eq!(script.check(client, &heard), Ok(()), "{cut:?}");
            }
        }
    }

    #[test]
    fn a_client_that_hears_something_else_is_told() {
        let (script, other) = (Script::new(500, 250), Script::new(500, 251));
        let url = server::start(Job::response(&Cut::Frames.cut(&other)));
        for client in Client::ALL {
            let heard = follow(client, &url, 500);
            assert!(script.check(client, &heard).is_err(), "{client:?}");
        }
    }
}
