//! Tests `--redis`: leaders and consumers are killed and suspended, and each event is stored once.

#[path = "../src/scripts.rs"]
#[expect(dead_code, reason = "only the program runs two of the scripts")]
mod scripts;
mod support;

use std::{collections::BTreeMap, time::Instant};

use fastrand::Rng;
use redis::{
    AsyncCommands, Script,
    aio::MultiplexedConnection,
    streams::{StreamPendingCountReply, StreamRangeReply},
};
use rustix::process::Signal;
use support::{
    feed::{self, FeedServer, Manner},
    poll,
    process::Ingest,
    redis_server::RedisServer,
    seed,
};

/// How often a leader is killed or suspended.
const TURNS: u64 = 50;
/// How often a consumer is killed or suspended.
const CONSUMER_TURNS: u64 = 15;
/// How many events wait for the consumers when they start.
const BACKLOG: u64 = 6_000;
const LEASE: &str = "400";

fn writer(url: &str, redis: &str, name: &str) -> Ingest {
    Ingest::start([
        url,
        "--redis",
        redis,
        "--name",
        name,
        "--lease",
        LEASE,
        "--backoff",
        "20",
    ])
}

fn consumer(redis: &str, name: &str) -> Ingest {
    Ingest::start([
        "--redis",
        redis,
        "--consume",
        "group",
        "--name",
        name,
        "--lease",
        "200",
    ])
}

/// Token and name of the leader, while there is one.
async fn leader(redis: &mut MultiplexedConnection) -> Option<(u64, String)> {
    let lease: Option<String> = redis.get("{feed}:lease").await.unwrap();
    let lease = lease?;
    let (token, name) = lease.split_once(' ').unwrap();
    Some((token.parse().unwrap(), name.to_owned()))
}

async fn leader_after(redis: &MultiplexedConnection, token: u64) -> (u64, String) {
    poll("a leader", || {
        let mut redis = redis.clone();
        async move { leader(&mut redis).await.filter(|leader| leader.0 > token) }
    })
    .await
}

/// Every event is in the stream once, in order. Returns how many.
async fn check(redis: &mut MultiplexedConnection) -> u64 {
    // Read them in one step, as the leader writes them.
    let (entries, cursor): (StreamRangeReply, Option<String>) = redis::pipe()
        .atomic()
        .xrange_all("feed")
        .get("{feed}:cursor")
        .query_async(redis)
        .await
        .unwrap();
    let mut number = 0;
    for entry in entries.ids {
        number += 1;
        let field = |name| entry.get::<String>(name).unwrap();
        assert_eq!(field("id"), number.to_string());
        assert_eq!(field("type"), "tick");
        assert_eq!(field("data"), feed::data(number));
    }
    assert_eq!(cursor.unwrap_or("0".to_owned()), number.to_string());
    number
}

