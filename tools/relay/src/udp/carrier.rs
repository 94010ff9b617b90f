//! The one thread of a relay: takes what arrives, asks the path what becomes of it, and sends what
//! is due.

use core::time::Duration;
use std::io::ErrorKind;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::sync::Arc;

use protocol::time::Instant;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::pending::{Datagram, Pending, To};
use super::{Direction, Error, Shared};
use crate::priority;

/// Everything that the thread has for itself.
pub(super) struct Carrier {
    shared: Arc<Shared>,
    listener: Arc<UdpSocket>,
    target: SocketAddr,
    clients: Vec<Client>,
    pending: Pending,
    buffer: Vec<u8>,
    /// For how long before a datagram is due the clock is watched instead of slept on.
    watched: Duration,
}

struct Client {
    address: SocketAddr,
    upstream: Arc<UdpSocket>,
    heard_at: Instant,
}

/// So many at a time; each has a socket and two paths.
pub(super) const CLIENTS_MAX: usize = 64;

/// A client that has said nothing for so long gives its place to another.
const SILENT_FOR: Duration = Duration::from_secs(30);

/// How often a sleeping thread looks whether the relay has ended.
const ENDED_POLL: Duration = Duration::from_millis(20);

/// What one socket may bring before what is due has its turn.
const BATCH: usize = 32;

/// A UDP payload is never longer.
const DATAGRAM_BYTES_MAX: usize = 65_535;

/// What a socket may hold while the thread does not run; the system may give less.
const SOCKET_BYTES: usize = 1 << 20;

/// How late a sleep tends to end.
const WATCHED: Duration = Duration::from_micros(50);

/// With fewer processors, watching the clock would take the time of those whose network this is.
const PROCESSORS_TO_WATCH: usize = 4;

/// Nothing is there, or an ICMP error told about an earlier datagram, which says nothing about the
/// next.
const HARMLESS: [ErrorKind; 5] = [
    ErrorKind::WouldBlock,
    ErrorKind::Interrupted,
    ErrorKind::ConnectionRefused,
    ErrorKind::HostUnreachable,
    ErrorKind::NetworkUnreachable,
];

impl Carrier {
    pub(super) fn new(
        shared: Arc<Shared>,
        listener: UdpSocket,
        target: SocketAddr,
    ) -> Result<Self, Error> {
        prepare(&listener).map_err(Error::Socket)?;
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        Ok(Self {
            shared,
            listener: Arc::new(listener),
            target,
            clients: Vec::new(),
            pending: Pending::default(),
            buffer: vec![0; DATAGRAM_BYTES_MAX],
            watched: if PROCESSORS_TO_WATCH <= processors { WATCHED } else { Duration::ZERO },
        })
    }

    pub(super) fn run(mut self) -> Result<(), Error> {
        priority::raise();
        while !self.shared.has_ended() {
            self.deliver_due();
            let readable = self.wait();
            for place in readable {
                match place.checked_sub(1) {
                    None => self.receive_from_clients()?,
                    Some(client) => self.receive_from_target(client)?,
                }
                self.deliver_due();
            }
        }
        Ok(())
    }

