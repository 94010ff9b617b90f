//! The task that owns the core: feeds it what came, in order, and carries out what it says.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::SystemTime;

use protocol::control::{Command, Event};
use protocol::id::RoomId;
use protocol::signal::ErrorCode;
use protocol::time::Instant;
use signalling::limits::Limits;
use signalling::{
    AddressBlock, Admission, ConnectionId, Happening, Output, Signalling, TakesKept, TicketKey,
    Unreadable,
};
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{Notify, mpsc, oneshot};

use crate::census::SharedCensus;
use crate::limits::{ADMISSION_WAIT_MAX, OUTGOING_BYTES_MAX, OUTGOING_MESSAGES_MAX};
use crate::rooms::{Doorkeeper, Errand, Errands};
use crate::sfu_link::SfuLink;
use crate::take_keeper::TakeKeeper;

/// What a connection's task tells the core's.
#[derive(Debug)]
pub(crate) enum Input {
    /// A WebSocket is open from there, and this is where to write.
    Connected(ConnectionId, Option<AddressBlock>, Outgoing),
    /// A text frame.
    Message(ConnectionId, String),
    /// Something else that should not have come.
    Unreadable(ConnectionId, Unreadable),
    /// A sign of life.
    Alive(ConnectionId),
    /// The WebSocket is gone.
    Disconnected(ConnectionId),
    /// What was asked about its `join` is answered.
    Admission(ConnectionId, Admission),
}

/// What the writing task of a connection does next.
#[derive(Debug)]
pub(crate) enum Frame {
    /// A text frame.
    Text(Arc<str>),
    /// A close frame, and no more after it.
    Close(u16),
}

/// The core's end of a connection's queue of frames.
#[derive(Debug)]
pub(crate) struct Outgoing {
    frames: mpsc::Sender<Frame>,
    bytes: Arc<AtomicUsize>,
    overflowed: Arc<Notify>,
    /// Goes with the rest, which tells the reading task.
    _held: oneshot::Sender<()>,
}

/// The writing task's end of it.
#[derive(Debug)]
pub(crate) struct ToWrite {
    pub(crate) frames: mpsc::Receiver<Frame>,
    bytes: Arc<AtomicUsize>,
    /// Notified when the queue has overflowed: nothing more of it need be written.
    pub(crate) overflowed: Arc<Notify>,
}

/// Why a queue did not take another frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum NotQueued {
    /// The app does not read as fast as it is written to.
    Exhausted,
    /// The socket is gone; [`Input::Disconnected`] is on its way.
    Gone,
}

/// A queue for one connection, and what tells the reading task that the core has let go of it.
pub(crate) fn outgoing() -> (Outgoing, ToWrite, oneshot::Receiver<()>) {
    let (sender, receiver) = mpsc::channel(OUTGOING_MESSAGES_MAX);
    let overflowed = Arc::new(Notify::new());
    let bytes = Arc::new(AtomicUsize::new(0));
    let (held, let_go) = oneshot::channel();
    let outgoing = Outgoing {
        frames: sender,
        bytes: Arc::clone(&bytes),
        overflowed: Arc::clone(&overflowed),
        _held: held,
    };
    (outgoing, ToWrite { frames: receiver, bytes, overflowed }, let_go)
}

impl Outgoing {
    fn push(&self, frame: Frame) -> Result<(), NotQueued> {
        let len = frame.len();
        // Relaxed: a count by itself; the frames travel through the channel.
        let waiting = self.bytes.fetch_add(len, Ordering::Relaxed) + len;
        if OUTGOING_BYTES_MAX < waiting {
            return Err(NotQueued::Exhausted);
        }
        self.frames.try_send(frame).map_err(|error| match error {
            TrySendError::Full(_) => NotQueued::Exhausted,
            TrySendError::Closed(_) => NotQueued::Gone,
        })
    }
}

impl ToWrite {
    /// A frame has been written: its bytes wait no longer.
    pub(crate) fn count_written(&self, bytes: usize) {
        self.bytes.fetch_sub(bytes, Ordering::Relaxed);
    }
}

