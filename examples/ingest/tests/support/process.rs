//! Runs, watches and kills the program.

use std::{
    process::{ExitStatus, Stdio},
    sync::{Arc, Mutex},
};

use rustix::process::{Pid, Signal, kill_process};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
    task::JoinHandle,
};

use super::{DEADLINE, poll};

/// A running program. It is killed when it is dropped.
pub struct Ingest {
    child: Child,
    lines: Arc<Mutex<Vec<String>>>,
    reader: JoinHandle<()>,
}

impl Ingest {
    pub fn start<S: AsRef<std::ffi::OsStr>>(args: impl IntoIterator<Item = S>) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_ingest"))
            .args(args)
            // The tests use loopback, which a proxy cannot reach.
            .env("NO_PROXY", "127.0.0.1")
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap()).lines();
        let lines = Arc::new(Mutex::new(Vec::new()));
        let shared = Arc::clone(&lines);
        let reader = tokio::spawn(async move {
            while let Ok(Some(line)) = stderr.next_line().await {
                shared.lock().unwrap().push(line);
            }
        });
        Self {
            child,
            lines,
            reader,
        }
    }

    /// The lines that it has printed so far.
    pub fn lines(&self) -> Vec<String> {
        self.lines.lock().unwrap().clone()
    }

    /// Waits until one of the lines after the first `seen` contains `text`.
    pub async fn says(&self, seen: usize, text: &str) {
        poll(text, || async {
            let lines = self.lines.lock().unwrap();
            lines[seen..]
                .iter()
                .any(|line| line.contains(text))
                .then_some(())
        })
        .await;
    }

    /// Sends SIGKILL, which it cannot handle.
    pub async fn kill(&mut self) {
        self.child.kill().await.unwrap();
        (&mut self.reader).await.unwrap();
    }

    pub fn signal(&self, signal: Signal) {
        let id = i32::try_from(self.child.id().expect("it runs")).unwrap();
        kill_process(Pid::from_raw(id).unwrap(), signal).unwrap();
    }

    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Waits until it ends, and for all its output.
    pub async fn end(&mut self) -> ExitStatus {
        let status = tokio::time::timeout(DEADLINE, self.child.wait()).await;
        let status = status.expect("it ends").unwrap();
        (&mut self.reader).await.unwrap();
        status
    }
}
