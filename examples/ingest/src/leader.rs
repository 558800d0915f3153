//! One writer among many machines: a lease with a fencing token, in Redis.

use std::{error::Error, time::Duration};

use redis::{AsyncConnectionConfig, Client, RedisError, Script, aio::MultiplexedConnection};

use crate::{
    follow::{Batch, Ended, Feed, Stop, Store, follow},
    progress::Progress,
    scripts::{ACQUIRE, Keys, RELEASE, STORE},
};

/// The keys of the lease, the name of this process, and the lease's length.
pub(crate) struct Lease {
    keys: Keys,
    name: String,
    length: Duration,
}

impl Lease {
    pub(crate) fn new(stream: &str, name: String, length: Duration) -> Self {
        let keys = Keys::new(stream);
        Self { keys, name, length }
    }

    fn milliseconds(&self) -> u128 {
        self.length.as_millis()
    }
}

/// A connection whose requests have a timeout, so that they don't wait for a dead server.
pub(crate) async fn connect(redis: &Client) -> Result<MultiplexedConnection, RedisError> {
    let limit = Duration::from_secs(5);
    let config = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(limit))
        .set_response_timeout(Some(limit));
    redis
        .get_multiplexed_async_connection_with_config(&config)
        .await
}

/// Becomes the leader whenever there is none, until the feed ends.
pub(crate) async fn run(
    redis: &Client,
    lease: &Lease,
    feed: &Feed,
    progress: &mut Progress,
    stop: &mut Stop,
) -> Result<(), Box<dyn Error>> {
    loop {
        match term(redis, lease, feed, progress, stop).await {
            Ok(Ended::Feed | Ended::Asked) => {
                progress.print();
                return Ok(());
            }
            Ok(Ended::Refused) => {}
            // We don't know whether the last step was executed. The cursor shows it when we lead again.
            Err(error) if error.is::<RedisError>() => {
                eprintln!("ingest: {error}");
                tokio::time::sleep(lease.length / 4).await;
            }
            Err(error) => return Err(error),
        }
    }
}

/// Waits for the lease, and leads while the lease is held.
async fn term(
    redis: &Client,
    lease: &Lease,
    feed: &Feed,
    progress: &mut Progress,
    stop: &mut Stop,
) -> Result<Ended, Box<dyn Error>> {
    let mut connection = connect(redis).await?;
    eprintln!("ingest: {} is ready", lease.name);
    let acquired = tokio::select! {
        acquired = acquire(&mut connection, lease) => acquired,
        () = &mut *stop => return Ok(Ended::Asked),
    };
    let (token, last_event_id) = acquired?;
    eprintln!(
        "ingest: {} leads with token {token}, from {last_event_id:?}",
        lease.name
    );
    let mut term = Term {
        connection,
        lease,
        token,
        store: Script::new(STORE),
    };
    let source = feed.source(&last_event_id)?;
    let ended = follow(source, &mut term, lease.length / 3, progress, stop).await;
    match &ended {
        Ok(Ended::Refused) => eprintln!("ingest: {} is no longer the leader", lease.name),
        // So that the next leader need not wait for the lease to expire.
        _ => term.release().await?,
    }
    ended
}

/// Waits until nobody holds the lease, and takes it. Returns the token, and the ID to resume from.
async fn acquire(
    connection: &mut MultiplexedConnection,
    lease: &Lease,
) -> Result<(u64, String), RedisError> {
    let script = Script::new(ACQUIRE);
    let keys = &lease.keys;
    loop {
        let (token, rest): (u64, String) = script
            .key(&keys.lease)
            .key(&keys.token)
            .key(&keys.cursor)
            .arg(&lease.name)
            .arg(lease.milliseconds() as u64)
            .invoke_async(connection)
            .await?;
        if token > 0 {
            return Ok((token, rest));
        }
        // The lease may be renewed or released at any time, so check several times during its length.
        let left = Duration::from_millis(rest.parse().unwrap_or(0));
        let wait = left.min(lease.length / 4);
        tokio::time::sleep(wait + Duration::from_millis(1)).await;
    }
}

/// A leader's term: its token, and the writes that it allows.
struct Term<'a> {
    connection: MultiplexedConnection,
    lease: &'a Lease,
    token: u64,
    store: Script,
}

impl Term<'_> {
    async fn release(&mut self) -> Result<(), RedisError> {
        let keys = &self.lease.keys;
        Script::new(RELEASE)
            .key(&keys.lease)
            .key(&keys.token)
            .arg(self.token)
            .invoke_async(&mut self.connection)
            .await
    }
}

impl Store for Term<'_> {
    /// After an error, it is unknown whether the step was executed. It must not be repeated.
    async fn store(&mut self, batch: Batch<'_>) -> Result<bool, Box<dyn Error>> {
        let keys = &self.lease.keys;
        let mut step = self.store.prepare_invoke();
        step.key(&keys.lease)
            .key(&keys.token)
            .key(&keys.cursor)
            .key(&keys.stream)
            .arg(self.token)
            .arg(&self.lease.name)
            .arg(self.lease.milliseconds() as u64)
            .arg(batch.last_event_id);
        for event in batch.events {
            step.arg(event.id())
                .arg(event.event_type())
                .arg(event.data());
        }
        let stored: u8 = step.invoke_async(&mut self.connection).await?;
        if stored == 0 {
            eprintln!(
                "ingest: refused {} events with the old token {}",
                batch.events.len(),
                self.token
            );
        }
        Ok(stored == 1)
    }
}
