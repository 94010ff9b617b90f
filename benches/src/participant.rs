//! One end of a native link with everything it needs to publish one source.

use std::net::SocketAddr;

use protocol::control::{Command, PayloadTypes};
use protocol::id::{ParticipantId, RoomId, TrackId, WorkerId};
use protocol::rtp::{Packet, PayloadType, Ssrc};
use protocol::signal::LinkParameters;
use protocol::time::Instant;
use transport::{Certificate, IceCredentials, Link, LinkConfig, LinkError, Role};

/// A participant of a benchmark.
#[derive(Debug)]
pub struct Participant {
    /// Who.
    pub id: ParticipantId,
    /// The participant's end of the link.
    pub link: Link,
    next_number: u16,
}

impl Participant {
    /// Makes a participant's end of a link, and the command that makes the server's.
    pub fn join(
        id: ParticipantId,
        room: &RoomId,
        certificate: &Certificate,
        server_fingerprint: &str,
        server: SocketAddr,
        now: Instant,
    ) -> Result<(Self, Command), LinkError> {
        let local = parameters("client", id, certificate.fingerprint());
        let remote = parameters("server", id, server_fingerprint);
        let config = LinkConfig {
            role: Role::Client,
            certificate: certificate.clone(),
            local: IceCredentials::from(&local),
            remote: remote.clone(),
            remote_candidates: vec![server],
            data_channel: false,
        };
        let command = Command::OpenLink {
            participant: id,
            room: room.clone(),
            worker: WorkerId(0),
            local: remote,
            remote: local,
            data_channel: false,
        };
        Ok((Self { id, link: Link::new(&config, now)?, next_number: 0 }, command))
    }

    /// The SSRC of what the participant publishes.
    #[must_use]
    pub const fn source(&self) -> Ssrc {
        Ssrc(1000 + self.id.0)
    }

    /// The command that announces it.
    #[must_use]
    pub const fn publish(&self) -> Command {
        Command::AddSource {
            participant: self.id,
            track: TrackId(self.id.0),
            ssrc: self.source(),
            payload_types: PayloadTypes::NATIVE,
            packets_per_second: sfu::limits::SOURCE_PACKETS_PER_SECOND_MAX,
        }
    }

    /// The command by which this participant hears another.
    #[must_use]
    pub const fn subscribe(&self, publisher: &Self) -> Command {
        Command::Subscribe {
            subscriber: self.id,
            stream: Ssrc(1_000_000 * self.id.0 + publisher.id.0),
            publisher: publisher.id,
            source: publisher.source(),
            payload_types: PayloadTypes::NATIVE,
        }
    }

    /// Writes and seals the next packet of the source into `buffer`, 120 frames after the one
    /// before; gives its length. `None` while the link is not up, or where the buffer is short.
    pub fn seal(&mut self, payload: &[u8], buffer: &mut [u8]) -> Option<usize> {
        let packet = Packet {
            marker: false,
            capture_time: None,
            payload_type: PayloadType::OPUS,
            sequence_number: self.next_number,
            timestamp: u32::from(self.next_number).wrapping_mul(120),
            ssrc: self.source(),
            payload,
        };
        let len = packet.write(buffer)?;
        let len = self.link.sealer_mut()?.seal(buffer, len).ok()?;
        self.next_number = self.next_number.wrapping_add(1);
        Some(len)
    }
}

fn parameters(end: &str, id: ParticipantId, fingerprint: &str) -> LinkParameters {
    LinkParameters {
        ice_ufrag: format!("{end}{}", id.0),
        ice_pwd: format!("the password of {end}{} in a benchmark", id.0),
        fingerprint: fingerprint.into(),
    }
}
