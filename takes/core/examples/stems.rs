//! Prints how well the stems of eight musicians line up after ten minutes, in virtual time; fails where they are more than
//! 0.1 ms apart.
//!
//! Clocks from -150 to +150 ppm, some of which wander; a room's clock that settles late, that is set, or that nobody
//! knows for a while; a device that stalls, programs that are away. Each plays a click every five seconds.
//!
//! `cargo xtask bench room-time [--json]`

#![expect(clippy::print_stdout, reason = "a program for the command line, not a part of the core")]

use std::process::ExitCode;

use takes::align::{AlignedStem, Grid, Interpolator, Timeline};
// What the musicians below look for in their own crate.
use takes::{StemId, TakeId, stem};

#[path = "../src/virtual_musician.rs"]
mod virtual_musician;

mod align {
    /// A number of frames, exact below 2^53.
    #[expect(clippy::cast_precision_loss, reason = "minutes")]
    pub(crate) const fn to_f64(frames: u64) -> f64 {
        frames as f64
    }
}

use virtual_musician::{EIGHT, Musician, START, clicks_off_ms};

const SECONDS: u64 = 600;
const APART_MS_MAX: f64 = 0.1;

fn main() -> ExitCode {
    let json = std::env::args().any(|argument| argument == "--json");
    // For each click, how early and how late it is in the stems.
    let mut clicks = vec![(0.0_f64, 0.0_f64); 120];
    let mut heard = 0;
    for (seed, musician) in (1..).zip(EIGHT) {
        for (click, off_ms) in clicks_off_ms(&aligned(&Musician { seed, ..musician })) {
            let place = usize::try_from(click).ok().and_then(|click| clicks.get_mut(click));
            if let Some((early, late)) = place {
                (*early, *late) = (early.min(off_ms), late.max(off_ms));
                heard += 1;
            }
        }
    }
    let apart_ms = clicks.iter().map(|(early, late)| late - early).fold(0.0, f64::max);
    let holds = apart_ms <= APART_MS_MAX && 100 * 8 < heard;
    if json {
        println!(r#"{{"stems_apart_ms":{apart_ms:.4},"clicks":{heard},"holds":{holds}}}"#);
    } else {
        let said = if holds { "" } else { "  does not hold" };
        println!(
            "\nstems of eight musicians after ten minutes: {apart_ms:.3} ms apart at most, {heard} clicks{said}"
        );
    }
    if holds { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// What one musician played, on the take's grid.
fn aligned(musician: &Musician) -> Vec<f32> {
    let file = musician.record(600.0);
    let grid = Grid { start: START, frames: SECONDS * 48_000 };
    let timeline = Timeline::read(file.as_slice(), grid.start).expect("a stem");
    let mut stem =
        AlignedStem::open(file.as_slice(), timeline, grid, &Interpolator::new()).expect("a stem");
    let mut sound = vec![0.0; usize::try_from(grid.frames).expect("minutes")];
    for block in sound.chunks_mut(5000) {
        stem.read(block).expect("memory can be read");
    }
    sound
}
