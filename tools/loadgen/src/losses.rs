//! Where packets were lost: what publishers' sockets refused, what the server says it dropped and why,
//! what subscribers' sockets had no room for, and what nobody can tell.
//!
//! A copy is what one subscriber does not get of a packet. What surprises: the server counts some
//! losses in packets, which never were copied; each is as many copies as a room has other members.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use crate::metrics::Metrics;
use crate::tally::Tally;

/// What became of copies that did not come.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Losses {
    /// Copies of packets that a publisher's socket refused.
    pub refused_by_publisher: u64,
    /// Copies lost in the server, by the cause under which it counts them; only causes that there
    /// were. `unread` is what its socket had no room for.
    pub in_server: BTreeMap<String, u64>,
    /// Datagrams that a subscriber's socket had no room for, at least: several that came as one
    /// message count as one.
    pub overflowed_at_subscriber: u64,
    /// Copies that were lost and are in none of these; below zero where more was dropped than lost,
    /// because datagrams that are no music were among it.
    pub unexplained: i64,
}

impl Losses {
    /// Of rooms with so many members all the time; `None` where the server does not tell.
    pub(crate) fn new(tally: &Tally, members: u32, said: Option<&Metrics>) -> Option<Self> {
        let others = u64::from(members.saturating_sub(1));
        let copies = |(cause, dropped): (&str, u64)| {
            let copies = match Loses::of(cause)? {
                Loses::Packets => dropped * others,
                Loses::Copies => dropped,
            };
            (copies != 0).then(|| (cause.to_owned(), copies))
        };
        let mut losses = Self {
            refused_by_publisher: tally.refused * others,
            in_server: said?.dropped().filter_map(copies).collect(),
            overflowed_at_subscriber: tally.overflowed,
            unexplained: 0,
        };
        let lost = i64::try_from(tally.lost()).unwrap_or(i64::MAX);
        losses.unexplained = lost - i64::try_from(losses.explained()).unwrap_or(i64::MAX);
        Some(losses)
    }

    fn explained(&self) -> u64 {
        let in_server: u64 = self.in_server.values().sum();
        self.refused_by_publisher + in_server + self.overflowed_at_subscriber
    }
}

/// What a server counts under a cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Loses {
    /// Packets that came, or would have.
    Packets,
    /// Copies for one subscriber.
    Copies,
}

impl Loses {
    /// `None` for what is no music.
    fn of(cause: &str) -> Option<Self> {
        match cause {
            "late" | "full" | "refused" => Some(Self::Copies),
            "events" | "stun" | "address_held" | "control_rate" | "rtcp_rate"
            | "stranger_link_rate" | "stranger_rate" => None,
            cause if cause.starts_with("unsent_") => Some(Self::Copies),
            _ => Some(Self::Packets),
        }
    }
}

impl fmt::Display for Losses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let in_server =
            self.in_server.iter().map(|(cause, copies)| format!("{copies} {cause} in the server"));
        let at_ends = [
            (self.refused_by_publisher, "refused by a publisher's socket"),
            (self.overflowed_at_subscriber, "without room in a subscriber's socket"),
        ];
        let at_ends = at_ends.into_iter().filter(|(copies, _)| *copies != 0);
        let at_ends = at_ends.map(|(copies, place)| format!("{copies} {place}"));
        let unexplained = format!("{} unexplained", self.unexplained);
        let all: Vec<String> = in_server.chain(at_ends).chain([unexplained]).collect();
        f.write_str(&all.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_lost_copy_has_a_cause_or_is_unexplained() {
        let said = Metrics::read(
            "vjam_worker_cpu_seconds_total{worker=\"0\"} 1.5\n\
             vjam_dropped_total{worker=\"0\",cause=\"stale\"} 2\n\
             vjam_dropped_total{worker=\"1\",cause=\"stale\"} 1\n\
             vjam_dropped_total{worker=\"0\",cause=\"late\"} 5\n\
             vjam_dropped_total{worker=\"0\",cause=\"stun\"} 100\n\
             vjam_dropped_total{worker=\"0\",cause=\"unsent_link_down\"} 1\n\
             vjam_dropped_total{worker=\"0\",cause=\"forged\"} 0\n",
        )
        .expect("it is vjam");
        let mut tally = Tally::new(1);
        (tally.refused, tally.overflowed) = (1, 4);
        tally.lose(0, 40);
        let losses = Losses::new(&tally, 8, Some(&said)).expect("it tells");
        assert_eq!(losses.refused_by_publisher, 7);
        let causes = [("late", 5), ("stale", 21), ("unsent_link_down", 1)];
        let causes = causes.map(|(cause, copies)| (cause.to_owned(), copies));
        assert_eq!(losses.in_server, BTreeMap::from(causes));
        assert_eq!(losses.unexplained, 40 - 7 - 27 - 4);
        assert_eq!(
            losses.to_string(),
            "5 late in the server, 21 stale in the server, 1 unsent_link_down in the server, \
             7 refused by a publisher's socket, 4 without room in a subscriber's socket, \
             2 unexplained"
        );
        assert_eq!(Losses::new(&tally, 8, None), None);
    }
}
