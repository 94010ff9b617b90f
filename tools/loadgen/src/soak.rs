//! A load that never stands still: in half of the rooms participants leave and others join, at random;
//! in the other half everybody stays, and must not notice.
//!
//! What surprises: the memory that is compared is that of the same rooms, full both times. The first
//! tenth of the time is not compared with: an allocator takes that long to have its pages.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde::Serialize;
use signalling_client::RoomLink;

use crate::band::{Band, LoadError};
use crate::clock;
use crate::joining::JoinError;
use crate::metrics::Metrics;
use crate::report::Percentiles;
use crate::server::Server;
use crate::steady::{Plan, RunError, WARM_UP, fill, usage};
use crate::tally::{Faults, Tally};

/// What came of it.
#[derive(Debug, Clone, Serialize)]
pub struct SoakReport {
    /// Rooms; every second one changes.
    pub rooms: u32,
    /// Participants of each, when it is full.
    pub members: u32,
    /// How long it took.
    pub seconds: f64,
    /// Repeats the order of joining and leaving.
    pub seed: u64,
    /// Participants who joined a room that others played in.
    pub joins: u64,
    /// Participants who left one.
    pub leaves: u64,
    /// Participants whom the server did not let in, because it had too much to do just then.
    pub refused: u64,
    /// Packets a second that a subscriber received.
    pub forwarded_pps: f64,
    /// Packets lost in rooms that stayed as they were.
    pub lost_in_steady_rooms: u64,
    /// Packets lost between those who were there before somebody came or went, and after.
    pub lost_in_changing_rooms: u64,
    /// From a publisher's send to a subscriber's socket.
    pub delay_us: Percentiles,
    /// Memory of the server, if it is known.
    pub memory: Option<Memory>,
    /// How long after its moment a packet was sent.
    pub generator_late_us: Percentiles,
    /// Packets that were not sent at all, or were lost in this program's own sockets.
    pub generator_dropped: u64,
    /// What went no further in the server, as it counts it, by cause; if it says so. Where somebody
    /// comes or goes, packets that nobody hears, or not yet, are among it.
    pub server_dropped: Option<BTreeMap<String, u64>>,
    /// What must never happen.
    pub faults: Faults,
}

/// What is really there of a server's memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Memory {
    /// Before anybody came.
    pub empty_bytes: u64,
    /// With all rooms full, after a tenth of the time.
    pub level_bytes: u64,
    /// At most.
    pub max_bytes: u64,
    /// With all rooms full again, at the end.
    pub end_bytes: u64,
    /// When everybody had left the rooms that changed, after that.
    pub left_bytes: u64,
}

impl Memory {
    /// Of samples in the order of the fields; none where one is missing.
    fn of(samples: [Option<u64>; 5]) -> Option<Self> {
        let [empty_bytes, level_bytes, max_bytes, end_bytes, left_bytes] = samples;
        let (empty_bytes, level_bytes) = empty_bytes.zip(level_bytes)?;
        let (end_bytes, left_bytes) = end_bytes.zip(left_bytes)?;
        let max_bytes = max_bytes?.max(level_bytes).max(end_bytes).max(left_bytes);
        Some(Self { empty_bytes, level_bytes, max_bytes, end_bytes, left_bytes })
    }

    /// Whether the end is where the level was: a tenth and a few pages of every thread are allowed.
    #[must_use]
    pub const fn has_returned(&self) -> bool {
        self.end_bytes <= self.level_bytes + self.level_bytes / 10 + SLACK_BYTES
    }
}

/// How a soak goes, once a minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SoakLook {
    /// Since it began.
    pub elapsed: Duration,
    /// Who is there.
    pub participants: usize,
    /// What the server holds, where that is known.
    pub server_bytes: Option<u64>,
    /// Packets that the server had no time for since it began: unread, stale or late; where it says so. A machine that
    /// stalls is seen by when these come.
    pub server_dropped: Option<u64>,
}

