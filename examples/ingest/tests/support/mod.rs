//! A feed that cuts its connections, processes that are killed, and a Redis server.
#![allow(dead_code, reason = "each test program uses a part of it")]

pub mod feed;
pub mod process;
pub mod redis_server;

use std::{future::Future, path::PathBuf, time::Duration};

/// Makes a test fail instead of hang. No result depends on this time.
pub const DEADLINE: Duration = Duration::from_secs(60);

/// Calls the function until it returns a value.
pub async fn poll<T, F: Future<Output = Option<T>>>(what: &str, mut ask: impl FnMut() -> F) -> T {
    let answer = async {
        loop {
            if let Some(answer) = ask().await {
                return answer;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    let answer = tokio::time::timeout(DEADLINE, answer).await;
    answer.unwrap_or_else(|_| panic!("waited too long for {what}"))
}

/// The seed for all random numbers: `INGEST_SEED`, or a fixed one.
pub fn seed() -> u64 {
    let seed = std::env::var("INGEST_SEED").ok();
    seed.and_then(|seed| seed.parse().ok()).unwrap_or(15)
}

/// A new folder, which is removed at the end.
pub struct Folder(pub PathBuf);

impl Folder {
    pub fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("ingest-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
