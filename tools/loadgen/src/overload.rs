//! What becomes of music when a server has more to forward than it can.
//!
//! Admission keeps a server from that: nobody is let in where a worker is busy. So everybody comes in
//! at a pace that any server carries, and then all play faster at once. What surprises: loss is what
//! is wanted here. What counts is that nobody bears it alone, and that what does come is not late.

use std::fmt;
use std::time::Duration;

use serde::Serialize;
use signalling_client::RoomLink;

use crate::band::Band;
use crate::metrics::Metrics;
use crate::report::Report;
use crate::server::Server;
use crate::steady::{Plan, RunError, fill, measure_tally, usage};
use crate::tally::{Share, Tally};

/// What came of it.
#[derive(Debug, Clone, Serialize)]
pub struct Overload {
    /// The load and what it did, as for one that is carried.
    #[serde(flatten)]
    pub report: Report,
    /// The part of all packets that did not come.
    pub lost_part: f64,
    /// The same of each room: the least and the most.
    pub lost_part_of_rooms: Spread,
    /// The same of what each participant was to hear.
    pub lost_part_of_subscribers: Spread,
    /// Packets that the server dropped because they had waited for too long, before they were
    /// copied; if it says so.
    pub dropped_stale: Option<u64>,
    /// Copies that the server dropped because they would have left too late; if it says so.
    pub dropped_late: Option<u64>,
    /// Datagrams that the server's system dropped before they were read; if it says so.
    pub dropped_unread: Option<u64>,
    /// Copies that the server's system did not take for sending; if it says so.
    pub dropped_unsent: Option<u64>,
    /// The part of the copies that left the server more than 5 ms after their packet came, and the
    /// same for 10 ms; if it says so.
    pub sent_older_than: Option<[f64; 2]>,
}

/// The least and the most of something.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Spread {
    /// The least.
    pub min: f64,
    /// The most.
    pub max: f64,
}

/// Lets everybody of the plan in at a slow pace, has them play at the plan's, and measures.
pub fn overload(
    link: &RoomLink,
    mut server: Option<&mut Server>,
    plan: &Plan,
) -> Result<Overload, RunError> {
    let empty = usage(&mut server)?;
    let mut band = Band::new(link, SLOW_PPS.min(plan.rate))?;
    fill(&mut band, 0..plan.rooms, plan.members)?;
    band.hear_each_other()?;
    band.pace(plan.rate)?;
    band.play(SETTLING)?;
    let (report, tally, said) = measure_tally(&mut band, link, &mut server, plan, empty)?;
    Ok(Overload::new(report, &tally, said.as_ref()))
}

impl Overload {
    fn new(report: Report, tally: &Tally, said: Option<&Metrics>) -> Self {
        let of_all = |shares: &mut dyn Iterator<Item = &Share>| {
            shares.fold((0, 0), |(due, lost), share| (due + share.due, lost + share.lost))
        };
        let rooms = tally.shares.iter().map(|share| share.room).max().map_or(0, |last| last + 1);
        let of_room = |room| of_all(&mut tally.shares.iter().filter(|share| share.room == room));
        let beyond = |said: &Metrics| {
            Some([said.delays.part_beyond(5_000)?, said.delays.part_beyond(10_000)?])
        };
        let dropped = |causes: &[&str]| said.map(|said| said.dropped_for(causes));
        Self {
            report,
            lost_part: part(of_all(&mut tally.shares.iter())),
            lost_part_of_rooms: Spread::of((0..rooms).map(|room| part(of_room(room)))),
            lost_part_of_subscribers: Spread::of(
                tally.shares.iter().map(|share| part((share.due, share.lost))),
            ),
            dropped_stale: dropped(&["stale"]),
            dropped_late: dropped(&["late"]),
            dropped_unread: dropped(&["unread"]),
            dropped_unsent: dropped(&["full", "refused"]),
            sent_older_than: said.and_then(beyond),
        }
    }
}

fn part((due, lost): (u64, u64)) -> f64 {
    lost as f64 / due.max(1) as f64
}

impl Spread {
    fn of(values: impl Iterator<Item = f64>) -> Self {
        let wider = |spread: Option<Self>, value: f64| {
            let spread = spread.unwrap_or(Self { min: value, max: value });
            Some(Self { min: spread.min.min(value), max: spread.max.max(value) })
        };
        values.fold(None, wider).unwrap_or(Self { min: 0.0, max: 0.0 })
    }
}

impl fmt::Display for Overload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.report.fmt(f)?;
        let percent = |part: f64| 100.0 * part;
        let (rooms, subscribers) = (self.lost_part_of_rooms, self.lost_part_of_subscribers);
        writeln!(
            f,
            "Lost: {:.2} % of all; {:.2} to {:.2} % of a room, {:.2} to {:.2} % of what somebody \
             was to hear",
            percent(self.lost_part),
            percent(rooms.min),
            percent(rooms.max),
            percent(subscribers.min),
            percent(subscribers.max)
        )?;
        if let (Some(stale), Some(late), Some(unread), Some(unsent)) =
            (self.dropped_stale, self.dropped_late, self.dropped_unread, self.dropped_unsent)
        {
            writeln!(
                f,
                "Dropped: {stale} packets that were too old, {unread} that were not read, {late} \
                 copies that would have been late, {unsent} that were not taken"
            )?;
        }
        if let Some([five, ten]) = self.sent_older_than {
            writeln!(
                f,
                "Sent: {:.3} % more than 5 ms after they came, {:.3} % more than 10 ms",
                percent(five),
                percent(ten)
            )?;
        }
        Ok(())
    }
}

/// Packets a second of everybody, while they come in.
const SLOW_PPS: u32 = 20;

/// How long everybody plays at full pace before it is measured: a worker has opened its window by
/// then.
const SETTLING: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_is_from_the_least_to_the_most() {
        assert_eq!(Spread::of([0.2, 0.1, 0.3].into_iter()), Spread { min: 0.1, max: 0.3 });
        assert_eq!(Spread::of(core::iter::empty()), Spread { min: 0.0, max: 0.0 });
        assert_eq!(part((200, 50)), 0.25);
        assert_eq!(part((0, 0)), 0.0);
    }
}
