//! One answer, streamed: `events()` on reqwest, against real HTTP.

mod complete;
mod ends;
#[path = "../support/follow.rs"]
mod follow;
mod limits;
mod pauses;
mod providers;
mod refused;
mod request;
mod wrappers;

use everstream::{Error, RequestBuilderExt, testing::Server};
use follow::collect;

/// The answer to a POST, up to `[DONE]`.
async fn ask(client: &reqwest::Client, server: &Server) -> (Vec<String>, Option<Error>) {
    match client.post(server.url("/")).body("{}").events().await {
        Ok(events) => collect(events.complete_on_data("[DONE]")).await,
        Err(error) => (Vec::new(), Some(error)),
    }
}