/// Lets participants come and go for as long as the plan says, in an order that the seed repeats.
pub fn soak(
    link: &RoomLink,
    mut server: Option<&mut Server>,
    plan: &Plan,
    seed: u64,
    mut see: impl FnMut(SoakLook),
) -> Result<SoakReport, RunError> {
    let empty_bytes = resident(&mut server)?;
    let mut band = Band::new(link, plan.rate)?;
    fill(&mut band, 0..plan.rooms, plan.members)?;
    band.hear_each_other()?;
    band.play(WARM_UP)?;
    let said_before = Metrics::ask(link);
    band.begin()?;
    let mut churn = Churn::new(seed, plan.members);
    let started = clock::now();
    let elapsed = || clock::now().saturating_since(started);
    let mut max_bytes = empty_bytes;
    let mut told = Duration::ZERO;
    let mut level_bytes = None;
    while elapsed() < plan.duration {
        band.play(Duration::from_millis(churn.below(2 * CHANGE_MS)))?;
        churn.change(&mut band, plan)?;
        max_bytes = max_bytes.max(resident(&mut server)?);
        if level_bytes.is_none() && plan.duration / 10 <= elapsed() {
            churn.fill_up(&mut band, plan)?;
            band.hear_each_other()?;
            level_bytes = Some(resident(&mut server)?);
        }
        if told + TELL_EVERY <= elapsed() {
            told = elapsed();
            let said = Metrics::ask(link).zip(said_before.as_ref());
            see(SoakLook {
                elapsed: told,
                participants: band.len(),
                server_bytes: resident(&mut server)?,
                server_dropped: said.map(|(now, before)| {
                    now.since(before).dropped_for(&["unread", "stale", "late"])
                }),
            });
        }
    }
    churn.fill_up(&mut band, plan)?;
    band.hear_each_other()?;
    let end_bytes = resident(&mut server)?;
    churn.empty(&mut band, plan)?;
    band.play(GOODBYE)?;
    let left_bytes = resident(&mut server)?;
    let tally = band.end()?;
    let said = Metrics::ask(link).zip(said_before).map(|(after, before)| after.since(&before));
    let samples = [empty_bytes, level_bytes.flatten(), max_bytes, end_bytes, left_bytes];
    Ok(report(&tally, plan, seed, &churn, Memory::of(samples), said.as_ref()))
}

fn report(
    tally: &Tally,
    plan: &Plan,
    seed: u64,
    churn: &Churn,
    memory: Option<Memory>,
    said: Option<&Metrics>,
) -> SoakReport {
    let seconds = tally.elapsed.as_secs_f64();
    let lost = |changing: bool| {
        let rooms = (0..plan.rooms).zip(&tally.lost_by_room);
        rooms.filter(|(room, _)| changes(*room) == changing).map(|(_, lost)| lost).sum()
    };
    let dropped = |said: &Metrics| {
        let causes = said.dropped().filter(|(_, count)| *count != 0);
        causes.map(|(cause, count)| (cause.to_owned(), count)).collect()
    };
    SoakReport {
        rooms: plan.rooms,
        members: plan.members,
        seconds,
        seed,
        joins: churn.joins,
        leaves: churn.leaves,
        refused: churn.refused,
        forwarded_pps: tally.received as f64 / seconds,
        lost_in_steady_rooms: lost(false),
        lost_in_changing_rooms: lost(true),
        delay_us: Percentiles::of(&tally.delay_ns),
        memory,
        generator_late_us: Percentiles::of(&tally.lateness_ns),
        generator_dropped: tally.skipped + tally.refused + tally.overflowed,
        server_dropped: said.map(dropped),
        faults: tally.faults,
    }
}

fn resident(server: &mut Option<&mut Server>) -> Result<Option<u64>, RunError> {
    Ok(usage(server)?.map(|usage| usage.resident_bytes))
}

/// Whether participants come and go in a room.
const fn changes(room: u32) -> bool {
    room % 2 == 1
}

/// What happens next in the rooms that change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Change {
    /// Somebody else comes.
    Join { room: u32 },
    /// The participant at a place of the room's list goes.
    Leave { room: u32, at: usize },
}

/// Who comes and who goes.
#[derive(Debug)]
struct Churn {
    random: u64,
    members: usize,
    joins: u64,
    leaves: u64,
    refused: u64,
}

