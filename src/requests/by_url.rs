//! An [`EventSource`] of a URL or a request, with an HTTP client of ours.

#[cfg(not(all(target_arch = "wasm32", target_os = "unknown")))]
use std::sync::OnceLock;

use bytes::Bytes;
use http::Request;
use url::Url;

use crate::{
    error::{Error, ErrorKind},
    source::{EventSource, EventSourceBuilder},
    transport::{
        FollowRedirects,
        reqwest::v013::{client_builder, invalid_request},
    },
};

impl EventSource {
    /// A feed at `url`, with every option at its default. The URL is read as a browser reads
    /// it: what cannot stand in a request is escaped.
    ///
    /// It comes with an HTTP client, one for all such sources: that of
    /// [`client_builder`](crate::reqwest013::client_builder), which gives up connecting after 10
    /// seconds. Redirects are followed as [`FollowRedirects`] does. The client keeps no connection
    /// for a later request, so that sources on several runtimes never wait for each other, nor for
    /// a runtime that is gone; each connection of a source is a new one.
    ///
    /// # Errors
    ///
    /// Of kind [`ErrorKind::Request`], where `url` is no HTTP URL.
    pub fn get(url: impl AsRef<str>) -> Result<Self, Error> {
        // Spaces, umlauts and such can stand in a URL that is typed, but not in a request.
        let parsed = Url::parse(url.as_ref());
        let url = parsed.map_or_else(|_| url.as_ref().to_owned(), String::from);
        EventSource::request(Request::get(url).body("")).build()
    }

    /// Options for a source of any request, with the HTTP client of [`get`](Self::get).
    ///
    /// ```no_run
    /// use everstream::{EventSource, http::Request};
    ///
    /// # fn doc() -> Result<(), everstream::Error> {
    /// let request = Request::get("https://example.com/feed")
    ///     .header("authorization", "Bearer …")
    ///     .body("");
    /// let source = EventSource::request(request).last_event_id("42").build()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn request(request: Result<Request<impl Into<Bytes>>, http::Error>) -> EventSourceBuilder {
        EventSource::builder(match (shared_client(), request) {
            (Ok(client), Ok(request)) => FollowRedirects::of(client, request, true),
            (Err(error), _) => FollowRedirects::failing(error),
            (_, Err(error)) => {
                FollowRedirects::failing(Error::of(ErrorKind::Request).and_source(error.into()))
            }
        })
    }
}

/// The client of [`EventSource::get`], made on first use: each costs milliseconds and some 100 KiB.
///
/// The task that drives a connection belongs to the runtime on which it was made. Taken out of a
/// pool on another one, a connection would hang for as long as the first runtime isn't run.
#[cfg(not(all(target_arch = "wasm32", target_os = "unknown")))]
fn shared_client() -> Result<reqwest::Client, Error> {
    static CLIENT: OnceLock<reqwest::Client> = OnceLock::new();
    if let Some(client) = CLIENT.get() {
        return Ok(client.clone());
    }
    // An error isn't kept: the next time there may be a TLS provider.
    let client = client_builder()
        .pool_max_idle_per_host(0)
        .build()
        .map_err(invalid_request)?;
    Ok(CLIENT.get_or_init(|| client).clone())
}

/// In a browser there is nothing to share.
#[cfg(all(target_arch = "wasm32", target_os = "unknown"))]
fn shared_client() -> Result<reqwest::Client, Error> {
    client_builder().build().map_err(invalid_request)
}
