//! A connector over hyper, as in the guide: with our redirects, and an error that says what it
//! knows.

use everstream::{
    ErrorKind,
    bytes::Bytes,
    http::Request,
    testing::ClosedPort,
    transport::{Attempt, Body, Connector, Redirects, RequestPolicy, Response},
};
use http_body_util::{BodyExt, Full};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};

use crate::*;

async fn answer(
    client: Client<HttpConnector, Full<Bytes>>,
    mut redirects: Redirects,
) -> Result<Response, Error> {
    loop {
        let request = redirects.request().map(Full::new);
        let response = client.request(request).await.map_err(|error| {
            if error.is_connect() {
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

fn source(request: Request<&'static str>) -> EventSource {
    let client = Client::builder(TokioExecutor::new()).build_http();
    let is_safe = request.method().is_safe();
    let redirects = Redirects::new(request).unwrap();
    let connector = Connector::from_fn(move |attempt: Attempt| {
        let mut redirects = redirects.clone();
        attempt.apply(redirects.headers_mut());
        answer(client.clone(), redirects)
    });
    let policy = RequestPolicy::new().with_resend(is_safe);
    let builder = EventSource::builder(connector.with_policy(policy)).backoff(at_once());
    builder.build().unwrap()
}

#[tokio::test]
async fn a_feed_over_hyper_follows_redirects_and_keeps_its_keys() {
    let there = Server::start(|request| match request.last_event_id() {
        None => events("id: 1\ndata: a\n\n"),
        _ => Reply::status(204),
    })
    .await;
    let target = there.url("/x");
    let here = Server::start(move |request| match request.path() {
        "/" => Reply::redirect(302, format!("http://{}/y", request.header("host").unwrap())),
        _ => Reply::redirect(302, &target),
    })
    .await;
    let url = here.url("/").replace("http://", "http://user:pw@");
    let request = Request::get(url).header("x-api-key", "secret").body("");
    let (data, error) = soon(collect(source(request.unwrap()))).await;
    assert_eq!((data.len(), error.is_none()), (1, true));
    for request in here.requests() {
        assert_eq!(request.header("authorization"), Some("Basic dXNlcjpwdw=="));
        assert_eq!(request.header("x-api-key"), Some("secret"));
    }
    for request in there.requests() {
        assert_eq!(request.header("authorization"), None);
        assert_eq!(request.header("x-api-key"), None);
    }
    assert_eq!(ids(&there), ["", "1"]);
    assert_eq!((here.requests().len(), there.requests().len()), (4, 2));
}

#[tokio::test]
async fn unsent_and_unredirectable_requests_are_reported() {
    let port = ClosedPort::reserve();
    let ask = |url: &str| source(Request::post(url).body("{}").unwrap());
    let (_, error) = soon(collect(ask(&port.url("/")))).await;
    assert!(error.unwrap().is_unsent());

    for (status, kind) in [(303, ErrorKind::Connect), (307, ErrorKind::Redirect)] {
        let target = port.url("/");
        let server = Server::start(move |_| Reply::redirect(status, &target)).await;
        let (_, error) = soon(collect(ask(&server.url("/")))).await;
        let error = error.unwrap();
        assert_eq!(error.kind(), kind);
        assert!(!error.is_unsent(), "{error:?}");
        assert_eq!(server.requests().len(), 1, "a POST is sent once");
    }
}
