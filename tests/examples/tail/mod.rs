mod end;
mod feeds;
mod options;
mod output;
mod reconnect;
mod tls;

use std::ffi::OsStr;
use std::path::PathBuf;

use everstream::testing::{Reply, Server};
use serde_json::Value;
use tokio::process::Command;

use super::{Running, example, run};

/// `tail --json URL` with these options, and with waits as short as can be.
fn tail<S: AsRef<OsStr>>(server: &Server, args: impl IntoIterator<Item = S>) -> Command {
    let quick = ["--json", "--floor", "0", "--reconnection-time", "0"];
    let mut command = example("tail", quick);
    command.args(args).arg(server.url("/feed"));
    command
}

/// Its output and exit code. Its stderr must be empty.
async fn lines(command: Command) -> (Vec<Value>, i32) {
    let run = run(command, "").await;
    assert_eq!(run.stderr, "");
    let lines = run.stdout.lines().map(parsed).collect();
    (lines, run.code.expect("it ends by itself"))
}

/// The same without the open signals, which most tests ignore.
async fn told(command: Command) -> (Vec<Value>, i32) {
    let (mut lines, code) = lines(command).await;
    lines.retain(|line| line["kind"] != "open");
    (lines, code)
}

/// The kinds of the lines, with their data, status or cause.
fn kinds(lines: &[Value]) -> Vec<String> {
    let kind = |line: &Value| {
        let more = ["data", "status", "cause"].map(|name| match &line[name] {
            Value::Null => String::new(),
            Value::String(text) => format!(" {text}"),
            other => format!(" {other}"),
        });
        format!("{}{}", line["kind"].as_str().unwrap(), more.concat())
    };
    lines.iter().map(kind).collect()
}

fn parsed(line: &str) -> Value {
    serde_json::from_str(line).unwrap_or_else(|error| panic!("{line:?}: {error}"))
}

fn event(id: &str, data: &str) -> Reply {
    Reply::events().raw(format!("id: {id}\ndata: {data}\n\n"))
}

/// A folder of its own for a test, gone when it is dropped.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let name = format!("everstream-{}-{name}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(&self.0).unwrap();
        let name = |entry: std::fs::DirEntry| entry.file_name().into_string().unwrap();
        entries.map(|entry| name(entry.unwrap())).collect()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
