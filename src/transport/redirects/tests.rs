use super::*;

fn request(method: Method, url: &str) -> Redirects {
    let headers = [
        ("accept", "text/event-stream"),
        ("accept", "text/plain"),
        ("cache-control", "no-cache"),
        ("authorization", "Bearer secret"),
        ("x-api-key", "secret"),
        ("cookie", "secret"),
        ("last-event-id", "7"),
        ("content-type", "application/json"),
    ];
    let mut request = Request::builder().method(method).uri(url);
    for (name, value) in headers {
        request = request.header(name, value);
    }
    Redirects::new(request.body("{}").unwrap()).unwrap()
}

fn location(to: &str) -> HeaderMap {
    HeaderMap::from_iter([(header::LOCATION, to.parse().unwrap())])
}

fn status(status: u16) -> StatusCode {
    StatusCode::from_u16(status).unwrap()
}

fn names(redirects: &Redirects) -> Vec<String> {
    let request = redirects.request();
    let mut names: Vec<_> = request.headers().keys().map(|it| it.to_string()).collect();
    names.sort_unstable();
    names
}

#[test]
fn method_and_body_follow_the_status() {
    for (code, method, expected, has_body) in [
        (301, Method::POST, Method::GET, false),
        (302, Method::POST, Method::GET, false),
        (303, Method::POST, Method::GET, false),
        (307, Method::POST, Method::POST, true),
        (308, Method::POST, Method::POST, true),
        (301, Method::PUT, Method::PUT, true),
        (303, Method::PUT, Method::GET, false),
        (303, Method::GET, Method::GET, true),
    ] {
        let mut redirects = request(method, "http://a.test/x");
        assert!(redirects.follow(status(code), &location("/y")).unwrap());
        let next = redirects.request();
        assert_eq!(next.method(), expected, "{code}");
        assert_eq!(!next.body().is_empty(), has_body, "{code}");
        assert_eq!(next.headers().contains_key("content-type"), has_body);
        assert_eq!(next.headers()["authorization"], "Bearer secret");
    }
}

#[test]
fn locations_are_resolved() {
    for (to, expected) in [
        ("/y", Some("http://a.test/y")),
        ("y?z", Some("http://a.test/x/y?z")),
        ("//b.test/y", Some("http://b.test/y")),
        ("https://a.test/y", Some("https://a.test/y")),
        ("/\u{e9} \"#part", Some("http://a.test/%C3%A9%20%22#part")),
        ("http://[", None),
        ("ftp://a.test/", None),
        ("data:text/event-stream,data:x", None),
        ("", None),
        (" ", None),
    ] {
        let mut redirects = request(Method::GET, "http://a.test/x/");
        let headers = HeaderMap::from_iter([(
            header::LOCATION,
            HeaderValue::from_bytes(to.as_bytes()).unwrap(),
        )]);
        let followed = redirects.follow(StatusCode::FOUND, &headers);
        assert_eq!(followed.is_ok(), expected.is_some(), "{to:?}");
        if let Some(expected) = expected {
            assert_eq!(redirects.url(), expected);
            let uri = redirects.request().uri().to_string();
            assert_eq!(uri, expected.split('#').next().unwrap());
        }
    }
    let mut redirects = request(Method::GET, "http://a.test/x");
    let error = redirects.follow(StatusCode::FOUND, &HeaderMap::new());
    let error = error.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Redirect);
    assert_eq!(error.status(), Some(StatusCode::FOUND));
    let not_modified = redirects.follow(StatusCode::NOT_MODIFIED, &location("/y"));
    assert!(!not_modified.unwrap());
    assert_eq!(redirects.followed(), 0);
}

#[test]
fn follows_at_most_twenty_redirects() {
    let mut redirects = request(Method::GET, "http://a.test/x");
    for followed in 0..20 {
        assert_eq!(redirects.followed(), followed);
        assert!(
            redirects
                .follow(StatusCode::FOUND, &location("/y"))
                .unwrap()
        );
    }
    let error = redirects.follow(StatusCode::FOUND, &location("/y"));
    assert_eq!(error.unwrap_err().kind(), ErrorKind::Redirect);
}

#[test]
fn secrets_are_not_sent_to_another_origin() {
    for to in ["http://b.test/", "https://a.test/", "http://a.test:8080/"] {
        for (code, method, with_body) in [
            (307, Method::GET, true),
            (303, Method::POST, false),
            (302, Method::GET, true),
        ] {
            let mut redirects = request(method, "http://user:pw@a.test/x");
            redirects.follow(status(code), &location(to)).unwrap();
            let mut carried = vec!["accept", "cache-control"];
            carried.extend(with_body.then_some("content-type"));
            carried.push("last-event-id");
            assert_eq!(names(&redirects), carried, "{to}");
            assert_eq!(redirects.headers().get_all("accept").iter().count(), 2);
            // They are not restored on the way back.
            let back = location("http://a.test/x");
            let returned = redirects.follow(StatusCode::FOUND, &back);
            assert!(returned.is_ok() || to.starts_with("https"), "{to}");
            assert_eq!(names(&redirects), carried, "{to}");
        }
    }
}

