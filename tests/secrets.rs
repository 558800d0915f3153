//! Neither `Debug` nor `Display` of any public type shows what may be secret.
//!
//! The marks stand for secrets. Each type is printed while it holds as many of them as it can, and
//! a new type that is not checked fails the last assertion.

use std::{
    any::type_name,
    collections::BTreeSet,
    error::Error as StdError,
    fmt::Debug,
    io::Cursor,
    sync::{Arc, Mutex},
    time::Duration,
};

use everstream::{
    Backoff, Cause, ContentType, Contract, Error, ErrorKind, Event, EventSource, EventStream,
    EventStreamBuilder, EventTooLarge, Oversized, Parser, Reader, ReadyState, RequestBuilderExt,
    Retry, Signal, SurrogateJoiner, Timeout, Unfinished,
    bytes::Bytes,
    encode::{self, EncodeError, Encoder, EventBody, Outgoing},
    http::{HeaderMap, Request, StatusCode},
    testing::{ClosedPort, Gate, Reply, Script, Server},
    transport::{
        Attempt, Body, Connector, FollowRedirects, PrepareOptions, Redirects, RequestPolicy,
        Response,
    },
};
use futures_util::{Stream, StreamExt, stream};

const MARKS: [&str; 12] = [
    "MarkAuthorization",
    "MarkHeader",
    "MarkCookie",
    "MarkParameter",
    "MarkUser",
    "MarkPassword",
    "MarkQuery",
    "MarkId",
    "MarkType",
    "MarkData",
    "MarkComment",
    "MarkBody",
];

/// Public types that are not checked, and why.
const EXEMPT: [(&str, &str); 6] = [
    ("Event", "it shows what it holds: it is the data itself"),
    ("EventRef", "as `Event`"),
    ("Reply", "a test wrote it"),
    ("Request", "a test's own server got it"),
    ("BoxError", "another name for a type of std"),
    (
        "BoxFuture",
        "another name for a type of futures, without `Debug`",
    ),
];

const TRAITS: [&str; 12] = [
    "AnyEvent",
    "Connect",
    "EventOrSignal",
    "EventStreamExt",
    "IntoConnector",
    "IntoResponse",
    "MaybeSend",
    "MaybeSync",
    "PollSignal",
    "Release",
    "RequestBuilderExt",
    "ResponseExt",
];

#[derive(Default)]
struct Walk {
    types: BTreeSet<String>,
    leaks: BTreeSet<String>,
}

impl Walk {
    /// Shows a value in both forms of `Debug`.
    fn debug<T: Debug>(&mut self, value: &T) {
        let path = type_name::<T>().split('<').next().unwrap_or_default();
        let name = path.rsplit("::").next().unwrap_or_default().to_owned();
        let shown = format!("{value:?}{value:#?}");
        // Nor is a field without a value.
        let nothing = [": ,", ": }", ":  }"].iter().any(|it| shown.contains(it));
        assert!(
            !shown.is_empty() && !nothing,
            "{name} shows nothing: {shown}"
        );
        self.check(&name, &shown);
        self.types.insert(name);
    }

    /// Shows an error in every form, and each error that caused it.
    fn error<T: StdError + 'static>(&mut self, error: &T) {
        self.debug(error);
        let mut shown = format!("{error}{error:#}");
        let mut next = error.source();
        while let Some(cause) = next {
            shown += &format!("{cause}{cause:#}{cause:?}{cause:#?}");
            next = cause.source();
        }
        self.check(&format!("{} of {error:?}", type_name::<T>()), &shown);
    }

    fn check(&mut self, what: &str, shown: &str) {
        let shown: String = shown
            .chars()
            .filter(|char| !char.is_whitespace())
            .map(|char| char.to_ascii_lowercase())
            .collect();
        for mark in MARKS {
            // `Debug` of bytes is a list of numbers.
            let numbers: Vec<_> = mark.bytes().map(|byte| byte.to_string()).collect();
            if shown.contains(&mark.to_ascii_lowercase()) || shown.contains(&numbers.join(",")) {
                self.leaks.insert(format!("{what} shows {mark}"));
            }
        }
    }

    fn finish(&self) {
        assert!(self.leaks.is_empty(), "{:#?}", self.leaks);
    }
}

