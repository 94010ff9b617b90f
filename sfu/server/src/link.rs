//! The encrypted link as the router wants it: `transport` on one side, `sfu` on the other.
//!
//! Nothing is decided here. It stands in this package because neither core may name the other.

use std::net::SocketAddr;

use protocol::rtp::Ssrc;
use protocol::signal::LinkParameters;
use protocol::time::Instant;
use sfu::transport::{DataChannel, LinkEvent, LinkRefused, NotSealed, OpenError, Transmit};
use transport::{Certificate, IceCredentials, Link, LinkConfig, Role, srtp, stun};

/// The SFU's end of one participant's encrypted link.
#[derive(Debug)]
pub struct EncryptedLink(Link);

impl sfu::transport::Link for EncryptedLink {
    type Shared = Certificate;

    fn open(
        certificate: &Certificate,
        local: &LinkParameters,
        remote: &LinkParameters,
        channel: DataChannel,
        now: Instant,
    ) -> Result<Self, LinkRefused> {
        let config = LinkConfig {
            role: Role::Server,
            certificate: certificate.clone(),
            local: IceCredentials::from(local),
            remote: remote.clone(),
            remote_candidates: Vec::new(),
            data_channel: channel == DataChannel::Open,
        };
        Link::new(&config, now).map(Self).map_err(|error| LinkRefused(error.to_string()))
    }

    fn receiver_ufrag(datagram: &[u8]) -> Option<&str> {
        stun::Message::parse(datagram)?.receiver_ufrag()
    }

    fn handle_datagram(&mut self, now: Instant, from: SocketAddr, datagram: &[u8]) -> bool {
        self.0.handle_datagram(now, from, datagram)
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.0.handle_timeout(now);
    }

    fn restart_ice(
        &mut self,
        now: Instant,
        local: &LinkParameters,
        remote: &LinkParameters,
    ) -> Result<(), LinkRefused> {
        self.0
            .restart_ice(now, IceCredentials::from(local), remote, &[])
            .map_err(|error| LinkRefused(error.to_string()))
    }

    fn close(&mut self) {
        self.0.close();
    }

    fn poll_transmit(&mut self, buffer: &mut [u8]) -> Option<Transmit> {
        self.0.poll_transmit(buffer).map(|transmit| Transmit { to: transmit.to, len: transmit.len })
    }

    fn poll_event(&mut self) -> Option<LinkEvent> {
        loop {
            return Some(match self.0.poll_event()? {
                transport::LinkEvent::Up => LinkEvent::Up,
                transport::LinkEvent::Down => LinkEvent::Down,
                transport::LinkEvent::Closed => LinkEvent::Closed,
                transport::LinkEvent::ChannelMessage(message) => LinkEvent::Message(message),
                transport::LinkEvent::ChannelOpen => continue,
            });
        }
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.0.poll_timeout()
    }

    fn address(&self) -> Option<SocketAddr> {
        self.0.address()
    }

    fn declare(&mut self, ssrc: Ssrc) {
        if let Some(sealer) = self.0.sealer_mut() {
            // Refused only beyond a limit that the router keeps as well; sealing would report it.
            let _refused = sealer.declare(ssrc);
        }
    }

    fn seal(&mut self, buffer: &mut [u8], len: usize) -> Result<usize, NotSealed> {
        let sealer = self.0.sealer_mut().ok_or(NotSealed)?;
        sealer.seal(buffer, len).map_err(|_| NotSealed)
    }

    fn seal_rtcp(&mut self, buffer: &mut [u8], len: usize) -> Result<usize, NotSealed> {
        let sealer = self.0.sealer_mut().ok_or(NotSealed)?;
        sealer.seal_rtcp(buffer, len).map_err(|_| NotSealed)
    }

    fn send_message(&mut self, message: &[u8]) -> Result<(), NotSealed> {
        self.0.send_channel(message).map_err(|_| NotSealed)
    }

    fn open_rtp(&mut self, packet: &mut [u8]) -> Result<usize, OpenError> {
        let opener = self.0.opener_mut().ok_or(OpenError::NotUp)?;
        opener.open(packet).map_err(open_error)
    }

    fn open_rtcp(&mut self, packet: &mut [u8]) -> Result<usize, OpenError> {
        let opener = self.0.opener_mut().ok_or(OpenError::NotUp)?;
        opener.open_rtcp(packet).map_err(open_error)
    }
}

const fn open_error(error: srtp::OpenError) -> OpenError {
    match error {
        srtp::OpenError::Malformed => OpenError::Malformed,
        srtp::OpenError::Replayed => OpenError::Replayed,
        srtp::OpenError::Forged | srtp::OpenError::Exhausted => OpenError::Forged,
    }
}
