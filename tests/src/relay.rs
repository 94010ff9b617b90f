//! A UDP relay with weather, on real sockets: between a participant and the server's media port.
//!
//! Participants reach it with `vjam join --media-via`, browsers through `vjam serve --advertise`.
//! Every address it hears from gets an upstream socket of its own, so that the server sees
//! participants apart. What surprises: delays are kept by a thread that sleeps, so they are as
//! exact as the operating system's timer; the simulator is the place for exact ones.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::Result;

use crate::network::{Path, Weather};
use crate::random::Random;

/// A running relay; it ends with this value.
#[derive(Debug)]
pub struct Relay {
    address: SocketAddr,
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    target: SocketAddr,
    listener: UdpSocket,
    started: Instant,
    ended: AtomicBool,
    forwarded: AtomicU64,
    state: Mutex<State>,
    wake: Condvar,
}

#[derive(Debug)]
struct State {
    paths: [Path; 2],
    upstreams: BTreeMap<SocketAddr, Arc<UdpSocket>>,
    /// By due time; the number keeps datagrams of one instant apart and in order.
    pending: BTreeMap<(Duration, u64), Datagram>,
    added: u64,
}

#[derive(Debug)]
struct Datagram {
    bytes: Vec<u8>,
    to: To,
}

#[derive(Debug, Clone)]
enum To {
    Server(Arc<UdpSocket>),
    Participant(SocketAddr),
}

#[derive(Debug, Clone, Copy)]
enum Direction {
    Up,
    Down,
}

/// How often a blocked thread looks whether the relay has ended.
const ENDED_POLL: Duration = Duration::from_millis(20);

impl Relay {
    /// Relays to `target`, the weather being the same in both directions.
    pub fn start(target: SocketAddr, weather: Weather, seed: u64) -> Result<Self> {
        let listener = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_read_timeout(Some(ENDED_POLL))?;
        let address = listener.local_addr()?;
        let mut random = Random::from_seed(seed);
        let state = State {
            paths: [Path::new(weather, random.fork()), Path::new(weather, random.fork())],
            upstreams: BTreeMap::new(),
            pending: BTreeMap::new(),
            added: 0,
        };
        let shared = Arc::new(Shared {
            target,
            listener,
            started: Instant::now(),
            ended: AtomicBool::new(false),
            forwarded: AtomicU64::new(0),
            state: Mutex::new(state),
            wake: Condvar::new(),
        });
        let (up, due) = (Arc::clone(&shared), Arc::clone(&shared));
        let threads = vec![
            std::thread::spawn(move || up.listen()),
            std::thread::spawn(move || due.deliver()),
        ];
        Ok(Self { address, shared, threads })
    }

    /// Where participants send their media.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Changes the weather in both directions.
    pub fn set_weather(&self, weather: Weather) {
        self.shared.state().paths.iter_mut().for_each(|path| path.set_weather(weather));
    }

    /// Loses everything for a while.
    pub fn cut_for(&self, duration: Duration) {
        let end = self.shared.now() + duration;
        let end = protocol::time::Instant::ZERO + end;
        self.shared.state().paths.iter_mut().for_each(|path| path.set_outage_until(end));
    }

    /// Datagrams delivered so far, both ways.
    #[must_use]
    pub fn forwarded(&self) -> u64 {
        self.shared.forwarded.load(Ordering::Relaxed)
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::Relaxed);
        self.shared.wake.notify_all();
        for thread in self.threads.drain(..) {
            if thread.join().is_err() && !std::thread::panicking() {
                panic!("a thread of the relay panicked");
            }
        }
    }
}

impl Shared {
    fn now(&self) -> Duration {
        self.started.elapsed()
    }

    fn has_ended(&self) -> bool {
        self.ended.load(Ordering::Relaxed)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no thread of the relay panics while it holds the lock")
    }

    /// Takes datagrams from participants; starts an answering thread for each new one.
    fn listen(self: &Arc<Self>) {
        let mut answering = Vec::new();
        let mut buffer = [0; 2048];
        while !self.has_ended() {
            let Some((len, from)) = receive(&self.listener, &mut buffer) else { continue };
            let known = self.state().upstreams.get(&from).cloned();
            let upstream = known.unwrap_or_else(|| {
                let upstream = Arc::new(self.open_upstream());
                self.state().upstreams.insert(from, Arc::clone(&upstream));
                let (shared, socket) = (Arc::clone(self), Arc::clone(&upstream));
                answering.push(std::thread::spawn(move || shared.answer(&socket, from)));
                upstream
            });
            self.accept(Direction::Up, &buffer[..len], &To::Server(upstream));
        }
        for thread in answering {
            thread.join().expect("an answering thread does not panic");
        }
    }