const WIRE: &str = ": MarkComment\n\nevent: MarkType\nid: MarkId\n\nid: MarkId\nevent: MarkType\ndata: \"MarkData\"\n\nretry: 1\ndata: MarkData";

fn headers(content_type: &str) -> HeaderMap {
    let list = [
        ("content-type", content_type),
        ("set-cookie", "session=MarkCookie"),
        ("set-cookie", "other=MarkCookie"),
        ("www-authenticate", "MarkHeader"),
        ("x-token", "MarkHeader"),
        ("x-token", "MarkHeader"),
    ];
    let mut headers = HeaderMap::new();
    for (name, value) in list {
        headers.append(name, value.parse().unwrap());
    }
    headers
}

fn response(status: StatusCode, content_type: &str, body: &'static str) -> Response {
    Response::new(status, headers(content_type), Body::from(bytes(body)))
        .with_url("https://MarkUser:MarkPassword@example.test/feed?key=MarkQuery")
}

fn bytes(text: &'static str) -> Bytes {
    Bytes::from_static(text.as_bytes())
}

fn events() -> Response {
    let content_type = "text/event-stream; charset=MarkParameter";
    response(StatusCode::OK, content_type, WIRE)
}

fn request(url: &str) -> Request<&'static str> {
    Request::get(url)
        .header("authorization", "Bearer MarkAuthorization")
        .header("x-api-key", "MarkAuthorization")
        .header("last-event-id", "MarkId")
        .body("MarkBody")
        .unwrap()
}

fn chunks(wire: &'static str) -> EventStream {
    let chunks = [Ok::<_, Error>(bytes(wire))];
    EventStream::new(stream::iter(chunks))
}

fn answer(response: Response) -> EventStreamBuilder {
    EventStreamBuilder::new(async { Ok(response) })
}

/// A source that gets these answers, one after another, and then a refusal.
fn source(
    responses: impl IntoIterator<Item = Response>,
) -> (EventSource, Arc<Mutex<Vec<Attempt>>>) {
    let attempts = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&attempts);
    let mut responses: Vec<_> = responses.into_iter().collect();
    responses.reverse();
    let builder = EventSource::factory(move |attempt| {
        seen.lock().unwrap().push(attempt);
        let response = responses.pop();
        async move {
            let refusal = || response_of_refusal(StatusCode::FORBIDDEN);
            Ok::<_, Error>(response.unwrap_or_else(refusal))
        }
    });
    (builder.build().unwrap(), attempts)
}

fn response_of_refusal(status: StatusCode) -> Response {
    response(status, "text/plain; charset=MarkParameter", "MarkBody")
}

async fn last<S: Stream<Item = Result<T, Error>> + Unpin, T>(stream: S) -> Error {
    let mut items: Vec<_> = stream.collect().await;
    items.pop().expect("an item").err().expect("an error")
}

#[tokio::test(start_paused = true)]
async fn no_public_type_shows_a_secret() {
    let mut walk = Walk::default();
    plain_values(&mut walk).await;
    parsers_and_readers(&mut walk);
    responses_and_streams(&mut walk).await;
    sources(&mut walk).await;
    errors(&mut walk).await;
    what_is_sent_on(&mut walk);
    walk.finish();

    let exempt = EXEMPT.map(|(name, _)| name);
    let mut unseen = public_types();
    unseen.retain(|name| {
        !(walk.types.contains(name) || exempt.contains(&&**name) || TRAITS.contains(&&**name))
    });
    assert!(
        unseen.is_empty(),
        "public: show them here, with secrets in them: {unseen:?}"
    );
}

