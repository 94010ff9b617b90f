//! A TCP relay on real sockets that can stall: between a participant and the server's HTTP port.
//!
//! The twin of [`relay::udp`] for signalling. A stall is what a network that is gone looks like
//! from both ends: no end of file, no reset, nothing; what was sent meanwhile arrives afterwards, as
//! TCP repeats it. [`TcpRelay::hang_up_on_the_server`] tells the server's side alone, as a router
//! that forgets a connection does.

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::Result;

/// A running relay; it ends with this value, and every connection through it.
#[derive(Debug)]
pub struct TcpRelay {
    address: SocketAddr,
    shared: Arc<Shared>,
    accepting: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    target: SocketAddr,
    ended: AtomicBool,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    stalled: bool,
    /// The server's side of every connection so far.
    upstreams: Vec<TcpStream>,
}

/// How often a blocked thread looks whether the relay has ended.
const ENDED_POLL: Duration = Duration::from_millis(20);

impl TcpRelay {
    /// Relays to `target`.
    pub fn start(target: SocketAddr) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            target,
            ended: AtomicBool::new(false),
            state: Mutex::default(),
            changed: Condvar::new(),
        });
        let accepting = {
            let shared = Arc::clone(&shared);
            std::thread::spawn(move || shared.accept(&listener))
        };
        Ok(Self { address, shared, accepting: Some(accepting) })
    }

    /// Where participants connect to.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Lets nothing through from here on, and tells nobody.
    pub fn stall(&self) {
        self.shared.state().stalled = true;
    }

    /// Ends what the server sees of every connection; participants are told nothing while it
    /// stalls.
    pub fn hang_up_on_the_server(&self) {
        for upstream in self.shared.state().upstreams.drain(..) {
            // It may have ended by itself.
            drop(upstream.shutdown(Shutdown::Both));
        }
    }

    /// Lets everything through again.
    pub fn restore(&self) {
        self.shared.state().stalled = false;
        self.shared.changed.notify_all();
    }
}

impl Drop for TcpRelay {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::Relaxed);
        self.shared.changed.notify_all();
        let joined = self.accepting.take().map(JoinHandle::join);
        if joined.is_some_and(|joined| joined.is_err()) && !std::thread::panicking() {
            panic!("a thread of the relay panicked");
        }
    }
}

impl Shared {
    fn has_ended(&self) -> bool {
        self.ended.load(Ordering::Relaxed)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no thread of the relay panics while it holds the lock")
    }

    /// Waits while the relay stalls.
    fn pass(&self) {
        let mut state = self.state();
        while state.stalled && !self.has_ended() {
            let woken = self.changed.wait_timeout(state, ENDED_POLL);
            state = woken.expect("no thread of the relay panics while it holds the lock").0;
        }
    }

    fn accept(self: &Arc<Self>, listener: &TcpListener) {
        let mut connections = Vec::new();
        while !self.has_ended() {
            match listener.accept() {
                Ok((participant, _)) => {
                    let shared = Arc::clone(self);
                    connections.push(std::thread::spawn(move || shared.connect(participant)));
                }
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::WouldBlock, "the relay's socket: {error}");
                    std::thread::sleep(ENDED_POLL);
                }
            }
        }
        for connection in connections {
            connection.join().expect("a connection's thread does not panic");
        }
    }

    /// One connection: this thread carries up, another one down.
    fn connect(self: Arc<Self>, participant: TcpStream) {
        self.pass();
        // A server that is gone is seen as that: the participant's connection ends.
        let Ok(server) = TcpStream::connect(self.target) else { return };
        let copies = (participant.try_clone(), server.try_clone(), server.try_clone());
        let (Ok(participant_again), Ok(server_again), Ok(server_to_end)) = copies else { return };
        self.state().upstreams.push(server_to_end);
        let down = {
            let shared = Arc::clone(&self);
            std::thread::spawn(move || shared.carry(server_again, participant_again))
        };
        self.carry(participant, server);
        down.join().expect("a connection's thread does not panic");
    }

    /// Carries bytes one way until one end has ended, and then ends the other.
    fn carry(&self, mut from: TcpStream, mut to: TcpStream) {
        let ready = from
            .set_nonblocking(false)
            .and_then(|()| from.set_read_timeout(Some(ENDED_POLL)))
            .and_then(|()| to.set_nodelay(true));
        let mut buffer = [0; 4096];
        while ready.is_ok() && !self.has_ended() {
            let read = match from.read(&mut buffer) {
                Ok(0) => break,
                Ok(read) => read,
                Err(error)
                    if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) =>
                {
                    continue;
                }
                Err(_) => break,
            };
            self.pass();
            if to.write_all(&buffer[..read]).is_err() {
                break;
            }
        }
        self.pass();
        // Either may have gone already.
        drop(to.shutdown(Shutdown::Both));
        drop(from.shutdown(Shutdown::Both));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair() -> (TcpRelay, TcpStream, TcpStream) {
        let server = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let relay = TcpRelay::start(server.local_addr().expect("bound")).expect("it starts");
        let participant = TcpStream::connect(relay.address()).expect("the relay listens");
        let (upstream, _) = server.accept().expect("the relay connects");
        (relay, participant, upstream)
    }

    /// What comes in time; nothing is waited for as long if all is well.
    const PATIENCE: Duration = Duration::from_secs(10);

    fn hears(stream: &mut TcpStream, patience: Duration) -> Option<u8> {
        stream.set_read_timeout(Some(patience)).expect("a timeout above zero");
        let mut byte = [0];
        match stream.read(&mut byte) {
            Ok(0) => panic!("the connection has ended"),
            Ok(_) => Some(byte[0]),
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::WouldBlock);
                None
            }
        }
    }

    #[test]
    fn what_was_sent_during_a_stall_comes_after_it() {
        let (relay, mut participant, mut server) = pair();
        participant.write_all(&[1]).expect("it stands");
        assert_eq!(hears(&mut server, PATIENCE), Some(1));
        server.write_all(&[2]).expect("it stands");
        assert_eq!(hears(&mut participant, PATIENCE), Some(2));
        relay.stall();
        participant.write_all(&[3]).expect("nobody was told");
        assert_eq!(hears(&mut server, Duration::from_millis(100)), None);
        relay.restore();
        assert_eq!(hears(&mut server, PATIENCE), Some(3));
    }

    #[test]
    fn the_server_may_see_the_end_while_the_participant_sees_nothing() {
        let (relay, mut participant, mut server) = pair();
        relay.stall();
        // The relay has taken the connection on when it has carried something, which it may have
        // read before the stall.
        participant.write_all(&[1]).expect("it stands");
        relay.restore();
        assert_eq!(hears(&mut server, PATIENCE), Some(1));
        relay.stall();
        relay.hang_up_on_the_server();
        assert_eq!(server.read(&mut [0]).expect("the end is no error"), 0);
        assert_eq!(hears(&mut participant, Duration::from_millis(100)), None);
        relay.restore();
        assert_eq!(participant.read(&mut [0]).expect("the end is no error"), 0);
    }
}
