//! Public feeds: what a user of `tail` sees of them, and what their servers are asked.

mod servers;

use everstream::testing::{Request, Server};

use super::{Folder, example, run};

struct Feed {
    /// The first is asked; it may redirect to the others.
    servers: Vec<Server>,
    /// Path and query.
    target: &'static str,
    options: &'static [&'static str],
    /// The events.
    stdout: &'static str,
    /// Everything else.
    stderr: &'static str,
    code: i32,
    /// What each of the servers was asked: the target, and the ID to resume from.
    requests: Vec<&'static [(&'static str, &'static str)]>,
}

/// The ID of Wikimedia's second event.
const PAGE_2: &str = r#"[{"topic":"eqiad.mediawiki.recentchange","partition":0,"offset":6524211442},{"topic":"codfw.mediawiki.recentchange","partition":0,"offset":-1}]"#;

async fn feeds() -> Vec<Feed> {
    vec![
        Feed {
            servers: vec![servers::wikimedia().await],
            target: "/v2/stream/recentchange",
            options: &["--max-events", "4"],
            stdout: r#"
message   {"type":"edit","title":"Page 1","wiki":"enwiki"}
message   {"type":"edit","title":"Page 2","wiki":"enwiki"}
message   {"type":"edit","title":"Page 3","wiki":"enwiki"}
message   {"type":"edit","title":"Page 4","wiki":"enwiki"}
"#,
            stderr: "
open: SERVER/v2/stream/recentchange
the response was cut off; reconnecting in 0.0 s
open: SERVER/v2/stream/recentchange
closed
",
            code: 0,
            requests: vec![&[
                ("/v2/stream/recentchange", ""),
                ("/v2/stream/recentchange", PAGE_2),
            ]],
        },
        Feed {
            servers: vec![servers::mastodon().await],
            target: "/api/v1/streaming/user",
            options: &["-H", "Authorization: Bearer abc", "--comments"],
            stdout: r#"
update    {"id":"108","content":"<p>Grüße</p>"}
notification {"id":"34","type":"mention"}
delete    107
filters_changed undefined
"#,
            stderr: r#"
open: SERVER/api/v1/streaming/user
:)
:thump
:thump
:thump
the server ended the response; reconnecting in 0.0 s
open: SERVER/api/v1/streaming/user
:)
the server ended the response; reconnecting in 0.0 s
tail: the server answered 401 Unauthorized: The access token was revoked
"#,
            code: 1,
            requests: vec![&[("/api/v1/streaming/user", ""); 3]],
        },
        Feed {
            servers: vec![servers::mercure().await],
            target: "/.well-known/mercure?topic=%2Forders%2F1&lastEventID=earliest",
            options: &["--max-events", "3"],
            stdout: r#"
message   {"status":"ordered"}
status    line one
          line two
message   {"status":"delivered"}
"#,
            stderr: "
open: SERVER/.well-known/mercure
the server ended the response; reconnecting in 0.0 s
open: SERVER/.well-known/mercure
closed
",
            code: 0,
            requests: vec![&[
                (
                    "/.well-known/mercure?topic=%2Forders%2F1&lastEventID=earliest",
                    "",
                ),
                (
                    "/.well-known/mercure?topic=%2Forders%2F1&lastEventID=earliest",
                    "urn:uuid:5e94c686-2c0b-4f9b-958c-92ccc3bbb4b2",
                ),
            ]],
        },
        Feed {
            servers: vec![servers::horizon().await],
            target: "/accounts/GA7/payments?cursor=now",
            options: &["--max-events", "6", "--verbose"],
            stdout: r#"
open      "hello"
message   {"paging_token":"500","amount":"7.0000000"}
close     "byebye"
open      "hello"
message   {"paging_token":"501","amount":"7.0000000"}
close     "byebye"
"#,
            stderr: "
open: SERVER/accounts/GA7/payments
the reconnection time is 1.0 s
the reconnection time is 0.0 s
the server ended the response; reconnecting in 0.0 s
open: SERVER/accounts/GA7/payments
the reconnection time is 1.0 s
the reconnection time is 0.0 s
closed
",
            code: 0,
            requests: vec![&[
                ("/accounts/GA7/payments?cursor=now", ""),
                ("/accounts/GA7/payments?cursor=now", "500"),
            ]],
        },
        Feed {
            servers: servers::firebase().await.into(),
            target: "/chat.json?auth=abc",
            options: &[],
            stdout: r#"
put       {"path":"/","data":{"a":1,"b":2}}
patch     {"path":"/c","data":{"foo":3}}
keep-alive null
put       {"path":"/","data":{"a":1,"b":2}}
auth_revoked "credential is no longer valid"
"#,
            stderr: "
open: ELSEWHERE/chat.json
the response was cut off; reconnecting in 0.0 s
open: ELSEWHERE/chat.json
the server ended the response; reconnecting in 0.0 s
tail: the server answered 401 Unauthorized: Auth token is expired
",
            code: 1,
            requests: vec![
                &[("/chat.json?auth=abc", ""); 3],
                &[("/chat.json?auth=abc&ns=example", ""); 3],
            ],
        },
    ]
}