/// What cannot hold a secret, or only one that the program gave it.
async fn plain_values(walk: &mut Walk) {
    walk.debug(&Backoff::new());
    walk.debug(&ContentType::default());
    walk.debug(&ErrorKind::Json);
    walk.debug(&Timeout::Idle);
    walk.debug(&Oversized::Skip);
    walk.debug(&ReadyState::Open);
    walk.debug(&Retry::Now);
    walk.debug(&Unfinished::Discard);
    walk.debug(&ClosedPort::reserve());
    walk.debug(&Gate::new());
    walk.debug(&Body::from(bytes("MarkBody")));
    walk.debug(&RequestPolicy::new().with_last_event_id("MarkId"));
    let connector = |_| async { Ok::<_, Error>(events()) };
    walk.debug(&Connector::from_fn(connector));
    let reply = Reply::events().raw(WIRE).header("x-token", "MarkHeader");
    walk.debug(&Script::new().reply(reply.clone()));
    walk.debug(&Server::script([reply]).await);
    for bad in ["MarkType\n", "MarkType\0"] {
        let error = encode::event(&Event::new("").with_event_type(bad)).map(drop);
        let error: Option<EncodeError> = error.err();
        if let Some(error) = error {
            walk.error(&error);
        }
    }
}

fn parsers_and_readers(walk: &mut Walk) {
    for len in 0..=WIRE.len() {
        let mut parser = Parser::new().with_last_event_id("MarkId");
        let mut feed = parser.feed(&WIRE.as_bytes()[..len]);
        walk.debug(&feed);
        while let Some(item) = feed.next_item().unwrap() {
            walk.debug(&item);
        }
        walk.debug(&feed);
        walk.debug(&parser);
    }
    let mut parser = Parser::new().with_max_event_bytes(4);
    let error: EventTooLarge = parser.feed(WIRE.as_bytes()).next_owned().unwrap_err();
    walk.error(&error);
    walk.error(&Error::from(error));
    let skips = Parser::new()
        .with_max_event_bytes(4)
        .with_oversized(Oversized::Skip);
    let mut skips = skips;
    let mut feed = skips.feed(WIRE.as_bytes());
    while let Some(item) = feed.next_item().unwrap() {
        if let everstream::Item::Skipped(skipped) = item {
            walk.debug(&skipped);
        }
    }

    let mut reader = Reader::new(Cursor::new(WIRE));
    walk.debug(&reader);
    let event = reader.next().unwrap().unwrap();
    assert_eq!(event.id(), "MarkId");
    walk.debug(&reader);
    assert!(reader.next().is_none());
    walk.debug(&reader);
    walk.debug(&Reader::new(WIRE.as_bytes()));
}

async fn responses_and_streams(walk: &mut Walk) {
    let response = events();
    walk.debug(&response);
    walk.debug(response.head());

    let client = reqwest::Client::new();
    let url = "https://MarkUser:MarkPassword@example.test/?key=MarkQuery";
    let request = client.get(url).bearer_auth("MarkAuthorization");
    walk.debug(&request.body("MarkBody").events());
    walk.debug(&answer(events()));

    let mut stream = answer(events()).await.unwrap();
    walk.debug(&stream);
    let event = stream.next().await.unwrap().unwrap();
    assert_eq!(event.data(), "\"MarkData\"");
    walk.debug(&stream);
    let mut signals = answer(events()).await.unwrap().signals();
    while let Some(signal) = signals.next().await {
        walk.debug(&signals);
        walk.debug(&signal.unwrap());
    }

    // A value of the user's own type shows its contents, as usual.
    let mut values = chunks(WIRE).signals().json::<serde::de::IgnoredAny>();
    while let Some(value) = values.next().await {
        match value {
            Ok(value) => walk.debug(&value),
            Err(error) => walk.error(&error),
        }
    }

    let json = || chunks(WIRE).json::<String>();
    walk.debug(&json());
    let until = chunks(WIRE).complete_on_data("MarkData");
    walk.debug(&until);
    walk.error(&last(until).await);
    let errs = chunks(WIRE).error_when(|event| event.id() == "MarkId");
    walk.debug(&errs);
    let error = last(errs).await;
    assert_eq!(error.event().unwrap().event_type(), "MarkType");
    walk.error(&error);
    let error = last(chunks(WIRE).json::<u8>()).await;
    assert_eq!(error.kind(), ErrorKind::Json);
    walk.error(&error);
    walk.error(error.find_source::<everstream::JsonError>().unwrap());
    for data in [
        "{\"MarkData\":1}",
        "\"MarkData",
        "MarkData",
        "{\"a\":\"MarkData\"}",
    ] {
        #[derive(Debug, serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Narrow {
            #[serde(rename = "a")]
            _a: Option<bool>,
        }
        walk.error(&Event::new(data).json::<Narrow>().unwrap_err());
    }
}

