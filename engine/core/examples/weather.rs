//! Prints what a listener gets in each weather: delay, concealment, disturbances of a tone.
//!
//! `cargo run -p engine --example weather [SECONDS] [SEED]`

#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a program for the command line, not a part of the core"
)]

#[expect(dead_code, reason = "the tests use the rest of the rig")]
#[path = "../tests/session/rig/mod.rs"]
mod rig;

use engine::RemoteStats;
use protocol::codec::Codec;
use rig::listen::{Combo, median};
use rig::weather::Weather;
use rig::{Plan, run};

fn main() {
    let argument = |index| std::env::args().nth(index).and_then(|text| text.parse::<u32>().ok());
    let seconds = argument(1).unwrap_or(60);
    let seed = argument(2).map_or(1, u64::from);
    println!(
        "{:<9}{:<6}{:>4}{:>9}{:>9}{:>9}{:>9}{:>8}{:>7}{:>7}{:>8}{:>9}{:>9}",
        "codec",
        "net",
        "red",
        "delay ms",
        "p95 ms",
        "max ms",
        "dist/min",
        "conc ms",
        "late",
        "lost",
        "splices",
        "target",
        "drift"
    );
    let red = argument(3).unwrap_or(0);
    for codec in [Codec::Pcm, Codec::Opus64, Codec::Opus] {
        for (name, weather) in [
            ("clean", Weather::constant(0.3)),
            ("p1", Weather::constant(10.3)),
            ("p2", Weather::wifi(seed)),
            ("p3", Weather::bad(seed)),
        ] {
            let combo = Combo::new(usize::try_from(seconds).expect("small"), seed);
            let samples = combo.samples.clone();
            let plan = Plan {
                weather,
                seconds: f64::from(seconds),
                seed,
                redundant_frames: usize::try_from(red).expect("small"),
                ..Plan::clean(codec)
            };
            let heard = run(plan, move |frame| [samples.get(frame).copied().unwrap_or(0.0); 2]);
            report(name, codec, red, &combo, &heard.left, &heard.history, &heard.end, seconds);
        }
    }
}

#[expect(clippy::too_many_arguments, reason = "a line of a table")]
fn report(
    name: &str,
    codec: Codec,
    red: u32,
    combo: &Combo,
    heard: &[f32],
    history: &[RemoteStats],
    end: &RemoteStats,
    seconds: u32,
) {
    // The first ten seconds are for settling.
    let settle = if 20 <= seconds { 480_000 } else { 0 };
    let delays = combo.delays(heard);
    let settled = combo.starts.iter().zip(&delays).filter(|(start, _)| settle <= **start);
    let mut settled: Vec<usize> = settled.filter_map(|(_, delay)| *delay).collect();
    settled.sort_unstable();
    let delay = median(settled.iter().copied()).unwrap_or(0);
    let ms = |frames: usize| frames as f64 / 48.0;
    let (events, minutes) = combo.disturbances(heard, delay, settle);
    let before = &history[settle / 4800];
    let conc = (end.concealed_frames - before.concealed_frames) as f64
        / 48.0
        / (f64::from(seconds) - settle as f64 / 48_000.0)
        * 60.0;
    println!(
        "{:<9}{:<6}{:>4}{:>9.2}{:>9.2}{:>9.2}{:>9.1}{:>8.1}{:>7}{:>7}{:>8}{:>9}{:>9.1}",
        codec.name(),
        name,
        red,
        ms(delay),
        ms(settled.get(settled.len() * 95 / 100).copied().unwrap_or(0)),
        ms(settled.last().copied().unwrap_or(0)),
        events as f64 / minutes,
        conc,
        end.late_packets - before.late_packets,
        end.lost_packets - before.lost_packets,
        end.splices - before.splices,
        end.playout_delay_target_frames,
        end.drift_ppm.unwrap_or(f32::NAN),
    );
}
