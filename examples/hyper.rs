//! A feed over hyper: an `EventSource` works with any HTTP client.
//!
//! Run `cargo run --example hyper -- [URL]`. Without a URL, it follows a built-in server.
#![expect(clippy::print_stdout, reason = "it is a program for a terminal")]

use std::time::Duration;

use everstream::{
    Error, ErrorKind, EventSource,
    bytes::Bytes,
    http::Request,
    testing::{Reply, Server},
    transport::{Attempt, Body, Connector, Redirects, Response},
};
use futures_util::TryStreamExt;
use http_body_util::{BodyExt, Full};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};

type HyperClient = Client<HttpConnector, Full<Bytes>>;

/// A source that sends its requests with hyper.
fn follow(url: &str) -> Result<EventSource, Error> {
    let mut connector = HttpConnector::new();
    connector.set_connect_timeout(Some(Duration::from_secs(10)));
    let client = Client::builder(TokioExecutor::new()).build(connector);

    let request = Request::get(url).body("");
    // The URL is invalid. An error of kind `Request` is final.
    let request = request.map_err(|e| Error::new(ErrorKind::Request, e))?;
    let redirects = Redirects::new(request)?;
    let connector = Connector::from_fn(move |attempt: Attempt| {
        let mut redirects = redirects.clone();
        attempt.apply(redirects.headers_mut());
        answer(client.clone(), redirects)
    });
    EventSource::builder(connector).build()
}

/// The response to a request, after redirects.
async fn answer(client: HyperClient, mut redirects: Redirects) -> Result<Response, Error> {
    loop {
        let request = redirects.request().map(Full::new);
        let response = client.request(request).await.map_err(|error| {
            if error.is_connect() {
                // Before the first redirect, no server has received a request.
                let unsent = redirects.followed() == 0;
                Error::new(ErrorKind::Connect, error).with_unsent(unsent)
            } else {
                Error::new(ErrorKind::Transport, error)
            }
        })?;
        if !redirects.follow(response.status(), response.headers())? {
            let response = response.map(|body| Body::new(body.into_data_stream()));
            return Ok(Response::from(response).with_url(redirects.url()));
        }
    }
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    // Two events, and two more after a reconnection. Then the server answers 204.
    let server = Server::script([
        Reply::redirect(307, "/feed"),
        Reply::events().raw("retry: 100\nid: 1\ndata: one\n\nid: 2\ndata: two\n\n"),
        Reply::redirect(307, "/feed"),
        Reply::events()
            .raw("id: 3\ndata: three\n\nid: 4\ndata: four\n\n")
            .expect_last_event_id("2"),
    ])
    .await;
    let url = std::env::args().nth(1).unwrap_or_else(|| server.url("/"));

    let mut source = follow(&url)?;
    while let Some(event) = source.try_next().await? {
        println!("{} {}", event.id(), event.data());
    }
    Ok(())
}