#[tokio::test]
async fn public_feeds_are_followed() {
    for feed in feeds().await {
        let mut command = example("tail", ["--floor", "0", "--reconnection-time", "0"]);
        command
            .args(feed.options)
            .arg(feed.servers[0].url(feed.target));
        let run = run(command, "").await;
        assert_eq!(shown(&run.stdout, &feed.servers), feed.stdout.trim_start());
        assert_eq!(shown(&run.stderr, &feed.servers), feed.stderr.trim_start());
        assert_eq!(run.code, Some(feed.code), "{}", feed.target);
        for (server, expected) in feed.servers.iter().zip(&feed.requests) {
            let requests = server.requests();
            let asked: Vec<_> = requests.iter().map(asked).collect();
            assert_eq!(asked, *expected);
            server.verify();
        }
    }
}

/// An ID that is JSON survives the file, too: a second run goes on where the first one was.
#[tokio::test]
async fn a_later_run_resumes_from_wikimedia() {
    let folder = Folder::new("wikimedia");
    let file = folder.file("last-id");
    let server = servers::wikimedia().await;
    let two_more = async || {
        let mut command = example("tail", ["--max-events", "2", "--resume"]);
        command
            .arg(&file)
            .arg(server.url("/v2/stream/recentchange"));
        run(command, "").await.stdout
    };
    let first = two_more().await;
    assert!(
        first.contains("Page 1") && first.contains("Page 2"),
        "{first}"
    );
    assert_eq!(std::fs::read_to_string(&file).unwrap(), PAGE_2);
    let second = two_more().await;
    assert!(
        second.contains("Page 3") && second.contains("Page 4"),
        "{second}"
    );
    assert_eq!(server.requests()[1].last_event_id(), Some(PAGE_2));
}

fn asked(request: &Request) -> (&str, &str) {
    assert_eq!(request.method(), "GET");
    assert_eq!(request.header("accept"), Some("text/event-stream"));
    let id = request.last_event_id().unwrap_or_default();
    (request.target(), id)
}

/// What was shown, but for the time of day, the addresses, and the words that the system has for a
/// connection that broke.
fn shown(text: &str, servers: &[Server]) -> String {
    let mut shown = String::new();
    for line in text.lines() {
        let mut line = line.to_owned();
        if line.as_bytes().get(2) == Some(&b':') {
            line.replace_range(..10, "");
        } else if let Some(rest) = line.strip_prefix(&" ".repeat(10)) {
            // Further lines of data are below the first.
            line = rest.to_owned();
        }
        for (server, name) in servers.iter().zip(["SERVER/", "ELSEWHERE/"]) {
            line = line.replace(&server.url("/"), name);
        }
        if let (Some(start), Some(end)) = (line.find("cut off: "), line.find("; reconnecting in")) {
            line.replace_range(start + "cut off".len()..end, "");
        }
        shown += &line;
        shown.push('\n');
    }
    shown
}
