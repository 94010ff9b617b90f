//! The sentences: the cause, and the cure, in plain words, for everybody in the room alike.
//!
//! At most some 160 characters beside the name, which is cut where it is long.

use std::collections::BTreeMap;

use protocol::id::ParticipantId;

use super::rules::{Kind, Suspicion};
use crate::limits::FINDING_NAME_CHARS_MAX;

/// What is said of a suspicion.
pub(super) fn sentence(suspicion: &Suspicion, names: &BTreeMap<ParticipantId, &str>) -> String {
    let name = suspicion.about.and_then(|about| names.get(&about)).copied().unwrap_or_default();
    let who = shortened(name);
    let Suspicion { kind, value, cost_us, .. } = *suspicion;
    let ms = whole_ms(value);
    match kind {
        Kind::Period => format!(
            "{who}'s sound card works in periods of {} ms, which costs {} ms in and out: set it to 128 frames \
             (`--period 128`, or `jackd -p 128`).",
            tenths(value, 1000),
            whole_ms(value.saturating_mul(2))
        ),
        Kind::RadioOutput => format!(
            "{who}'s headphones or loudspeakers hold sound for {ms} ms, as Bluetooth does: connect them by cable."
        ),
        Kind::RadioInput => format!(
            "{who}'s microphone is {ms} ms late by itself, as Bluetooth is: connect one by cable."
        ),
        Kind::SlowOutput => format!(
            "{who}'s sound system holds sound for {ms} ms on its way out: play through JACK, or another device of \
             `vjam devices`."
        ),
        Kind::SlowOutputOfBrowser => format!(
            "{who}'s browser and sound system hold sound for {ms} ms on its way out: try another output, or \
             `vjam join` instead of the browser."
        ),
        Kind::SlowInput => format!(
            "{who}'s microphone takes {ms} ms to reach the program: choose another input, without effects of the \
             system."
        ),
        Kind::Shaky => format!(
            "{who}'s connection shakes by {ms} ms, as Wi-Fi does: use a network cable, and stop what else fills the line."
        ),
        Kind::UplinkLoss => format!(
            "{} % of what {who} sends is lost before the server, so everybody misses it: use a network cable, and \
             stop uploads.",
            percent(value)
        ),
        Kind::DownlinkLoss => format!(
            "{} % of what {who} should hear is lost after the server: use a network cable there, and stop downloads.",
            percent(value)
        ),
        Kind::FarAway => format!(
            "{who} is {ms} ms from the server and back, which is distance and nobody's fault: a server in the middle \
             helps, or the mode \"beat\"."
        ),
        Kind::FarServer => format!(
            "The server is {ms} ms or more away from everybody, there and back: one that is nearer helps all of you."
        ),
        Kind::LeavesOut => format!(
            "{who}'s computer is too slow for everybody and leaves {value} out: close other programs there, or set a \
             longer period."
        ),
        Kind::Misses => format!(
            "{who}'s computer is often too late for its sound card, which crackles: close other programs there, or \
             set a longer period."
        ),
        Kind::Busy => format!(
            "{who}'s computer spends {} % of its time on sound, close to too much: close other programs there.",
            value / 10
        ),
        Kind::OrdinaryPlayer => format!(
            "{who} plays through the browser's own player, about {} ms late: open the page in a current Chrome, Edge or Firefox.",
            whole_ms(cost_us)
        ),
        Kind::LongPackets => format!(
            "{who}'s browser sends in steps of 10 ms, because the line does not carry shorter ones: use a network \
             cable, or `vjam join`."
        ),
        Kind::ChosenDelay => format!(
            "{who} has asked for {ms} ms more delay than anything needs: set “Delay” to automatic \
             (`--playout automatic`)."
        ),
    }
}

fn shortened(name: &str) -> String {
    if name.chars().count() <= FINDING_NAME_CHARS_MAX {
        return name.to_owned();
    }
    let kept: String = name.chars().take(FINDING_NAME_CHARS_MAX - 1).collect();
    format!("{}…", kept.trim_end())
}

fn whole_ms(us: u32) -> u32 {
    us.saturating_add(500) / 1000
}

/// Of a thousand, in a hundred, to two digits at most.
fn percent(permille: u32) -> String {
    if permille < 20 { tenths(permille, 10) } else { ((permille + 5) / 10).to_string() }
}

/// With one place after the point: `21.3`.
fn tenths(value: u32, one: u32) -> String {
    let tenths = (u64::from(value) * 10 + u64::from(one) / 2) / u64::from(one);
    format!("{}.{}", tenths / 10, tenths % 10)
}
