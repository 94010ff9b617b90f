//! The media link and its two threads: one sends what the engine made, one hands it what arrives.
//!
//! The sender sleeps until the audio callback wakes it, seals and sends at once. The receiver
//! sleeps in the socket; it drives ICE and DTLS beside the media. They share no lock: keys and
//! addresses go to the sender through a queue. What surprises: nothing here is ever queued for
//! later. A packet that cannot be sent now is of no use.

mod counts;
mod receiver;
mod sender;
mod socket;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc;
use std::thread::{self, JoinHandle, Thread};

use engine::{Incoming, Outgoing, RoomClockStats, RoomMapping};
use protocol::signal::LinkParameters;
use protocol::time::Instant;
use transport::{Certificate, IceCredentials, LinkConfig, Role};

use self::counts::Counters;
pub use self::counts::NetworkCounts;
use self::receiver::{Receiver, ReceiverCommand};
use self::sender::Sender;
use crate::clock;
use crate::durations::{DurationSummary, Durations};
use crate::random;

/// Handle to the network threads, for the session's thread.
pub(crate) struct Network {
    commands: mpsc::Sender<ReceiverCommand>,
    events: mpsc::Receiver<NetworkEvent>,
    counters: Arc<Counters>,
    media_via: Option<SocketAddr>,
    certificate: Option<Certificate>,
    pending: Option<Pending>,
    sender: Option<JoinHandle<()>>,
    receiver: Option<JoinHandle<()>>,
    waker: SenderWaker,
    stop: Arc<AtomicBool>,
}

/// What the media link does.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum NetworkEvent {
    /// Media flows.
    Up,
    /// Nothing comes from the server.
    Down,
    /// The link is over; only a new one helps.
    Closed,
    /// What the room's clock shows, and how well that is known.
    RoomClock(RoomMapping, RoomClockStats),
}

/// Wakes the sender thread.
#[derive(Clone)]
pub(crate) struct SenderWaker {
    thread: Thread,
    alarm: Arc<Alarm>,
}

/// When the sender was woken for packets, and how long it then took.
#[derive(Default)]
struct Alarm {
    /// Nanoseconds on our clock; zero once the sender has seen it.
    rung_at_ns: AtomicU64,
    delays: Durations,
}

impl SenderWaker {
    /// For the audio callback: one futex call when the sender sleeps, none when it is awake.
    pub(crate) fn wake_for_packets(&self) {
        self.alarm.ring(clock::now());
        self.thread.unpark();
    }

    /// For everybody else.
    pub(crate) fn wake(&self) {
        self.thread.unpark();
    }
}

impl Alarm {
    /// The sender is to be woken; one that was rung before has waited since then.
    fn ring(&self, now: Instant) {
        // Relaxed: only a measurement; the packets are published by their ring.
        let (quiet, rung) = (0, now.as_ns());
        // Failing is the case of the sentence above.
        let _ = self.rung_at_ns.compare_exchange(quiet, rung, Ordering::Relaxed, Ordering::Relaxed);
    }

    /// The sender is through with what it was woken for.
    fn answer(&self, now: Instant) {
        let rung_at = Instant::from_ns(self.rung_at_ns.swap(0, Ordering::Relaxed));
        if rung_at != Instant::ZERO {
            self.delays.record(now.saturating_since(rung_at));
        }
    }
}

/// A half of a link that waits for the server's.
enum Pending {
    Open { certificate: Certificate, local: IceCredentials },
    Restart { local: IceCredentials },
}

impl Network {
    /// Starts both threads, with no link yet.
    pub(crate) fn start(
        outgoing: Outgoing,
        incoming: Incoming,
        media_via: Option<SocketAddr>,
    ) -> io::Result<Self> {
        let counters = Arc::new(Counters::default());
        let stop = Arc::new(AtomicBool::new(false));
        let (paths, paths_received) = mpsc::channel();
        let alarm = Arc::new(Alarm::default());
        let mut sender = Sender::new(
            outgoing,
            paths_received,
            Arc::clone(&counters),
            Arc::clone(&alarm),
            Arc::clone(&stop),
        );
        let sender =
            thread::Builder::new().name("vjam-sender".into()).spawn(move || sender.run())?;
        let waker = SenderWaker { thread: sender.thread().clone(), alarm };
        let (commands, commands_received) = mpsc::channel();
        let (events_sent, events) = mpsc::channel();
        let mut receiver = Receiver::new(
            incoming,
            commands_received,
            events_sent,
            paths,
            waker.clone(),
            Arc::clone(&counters),
        );
        let receiver =
            thread::Builder::new().name("vjam-receiver".into()).spawn(move || receiver.run())?;
        Ok(Self {
            commands,
            events,
            counters,
            media_via,
            certificate: None,
            pending: None,
            sender: Some(sender),
            receiver: Some(receiver),
            waker,
            stop,
        })
    }