async fn sources(walk: &mut Walk) {
    let request = || Ok(request("https://example.test/feed?key=MarkQuery"));
    let builder = EventSource::request(request()).last_event_id("MarkId");
    walk.debug(&builder);
    walk.debug(&builder.build().unwrap());
    walk.debug(&FollowRedirects::new(
        reqwest::Client::new(),
        request().unwrap(),
    ));

    let refusal = response_of_refusal(StatusCode::SERVICE_UNAVAILABLE);
    let (mut source, attempts) = source([events(), refusal]);
    let handle = source.handle();
    walk.debug(&source);
    let mut signals = source.signals();
    let (mut last, mut bodies) = (None, Vec::new());
    while let Some(signal) = signals.next().await {
        walk.debug(signals.get_ref());
        walk.debug(&signals);
        walk.debug(&handle);
        match signal {
            Ok(Signal::Reconnecting { ref cause, .. }) => {
                walk.debug(cause);
                if let Cause::Failure(error) = cause {
                    bodies.extend(error.body().cloned());
                    walk.error(error);
                }
                walk.debug(&signal.unwrap());
            }
            Ok(signal) => walk.debug(&signal),
            Err(error) => last = Some(error),
        }
    }
    walk.error(&last.expect("the last response is a refusal"));
    assert_eq!(bodies, ["MarkBody"]);
    assert_eq!(handle.last_event_id(), "MarkId");
    walk.debug(&handle);
    let attempts = attempts.lock().unwrap().clone();
    assert_eq!(attempts[2].last_event_id(), "MarkId");
    for attempt in &attempts {
        walk.debug(attempt);
    }

    let shown = Arc::new(Mutex::new(Walk::default()));
    let seen = Arc::clone(&shown);
    let script = Script::new().reply(Reply::status(500).raw("MarkBody").header("x", "MarkHeader"));
    let source = EventSource::builder(script).retry_when(move |failure| {
        seen.lock().unwrap().debug(failure);
        Retry::GiveUp
    });
    walk.error(&self::last(source.build().unwrap()).await);
    walk.types.append(&mut shown.lock().unwrap().types);
    walk.leaks.append(&mut shown.lock().unwrap().leaks);
}

/// Every kind of error that a server can cause.
async fn errors(walk: &mut Walk) {
    for content_type in [
        "application/problem+json; token=MarkParameter",
        "text/html;token=\"MarkParameter, text/MarkParameter\"",
        "MarkHeader",
    ] {
        let refused = answer(response(StatusCode::OK, content_type, "MarkBody")).await;
        let error = refused.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ContentType);
        walk.error(&error);
    }
    let mut compressed = headers("text/event-stream");
    compressed.insert("content-encoding", "gzip".parse().unwrap());
    let body = Body::from(bytes("MarkBody"));
    let refused = answer(Response::new(StatusCode::OK, compressed, body)).await;
    walk.error(&refused.unwrap_err());

    let silent = Body::new(stream::pending::<Result<&str, Error>>());
    let silent = Response::new(StatusCode::OK, headers("text/event-stream"), silent);
    let silent = answer(silent).idle_timeout(Duration::from_secs(1)).await;
    walk.error(&last(silent.unwrap()).await);

    let incomplete = answer(events()).unfinished(Unfinished::Error).await;
    let mut incomplete = incomplete.unwrap();
    incomplete.next().await.unwrap().unwrap();
    walk.error(&incomplete.next().await.unwrap().unwrap_err());
}

