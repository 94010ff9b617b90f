//! What a load says at the end, for people and for programs.

use std::fmt;

use hdrhistogram::Histogram;
use serde::Serialize;

use crate::losses::Losses;
use crate::metrics::{Metrics, Steps};
use crate::tally::{Faults, Tally};

/// What was measured.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// Rooms.
    pub rooms: u32,
    /// Participants of each.
    pub members: u32,
    /// Packets a second of each publisher.
    pub rate: u32,
    /// How long it was measured.
    pub seconds: f64,
    /// Packets a second that the server took in.
    pub received_pps: f64,
    /// Packets a second that it forwarded and a subscriber received.
    pub forwarded_pps: f64,
    /// Packets that a subscriber should have received and did not.
    pub lost: u64,
    /// Where, if the server says what it dropped.
    pub losses: Option<Losses>,
    /// From a publisher's send to a subscriber's socket.
    pub delay_us: Percentiles,
    /// Processor time of the server for each packet that it forwarded, if it is known.
    pub server_cpu_us_per_packet: Option<f64>,
    /// Processors that the server kept busy, if it is known.
    pub server_cpu: Option<f64>,
    /// System calls of the server for each packet that it forwarded, if it says so.
    pub server_calls_per_packet: Option<f64>,
    /// From a packet's arrival at the server until it left, if it says so: in steps, rounded up.
    pub server_delay_us: Option<WithinServer>,
    /// The part of that which a packet lay in the server's socket, if it says so: in steps, likewise.
    pub server_wait_us: Option<WithinServer>,
    /// Memory of the server for each participant, if it is known.
    pub server_bytes_per_participant: Option<u64>,
    /// Processors that this program kept busy.
    pub generator_cpu: f64,
    /// How long after its moment a packet was sent.
    pub generator_late_us: Percentiles,
    /// Packets that were not sent at all, or were lost in this program's own sockets.
    pub generator_dropped: u64,
    /// What must never happen.
    pub faults: Faults,
}

/// A distribution, in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Percentiles {
    /// Half are at most that.
    pub p50: f64,
    /// 99 of 100.
    pub p99: f64,
    /// 999 of 1000.
    pub p999: f64,
    /// All.
    pub max: f64,
}

impl Percentiles {
    pub(crate) fn of(ns: &Histogram<u64>) -> Self {
        let at = |quantile| (ns.value_at_quantile(quantile) as f64 / 100.0).round() / 10.0;
        Self { p50: at(0.5), p99: at(0.99), p999: at(0.999), max: at(1.0) }
    }
}

/// A distribution as `/metrics` tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct WithinServer {
    /// Half are at most that; none where they are beyond every step.
    pub p50: Option<u64>,
    /// 99 of 100.
    pub p99: Option<u64>,
}

impl WithinServer {
    fn of(steps: &Steps) -> Self {
        Self { p50: steps.quantile_us(500.0), p99: steps.quantile_us(990.0) }
    }
}

/// What is known beside the tally.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Beside {
    pub(crate) rooms: u32,
    pub(crate) members: u32,
    pub(crate) rate: u32,
    /// Seconds of processor time.
    pub(crate) server_cpu: Option<f64>,
    pub(crate) server_bytes_per_participant: Option<u64>,
    pub(crate) generator_cpu: f64,
}

impl Report {
    pub(crate) fn new(tally: &Tally, beside: &Beside, said: Option<&Metrics>) -> Self {
        let seconds = tally.elapsed.as_secs_f64();
        let per_second = |packets: u64| packets as f64 / seconds;
        let received = tally.received.max(1) as f64;
        Self {
            rooms: beside.rooms,
            members: beside.members,
            rate: beside.rate,
            seconds,
            received_pps: per_second(tally.sent),
            forwarded_pps: per_second(tally.received),
            lost: tally.lost(),
            losses: Losses::new(tally, beside.members, said),
            delay_us: Percentiles::of(&tally.delay_ns),
            server_cpu_us_per_packet: beside.server_cpu.map(|cpu| cpu * 1e6 / received),
            server_cpu: beside.server_cpu.map(|cpu| cpu / seconds),
            server_calls_per_packet: said.map(|said| said.calls / said.forwarded.max(1.0)),
            server_delay_us: said.map(|said| WithinServer::of(&said.delays)),
            server_wait_us: said.map(|said| WithinServer::of(&said.waits)),
            server_bytes_per_participant: beside.server_bytes_per_participant,
            generator_cpu: beside.generator_cpu / seconds,
            generator_late_us: Percentiles::of(&tally.lateness_ns),
            generator_dropped: tally.skipped + tally.refused + tally.overflowed,
            faults: tally.faults,
        }
    }

