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
    BATCHES_PER_TURN_MAX, COMMANDS_PER_TURN_MAX, LOAD_INTERVAL, PACKET_AGE_MAX, PACKET_WAIT_MAX,
    ROUND_MAX, TELEMETRY_INTERVAL,
};
use crate::link::EncryptedLink;
use crate::load::Load;
use crate::pace::Pace;
use crate::priority::Priority;
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
    pub(crate) waiting: DelayHistogram,
    pub(crate) pace: Pace,
    pub(crate) backlog: Backlog,
    pub(crate) load: Load,
    pub(crate) started: std::time::Instant,
}

/// Whether a turn left datagrams in the socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Backlog {
    None,
    Some,
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
        let mut priority = Priority::new();
        let mut incoming = ReceiveBatch::new();
        let mut next_telemetry = self.now();
        let mut next_load = next_telemetry + LOAD_INTERVAL;
        let mut packets_told = 0;
        let mut turned = next_telemetry;
        loop {
            self.gather(turned);
            let ready = self.wait(next_telemetry);
            turned = self.now();
            self.load.update(turned, thread_cpu);
            priority.adapt(self.load.ran_permille());
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
        if self.backlog == Backlog::Some {
            return;
        }
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
        let wait_max = if self.load.is_strained() { PACKET_WAIT_MAX } else { PACKET_AGE_MAX };
        self.backlog = Backlog::Some;
        for _ in 0..BATCHES_PER_TURN_MAX {
            let count = match incoming.receive(&self.socket, &mut self.counters) {
                Ok(count) => count,
                Err(error) => {
                    tracing::error!(%error, "the media socket cannot be read");
                    // Whatever it is, asking at once again would not help.
                    std::thread::sleep(Duration::from_millis(10));
                    0
                }
            };
            let taken = self.now();
            let mut now = taken;
            let mut withheld = None;
            for at in 0..count {
                let Some((received, datagram)) = incoming.datagram(at) else { continue };
                let age = received.age.unwrap_or_default();
                let arrived = Instant::from_ns(taken.as_ns().saturating_sub(as_ns(age)));
                if Kind::of(datagram) == Kind::Rtp {
                    if received.age.is_some() {
                        self.waiting.count(age);
                    }
                    let waited = now.saturating_since(arrived);
                    if wait_max < waited
                        && self.load.is_behind(arrived)
                        && wait_max + self.withheld(&mut withheld, now) < waited
                    {
                        self.counters.dropped_stale += 1;
                        continue;
                    }
                }
                self.router.handle_waiting(now, arrived, received.from, datagram);
                now = self.queue_transmits().unwrap_or(now);
            }
            if !gathers {
                self.flush();
            }
            if count < ReceiveBatch::DATAGRAMS {
                // What has come since then is not waited for by anybody yet.
                self.backlog = Backlog::None;
                break;
            }
        }
        self.flush();
    }

    /// What the system has withheld, asked for once.
    fn withheld(&self, known: &mut Option<Duration>, now: Instant) -> Duration {
        *known.get_or_insert_with(|| self.load.withheld(now, thread_cpu()))
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

    /// Has the router write what it has, and sends as often as that is much; gives when that was, if
    /// it was.
    fn queue_transmits(&mut self) -> Option<Instant> {
        let mut sent = None;
        while let Some(Outgoing { to, len, arrived }) =
            self.router.poll_transmit(self.outgoing.buffer())
        {
            let room = self.outgoing.push(&self.socket, to, len, arrived);
            if room == Room::Full || ROUND_MAX < self.pace.estimate(self.outgoing.len()) {
                sent = self.flush();
            }
        }
        sent
    }

    /// Sends what was written, but for what would be late; gives when that was, if there was
    /// anything.
    fn flush(&mut self) -> Option<Instant> {
        if self.outgoing.is_empty() {
            return None;
        }
        let (begun, datagrams) = (self.now(), self.outgoing.len());
        let end = begun + self.pace.estimate(datagrams);
        let is_late = |arrived, withheld| {
            PACKET_AGE_MAX + withheld < end.saturating_since(arrived)
                && self.load.is_behind(arrived)
        };
        let oldest = self.outgoing.oldest();
        let dropped = if oldest.is_some_and(|arrived| is_late(arrived, Duration::ZERO)) {
            let withheld = self.load.withheld(begun, thread_cpu());
            self.outgoing.drop_late(|arrived| is_late(arrived, withheld))
        } else {
            0
        };
        self.counters.dropped_late += dropped;
        self.outgoing.flush(&self.socket, &mut self.counters);
        let now = self.now();
        let left = datagrams.saturating_sub(usize::try_from(dropped).unwrap_or(datagrams));
        self.pace.sent(left, now.saturating_since(begun));
        for arrived in self.outgoing.arrivals() {
            self.delay.count(now.saturating_since(arrived));
        }
        self.outgoing.clear();
        Some(now)
    }

    fn offer_telemetry(&self) {
        self.telemetry.offer(Snapshot {
            router: *self.router.counters(),
            socket: self.counters,
            delay: self.delay,
            waiting: self.waiting,
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
        if self.backlog == Backlog::Some {
            // Only to see who else wants something: however long that takes, it is no idling.
            return Ready { socket: true, ..self.sleep(Duration::ZERO) };
        }
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
