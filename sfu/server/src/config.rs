//! What a server is started with.

use std::net::SocketAddr;
use std::num::NonZeroU16;

use protocol::id::WorkerId;
use thiserror::Error;

use crate::limits::PACKETS_PER_SECOND_MAX;

/// Settings of the media server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SfuConfig {
    /// Where the first worker takes media: address and UDP port; port 0 for any, and the others at
    /// the ports after it. An unspecified address takes it on every interface, and the unspecified
    /// IPv6 address in both IP versions.
    pub media: SocketAddr,
    /// What participants are told instead, most wanted first: for a server behind NAT or a relay.
    /// The other workers are told at the ports after it. Empty for the address itself, or for those
    /// of all interfaces where it is unspecified.
    pub advertise: Vec<SocketAddr>,
    /// Threads that forward, each with a port of its own.
    pub workers: NonZeroU16,
    /// Packets per second, in and out, up to which rooms are placed on one worker.
    pub packets_per_second_max: u32,
}

impl Default for SfuConfig {
    /// One worker at UDP port 7882 of every IPv4 interface.
    fn default() -> Self {
        Self {
            media: SocketAddr::from(([0, 0, 0, 0], 7882)),
            advertise: Vec::new(),
            workers: NonZeroU16::MIN,
            packets_per_second_max: PACKETS_PER_SECOND_MAX,
        }
    }
}

/// Why the media server did not start.
#[derive(Debug, Error)]
pub enum StartError {
    /// The socket could not be opened there: in use, or not an address of this machine.
    #[error("no media socket at {address}: {source}")]
    Socket {
        /// The address that was asked for.
        address: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// The workers would need ports that do not exist.
    #[error("{workers} workers need as many ports from {first} on, and 65535 is the last")]
    Ports {
        /// The first port.
        first: u16,
        /// How many workers there should be.
        workers: u16,
    },
    /// The addresses of this machine could not be listed.
    #[error("the addresses of this machine are unknown ({0}); name them with --advertise")]
    Interfaces(std::io::Error),
    /// There is no address that participants could be told.
    #[error("this machine has no address that participants could reach; name one with --advertise")]
    NoAddress,
    /// An address to advertise is unspecified or has no port.
    #[error("participants cannot be told {0} as a media address")]
    Unreachable(SocketAddr),
    /// No DTLS certificate.
    #[error(transparent)]
    Certificate(#[from] transport::CertificateError),
    /// The system gave no thread or wake-up.
    #[error("a media thread could not be started: {0}")]
    Thread(std::io::Error),
}

/// An address of the first worker as another one has it; port 0 stays any.
pub(crate) fn of_worker(address: SocketAddr, worker: WorkerId) -> Result<SocketAddr, StartError> {
    if address.port() == 0 {
        return Ok(address);
    }
    let port = address.port().checked_add(worker.0);
    let ports = || StartError::Ports { first: address.port(), workers: worker.0 + 1 };
    Ok(SocketAddr::new(address.ip(), port.ok_or_else(ports)?))
}