impl Frame {
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Close(_) => 0,
        }
    }
}

/// What the core needs besides the SFU.
pub(crate) struct CoreConfig {
    pub(crate) limits: Limits,
    pub(crate) ticket_key: TicketKey,
    pub(crate) seed: [u8; 32],
    pub(crate) census: SharedCensus,
    pub(crate) takes: Option<Arc<dyn TakeKeeper>>,
    pub(crate) doorkeeper: Option<Arc<dyn Doorkeeper>>,
}

/// Where what comes to the core waits, the SFU's word excepted.
pub(crate) struct Queues {
    pub(crate) incoming: mpsc::Receiver<Input>,
    /// The other end of that, for answers to what the core asks.
    pub(crate) answers: mpsc::Sender<Input>,
    pub(crate) errands: Option<Errands>,
}

/// Why the core's task ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CoreEnd {
    /// It was told to.
    Stopped,
    /// The SFU is gone.
    SfuGone,
}

/// Whether a take could be begun now in this room, or in any.
fn kept(takes: Option<&dyn TakeKeeper>, room: Option<&RoomId>) -> TakesKept {
    let Some(takes) = takes else { return TakesKept::No("this server keeps no takes".to_owned()) };
    takes.admit(room).map_or_else(TakesKept::No, |()| TakesKept::Yes)
}

