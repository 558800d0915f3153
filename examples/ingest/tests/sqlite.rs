//! Tests `--database`: the program is killed many times, and stores each event once.

mod support;

use std::path::Path;

use everstream::testing::{Reply, Server};
use fastrand::Rng;
use rusqlite::Connection;
use support::{
    Folder,
    feed::{self, FeedServer, Manner},
    process::Ingest,
    seed,
};

const KILLS: u64 = 50;

fn start(url: &str, database: &Path) -> Ingest {
    let args = [url, "--backoff", "20", "--progress", "100", "--database"];
    let args = args.iter().map(std::ffi::OsStr::new);
    Ingest::start(args.chain([database.as_os_str()]))
}

/// Checks that every event is in the table once and in order, and that the cursor is at the last
/// event. Returns how many there are.
fn check(database: &Path) -> u64 {
    let connection = Connection::open(database).unwrap();
    let mut select = connection
        .prepare("SELECT position, id, type, data FROM events ORDER BY position")
        .unwrap();
    let mut rows = select.query([]).unwrap();
    let mut number = 0_i64;
    while let Some(row) = rows.next().unwrap() {
        number += 1;
        let row: (i64, String, String, String) = row.try_into().unwrap();
        let data = feed::data(number as u64);
        assert_eq!(row, (number, number.to_string(), "tick".to_owned(), data));
    }
    let cursor: (i64, String) = connection
        .query_row("SELECT position, last_event_id FROM cursors", [], |row| {
            row.try_into()
        })
        .unwrap_or((0, "0".to_owned()));
    assert_eq!(cursor, (number, number.to_string()));
    number as u64
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_event_is_stored_once_however_often_the_process_is_killed() {
    let mut rng = Rng::with_seed(seed());
    let server = FeedServer::start(seed(), Manner::LIVE).await;
    let folder = Folder::new("killed");
    let database = folder.0.join("events.sqlite");
    let mut lost = 0;
    for _ in 0..KILLS {
        let moment = server.counts().bytes + rng.u64(1..8_000);
        let mut process = start(&server.url, &database);
        server.sent(moment).await;
        assert!(!process.has_ended(), "{:?}", process.lines());
        process.kill().await;
        // The process was killed before it stored these, so they are sent again.
        if database.exists() {
            lost += server.counts().newest - check(&database);
        }
    }
    let last = server.finish(50);
    let mut process = start(&server.url, &database);
    assert!(process.end().await.success(), "{:?}", process.lines());
    assert_eq!(check(&database), last);

    let counts = server.counts();
    println!(
        "SQLite: {KILLS} kills, {} cuts, {} refusals, {} connections: {last} events, each once; \
         {lost} were sent but not yet stored when the process was killed",
        counts.cuts, counts.refusals, counts.connections
    );
    assert!(counts.cuts > 0 && counts.refusals > 0 && lost > 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_second_process_on_one_database_is_refused() {
    let server = FeedServer::start(seed(), Manner::LIVE).await;
    let folder = Folder::new("two");
    let database = folder.0.join("events.sqlite");
    let mut processes = [start(&server.url, &database), start(&server.url, &database)];
    let refused = support::poll("a refusal", || {
        let ended = processes.iter_mut().position(Ingest::has_ended);
        async move { ended }
    })
    .await;
    assert!(!processes[refused].end().await.success());
    let said = processes[refused].lines().join("\n");
    assert!(said.contains("another process writes"), "{said}");

    let last = server.finish(20);
    assert!(processes[1 - refused].end().await.success());
    assert_eq!(check(&database), last);
}

#[tokio::test]
async fn a_line_tells_rate_lag_and_reconnections() {
    let server = Server::script([
        Reply::events().raw("retry: 1\nid: 1\ndata: {\"time\":1500000000}\n\n"),
        Reply::events()
            .raw("id: 2\ndata: {\"time\":1500000001000}\n\n")
            .expect_last_event_id("1"),
        Reply::status(204),
    ])
    .await;
    let folder = Folder::new("line");
    let database = folder.0.join("events.sqlite");
    let url = server.url("/");
    let mut process = Ingest::start([
        &url,
        "--database",
        database.to_str().unwrap(),
        "--time-field",
        "time",
    ]);
    assert!(process.end().await.success());
    server.verify();
    let lines = process.lines();
    let line = lines.last().unwrap();
    assert!(line.starts_with("ingest: 2 events, "), "{line}");
    assert!(line.ends_with(" 2 reconnections, at \"2\""), "{line}");
    let (_, lag) = line.split_once("/s, lag ").unwrap();
    let (lag, _) = lag.split_once(" s, ").unwrap();
    // Seconds since July 2017, in either unit.
    assert!(lag.parse::<f64>().unwrap() > 1e8, "{line}");
}

#[tokio::test]
async fn events_without_ids_of_their_own_are_warned_of() {
    for (wire, warnings) in [
        ("data: one\n\ndata: two\n\n", 1),
        ("id: 1\ndata: one\n\ndata: two\n\n", 1),
        ("id: 1\ndata: one\n\nid: 1\ndata: two\n\n", 1),
        ("id: 1\ndata: one\n\nid: 2\ndata: two\n\n", 0),
    ] {
        let server = Server::script([Reply::events().raw("retry: 1\n\n").raw(wire)]).await;
        let folder = Folder::new("without");
        let database = folder.0.join("events.sqlite");
        let mut process = start(&server.url("/"), &database);
        assert!(process.end().await.success());
        let lines = process.lines();
        let told = lines.iter().filter(|line| line.contains("no ID")).count();
        assert_eq!(told, warnings, "{wire:?}: {lines:?}");
    }
}
