use std::time::Duration;

use everstream::testing::{ClosedPort, Gate, Reply, Server};
use reqwest::{Client, RequestBuilder, Response, StatusCode};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use super::{Running, example, run, soon};

/// The proxy, and a browser as its client.
struct Proxy {
    _running: Running,
    url: String,
    browser: Client,
}

impl Proxy {
    /// The proxy in front of `server`, if there is one.
    async fn start(upstream: Option<String>, more: &[&str]) -> Self {
        let mut args = more.to_vec();
        if let Some(url) = &upstream {
            args.extend(["--upstream", url]);
        }
        let mut running = Running::start(example("proxy", args));
        let url = running.line().await;
        Self {
            _running: running,
            url,
            browser: Client::builder().no_proxy().build().unwrap(),
        }
    }

    async fn before(server: &Server, more: &[&str]) -> Self {
        Self::start(Some(server.url("/upstream")), more).await
    }

    fn request(&self) -> RequestBuilder {
        self.browser.post(format!("{}ask", self.url)).body("{}")
    }

    async fn ask(&self) -> Response {
        soon(self.request().send()).await.unwrap()
    }
}

async fn text(response: Response) -> String {
    soon(response.text()).await.unwrap()
}

/// The status and the text that the browser gets for this answer of the upstream.
async fn answered(reply: Reply) -> (u16, String) {
    let server = Server::script([reply]).await;
    let proxy = Proxy::before(&server, &[]).await;
    let response = proxy.ask().await;
    let status = response.status().as_u16();
    let answer = (status, text(response).await);
    assert_eq!(server.requests().len(), 1, "nothing is asked twice");
    answer
}

#[tokio::test]
async fn the_upstreams_stream_reaches_the_browser_unchanged() {
    let stream = "\
        : hello\r\n\
        event: token\r\ndata:one\r\ndata: two\r\n\r\n\
        id: 7\ndata: a\n\ndata: b\n\n\
        id\ndata: c\n\n\
        event: a\0b\ndata:\n\n";
    let server = Server::script([Reply::events().raw(stream)]).await;
    let proxy = Proxy::before(&server, &["--header", "Authorization: Bearer sk-test"]).await;
    let request = proxy.request().header("content-type", "application/json");
    let response = soon(request.body("{\"stream\":true}").send())
        .await
        .unwrap();
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    assert_eq!(response.headers()["cache-control"], "no-cache");
    assert_eq!(
        text(response).await,
        ": hello\n\n\
         event: token\ndata: one\ndata: two\n\n\
         id: 7\ndata: a\n\ndata: b\n\n\
         id: \ndata: c\n\n\
         event: a\0b\ndata: \n\n"
    );

    let requests = server.requests();
    let [request] = &requests[..] else {
        panic!("{requests:?}");
    };
    assert_eq!(
        (request.method().as_str(), request.path()),
        ("POST", "/upstream")
    );
    assert_eq!(request.header("authorization"), Some("Bearer sk-test"));
    assert_eq!(request.header("content-type"), Some("application/json"));
    assert_eq!(request.last_event_id(), None);
    assert_eq!(&request.body()[..], b"{\"stream\":true}");
}

#[tokio::test]
async fn a_browser_resumes_where_the_upstream_can() {
    let stream = "data: no ID, which leaves 7\n\n\
        retry: 1500\n\n\
        id: 8\n\n\
        id: 9\ndata: x\n\n\
        id: \n\n";
    let reply = Reply::events().raw(stream).expect_last_event_id("7");
    let server = Server::script([reply]).await;
    let proxy = Proxy::before(&server, &[]).await;
    let request = proxy.request().header("last-event-id", "7");
    let response = soon(request.send()).await.unwrap();
    assert_eq!(text(response).await, stream);
    server.verify();
}

#[tokio::test]
async fn events_are_forwarded_as_they_arrive() {
    let gate = Gate::new();
    let reply = Reply::events().data("one").gate(&gate).data("two");
    let server = Server::script([reply]).await;
    let proxy = Proxy::before(&server, &[]).await;
    let mut response = proxy.ask().await;
    let chunk = soon(response.chunk()).await.unwrap().unwrap();
    assert_eq!(chunk, "data: one\n\n");
    gate.open();
    assert_eq!(text(response).await, "data: two\n\n");
}

#[tokio::test]
async fn a_silent_upstream_is_covered_by_comments() {
    let server = Server::script([Reply::events().hold()]).await;
    let proxy = Proxy::before(&server, &["--keep-alive", "1"]).await;
    let mut response = proxy.ask().await;
    for _ in 0..2 {
        let chunk = soon(response.chunk()).await.unwrap().unwrap();
        assert!(chunk.starts_with(b":\n\n"), "{chunk:?}");
    }
}

