//! The receiver thread: sleeps in the socket, opens media for the engine, drives ICE and DTLS.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError, TryRecvError};
use std::thread;
use std::time::Duration;

use engine::{Incoming, RoomClock};
use protocol::datagram::Kind;
use protocol::limits::DATAGRAM_BYTES_MAX;
use protocol::room_clock::Answer;
use protocol::rtcp;
use protocol::signal::LinkParameters;
use protocol::time::Instant;
use transport::srtp::SrtpOpener;
use transport::{IceCredentials, Link, LinkConfig, LinkEvent};

use super::counts::Counters;
use super::sender::Path;
use super::socket::MediaSocket;
use super::{NetworkEvent, SenderWaker};
use crate::clock;
use crate::priority::{self, Role};

/// What the session's thread asks for.
pub(super) enum ReceiverCommand {
    /// A new link in place of the one that is there.
    Open(Box<LinkConfig>),
    /// New credentials for the link that is there.
    Restart { local: IceCredentials, remote: LinkParameters, candidates: Vec<SocketAddr> },
    /// The end.
    Stop,
}

/// What the thread owns.
pub(super) struct Receiver {
    incoming: Incoming,
    commands: mpsc::Receiver<ReceiverCommand>,
    events: mpsc::Sender<NetworkEvent>,
    paths: mpsc::Sender<Path>,
    sender: SenderWaker,
    counters: Arc<Counters>,
    open: Option<Open>,
    room_clock: RoomClock,
}

struct Open {
    link: Link,
    socket: Arc<MediaSocket>,
    opener: Option<SrtpOpener>,
    /// Where the sender was told to send.
    told: Option<SocketAddr>,
}

enum Turn {
    Continue,
    Stop,
}

impl Receiver {
    pub(super) fn new(
        incoming: Incoming,
        commands: mpsc::Receiver<ReceiverCommand>,
        events: mpsc::Sender<NetworkEvent>,
        paths: mpsc::Sender<Path>,
        sender: SenderWaker,
        counters: Arc<Counters>,
    ) -> Self {
        let room_clock = RoomClock::default();
        Self { incoming, commands, events, paths, sender, counters, open: None, room_clock }
    }

    pub(super) fn run(&mut self) {
        if let Err(refused) = priority::raise(Role::Network) {
            tracing::debug!(%refused, "the receiver thread has ordinary priority");
        }
        // Longer than any datagram that is taken, so that a cut one is recognised by its length.
        let mut buffer = [0; DATAGRAM_BYTES_MAX + 1];
        while let Turn::Continue = self.take_commands() {
            if let Some(open) = &mut self.open {
                match open.socket.receive(&mut buffer) {
                    Ok(Some((len, from))) => self.take_datagram(&mut buffer[..len], from),
                    Ok(None) => {}
                    Err(error) => {
                        // The network is gone; ICE notices, we only keep from spinning.
                        tracing::debug!(%error, "media socket");
                        thread::sleep(ERROR_PAUSE);
                    }
                }
            }
            self.drive();
        }
        if let Some(open) = &mut self.open {
            open.link.close();
            open.send_all(&self.counters);
        }
    }

    fn take_commands(&mut self) -> Turn {
        loop {
            let command = if self.open.is_some() {
                match self.commands.try_recv() {
                    Ok(command) => command,
                    Err(TryRecvError::Empty) => return Turn::Continue,
                    Err(TryRecvError::Disconnected) => return Turn::Stop,
                }
            } else {
                match self.commands.recv_timeout(IDLE) {
                    Ok(command) => command,
                    Err(RecvTimeoutError::Timeout) => return Turn::Continue,
                    Err(RecvTimeoutError::Disconnected) => return Turn::Stop,
                }
            };
            match command {
                ReceiverCommand::Open(config) => self.open(&config),
                ReceiverCommand::Restart { local, remote, candidates } => {
                    self.restart(local, &remote, &candidates);
                }
                ReceiverCommand::Stop => return Turn::Stop,
            }
        }
    }

    fn open(&mut self, config: &LinkConfig) {
        if let Some(mut old) = self.open.take() {
            old.link.close();
            old.send_all(&self.counters);
            self.tell_sender(Path::Closed);
            self.room_clock.link_down();
        }
        let socket = match MediaSocket::open(&config.remote_candidates) {
            Ok(socket) => Arc::new(socket),
            Err(error) => {
                tracing::warn!(%error, "no media socket");
                return;
            }
        };
        match Link::new(config, clock::now()) {
            Ok(link) => self.open = Some(Open { link, socket, opener: None, told: None }),
            Err(error) => tracing::warn!(%error, "no media link"),
        }
    }

    fn restart(
        &mut self,
        local: IceCredentials,
        remote: &LinkParameters,
        candidates: &[SocketAddr],
    ) {
        let Some(open) = &mut self.open else { return };
        if let Err(error) = open.link.restart_ice(clock::now(), local, remote, candidates) {
            tracing::warn!(%error, "media link not restarted");
        }
    }

