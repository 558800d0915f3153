//! An address at which nothing listens.

use std::net::{Ipv4Addr, SocketAddr};

use tokio::net::TcpSocket;

/// A port on which nothing listens: connections to it are refused.
///
/// It stays reserved for as long as this lives, so that no other program comes to listen there.
///
/// ```
/// use everstream::testing::{ClosedPort, Reply};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let port = ClosedPort::reserve();
/// assert!(reqwest::get(port.url("/")).await.is_err());
///
/// let server = port.open(|_| Reply::events().data("here I am")).await;
/// assert!(reqwest::get(server.url("/")).await.is_ok());
/// # }
/// ```
#[derive(Debug)]
pub struct ClosedPort {
    socket: TcpSocket,
    addr: SocketAddr,
}

impl ClosedPort {
    /// Reserves a port of the loopback interface.
    ///
    /// # Panics
    ///
    /// Panics if the operating system gives none.
    #[must_use]
    pub fn reserve() -> Self {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket
            .bind((Ipv4Addr::LOCALHOST, 0).into())
            .expect("a port of the loopback interface");
        let addr = socket.local_addr().expect("the address of a bound socket");
        Self { socket, addr }
    }

    /// Its address.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The `http` URL of `path` at this address.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        url(self.addr, path)
    }

    pub(super) fn into_socket(self) -> TcpSocket {
        self.socket
    }
}

/// The `http` URL of `path`, with or without its first slash.
pub(super) fn url(addr: SocketAddr, path: &str) -> String {
    format!("http://{addr}/{}", path.strip_prefix('/').unwrap_or(path))
}
