//! A feed through reqwest-middleware, which signs each of its requests.
//!
//! Run `cargo run --example middleware`. It follows a built-in server.
//!
//! Middleware may sign, trace or count requests. **It must not retry them**: the source retries by
//! itself, and the middleware would retry within each of its attempts. It would even resend a POST that
//! the source sends once, and you would pay twice.
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

/// A middleware that signs every request that is sent.
fn sign<'a>(
    mut request: reqwest::Request,
    extensions: &'a mut Extensions,
    next: Next<'a>,
) -> BoxFuture<'a, reqwest_middleware::Result<reqwest::Response>> {
    let signature = HeaderValue::from_static("a signature of this request");
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
    // The idle limit cannot detect a stall, because keep-alive comments reset it.
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
        println!("request {}, signature: {signature}", request.number());
    }
    Ok(())
}
