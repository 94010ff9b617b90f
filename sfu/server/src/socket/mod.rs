//! The media socket: datagrams in batches.
//!
//! What surprises: an IPv6 socket that takes IPv4 as well speaks of IPv4 addresses in their mapped
//! form. They are turned into plain IPv4 here and back, so that a participant has one address.

#[cfg(target_os = "linux")]
mod ancillary;
#[cfg(target_os = "linux")]
mod groups;
#[cfg(target_os = "linux")]
mod receiving;
#[cfg(target_os = "linux")]
mod sending;
#[cfg(not(target_os = "linux"))]
mod single;
#[cfg(all(test, target_os = "linux"))]
mod tests;

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, Type};

#[cfg(target_os = "linux")]
pub(crate) use receiving::{ReceiveBatch, tell_arrivals_and_drops};
#[cfg(target_os = "linux")]
pub(crate) use sending::SendBatch;
#[cfg(not(target_os = "linux"))]
pub(crate) use single::{ReceiveBatch, SendBatch, tell_arrivals_and_drops};

use crate::limits::{RECEIVE_BUFFER_BYTES, SEND_BUFFER_BYTES};

/// Bytes of one datagram's buffer: an Ethernet frame. The router refuses anything above its own
/// limit, so what is cut off here was too long anyway.
pub(crate) const DATAGRAM_BUFFER_BYTES: usize = 1500;

/// Whether a batch takes another datagram.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Room {
    Left,
    Full,
}

/// A datagram that came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Received {
    pub(crate) from: SocketAddr,
    pub(crate) len: usize,
    /// How long it had waited in the socket when it was taken, where the system tells.
    pub(crate) age: Option<Duration>,
}

/// One bound, non-blocking UDP socket.
#[derive(Debug)]
pub(crate) struct MediaSocket {
    socket: Socket,
    local: SocketAddr,
}

impl MediaSocket {
    pub(crate) fn bind(address: SocketAddr) -> io::Result<Self> {
        let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
        if address.is_ipv6() {
            socket.set_only_v6(!address.ip().is_unspecified())?;
        }
        socket.set_nonblocking(true)?;
        // The system grants as much as it allows; less only means less patience under load.
        let _granted = socket.set_recv_buffer_size(RECEIVE_BUFFER_BYTES);
        let _granted = socket.set_send_buffer_size(SEND_BUFFER_BYTES);
        tell_arrivals_and_drops(&socket);
        socket.bind(&address.into())?;
        let local = socket.local_addr()?.as_socket();
        let local = local.ok_or_else(|| io::Error::other("the socket has no IP address"))?;
        Ok(Self { socket, local })
    }

    /// Where the socket is bound; the port is never 0.
    pub(crate) const fn local(&self) -> SocketAddr {
        self.local
    }

    /// An address as this socket wants it.
    fn outward(&self, address: SocketAddr) -> SocketAddr {
        match address.ip() {
            IpAddr::V4(ip) if self.local.is_ipv6() => {
                SocketAddr::new(ip.to_ipv6_mapped().into(), address.port())
            }
            IpAddr::V4(_) | IpAddr::V6(_) => address,
        }
    }
}

/// An address as everybody else wants it.
fn inward(address: SocketAddr) -> SocketAddr {
    match address {
        SocketAddr::V6(v6) => SocketAddr::new(v6.ip().to_canonical(), v6.port()),
        SocketAddr::V4(_) => address,
    }
}

#[cfg(target_os = "linux")]
impl std::os::fd::AsFd for MediaSocket {
    fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        self.socket.as_fd()
    }
}