    /// What limits the figures, if it is not the server.
    #[must_use]
    pub fn doubt(&self) -> Option<String> {
        if GENERATOR_CPU_MAX < self.generator_cpu {
            let busy = 100.0 * self.generator_cpu;
            Some(format!("the load took {busy:.0} % of a core itself: the server may carry more"))
        } else if GENERATOR_LATE_US_MAX < self.generator_late_us.p99 {
            let late = self.generator_late_us.p99;
            Some(format!(
                "one packet in a hundred was sent {late:.0} µs late or more: this machine had other \
                 things to do, and delays may be its doing"
            ))
        } else if self.generator_dropped != 0 {
            let packets = self.generator_dropped;
            Some(format!("{packets} packets were lost on the load's own side"))
        } else {
            None
        }
    }

    /// Whether the server delivered what it should, in time.
    #[must_use]
    pub fn is_carried(&self) -> bool {
        let due = self.lost as f64 + self.forwarded_pps * self.seconds;
        self.lost as f64 <= due * LOSS_MAX && self.delay_us.p99 <= DELAY_US_MAX
    }

    /// Whether this program could not play or hear any more than that.
    #[must_use]
    pub fn is_at_own_limit(&self) -> bool {
        let sent = self.received_pps * self.seconds;
        GENERATOR_FULL < self.generator_cpu || sent * LOSS_MAX < self.generator_dropped as f64
    }

    /// Rooms of the same size and rate that one core would carry, if its cost is known.
    #[must_use]
    pub fn rooms_per_core(&self) -> Option<f64> {
        let room_pps = self.forwarded_pps / f64::from(self.rooms);
        self.server_cpu_us_per_packet.map(|us| 1e6 / us / room_pps)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rooms, members, rate, seconds, .. } = self;
        let delay = &self.delay_us;
        writeln!(
            f,
            "{rooms} rooms of {members}, {rate} packets/s from everybody, for {seconds:.1} s"
        )?;
        writeln!(
            f,
            "  forwarded      {:.0} packets/s, from {:.0} packets/s that came in",
            self.forwarded_pps, self.received_pps
        )?;
        writeln!(f, "  lost           {} packets", self.lost)?;
        if let Some(losses) = self.losses.as_ref().filter(|_| self.lost != 0) {
            writeln!(f, "  of these       {losses}")?;
        }
        writeln!(
            f,
            "  delay          {:.0} µs for half of them, {:.0} µs for 99 %, {:.0} µs for 99.9 %",
            delay.p50, delay.p99, delay.p999
        )?;
        if let (Some(us), Some(cores)) = (self.server_cpu_us_per_packet, self.server_cpu) {
            writeln!(
                f,
                "  server         {us:.2} µs of processor time for each packet, {cores:.2} cores busy"
            )?;
        }
        if let Some(WithinServer { p50: Some(p50), p99: Some(p99) }) = self.server_delay_us {
            writeln!(f, "  within server  {p50} µs for half of them, {p99} µs for 99 %")?;
        }
        if let Some(WithinServer { p50: Some(p50), p99: Some(p99) }) = self.server_wait_us {
            writeln!(f, "    in its socket  {p50} µs for half of them, {p99} µs for 99 %")?;
        }
        if let Some(bytes) = self.server_bytes_per_participant {
            writeln!(f, "  server memory  {} kB for each participant", bytes / 1000)?;
        }
        writeln!(
            f,
            "  load           {:.2} cores busy; sent {:.0} µs late for 99 %",
            self.generator_cpu, self.generator_late_us.p99
        )?;
        if let Some(rooms) = self.rooms_per_core() {
            writeln!(f, "At this cost one core would carry about {rooms:.0} rooms of {members}.")?;
        }
        if let Some(doubt) = self.doubt() {
            writeln!(f, "Note: {doubt}.")?;
        }
        if !self.faults.is_none() {
            writeln!(f, "FAULTS: {:?}", self.faults)?;
        }
        Ok(())
    }
}

/// Above this the load itself is at its limit now and then.
const GENERATOR_CPU_MAX: f64 = 0.85;

/// Above this the machine did not let the load keep time.
const GENERATOR_LATE_US_MAX: f64 = 1000.0;

/// With more, a server does not carry a load.
const LOSS_MAX: f64 = 0.001;

/// With more, likewise: what comes later is of no use to musicians.
const DELAY_US_MAX: f64 = 5000.0;

/// Two threads on one core leave some of it to the kernel.
const GENERATOR_FULL: f64 = 0.93;
