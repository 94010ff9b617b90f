//! The media thread: waits in one place, for datagrams, commands and timers.
//!
//! Datagrams come first and their copies leave before anything else is looked at. What surprises:
//! nothing is ever retried here. What the socket does not take is dropped and counted.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, TryRecvError};
use std::time::Duration;

use protocol::control::{Command, Event};
use protocol::datagram::Kind;
use protocol::id::WorkerId;
use protocol::time::Instant;
use sfu::{Outgoing, Router};

use crate::limits::{
    BATCHES_PER_TURN_MAX, COMMANDS_PER_TURN_MAX, LOAD_INTERVAL, PACKET_AGE_MAX, TELEMETRY_INTERVAL,
};
use crate::link::EncryptedLink;
use crate::load::Load;
use crate::socket::{MediaSocket, ReceiveBatch, Room, SendBatch};
use crate::telemetry::{DelayHistogram, Snapshot, SocketCounters, Telemetry, thread_cpu};
use crate::wake::Wake;

/// What other threads ask of a worker.
#[derive(Debug)]
pub(crate) enum Request {
    Carry(Command),
    Stop,
}

/// Everything that a worker owns.
pub(crate) struct RunLoop<F> {
    pub(crate) id: WorkerId,
    pub(crate) router: Router<EncryptedLink>,
    pub(crate) socket: MediaSocket,
    pub(crate) wake: Arc<Wake>,
    pub(crate) requests: Receiver<Request>,
    pub(crate) on_event: F,
    pub(crate) telemetry: Telemetry,
    pub(crate) outgoing: SendBatch,
    pub(crate) counters: SocketCounters,
    pub(crate) delay: DelayHistogram,
    pub(crate) load: Load,
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
        hasten();
        let mut incoming = ReceiveBatch::new();
        let mut next_telemetry = self.now();
        let mut next_load = next_telemetry + LOAD_INTERVAL;
        let mut packets_told = 0;
        let mut turned = next_telemetry;
        loop {
            self.gather(turned);
            let ready = self.wait(next_telemetry);
            turned = self.now();
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
            self.load.update(now);
            if next_telemetry <= now {
                self.offer_telemetry();
                next_telemetry = now + TELEMETRY_INTERVAL;
            }
            if next_load <= now {
                packets_told = self.tell_load(packets_told);
                next_load = now + LOAD_INTERVAL;
            }
        }
        self.router.close_all(self.now());
        self.send();
        self.offer_telemetry();
    }

    /// Lets packets come together since the last turn, while the load asks for it.
    fn gather(&mut self, turned: Instant) {
        let window = self.load.window();
        let now = self.now();
        let rest = window.saturating_sub(now.saturating_since(turned));
        if !rest.is_zero() {
            std::thread::sleep(rest);
            let woken = self.now();
            self.load.waited(woken, woken.saturating_since(now));
        }
    }

    fn take_datagrams(&mut self, incoming: &mut ReceiveBatch) {
        let gathers = !self.load.window().is_zero();
        for _ in 0..BATCHES_PER_TURN_MAX {
            let count = match incoming.receive(&self.socket, &mut self.counters) {
                Ok(0) => break,
                Ok(count) => count,
                Err(error) => {
                    tracing::error!(%error, "the media socket cannot be read");
                    // Whatever it is, asking at once again would not help.
                    std::thread::sleep(Duration::from_millis(10));
                    break;
                }
            };
            let now = self.now();
            for at in 0..count {
                let Some((received, datagram)) = incoming.datagram(at) else { continue };
                let age = received.age.unwrap_or_default();
                let arrived = Instant::from_ns(now.as_ns().saturating_sub(as_ns(age)));
                let stale = PACKET_AGE_MAX < age && self.load.is_behind(arrived);
                if stale && Kind::of(datagram) == Kind::Rtp {
                    self.counters.dropped_stale += 1;
                    continue;
                }
                self.router.handle_waiting(now, arrived, received.from, datagram);
                self.queue_transmits();
            }
            if !gathers {
                self.flush();
            }
            if count < ReceiveBatch::DATAGRAMS {
                // What has come since then is not waited for by anybody yet.
                break;
            }
        }
        self.flush();
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
        self.flush();
    }

    fn queue_transmits(&mut self) {
        while let Some(Outgoing { to, len, arrived }) =
            self.router.poll_transmit(self.outgoing.buffer())
        {
            if self.outgoing.push(&self.socket, to, len, arrived) == Room::Full {
                self.flush();
            }
        }
    }

    fn flush(&mut self) {
        if self.outgoing.is_empty() {
            return;
        }
        self.outgoing.flush(&self.socket, &mut self.counters);
        let now = self.now();
        for arrived in self.outgoing.arrivals() {
            self.delay.count(now.saturating_since(arrived));
        }
        self.outgoing.clear();
    }

    fn offer_telemetry(&self) {
        self.telemetry.offer(Snapshot {
            router: *self.router.counters(),
            socket: self.counters,
            delay: self.delay,
            cpu: thread_cpu(),
            links: self.router.links(),
            busy_permille: self.load.busy_permille(),
            window: self.load.window(),
        });
    }

    /// Tells what was done since so many packets had been; gives how many there are now.
    fn tell_load(&mut self, packets_told: u64) -> u64 {
        let counters = self.router.counters();
        let packets = counters.received_packets + counters.forwarded_packets;
        (self.on_event)(Event::WorkerLoad {
            worker: self.id,
            packets_per_second: u32::try_from(packets - packets_told).unwrap_or(u32::MAX),
            busy_permille: self.load.busy_permille(),
        });
        packets
    }

    fn now(&self) -> Instant {
        let ns = self.started.elapsed().as_nanos();
        Instant::from_ns(u64::try_from(ns).unwrap_or(u64::MAX))
    }

    /// Sleeps until a datagram, a request or a timer.
    fn wait(&mut self, next_telemetry: Instant) -> Ready {
        let due =
            self.router.poll_timeout().map_or(next_telemetry, |(due, _)| due.min(next_telemetry));
        let before = self.now();
        let ready = self.sleep(due.saturating_since(before));
        let woken = self.now();
        self.load.waited(woken, woken.saturating_since(before));
        ready
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

fn as_ns(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// Has the system run this thread before those that nobody hears, and wake it when it said, where the
/// system allows.
///
/// What surprises: no real-time priority. A worker that has too much to do would stop everything
/// else on its core, signalling first.
#[cfg(target_os = "linux")]
fn hasten() {
    const NICE: i32 = -11;
    let _allowed = rustix::process::setpriority_process(None, NICE);
    // From 50 µs, a fifth of the shorter window.
    let _allowed = rustix::thread::set_current_timer_slack(core::num::NonZeroU64::new(1_000));
}

#[cfg(not(target_os = "linux"))]
const fn hasten() {}
