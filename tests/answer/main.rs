//! One answer, streamed: `events()` on reqwest, against real HTTP.

mod complete;
mod limits;
mod refused;
mod request;

use everstream::{Error, Event, EventStreamExt, RequestBuilderExt, testing::Server};
use futures_util::{Stream, TryStreamExt};

/// The data of every event, and the error that ended the stream.
async fn collect<S>(stream: S) -> (Vec<String>, Option<Error>)
where
    S: Stream<Item = Result<Event, Error>>,
{
    let mut stream = Box::pin(stream);
    let mut data = Vec::new();
    loop {
        match stream.try_next().await {
            Ok(Some(event)) => data.push(event.into_data()),
            Ok(None) => return (data, None),
            Err(error) => {
                assert!(
                    stream.try_next().await.is_ok_and(|item| item.is_none()),
                    "an error is the last item"
                );
                return (data, Some(error));
            }
        }
    }
}

/// What a POST to the server gives, cut at `[DONE]`.
async fn ask(client: &reqwest::Client, server: &Server) -> (Vec<String>, Option<Error>) {
    match client.post(server.url("/")).body("{}").events().await {
        Ok(events) => collect(events.until_data("[DONE]")).await,
        Err(error) => (Vec::new(), Some(error)),
    }
}