/// Errors of the HTTP client don't show the URL.
#[tokio::test]
async fn no_error_of_the_http_client_shows_a_secret() {
    let mut walk = Walk::default();
    let port = ClosedPort::reserve();
    let with_secrets = |url: String| {
        let url = url.replace("http://", "http://MarkUser:MarkPassword@");
        format!("{url}?key=MarkQuery")
    };
    let closed = with_secrets(port.url("/"));
    let client = reqwest::Client::new();
    for url in [
        &*closed,
        "ftp://MarkUser:MarkPassword@example.test/?key=MarkQuery",
        "http://MarkUser:MarkPassword@[/?key=MarkQuery",
        "MarkQuery",
    ] {
        let request = client.get(url).bearer_auth("MarkAuthorization");
        walk.error(&request.events().await.unwrap_err());
        if let Err(error) = EventSource::get(url) {
            walk.error(&error);
        }
        let source = EventSource::request(Request::get(url).body(""));
        let error = match source.max_initial_failures(1).build() {
            Err(error) => error,
            Ok(mut source) => source.next().await.unwrap().unwrap_err(),
        };
        walk.error(&error);
    }
    let bad_header = client
        .get(&closed)
        .header("x-api-key", "MarkAuthorization\n");
    walk.error(&bad_header.events().await.unwrap_err());

    for location in [
        "ftp://MarkUser:MarkPassword@example.test/?key=MarkQuery",
        "http://MarkUser:MarkPassword@[/?key=MarkQuery",
        &*closed,
    ] {
        let redirect = Reply::redirect(302, location).raw("MarkBody");
        let server = Server::script([redirect]).await;
        let source = EventSource::request(Ok(request(&server.url("/"))));
        let mut source = source.max_initial_failures(1).build().unwrap();
        walk.error(&source.next().await.unwrap().unwrap_err());
    }
    walk.finish();
}

/// The only ID that is shown is one that cannot be sent.
#[tokio::test(start_paused = true)]
async fn an_id_that_cannot_be_sent_is_the_exception() {
    let script = Script::new();
    let source = EventSource::builder(script).last_event_id("MarkId\u{1}");
    let error = last(source.build().unwrap()).await;
    assert_eq!(error.kind(), ErrorKind::LastEventId);
    assert!(error.to_string().contains("MarkId"), "{error}");
}

/// The essence of a content type is shown; its parameters are not.
#[tokio::test(start_paused = true)]
async fn a_content_type_is_named_without_parameters() {
    for (content_type, accepted, message) in [
        (
            "text/html; charset=MarkParameter",
            ContentType::EventStream,
            "expected `text/event-stream`, got `text/html`",
        ),
        (
            "MarkHeader",
            ContentType::OneOf(vec!["a/b".into(), "c/d".into()]),
            "expected `a/b` or `c/d`, got a response without a content type",
        ),
    ] {
        let response = response(StatusCode::OK, content_type, "MarkBody");
        let refused = answer(response).content_type(accepted).await;
        let message = format!("{message} (https://example.test/feed)");
        assert_eq!(refused.unwrap_err().to_string(), message);
    }
}

#[test]
fn debug_of_events_shows_their_data() {
    let mut parser = Parser::new();
    let mut feed = parser.feed(WIRE.as_bytes());
    let event = feed.next_event().unwrap().unwrap();
    for shown in [format!("{event:?}"), format!("{:?}", event.to_owned())] {
        for mark in ["MarkType", "MarkData", "MarkId"] {
            assert!(shown.contains(mark), "{shown}");
        }
    }
}

