//! Redirects, with a client of this crate's own, which follows them itself.

use everstream::{ErrorKind, Signal, http::Request};

use crate::*;

fn post(url: &str) -> EventSourceBuilder {
    let request = Request::post(url)
        .header("content-type", "application/json")
        .header("authorization", "Bearer secret")
        .header("x-api-key", "secret")
        .body("{}");
    EventSource::request(request).backoff(at_once())
}

#[tokio::test]
async fn every_redirect_is_followed_and_a_reconnection_starts_over() {
    for status in [301, 302, 303, 307, 308] {
        let server = Server::script([
            Reply::redirect(status, "/elsewhere?x=1").expect_target("/feed"),
            events("id: 1\ndata: a\n\n").expect_target("/elsewhere?x=1"),
            Reply::redirect(status, "../third")
                .expect_target("/feed")
                .expect_last_event_id("1"),
            events("data: b\n\n")
                .expect_target("/third")
                .expect_last_event_id("1"),
        ])
        .await;
        let mut source = own(&server.url("/feed")).build().unwrap().signals();
        let mut urls = Vec::new();
        while let Some(signal) = soon(source.next()).await {
            if let Signal::Open(head) = signal.unwrap() {
                urls.push(head.url().unwrap().to_owned());
            }
        }
        assert_eq!(urls, [server.url("/elsewhere?x=1"), server.url("/third")]);
        server.verify();
    }
}

#[tokio::test]
async fn an_absolute_location_is_followed() {
    let server = Server::start(|request| match request.path() {
        "/feed" => Reply::redirect(
            302,
            format!("http://{}/abs", request.header("host").unwrap()),
        ),
        "/abs" if request.last_event_id().is_none() => events("id: 1\ndata: a\n\n"),
        _ => Reply::status(204),
    })
    .await;
    let (data, error) = soon(collect(own(&server.url("/feed")).build().unwrap())).await;
    assert_eq!((data.len(), error.is_none()), (1, true));
}

/// Method and body go along as HTTP demands.
#[tokio::test]
async fn a_post_becomes_a_get_or_stays_one() {
    for (status, method, body) in [
        (301, "GET", ""),
        (302, "GET", ""),
        (303, "GET", ""),
        (307, "POST", "{}"),
        (308, "POST", "{}"),
    ] {
        let server = Server::script_then(
            [Reply::redirect(status, "/answer"), events("data: a\n\n")],
            events("data: again\n\n"),
        )
        .await;
        let (data, error) = soon(collect(post(&server.url("/")).build().unwrap())).await;
        assert_eq!((data.len(), error.is_none()), (1, true), "{status}");
        let requests = server.requests();
        assert_eq!(requests.len(), 2, "{status}: once, and nothing after it");
        assert_eq!(requests[1].method(), method, "{status}");
        assert_eq!(requests[1].body(), body, "{status}");
        let kind = requests[1].header("content-type");
        assert_eq!(kind.is_some(), !body.is_empty(), "{status}");
        assert_eq!(requests[1].header("authorization"), Some("Bearer secret"));
    }
}

/// Another origin is told nothing but what to answer in, and where to resume from.
#[tokio::test]
async fn nothing_secret_crosses_origins() {
    let there = Server::start(|request| match request.last_event_id() {
        Some("6") => events("id: 7\ndata: a\n\n"),
        Some("7") if request.number() == 1 => events("data: b\n\n"),
        _ => Reply::status(204),
    })
    .await;
    let target = there.url("/x");
    let here = Server::start(move |_| Reply::redirect(307, &target)).await;
    let request = Request::get(here.url("/"))
        .header("authorization", "Bearer secret")
        .header("cookie", "secret=1")
        .header("x-api-key", "secret")
        .header("accept-encoding", "identity");
    let source = EventSource::request(request.body(""))
        .backoff(at_once())
        .last_event_id("6");
    let (data, error) = soon(collect(source.build().unwrap())).await;
    assert_eq!((data.len(), error.is_none()), (2, true));
    assert_eq!(ids(&here), ["6", "7", "7"]);
    assert_eq!(ids(&there), ["6", "7", "7"]);
    for request in here.requests() {
        assert_eq!(request.header("x-api-key"), Some("secret"));
    }
    for request in there.requests() {
        let mut names: Vec<_> = request.headers().keys().map(|name| name.as_str()).collect();
        names.sort_unstable();
        let allowed = [
            "accept",
            "accept-encoding",
            "cache-control",
            "host",
            "last-event-id",
            "user-agent",
        ];
        assert_eq!(names, allowed);
    }
}