    fn open_upstream(&self) -> UdpSocket {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port on loopback");
        socket.connect(self.target).expect("UDP connects at once");
        socket.set_read_timeout(Some(ENDED_POLL)).expect("a timeout above zero");
        socket
    }

    /// Takes what the server sends to one participant.
    fn answer(&self, upstream: &UdpSocket, participant: SocketAddr) {
        let mut buffer = [0; 2048];
        while !self.has_ended() {
            if let Some((len, _)) = receive(upstream, &mut buffer) {
                self.accept(Direction::Down, &buffer[..len], &To::Participant(participant));
            }
        }
    }

    fn accept(&self, direction: Direction, bytes: &[u8], to: &To) {
        let now = self.now();
        let mut state = self.state();
        let path = &mut state.paths[match direction {
            Direction::Up => 0,
            Direction::Down => 1,
        }];
        let arrivals = path.send(protocol::time::Instant::ZERO + now);
        for arrival in arrivals.into_iter().flatten() {
            state.added += 1;
            let key = (Duration::from_nanos(arrival.as_ns()), state.added);
            state.pending.insert(key, Datagram { bytes: bytes.to_vec(), to: to.clone() });
        }
        self.wake.notify_one();
    }

    /// Hands datagrams on when they are due.
    fn deliver(&self) {
        let mut state = self.state();
        while !self.has_ended() {
            let now = self.now();
            let wait = match state.pending.first_entry() {
                Some(first) if first.key().0 <= now => {
                    let datagram = first.remove();
                    drop(state);
                    self.hand_on(&datagram);
                    state = self.state();
                    continue;
                }
                Some(first) => first.key().0.saturating_sub(now).min(ENDED_POLL),
                None => ENDED_POLL,
            };
            let woken = self.wake.wait_timeout(state, wait);
            state = woken.expect("no thread of the relay panics while it holds the lock").0;
        }
    }

    fn hand_on(&self, datagram: &Datagram) {
        let sent = match &datagram.to {
            To::Server(upstream) => upstream.send(&datagram.bytes),
            To::Participant(address) => self.listener.send_to(&datagram.bytes, address),
        };
        // The other end may be gone: that is what it would see without a relay, too.
        if sent.is_ok() {
            self.forwarded.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// One datagram, or nothing for a while.
fn receive(socket: &UdpSocket, buffer: &mut [u8]) -> Option<(usize, SocketAddr)> {
    match socket.recv_from(buffer) {
        Ok(received) => Some(received),
        Err(error) => {
            // An ICMP error about an earlier datagram says nothing about the next.
            let harmless =
                [ErrorKind::WouldBlock, ErrorKind::TimedOut, ErrorKind::ConnectionRefused];
            assert!(harmless.contains(&error.kind()), "the relay's socket failed: {error}");
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An echo behind a relay: how many of 200 datagrams come back, and the fastest way round.
    fn echo(weather: Weather) -> (usize, Duration) {
        let server = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        server.set_read_timeout(Some(Duration::from_millis(300))).expect("a timeout above zero");
        let target = server.local_addr().expect("bound");
        let relay = Relay::start(target, weather, 1).expect("the relay starts");
        let client = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        client.set_read_timeout(Some(Duration::from_millis(300))).expect("a timeout above zero");
        let echoing = std::thread::spawn(move || {
            let mut buffer = [0; 64];
            while let Ok((len, from)) = server.recv_from(&mut buffer) {
                server.send_to(&buffer[..len], from).expect("the relay listens");
            }
        });
        let started = Instant::now();
        for i in 0..200_u8 {
            client.send_to(&[i], relay.address()).expect("the relay listens");
        }
        let (mut back, mut fastest, mut buffer) = (0, Duration::MAX, [0; 64]);
        while client.recv_from(&mut buffer).is_ok() {
            back += 1;
            fastest = fastest.min(started.elapsed());
        }
        echoing.join().expect("the echo does not panic");
        (back, fastest)
    }

    #[test]
    fn a_relay_delays_both_ways_and_loses_nothing_of_itself() {
        let (back, fastest) = echo(Weather::delay_ms(15));
        assert_eq!(back, 200);
        assert!(fastest >= Duration::from_millis(30), "{fastest:?}");
    }

    #[test]
    fn a_lossy_relay_loses_about_as_much_as_asked() {
        let (back, _) = echo(Weather::default().loss(0.3));
        // 49 % come through twice.
        assert!((60..140).contains(&back), "{back}");
    }
}