    fn take_datagram(&mut self, bytes: &mut [u8], from: SocketAddr) {
        let now = clock::now();
        let Some(open) = &mut self.open else { return };
        self.counters.arrived(bytes.len());
        if DATAGRAM_BYTES_MAX < bytes.len() {
            return self.counters.rejected();
        }
        let taken = match Kind::of(bytes) {
            Kind::Rtp => match &mut open.opener {
                Some(opener) => match opener.open(bytes) {
                    Ok(len) => self.incoming.handle_packet(now, &bytes[..len]).is_ok(),
                    Err(_) => false,
                },
                None => false,
            },
            Kind::Stun | Kind::Dtls => {
                if !open.link.handle_datagram(now, from, bytes) {
                    self.counters.rejected();
                }
                return;
            }
            Kind::Rtcp => {
                if !self.take_rtcp(now, bytes) {
                    self.counters.rejected();
                }
                return;
            }
            Kind::Unknown => false,
        };
        if taken {
            self.counters.taken();
        } else {
            self.counters.rejected();
        }
    }

    /// Takes what the room's clock is told by RTCP; gives whether it was genuine.
    fn take_rtcp(&mut self, now: Instant, bytes: &mut [u8]) -> bool {
        let Some(opener) = self.open.as_mut().and_then(|open| open.opener.as_mut()) else {
            return false;
        };
        let Ok(len) = opener.open_rtcp(bytes) else { return false };
        let Ok(packets) = rtcp::parse(&bytes[..len]) else { return false };
        for answer in packets.filter_map(|packet| Answer::read(&packet)) {
            self.room_clock.answered(now, &answer);
            if let Some((mapping, stats)) =
                self.room_clock.mapping().zip(self.room_clock.stats(now))
            {
                self.tell(NetworkEvent::RoomClock(mapping, stats));
                self.tell_sender(Path::RoomClock(mapping));
            }
        }
        true
    }

    /// Asks what the room's clock shows, where that is due.
    fn ask_time(&mut self, now: Instant) {
        if self.room_clock.request(now) {
            self.tell_sender(Path::AskTime);
        }
    }

    fn tell(&self, event: NetworkEvent) {
        // The session's thread ends before this one only by a panic, which was told.
        let _ = self.events.send(event);
    }

    /// Timers, datagrams and events of the link.
    fn drive(&mut self) {
        let now = clock::now();
        self.ask_time(now);
        let Some(open) = &mut self.open else { return };
        if open.link.poll_timeout().is_some_and(|due| due <= now) {
            open.link.handle_timeout(now);
        }
        open.send_all(&self.counters);
        let mut events = Vec::new();
        while let Some(event) = open.link.poll_event() {
            match event {
                LinkEvent::Up => events.push(NetworkEvent::Up),
                LinkEvent::Down => events.push(NetworkEvent::Down),
                LinkEvent::Closed => events.push(NetworkEvent::Closed),
                LinkEvent::ChannelOpen | LinkEvent::ChannelMessage(_) => {}
            }
        }
        if let Some(opener) = open.link.take_opener() {
            open.opener = Some(opener);
        }
        let address = open.link.address();
        let sealer = if address.is_some() { open.link.take_sealer() } else { None };
        let path = match (sealer, address) {
            (Some(sealer), Some(to)) => {
                let (sealer, socket) = (Box::new(sealer), Arc::clone(&open.socket));
                Some(Path::Open { sealer, socket, to })
            }
            (None, Some(to)) if open.told.is_some_and(|told| told != to) => {
                Some(Path::Moved { to })
            }
            _ => None,
        };
        if let Some(path) = path {
            open.told = address;
            self.tell_sender(path);
        }
        for event in events {
            match event {
                NetworkEvent::Up => self.room_clock.link_up(now),
                NetworkEvent::Down | NetworkEvent::Closed => self.room_clock.link_down(),
                NetworkEvent::RoomClock(..) => {}
            }
            self.tell(event);
        }
    }

    fn tell_sender(&self, path: Path) {
        // As above.
        let _ = self.paths.send(path);
        self.sender.wake();
    }
}

impl Open {
    fn send_all(&mut self, counters: &Counters) {
        let mut buffer = [0; DATAGRAM_BYTES_MAX];
        while let Some(transmit) = self.link.poll_transmit(&mut buffer) {
            match self.socket.send(&buffer[..transmit.len], transmit.to) {
                Ok(()) => counters.sent(transmit.len, 0),
                Err(_) => counters.send_failed(),
            }
        }
    }
}

/// How often the thread looks for commands while there is no socket to sleep in.
const IDLE: Duration = Duration::from_millis(20);

/// An error that comes back at once must not take a core.
const ERROR_PAUSE: Duration = Duration::from_millis(20);
