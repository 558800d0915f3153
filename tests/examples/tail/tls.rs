//! Servers with certificates that are not trusted.

use std::net::SocketAddr;
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use everstream::testing::{Reply, Server};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        pki_types::{CertificateDer, PrivatePkcs8KeyDer},
    },
};

use super::{Folder, example, kinds, run, tail, told};

/// An authority of the test's own.
fn authority() -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::new([]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// A feed of one event over TLS, and then a 204.
struct TlsServer {
    addr: SocketAddr,
    connections: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl TlsServer {
    /// Starts it, with a certificate for `name` that `authority` has signed.
    async fn start(authority: &CertifiedIssuer<'static, KeyPair>, name: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new([name.to_owned()]).unwrap();
        let certificate = params.signed_by(&key, authority).unwrap();
        let chain = vec![CertificateDer::from(certificate)];
        let key = PrivatePkcs8KeyDer::from(key.serialize_der());
        let config = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(chain, key.into())
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let connections = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&connections);
        let task = tokio::spawn(async move {
            let mut answered = 0;
            while let Ok((socket, _)) = listener.accept().await {
                counter.fetch_add(1, Ordering::SeqCst);
                // A client that rejects the certificate ends the handshake.
                if let Ok(stream) = acceptor.accept(socket).await {
                    answer(stream, answered).await;
                    answered += 1;
                }
            }
        });
        Self {
            addr,
            connections,
            task,
        }
    }

    fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

impl Drop for TlsServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn answer(stream: impl AsyncRead + AsyncWrite + Unpin, answered: usize) {
    let mut stream = BufReader::new(stream);
    let mut line = String::new();
    while stream.read_line(&mut line).await.unwrap_or(0) > 2 {
        line.clear();
    }
    let reply = match answered {
        0 => {
            "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\ndata: safe\n\n"
        }
        _ => "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n",
    };
    let _ = stream.write_all(reply.as_bytes()).await;
    let _ = stream.shutdown().await;
}

#[tokio::test]
async fn a_bad_certificate_is_reported_immediately() {
    for option in [None, Some("--standard")] {
        let server = TlsServer::start(&authority(), "127.0.0.1").await;
        let mut command = example("tail", option);
        command.arg(format!("https://{}/", server.addr));
        let run = run(command, "").await;
        let sentence = "\
            tail: the server's certificate was not accepted: it is signed by an authority that \
            this system does not trust; use --cacert FILE to trust that authority, or -k to accept any \
            certificate\n";
        assert_eq!((&*run.stdout, &*run.stderr), ("", sentence));
        assert_eq!(run.code, Some(1));
        assert_eq!(server.connections(), 1, "it is not tried again");
    }
}

#[tokio::test]
async fn a_bad_certificate_after_a_redirect_is_reported_the_same() {
    let server = TlsServer::start(&authority(), "127.0.0.1").await;
    let there = format!("https://{}/", server.addr);
    let here = Server::start(move |_| Reply::redirect(302, &there)).await;
    let (lines, code) = told(tail(&here, [""; 0])).await;
    assert_eq!((kinds(&lines), code), (vec!["error".to_owned()], 1));
    let message = lines[0]["message"].as_str().unwrap();
    let sentence = "the server's certificate was not accepted: ";
    assert!(message.starts_with(sentence), "{message}");
    assert_eq!(server.connections(), 1, "it is not tried again");
}

#[tokio::test]
async fn a_certificate_for_another_host_is_reported_as_such() {
    let folder = Folder::new("other-host");
    let authority = authority();
    let file = folder.file("authority.pem");
    std::fs::write(&file, authority.pem()).unwrap();
    let server = TlsServer::start(&authority, "example.com").await;
    let mut command = example("tail", ["--json", "--cacert"]);
    command.arg(file).arg(format!("https://{}/", server.addr));
    let (lines, code) = told(command).await;
    assert_eq!((kinds(&lines), code), (vec!["error".to_owned()], 1));
    let message = lines[0]["message"].as_str().unwrap();
    let reason = "the server's certificate was not accepted: certificate not valid for name";
    assert!(message.starts_with(reason), "{message}");
    assert!(message.contains("example.com"), "{message}");
    assert!(
        message.ends_with("; use -k to accept any certificate"),
        "{message}"
    );
    assert!(!message.contains("--cacert"), "{message}");
}

#[tokio::test]
async fn one_authority_or_any_certificate_can_be_trusted() {
    let folder = Folder::new("authority");
    let authority = authority();
    let file = folder.file("authority.pem");
    // A bundle: the first certificate is unrelated.
    std::fs::write(&file, self::authority().pem() + &authority.pem()).unwrap();
    let trusted = ["--cacert".as_ref(), file.as_os_str()];
    for (options, name) in [
        (&trusted[..], "127.0.0.1"),
        (&["-k".as_ref()], "127.0.0.1"),
        (&["--insecure".as_ref()], "example.com"),
    ] {
        let server = TlsServer::start(&authority, name).await;
        let mut command = example("tail", ["--json", "--reconnection-time", "0"]);
        command
            .args(options)
            .arg(format!("https://{}/", server.addr));
        let (lines, code) = told(command).await;
        let expected = ["event safe", "reconnecting end", "closed 204"];
        assert_eq!(
            (kinds(&lines), code),
            (expected.map(String::from).to_vec(), 0)
        );
    }
}

#[tokio::test]
async fn a_file_without_a_certificate_is_refused() {
    let folder = Folder::new("no-certificate");
    let empty = folder.file("empty.pem");
    std::fs::write(&empty, "no certificate").unwrap();
    for file in [empty, folder.file("missing.pem")] {
        let mut command = example("tail", ["--cacert"]);
        command.arg(file).arg("https://127.0.0.1:1/");
        let run = run(command, "").await;
        assert_eq!((run.code, &*run.stdout), (Some(2), ""));
        assert!(
            run.stderr.starts_with("error: cannot use "),
            "{:?}",
            run.stderr
        );
    }
}
