//! An address at which nothing listens.

use std::net::{Ipv4Addr, SocketAddr};

use tokio::net::TcpSocket;

/// A port on which nothing listens: connections to it are refused.
///
/// It stays reserved while this value lives, so that no other program can listen on it.
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
    /// Reserves a port on the loopback interface.
    ///
    /// # Panics
    ///
    /// Panics if the operating system doesn't provide a port.
    #[must_use]
    pub fn reserve() -> Self {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket
            .bind((Ipv4Addr::LOCALHOST, 0).into())
            .expect("a port of the loopback interface");
        let addr = socket.local_addr().expect("the address of a bound socket");
        Self { socket, addr }
    }

    /// Returns its address.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Returns the `http` URL of `path` at this address.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        url(self.addr, path)
    }

    pub(super) fn into_socket(self) -> TcpSocket {
        self.socket
    }
}

/// Returns the `http` URL of `path`, which may start with a slash.
pub(super) fn url(addr: SocketAddr, path: &str) -> String {
    format!("http://{addr}/{}", path.strip_prefix('/').unwrap_or(path))
}