    /// Sleeps until something arrives or is due; gives the sockets that have something, the listener
    /// being the first and clients following.
    fn wait(&self) -> Vec<usize> {
        let wait = self.pending.next_due().map_or(ENDED_POLL, |due| {
            due.saturating_since(self.shared.now()).saturating_sub(self.watched).min(ENDED_POLL)
        });
        let timeout = Timespec {
            tv_sec: i64::try_from(wait.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: i64::from(wait.subsec_nanos()),
        };
        let upstreams = self.clients.iter().map(|client| &*client.upstream);
        let sockets = core::iter::once(&*self.listener).chain(upstreams);
        let mut watched: Vec<_> =
            sockets.map(|socket| PollFd::new(socket, PollFlags::IN)).collect();
        match poll(&mut watched, Some(&timeout)) {
            Ok(0) => Vec::new(),
            Ok(_) => {
                let ready = watched.iter().enumerate().filter(|(_, fd)| !fd.revents().is_empty());
                ready.map(|(place, _)| place).collect()
            }
            // Interrupted: look at everything.
            Err(_) => (0..watched.len()).collect(),
        }
    }

    fn receive_from_clients(&mut self) -> Result<(), Error> {
        let listener = Arc::clone(&self.listener);
        for _ in 0..BATCH {
            let Some((len, from)) = self.receive(&listener)? else { return Ok(()) };
            match self.place_of(from)? {
                Some(place) => self.accept(place, Direction::Up, len),
                None => self.shared.counts().refused += 1,
            }
        }
        Ok(())
    }

    fn receive_from_target(&mut self, place: usize) -> Result<(), Error> {
        let Some(client) = self.clients.get(place) else { return Ok(()) };
        let upstream = Arc::clone(&client.upstream);
        for _ in 0..BATCH {
            let Some((len, _)) = self.receive(&upstream)? else { return Ok(()) };
            self.accept(place, Direction::Down, len);
        }
        Ok(())
    }

    /// One datagram into the buffer, or nothing more for now.
    fn receive(&mut self, socket: &UdpSocket) -> Result<Option<(usize, SocketAddr)>, Error> {
        match socket.recv_from(&mut self.buffer) {
            Ok(received) => Ok(Some(received)),
            Err(error) if HARMLESS.contains(&error.kind()) => Ok(None),
            Err(error) => Err(Error::Socket(error)),
        }
    }

    /// The client of this address, which may be a new one; nothing where there are too many.
    fn place_of(&mut self, address: SocketAddr) -> Result<Option<usize>, Error> {
        let now = self.shared.now();
        if let Some(place) = self.clients.iter().position(|client| client.address == address) {
            if let Some(client) = self.clients.get_mut(place) {
                client.heard_at = now;
            }
            return Ok(Some(place));
        }
        let Some(place) = self.free_place(now) else { return Ok(None) };
        let upstream = Arc::new(open_upstream(self.target)?);
        let client = Client { address, upstream, heard_at: now };
        match self.clients.get_mut(place) {
            Some(there) => *there = client,
            None => self.clients.push(client),
        }
        self.shared.lines().lay(place);
        self.shared.counts().clients += 1;
        Ok(Some(place))
    }

    fn free_place(&self, now: Instant) -> Option<usize> {
        if self.clients.len() < CLIENTS_MAX {
            return Some(self.clients.len());
        }
        let silent = self.clients.iter().enumerate().min_by_key(|(_, client)| client.heard_at);
        let (place, client) = silent?;
        (SILENT_FOR <= now.saturating_since(client.heard_at)).then_some(place)
    }

    /// Asks what becomes of the first `len` bytes of the buffer.
    fn accept(&mut self, place: usize, direction: Direction, len: usize) {
        let now = self.shared.now();
        let arrivals = {
            let mut lines = self.shared.lines();
            let path = lines.paths.get_mut(place).and_then(|way| way.get_mut(direction.place()));
            path.map_or([None, None], |path| path.send(now, len))
        };
        let mut counts = self.shared.counts();
        let counts = counts.way(direction);
        counts.arrived += 1;
        counts.lost += u64::from(arrivals == [None, None]);
        let (Some(bytes), Some(client)) = (self.buffer.get(..len), self.clients.get(place)) else {
            return;
        };
        for due in arrivals.into_iter().flatten() {
            let to = match direction {
                Direction::Up => To::Target(Arc::clone(&client.upstream)),
                Direction::Down => To::Client(client.address),
            };
            let datagram = Datagram { bytes: bytes.to_vec(), to };
            counts.failed += u64::from(self.pending.add(due, datagram).is_err());
        }
    }

    /// Sends what is due.
    fn deliver_due(&mut self) {
        loop {
            let now = self.shared.now();
            let Some((due, datagram)) = self.pending.take_due(now) else { return };
            let (direction, sent) = match &datagram.to {
                To::Target(upstream) => (Direction::Up, upstream.send(&datagram.bytes)),
                To::Client(address) => {
                    (Direction::Down, self.listener.send_to(&datagram.bytes, address))
                }
            };
            let mut counts = self.shared.counts();
            counts.lateness.note(now.saturating_since(due));
            match sent {
                Ok(_) => counts.way(direction).delivered += 1,
                // The other end may be gone, which it would see without a relay, too; a refusal
                // may be about an earlier datagram.
                Err(_) => counts.way(direction).failed += 1,
            }
        }
    }
}

fn open_upstream(target: SocketAddr) -> Result<UdpSocket, Error> {
    let any: SocketAddr = match target {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    };
    let open = || {
        let socket = UdpSocket::bind(any)?;
        socket.connect(target)?;
        prepare(&socket)?;
        Ok(socket)
    };
    open().map_err(|error| Error::Upstream { target, error })
}

fn prepare(socket: &UdpSocket) -> std::io::Result<()> {
    // Less is what the system gives to everybody else.
    let _granted = rustix::net::sockopt::set_socket_recv_buffer_size(socket, SOCKET_BYTES);
    let _granted = rustix::net::sockopt::set_socket_send_buffer_size(socket, SOCKET_BYTES);
    socket.set_nonblocking(true)
}