    /// What the audio callback wakes.
    pub(crate) fn sender_waker(&self) -> SenderWaker {
        self.waker.clone()
    }

    /// The own half of a new link, with a new certificate. It takes the old one's place when the
    /// server's half is accepted.
    pub(crate) fn open_link(&mut self) -> Option<LinkParameters> {
        let certificate = Certificate::generate().ok()?;
        let local = new_credentials();
        let parameters = parameters(&local, &certificate);
        self.pending = Some(Pending::Open { certificate, local });
        Some(parameters)
    }

    /// The own half of an ICE restart; of a new link where there is none to restart.
    pub(crate) fn restart_link(&mut self) -> Option<LinkParameters> {
        let Some(certificate) = &self.certificate else { return self.open_link() };
        let local = new_credentials();
        let parameters = parameters(&local, certificate);
        self.pending = Some(Pending::Restart { local });
        Some(parameters)
    }

    /// The server's half, for the own half that was given last.
    pub(crate) fn accept_link(&mut self, remote: LinkParameters, candidates: Vec<SocketAddr>) {
        let candidates = self.media_via.map_or(candidates, |via| vec![via]);
        let command = match self.pending.take() {
            None => return,
            Some(Pending::Open { certificate, local }) => {
                self.certificate = Some(certificate.clone());
                ReceiverCommand::Open(Box::new(LinkConfig {
                    role: Role::Client,
                    certificate,
                    local,
                    remote,
                    remote_candidates: candidates,
                    data_channel: false,
                }))
            }
            Some(Pending::Restart { local }) => {
                ReceiverCommand::Restart { local, remote, candidates }
            }
        };
        self.command(command);
    }

    /// The next thing that happened.
    pub(crate) fn next_event(&mut self) -> Option<NetworkEvent> {
        self.events.try_recv().ok()
    }

    /// What went through the socket.
    pub(crate) fn counts(&self) -> NetworkCounts {
        self.counters.load()
    }

    /// From wakes by the audio callback until the packets had left, since it was last asked.
    pub(crate) fn take_send_delay(&self) -> DurationSummary {
        self.waker.alarm.delays.take()
    }

    /// Says goodbye to the server and ends both threads.
    pub(crate) fn stop(&mut self) {
        self.command(ReceiverCommand::Stop);
        self.stop.store(true, Ordering::Release);
        self.waker.wake();
        for thread in [self.receiver.take(), self.sender.take()].into_iter().flatten() {
            // A panic of it was told by the panic hook; there is nothing to add.
            let _ = thread.join();
        }
    }

    fn command(&self, command: ReceiverCommand) {
        // The thread ends before this handle only by a panic, which was told.
        let _ = self.commands.send(command);
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        self.stop();
    }
}

fn new_credentials() -> IceCredentials {
    IceCredentials { ufrag: random::word::<8>(), pwd: random::word::<24>() }
}

fn parameters(local: &IceCredentials, certificate: &Certificate) -> LinkParameters {
    LinkParameters {
        ice_ufrag: local.ufrag.clone(),
        ice_pwd: local.pwd.clone(),
        fingerprint: certificate.fingerprint().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stalled_sender_is_late_since_the_first_wake_that_it_missed() {
        let at = |ms: u64| Instant::from_ns(ms * 1_000_000);
        let alarm = Alarm::default();
        for ms in [1, 2, 30, 50] {
            alarm.ring(at(ms));
        }
        alarm.answer(at(51));
        alarm.answer(at(90));
        let summary = alarm.delays.take();
        assert_eq!((summary.count, summary.max_us), (1, 50_000));
        alarm.ring(at(100));
        alarm.answer(at(101));
        assert_eq!(alarm.delays.take().max_us, 1000);
    }
}