/// The late writes of suspended leaders that were refused, and the events in them.
fn refused(lines: &[String]) -> (u64, u64) {
    let mut refused = (0, 0);
    for line in lines {
        if let Some(rest) = line.strip_prefix("ingest: refused ") {
            let events: u64 = rest.split(' ').next().unwrap().parse().unwrap();
            refused = (refused.0 + 1, refused.1 + events);
        }
    }
    refused
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_leader_goes_on_where_one_was_killed_or_stopped() {
    let Some(server) = RedisServer::start("leaders").await else {
        return;
    };
    let mut redis = server.connection().await;
    let mut rng = Rng::with_seed(seed());
    let feed = FeedServer::start(seed(), Manner::LIVE).await;
    let mut writers = BTreeMap::new();
    let mut started = 0;
    let mut another = |writers: &mut BTreeMap<String, Ingest>| {
        started += 1;
        let name = format!("writer-{started}");
        let writer = writer(&feed.url, &server.url, &name);
        writers.insert(name, writer);
    };
    for _ in 0..3 {
        another(&mut writers);
    }

    let (mut killed, mut stopped) = (0, 0);
    let mut late = (0, 0);
    let mut takeovers = Vec::new();
    for _ in 0..TURNS {
        // Wait until there is a leader and the feed sends.
        leader_after(&redis, 0).await;
        feed.sent(feed.counts().bytes + rng.u64(1..8_000)).await;
        let (token, name) = leader_after(&redis, 0).await;
        let writer = writers.get_mut(&name).expect("a writer of ours leads");
        let since = Instant::now();
        if rng.u8(..3) > 0 {
            killed += 1;
            writer.kill().await;
            let (_, _) = leader_after(&redis, token).await;
            takeovers.push(since.elapsed());
            late = sum(late, refused(&writer.lines()));
            writers.remove(&name);
            another(&mut writers);
        } else {
            stopped += 1;
            let seen = writer.lines().len();
            writer.signal(Signal::STOP);
            leader_after(&redis, token).await;
            takeovers.push(since.elapsed());
            // The next leader has written when the last one wakes up.
            feed.sent(feed.counts().bytes + rng.u64(1..2_000)).await;
            writer.signal(Signal::CONT);
            writer.says(seen, "is ready").await;
        }
        check(&mut redis).await;
    }
    let last = feed.finish(50);
    for writer in writers.values_mut() {
        assert!(writer.end().await.success(), "{:?}", writer.lines());
        late = sum(late, refused(&writer.lines()));
    }
    assert_eq!(check(&mut redis).await, last);

    let counts = feed.counts();
    takeovers.sort();
    println!(
        "Redis: {killed} leaders killed, {stopped} stopped, {} cuts, {} refusals: {last} events, \
         each once; {} late writes with {} events refused; another led after {} ms (median), {} ms \
         (longest), with a lease of {LEASE} ms",
        counts.cuts,
        counts.refusals,
        late.0,
        late.1,
        takeovers[takeovers.len() / 2].as_millis(),
        takeovers[takeovers.len() - 1].as_millis(),
    );
    assert!(killed > 0 && stopped > 0 && counts.cuts > 0);
    assert!(late.0 > 0, "no stopped leader has tried to write");
}

fn sum(a: (u64, u64), b: (u64, u64)) -> (u64, u64) {
    (a.0 + b.0, a.1 + b.1)
}

#[tokio::test]
async fn a_write_with_an_old_token_changes_nothing() {
    let Some(server) = RedisServer::start("token").await else {
        return;
    };
    let mut redis = server.connection().await;
    let keys = scripts::Keys::new("feed");
    let (acquire, store) = (Script::new(scripts::ACQUIRE), Script::new(scripts::STORE));
    let mut acquire = acquire.prepare_invoke();
    acquire.key(&keys.lease).key(&keys.token).key(&keys.cursor);
    acquire.arg("writer").arg(60_000);
    let step = |token: u64, id: &str| {
        let mut step = store.prepare_invoke();
        step.key(&keys.lease).key(&keys.token);
        step.key(&keys.cursor).key(&keys.stream);
        step.arg(token).arg("writer").arg(60_000).arg(id);
        step.arg(id)
            .arg("tick")
            .arg(feed::data(id.parse().unwrap()));
        step
    };

    let first: (u64, String) = acquire.invoke_async(&mut redis).await.unwrap();
    assert_eq!(first, (1, String::new()));
    let stored: u8 = step(1, "1").invoke_async(&mut redis).await.unwrap();
    assert_eq!(stored, 1);
    // While the lease is held, nobody else gets a token.
    let (token, _): (u64, String) = acquire.invoke_async(&mut redis).await.unwrap();
    assert_eq!(token, 0);
    // The lease expires, but its holder may continue until another process takes it.
    let _: () = redis.del(&keys.lease).await.unwrap();
    let stored: u8 = step(1, "2").invoke_async(&mut redis).await.unwrap();
    assert_eq!(stored, 1);
    let _: () = redis.del(&keys.lease).await.unwrap();
    let second: (u64, String) = acquire.invoke_async(&mut redis).await.unwrap();
    assert_eq!(second, (2, "2".to_owned()));
    // The late write is refused, including lease and cursor; the new leader's write is not.
    let stored: u8 = step(1, "3").invoke_async(&mut redis).await.unwrap();
    assert_eq!((stored, check(&mut redis).await), (0, 2));
    assert_eq!(leader(&mut redis).await.unwrap().0, 2);
    let stored: u8 = step(2, "3").invoke_async(&mut redis).await.unwrap();
    assert_eq!((stored, check(&mut redis).await), (1, 3));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_leader_that_is_asked_to_stop_gives_its_lease_back() {
    let Some(server) = RedisServer::start("asked").await else {
        return;
    };
    let redis = server.connection().await;
    let feed = FeedServer::start(seed(), Manner::LIVE).await;
    // With a lease this long, nobody takes over by expiry before the test times out.
    let start = |name| {
        Ingest::start([
            &feed.url,
            "--redis",
            &server.url,
            "--name",
            name,
            "--lease",
            "600000",
        ])
    };
    let mut first = start("first");
    assert_eq!(leader_after(&redis, 0).await, (1, "first".to_owned()));
    let mut second = start("second");
    second.says(0, "is ready").await;
    first.signal(Signal::TERM);
    assert!(first.end().await.success(), "{:?}", first.lines());
    // The process checks for the lease several times during its length, so this takes no wait.
    let third = start("third");
    third.says(0, "third leads with token 2").await;
    second.kill().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_entry_is_handled_once_whichever_consumer_is_killed_or_stopped() {
    let Some(server) = RedisServer::start("consumers").await else {
        return;
    };
    let mut redis = server.connection().await;
    let mut rng = Rng::with_seed(seed());
    // There are more entries than the consumers can handle at a time, so each is always handling some.
    let feed = FeedServer::start(seed(), Manner::BACKLOG).await;
    let last = feed.finish(BACKLOG);
    let mut writer = writer(&feed.url, &server.url, "writer");
    assert!(writer.end().await.success(), "{:?}", writer.lines());
    assert_eq!(check(&mut redis).await, last);

    let mut started = 0;
    let mut another = || {
        started += 1;
        let name = format!("consumer-{started}");
        let process = consumer(&server.url, &name);
        (name, process)
    };
    let mut consumers = [another(), another(), another()];
    let (mut killed, mut stopped) = (0, 0);
    let (mut claimed, mut late) = (0, 0);
    for turn in 0..CONSUMER_TURNS {
        let handled: u64 = redis.llen("{feed}:group").await.unwrap();
        handled_at_least(&redis, last.min(handled + rng.u64(20..100))).await;
        let (name, process) = &mut consumers[rng.usize(..3)];
        if turn % 3 > 0 {
            killed += 1;
            process.kill().await;
            claimed += claims(process);
            (*name, *process) = another();
        } else {
            stopped += 1;
            process.signal(Signal::STOP);
            late += pending(&mut redis, name).await;
            // Others claim its entries, and then it wakes up and goes on with them.
            poll("the others to claim", || {
                let mut redis = redis.clone();
                let name = &*name;
                async move { (pending(&mut redis, name).await == 0).then_some(()) }
            })
            .await;
            process.signal(Signal::CONT);
        }
    }
    handled_at_least(&redis, last).await;
    // A consumer that is asked to stop first finishes the entries that it has read.
    for (_, process) in &mut consumers {
        process.says(0, "reads feed").await;
        process.signal(Signal::TERM);
        assert!(process.end().await.success(), "{:?}", process.lines());
        claimed += claims(process);
    }
    let mut handled: Vec<String> = redis.lrange("{feed}:group", 0, -1).await.unwrap();
    let mut all: Vec<String> = (1..=last).map(feed::data).collect();
    handled.sort_unstable();
    all.sort_unstable();
    assert_eq!(handled.len(), all.len());
    assert!(handled == all, "something else was handled");
    println!(
        "Redis: {killed} consumers killed, {stopped} stopped: {last} events handled, each once; \
         {claimed} entries claimed by others, {late} of them from a consumer that woke up later"
    );
    assert!(claimed > 0, "no consumer was killed with entries in hand");
    assert!(late > 0, "no consumer was stopped with entries in hand");
}

/// How many entries this consumer has read and not acknowledged.
async fn pending(redis: &mut MultiplexedConnection, consumer: &str) -> u64 {
    let pending: StreamPendingCountReply = redis
        .xpending_consumer_count("feed", "group", "-", "+", 1_000, consumer)
        .await
        .unwrap();
    pending.ids.len() as u64
}

async fn handled_at_least(redis: &MultiplexedConnection, events: u64) {
    poll("the consumers", || {
        let mut redis = redis.clone();
        async move {
            let handled: u64 = redis.llen("{feed}:group").await.unwrap();
            (handled >= events).then_some(())
        }
    })
    .await;
}

fn claims(consumer: &Ingest) -> u64 {
    let lines = consumer.lines();
    let claimed = lines.iter().filter_map(|line| line.split_once(" claimed "));
    claimed
        .map(|(_, count)| count.parse::<u64>().unwrap())
        .sum()
}