/// A mark is found in any form.
#[test]
fn the_search_finds_every_encoding() {
    #[derive(Debug)]
    struct Text(#[expect(dead_code, reason = "it is shown")] &'static str);
    #[derive(Debug)]
    struct Bytes(#[expect(dead_code, reason = "it is shown")] &'static [u8]);

    let mut walk = Walk::default();
    walk.debug(&Text("harmless"));
    assert!(walk.leaks.is_empty());
    walk.debug(&Text("a MarkHeader"));
    walk.debug(&Bytes(b"a MarkBody"));
    walk.error(&Error::new(ErrorKind::Other, "markdata"));
    let leaks: Vec<_> = walk.leaks.iter().map(String::as_str).collect();
    assert!(leaks.contains(&"Bytes shows MarkBody"), "{leaks:?}");
    assert!(leaks.contains(&"Text shows MarkHeader"), "{leaks:?}");
    assert!(
        leaks
            .iter()
            .any(|leak| leak.contains("Error") && leak.ends_with("MarkData"))
    );
}

fn what_is_sent_on(walk: &mut Walk) {
    let event = || {
        Event::new("MarkData")
            .with_event_type("MarkType")
            .with_id("MarkId")
    };
    let events = || EventStream::new(stream::iter([Ok::<_, std::io::Error>(WIRE)]));
    let mut contract = Contract::openai_chat().complete_on_data("MarkData");
    walk.debug(&contract.observe(&event()));
    walk.debug(&contract);
    walk.debug(&events().contract(contract));
    let mut encoder = Encoder::new().with_last_event_id("MarkId");
    let sent = event();
    walk.debug(&encoder.event(&sent).unwrap());
    walk.debug(&encoder);
    walk.debug(&EventBody::new(events()).encoder(encoder));
    walk.debug(&Outgoing::from(event()));
    walk.debug(&PrepareOptions::new());
    let request =
        Request::get("http://MarkUser:MarkUser@host/?MarkQuery").header("x", "MarkHeader");
    walk.debug(&Redirects::new(request.body("MarkBody").unwrap()).unwrap());
    let mut joiner = SurrogateJoiner::new();
    let halves = Event::new("{\"MarkData\":\"MarkData \\ud83c\"}");
    let _ = joiner.join_event(halves);
    walk.debug(&joiner);
}

/// The public types and traits, as the sources export them.
fn public_types() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for (path, source) in [
        ("lib.rs", include_str!("../src/lib.rs")),
        ("encode/mod.rs", include_str!("../src/encode/mod.rs")),
        ("transport/mod.rs", include_str!("../src/transport/mod.rs")),
        ("testing/mod.rs", include_str!("../src/testing/mod.rs")),
    ] {
        let before = names.len();
        // What is hidden is not part of the API.
        let source = source.split("#[doc(hidden)]").next().unwrap_or_default();
        let words = |text: &str| -> Vec<String> {
            let words = text.split(|char: char| !char.is_alphanumeric() && char != '_');
            words.map(str::to_owned).collect()
        };
        for export in source.split("\npub use ").skip(1) {
            let export = export.split(';').next().unwrap_or_default();
            let types = words(export).into_iter();
            names.extend(types.filter(|word| word.starts_with(char::is_uppercase)));
        }
        for start in ["\npub enum ", "\npub struct ", "\npub trait "] {
            let items = source.split(start).skip(1);
            names.extend(items.filter_map(|item| words(item).into_iter().next()));
        }
        assert!(names.len() > before, "{path} exports nothing");
    }
    names
}

#[test]
fn the_list_of_public_types_is_parsed_correctly() {
    let names = public_types();
    for name in [
        "Error",
        "Feed",
        "Head",
        "Script",
        "EncodeError",
        "EventSourceHandle",
    ] {
        assert!(names.contains(name), "{name} in {names:?}");
    }
    for (name, why) in EXEMPT {
        assert!(
            names.contains(name),
            "{name} is exempt ({why}), but not public"
        );
    }
    for name in TRAITS {
        assert!(names.contains(name), "{name} is no longer public");
    }
}
