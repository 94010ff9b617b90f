//! The thread that plays and listens for everybody.
//!
//! It paces by sleeping until the next packet is due, and looks at what arrived once in a
//! millisecond: the kernel has stamped it. So nobody is woken by an arriving packet, and the server,
//! which on loopback works off the receiver's side of the kernel too, does not pay for our wake-ups.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::mem::MaybeUninit;
use std::num::NonZeroU64;
use std::os::fd::OwnedFd;
use std::sync::mpsc::{Receiver, Sender, TryRecvError};
use std::time::Duration;

use protocol::time::Instant;
use rustix::event::epoll;
use rustix::thread::{
    ClockId, NanosleepRelativeResult, clock_nanosleep_relative, set_current_timer_slack,
};
use rustix::time::Timespec;

use crate::clock;
use crate::player::{KEEP_INTERVAL, Misplaced, Player};
use crate::socket::{self, Batch};
use crate::tally::{Freshness, Heard, Share, Tally, Window, record};

/// What the media thread is told.
pub(crate) enum Order {
    Add(Box<Player>),
    Remove {
        number: u32,
    },
    /// Everybody sends so many packets a second from now on.
    Pace(u32),
    /// Nobody sends anything until told to.
    Pause,
    /// Everybody sends.
    Resume,
    /// Everybody sends, and what is sent from now on counts.
    Begin,
    /// Nobody sends anything until told to; answers when what was under way has had its time.
    End(Sender<Box<Tally>>),
    /// Asks how many pairs of a room's members have not heard each other yet.
    CountUnheard(Sender<usize>),
}

/// Everything the media thread owns.
pub(crate) struct Media {
    orders: Receiver<Order>,
    epoll: OwnedFd,
    batch: Batch,
    /// By number.
    players: Vec<Option<Box<Player>>>,
    /// Whose packet is due when.
    due: BinaryHeap<Reverse<(Instant, u32)>>,
    period: Duration,
    step_frames: u32,
    playing: Playing,
    next_sweep: Instant,
    next_keeping: Instant,
    tally: Tally,
    began: Instant,
    began_cpu: Duration,
    /// Who wants the tally, and from when on it is complete.
    ending: Option<(Instant, Sender<Box<Tally>>)>,
    phases: u32,
}

/// Whether anybody sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Playing {
    On,
    Paused,
}

/// Whether there is more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flow {
    Continue,
    Stop,
}

impl Media {
    pub(crate) fn new(orders: Receiver<Order>, rate: u32) -> std::io::Result<Self> {
        let now = clock::now();
        Ok(Self {
            orders,
            epoll: epoll::create(epoll::CreateFlags::CLOEXEC)?,
            batch: Batch::new(),
            players: Vec::new(),
            due: BinaryHeap::new(),
            period: period(rate),
            step_frames: step_frames(rate),
            playing: Playing::On,
            next_sweep: now,
            next_keeping: now,
            tally: Tally::new(0),
            began: now,
            began_cpu: Duration::ZERO,
            ending: None,
            phases: 0,
        })
    }

    /// Runs until nobody gives orders any more.
    pub(crate) fn run(mut self) {
        // Sleeps end when they should, not up to 50 µs later. A refusal shows as lateness.
        let _ = set_current_timer_slack(NonZeroU64::new(1));
        loop {
            self.play_what_is_due(PACKETS_PER_TURN_MAX);
            let now = clock::now();
            if self.next_sweep <= now {
                self.sweep();
                self.next_sweep = clock::now() + SWEEP_INTERVAL;
                if self.take_orders() == Flow::Stop {
                    break;
                }
            }
            if self.next_keeping <= now {
                self.next_keeping = now + KEEP_INTERVAL;
                self.keep_links(now);
            }
            if self.ending.as_ref().is_some_and(|(complete, _)| *complete <= now) {
                self.hand_over();
            }
            let due = self.due.peek().map_or(self.next_sweep, |Reverse((due, _))| *due);
            sleep(due.min(self.next_sweep).min(self.next_keeping).saturating_since(clock::now()));
        }
        for player in self.players.iter_mut().flatten() {
            player.close();
        }
    }

    fn play_what_is_due(&mut self, packets_max: usize) {
        for _ in 0..packets_max {
            let Some(Reverse((due, number))) = self.due.peek().copied() else { return };
            let now = clock::now();
            if now < due {
                return;
            }
            self.due.pop();
            if self.playing == Playing::Paused {
                self.due.push(Reverse((due + self.period, number)));
                continue;
            }
            let Some(player) = self.players.get_mut(number as usize).and_then(Option::as_mut)
            else {
                continue;
            };
            let counts = player.window.has(player.next_counter);
            if player.play(self.step_frames).is_err() {
                self.tally.refused += u64::from(counts);
            }
            let late = now.saturating_since(due);
            if counts {
                self.tally.sent += 1;
                record(&mut self.tally.lateness_ns, u64::try_from(late.as_nanos()).unwrap_or(0));
            }
            let mut next = due + self.period;
            while next + LATENESS_MAX < now {
                // A burst to make up for a stall would measure the burst.
                next = next + self.period;
                self.tally.skipped += u64::from(counts);
            }
            self.due.push(Reverse((next, number)));
        }
    }