#[tokio::test]
async fn an_upstream_that_fails_before_it_begins_is_a_status() {
    let (status, text) = answered(Reply::status(401).raw("wrong key: sk-test")).await;
    assert_eq!(
        (status, &*text),
        (
            502,
            "the upstream failed: the server answered 401 Unauthorized"
        )
    );
    let html = Reply::status(200).content_type("text/html").raw("hi");
    assert_eq!(answered(html).await.0, 502);

    let busy = Reply::status(429).header("retry-after", "20").raw("wait");
    let server = Server::script([busy]).await;
    let response = Proxy::before(&server, &[]).await.ask().await;
    assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(response.headers()["retry-after"], "20");

    let gate = Gate::new();
    let server = Server::script([Reply::events().gate_head(&gate)]).await;
    let response = Proxy::before(&server, &["--event-timeout", "1"])
        .await
        .ask()
        .await;
    assert_eq!(response.status(), StatusCode::GATEWAY_TIMEOUT);

    let port = ClosedPort::reserve();
    let proxy = Proxy::start(Some(port.url("/")), &[]).await;
    assert_eq!(proxy.ask().await.status(), StatusCode::BAD_GATEWAY);
}

#[tokio::test]
async fn an_upstream_that_fails_later_is_an_error_event() {
    let (status, text) = answered(Reply::events().data("x").raw("data: ha").cut()).await;
    assert_eq!(status, 200);
    let error = r#"{"message":"the upstream failed: the response was cut off"}"#;
    let expected = format!("data: x\n\nevent: error\ndata: {error}\n\n");
    assert_eq!(text, expected);
}

#[tokio::test]
async fn the_upstream_is_closed_when_the_browser_leaves() {
    let server = Server::script([Reply::events().data("x").hold()]).await;
    let proxy = Proxy::before(&server, &[]).await;
    let mut response = proxy.ask().await;
    let chunk = soon(response.chunk()).await.unwrap().unwrap();
    assert_eq!(chunk, "data: x\n\n");
    drop(response);
    soon(server.wait_until_closed()).await;
}

#[tokio::test]
async fn the_upstream_is_closed_even_before_it_answers() {
    let gate = Gate::new();
    let server = Server::script([Reply::events().gate_head(&gate)]).await;
    let proxy = Proxy::before(&server, &[]).await;
    let asked = proxy.request().send();
    tokio::select! {
        answer = asked => panic!("{answer:?}"),
        () = soon(gate.wait_for_arrivals(1)) => {}
    }
    soon(server.wait_until_closed()).await;
}

/// An upstream that sends as fast as it can, to a browser that does not read.
#[tokio::test]
async fn a_slow_browser_slows_down_the_upstream() {
    // Far more than what all the sockets on the way hold.
    const TOO_MUCH: usize = 256 << 20;

    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let proxy = Proxy::start(Some(url), &[]).await;
    let upstream = async {
        let (mut stream, _) = soon(listener.accept()).await.unwrap();
        let mut request = [0; 4096];
        assert_ne!(soon(stream.read(&mut request)).await.unwrap(), 0);
        let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n";
        stream.write_all(head.as_bytes()).await.unwrap();
        let event = format!("data: {}\n\n", "x".repeat(64 << 10));
        let (mut written, mut at) = (0, 0);
        // This is only a timeout: if the proxy queued, this would wait forever.
        let patience = Duration::from_secs(2);
        while let Ok(sent) =
            tokio::time::timeout(patience, stream.write(&event.as_bytes()[at..])).await
        {
            written += sent.unwrap();
            at = written % event.len();
            assert!(written < TOO_MUCH, "the proxy takes what nobody reads");
        }
        stream
    };
    let (response, mut upstream) = tokio::join!(proxy.ask(), upstream);
    assert_eq!(response.status(), StatusCode::OK);
    drop(response);
    // Written to a connection that is closed, or reset.
    let rest = vec![b'x'; 64 << 10];
    let left = async { while upstream.write_all(&rest).await.is_ok() {} };
    soon(left).await;
}

#[tokio::test]
async fn without_an_upstream_the_built_in_server_answers() {
    let proxy = Proxy::start(None, &[]).await;
    let page = soon(proxy.browser.get(&proxy.url).send()).await.unwrap();
    assert!(text(page).await.contains("<form"));
    let question = r#"{"stream":true,"messages":[{"role":"user","content":"Why?"}]}"#;
    let response = soon(proxy.request().body(question).send()).await.unwrap();
    let answer = text(response).await;
    assert!(answer.contains(r#"{"content":"You"}"#), "{answer}");
    assert!(answer.ends_with("\n\ndata: [DONE]\n\n"), "{answer}");
}

#[tokio::test]
async fn help_says_what_can_be_set() {
    let help = run(example("proxy", ["--help"]), "").await;
    assert_eq!((help.code, &*help.stderr), (Some(0), ""));
    for option in [
        "--upstream",
        "--header",
        "--listen",
        "--event-timeout",
        "--keep-alive",
    ] {
        assert!(help.stdout.contains(option), "{option}");
    }
    let wrong = run(example("proxy", ["--header", "no colon"]), "").await;
    assert_eq!(wrong.code, Some(2));
    assert!(wrong.stderr.contains("NAME: VALUE"), "{}", wrong.stderr);
}
