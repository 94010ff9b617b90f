//! What tells one cause from another: pure comparisons of what everybody in a room says.
//!
//! Each rule has one number that it goes by, and a threshold from which on that is strong; three quarters of it are weak,
//! which keeps a sentence that is told. What surprises: a wait because of jitter is seen by both ends of a path, so whose
//! it is says the way to the server and back, which each asks the time over.

use protocol::codec::Codec;
use protocol::id::{ParticipantId, TrackId};
use protocol::signal::{EngineKind, FindingCode};
use protocol::time::Instant;

use super::account::Account;
use crate::room::Track;

/// Somebody who is in the room and online.
#[derive(Debug, Clone, Copy)]
pub(super) struct Person<'a> {
    pub(super) id: ParticipantId,
    pub(super) engine: EngineKind,
    pub(super) tracks: &'a [Track],
    pub(super) account: &'a Account,
}

/// Something that may be wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Suspicion {
    pub(super) code: FindingCode,
    pub(super) about: Option<ParticipantId>,
    pub(super) kind: Kind,
    pub(super) strength: Strength,
    /// What the sentence says: of losses in a thousand, of what is counted a number, otherwise in µs.
    pub(super) value: u32,
    /// The delay that there is to win. What is lost counts as 10 ms for each percent: who has the choice takes so
    /// much more of playout delay to be rid of it.
    pub(super) cost_us: u32,
}

/// Which sentence says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Period,
    RadioOutput,
    RadioInput,
    SlowOutput,
    SlowOutputOfBrowser,
    SlowInput,
    Shaky,
    UplinkLoss,
    DownlinkLoss,
    FarAway,
    FarServer,
    LeavesOut,
    Misses,
    Busy,
    OrdinaryPlayer,
    LongPackets,
    ChosenDelay,
}

/// Whether a suspicion may be told, or only keeps what is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Strength {
    Strong,
    Weak,
}

