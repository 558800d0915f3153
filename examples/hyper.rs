//! A feed over hyper itself: any HTTP client can carry an `EventSource`.
//!
//! `cargo run --example hyper [URL]`; without a URL it follows a server of its own.
#![expect(clippy::print_stdout, reason = "it is a program for a terminal")]

use everstream::{
    Attempt, Error, ErrorKind, EventSource,
    bytes::Bytes,
    http::Request,
    testing::{Reply, Server},
    transport::{Body, Response},
};
use futures_util::TryStreamExt;
use http_body_util::{BodyExt, Empty};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};

/// A source whose requests are made with hyper.
fn follow(url: String) -> Result<EventSource, Error> {
    let client = Client::builder(TokioExecutor::new()).build_http::<Empty<Bytes>>();
    EventSource::factory(move |attempt: Attempt| {
        let request = Request::get(&url).body(Empty::new());
        let client = client.clone();
        async move {
            // No request can be made: final. Everything else may be better the next time.
            let mut request = request.map_err(|e| Error::new(ErrorKind::Request, e))?;
            attempt.apply(request.headers_mut());
            let response = client.request(request).await.map_err(|error| {
                let kind = if error.is_connect() {
                    ErrorKind::Connect
                } else {
                    ErrorKind::Transport
                };
                Error::new(kind, error)
            })?;
            let response = response.map(|body| Body::new(body.into_data_stream()));
            Ok::<_, Error>(Response::from(response))
        }
    })
    .build()
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    // Twice two events, the second time from where the first has ended; then 204.
    let server = Server::script([
        Reply::events().raw("retry: 100\nid: 1\ndata: one\n\nid: 2\ndata: two\n\n"),
        Reply::events()
            .raw("id: 3\ndata: three\n\nid: 4\ndata: four\n\n")
            .expect_last_event_id("2"),
    ])
    .await;
    let url = std::env::args().nth(1).unwrap_or_else(|| server.url("/"));

    let mut source = follow(url)?;
    while let Some(event) = source.try_next().await? {
        println!("{} {}", event.id(), event.data());
    }
    Ok(())
}
