//! The UDP socket that media goes through: not connected, so that it survives a change of network.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use socket2::{Domain, Protocol, SockAddr, Socket, Type};

/// A socket, shared by the sender and the receiver thread.
#[derive(Debug)]
pub(super) struct MediaSocket {
    socket: std::net::UdpSocket,
    family: Family,
}

/// Which addresses a socket reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Family {
    V4,
    /// Both; IPv4 addresses travel as mapped ones (RFC 4291 §2.5.5.2).
    Dual,
}

impl MediaSocket {
    /// A socket that reaches all of `candidates`, on a port of the system's choice.
    pub(super) fn open(candidates: &[SocketAddr]) -> io::Result<Self> {
        let family =
            if candidates.iter().all(SocketAddr::is_ipv4) { Family::V4 } else { Family::Dual };
        let (domain, any) = match family {
            Family::V4 => (Domain::IPV4, IpAddr::V4(Ipv4Addr::UNSPECIFIED)),
            Family::Dual => (Domain::IPV6, IpAddr::V6(Ipv6Addr::UNSPECIFIED)),
        };
        let socket = Socket::new(domain, Type::DGRAM, Some(Protocol::UDP))?;
        match family {
            Family::V4 => {
                // Refused by some systems, which costs nothing but the preference.
                let _ = socket.set_tos_v4(EXPEDITED);
            }
            Family::Dual => socket.set_only_v6(false)?,
        }
        socket.set_read_timeout(Some(RECEIVE_TIME))?;
        socket.bind(&SockAddr::from(SocketAddr::new(any, 0)))?;
        Ok(Self { socket: socket.into(), family })
    }

    /// Sends one datagram at once.
    pub(super) fn send(&self, bytes: &[u8], to: SocketAddr) -> io::Result<()> {
        let to = match (self.family, to) {
            (Family::Dual, SocketAddr::V4(to)) => {
                SocketAddr::new(IpAddr::V6(to.ip().to_ipv6_mapped()), to.port())
            }
            (Family::V4 | Family::Dual, to) => to,
        };
        self.socket.send_to(bytes, to).map(|_| ())
    }

    /// The next datagram, if one comes within [`RECEIVE_TIME`].
    pub(super) fn receive(&self, buffer: &mut [u8]) -> io::Result<Option<(usize, SocketAddr)>> {
        match self.socket.recv_from(buffer) {
            Ok((len, from)) => {
                Ok(Some((len, SocketAddr::new(from.ip().to_canonical(), from.port()))))
            }
            Err(error) if NOTHING_CAME.contains(&error.kind()) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// Errors that only say that no datagram is there. The last two tell that an earlier one met a
/// closed port, which ICE finds out by itself.
const NOTHING_CAME: [io::ErrorKind; 5] = [
    io::ErrorKind::WouldBlock,
    io::ErrorKind::TimedOut,
    io::ErrorKind::Interrupted,
    io::ErrorKind::ConnectionRefused,
    io::ErrorKind::ConnectionReset,
];

/// DSCP EF (RFC 3246) with the two ECN bits zero: Wi-Fi maps it to its voice queue.
const EXPEDITED: u32 = 46 << 2;

/// How late the timers of ICE and DTLS may be, whose shortest is 50 ms.
const RECEIVE_TIME: Duration = Duration::from_millis(10);

#[cfg(test)]
mod tests {
    use super::*;

    fn check(bind: &str, candidates: &[&str]) {
        let other = std::net::UdpSocket::bind(bind).expect("loopback");
        let address = other.local_addr().expect("it is bound");
        let candidates: Vec<SocketAddr> =
            candidates.iter().map(|text| text.parse().expect("an address")).collect();
        let ours = MediaSocket::open(&candidates).expect("a socket");
        ours.send(b"to", address).expect("loopback takes it");
        let mut buffer = [0; 16];
        let (_, from) = other.recv_from(&mut buffer).expect("it came");
        other.send_to(b"back", from).expect("loopback takes it");
        let received = loop {
            if let Some(received) = ours.receive(&mut buffer).expect("no error") {
                break received;
            }
        };
        assert_eq!(received, (4, address));
    }

    #[test]
    fn ipv4_is_reached_from_either_kind_of_socket() {
        check("127.0.0.1:0", &["127.0.0.1:9"]);
        check("127.0.0.1:0", &["127.0.0.1:9", "[::1]:9"]);
    }
}
