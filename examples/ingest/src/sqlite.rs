//! SQLite: the events and the last event ID in one transaction.

use std::{error::Error, path::Path, time::Duration};

use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};

use crate::follow::{Batch, Store};

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS events (
        feed     TEXT    NOT NULL,
        position INTEGER NOT NULL, -- from 1, without gaps
        id       TEXT    NOT NULL,
        type     TEXT    NOT NULL,
        data     TEXT    NOT NULL,
        PRIMARY KEY (feed, position)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS cursors (
        feed          TEXT    NOT NULL PRIMARY KEY,
        position      INTEGER NOT NULL, -- how many events are stored
        last_event_id TEXT    NOT NULL
    ) STRICT, WITHOUT ROWID;
";

/// A database file, and the position of one feed in it.
pub(crate) struct Database {
    connection: Connection,
    feed: String,
    position: i64,
    last_event_id: String,
}

impl Database {
    pub(crate) fn open(path: &Path, feed: &str) -> Result<Self, Box<dyn Error>> {
        let connection = Connection::open(path)?;
        connection.busy_timeout(Duration::from_secs(10))?;
        connection.pragma_update(None, "journal_mode", "wal")?;
        // A commit is on disk when it returns, and survives a power failure.
        connection.pragma_update(None, "synchronous", "full")?;
        connection.execute_batch(SCHEMA)?;
        let cursor = connection
            .query_row(
                "SELECT position, last_event_id FROM cursors WHERE feed = ?1",
                [feed],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
            .optional()?;
        let (position, last_event_id) = cursor.unwrap_or_default();
        Ok(Self {
            connection,
            feed: feed.to_owned(),
            position,
            last_event_id,
        })
    }

    pub(crate) fn last_event_id(&self) -> &str {
        &self.last_event_id
    }
}

impl Store for Database {
    async fn store(&mut self, batch: Batch<'_>) -> Result<bool, Box<dyn Error>> {
        if batch.events.is_empty() && batch.last_event_id == self.last_event_id {
            return Ok(true);
        }
        // Lock from the start, so that nobody writes between our check and our commit.
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        let stored: Option<i64> = transaction
            .prepare_cached("SELECT position FROM cursors WHERE feed = ?1")?
            .query_row([&self.feed], |row| row.get(0))
            .optional()?;
        // Another process has continued from our position, so it has our events, too.
        if stored.unwrap_or(0) != self.position {
            return Ok(false);
        }
        let mut position = self.position;
        let mut insert =
            transaction.prepare_cached("INSERT INTO events VALUES (?1, ?2, ?3, ?4, ?5)")?;
        for event in batch.events {
            position += 1;
            let (id, kind, data) = (event.id(), event.event_type(), event.data());
            insert.execute(params![self.feed, position, id, kind, data])?;
        }
        drop(insert);
        transaction
            .prepare_cached("INSERT OR REPLACE INTO cursors VALUES (?1, ?2, ?3)")?
            .execute(params![self.feed, position, batch.last_event_id])?;
        transaction.commit()?;
        self.position = position;
        batch.last_event_id.clone_into(&mut self.last_event_id);
        Ok(true)
    }
}
