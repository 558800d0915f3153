//! The examples, run as a user would: their output, their exit codes, and what they send.

mod chat;
mod parse;
mod providers;
mod proxy;
mod small;
mod tail;
mod terminal;

use std::env::{self, consts::EXE_SUFFIX};
use std::ffi::OsStr;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

/// Fails a test that would hang; no result depends on the time.
async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(60), future)
        .await
        .expect("in time")
}

/// An example as built by cargo, without the environment variables that it reads.
fn example<S: AsRef<OsStr>>(name: &str, args: impl IntoIterator<Item = S>) -> Command {
    let tests = env::current_exe().expect("the path of this test");
    let profile = tests
        .ancestors()
        .nth(2)
        .expect("a folder above that of tests");
    let path = profile.join("examples").join(format!("{name}{EXE_SUFFIX}"));
    assert!(
        path.exists(),
        "no {path:?}: `cargo test` builds it, `cargo test --test examples` alone does not"
    );
    let mut command = Command::new(path);
    command
        .args(args)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy().to_lowercase();
        if text.starts_with("openai_") || text.ends_with("_proxy") || text == "no_color" {
            command.env_remove(name);
        }
    }
    command
}

/// The result of a program that has ended.
#[derive(Debug, PartialEq)]
struct Run {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

async fn run(mut command: Command, stdin: impl AsRef<[u8]>) -> Run {
    command.stdin(Stdio::piped());
    let mut child = command.spawn().expect("the example starts");
    let mut pipe = child.stdin.take().expect("it was asked for");
    let feed = async move {
        // A program may end without reading all of it.
        let _ = pipe.write_all(stdin.as_ref()).await;
    };
    let output = async { tokio::join!(feed, child.wait_with_output()).1 };
    let output = soon(output).await.expect("the example ends");
    Run {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).expect("UTF-8"),
        stderr: String::from_utf8(output.stderr).expect("UTF-8"),
    }
}

/// A program that is still running.
struct Running {
    child: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
}

impl Running {
    fn start(mut command: Command) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .spawn()
            .expect("the example starts");
        Self {
            stdin: child.stdin.take().expect("it was asked for"),
            stdout: BufReader::new(child.stdout.take().expect("it was asked for")),
            child,
        }
    }

    /// The next line of its output, without the line end.
    async fn line(&mut self) -> String {
        let mut line = String::new();
        soon(self.stdout.read_line(&mut line)).await.expect("UTF-8");
        line.strip_suffix('\n').expect("a whole line").to_owned()
    }

    /// This many bytes of its output.
    async fn text(&mut self, bytes: usize) -> String {
        let mut text = vec![0; bytes];
        soon(self.stdout.read_exact(&mut text)).await.expect("more");
        String::from_utf8(text).expect("UTF-8")
    }

    async fn write(&mut self, text: &str) {
        soon(self.stdin.write_all(text.as_bytes()))
            .await
            .expect("it reads");
    }

    /// Sends it a signal with `kill`.
    #[cfg(unix)]
    async fn signal(&self, name: &str) {
        let id = self.child.id().expect("it runs").to_string();
        let sent = Command::new("kill").args(["-s", name, &id]).status();
        assert!(soon(sent).await.expect("kill runs").success());
    }

    /// Waits for its end: its code, the rest of its output, and its errors.
    async fn end(mut self) -> Run {
        drop(self.stdin);
        let mut stdout = String::new();
        soon(self.stdout.read_to_string(&mut stdout))
            .await
            .expect("UTF-8");
        drop(self.stdout);
        Self::wait(self.child, stdout).await
    }

    /// Stops reading its output, and waits for its end.
    #[cfg(unix)]
    async fn end_unread(self) -> Run {
        drop(self.stdout);
        let run = Self::wait(self.child, String::new()).await;
        drop(self.stdin);
        run
    }

    async fn wait(child: Child, stdout: String) -> Run {
        let output = soon(child.wait_with_output())
            .await
            .expect("the example ends");
        Run {
            code: output.status.code(),
            stdout,
            stderr: String::from_utf8(output.stderr).expect("UTF-8"),
        }
    }
}