impl Churn {
    fn new(seed: u64, members: u32) -> Self {
        // An odd multiplier keeps seeds apart; only the state 0 has no successor.
        let random = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).max(1);
        Self { random, members: members as usize, joins: 0, leaves: 0, refused: 0 }
    }

    /// Draws a room that changes, and what happens there; `there` is how many each of `rooms` has.
    fn draw(&mut self, rooms: u32, there: impl Fn(u32) -> usize) -> Option<Change> {
        let changing = rooms / 2;
        if changing == 0 {
            return None;
        }
        let drawn = u32::try_from(self.below(u64::from(changing))).unwrap_or(0);
        let room = 2 * drawn + 1;
        let there = there(room);
        // An empty room is closed and made anew.
        let leaves = self.members <= there || 0 < there && self.below(2) == 0;
        Some(if leaves {
            let at = usize::try_from(self.below(there as u64)).unwrap_or(0);
            Change::Leave { room, at }
        } else {
            Change::Join { room }
        })
    }

    /// Somebody of a changing room leaves, or somebody else comes.
    fn change(&mut self, band: &mut Band, plan: &Plan) -> Result<(), LoadError> {
        match self.draw(plan.rooms, |room| band.members_of(room).len()) {
            None => Ok(()),
            Some(Change::Leave { room, at }) => {
                self.leaves += 1;
                band.leave(band.members_of(room)[at])
            }
            Some(Change::Join { room }) => match band.join(room) {
                Ok(_) => {
                    self.joins += 1;
                    Ok(())
                }
                // As it should where a worker is busy for a moment; somebody else will come.
                Err(LoadError::Join { reason: JoinError::Full(_), .. }) => {
                    self.refused += 1;
                    Ok(())
                }
                Err(error) => Err(error),
            },
        }
    }

    /// Everybody of the changing rooms leaves.
    fn empty(&mut self, band: &mut Band, plan: &Plan) -> Result<(), LoadError> {
        for room in (0..plan.rooms).filter(|room| changes(*room)) {
            for number in band.members_of(room) {
                self.leaves += 1;
                band.leave(number)?;
            }
        }
        Ok(())
    }

    fn fill_up(&mut self, band: &mut Band, plan: &Plan) -> Result<(), LoadError> {
        for room in (0..plan.rooms).filter(|room| changes(*room)) {
            for _ in band.members_of(room).len()..plan.members as usize {
                self.joins += 1;
                band.join(room)?;
            }
        }
        Ok(())
    }

    /// xorshift64*.
    fn below(&mut self, bound: u64) -> u64 {
        self.random ^= self.random >> 12;
        self.random ^= self.random << 25;
        self.random ^= self.random >> 27;
        (self.random.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % bound.max(1)
    }
}

impl fmt::Display for SoakReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rooms, members, seconds, joins, leaves, refused, seed, .. } = self;
        writeln!(
            f,
            "{rooms} rooms of {members} for {seconds:.0} s; {joins} joined, {leaves} left, {refused} were refused"
        )?;
        writeln!(f, "  forwarded      {:.0} packets/s", self.forwarded_pps)?;
        writeln!(
            f,
            "  lost           {} packets where everybody stayed, {} where somebody came or went",
            self.lost_in_steady_rooms, self.lost_in_changing_rooms
        )?;
        let delay = &self.delay_us;
        writeln!(
            f,
            "  delay          {:.0} µs for half of them, {:.0} µs for 99 %, {:.0} µs for 99.9 %",
            delay.p50, delay.p99, delay.p999
        )?;
        if let Some(memory) = &self.memory {
            let kb = |bytes: u64| bytes / 1000;
            let verdict = if memory.has_returned() { "returned" } else { "HAS NOT RETURNED" };
            writeln!(
                f,
                "  server memory  {} kB empty, {} kB full, {} kB at most, {} kB full at the end: {verdict}; \
                 {} kB with half of the rooms closed",
                kb(memory.empty_bytes),
                kb(memory.level_bytes),
                kb(memory.max_bytes),
                kb(memory.end_bytes),
                kb(memory.left_bytes)
            )?;
        }
        writeln!(
            f,
            "  load           sent {:.0} µs late for 99 %, {} packets lost on its own side; seed {seed}",
            self.generator_late_us.p99, self.generator_dropped
        )?;
        if let Some(dropped) = &self.server_dropped {
            let causes = dropped.iter().map(|(cause, count)| format!("{count} {cause}"));
            let causes: Vec<String> = causes.collect();
            let causes = if causes.is_empty() { "nothing".into() } else { causes.join(", ") };
            writeln!(f, "  server dropped {causes}")?;
        }
        if !self.faults.is_none() {
            writeln!(f, "FAULTS: {:?}", self.faults)?;
        }
        Ok(())
    }
}

