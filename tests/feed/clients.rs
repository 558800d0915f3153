//! The clients that this crate makes.

use std::sync::mpsc;

use everstream::{ErrorKind, RequestBuilderExt, reqwest013};
use tokio::runtime::{Builder, Runtime};

use crate::*;

/// A runtime that only runs in `block_on`.
fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

/// The first event of a feed that ends by itself, with its connection fit for another request.
async fn first(url: &str) -> String {
    let mut source = EventSource::get(url).unwrap();
    let data = soon(next_data(&mut source)).await;
    assert!(soon(source.next()).await.is_none());
    data
}

/// All feeds of `get` share a client. A connection belongs to the runtime on which it was made,
/// whether that is gone or only not run.
#[test]
fn the_shared_client_serves_one_runtime_after_another() {
    let servers = Builder::new_multi_thread().enable_all().build().unwrap();
    let server = servers.block_on(Server::start(|request| match request.last_event_id() {
        None => Reply::events().raw("retry: 0\nid: 1\ndata: a\n\n"),
        Some(_) => Reply::status(204),
    }));
    let url = server.url("/");
    let (done, wait) = mpsc::channel();
    std::thread::spawn(move || {
        let idle = runtime();
        let gone = runtime();
        for runtime in [&idle, &gone] {
            assert_eq!(runtime.block_on(first(&url)), "a");
        }
        drop(gone);
        assert_eq!(runtime().block_on(first(&url)), "a");
        // And back on the first one, after it was not run for a while.
        assert_eq!(idle.block_on(first(&url)), "a");
        done.send(()).unwrap();
    });
    let limit = Duration::from_secs(60);
    wait.recv_timeout(limit).expect("no feed waits for another");
    assert_eq!(server.requests().len(), 8);
}

/// A stream that is open stays so when its source moves to another runtime while the first one is
/// still driven.
#[test]
fn two_runtimes_share_the_client_at_once() {
    let servers = Builder::new_multi_thread().enable_all().build().unwrap();
    let server = servers.block_on(Server::start(|_| events("data: a\n\n").hold()));
    let feeds: Vec<_> = (0..4)
        .map(|_| {
            let url = server.url("/");
            std::thread::spawn(move || {
                let runtime = runtime();
                let mut source = EventSource::get(url).unwrap();
                runtime.block_on(soon(next_data(&mut source)))
            })
        })
        .collect();
    for feed in feeds {
        assert_eq!(feed.join().unwrap(), "a");
    }
}

#[tokio::test]
async fn a_client_made_for_streams_follows_no_redirects() {
    let there = Server::start(|_| events("data: paid\n\n")).await;
    for status in [301, 302, 303, 307, 308] {
        let target = there.url("/x");
        let here = Server::start(move |_| Reply::redirect(status, &target)).await;
        let client = reqwest013::client_builder().build().unwrap();
        let request = client.post(here.url("/")).header("x-api-key", "secret");
        let error = soon(request.body("{}").events().into_future())
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Status);
        assert_eq!(error.status().unwrap().as_u16(), status);
        assert_eq!((here.requests().len(), there.requests().len()), (1, 0));
        let agent = here.requests()[0].header("user-agent").map(str::to_owned);
        assert!(agent.unwrap().starts_with("everstream/"));
    }
}

/// It keeps a connection for the next request, for a while.
#[tokio::test]
async fn a_client_made_for_streams_reuses_a_connection() {
    let server = Server::start(|_| events("data: a\n\n")).await;
    let client = reqwest013::client_builder().build().unwrap();
    for _ in 0..3 {
        let answer = soon(client.get(server.url("/")).events().into_future());
        assert_eq!(collect(answer.await.unwrap()).await.0, ["a"]);
    }
    assert_eq!((server.requests().len(), server.connections()), (3, 1));
}