    /// Takes what has arrived.
    fn sweep(&mut self) {
        let mut events = [const { MaybeUninit::<epoll::Event>::uninit() }; SOCKETS_PER_SWEEP];
        let Ok((ready, _)) = epoll::wait(&self.epoll, &mut events, Some(&Timespec::default()))
        else {
            return;
        };
        for event in ready.iter() {
            let number = u32::try_from(event.data.u64()).unwrap_or(u32::MAX);
            // An error (a port that was closed) is told once and shows as loss.
            let player = self.players.get(number as usize).and_then(Option::as_ref);
            let Some(player) = player else { continue };
            let count = self.batch.receive(&player.socket).unwrap_or(0);
            for at in 0..count {
                self.take(number, at);
            }
            // Musicians do not wait for each other's sound, or all that waited would come at once.
            self.play_what_is_due(PACKETS_PER_SOCKET_MAX);
        }
    }

    fn take(&mut self, number: u32, at: usize) {
        let message = self.batch.message(at);
        let stamp_ns = message.stamp_ns.unwrap_or_else(clock::wall_ns);
        let Some(player) = find(&mut self.players, number) else { return };
        if let Some(dropped) = message.dropped {
            self.tally.overflowed += u64::from(dropped.saturating_sub(player.overflowed));
            player.overflowed = dropped;
        }
        for datagram in message.bytes.chunks_mut(message.segment_bytes) {
            let Some(player) = find(&mut self.players, number) else { return };
            let Some(received) = player.take(datagram, &mut self.tally.faults) else { continue };
            let label = received.label;
            // Of somebody who has left, what was under way counts no more.
            let Some(publisher) = find(&mut self.players, label.publisher) else { continue };
            let window = publisher.window;
            let Some(player) = find(&mut self.players, number) else { return };
            let heard = match player.find_heard(&received, &window) {
                Ok(heard) => heard,
                Err(Misplaced) => {
                    self.tally.faults.misplaced += 1;
                    continue;
                }
            };
            match heard.take(label.counter, &window) {
                Freshness::Counted => {
                    self.tally.received += 1;
                    record(&mut self.tally.delay_ns, stamp_ns.saturating_sub(label.sent_ns));
                }
                Freshness::Uncounted => {}
                Freshness::Duplicate => self.tally.faults.duplicate += 1,
            }
        }
    }

    fn keep_links(&mut self, now: Instant) {
        for player in self.players.iter_mut().flatten() {
            player.keep(now);
            if std::mem::take(&mut player.lost) {
                self.tally.faults.links_lost += 1;
            }
        }
    }

    fn take_orders(&mut self) -> Flow {
        loop {
            match self.orders.try_recv() {
                Ok(Order::Add(player)) => self.add(player),
                Ok(Order::Remove { number }) => self.remove(number),
                Ok(Order::Pace(rate)) => self.pace(rate),
                Ok(Order::Pause) => self.playing = Playing::Paused,
                Ok(Order::Resume) => self.playing = Playing::On,
                Ok(Order::Begin) => self.begin(),
                Ok(Order::End(answer)) => self.end(answer),
                Ok(Order::CountUnheard(answer)) => {
                    // Whoever asked may have given up.
                    let _ = answer.send(self.count_unheard());
                }
                Err(TryRecvError::Empty) => return Flow::Continue,
                Err(TryRecvError::Disconnected) => return Flow::Stop,
            }
        }
    }

    fn add(&mut self, mut player: Box<Player>) {
        let number = player.number;
        let data = epoll::EventData::new_u64(u64::from(number));
        if epoll::add(&self.epoll, &player.socket, data, epoll::EventFlags::IN).is_err() {
            self.tally.faults.links_lost += 1;
            return;
        }
        if self.is_counting() {
            player.window = Window::since(0);
        }
        // Multiples of the golden ratio spread evenly, however many they will be.
        let phase = (f64::from(self.phases) * GOLDEN).fract();
        self.phases += 1;
        self.due.push(Reverse((clock::now() + self.period.mul_f64(phase), number)));
        let at = number as usize;
        if self.players.len() <= at {
            self.players.resize_with(at + 1, || None);
        }
        self.players[at] = Some(player);
    }

    fn remove(&mut self, number: u32) {
        let gone = self.players.get_mut(number as usize).and_then(Option::take);
        let Some(mut gone) = gone else { return };
        gone.close();
        // What was under way to those who leave, or from them, is nobody's loss.
        for heard in &gone.heard {
            self.tally.lose(gone.room, heard.missed(heard.heard_until()));
        }
        for player in self.players.iter_mut().flatten() {
            if let Some(at) = player.heard.iter().position(|heard| heard.publisher == number) {
                let heard = player.heard.swap_remove(at);
                self.tally.lose(player.room, heard.missed(heard.heard_until()));
            }
        }
    }

    fn pace(&mut self, rate: u32) {
        self.period = period(rate);
        self.step_frames = step_frames(rate);
    }

