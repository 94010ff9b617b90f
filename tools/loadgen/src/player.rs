//! One participant as the media thread sees it: a link, a socket, a source, and what is heard.

use std::io;
use std::net::UdpSocket;
use std::time::Duration;

use protocol::datagram::Kind;
use protocol::rtp::{HEADER_BYTES, Packet, PayloadType, Ssrc};
use protocol::time::Instant;
use transport::srtp::OVERHEAD_BYTES_MAX;
use transport::{Link, LinkEvent};

use crate::clock;
use crate::payload::{self, Label, PAYLOAD_BYTES};
use crate::tally::{Faults, Heard, Window};

/// A participant whose link is up.
#[derive(Debug)]
pub(crate) struct Player {
    /// Given in the order of joining, never twice.
    pub(crate) number: u32,
    pub(crate) run: u32,
    pub(crate) room: u32,
    pub(crate) socket: UdpSocket,
    pub(crate) link: Link,
    pub(crate) source: Ssrc,
    pub(crate) next_counter: u64,
    timestamp: u32,
    /// Which of its packets count.
    pub(crate) window: Window,
    pub(crate) heard: Vec<Heard>,
    /// Whether the server fell silent or closed the link.
    pub(crate) lost: bool,
    /// Datagrams that the socket had no room for.
    pub(crate) overflowed: u32,
}

/// A packet that somebody played.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Received {
    pub(crate) ssrc: Ssrc,
    pub(crate) label: Label,
}

/// A packet in the stream of another publisher, or a publisher in another stream than before.
#[derive(Debug)]
pub(crate) struct Misplaced;

impl Player {
    pub(crate) fn new(
        number: u32,
        run: u32,
        room: u32,
        socket: UdpSocket,
        link: Link,
        source: Ssrc,
    ) -> Self {
        Self {
            number,
            run,
            room,
            socket,
            link,
            source,
            next_counter: 0,
            timestamp: 0,
            window: Window::NONE,
            heard: Vec::new(),
            lost: false,
            overflowed: 0,
        }
    }

    /// Plays the next packet.
    pub(crate) fn play(&mut self, step_frames: u32) -> io::Result<()> {
        let label = Label {
            run: self.run,
            room: self.room,
            publisher: self.number,
            counter: self.next_counter,
            sent_ns: clock::wall_ns(),
        };
        let mut payload = [0; PAYLOAD_BYTES];
        payload::write(&label, &mut payload);
        let packet = Packet {
            marker: false,
            capture_time: None,
            payload_type: PayloadType::OPUS,
            #[expect(clippy::cast_possible_truncation, reason = "RTP carries the low 16 bits")]
            sequence_number: self.next_counter as u16,
            timestamp: self.timestamp,
            ssrc: self.source,
            payload: &payload,
        };
        self.next_counter += 1;
        self.timestamp = self.timestamp.wrapping_add(step_frames);
        let mut buffer = [0; HEADER_BYTES + PAYLOAD_BYTES + OVERHEAD_BYTES_MAX];
        let sealed = packet
            .write(&mut buffer)
            .and_then(|len| self.link.sealer_mut()?.seal(&mut buffer, len).ok());
        match sealed {
            Some(len) => self.socket.send(&buffer[..len]).map(drop),
            None => Err(io::ErrorKind::NotConnected.into()),
        }
    }

    /// Takes a datagram; gives what it carried, if that was music.
    pub(crate) fn take(&mut self, datagram: &mut [u8], faults: &mut Faults) -> Option<Received> {
        match Kind::of(datagram) {
            Kind::Rtp => {}
            Kind::Stun | Kind::Dtls => {
                if let Ok(from) = self.socket.peer_addr() {
                    self.link.handle_datagram(clock::now(), from, datagram);
                    self.settle_link();
                }
                return None;
            }
            // Reports on streams are the server's to send or not.
            Kind::Rtcp | Kind::Unknown => return None,
        }
        let Some(len) = self.link.opener_mut().and_then(|opener| opener.open(datagram).ok()) else {
            faults.forged += 1;
            return None;
        };
        let Ok(packet) = Packet::parse(&datagram[..len]) else {
            faults.corrupted += 1;
            return None;
        };
        match payload::read(packet.payload) {
            None => faults.corrupted += 1,
            Some(label) if label.run != self.run || label.room != self.room => faults.foreign += 1,
            Some(label) if label.publisher == self.number => faults.echoed += 1,
            Some(label) => return Some(Received { ssrc: packet.ssrc, label }),
        }
        None
    }

    /// The stream that a packet belongs to, which begins with its first.
    pub(crate) fn find_heard(
        &mut self,
        received: &Received,
        window: &Window,
    ) -> Result<&mut Heard, Misplaced> {
        let Received { ssrc, label } = *received;
        let known = |heard: &Heard| heard.ssrc == ssrc || heard.publisher == label.publisher;
        let at = self.heard.iter().position(known).unwrap_or_else(|| {
            self.heard.push(Heard::new(ssrc, label.publisher, label.counter, window));
            self.heard.len() - 1
        });
        let heard = &mut self.heard[at];
        let fits = heard.ssrc == ssrc && heard.publisher == label.publisher;
        if fits { Ok(heard) } else { Err(Misplaced) }
    }

    /// Lets the link do what is due.
    pub(crate) fn keep(&mut self, now: Instant) {
        if self.link.poll_timeout().is_some_and(|due| due <= now) {
            self.link.handle_timeout(now);
            self.settle_link();
        }
    }

    /// Tells the server that this is the end of the link.
    pub(crate) fn close(&mut self) {
        self.link.close();
        self.settle_link();
        self.lost = false;
    }

    fn settle_link(&mut self) {
        let mut buffer = [0; 1500];
        while let Some(transmit) = self.link.poll_transmit(&mut buffer) {
            // A check that is lost is repeated.
            let _ = self.socket.send(&buffer[..transmit.len]);
        }
        while let Some(event) = self.link.poll_event() {
            self.lost |= matches!(event, LinkEvent::Down | LinkEvent::Closed);
        }
    }
}

/// How often links are asked whether they have something to do; their shortest time is 50 ms.
pub(crate) const KEEP_INTERVAL: Duration = Duration::from_millis(20);