#[tokio::test]
async fn a_loop_ends_in_an_error() {
    let server = Server::start(|_| Reply::redirect(302, "/")).await;
    let (_, error) = soon(collect(own(&server.url("/")).build().unwrap())).await;
    assert_eq!(error.unwrap().kind(), ErrorKind::Redirect);
    assert_eq!(server.requests().len(), 21);

    // So it does with a client of the user's, in its own number.
    let server = Server::start(|_| Reply::redirect(302, "/")).await;
    let (_, error) = soon(collect(theirs(&server.url("/")).build().unwrap())).await;
    assert_eq!(error.unwrap().kind(), ErrorKind::Redirect);
}

#[tokio::test]
async fn a_redirect_to_nowhere_is_an_error() {
    let nowhere = [
        Reply::status(302),
        Reply::redirect(302, ""),
        Reply::redirect(302, "ftp://example.com/"),
        Reply::redirect(302, "data:text/event-stream,data:x"),
        Reply::redirect(302, "http://"),
    ];
    for reply in nowhere {
        let server = Server::script_then([events("data: a\n\n"), reply.clone()], events("")).await;
        let (data, error) = soon(collect(own(&server.url("/")).build().unwrap())).await;
        let error = error.expect("an error");
        assert_eq!(data, ["a"]);
        assert_eq!(error.kind(), ErrorKind::Redirect, "{reply:?}");
        assert_eq!(error.status().unwrap().as_u16(), 302);
        assert_eq!(error.events_before(), 1);
        assert_eq!(server.requests().len(), 2, "{reply:?}");
    }
}

/// Where a redirect leads is judged as anything else.
#[tokio::test]
async fn the_target_of_a_redirect_may_refuse() {
    let server = Server::script([
        Reply::redirect(302, "/x"),
        Reply::status(503).header("retry-after", "0"),
        Reply::redirect(302, "/y"),
        events("data: a\n\n"),
        Reply::redirect(302, "/gone"),
        Reply::status(410).raw("gone"),
    ])
    .await;
    let (data, error) = soon(collect(own(&server.url("/")).build().unwrap())).await;
    let error = error.unwrap();
    assert_eq!(data, ["a"]);
    assert_eq!(error.status().unwrap().as_u16(), 410);
    assert_eq!(error.body_text().as_deref(), Some("gone"));
    server.verify();
}

#[tokio::test]
async fn a_url_that_is_none_fails_when_built() {
    for url in [
        "",
        "/feed",
        "ftp://example.com/",
        "mailto:me",
        "not a url",
        "http://",
    ] {
        let error = EventSource::get(url).expect_err(url);
        assert_eq!(error.kind(), ErrorKind::Request, "{url:?}");
    }
    for url in ["", "/feed", "not a url"] {
        let error = EventSource::builder(reqwest::Client::new().get(url)).build();
        assert_eq!(error.unwrap_err().kind(), ErrorKind::Request, "{url:?}");
    }
}

/// As the URL standard has it: what cannot stand in a request is escaped, and what a hand has typed
/// around it is left out.
#[tokio::test]
async fn a_url_is_read_as_a_browser_reads_it() {
    for (typed, target) in [
        ("/a b", "/a%20b"),
        ("/<x>?q=\"y z\"#part", "/%3Cx%3E?q=%22y%20z%22"),
        ("/\u{e9}?\u{fc}", "/%C3%A9?%C3%BC"),
        ("/a/../b", "/b"),
        ("/x \n", "/x"),
    ] {
        let server = Server::script([events("data: a\n\n").expect_target(target)]).await;
        let url = format!("  {}", server.url(typed));
        let source = EventSource::get(&url).expect(&url);
        let (data, error) = soon(collect(source.take(1))).await;
        assert_eq!((data.len(), error.is_none()), (1, true), "{typed:?}");
        server.verify();
    }
    assert!(EventSource::get("http://\u{e9}l\u{e8}ve.example/").is_ok());
}