/// Somebody comes or goes so often, on average: a hundred times what a busy evening has.
const CHANGE_MS: u64 = 200;

/// What an allocator may keep of what it once had, whatever the level is.
const SLACK_BYTES: u64 = 4 << 20;

const TELL_EVERY: Duration = Duration::from_secs(60);

/// How long the server may take to close what everybody left.
const GOODBYE: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;

    /// A thousand changes of rooms of three that are full at first, and how many each has then.
    fn played(seed: u64, rooms: u32) -> (Vec<Change>, Vec<usize>) {
        let mut churn = Churn::new(seed, 3);
        let mut there = vec![3; rooms as usize];
        let mut changes = Vec::new();
        for _ in 0..1000 {
            let Some(change) = churn.draw(rooms, |room| there[room as usize]) else { break };
            match change {
                Change::Join { room } => there[room as usize] += 1,
                Change::Leave { room, at } => {
                    assert!(at < there[room as usize], "nobody sits there: {change:?}");
                    there[room as usize] -= 1;
                }
            }
            assert!(there.iter().all(|members| *members <= 3), "{change:?} overfills a room");
            changes.push(change);
        }
        (changes, there)
    }

    #[test]
    fn the_same_seed_repeats_who_comes_and_goes() {
        assert_eq!(played(7, 6), played(7, 6));
        for (one, other) in [(0, 1), (1, 2), (2, 3), (7, 8)] {
            assert_ne!(played(one, 6), played(other, 6), "seeds {one} and {other}");
        }
    }

    #[test]
    fn every_second_room_changes_and_the_others_stay() {
        for rooms in [2, 5, 6] {
            let (changes_made, there) = played(1, rooms);
            assert_eq!(changes_made.len(), 1000);
            for room in 0..rooms {
                let of_room = |change: &&Change| match **change {
                    Change::Join { room: of } | Change::Leave { room: of, .. } => of == room,
                };
                let count = changes_made.iter().filter(of_room).count();
                assert_eq!(count != 0, changes(room), "room {room} of {rooms}: {count} changes");
                assert!(changes(room) || there[room as usize] == 3);
            }
        }
        assert_eq!(played(1, 1).0, [], "one room stays as it is");
    }

    #[test]
    fn rooms_are_left_by_everybody_and_filled_again() {
        let (changes, _) = played(1, 2);
        let mut there = 3;
        let (mut emptied, mut filled) = (0, 0);
        for change in changes {
            match change {
                Change::Join { .. } => there += 1,
                Change::Leave { .. } => there -= 1,
            }
            emptied += u32::from(there == 0);
            filled += u32::from(there == 3);
        }
        assert!(50 < emptied && 50 < filled, "emptied {emptied} times, filled {filled} times");
    }

    #[test]
    fn memory_has_returned_where_it_is_at_its_level_or_little_above() {
        let mb = 1 << 20;
        let with_end = |end| Memory::of([20 * mb, 40 * mb, 41 * mb, end, 30 * mb].map(Some));
        let returned = |end| with_end(end).expect("nothing is missing").has_returned();
        assert!(returned(40 * mb) && returned(48 * mb));
        assert!(!returned(48 * mb + 1));
        assert_eq!(with_end(50 * mb).expect("nothing is missing").max_bytes, 50 * mb);
        assert_eq!(Memory::of([Some(mb), None, Some(mb), Some(mb), Some(mb)]), None);
    }
}
