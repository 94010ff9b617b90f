//! The media thread: waits in one place, for datagrams, commands and timers.
//!
//! Datagrams come first and their copies leave before anything else is looked at. What surprises:
//! nothing is ever retried here. What the socket does not take is dropped and counted.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, TryRecvError};
use std::time::Duration;

use protocol::control::{Command, Event};
use protocol::time::Instant;
use sfu::Router;

use crate::limits::{BATCHES_PER_TURN_MAX, COMMANDS_PER_TURN_MAX, TELEMETRY_INTERVAL};
use crate::link::EncryptedLink;
use crate::socket::{MediaSocket, ReceiveBatch, Room, SendBatch};
use crate::telemetry::{Snapshot, SocketCounters, Telemetry, thread_cpu};
use crate::wake::Wake;

/// What other threads ask of the media thread.
#[derive(Debug)]
pub(crate) enum Request {
    Carry(Command),
    Stop,
}

/// Everything the media thread owns.
pub(crate) struct RunLoop<F> {
    pub(crate) router: Router<EncryptedLink>,
    pub(crate) socket: MediaSocket,
    pub(crate) wake: Arc<Wake>,
    pub(crate) requests: Receiver<Request>,
    pub(crate) on_event: F,
    pub(crate) telemetry: Telemetry,
    pub(crate) outgoing: SendBatch,
    pub(crate) counters: SocketCounters,
    pub(crate) started: std::time::Instant,
}

/// Whether the loop goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flow {
    Continue,
    Stop,
}

/// Why the loop has something to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Ready {
    socket: bool,
    wake: bool,
}

impl<F: FnMut(Event)> RunLoop<F> {
    /// Runs until it is told to stop or nobody could tell it anything any more.
    pub(crate) fn run(mut self) {
        let mut incoming = ReceiveBatch::new();
        let mut next_telemetry = self.now();
        loop {
            let ready = self.wait(next_telemetry);
            if ready.socket {
                self.take_datagrams(&mut incoming);
            }
            if ready.wake {
                self.wake.clear();
                if self.take_requests() == Flow::Stop {
                    break;
                }
            }
            let now = self.now();
            if self.router.poll_timeout().is_some_and(|(due, _)| due <= now) {
                self.router.handle_timeout(now);
            }
            self.send();
            while let Some(event) = self.router.poll_event() {
                (self.on_event)(event);
            }
            if next_telemetry <= now {
                self.offer_telemetry();
                next_telemetry = now + TELEMETRY_INTERVAL;
            }
        }
        self.router.close_all(self.now());
        self.send();
        self.offer_telemetry();
    }

    fn take_datagrams(&mut self, incoming: &mut ReceiveBatch) {
        for _ in 0..BATCHES_PER_TURN_MAX {
            let count = match incoming.receive(&self.socket, &mut self.counters) {
                Ok(0) => return,
                Ok(count) => count,
                Err(error) => {
                    tracing::error!(%error, "the media socket cannot be read");
                    // Whatever it is, asking at once again would not help.
                    std::thread::sleep(Duration::from_millis(10));
                    return;
                }
            };
            let now = self.now();
            for at in 0..count {
                if let Some((from, datagram)) = incoming.datagram(at) {
                    self.router.handle_datagram(now, from, datagram);
                    self.queue_transmits();
                }
            }
            self.outgoing.flush(&self.socket, &mut self.counters);
        }
    }

    fn take_requests(&mut self) -> Flow {
        for _ in 0..COMMANDS_PER_TURN_MAX {
            match self.requests.try_recv() {
                Ok(Request::Carry(command)) => {
                    let now = self.now();
                    self.router.handle_command(now, command);
                }
                Ok(Request::Stop) | Err(TryRecvError::Disconnected) => return Flow::Stop,
                Err(TryRecvError::Empty) => return Flow::Continue,
            }
        }
        // There may be more: come back after the datagrams.
        self.wake.wake();
        Flow::Continue
    }

    fn send(&mut self) {
        self.queue_transmits();
        self.outgoing.flush(&self.socket, &mut self.counters);
    }

    fn queue_transmits(&mut self) {
        while let Some(transmit) = self.router.poll_transmit(self.outgoing.buffer()) {
            if self.outgoing.push(&self.socket, transmit.to, transmit.len) == Room::Full {
                self.outgoing.flush(&self.socket, &mut self.counters);
            }
        }
    }

    fn offer_telemetry(&self) {
        self.telemetry.offer(Snapshot {
            router: *self.router.counters(),
            socket: self.counters,
            cpu: thread_cpu(),
            links: self.router.links(),
        });
    }

    fn now(&self) -> Instant {
        let ns = self.started.elapsed().as_nanos();
        Instant::from_ns(u64::try_from(ns).unwrap_or(u64::MAX))
    }

    /// Sleeps until a datagram, a request or a timer.
    fn wait(&self, next_telemetry: Instant) -> Ready {
        let due =
            self.router.poll_timeout().map_or(next_telemetry, |(due, _)| due.min(next_telemetry));
        self.sleep(due.saturating_since(self.now()))
    }

    #[cfg(target_os = "linux")]
    fn sleep(&self, duration: Duration) -> Ready {
        use rustix::event::{PollFd, PollFlags, Timespec, poll};
        let timeout = Timespec {
            tv_sec: i64::try_from(duration.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: i64::from(duration.subsec_nanos()),
        };
        let mut watched =
            [PollFd::new(&self.socket, PollFlags::IN), PollFd::new(&*self.wake, PollFlags::IN)];
        match poll(&mut watched, Some(&timeout)) {
            Ok(_) => Ready {
                socket: !watched[0].revents().is_empty(),
                wake: !watched[1].revents().is_empty(),
            },
            // Interrupted: look at everything.
            Err(_) => Ready { socket: true, wake: true },
        }
    }

    #[cfg(not(target_os = "linux"))]
    fn sleep(&self, duration: Duration) -> Ready {
        std::thread::sleep(duration.min(Duration::from_millis(1)));
        Ready { socket: true, wake: true }
    }
}
