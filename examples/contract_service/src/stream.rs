//! One stream that the harness requested: an `EventSource`, and callbacks for its signals.

use std::{fmt, time::Duration};

use everstream::{
    Backoff, BoxError, Error, EventSource, Signal,
    http::{HeaderName, HeaderValue, Request},
    transport::FollowRedirects,
};
use reqwest::Client;

use crate::protocol::{CreateStream, Message};

/// Creates the source from the parameters. It sends no request yet.
pub(crate) fn source(client: Client, asked: &CreateStream) -> Result<EventSource, BoxError> {
    let method = asked.method.as_deref().filter(|method| !method.is_empty());
    let mut request = Request::builder()
        .method(method.unwrap_or("GET"))
        .uri(&asked.stream_url)
        .body(asked.body.clone().unwrap_or_default())?;
    for (name, value) in asked.headers.iter().flatten() {
        let name = HeaderName::try_from(name)?;
        request
            .headers_mut()
            .insert(name, HeaderValue::try_from(value)?);
    }
    // The harness expects that POST and REPORT are sent again when the connection is lost.
    let mut builder =
        EventSource::builder(FollowRedirects::new(client, request)).resend_unsafe_methods(true);
    if let Some(delay) = asked.initial_delay_ms.map(Duration::from_millis) {
        let backoff = Backoff::new()
            .reconnection_time(delay)
            .initial_backoff(delay);
        builder = builder.backoff(backoff);
    }
    if let Some(limit) = asked.read_timeout_ms.map(Duration::from_millis) {
        builder = builder.idle_timeout(limit);
    }
    if let Some(id) = &asked.last_event_id {
        builder = builder.last_event_id(id);
    }
    Ok(builder.build()?)
}

/// Follows the source to its end, or until a callback fails.
pub(crate) async fn follow(source: EventSource, mut callbacks: Callbacks) {
    if let Err(error) = report(source, &mut callbacks).await {
        eprintln!("{}: {error}", callbacks.tag);
    }
}

async fn report(mut source: EventSource, callbacks: &mut Callbacks) -> reqwest::Result<()> {
    loop {
        match source.next_signal().await {
            Ok(Some(Signal::Event(event))) => callbacks.send(&Message::event(&event)).await?,
            Ok(Some(Signal::Comment(comment))) => {
                let comment = comment.as_str();
                callbacks.send(&Message::Comment { comment }).await?;
            }
            // A normal end of the response and a requested restart are not errors.
            Ok(Some(Signal::Reconnecting { cause, .. })) => {
                if let Some(error) = cause.error() {
                    callbacks.send_error(error).await?;
                }
            }
            Ok(Some(_)) => {}
            Ok(None) => return Ok(()),
            Err(error) => return callbacks.send_error(&error).await,
        }
    }
}

/// Sends the callbacks of a stream: to a URL, to which each message adds its number.
pub(crate) struct Callbacks {
    client: Client,
    url: String,
    tag: String,
    sent: u64,
}

impl Callbacks {
    pub(crate) fn new(client: Client, asked: CreateStream) -> Self {
        Self {
            client,
            url: asked.callback_url,
            tag: asked.tag.unwrap_or_default(),
            sent: 0,
        }
    }

    /// Sends one message at a time, and waits for the response.
    async fn send(&mut self, message: &Message<'_>) -> reqwest::Result<()> {
        self.sent += 1;
        let body = serde_json::to_vec(message).expect("strings are JSON");
        let request = self
            .client
            .post(format!("{}/{}", self.url, self.sent))
            .header("content-type", "application/json")
            .body(body);
        request.send().await?.error_for_status()?;
        Ok(())
    }

    async fn send_error(&mut self, error: &Error) -> reqwest::Result<()> {
        self.send(&Message::error(&Chain(error).to_string())).await
    }
}

/// Shows an error with its sources, which its `Display` leaves out.
struct Chain<'a>(&'a Error);

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut source = std::error::Error::source(self.0);
        while let Some(error) = source {
            write!(f, ": {error}")?;
            source = error.source();
        }
        Ok(())
    }
}
