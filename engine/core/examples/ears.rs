//! Prints what losses do to music: the noise they add, the change of color, the clicks.
//!
//! Nine tracks of `tests/music` are played to a listener twice, with losses and without, and the two
//! are compared sample by sample. `SNR gaps` is over the frames that were lost, `SNR` over everything,
//! `LSD` the log-spectral distance over everything: means in dB over the tracks. The network `steady`
//! takes 5 ms, so that nothing waits for what is repeated; `swaying` takes 6 ms more now and then, and
//! the playout delay covers that.
//!
//! `cargo run --release -p engine --example ears [SECONDS] [CODEC]`

#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a program for the command line, not a part of the core"
)]

#[expect(dead_code, reason = "the tests use the rest of the rig")]
#[path = "../tests/session/rig/mod.rs"]
mod rig;

use protocol::codec::Codec;
use rig::ears::Ears;
use rig::music::{MUSIC, music};
use rig::weather::Weather;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let seconds = arguments.next().and_then(|text| text.parse().ok()).unwrap_or(10.0);
    let only = arguments.next();
    println!(
        "{:<9}{:<9}{:>4}{:>7}{:>6}{:>10}{:>9}{:>8}{:>8}{:>8}",
        "codec",
        "network",
        "red",
        "loss %",
        "burst",
        "hidden %",
        "SNR gaps",
        "SNR",
        "LSD",
        "clicks"
    );
    let tracks: Vec<Vec<f32>> = MUSIC.iter().map(|track| music(track)).collect();
    for codec in
        Codec::ALL.into_iter().filter(|codec| only.as_ref().is_none_or(|n| n == codec.name()))
    {
        for (network, weather) in [
            ("steady", (|| Weather::constant(5.0)) as fn() -> Weather),
            ("swaying", || Weather::swaying(5.0, 6.0)),
        ] {
            let redundancies = if network == "steady" { 0..=0 } else { 0..=2 };
            for redundant_frames in redundancies {
                table(codec, network, weather, redundant_frames, seconds, &tracks);
            }
        }
    }
}

/// All losses of one codec in one network.
fn table(
    codec: Codec,
    network: &str,
    weather: fn() -> Weather,
    redundant_frames: usize,
    seconds: f64,
    tracks: &[Vec<f32>],
) {
    let ears: Vec<Ears> = tracks
        .iter()
        .map(|track| Ears::new(codec, redundant_frames, seconds, track.clone(), weather()))
        .collect();
    for loss in [0.01, 0.05, 0.10] {
        for burst in [1.0, 2.0, 4.0] {
            let (mut snr_gaps, mut snr, mut distance) = (0.0, 0.0, 0.0);
            let (mut clicks, mut hidden) = (0, 0.0);
            for (seed, ears) in (1..).zip(&ears) {
                let heard = ears.hear(weather().losing(loss, burst, seed));
                let share = 1.0 / tracks.len() as f64;
                snr_gaps += heard.snr_gaps_db * share;
                snr += heard.snr_db * share;
                distance += heard.spectral_distance_db * share;
                clicks += heard.clicks;
                hidden += heard.concealed * share;
            }
            println!(
                "{:<9}{network:<9}{redundant_frames:>4}{:>7.0}{burst:>6.0}{:>10.2}{snr_gaps:>9.2}{snr:>8.2}{distance:>8.3}{clicks:>8}",
                codec.name(),
                loss * 100.0,
                hidden * 100.0,
            );
        }
    }
}
