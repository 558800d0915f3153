//! Endless redirects and redirects to other origins, followed by this crate's client.

use everstream::http::Request;

use crate::*;

/// The secrets of a request.
const SECRETS: [&str; 3] = ["authorization", "cookie", "x-api-key"];

fn secret(url: &str) -> EventSource {
    let request = Request::get(url)
        .header("authorization", "Bearer secret")
        .header("cookie", "secret=1")
        .header("x-api-key", "secret")
        .body("");
    EventSource::request(request)
        .backoff(at_once())
        .last_event_id("42")
        .build()
        .unwrap()
}

/// A server that sends its clients to `target`, with a cookie and a body without an end.
async fn sends_to(target: impl Into<String>) -> Server {
    let target = target.into();
    Server::start(move |_| {
        Reply::redirect(307, &target)
            .header("set-cookie", "planted=1")
            .repeat("moved ", None)
    })
    .await
}

fn carried(server: &Server) -> Vec<Vec<&'static str>> {
    let of = |request: &everstream::testing::Request| {
        let names = SECRETS.into_iter();
        names
            .filter(|name| request.headers().contains_key(*name))
            .collect()
    };
    server.requests().iter().map(of).collect()
}

#[test]
fn a_loop_ends_after_20_whatever_it_sends() {
    alone(async {
        let server = sends_to("/again").await;
        let feed = secret(&server.url("/"));
        let what = "a loop of redirects, each with an endless body";
        let told = within(CONNECTION, what, life(feed)).await;
        assert_eq!(told.kind(), Some(ErrorKind::Redirect));
        assert_eq!(server.requests().len(), 21);
        assert_eq!(carried(&server), vec![SECRETS.to_vec(); 21]);
        for request in server.requests() {
            assert_eq!(
                request.header("cookie"),
                Some("secret=1"),
                "none is planted"
            );
        }
        server.wait_until_closed().await;
    });
}

/// Between two origins: the other one learns nothing, and neither does the first when the other
/// sends the client back.
#[test]
fn a_loop_between_two_origins_leaks_no_secrets() {
    use everstream::testing::ClosedPort;

    alone(async {
        let port = ClosedPort::reserve();
        let there = sends_to(port.url("/back")).await;
        let target = there.url("/there");
        let here = port
            .open(move |_| Reply::redirect(302, &target).repeat("moved ", None))
            .await;
        let feed = secret(&here.url("/"));
        let what = "a loop of redirects between two origins";
        let told = within(CONNECTION, what, life(feed)).await;
        assert_eq!(told.kind(), Some(ErrorKind::Redirect));
        let (here, there) = (carried(&here), carried(&there));
        assert_eq!(here.len() + there.len(), 21);
        assert_eq!(here[0], SECRETS);
        let later = here[1..].iter().chain(&there);
        assert!(later.flatten().next().is_none());
    });
}

/// A feed at another origin resumes, and its secrets stay at their origin on each connection.
#[test]
fn a_feed_elsewhere_is_read_without_its_secrets() {
    alone(async {
        let there = Server::script([
            events("id: 1\ndata: a\n\n"),
            events("id: 2\ndata: b\n\n").cut(),
        ])
        .await;
        let here = sends_to(there.url("/feed")).await;
        let what = "a feed at another origin";
        let told = within(CONNECTION, what, life(secret(&here.url("/")))).await;
        assert_eq!(told.data, ["a", "b"]);
        assert!(told.error.is_none());
        for server in [&here, &there] {
            let ids: Vec<_> = server
                .requests()
                .iter()
                .map(|it| it.last_event_id().map(str::to_owned))
                .collect();
            assert_eq!(ids, ["42", "1", "2"].map(|id| Some(id.to_owned())));
        }
        assert!(carried(&there).iter().flatten().next().is_none());
        assert_eq!(there.requests().len(), 3);
    });
}

/// `Location` is as long as a head may be, and not a URL.
#[test]
fn a_location_that_leads_nowhere_is_an_error() {
    alone(async {
        for location in [
            "http://".to_owned() + &"x".repeat(64 * KIB),
            "http://a b/".to_owned(),
        ] {
            let server = sends_to(location).await;
            let feed = secret(&server.url("/"));
            let told = within(CONNECTION, "a redirect to nowhere", life(feed)).await;
            let error = told.error.expect("an error");
            assert_eq!(error.kind(), ErrorKind::Redirect, "{error:?}");
            assert!(error.to_string().len() < KIB);
            assert_eq!(server.requests().len(), 1);
        }
    });
}
