//! All participants of a load: who joins and leaves, and how long is counted.
//!
//! Here is the thread that talks to signalling, where being late harms nobody. What is sent and heard
//! is [`crate::media`]'s.

use std::sync::mpsc::{self, Sender};
use std::thread::JoinHandle;
use std::time::Duration;

use protocol::codec::Codec;
use protocol::id::{MalformedRoomId, RoomId};
use protocol::signal::{ClientEnvelope, ClientMessage, ServerMessage};
use signalling_client::{Received, RoomLink, Signalling, SignallingError};
use thiserror::Error;
use transport::{Certificate, CertificateError};

use crate::clock;
use crate::joining::{JoinError, join};
use crate::media::{Media, Order};
use crate::player::Player;
use crate::tally::Tally;

/// Rooms full of participants on one server.
#[derive(Debug)]
pub struct Band {
    server: RoomLink,
    certificate: Certificate,
    run: u32,
    orders: Sender<Order>,
    thread: Option<JoinHandle<()>>,
    members: Vec<Member>,
    /// Those who have said that they leave. Closed before the server has read it, a connection would
    /// be one that broke, and the seat be kept.
    leaving: Vec<Signalling>,
    next_number: u32,
}

/// A participant's seat.
#[derive(Debug)]
struct Member {
    number: u32,
    room: u32,
    signalling: Signalling,
}

