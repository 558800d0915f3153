//! Servers that speak as public ones do, written from what is documented of them. Each resumes
//! where it is asked to, as far as the real one does.

use everstream::testing::{Reply, Request, Server};
use serde_json::Value;

/// [Wikimedia's EventStreams]: a comment in greeting; the ID is a list of places in Kafka, one for
/// each data center; no connection lives longer than 15 minutes, and each is cut wherever it is.
///
/// [Wikimedia's EventStreams]: https://wikitech.wikimedia.org/wiki/Event_Platform/EventStreams_HTTP_Service
pub(super) async fn wikimedia() -> Server {
    const FIRST: i64 = 6_524_211_441;
    let change = |offset: i64| {
        let n = offset - FIRST + 1;
        format!(
            r#"event: message
id: [{{"topic":"eqiad.mediawiki.recentchange","partition":0,"offset":{offset}}},{{"topic":"codfw.mediawiki.recentchange","partition":0,"offset":-1}}]
data: {{"type":"edit","title":"Page {n}","wiki":"enwiki"}}

"#
        )
    };
    Server::start(move |request| {
        let next = request.last_event_id().map_or(FIRST, |id| {
            let places: Value = serde_json::from_str(id).expect("the ID as it was sent");
            places[0]["offset"].as_i64().expect("an offset") + 1
        });
        let half = change(next + 2);
        Reply::events()
            .content_type("text/event-stream; charset=utf-8")
            .raw(":ok\n\n")
            .raw(change(next))
            .raw(change(next + 1))
            .raw(&half[..half.len() / 2])
            .cut()
    })
    .await
}

/// [Mastodon's streaming API]: heartbeats are comments, and nothing has an ID, so that what comes
/// between two connections is lost. A token that is revoked ends the response, and then counts for
/// nothing.
///
/// [Mastodon's streaming API]: https://docs.joinmastodon.org/methods/streaming/
pub(super) async fn mastodon() -> Server {
    Server::start(|request| {
        let events = Reply::events().raw(":)\n");
        let authorized = request.header("authorization") == Some("Bearer abc");
        match request.number() {
            0 if authorized => events
                .raw("event: update\ndata: {\"id\":\"108\",\"content\":\"<p>Grüße</p>\"}\n\n")
                .raw(":thump\n")
                .raw("event: notification\ndata: {\"id\":\"34\",\"type\":\"mention\"}\n\n")
                .raw(":thump\n:thump\n")
                .raw("event: delete\ndata: 107\n\n"),
            1 if authorized => events.raw("event: filters_changed\ndata: undefined\n\n"),
            _ => Reply::status(401)
                .content_type("application/json")
                .raw(r#"{"error":"The access token was revoked"}"#),
        }
    })
    .await
}

/// A hub of [Mercure]: resumes from the header or, before there is one, from a parameter of the
/// URL; its IDs are URNs, its heartbeats empty comments; the data is whatever was published.
///
/// [Mercure]: https://mercure.rocks/spec
pub(super) async fn mercure() -> Server {
    let updates = [
        ("a1", "", "{\"status\":\"ordered\"}"),
        (
            "b2",
            "event: status\nretry: 10\n",
            "line one\ndata: line two",
        ),
        ("c3", "", "{\"status\":\"delivered\"}"),
    ];
    let urn = |id: &str| format!("urn:uuid:5e94c686-2c0b-4f9b-958c-92ccc3bbb4{id}");
    Server::start(move |request| {
        let parameter = || query(request, "lastEventID");
        let asked = request.last_event_id().or_else(parameter);
        let asked = asked.unwrap_or_default();
        let known = updates.iter().position(|&(id, ..)| urn(id) == asked);
        let next = match known {
            Some(n) => n + 1,
            None if asked == "earliest" => 0,
            None => updates.len(),
        };
        let mut reply = Reply::events().header("last-event-id", asked).raw(":\n");
        // Two of them, then the hub's write timeout.
        for (id, fields, data) in updates.iter().skip(next).take(2) {
            let id = urn(id);
            reply = reply.raw(format!("{fields}id: {id}\ndata: {data}\n\n:\n"));
        }
        reply
    })
    .await
}

/// [Horizon], of Stellar: says hello and byebye in events, and by that sets how soon to come back:
/// after a second, but at once if it was it that ended the response. The ID is a paging token, for
/// which the cursor in the URL stands until there is one.
///
/// [Horizon]: https://developers.stellar.org/docs/data/apis/horizon/api-reference/structure/streaming
pub(super) async fn horizon() -> Server {
    Server::start(|request| {
        let cursor = || query(request, "cursor");
        let cursor = request.last_event_id().or_else(cursor);
        let token = match cursor {
            None | Some("now") => 500,
            Some(cursor) => cursor.parse::<u64>().expect("a paging token") + 1,
        };
        let payment = format!(r#"{{"paging_token":"{token}","amount":"7.0000000"}}"#);
        Reply::events()
            .content_type("text/event-stream; charset=utf-8")
            .raw("retry: 1000\nevent: open\ndata: \"hello\"\n\n")
            .raw(format!("id: {token}\ndata: {payment}\n\n"))
            .raw("retry: 10\nevent: close\ndata: \"byebye\"\n\n")
    })
    .await
}

/// [Firebase]: whoever asks is sent to the machine that has the data, by a 307. Keep-alives are
/// events, nothing has an ID: each connection begins with all there is. A token that has expired
/// is told by an event, the end, and a 401.
///
/// [Firebase]: https://firebase.google.com/docs/reference/rest/database#section-streaming
pub(super) async fn firebase() -> [Server; 2] {
    let machine = Server::start(|request| {
        let whole = r#"{"path":"/","data":{"a":1,"b":2}}"#;
        let events = Reply::events().raw(format!("event: put\ndata: {whole}\n\n"));
        match request.number() {
            0 => events
                .raw("event: patch\ndata: {\"path\":\"/c\",\"data\":{\"foo\":3}}\n\n")
                .raw("event: keep-alive\ndata: null\n\n")
                .raw("event: put\ndata: {\"path\":\"/a\",\"data\":nu")
                .cut(),
            1 => events.raw("event: auth_revoked\ndata: \"credential is no longer valid\"\n\n"),
            _ => Reply::status(401)
                .content_type("application/json; charset=utf-8")
                .raw("{\n  \"error\" : \"Auth token is expired\"\n}\n"),
        }
    })
    .await;
    let there = machine.url("/");
    let front = move |request: &Request| {
        let target = &request.target()[1..];
        Reply::redirect(307, format!("{there}{target}&ns=example"))
    };
    [Server::start(front).await, machine]
}

/// A parameter of the request's URL.
fn query<'a>(request: &'a Request, name: &str) -> Option<&'a str> {
    let (_, query) = request.target().split_once('?')?;
    let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs.find_map(|(key, value)| (key == name).then_some(value))
}
