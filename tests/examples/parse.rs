use super::{Running, example, run};

fn parse() -> tokio::process::Command {
    example("parse", [""; 0])
}

#[tokio::test]
async fn a_stream_becomes_json_lines() {
    let cases: [(&[u8], &[&str]); 9] = [
        (b"", &[]),
        (
            b"data: one\n\nid: 7\nevent: x\ndata: a\ndata: b\n\ndata\n\n",
            &[
                r#"{"kind":"event","event":"message","data":"one","id":""}"#,
                r#"{"kind":"event","event":"x","data":"a\nb","id":"7"}"#,
                r#"{"kind":"event","event":"message","data":"","id":"7"}"#,
            ],
        ),
        (
            b"\xef\xbb\xbf: hi\r\nretry: 0250\r\n:\r\nretry: x\r\n\r\n",
            &[
                r#"{"kind":"comment","data":" hi"}"#,
                r#"{"kind":"retry","ms":250}"#,
                r#"{"kind":"comment","data":""}"#,
            ],
        ),
        (
            b"data: a\r\rdata: b",
            &[
                r#"{"kind":"event","event":"message","data":"a","id":""}"#,
                r#"{"kind":"unfinished"}"#,
            ],
        ),
        (
            b"data: \xff\"\\\x01\xe2\x9d\xa4\n\n",
            &[
                "{\"kind\":\"event\",\"event\":\"message\",\"data\":\"\u{fffd}\\\"\\\\\\u0001❤\",\"id\":\"\"}",
            ],
        ),
        // What a terminal would interpret as a command, although JSON need not escape it.
        (
            b"data: \x7f\xc2\x9b2J\xe2\x80\xae\n\n",
            &[r#"{"kind":"event","event":"message","data":"\u007f\u009b2J\u202e","id":""}"#],
        ),
        (b"id: 1\n\nid: 2", &[r#"{"kind":"unfinished"}"#]),
        (
            b": only a comment\n",
            &[r#"{"kind":"comment","data":" only a comment"}"#],
        ),
        (
            b"id: a\0b\ndata: x\n\n",
            &[r#"{"kind":"event","event":"message","data":"x","id":""}"#],
        ),
    ];
    for (stream, lines) in cases {
        let run = run(parse(), stream).await;
        let shown = String::from_utf8_lossy(stream);
        assert_eq!(run.stdout.lines().collect::<Vec<_>>(), lines, "{shown:?}");
        assert_eq!((run.code, &*run.stderr), (Some(0), ""), "{shown:?}");
    }
}

#[tokio::test]
async fn oversized_events_are_skipped_and_reported() {
    let mut stream = b": ".to_vec();
    stream.resize(2 + 70_000, b'c');
    stream.extend_from_slice(b"\ndata: ");
    stream.resize(stream.len() + (16 << 20), b'd');
    stream.extend_from_slice(b"\n\ndata: after\n\n");
    let run = run(parse(), stream).await;
    let lines: Vec<_> = run.stdout.lines().collect();
    assert_eq!(
        lines,
        [
            r#"{"kind":"skipped","what":"comment","bytes":70001}"#,
            &format!(
                r#"{{"kind":"skipped","what":"event","bytes":{}}}"#,
                (16 << 20) + "data: ".len()
            ),
            r#"{"kind":"event","event":"message","data":"after","id":""}"#,
        ]
    );
    assert_eq!(run.code, Some(0));
}

#[tokio::test]
async fn an_event_is_shown_before_the_next_arrives() {
    let mut parse = Running::start(parse());
    for n in ["1", "2"] {
        parse.write(&format!("id: {n}\ndata\n\n")).await;
        let expected = format!(r#"{{"kind":"event","event":"message","data":"","id":"{n}"}}"#);
        assert_eq!(parse.line().await, expected);
    }
    let run = parse.end().await;
    assert_eq!((run.code, &*run.stdout, &*run.stderr), (Some(0), "", ""));
}

#[cfg(unix)]
#[tokio::test]
async fn a_closed_pipe_ends_it_silently() {
    let mut parse = Running::start(parse());
    parse.write("data\n\n").await;
    parse.line().await;
    // Dropped, so that nobody reads.
    drop(parse.stdout);
    let stream = "data\n\n".repeat(10_000);
    let written = tokio::io::AsyncWriteExt::write_all(&mut parse.stdin, stream.as_bytes());
    // It ends either before or after it has read everything.
    let _ = super::soon(written).await;
    let run = Running::wait(parse.child, String::new()).await;
    assert_eq!((run.code, &*run.stderr), (Some(0), ""));
}
