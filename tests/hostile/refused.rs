//! A long body that is not an event stream: 64 KiB are read, and the connection is closed.

use crate::*;

#[test]
fn an_endless_non_stream_is_read_up_to_64_kib() {
    alone(async {
        let client = client();
        let gibibyte = 1_u64 << 30;
        let page = Reply::status(200)
            .content_type("text/html; charset=utf-8")
            .length_delimited()
            .repeat("<p>Please log in</p>\n", gibibyte);
        let refused = [
            ("a page of 1 GiB", page, ErrorKind::ContentType),
            (
                "an endless stream without a type",
                Reply::events()
                    .without_content_type()
                    .repeat("data: x\n\n", None),
                ErrorKind::ContentType,
            ),
            (
                "endless gzip that nobody asked for",
                Reply::events()
                    .header("content-encoding", "gzip")
                    .repeat(b"\x1f\x8b\x08\x00", None),
                ErrorKind::ContentEncoding,
            ),
            (
                "an endless 404",
                Reply::status(404).repeat("not here ", None),
                ErrorKind::Status,
            ),
        ];
        for (what, reply, kind) in refused {
            let server = Server::script_then([], reply.clone()).await;
            let told = within(CONNECTION, what, whole(answer(&client, &server))).await;
            assert_eq!(told.kind(), Some(kind), "{what}");
            // A body that could not be decoded isn't read.
            let kept = match kind {
                ErrorKind::ContentEncoding => 0,
                _ => 64 * KIB,
            };
            let error = told.error.unwrap();
            assert_eq!(error.body().unwrap().len(), kept, "{what}");
            assert!(!error.body_is_whole(), "{what}");
            server.wait_until_closed().await;
            assert_eq!(server.requests().len(), 1, "{what}");
            let asked = server.requests()[0]
                .header("accept-encoding")
                .map(str::to_owned);
            assert_eq!(asked.as_deref(), Some("identity"));

            // A feed that worked before does not ask for a web page twice.
            let server = Server::script_then([events("data: a\n\n")], reply).await;
            let feed = source(&client, &server).build().unwrap();
            let told = within(CONNECTION, what, life(feed)).await;
            assert_eq!(told.data, ["a"], "{what}");
            assert_eq!(told.kind(), Some(kind), "{what}");
            server.wait_until_closed().await;
            assert_eq!(server.requests().len(), 2, "{what}");
        }
    });
}

/// Temporary refusals are retried as often as allowed; only the last body is kept.
#[test]
fn endless_refusals_are_counted() {
    alone(async {
        let client = client();
        let refusal = Reply::status(503).repeat("busy ", None);
        let server = Server::script_then([events("data: a\n\n")], refusal).await;
        let feed = source(&client, &server)
            .max_consecutive_failures(20)
            .build()
            .unwrap();
        let what = "20 endless refusals";
        let told = within(CONNECTION, what, life(feed)).await;
        assert_eq!(told.data, ["a"]);
        assert_eq!(told.kind(), Some(ErrorKind::Status));
        server.wait_until_closed().await;
        assert_eq!(server.requests().len(), 1 + 20);
    });
}

/// Undeclared compression is meaningless text, and not an event.
#[test]
fn undeclared_gzip_yields_no_event() {
    use std::io::Write;

    alone(async {
        let client = client();
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        packed.write_all(&vec![b'\n'; 32 * MIB]).unwrap();
        let packed = packed.finish().unwrap();
        let named = Reply::events()
            .header("content-encoding", "gzip")
            .raw(&packed);
        let server = Server::script([events(&packed), named]).await;
        let what = "gzip that does not say so";
        let told = within(CONNECTION, what, whole(answer(&client, &server))).await;
        assert!(told.data.is_empty());
        assert_eq!(told.kind(), Some(ErrorKind::NotEventStream));
        let what = "32 MiB, packed";
        let told = within(CONNECTION, what, whole(answer(&client, &server))).await;
        assert_eq!(told.kind(), Some(ErrorKind::ContentEncoding));
        assert!(told.error.unwrap().to_string().contains("gzip"));
    });
}
