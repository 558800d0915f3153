//! What is sent, and what else can be set.

use everstream::testing::{Reply, Request, Server};

use super::{Folder, event, example, kinds, run, tail, told};

async fn sent(args: &[&str]) -> Request {
    let server = Server::script([Reply::status(204)]).await;
    let (lines, _) = told(tail(&server, args)).await;
    assert_eq!(kinds(&lines), ["closed 204"], "{args:?}");
    server.requests().remove(0)
}

/// All headers of these names, in the order of the names.
fn headers<'a>(request: &'a Request, names: &[&str]) -> Vec<&'a str> {
    let all = names
        .iter()
        .flat_map(|&name| request.headers().get_all(name));
    all.map(|value| value.to_str().unwrap()).collect()
}

#[tokio::test]
async fn a_plain_request_matches_an_event_source() {
    let request = sent(&[]).await;
    assert_eq!(
        (request.method().as_str(), request.target()),
        ("GET", "/feed")
    );
    assert!(request.body().is_empty());
    let names = [
        "accept",
        "cache-control",
        "last-event-id",
        "cookie",
        "content-type",
    ];
    assert_eq!(headers(&request, &names), ["text/event-stream", "no-cache"]);
}

#[tokio::test]
async fn a_header_replaces_another() {
    let request = sent(&[
        "-H",
        "Accept: a/b",
        "-H",
        "x-twice: 1",
        "-H",
        "X-Twice:2:3",
        "-H",
        "X-Empty;",
        "-H",
        "Cache-Control: max-age=1",
        "-H",
        "User-Agent: me",
    ])
    .await;
    let names = [
        "accept",
        "x-twice",
        "x-empty",
        "cache-control",
        "user-agent",
    ];
    assert_eq!(
        headers(&request, &names),
        ["a/b", "2:3", "", "max-age=1", "me"]
    );
}

#[tokio::test]
async fn a_body_makes_it_a_post() {
    let folder = Folder::new("body");
    let file = folder.file("body");
    std::fs::write(&file, b"{\n\xff}\n").unwrap();
    let at_file = format!("@{}", file.display());
    let form = "application/x-www-form-urlencoded";
    for (args, method, body, content_type) in [
        (
            vec!["-d", "a=1", "-d", "b=2"],
            "POST",
            &b"a=1&b=2"[..],
            form,
        ),
        (vec!["-d", ""], "POST", b"", form),
        (vec!["-d", &*at_file], "POST", b"{\n\xff}\n", form),
        (
            vec!["-X", "REPORT", "-d", "-x", "-H", "Content-Type: text/plain"],
            "REPORT",
            b"-x",
            "text/plain",
        ),
    ] {
        let request = sent(&args).await;
        assert_eq!(request.method().as_str(), method, "{args:?}");
        assert_eq!(request.body(), body, "{args:?}");
        assert_eq!(headers(&request, &["content-type"]), [content_type]);
    }
    assert_eq!(sent(&["-X", "DELETE"]).await.method(), "DELETE");
    let untyped = sent(&["-d", "x", "-H", "Content-Type:"]).await;
    assert_eq!(untyped.header("content-type"), None);
}

#[tokio::test]
async fn a_body_can_come_from_stdin() {
    let server = Server::script([Reply::status(204)]).await;
    let run = run(tail(&server, ["-d", "@-"]), "from stdin\n").await;
    assert_eq!(run.code, Some(0));
    assert_eq!(server.requests()[0].body(), "from stdin\n");
}

#[tokio::test]
async fn cookies_are_kept_on_request() {
    for (options, kept) in [
        (&[][..], None),
        (&["-b"], Some("a=1")),
        (&["--standard"], Some("a=1")),
        (&["--standard", "--no-cookies"], None),
        (&["--no-cookies"], None),
    ] {
        let server = Server::script([
            Reply::redirect(302, "/there").header("set-cookie", "a=1"),
            event("1", "x"),
        ])
        .await;
        told(tail(&server, options)).await;
        let requests = server.requests();
        for request in &requests[1..] {
            assert_eq!(request.header("cookie"), kept, "{options:?}");
        }
        assert_eq!(requests.len(), 3);
    }
}