/// Runs the core until `stop`, then tells everybody.
pub(crate) async fn run(
    config: CoreConfig,
    mut sfu: SfuLink,
    queues: Queues,
    mut stop: oneshot::Receiver<()>,
) -> CoreEnd {
    let start = tokio::time::Instant::now();
    let since_unix = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let Queues { incoming: mut inputs, answers, errands } = queues;
    // Without, one that nobody sends to.
    let mut errands = errands.map_or_else(|| mpsc::channel(1).1, |Errands(errands)| errands);
    let core = Signalling::new(signalling::Config {
        limits: config.limits,
        sfu: sfu.description.clone(),
        ticket_key: config.ticket_key,
        seed: config.seed,
        epoch_unix_ms: u64::try_from(since_unix.as_millis()).unwrap_or(u64::MAX),
        takes: kept(config.takes.as_deref(), None),
    });
    let core = if config.doorkeeper.is_some() { core.with_doorkeeper() } else { core };
    let commands = sfu.commands.clone();
    let mut task = CoreTask {
        core,
        connections: HashMap::new(),
        commands: sfu.commands,
        unsent: VecDeque::new(),
        takes: config.takes,
        doorkeeper: config.doorkeeper,
        answers,
    };
    loop {
        config.census.take(&task.core);
        let next = task.core.poll_timeout().map(|(at, _)| at);
        let wake = async {
            match next {
                Some(at) => {
                    let at = start + core::time::Duration::from_nanos(at.as_ns());
                    tokio::time::sleep_until(at).await;
                }
                None => core::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            _ = &mut stop => {
                config.census.close();
                task.core.handle_closing();
                task.carry_out(now(start));
                return CoreEnd::Stopped;
            }
            () = wake => task.core.handle_timeout(now(start)),
            event = sfu.events.recv() => match event {
                Some(event) => task.handle_event(now(start), &event),
                None => {
                    tracing::error!("the SFU is gone");
                    config.census.close();
                    task.core.handle_closing();
                    task.carry_out(now(start));
                    return CoreEnd::SfuGone;
                }
            },
            // The SFU comes first: what apps want would only be more for it.
            permit = commands.reserve(), if !task.unsent.is_empty() => {
                match (permit, task.unsent.pop_front()) {
                    (Ok(permit), Some(command)) => permit.send(command),
                    // Its events tell of its end.
                    (Err(_), _) => task.unsent.clear(),
                    (Ok(_), None) => {}
                }
            }
            Some(errand) = errands.recv(), if task.unsent.is_empty() => {
                task.handle_errand(now(start), errand);
            }
            Some(input) = inputs.recv(), if task.unsent.is_empty() => {
                task.handle_input(now(start), input);
            }
        }
        task.carry_out(now(start));
    }
}

fn now(start: tokio::time::Instant) -> Instant {
    Instant::ZERO + start.elapsed()
}

struct CoreTask {
    core: Signalling,
    connections: HashMap<ConnectionId, Outgoing>,
    commands: mpsc::Sender<Command>,
    /// Commands that found its queue full: of one input, and of what time and the SFU bring about
    /// meanwhile, which is bounded by who is there.
    unsent: VecDeque<Command>,
    takes: Option<Arc<dyn TakeKeeper>>,
    doorkeeper: Option<Arc<dyn Doorkeeper>>,
    answers: mpsc::Sender<Input>,
}

impl CoreTask {
    fn handle_input(&mut self, now: Instant, input: Input) {
        match input {
            Input::Connected(connection, from, outgoing) => {
                self.connections.insert(connection, outgoing);
                self.core.handle_connected(now, connection, from);
            }
            Input::Message(connection, text) => {
                let takes = kept(self.takes.as_deref(), self.core.room_of(connection));
                self.core.handle_takes(takes);
                self.core.handle_message(now, connection, &text);
            }
            Input::Unreadable(connection, what) => {
                self.core.handle_unreadable(now, connection, what);
            }
            Input::Alive(connection) => self.core.handle_alive(now, connection),
            Input::Disconnected(connection) => {
                self.connections.remove(&connection);
                self.core.handle_disconnected(now, connection);
            }
            Input::Admission(connection, admission) => {
                self.core.handle_admission(now, connection, admission);
            }
        }
    }

    fn handle_errand(&mut self, now: Instant, errand: Errand) {
        match errand {
            Errand::News(room, news) => self.core.handle_room_news(now, &room, news),
            Errand::Count(rooms, answer) => {
                // Whoever asked may be gone.
                let _ = answer.send(self.core.participants_in(&rooms));
            }
            Errand::Standings(answer) => {
                let _ = answer.send(self.core.standings());
            }
        }
    }

    /// Asks who may come into a room, in a task of its own.
    fn ask(&self, connection: ConnectionId, room: RoomId, pass: Option<String>) {
        let Some(doorkeeper) = self.doorkeeper.clone() else { return };
        let answers = self.answers.clone();
        tokio::spawn(async move {
            let asked = doorkeeper.admit(room, pass);
            let answered = tokio::time::timeout(ADMISSION_WAIT_MAX, asked).await;
            let admission = answered.unwrap_or_else(|_| {
                tracing::warn!("it could not be told in time who may come into a room");
                let text = "the server cannot tell who may come in; try again in a moment";
                Admission::Refused { code: ErrorCode::TryAgain, text: text.to_owned() }
            });
            // The server may have stopped meanwhile.
            let _ = answers.send(Input::Admission(connection, admission)).await;
        });
    }

    fn handle_event(&mut self, now: Instant, event: &Event) {
        match event {
            Event::LinkUp { participant } => tracing::info!(%participant, "media link up"),
            Event::LinkDown { participant } => tracing::info!(%participant, "media link down"),
            Event::LinkClosed { participant, .. } => {
                tracing::info!(%participant, "media link closed");
            }
            Event::OverRate { participant, track, dropped_packets, .. } => {
                tracing::debug!(%participant, %track, dropped_packets, "a track is too fast");
            }
            Event::CommandRefused { participant, text, .. } => {
                tracing::warn!(%participant, text, "the SFU refused a command");
            }
            Event::Downlink {
                participant,
                ssrc,
                expected_packets,
                lost_packets,
                jitter_us,
                round_trip_us,
            } => {
                let stream = ssrc.0;
                tracing::debug!(
                    %participant, stream, expected_packets, lost_packets, jitter_us, round_trip_us,
                    "downlink"
                );
            }
            Event::Uplink { .. } | Event::WorkerLoad { .. } => {}
        }
        self.core.handle_sfu_event(now, event);
    }

    fn carry_out(&mut self, now: Instant) {
        while let Some(output) = self.core.poll_output() {
            match output {
                Output::Message { connection, text } => {
                    self.push(now, connection, Frame::Text(text));
                }
                Output::Close { connection, code } => {
                    self.push(now, connection, Frame::Close(code));
                    self.connections.remove(&connection);
                }
                Output::Ask { connection, room, pass } => self.ask(connection, room, pass),
                Output::Tell { room, news } => {
                    if let Some(doorkeeper) = &self.doorkeeper {
                        doorkeeper.tell_elsewhere(room, news);
                    }
                }
                Output::Sfu(command) => self.unsent.push_back(command),
                Output::Take(event) => {
                    if let Some(takes) = &self.takes {
                        takes.handle(event);
                    }
                }
                Output::Happened(happening) => log(&happening),
            }
        }
        while let Some(command) = self.unsent.pop_front() {
            if let Err(TrySendError::Full(command)) = self.commands.try_send(command) {
                self.unsent.push_front(command);
                break;
            }
        }
    }

    /// Queues a frame; an app that does not read is cut off.
    fn push(&mut self, now: Instant, connection: ConnectionId, frame: Frame) {
        let Some(outgoing) = self.connections.get(&connection) else { return };
        if outgoing.push(frame) == Err(NotQueued::Exhausted) {
            tracing::info!(connection = connection.0, "the app does not read; closing");
            if let Some(outgoing) = self.connections.remove(&connection) {
                outgoing.overflowed.notify_one();
            }
            self.core.handle_disconnected(now, connection);
        }
    }
}

fn log(happening: &Happening) {
    match happening {
        Happening::Joined { participant, engine, room_participants } => {
            tracing::info!(%participant, ?engine, room_participants, "joined");
        }
        Happening::Resumed { participant } => tracing::info!(%participant, "resumed"),
        Happening::Away { participant } => tracing::info!(%participant, "away"),
        Happening::Left { participant, reason } => {
            tracing::info!(%participant, ?reason, "left");
        }
        Happening::Described { participant, effect } => {
            tracing::debug!(%participant, ?effect, "media link described");
        }
        Happening::Refused { connection, code } => {
            tracing::debug!(connection = connection.0, ?code, "refused");
        }
        Happening::Ended { connection, reason } => {
            tracing::debug!(connection = connection.0, ?reason, "connection ended");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(bytes: usize) -> Frame {
        Frame::Text("x".repeat(bytes).into())
    }

    #[test]
    fn so_many_messages_wait_and_no_more() {
        let (outgoing, mut to_write, _let_go) = outgoing();
        for _ in 0..OUTGOING_MESSAGES_MAX {
            assert_eq!(outgoing.push(text(1)), Ok(()));
        }
        assert_eq!(outgoing.push(text(1)), Err(NotQueued::Exhausted));
        assert!(to_write.frames.try_recv().is_ok());
        assert_eq!(outgoing.push(text(1)), Ok(()), "there is room again");
        drop(to_write);
        assert_eq!(outgoing.push(text(1)), Err(NotQueued::Gone));
    }

    #[test]
    fn so_many_bytes_wait_and_no_more() {
        let (outgoing, to_write, _let_go) = outgoing();
        assert_eq!(outgoing.push(text(OUTGOING_BYTES_MAX - 10)), Ok(()));
        assert_eq!(outgoing.push(text(10)), Ok(()));
        to_write.count_written(10);
        assert_eq!(outgoing.push(text(10)), Ok(()), "there is room again");
        assert_eq!(outgoing.push(text(1)), Err(NotQueued::Exhausted));
    }

    #[test]
    fn the_reader_is_told_when_the_core_lets_go() {
        let (outgoing, _to_write, mut let_go) = outgoing();
        assert_eq!(let_go.try_recv(), Err(oneshot::error::TryRecvError::Empty));
        drop(outgoing);
        assert_eq!(let_go.try_recv(), Err(oneshot::error::TryRecvError::Closed));
    }
}