/// What there is to suspect at the moment.
pub(super) fn suspicions(now: Instant, people: &[Person<'_>]) -> Vec<Suspicion> {
    // Whoever is alone has nobody to be late for.
    if people.len() < 2 {
        return Vec::new();
    }
    let mut found = Vec::new();
    found.extend(far(now, people));
    let pairs = pairs(now, people);
    for person in people {
        let own = [
            period(now, person),
            slow_output(now, person),
            slow_input(now, person),
            slow_computer(now, person),
            uplink_loss(now, person),
            downlink_loss(now, person),
            shaky(now, person, &pairs),
            ordinary_player(person),
            long_packets(person),
            chosen_delay(now, person),
        ];
        let own = own.into_iter().flatten();
        found.extend(own.map(|suspicion| Suspicion { about: Some(person.id), ..suspicion }));
    }
    found
}

/// What each who said something new loses on the way from the server: the median over what they hear, less what was
/// lost before the server already.
pub(super) fn downlink_losses(now: Instant, people: &[Person<'_>]) -> Vec<(ParticipantId, u32)> {
    let fresh = people.iter().filter(|person| person.account.is_fresh());
    let loss = |person: &Person<'_>| {
        let losses = person.account.tracks(now).filter_map(|hearing| {
            let publisher = publisher(people, hearing.track)?;
            // Of what is not sent nothing is lost.
            if publisher.tracks.iter().any(|track| track.id == hearing.track && track.muted) {
                return None;
            }
            let before = publisher.account.uplink_permille(now).unwrap_or(0);
            Some(u32::from(hearing.lost_permille).saturating_sub(before))
        });
        median(losses).map(|permille| (person.id, permille))
    };
    fresh.filter_map(loss).collect()
}

fn period(now: Instant, person: &Person<'_>) -> Option<Suspicion> {
    // A browser's period is nobody's choice.
    if person.engine != EngineKind::Native {
        return None;
    }
    let period_us = person.account.device(now).period_us?;
    let cost_us = 2 * period_us.saturating_sub(PERIOD_GOOD_US);
    of(Kind::Period, period_us, PERIOD_LARGE_US, cost_us)
}

fn slow_output(now: Instant, person: &Person<'_>) -> Option<Suspicion> {
    let device = person.account.device(now);
    // Two periods are the period's own matter.
    let own_us = device.output_latency_us?.saturating_sub(2 * device.period_us.unwrap_or(0));
    let kind = if RADIO_US <= own_us {
        Kind::RadioOutput
    } else if person.engine == EngineKind::Native {
        Kind::SlowOutput
    } else {
        Kind::SlowOutputOfBrowser
    };
    of(kind, own_us, DEVICE_SLOW_US, own_us)
}

fn slow_input(now: Instant, person: &Person<'_>) -> Option<Suspicion> {
    let device = person.account.device(now);
    let own_us = device.input_latency_us?.saturating_sub(2 * device.period_us.unwrap_or(0));
    let kind = if RADIO_US <= own_us { Kind::RadioInput } else { Kind::SlowInput };
    of(kind, own_us, DEVICE_SLOW_US, own_us)
}

fn slow_computer(now: Instant, person: &Person<'_>) -> Option<Suspicion> {
    let device = person.account.device(now);
    // Somebody who is not heard is worse than any delay.
    let left_out = of(Kind::LeavesOut, device.left_out, 1, 10 * SECOND_US);
    let missed = person.account.missed(now);
    let misses = || of(Kind::Misses, missed, MISSED_MANY, missed.saturating_mul(MISSED_COST_US));
    let busy = || {
        let permille = u32::from(device.load_permille.unwrap_or(0).min(1000));
        of(Kind::Busy, permille, BUSY_PERMILLE, BUSY_COST_US)
    };
    left_out.or_else(misses).or_else(busy)
}

fn uplink_loss(now: Instant, person: &Person<'_>) -> Option<Suspicion> {
    let permille = person.account.uplink_permille(now)?;
    of(Kind::UplinkLoss, permille, LOSS_PERMILLE, permille * LOSS_COST_US)
}

fn downlink_loss(now: Instant, person: &Person<'_>) -> Option<Suspicion> {
    let permille = person.account.downlink_permille(now);
    of(Kind::DownlinkLoss, permille, LOSS_PERMILLE, permille * LOSS_COST_US)
}

/// Whose way to the server makes others, or themselves, wait.
fn shaky(now: Instant, person: &Person<'_>, all: &[Pair]) -> Option<Suspicion> {
    let is_own = |pair: &Pair| pair.listener == person.id || pair.publisher == person.id;
    let heard = median(all.iter().filter(|p| p.publisher == person.id).map(|p| p.wait_us));
    let hears = median(all.iter().filter(|p| p.listener == person.id).map(|p| p.wait_us));
    let wait_us = heard.max(hears);
    if let Some(network) = person.account.network(now) {
        let cost_us = wait_us.unwrap_or(network.jitter_us);
        let shakes = of(Kind::Shaky, network.jitter_us, SHAKY_US, cost_us)?;
        // What hardly anybody waits for costs nothing, however it shakes.
        let waits = wait_us.map_or(Some(shakes), |us| of(Kind::Shaky, us, WAIT_LONG_US, us))?;
        let strength =
            if waits.strength == Strength::Weak { Strength::Weak } else { shakes.strength };
        return Some(Suspicion { strength, ..shakes });
    }
    // Of whoever does not say: who makes everybody wait where the others do not make each other.
    let others = median(all.iter().filter(|pair| !is_own(pair)).map(|pair| pair.wait_us));
    let alone_us = wait_us.zip(others).filter(|(own, others)| 2 * others <= *own);
    let alone_us = alone_us.map_or(0, |(own, _)| own);
    let jitter_us = person.account.uplink_jitter_us(now).unwrap_or(0);
    of(Kind::Shaky, alone_us, WAIT_LONG_US, alone_us).or_else(|| {
        let jitter_us = jitter_us.min(SECOND_US);
        of(Kind::Shaky, jitter_us, UPLINK_SHAKY_US, jitter_us)
    })
}

fn ordinary_player(person: &Person<'_>) -> Option<Suspicion> {
    let is_ordinary = person.engine == EngineKind::Standard;
    is_ordinary.then(|| of(Kind::OrdinaryPlayer, 1, 1, ORDINARY_COST_US)).flatten()
}

fn long_packets(person: &Person<'_>) -> Option<Suspicion> {
    let is_long = person.engine == EngineKind::Browser
        && person.tracks.iter().any(|track| track.codecs == [Codec::Opus]);
    is_long.then(|| of(Kind::LongPackets, 1, 1, LONG_PACKETS_COST_US)).flatten()
}

fn chosen_delay(now: Instant, person: &Person<'_>) -> Option<Suspicion> {
    let spare_us = median(person.account.tracks(now).filter_map(|hearing| hearing.spare_us))?;
    of(Kind::ChosenDelay, spare_us, SPARE_US, spare_us)
}

/// Who is far away, or everybody.
fn far(now: Instant, people: &[Person<'_>]) -> Vec<Suspicion> {
    let trips = people
        .iter()
        .filter_map(|person| Some((person.id, person.account.network(now)?.round_trip_us)));
    let trips: Vec<_> = trips.collect();
    let nearest_us = trips.iter().map(|(_, us)| *us).min();
    if let Some(nearest_us) = nearest_us.filter(|_| trips.len() == people.len())
        && let Some(far) = of(Kind::FarServer, nearest_us, FAR_US, nearest_us)
    {
        return vec![far];
    }
    let far = trips.into_iter().filter_map(|(id, us)| {
        // Each way is half of it, and both that they hear and that they are heard comes so much later.
        let far = of(Kind::FarAway, us, FAR_US, us / 2)?;
        Some(Suspicion { about: Some(id), ..far })
    });
    far.collect()
}

/// Who waits how long for whom because of the network.
struct Pair {
    listener: ParticipantId,
    publisher: ParticipantId,
    wait_us: u32,
}

fn pairs(now: Instant, people: &[Person<'_>]) -> Vec<Pair> {
    let mut pairs = Vec::new();
    for listener in people {
        for publisher in people.iter().filter(|person| person.id != listener.id) {
            let hearings = publisher
                .tracks
                .iter()
                .filter_map(|track| listener.account.hearing(now, track.id)?.network_us);
            let Some(wait_us) = hearings.max() else { continue };
            // Packets come a period at a time: that is the sound card's, not the network's.
            let period_us = publisher.account.device(now).period_us.unwrap_or(0);
            let heap_us = period_us.saturating_sub(PACKET_US);
            let wait_us = wait_us.saturating_sub(heap_us);
            pairs.push(Pair { listener: listener.id, publisher: publisher.id, wait_us });
        }
    }
    pairs
}

fn publisher<'a>(people: &'a [Person<'a>], track: TrackId) -> Option<&'a Person<'a>> {
    people.iter().find(|person| person.tracks.iter().any(|own| own.id == track))
}

/// The lower of the two in the middle.
fn median(numbers: impl Iterator<Item = u32>) -> Option<u32> {
    let mut numbers: Vec<_> = numbers.collect();
    numbers.sort_unstable();
    numbers.get(numbers.len().saturating_sub(1) / 2).copied()
}

/// A suspicion of nobody yet, if the number is anywhere near its threshold.
fn of(kind: Kind, value: u32, strong_from: u32, cost_us: u32) -> Option<Suspicion> {
    let strength = if strong_from <= value {
        Strength::Strong
    } else if strong_from - strong_from / 4 <= value {
        Strength::Weak
    } else {
        return None;
    };
    Some(Suspicion { code: kind.code(), about: None, kind, strength, value, cost_us })
}

impl Kind {
    const fn code(self) -> FindingCode {
        match self {
            Self::Period => FindingCode::LargePeriod,
            Self::RadioOutput
            | Self::RadioInput
            | Self::SlowOutput
            | Self::SlowOutputOfBrowser
            | Self::SlowInput => FindingCode::SlowDevice,
            Self::Shaky => FindingCode::ShakyNetwork,
            Self::UplinkLoss => FindingCode::UplinkLoss,
            Self::DownlinkLoss => FindingCode::DownlinkLoss,
            Self::FarAway => FindingCode::FarAway,
            Self::FarServer => FindingCode::FarServer,
            Self::LeavesOut | Self::Misses | Self::Busy => FindingCode::SlowComputer,
            Self::OrdinaryPlayer => FindingCode::OrdinaryPlayer,
            Self::LongPackets => FindingCode::LongPackets,
            Self::ChosenDelay => FindingCode::ChosenDelay,
        }
    }
}

/// 256 frames at 48 kHz take 5.3 ms. A period is paid for twice, in and out; 128 frames (2.7 ms) are what nearly every
/// card can do, so that from here on there are 5 ms or more to win.
const PERIOD_LARGE_US: u32 = 5_000;
const PERIOD_GOOD_US: u32 = 2_667;

/// What a driver says beyond its periods. Cables have 1 to 5 ms of converters, a browser on its shortest setting
/// some 10 to 30; Bluetooth headphones have 100 and more.
const DEVICE_SLOW_US: u32 = 40_000;
const RADIO_US: u32 = 100_000;

/// Three in the latest four seconds or so, each of which is heard. A device that has just been opened misses one or two.
const MISSED_MANY: u32 = 3;
const MISSED_COST_US: u32 = 5_000;

/// Where the engine begins to leave musicians out (`BUSY_PERCENT` in `engine/core/src/rt/relief.rs`).
const BUSY_PERMILLE: u32 = 500;
const BUSY_COST_US: u32 = 5_000;

/// One packet in a hundred is 7 gaps a second at 750 packets. Repetition mends most of them from 4 in a thousand on
/// ([`crate::limits::REDUNDANCY_PERMILLE`]), for a delay of one or two frames.
const LOSS_PERMILLE: u32 = 10;
const LOSS_COST_US: u32 = 1_000;

/// What nine of ten round trips differ from the one before by, at most, in the networks of `tools/relay`: 0.3 ms on a cable,
/// 1.3 over Wi-Fi beside its access point, 2.2 over television cable, 7 and more through walls and over telephone
/// networks.
const SHAKY_US: u32 = 2_500;

/// What there is to win has to be worth a sentence: as much as with periods. A cable asks for 0.6 ms, Wi-Fi beside its
/// access point for 4.5, through walls for 60.
const WAIT_LONG_US: u32 = 5_000;

/// The jitter of RFC 3550 where nothing else is known, of a browser's 10 ms packets: its timers have 1 to 3 ms.
const UPLINK_SHAKY_US: u32 = 8_000;

/// A packet of `opus-64`, and a period that makes one.
const PACKET_US: u32 = 1_333;

/// 20 ms each way. Two who are both so far hear each other 40 ms late before any sound card has its share, and beyond
/// 25 to 40 playing in time fails for most music.
const FAR_US: u32 = 40_000;

/// Packets of 10 ms, a jitter buffer of 34 ms on a path without jitter (Firefox and Chromium on loopback), and an output
/// with a longer setting than ours.
const ORDINARY_COST_US: u32 = 50_000;

/// 10 ms instead of 1.3, and the longer look-ahead of `opus`.
const LONG_PACKETS_COST_US: u32 = 10_000;

/// More than what anybody who asks for a little safety has.
const SPARE_US: u32 = 10_000;

const SECOND_US: u32 = 1_000_000;