    fn is_counting(&self) -> bool {
        self.ending.is_none() && self.began_cpu != Duration::ZERO
    }

    fn begin(&mut self) {
        self.tally = Tally::new(0);
        self.playing = Playing::On;
        self.began = clock::now();
        self.began_cpu = clock::thread_cpu();
        for player in self.players.iter_mut().flatten() {
            player.window = Window::since(player.next_counter);
        }
        self.each_heard(|_, _, heard, window| heard.begin(window));
    }

    fn end(&mut self, answer: Sender<Box<Tally>>) {
        let now = clock::now();
        self.tally.elapsed = now.saturating_since(self.began);
        self.tally.thread_cpu = clock::thread_cpu().saturating_sub(self.began_cpu);
        self.began_cpu = Duration::ZERO;
        self.playing = Playing::Paused;
        for player in self.players.iter_mut().flatten() {
            player.window.until = player.next_counter;
        }
        self.ending = Some((now + UNDER_WAY_MAX, answer));
    }

    fn hand_over(&mut self) {
        let Some((_, answer)) = self.ending.take() else { return };
        for player in self.players.iter_mut().flatten() {
            // The count comes with a datagram, and after the last there may be none.
            let dropped = socket::dropped(&player.socket).unwrap_or(player.overflowed);
            self.tally.overflowed += u64::from(dropped.saturating_sub(player.overflowed));
            player.overflowed = dropped;
        }
        self.each_heard(|tally, room, heard, window| tally.lose(room, heard.missed(window.until)));
        self.tally.shares = self.shares();
        self.tally.unheard = self.count_unheard() as u64;
        for player in self.players.iter_mut().flatten() {
            player.window = Window::NONE;
        }
        // Whoever asked may have given up.
        let _ = answer.send(Box::new(std::mem::replace(&mut self.tally, Tally::new(0))));
    }

    fn each_heard(&mut self, mut see: impl FnMut(&mut Tally, u32, &mut Heard, &Window)) {
        let windows: Vec<_> =
            self.players.iter().map(|player| Some(player.as_ref()?.window)).collect();
        for player in self.players.iter_mut().flatten() {
            for heard in &mut player.heard {
                if let Some(Some(window)) = windows.get(heard.publisher as usize) {
                    see(&mut self.tally, player.room, heard, window);
                }
            }
        }
    }

    /// What each subscriber was to hear, and did not.
    fn shares(&self) -> Vec<Share> {
        let share = |player: &Player| {
            let mut share = Share { room: player.room, due: 0, lost: 0 };
            for heard in &player.heard {
                let publisher = self.players.get(heard.publisher as usize);
                let Some(Some(publisher)) = publisher else { continue };
                share.due += heard.due(publisher.window.until);
                share.lost += heard.missed(publisher.window.until);
            }
            share
        };
        self.players.iter().flatten().map(|player| share(player)).collect()
    }

    fn count_unheard(&self) -> usize {
        let mut members = std::collections::BTreeMap::<u32, usize>::new();
        for player in self.players.iter().flatten() {
            *members.entry(player.room).or_default() += 1;
        }
        let others = |player: &Player| members.get(&player.room).map_or(0, |members| members - 1);
        let players = self.players.iter().flatten();
        players.map(|player| others(player).saturating_sub(player.heard.len())).sum()
    }
}

fn period(rate: u32) -> Duration {
    Duration::from_secs(1) / rate
}

const fn step_frames(rate: u32) -> u32 {
    48_000 / rate
}

fn find(players: &mut [Option<Box<Player>>], number: u32) -> Option<&mut Player> {
    players.get_mut(number as usize)?.as_deref_mut()
}

fn sleep(duration: Duration) {
    // Falling asleep and waking up take longer.
    if duration < Duration::from_micros(5) {
        return;
    }
    let request = Timespec {
        tv_sec: i64::try_from(duration.as_secs()).unwrap_or(0),
        tv_nsec: i64::from(duration.subsec_nanos()),
    };
    // A signal wakes early, which costs one more look.
    match clock_nanosleep_relative(ClockId::Monotonic, &request) {
        NanosleepRelativeResult::Ok
        | NanosleepRelativeResult::Interrupted(_)
        | NanosleepRelativeResult::Err(_) => {}
    }
}

/// How often is looked at what arrived: a socket of a room of eight has three packets by then.
const SWEEP_INTERVAL: Duration = Duration::from_millis(1);

/// Sockets looked at in one sweep; further ones have their turn after what is due.
const SOCKETS_PER_SWEEP: usize = 64;

/// Packets sent before arrivals are looked at again.
const PACKETS_PER_TURN_MAX: usize = 64;

/// Packets sent before the next socket is looked at: few, or whoever is late with sending would not
/// listen any more, and sockets would overflow.
const PACKETS_PER_SOCKET_MAX: usize = 4;

/// A packet that is later is not sent at all.
const LATENESS_MAX: Duration = Duration::from_millis(20);

/// How long packets may be under way before they count as lost.
const UNDER_WAY_MAX: Duration = Duration::from_millis(500);

const GOLDEN: f64 = 0.618_033_988_749_894_9;
