//! Starts a Redis server on a free port.

use std::{
    net::TcpListener,
    process::{Child, Command, Stdio},
};

use redis::{AsyncConnectionConfig, aio::MultiplexedConnection};

use super::{DEADLINE, Folder, poll};

/// The server. It stores nothing on disk, and ends when the value is dropped.
pub struct RedisServer {
    pub url: String,
    child: Child,
    _folder: Folder,
}

impl RedisServer {
    /// Returns `None` and prints a notice if `redis-server` is not installed.
    ///
    /// # Panics
    ///
    /// Panics if it is not installed and `INGEST_REDIS_REQUIRED` is 1.
    pub async fn start(name: &str) -> Option<Self> {
        let version = Command::new("redis-server").arg("--version").output();
        let Ok(version) = version else {
            let required = std::env::var("INGEST_REDIS_REQUIRED");
            assert_ne!(
                required.as_deref(),
                Ok("1"),
                "redis-server is not installed"
            );
            println!("!!! SKIPPED: {name}: redis-server is not installed");
            return None;
        };
        println!("{}", String::from_utf8_lossy(&version.stdout).trim());
        let folder = Folder::new(name);
        loop {
            // Another process may take the port in between.
            let free = TcpListener::bind("127.0.0.1:0").unwrap();
            let port = free.local_addr().unwrap().port();
            drop(free);
            let mut child = Command::new("redis-server")
                .args(["--port", &port.to_string(), "--bind", "127.0.0.1"])
                .args(["--save", "", "--appendonly", "no", "--dir"])
                .arg(&folder.0)
                .stdout(Stdio::null())
                .spawn()
                .unwrap();
            let url = format!("redis://127.0.0.1:{port}/");
            let answers = poll("the Redis server", || {
                let ended = child.try_wait().unwrap().is_some();
                let url = &url;
                async move {
                    match ended {
                        true => Some(false),
                        false => connect(url).await.map(|_| true),
                    }
                }
            });
            if answers.await {
                return Some(Self {
                    url,
                    child,
                    _folder: folder,
                });
            }
        }
    }

    pub async fn connection(&self) -> MultiplexedConnection {
        connect(&self.url).await.expect("the Redis server answers")
    }
}

async fn connect(url: &str) -> Option<MultiplexedConnection> {
    let client = redis::Client::open(url).unwrap();
    // A busy machine is slow to answer, which is not an error here.
    let config = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(DEADLINE))
        .set_response_timeout(Some(DEADLINE));
    let connection = client.get_multiplexed_async_connection_with_config(&config);
    let mut connection = connection.await.ok()?;
    let pong: Result<String, _> = redis::cmd("PING").query_async(&mut connection).await;
    pong.ok().map(|_| connection)
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
