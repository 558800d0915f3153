//! A stand-in for the harness: its requests, and the server that receives the callbacks.

use std::{io, time::Duration};

use everstream::testing::{Reply, Server};
use reqwest::{Client, Method, Response};
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinHandle};

use crate::cases::error;

/// Makes a test fail instead of hang. No result depends on this time.
pub(crate) async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(60), future)
        .await
        .expect("in time")
}

/// A service, started for one test, and a client for it.
pub(crate) struct Harness {
    url: String,
    client: Client,
    service: JoinHandle<io::Result<()>>,
}

impl Harness {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        Self {
            url,
            client: Client::builder().no_proxy().build().unwrap(),
            service: tokio::spawn(contract_service::serve(listener)),
        }
    }

    pub(crate) async fn status(&self) -> Value {
        let response = self.send(Method::GET, "/", "").await;
        assert_eq!(response.status(), 200);
        serde_json::from_slice(&response.bytes().await.unwrap()).unwrap()
    }

    /// Requests a stream, and returns the path of its resource.
    pub(crate) async fn create(
        &self,
        server: &Server,
        callbacks: &Callbacks,
        more: Value,
    ) -> String {
        // A Go program sends unset fields like this.
        let mut params = json!({
            "tag": "a test",
            "streamUrl": server.url("/stream"),
            "callbackUrl": callbacks.url(),
            "initialDelayMs": null,
            "readTimeoutMs": null,
        });
        let more = more.as_object().unwrap().clone();
        params.as_object_mut().unwrap().extend(more);
        let response = self.send(Method::POST, "/", &params.to_string()).await;
        assert_eq!(response.status(), 201);
        response.headers()["location"].to_str().unwrap().to_owned()
    }

    pub(crate) async fn command(&self, stream: &str, command: &str) {
        let body = json!({ "command": command }).to_string();
        assert_eq!(self.post(stream, &body).await, 204, "{command}");
    }

    /// Waits until the stream has ended by itself: from then on it rejects every command, even one that
    /// has no effect.
    pub(crate) async fn until_ended(&self, stream: &str) {
        let listen = r#"{"command":"listen","listen":{"type":"put"}}"#;
        soon(async { while self.post(stream, listen).await != 409 {} }).await;
    }

    pub(crate) async fn post(&self, path: &str, body: &str) -> u16 {
        self.send(Method::POST, path, body).await.status().as_u16()
    }

    pub(crate) async fn close(&self, stream: &str) -> u16 {
        let response = self.send(Method::DELETE, stream, "").await;
        response.status().as_u16()
    }

    /// Stops the service, and waits until it has stopped.
    pub(crate) async fn stop(self) {
        let response = self.send(Method::DELETE, "/", "").await;
        assert_eq!(response.status(), 204);
        soon(self.service).await.unwrap().unwrap();
    }

    async fn send(&self, method: Method, path: &str, body: &str) -> Response {
        let url = format!("{}{path}", self.url);
        let request = self.client.request(method, url).body(body.to_owned());
        soon(request.send()).await.unwrap()
    }
}

/// Receives a stream's callbacks.
pub(crate) struct Callbacks(Server);

const PATH: &str = "/endpoints/7";

impl Callbacks {
    pub(crate) async fn start() -> Self {
        Self(Server::start(|_| Reply::status(202)).await)
    }

    fn url(&self) -> String {
        self.0.url(PATH)
    }

    /// Waits until this many callbacks have arrived.
    pub(crate) async fn wait(&self, n: usize) {
        soon(self.0.wait_for_requests(n)).await;
    }

    /// The callbacks so far, without the texts of errors.
    pub(crate) fn told(&self) -> Vec<Value> {
        let requests = self.0.requests();
        let told = requests.iter().enumerate().map(|(n, request)| {
            assert_eq!(request.method(), "POST");
            assert_eq!(request.target(), format!("{PATH}/{}", n + 1));
            assert_eq!(request.header("content-type"), Some("application/json"));
            let message: Value = serde_json::from_slice(request.body()).unwrap();
            if message["kind"] != "error" {
                return message;
            }
            assert_ne!(message["error"].as_str().expect("text"), "");
            assert_eq!(message["comment"], message["error"]);
            error()
        });
        told.collect()
    }
}
