//! How a publisher's packets reach the SFU: for the publisher, for what is repeated, and for what is found.

use protocol::id::ParticipantId;
use protocol::rtp::Ssrc;
use protocol::signal::ServerMessage;
use protocol::time::Instant;

use crate::redundancy::Loss;
use crate::signalling::Signalling;

/// What the SFU says of one encoding's last second.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Arrived {
    pub(crate) received_packets: u32,
    pub(crate) lost_packets: u32,
    pub(crate) jitter_us: u32,
}

impl Signalling {
    /// The SFU told how an encoding arrived. Of encodings that are not there any more nothing is said.
    pub(crate) fn handle_uplink(
        &mut self,
        now: Instant,
        participant: ParticipantId,
        ssrc: Ssrc,
        arrived: Arrived,
    ) {
        let Arrived { received_packets, lost_packets, jitter_us } = arrived;
        let Some(member) = self.members.get(&participant) else { return };
        let mut encodings = member.tracks.iter();
        let found = encodings.find_map(|track| Some((track.id, track.codec(ssrc)?)));
        let (Some((track, codec)), Some(connection)) = (found, member.connection) else { return };
        let message =
            ServerMessage::Uplink { track, codec, received_packets, lost_packets, jitter_us };
        self.send(connection, None, message);
        let expected_packets = received_packets.saturating_add(lost_packets);
        let loss = Loss { expected_packets, lost_packets, gaps: None };
        self.hear_loss(now, participant, track, loss);
        self.hear_uplink(now, participant, track, loss, jitter_us);
    }
}
