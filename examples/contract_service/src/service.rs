//! The HTTP server, which handles the harness's requests.

use std::{
    collections::HashMap,
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::{
    Router,
    body::Bytes,
    extract::{Path, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use everstream::{EventSourceHandle, ReadyState};
use reqwest::Client;
use serde::de::DeserializeOwned;
use tokio::{net::TcpListener, sync::Notify};

use crate::{
    protocol::{CAPABILITIES, Command, CreateStream, Status},
    stream::{Callbacks, follow, source},
};

/// Serves until the harness stops it with `DELETE /`.
///
/// # Errors
///
/// Fails if no HTTP client can be created.
pub async fn serve(listener: TcpListener) -> io::Result<()> {
    // The harness runs on this machine, so ignore proxies from the environment.
    let client = everstream::reqwest013::client_builder().no_proxy().build();
    let service = Arc::new(Service {
        client: client.map_err(io::Error::other)?,
        streams: Mutex::default(),
        stop: Notify::new(),
    });
    let router = Router::new()
        .route("/", get(status).post(create).delete(stop))
        .route("/streams/{number}", post(command).delete(close))
        .with_state(Arc::clone(&service));
    axum::serve(listener, router)
        .with_graceful_shutdown(async move { service.stop.notified().await })
        .await
}

struct Service {
    client: Client,
    streams: Mutex<Streams>,
    stop: Notify,
}

#[derive(Default)]
struct Streams {
    /// The number of streams so far, which is the number of the last one.
    made: usize,
    /// Streams that the harness has not closed, including those that have ended by themselves.
    by_number: HashMap<usize, EventSourceHandle>,
}

impl Service {
    fn streams(&self) -> MutexGuard<'_, Streams> {
        self.streams.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn status() -> Response {
    let status = Status {
        name: "everstream",
        capabilities: &CAPABILITIES,
    };
    let body = serde_json::to_string(&status).expect("strings are JSON");
    ([(header::CONTENT_TYPE, "application/json")], body).into_response()
}

async fn stop(State(service): State<Arc<Service>>) -> StatusCode {
    let streams = std::mem::take(&mut service.streams().by_number);
    streams.values().for_each(EventSourceHandle::close);
    service.stop.notify_one();
    StatusCode::NO_CONTENT
}

async fn create(State(service): State<Arc<Service>>, body: Bytes) -> Result<Response, Refusal> {
    let asked: CreateStream = read(&body)?;
    let mut source = source(service.client.clone(), &asked).map_err(refuse)?;
    let handle = source.handle();
    let number = {
        let mut streams = service.streams();
        streams.made += 1;
        let number = streams.made;
        streams.by_number.insert(number, handle);
        number
    };
    let callbacks = Callbacks::new(service.client.clone(), asked);
    tokio::spawn(follow(source, callbacks));
    let location = format!("/streams/{number}");
    Ok((StatusCode::CREATED, [(header::LOCATION, location)]).into_response())
}

async fn command(
    State(service): State<Arc<Service>>,
    Path(number): Path<usize>,
    body: Bytes,
) -> Result<StatusCode, Refusal> {
    let command = read(&body)?;
    let handle = service.streams().by_number.get(&number).cloned();
    let handle = handle.ok_or_else(unknown)?;
    let goes_on = match command {
        Command::Restart => handle.reconnect(),
        Command::Listen => handle.ready_state() != ReadyState::Closed,
    };
    if !goes_on {
        return Err((StatusCode::CONFLICT, "the stream has ended".to_owned()));
    }
    Ok(StatusCode::NO_CONTENT)
}

async fn close(
    State(service): State<Arc<Service>>,
    Path(number): Path<usize>,
) -> Result<StatusCode, Refusal> {
    let handle = service.streams().by_number.remove(&number);
    handle.ok_or_else(unknown)?.close();
    Ok(StatusCode::NO_CONTENT)
}

/// A status and its reason.
type Refusal = (StatusCode, String);

/// Parses a JSON body, whatever its content type.
fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    serde_json::from_slice(body).map_err(refuse)
}

fn refuse(error: impl ToString) -> Refusal {
    (StatusCode::BAD_REQUEST, error.to_string())
}

fn unknown() -> Refusal {
    (StatusCode::NOT_FOUND, "there is no such stream".to_owned())
}
