//! A relay with weather on real UDP sockets, between participants and a server's media port.
//!
//! Each address it hears from is a client with an upstream socket of its own, so that the server sees
//! participants apart, and with paths of its own, so that one's weather does not depend on who else
//! plays. What arrives waits in a bounded queue until it is due. One thread does everything; the
//! kernel runs it before others where it may. What surprises: it sleeps until a datagram is due, and
//! is as exact as the system's timer; on machines with processors to spare it watches the clock for
//! the last moment instead (see [`Counts::lateness`]).

mod carrier;
mod counts;
mod pending;

use std::io;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::JoinHandle;

use protocol::time::Instant;

use self::carrier::Carrier;
pub use self::counts::{Counts, Lateness, WayCounts};
use crate::path::Path;
use crate::random::Random;
use crate::trace::Trace;
use crate::weather::Weather;

/// What a relay is to do.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where it listens; port 0 takes one that is free.
    pub listen: SocketAddr,
    /// Where it sends what clients send.
    pub target: SocketAddr,
    /// From clients to the target, and back.
    pub ways: [Way; 2],
    /// Repeats the weather: that of the first client, of the second, and so on.
    pub seed: u64,
}

/// One direction.
#[derive(Debug, Clone, Default)]
pub struct Way {
    /// What happens on it.
    pub weather: Weather,
    /// What happened elsewhere and is replayed here.
    pub trace: Option<Trace>,
}

/// Why a relay does not run.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address is taken, or not ours.
    #[error("cannot listen at {address}: {error}")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// What the system said.
        error: io::Error,
    },
    /// The target cannot be sent to, or there are too many open files.
    #[error("cannot open a socket to {target}: {error}")]
    Upstream {
        /// Where to.
        target: SocketAddr,
        /// What the system said.
        error: io::Error,
    },
    /// A socket that worked does no longer.
    #[error("a socket of the relay failed: {0}")]
    Socket(io::Error),
}

/// A running relay; it ends with this value.
#[derive(Debug)]
pub struct Relay {
    address: SocketAddr,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<Result<(), Error>>>,
}

/// What the relay's thread shares with whoever holds the relay.
#[derive(Debug)]
struct Shared {
    started: std::time::Instant,
    ended: AtomicBool,
    lines: Mutex<Lines>,
    counts: Mutex<Counts>,
}

/// The paths of all clients.
#[derive(Debug)]
struct Lines {
    ways: [Way; 2],
    outage_until: Instant,
    /// By the client's place; up and down.
    paths: Vec<[Path; 2]>,
    random: Random,
}

/// Which way a datagram goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Direction {
    Up,
    Down,
}

impl Relay {
    /// Listens and relays from here on.
    ///
    /// # Errors
    ///
    /// If the address to listen at is taken, or is not this machine's.
    pub fn start(settings: Settings) -> Result<Self, Error> {
        let address = settings.listen;
        let unheard = |error| Error::Listen { address, error };
        let listener = UdpSocket::bind(address).map_err(unheard)?;
        let address = listener.local_addr().map_err(unheard)?;
        let shared = Arc::new(Shared {
            started: std::time::Instant::now(),
            ended: AtomicBool::new(false),
            lines: Mutex::new(Lines {
                ways: settings.ways,
                outage_until: Instant::ZERO,
                paths: Vec::new(),
                random: Random::from_seed(settings.seed),
            }),
            counts: Mutex::default(),
        });
        let carrier = Carrier::new(Arc::clone(&shared), listener, settings.target)?;
        let thread = std::thread::spawn(move || carrier.run());
        Ok(Self { address, shared, thread: Some(thread) })
    }

    /// Relays from a free port of loopback to `target`, the weather being the same both ways.
    ///
    /// # Errors
    ///
    /// If there is no free port.
    pub fn to(target: SocketAddr, weather: Weather, seed: u64) -> Result<Self, Error> {
        let way = Way { weather, trace: None };
        let listen = (Ipv4Addr::LOCALHOST, 0).into();
        Self::start(Settings { listen, target, ways: [way.clone(), way], seed })
    }

    /// Where participants send their media.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Changes the weather in both directions, for those who are there and those who come.
    pub fn set_weather(&self, weather: Weather) {
        let mut lines = self.shared.lines();
        lines.ways.iter_mut().for_each(|way| way.weather = weather);
        lines.paths.iter_mut().flatten().for_each(|path| path.set_weather(weather));
    }

    /// Loses everything from here on.
    pub fn cut(&self) {
        self.lose_until(Instant::from_ns(u64::MAX));
    }

    /// Loses everything for a while from here on.
    pub fn cut_for(&self, duration: core::time::Duration) {
        self.lose_until(self.shared.now() + duration);
    }

    /// Ends what [`Self::cut`] began.
    pub fn restore(&self) {
        self.lose_until(Instant::ZERO);
    }

    fn lose_until(&self, end: Instant) {
        let mut lines = self.shared.lines();
        lines.outage_until = end;
        lines.paths.iter_mut().flatten().for_each(|path| path.set_outage_until(end));
    }

    /// What happened so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        *self.shared.counts()
    }

    /// Datagrams delivered so far, both ways.
    #[must_use]
    pub fn forwarded(&self) -> u64 {
        self.counts().ways.iter().map(|way| way.delivered).sum()
    }

    /// Whether it has not failed.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.thread.as_ref().is_some_and(|thread| !thread.is_finished())
    }

    /// Stops, and says what went wrong if it had stopped already.
    ///
    /// # Errors
    ///
    /// If a socket failed.
    pub fn end(mut self) -> Result<Counts, Error> {
        self.stop()?;
        Ok(self.counts())
    }

    fn stop(&mut self) -> Result<(), Error> {
        self.shared.ended.store(true, Ordering::Relaxed);
        let Some(thread) = self.thread.take() else { return Ok(()) };
        thread.join().unwrap_or_else(|panic| {
            if std::thread::panicking() { Ok(()) } else { std::panic::resume_unwind(panic) }
        })
    }
}

impl Drop for Relay {
    /// Whoever drops a relay counts on it up to here, so that its failure is theirs.
    fn drop(&mut self) {
        let stopped = self.stop();
        if !std::thread::panicking() {
            stopped.expect("the relay worked to its end");
        }
    }
}

impl Shared {
    fn now(&self) -> Instant {
        Instant::ZERO + self.started.elapsed()
    }

    fn has_ended(&self) -> bool {
        self.ended.load(Ordering::Relaxed)
    }

    fn lines(&self) -> MutexGuard<'_, Lines> {
        self.lines.lock().expect("nobody panics while holding the lock")
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().expect("nobody panics while holding the lock")
    }
}

impl Lines {
    /// The paths of a client that is new at this place.
    fn lay(&mut self, place: usize) {
        let paths = self.ways.clone().map(|way| {
            let mut path = Path::new(way.weather, self.random.fork());
            path.set_outage_until(self.outage_until);
            match way.trace {
                Some(trace) => path.replaying(trace),
                None => path,
            }
        });
        match self.paths.get_mut(place) {
            Some(there) => *there = paths,
            None => self.paths.push(paths),
        }
    }
}

impl Direction {
    const fn place(self) -> usize {
        match self {
            Self::Up => 0,
            Self::Down => 1,
        }
    }
}

#[cfg(test)]
mod tests;
