//! Redirects, with this crate's client, which follows them itself.

use everstream::{ErrorKind, RequestBuilderExt, Signal, http::Request, testing::ClosedPort};

use crate::*;

fn post(url: &str) -> EventSourceBuilder {
    let request = Request::post(url)
        .header("content-type", "application/json")
        .header("authorization", "Bearer secret")
        .header("x-api-key", "secret")
        .body("{}");
    EventSource::request(request).backoff(at_once())
}

/// What a POST with the body `{}` becomes when it is redirected with a status: method and body.
const REDIRECTED_POSTS: [(u16, &str, &str); 5] = [
    (301, "GET", ""),
    (302, "GET", ""),
    (303, "GET", ""),
    (307, "POST", "{}"),
    (308, "POST", "{}"),
];

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

/// Method and body change as HTTP requires.
#[tokio::test]
async fn a_post_becomes_a_get_or_stays_one() {
    for (status, method, body) in REDIRECTED_POSTS {
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

/// Another origin only learns the accepted types, and where to resume.
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

    // The same with the user's client, and its own limit.
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

/// The response of a redirect's target is checked like any other.
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
async fn an_invalid_url_fails_when_built() {
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

/// As in the URL standard: what is not allowed in a request is escaped, and white space typed
/// around it is removed.
#[tokio::test]
async fn urls_are_parsed_like_in_a_browser() {
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

/// If the first server can be reached but not the next, the first one has received the request.
#[tokio::test]
async fn a_request_that_reached_one_server_is_not_unsent() {
    let port = ClosedPort::reserve();
    let nowhere = [
        port.url("/result"),
        "ftp://example.com/".to_owned(),
        "http://[".to_owned(),
    ];
    for location in nowhere {
        for status in [301, 302, 303] {
            let reply = Reply::redirect(status, &location);
            let server = Server::script([reply.clone()]).await;
            let (_, error) = soon(collect(post(&server.url("/")).build().unwrap())).await;
            let error = error.unwrap();
            assert!(!error.is_unsent(), "own client, {status}: {error:?}");
            assert_eq!(server.requests().len(), 1);

            let server = Server::script([reply]).await;
            let request = reqwest::Client::new().post(server.url("/"));
            // What can't be parsed isn't followed by reqwest: a 303 is an answer then.
            let error = soon(request.events().into_future()).await.unwrap_err();
            assert!(!error.is_unsent(), "the user's client, {status}: {error:?}");
            assert_eq!(server.requests().len(), 1);
        }
    }
}

#[tokio::test]
async fn a_request_that_reached_no_server_is_unsent_if_that_is_known() {
    let port = ClosedPort::reserve();
    let (_, error) = soon(collect(post(&port.url("/")).build().unwrap())).await;
    let error = error.unwrap();
    assert!(error.is_connect() && error.is_unsent(), "{error:?}");

    // A client that may follow redirects by itself doesn't say which request has failed.
    let request = reqwest::Client::new().post(port.url("/"));
    let error = soon(request.events().into_future()).await.unwrap_err();
    assert!(error.is_connect() && !error.is_unsent(), "{error:?}");

    // Nor does it behind a connector of ours.
    let request = Request::post(port.url("/")).body("").unwrap();
    let follow = everstream::transport::FollowRedirects::new(reqwest::Client::new(), request);
    let (_, error) = soon(collect(EventSource::builder(follow).build().unwrap())).await;
    let error = error.unwrap();
    assert!(error.is_connect() && !error.is_unsent(), "{error:?}");

    // A server that says nothing may have read the request.
    let server = Server::start(|_| Reply::raw_response("HTTP/1.1 ").close_after()).await;
    let (_, error) = soon(collect(post(&server.url("/")).build().unwrap())).await;
    let error = error.unwrap();
    assert!(!error.is_connect() && !error.is_unsent(), "{error:?}");

    // No client can send these.
    for url in ["ftp://example.com/", "/", "not a url"] {
        let request = reqwest::Client::new().post(url);
        let error = soon(request.events().into_future()).await.unwrap_err();
        assert!(error.is_unsent(), "{url:?}: {error:?}");
    }
}

/// One successful connection is enough: the feed as a whole is not unsent.
#[tokio::test]
async fn a_feed_that_was_open_is_not_unsent() {
    let port = ClosedPort::reserve();
    let first = ClosedPort::reserve();
    let source = EventSource::request(Request::get(first.url("/")).body(""));
    let source = source
        .backoff(at_once())
        .max_consecutive_failures(3)
        .build()
        .unwrap();
    let url = port.url("/");
    let server = first
        .open(move |request| match request.number() {
            0 => events("data: a\n\n"),
            _ => Reply::redirect(307, &url),
        })
        .await;
    let (data, error) = soon(collect(source)).await;
    assert_eq!(data, ["a"]);
    let error = error.unwrap();
    assert!(error.is_connect() && !error.is_unsent(), "{error:?}");
    assert_eq!(server.requests().len(), 4);
}

/// Neither the body nor the keys of a request that is not safe go to another origin.
#[tokio::test]
async fn an_unsafe_request_stays_at_its_origin() {
    for (method, status) in [
        ("POST", 307),
        ("POST", 308),
        ("PUT", 301),
        ("PUT", 302),
        ("DELETE", 307),
    ] {
        let there = Server::start(|_| events("data: paid\n\n")).await;
        let target = there.url("/x");
        let here = Server::start(move |_| Reply::redirect(status, &target)).await;
        let request = Request::builder().method(method).uri(here.url("/"));
        let source = EventSource::request(request.header("x-api-key", "secret").body("{}"));
        let (data, error) = soon(collect(source.build().unwrap())).await;
        let error = error.expect("an error");
        assert!(data.is_empty());
        assert_eq!(error.kind(), ErrorKind::Redirect, "{method} {status}");
        assert_eq!(error.status().unwrap().as_u16(), status);
        let location = error.headers().unwrap()["location"].to_str().unwrap();
        assert_eq!(location, there.url("/x"));
        let shown = error.to_string();
        for part in ["another origin", method, "final URL"] {
            assert!(shown.contains(part), "{shown}");
        }
        assert_eq!(error.url(), Some(&*here.url("/")));
        assert!(!shown.contains(&there.url("/")), "{shown}");
        assert!(!error.is_unsent());
        assert_eq!((here.requests().len(), there.requests().len()), (1, 0));
    }
}

/// A 303 says where the answer is: a GET without body or keys may fetch it.
#[tokio::test]
async fn a_post_may_be_redirected() {
    for status in [301, 302, 303] {
        let there = Server::start(|_| events("data: a\n\n")).await;
        let target = there.url("/answer");
        let here = Server::start(move |_| Reply::redirect(status, &target)).await;
        let (data, error) = soon(collect(post(&here.url("/")).build().unwrap())).await;
        assert_eq!((data.len(), error.is_none()), (1, true), "{status}");
        assert_eq!((here.requests().len(), there.requests().len()), (1, 1));
        let request = &there.requests()[0];
        assert_eq!(request.method(), "GET");
        assert_eq!(request.body(), "");
        for name in ["authorization", "x-api-key", "content-type"] {
            assert_eq!(request.header(name), None, "{name}");
        }
    }
}

/// `user:pw@` is a secret of its origin, however `Location` names that.
#[tokio::test]
async fn url_credentials_stay_at_their_origin() {
    const CREDENTIALS: &str = "Basic dXNlOnI6cMOk"; // of `use:r` and `pä`
    for absolute in [false, true] {
        let there = Server::start(|_| events("data: b\n\n")).await;
        let away = there.url("/away");
        let here = Server::start(move |request| match request.path() {
            "/a" if absolute => {
                Reply::redirect(302, format!("http://{}/b", request.header("host").unwrap()))
            }
            "/a" => Reply::redirect(302, "/b"),
            _ if request.last_event_id().is_none() => events("id: 1\ndata: a\n\n"),
            _ => Reply::redirect(302, &away),
        })
        .await;
        let url = here.url("/a").replace("http://", "http://use%3ar:p%C3%A4@");
        let (data, _) = soon(collect(own(&url).build().unwrap().take(2))).await;
        assert_eq!(data, ["a", "b"]);
        for request in here.requests() {
            let sent = request.header("authorization");
            assert_eq!(sent, Some(CREDENTIALS), "{absolute}: {}", request.target());
            assert!(
                request
                    .header("host")
                    .is_some_and(|host| !host.contains('@'))
            );
        }
        let there = there.requests();
        assert_eq!((there.len(), there[0].header("authorization")), (1, None));
    }
}

/// A header with several values keeps all of them.
#[tokio::test]
async fn all_values_of_a_header_cross_origins() {
    let there = Server::start(|_| events("data: a\n\n")).await;
    let target = there.url("/");
    let here = Server::start(move |_| Reply::redirect(302, &target)).await;
    let request = Request::get(here.url("/"))
        .header("accept", "text/event-stream")
        .header("accept", "application/json;q=0.1");
    let source = EventSource::request(request.body("")).backoff(at_once());
    let (data, _) = soon(collect(source.build().unwrap().take(1))).await;
    assert_eq!(data, ["a"]);
    for server in [&here, &there] {
        let request = &server.requests()[0];
        let accept: Vec<_> = request.headers().get_all("accept").iter().collect();
        assert_eq!(accept, ["text/event-stream", "application/json;q=0.1"]);
    }
}

/// What the docs say about reqwest's own redirects: keys in custom headers cross origins on all of
/// them, and a body on 307 and 308.
#[tokio::test]
async fn reqwest_takes_keys_and_bodies_to_another_origin() {
    const KEYS: [&str; 3] = ["x-api-key", "api-key", "x-goog-api-key"];
    for (status, method, body) in REDIRECTED_POSTS {
        let there = Server::start(|_| events("data: a\n\n")).await;
        let target = there.url("/");
        let here = Server::start(move |_| Reply::redirect(status, &target)).await;
        let mut request = reqwest::Client::new().post(here.url("/")).body("{}");
        for name in ["authorization", "cookie"].into_iter().chain(KEYS) {
            request = request.header(name, "secret");
        }
        let answer = soon(request.events().into_future()).await.unwrap();
        assert_eq!(collect(answer).await.0, ["a"]);
        let request = &there.requests()[0];
        assert_eq!(request.method(), method, "{status}");
        assert_eq!(request.body(), body, "{status}");
        for name in KEYS {
            assert_eq!(request.header(name), Some("secret"), "{status} {name}");
        }
        for name in ["authorization", "cookie"] {
            assert_eq!(request.header(name), None, "{status} {name}");
        }
    }
}
