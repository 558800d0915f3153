//! The page's servers, and the browser that opens it. See `run`.
#![cfg_attr(target_arch = "wasm32", no_main)]
#![cfg(not(target_arch = "wasm32"))]

use std::{
    io::Write,
    path::Path,
    process::{ExitCode, Stdio},
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use everstream::testing::{Gate, Reply, Request, Server};
use tokio::sync::mpsc;

const PAGE: &str = r#"<!doctype html><meta charset="utf-8"><title>everstream</title>
<script type="module">import start from "./page.js"; start();</script>"#;

/// All of it takes a second or two. A browser that takes this long hangs.
const LIMIT: Duration = Duration::from_secs(60);

fn gzipped(text: &str) -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(text.as_bytes()).expect("memory");
    packed.finish().expect("memory")
}

/// The connections of the feed, in their order. The first is cut when the page has seen its event:
/// of a connection that fails, fetch forgets what was not read yet.
fn feed(nth: usize, seen: &Gate) -> Reply {
    match nth {
        0 => Reply::events()
            .raw("retry: 50\n\nid: 1\ndata: one\n\n")
            .gate(seen)
            .raw("id: 2\ndata: tw")
            .cut(),
        1 => Reply::events()
            .raw("id: 2\ndata: two\n\nid: 3\ndata: three\n\n")
            .expect_last_event_id("1"),
        _ => Reply::status(204).expect_last_event_id("3"),
    }
}

fn answer(request: &Request, assets: &[(String, Vec<u8>)], feeds: &(AtomicUsize, Gate)) -> Reply {
    if let Some((name, bytes)) = assets.iter().find(|(name, _)| name == request.path()) {
        let script = name.ends_with(".js");
        let content_type = if script {
            "text/javascript"
        } else {
            "application/wasm"
        };
        return Reply::status(200).content_type(content_type).raw(bytes);
    }
    let done = r#"{"text":"Hel"}"#;
    match request.path() {
        "/" => Reply::status(200).content_type("text/html").raw(PAGE),
        "/feed" => feed(feeds.0.fetch_add(1, Ordering::Relaxed), &feeds.1),
        "/seen" => {
            feeds.1.open();
            Reply::status(204)
        }
        "/answer" => Reply::events()
            .data(done)
            .data(r#"{"text":"lo"}"#)
            .data("[DONE]"),
        "/cut-short" => Reply::events().data(done),
        "/gzip" => Reply::events()
            .header("content-encoding", "gzip")
            .raw(gzipped("data: packed\n\n")),
        "/no-head" => Reply::events().delay_head(LIMIT),
        "/stalls" => Reply::events().data("one").hold(),
        "/refused" => Reply::status(429).header("retry-after", "7").raw("slowly"),
        "/moved" => Reply::redirect(302, "/here"),
        "/here" => Reply::events().data("moved").hold(),
        "/done" => Reply::status(204),
        _ => Reply::status(404),
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let (Some(folder), Some(browser)) = (args.next(), args.next()) else {
        eprintln!("usage: everstream-wasm FOLDER BROWSER");
        return ExitCode::FAILURE;
    };
    let asset = |name: &str| {
        let bytes = std::fs::read(Path::new(&folder).join(name));
        (
            format!("/{name}"),
            bytes.expect("what wasm-bindgen has made"),
        )
    };
    let assets = [asset("page.js"), asset("page_bg.wasm")];
    let feeds = (AtomicUsize::new(0), Gate::new());
    let (done, mut said) = mpsc::unbounded_channel();
    let server = Server::start(move |request| {
        if request.path() == "/done" {
            let _ = done.send(String::from_utf8_lossy(request.body()).into_owned());
        }
        answer(request, &assets, &feeds)
    })
    .await;
    let elsewhere = Server::start(|request| match request.method().as_str() {
        "GET" if request.path() == "/endless" => Reply::events()
            .header("access-control-allow-origin", "*")
            .data("one")
            .hold(),
        "GET" => Reply::events()
            .header("access-control-allow-origin", "*")
            .data("elsewhere")
            .close_after(),
        _ => Reply::status(403),
    })
    .await;

    let profile = Path::new(&folder).join("profile");
    let browser = tokio::process::Command::new(browser)
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
        ])
        .args(["--no-first-run", "--disable-background-networking"])
        .args([
            "--disable-component-update",
            "--disable-sync",
            "--enable-logging=stderr",
        ])
        .arg(format!("--user-data-dir={}", profile.display()))
        .arg(format!("{}#{}", server.url("/"), elsewhere.url("/")))
        .stdout(Stdio::null())
        .kill_on_drop(true)
        .spawn();
    let mut browser = browser.expect("the browser starts");
    let said = tokio::time::timeout(LIMIT, said.recv()).await;
    // The page stays open; a stream that it has dropped must not.
    let closed = tokio::time::timeout(LIMIT, elsewhere.wait_until_closed()).await;
    let _ = browser.kill().await;
    server.verify();
    match said {
        Ok(Some(said)) if said == "ok" && closed.is_err() => {
            eprintln!("a stream was dropped and its connection stayed open");
            ExitCode::FAILURE
        }
        Ok(Some(said)) if said == "ok" => {
            println!("ok: {} requests", server.requests().len());
            ExitCode::SUCCESS
        }
        Ok(said) => {
            eprintln!("{}", said.unwrap_or_default());
            ExitCode::FAILURE
        }
        Err(_) => {
            eprintln!("the page said nothing for {LIMIT:?}");
            ExitCode::FAILURE
        }
    }
}
