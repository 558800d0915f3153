//! A consumer of a group: each entry of the stream has its effect once, even if consumers are killed.

use std::{error::Error, time::Duration};

use futures_util::FutureExt;
use redis::{
    AsyncCommands, Client, RedisError, Script,
    aio::MultiplexedConnection,
    streams::{
        StreamAutoClaimOptions, StreamAutoClaimReply, StreamId, StreamReadOptions, StreamReadReply,
    },
};

use crate::{follow::Stop, leader::connect, scripts::HANDLE};

/// How many entries to read at a time.
const COUNT: usize = 16;

/// Reads the stream until the process is asked to stop, and finishes the entries it has read. Claims
/// entries that another consumer read more than `patience` ago and didn't acknowledge.
pub(crate) async fn run(
    redis: &Client,
    stream: &str,
    group: &str,
    name: &str,
    patience: Duration,
    stop: &mut Stop,
) -> Result<(), Box<dyn Error>> {
    let consumer = Consumer {
        redis,
        stream,
        group,
        name,
        patience,
        list: format!("{{{stream}}}:{group}"),
        handle: Script::new(HANDLE),
    };
    while let Err(error) = consumer.consume(stop).await {
        eprintln!("ingest: {error}");
        tokio::time::sleep(patience / 4).await;
    }
    Ok(())
}

struct Consumer<'a> {
    redis: &'a Client,
    stream: &'a str,
    group: &'a str,
    name: &'a str,
    patience: Duration,
    list: String,
    handle: Script,
}

impl Consumer<'_> {
    async fn consume(&self, stop: &mut Stop) -> Result<(), RedisError> {
        let (stream, group, name) = (self.stream, self.group, self.name);
        let mut connection = connect(self.redis).await?;
        let created: Result<(), RedisError> =
            connection.xgroup_create_mkstream(stream, group, "0").await;
        match created {
            Err(error) if error.code() != Some("BUSYGROUP") => return Err(error),
            _ => eprintln!("ingest: {name} reads {stream} for {group}"),
        }
        let options = StreamReadOptions::default()
            .group(group, name)
            .count(COUNT)
            .block(self.patience.as_millis().min(1_000) as usize / 2);
        while stop.now_or_never().is_none() {
            self.claim(&mut connection).await?;
            let reply: Option<StreamReadReply> = connection
                .xread_options(&[stream], &[">"], &options)
                .await?;
            for key in reply.map(|reply| reply.keys).unwrap_or_default() {
                self.handle(&mut connection, &key.ids).await?;
            }
        }
        Ok(())
    }

    /// Takes over unfinished entries of other consumers, and of this one before a restart.
    async fn claim(&self, connection: &mut MultiplexedConnection) -> Result<(), RedisError> {
        let mut start = "0-0".to_owned();
        loop {
            let reply: StreamAutoClaimReply = connection
                .xautoclaim_options(
                    self.stream,
                    self.group,
                    self.name,
                    self.patience.as_millis() as u64,
                    start,
                    StreamAutoClaimOptions::default().count(COUNT),
                )
                .await?;
            if !reply.claimed.is_empty() {
                eprintln!("ingest: {} claimed {}", self.name, reply.claimed.len());
            }
            self.handle(connection, &reply.claimed).await?;
            if reply.next_stream_id == "0-0" {
                return Ok(());
            }
            start = reply.next_stream_id;
        }
    }

    async fn handle(
        &self,
        connection: &mut MultiplexedConnection,
        entries: &[StreamId],
    ) -> Result<(), RedisError> {
        for entry in entries {
            let data: String = entry.get("data").unwrap_or_default();
            let _: u8 = self
                .handle
                .key(self.stream)
                .key(&self.list)
                .arg(self.group)
                .arg(&entry.id)
                .arg(data)
                .invoke_async(connection)
                .await?;
        }
        Ok(())
    }
}