/// Why a load cannot go on.
#[derive(Debug, Error)]
pub enum LoadError {
    /// Somebody did not come in.
    #[error("participant {number} did not come into room {room}: {reason}")]
    Join {
        /// Counted from 1.
        number: u32,
        /// Counted from 1.
        room: u32,
        /// Why.
        reason: JoinError,
    },
    /// A WebSocket went away.
    #[error("participant {number} is out: {reason}")]
    Left {
        /// Counted from 1.
        number: u32,
        /// Why.
        reason: SignallingError,
    },
    /// The server ended the conversation.
    #[error("the server sent participant {number} away: {text}")]
    SentAway {
        /// Counted from 1.
        number: u32,
        /// In the server's words.
        text: String,
    },
    /// Music does not reach everybody.
    #[error("{pairs} pairs of participants do not hear each other after {} s", HEARING_MAX.as_secs())]
    Unheard {
        /// How many.
        pairs: usize,
    },
    /// A rate that cannot be played, since the server lets nobody send faster than Opus does.
    #[error("a publisher sends 1 to {} packets a second, not {}", Codec::Opus.packets_per_second(), .0)]
    Rate(u32),
    /// The system gives no thread or no socket.
    #[error("the load cannot be started: {0}")]
    System(#[from] std::io::Error),
    /// No certificate.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// No room of that name can be.
    #[error(transparent)]
    Room(#[from] MalformedRoomId),
    /// The system gives no random numbers.
    #[error("no random numbers: {0}")]
    Random(#[from] getrandom::Error),
    /// The thread that sends and receives has ended.
    #[error("the thread that sends and receives has ended")]
    Ended,
}

impl Band {
    /// Gets ready to fill rooms on the server that a link names; every publisher will send `rate`
    /// packets a second.
    pub fn new(server: &RoomLink, rate: u32) -> Result<Self, LoadError> {
        let rate = playable(rate)?;
        let (orders, received) = mpsc::channel();
        let media = Media::new(received, rate)?;
        let thread = std::thread::Builder::new().name("load".into()).spawn(move || media.run())?;
        Ok(Self {
            server: server.clone(),
            certificate: Certificate::generate()?,
            run: getrandom::u32()?,
            orders,
            thread: Some(thread),
            members: Vec::new(),
            leaving: Vec::new(),
            next_number: 0,
        })
    }

    /// Adds a participant to a room, who plays at once; gives its number.
    pub fn join(&mut self, room: u32) -> Result<u32, LoadError> {
        let number = self.next_number;
        self.next_number += 1;
        let name = RoomId::parse(&format!("load-{:08x}-{}", self.run, room + 1))?;
        let musician = format!("Load {}", number + 1);
        let joined = join(&self.server, &name, &musician, &self.certificate)
            .map_err(|reason| LoadError::Join { number: number + 1, room: room + 1, reason })?;
        let player = Player::new(number, self.run, room, joined.socket, joined.link, joined.source);
        self.order(Order::Add(Box::new(player)))?;
        self.members.push(Member { number, room, signalling: joined.signalling });
        self.read_all()?;
        Ok(number)
    }

    /// Lets a participant leave; one that is not there has left.
    pub fn leave(&mut self, number: u32) -> Result<(), LoadError> {
        let Some(at) = self.members.iter().position(|member| member.number == number) else {
            return Ok(());
        };
        self.order(Order::Remove { number })?;
        let member = self.members.swap_remove(at);
        self.say_goodbye(member);
        Ok(())
    }

    /// Who is in a room.
    #[must_use]
    pub fn members_of(&self, room: u32) -> Vec<u32> {
        self.members.iter().filter(|one| one.room == room).map(|one| one.number).collect()
    }

    /// How many participants there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Whether nobody is there.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// Waits until everybody hears everybody else of their room.
    pub fn hear_each_other(&mut self) -> Result<(), LoadError> {
        let end = clock::now() + HEARING_MAX;
        loop {
            let (answer, pairs) = mpsc::channel();
            self.order(Order::CountUnheard(answer))?;
            match pairs.recv().map_err(|_| LoadError::Ended)? {
                0 => return Ok(()),
                pairs if end < clock::now() => return Err(LoadError::Unheard { pairs }),
                _ => self.play(TURN)?,
            }
        }
    }

    /// Lets everybody play for a while.
    pub fn play(&mut self, duration: Duration) -> Result<(), LoadError> {
        let end = clock::now() + duration;
        loop {
            self.read_all()?;
            let left = end.saturating_since(clock::now());
            if left.is_zero() {
                return Ok(());
            }
            std::thread::sleep(left.min(TURN));
        }
    }

    /// From now on every publisher sends `rate` packets a second.
    pub fn pace(&mut self, rate: u32) -> Result<(), LoadError> {
        self.order(Order::Pace(playable(rate)?))
    }

    /// Nobody plays until [`Self::resume`] or [`Self::begin`].
    pub fn pause(&mut self) -> Result<(), LoadError> {
        self.order(Order::Pause)
    }

    /// Everybody plays again.
    pub fn resume(&mut self) -> Result<(), LoadError> {
        self.order(Order::Resume)
    }

    /// From now on everybody plays, and it is counted.
    pub fn begin(&mut self) -> Result<(), LoadError> {
        self.order(Order::Begin)
    }

    /// What was counted since [`Self::begin`]. Nobody plays while what is under way arrives, nor
    /// afterwards until [`Self::resume`].
    pub fn end(&mut self) -> Result<Tally, LoadError> {
        let (answer, tally) = mpsc::channel();
        self.order(Order::End(answer))?;
        loop {
            match tally.recv_timeout(TURN) {
                Ok(tally) => return Ok(*tally),
                Err(mpsc::RecvTimeoutError::Timeout) => self.read_all()?,
                Err(mpsc::RecvTimeoutError::Disconnected) => return Err(LoadError::Ended),
            }
        }
    }

    fn say_goodbye(&mut self, mut member: Member) {
        let leave = ClientEnvelope { request: None, message: ClientMessage::Leave {} };
        // A server that is gone has let everybody go.
        if member.signalling.send(&leave).is_ok() {
            self.leaving.push(member.signalling);
        }
    }

    /// Lets go of those whose goodbye was heard.
    fn read_leaving(&mut self) {
        self.leaving.retain_mut(|signalling| {
            loop {
                match signalling.receive() {
                    Ok(Received::Nothing) => return true,
                    Ok(Received::Life) => {}
                    Ok(Received::Message(envelope)) => {
                        if matches!(envelope.message, ServerMessage::Bye { .. }) {
                            return false;
                        }
                    }
                    Err(_) => return false,
                }
            }
        });
    }

    /// Reads what signalling says, so that its pings are answered.
    fn read_all(&mut self) -> Result<(), LoadError> {
        self.read_leaving();
        for member in &mut self.members {
            let number = member.number + 1;
            loop {
                let received = member.signalling.receive();
                match received.map_err(|reason| LoadError::Left { number, reason })? {
                    Received::Nothing => break,
                    Received::Life => {}
                    Received::Message(envelope) => {
                        if let ServerMessage::Bye { text, .. } | ServerMessage::Error { text, .. } =
                            envelope.message
                        {
                            return Err(LoadError::SentAway { number, text });
                        }
                    }
                }
            }
        }
        Ok(())
    }

    fn order(&self, order: Order) -> Result<(), LoadError> {
        self.orders.send(order).map_err(|_| LoadError::Ended)
    }
}

impl Drop for Band {
    fn drop(&mut self) {
        for member in std::mem::take(&mut self.members) {
            self.say_goodbye(member);
        }
        let end = clock::now() + GOODBYE_MAX;
        while !self.leaving.is_empty() && clock::now() < end {
            self.read_leaving();
            std::thread::sleep(Duration::from_millis(2));
        }
        // Without anybody who gives orders, the thread ends.
        self.orders = mpsc::channel().0;
        if let Some(thread) = self.thread.take() {
            // A panic of it was told by the panic hook.
            let _ = thread.join();
        }
    }
}

fn playable(rate: u32) -> Result<u32, LoadError> {
    let playable = (1..=Codec::Opus.packets_per_second()).contains(&rate);
    if playable { Ok(rate) } else { Err(LoadError::Rate(rate)) }
}

/// How long it may take until everybody hears everybody.
const HEARING_MAX: Duration = Duration::from_secs(10);

/// How long the server may take to hear that everybody leaves.
const GOODBYE_MAX: Duration = Duration::from_secs(2);

/// How often signalling is read.
const TURN: Duration = Duration::from_millis(50);
