//! The sender thread: woken after capture, it seals every packet that waits and sends it at once.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread;

use engine::{Outgoing, RoomMapping};
use protocol::limits::{DATAGRAM_BYTES_MAX, PAYLOAD_BYTES_MAX};
use protocol::room_clock::Question;
use protocol::rtp::{CAPTURE_TIME_BYTES, HEADER_BYTES};
use transport::srtp::SrtpSealer;

use super::Alarm;
use super::counts::Counters;
use super::socket::MediaSocket;
use crate::clock;
use crate::priority::{self, Role};

/// Where packets go from now on.
pub(super) enum Path {
    /// A new link.
    Open { sealer: Box<SrtpSealer>, socket: Arc<MediaSocket>, to: SocketAddr },
    /// The same link, at another address.
    Moved { to: SocketAddr },
    /// Nowhere.
    Closed,
    /// As before; and the server is asked what the room's clock shows.
    AskTime,
    /// As before; and this is what it shows.
    RoomClock(RoomMapping),
}

/// What the thread owns.
pub(super) struct Sender {
    outgoing: Outgoing,
    paths: mpsc::Receiver<Path>,
    counters: Arc<Counters>,
    alarm: Arc<Alarm>,
    stop: Arc<AtomicBool>,
    open: Option<Open>,
}

struct Open {
    sealer: Box<SrtpSealer>,
    socket: Arc<MediaSocket>,
    to: SocketAddr,
}

impl Sender {
    pub(super) fn new(
        outgoing: Outgoing,
        paths: mpsc::Receiver<Path>,
        counters: Arc<Counters>,
        alarm: Arc<Alarm>,
        stop: Arc<AtomicBool>,
    ) -> Self {
        Self { outgoing, paths, counters, alarm, stop, open: None }
    }

    pub(super) fn run(&mut self) {
        if let Err(refused) = priority::raise(Role::Network) {
            tracing::debug!(%refused, "the sender thread has ordinary priority");
        }
        let mut buffer = [0; DATAGRAM_BYTES_MAX];
        while !self.stop.load(Ordering::Acquire) {
            while let Ok(path) = self.paths.try_recv() {
                self.take_path(path);
            }
            // Without a link the packets are taken all the same: they would be late once there is.
            while let Some(len) = self.outgoing.poll_packet(&mut buffer[..PACKET_BYTES_MAX]) {
                self.send(&mut buffer, len);
            }
            self.alarm.answer(clock::now());
            // A wake that came since the ring was found empty makes this return at once.
            thread::park();
        }
    }

    fn take_path(&mut self, path: Path) {
        match path {
            Path::Open { sealer, socket, to } => self.open = Some(Open { sealer, socket, to }),
            Path::Moved { to } => {
                if let Some(open) = &mut self.open {
                    open.to = to;
                }
            }
            Path::Closed => self.open = None,
            Path::AskTime => self.ask_time(),
            Path::RoomClock(mapping) => self.outgoing.set_room_clock(mapping),
        }
    }

    fn ask_time(&mut self) {
        let Some(open) = &mut self.open else { return };
        let mut buffer = [0; DATAGRAM_BYTES_MAX];
        let Some(len) = (Question { sent: clock::now() }).write(&mut buffer) else { return };
        let sealed = open.sealer.seal_rtcp(&mut buffer, len);
        match sealed.map(|sealed| (sealed, open.socket.send(&buffer[..sealed], open.to))) {
            Ok((bytes, Ok(()))) => self.counters.sent(bytes, 0),
            Ok((_, Err(_))) | Err(_) => self.counters.send_failed(),
        }
    }

    fn send(&mut self, buffer: &mut [u8], len: usize) {
        let Some(open) = &mut self.open else { return };
        let sent = match open.sealer.seal(buffer, len) {
            Ok(sealed) => open.socket.send(&buffer[..sealed], open.to).map(|()| sealed).ok(),
            Err(_) => None,
        };
        match sent {
            Some(bytes) => self.counters.sent(bytes, 1),
            None => self.counters.send_failed(),
        }
    }
}

/// The longest plain packet; what is left of a datagram takes the SRTP tag.
const PACKET_BYTES_MAX: usize = HEADER_BYTES + CAPTURE_TIME_BYTES + PAYLOAD_BYTES_MAX;