/// Method, status, from, to, and whether the redirect is followed.
#[test]
fn unsafe_requests_stay_at_their_origin_and_on_https() {
    for (method, code, from, to, followed) in [
        (
            Method::POST,
            307,
            "https://a.test/",
            "https://a.test/y",
            true,
        ),
        (
            Method::POST,
            307,
            "https://a.test/",
            "https://a.test:443/",
            true,
        ),
        (
            Method::POST,
            307,
            "https://a.test/",
            "https://b.test/",
            false,
        ),
        (
            Method::POST,
            308,
            "https://a.test/",
            "https://a.test:8443/",
            false,
        ),
        (
            Method::POST,
            307,
            "http://a.test/",
            "https://a.test/",
            false,
        ),
        (
            Method::POST,
            307,
            "https://a.test/",
            "http://a.test/",
            false,
        ),
        (
            Method::PUT,
            301,
            "https://a.test/",
            "https://b.test/",
            false,
        ),
        (Method::PUT, 303, "https://a.test/", "https://b.test/", true),
        (
            Method::POST,
            303,
            "https://a.test/",
            "https://b.test/",
            true,
        ),
        (Method::POST, 303, "http://a.test/", "https://b.test/", true),
        (Method::POST, 303, "http://a.test/", "http://b.test/", true),
        (
            Method::POST,
            303,
            "https://a.test/",
            "http://a.test/",
            false,
        ),
        (
            Method::POST,
            302,
            "https://a.test/",
            "http://b.test/",
            false,
        ),
        (Method::GET, 307, "https://a.test/", "https://b.test/", true),
        (Method::GET, 302, "https://a.test/", "http://a.test/", true),
    ] {
        let what = format!("{method} {code} {from} {to}");
        let mut redirects = request(method.clone(), from);
        let before = names(&redirects);
        let error = redirects.follow(status(code), &location(to)).err();
        assert_eq!(error.is_none(), followed, "{what}");
        if let Some(error) = error {
            assert_eq!(error.kind(), ErrorKind::Redirect);
            assert!(!error.is_unsent());
            assert_eq!(
                error.url(),
                Some(from),
                "where it would have led is not shown"
            );
            assert!(!format!("{error}{error:?}").contains("b.test"), "{error:?}");
            // Nothing has changed.
            assert_eq!((redirects.method(), redirects.url()), (&method, from));
            assert_eq!(names(&redirects), before);
        }
    }
    // Once it was a POST, its answer is not fetched without `https`.
    let mut redirects = request(Method::POST, "https://a.test/");
    redirects
        .follow(StatusCode::SEE_OTHER, &location("/y"))
        .unwrap();
    assert_eq!(redirects.method(), Method::GET);
    assert!(
        redirects
            .follow(StatusCode::FOUND, &location("http://a.test/y"))
            .is_err()
    );
}

#[test]
fn credentials_stay_at_their_origin() {
    let sent = |redirects: &Redirects| {
        let request = redirects.request();
        assert_eq!(request.uri().authority().unwrap().as_str().find('@'), None);
        assert!(!redirects.url().contains('@'));
        let value = request.headers().get("authorization");
        value.map(|value| value.to_str().unwrap().to_owned())
    };
    let own = Some("Basic dXNlcjpwdw==".to_owned());
    for (to, expected) in [
        ("/y", own.clone()),
        ("//a.test/y", own.clone()),
        ("http://a.test/y", own.clone()),
        ("http://A.test:80/y", own.clone()),
        (
            "http://other:pw@a.test/y",
            Some("Basic b3RoZXI6cHc=".to_owned()),
        ),
        ("http://b.test/y", None),
        ("https://a.test/y", None),
    ] {
        let request = Request::get("http://user:pw@a.test/x").body("").unwrap();
        let mut redirects = Redirects::new(request).unwrap();
        assert_eq!(sent(&redirects), own);
        assert!(redirects.follow(StatusCode::FOUND, &location(to)).unwrap());
        assert_eq!(sent(&redirects), expected, "{to}");
        let back = redirects.follow(StatusCode::FOUND, &location("http://a.test/x"));
        assert!(back.unwrap());
        assert_eq!(sent(&redirects), expected, "{to}, and back");
    }
    let request = Request::get("http://a.test/x").body("").unwrap();
    let mut redirects = Redirects::new(request).unwrap();
    let planted = redirects.follow(StatusCode::FOUND, &location("http://a:b@b.test/"));
    assert_eq!(planted.unwrap_err().kind(), ErrorKind::Redirect);
    // A header of the user's own says more than the URL.
    let redirects = request_with_both();
    assert_eq!(sent(&redirects).as_deref(), Some("Bearer token"));
}

fn request_with_both() -> Redirects {
    let request = Request::get("http://user:pw@a.test/x");
    let request = request.header("authorization", "Bearer token").body("");
    Redirects::new(request.unwrap()).unwrap()
}

#[test]
fn debug_shows_no_secret() {
    let shown = format!(
        "{:?}",
        request(Method::POST, "http://user:pw@secret.test/x")
    );
    for part in ["secret", "pw", "user", "7", "{}"] {
        assert!(!shown.contains(part), "{shown}");
    }
}
