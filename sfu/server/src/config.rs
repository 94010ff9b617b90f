//! What a server is started with.

use std::net::SocketAddr;

use thiserror::Error;

/// Settings of the media server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SfuConfig {
    /// Where media is taken: address and UDP port; port 0 for any. An unspecified address takes it
    /// on every interface, and the unspecified IPv6 address in both IP versions.
    pub media: SocketAddr,
    /// What participants are told instead, most wanted first: for a server behind NAT or a relay.
    /// Empty for the address itself, or for those of all interfaces where it is unspecified.
    pub advertise: Vec<SocketAddr>,
}

impl Default for SfuConfig {
    /// UDP port 7882 of every IPv4 interface.
    fn default() -> Self {
        Self { media: SocketAddr::from(([0, 0, 0, 0], 7882)), advertise: Vec::new() }
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
    #[error("the media thread could not be started: {0}")]
    Thread(std::io::Error),
}