#[tokio::test]
async fn redirects_are_followed_from_the_start_each_time() {
    for (status, method, body) in [
        (301, "GET", ""),
        (302, "GET", ""),
        (303, "GET", ""),
        (307, "POST", "ask"),
        (308, "POST", "ask"),
    ] {
        let server = Server::script([
            Reply::redirect(status, "there?x").expect_method("POST"),
            event("1", "a")
                .expect_method(method)
                .expect_target("/there?x"),
            Reply::status(204)
                .expect_method("POST")
                .expect_target("/feed")
                .expect_last_event_id("1"),
        ])
        .await;
        let (lines, code) =
            super::lines(tail(&server, ["-d", "ask", "--resend-unsafe-methods"])).await;
        server.verify();
        // Without its query, which may hold a key.
        assert_eq!(lines[0]["url"], server.url("/there"));
        assert_eq!(server.requests()[1].body(), body);
        assert_eq!(code, 0);
    }
}

#[tokio::test]
async fn the_standard_is_stricter_and_more_patient() {
    // Any status except 200 ends it, and Retry-After is ignored.
    for status in [201, 205, 210, 404, 500, 503] {
        let reply = Reply::status(status)
            .content_type("text/event-stream")
            .header("retry-after", "0");
        let server = Server::script([event("1", "a"), reply]).await;
        let (lines, code) = told(tail(&server, ["--standard"])).await;
        let expected = [
            "event a".to_owned(),
            "reconnecting end".to_owned(),
            format!("error {status}"),
        ];
        assert_eq!((kinds(&lines), code), (expected.to_vec(), 1));
    }
    // 204 ends it without an error.
    let server = Server::script([]).await;
    let (lines, code) = told(tail(&server, ["--standard"])).await;
    assert_eq!((kinds(&lines), code), (vec!["closed 204".to_owned()], 0));
}

#[tokio::test]
async fn a_wrong_content_type_is_an_error() {
    for (content_type, is_stream) in [
        ("text/event-stream;charset=windows-1251", true),
        ("text/event-stream;foo=bar", true),
        ("Text/Event-Stream", true),
        ("text/x-bogus", false),
        ("text/event-streamx", false),
    ] {
        let reply = Reply::status(200).content_type(content_type).data("ok…");
        let server = Server::script([reply]).await;
        let (lines, code) = told(tail(&server, ["--standard", "--max-events", "1"])).await;
        let expected = if is_stream {
            (vec!["event ok…".to_owned(), "closed".to_owned()], 0)
        } else {
            (vec!["error 200".to_owned()], 1)
        };
        assert_eq!((kinds(&lines), code), expected, "{content_type}");
    }
}

#[tokio::test]
async fn an_event_can_be_too_large() {
    let server = Server::script([Reply::events().data("12345").data("123456")]).await;
    let (lines, code) = told(tail(&server, ["--max-event-bytes", "11"])).await;
    assert_eq!(kinds(&lines), ["event 12345", "error"]);
    assert_eq!(code, 1);
}

#[tokio::test]
async fn invalid_options_are_rejected_before_anything_is_sent() {
    let cases: [&[&str]; 11] = [
        &["--no-such-option"],
        &["one", "two"],
        &["http://not a url/"],
        &["-H", "no colon", "x"],
        &["-H", "na me: x", "x"],
        &["-H", "Accept:", "x"],
        &["--max-events", "0", "x"],
        &["--floor", "-1", "x"],
        &["-d", "@/no/such/file", "x"],
        &["--control", "-d", "@-", "x"],
        &["-b", "--no-cookies", "x"],
    ];
    for args in cases {
        let run = run(example("tail", args), "").await;
        assert_eq!((run.code, &*run.stdout), (Some(2), ""), "{args:?}");
        assert!(run.stderr.starts_with("error: "), "{:?}", run.stderr);
    }
}

#[tokio::test]
async fn a_url_of_another_kind_is_an_error() {
    for url in ["ftp://example.com/", "file:///feed"] {
        let (lines, code) = told(example("tail", ["--json", url])).await;
        assert_eq!(
            (kinds(&lines), code),
            (vec!["error".to_owned()], 1),
            "{url}"
        );
    }
}

#[tokio::test]
async fn the_scheme_defaults_to_http() {
    let server = Server::script([]).await;
    let mut command = example("tail", ["--json"]);
    command.arg(format!("{}/feed", server.addr()));
    let (lines, _) = told(command).await;
    assert_eq!(kinds(&lines), ["closed 204"]);
    assert_eq!(server.requests()[0].target(), "/feed");
}
