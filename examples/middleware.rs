//! A feed through reqwest-middleware, which signs each of its requests.
//!
//! `cargo run --example middleware` follows a server of its own.
//!
//! Sign, trace and count as you like. **A middleware that retries is not for streams**: the source
//! retries by itself, and within each of its attempts the middleware would again, even the POST that
//! the source sends once. That is paid for twice.
#![expect(clippy::print_stdout, reason = "it is a program for a terminal")]

use std::time::Duration;

use everstream::{
    BoxError, Error, ErrorKind, EventSource,
    http::{Extensions, HeaderValue},
    testing::{Reply, Server},
    transport::{Attempt, Response},
};
use futures_util::{TryStreamExt, future::BoxFuture};
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware, Next};

/// A middleware: each request that is really sent gets a signature of its own.
fn sign<'a>(
    mut request: reqwest::Request,
    extensions: &'a mut Extensions,
    next: Next<'a>,
) -> BoxFuture<'a, reqwest_middleware::Result<reqwest::Response>> {
    let signature = HeaderValue::from_static("of this very request");
    request.headers_mut().insert("x-signature", signature);
    Box::pin(next.run(request, extensions))
}

/// A source whose requests go through the middleware of `client`.
fn follow(client: ClientWithMiddleware, url: String) -> Result<EventSource, Error> {
    EventSource::factory(move |attempt: Attempt| {
        let client = client.clone();
        let request = client.get(&url).build();
        async move {
            let mut request = request?;
            attempt.apply(request.headers_mut());
            Ok::<_, BoxError>(Response::from(client.execute(request).await?))
        }
    })
    // Keep-alive comments hide from the idle limit that nothing else comes.
    .event_timeout(Duration::from_secs(60))
    .build()
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let server = Server::script([
        Reply::events().raw("retry: 100\nid: 1\ndata: one\n\n"),
        Reply::events()
            .raw("id: 2\ndata: two\n\n")
            .expect_last_event_id("1"),
    ])
    .await;
    let client = everstream::reqwest013::client_builder().build();
    let client = client.map_err(|error| Error::new(ErrorKind::Request, error))?;
    let client = ClientBuilder::new(client).with(sign).build();

    let mut source = follow(client, server.url("/"))?;
    while let Some(event) = source.try_next().await? {
        println!("{} {}", event.id(), event.data());
    }
    for request in server.requests() {
        let signature = request.header("x-signature").unwrap_or("none");
        println!("request {}, its signature: {signature}", request.number());
    }
    Ok(())
}
