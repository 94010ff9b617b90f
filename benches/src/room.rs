//! A room around a router, in memory: one publisher, some subscribers, real encryption.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, ensure};
use protocol::id::{ParticipantId, RoomId};
use protocol::time::Instant;
use sfu::Router;
use sfu_server::EncryptedLink;
use transport::{Certificate, LinkState};

use crate::participant::Participant;

/// The router and its participants; the first publishes, the others hear it.
#[expect(missing_debug_implementations, reason = "a router has nothing to show")]
pub struct Room {
    router: Router<EncryptedLink>,
    participants: Vec<(SocketAddr, Participant)>,
    now: Instant,
}

const SERVER: ([u8; 4], u16) = ([192, 0, 2, 1], 7882);

/// Between two packets of the publisher.
const PACKET_TIME: Duration = Duration::from_micros(2500);

impl Room {
    /// Connects a publisher and `subscribers` others.
    pub fn connect(subscribers: u32) -> anyhow::Result<Self> {
        let certificate = Certificate::generate()?;
        let server_fingerprint = certificate.fingerprint().to_owned();
        let own = Certificate::generate()?;
        let name = RoomId::parse("bench")?;
        let mut room = Self {
            router: Router::new(certificate),
            participants: Vec::new(),
            now: Instant::from_ns(1_000_000_000),
        };
        for id in 0..=subscribers {
            let (participant, command) = Participant::join(
                ParticipantId(id + 1),
                &name,
                &own,
                &server_fingerprint,
                SERVER.into(),
                room.now,
            )?;
            let port = u16::try_from(10_000 + id).context("too many subscribers")?;
            let address = SocketAddr::from(([198, 51, 100, 1], port));
            room.router.handle_command(room.now, command);
            room.participants.push((address, participant));
        }
        room.run_until_up()?;
        for (_, participant) in &room.participants[1..] {
            let (_, publisher) = &room.participants[0];
            if participant.id.0 == 2 {
                room.router.handle_command(room.now, publisher.publish());
            }
            room.router.handle_command(room.now, participant.subscribe(publisher));
        }
        ensure!(room.router.counters().commands_refused == 0, "the router refused");
        Ok(room)
    }

    /// Seals the publisher's next packet into `buffer`; gives its length.
    pub fn seal(&mut self, payload: &[u8], buffer: &mut [u8]) -> Option<usize> {
        self.participants[0].1.seal(payload, buffer)
    }

    /// Forwards a packet of the publisher, writing all copies into `buffer`; gives their number.
    pub fn forward(&mut self, packet: &mut [u8], buffer: &mut [u8]) -> u32 {
        self.now = self.now + PACKET_TIME;
        self.router.handle_datagram(self.now, self.participants[0].0, packet);
        let mut copies = 0;
        while self.router.poll_transmit(buffer).is_some() {
            copies += 1;
        }
        copies
    }

    fn run_until_up(&mut self) -> anyhow::Result<()> {
        let deadline = self.now + Duration::from_secs(10);
        let up = |room: &Self| {
            room.participants.iter().all(|(_, one)| one.link.state() == LinkState::Up)
        };
        let mut buffer = [0; 1500];
        while !up(self) {
            ensure!(self.now < deadline, "the links do not come up");
            self.now = self.now + Duration::from_millis(1);
            self.router.handle_timeout(self.now);
            for (address, participant) in &mut self.participants {
                participant.link.handle_timeout(self.now);
                while let Some(transmit) = participant.link.poll_transmit(&mut buffer) {
                    let datagram = &mut buffer[..transmit.len];
                    self.router.handle_datagram(self.now, *address, datagram);
                }
            }
            while let Some(transmit) = self.router.poll_transmit(&mut buffer) {
                let to = self.participants.iter_mut().find(|entry| entry.0 == transmit.to);
                if let Some((_, participant)) = to {
                    let datagram = &buffer[..transmit.len];
                    participant.link.handle_datagram(self.now, SERVER.into(), datagram);
                }
            }
        }
        Ok(())
    }
}
