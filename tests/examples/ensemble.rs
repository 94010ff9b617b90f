//! Prints how right a click is at eight ears, how right the beats of others are in *beat* mode, and whether anything jumps
//! where modes change; all in virtual time. Fails where one of the figures does not hold.
//!
//! `cargo xtask bench room-time [--json]`

#![expect(clippy::print_stdout, reason = "a program for the command line")]

use std::process::ExitCode;

use tests::ensemble::{EarFigures, largest_step_in_mode_changes, measure};

/// Aborts when an audio callback allocates or frees.
#[global_allocator]
static ALLOCATION_GUARD: assert_no_alloc::AllocDisabler = assert_no_alloc::AllocDisabler;

fn main() -> ExitCode {
    let json = std::env::args().any(|argument| argument == "--json");
    let ears = SEEDS.flat_map(|seed| measure(seed, SECONDS)).collect::<Vec<_>>();
    let step = SEEDS.map(largest_step_in_mode_changes).fold(0.0, f64::max);
    let names: Vec<_> = ears.iter().take(8).map(|ear| ear.name.clone()).collect();
    let rows: Vec<EarFigures> = names
        .iter()
        .filter_map(|name| ears.iter().filter(|ear| ear.name == *name).cloned().reduce(worse))
        .collect();
    let hold = rows.iter().all(holds) && step < STEP_MAX;
    if json {
        let rows: Vec<_> = rows.iter().map(as_json).collect();
        println!(
            "{}",
            serde_json::json!({ "ears": rows, "mode_change_step": step, "holds": hold })
        );
    } else {
        println!(
            "\n{:<34}{:>10}{:>10}{:>10}{:>8}",
            "click and beats, all seeds", "click ms", "beat ms", "bound ms", "late by"
        );
        for ear in &rows {
            let name = if ear.symmetric {
                ear.name.clone()
            } else {
                format!("{}, 12 ms longer up", ear.name)
            };
            let (beat, late) = if ear.beats == 0 {
                ("leads".to_owned(), String::new())
            } else {
                (format!("{:.3}", ear.beat_ms), format!("{} beat", ear.beats_late))
            };
            let said = if holds(ear) { "" } else { "  does not hold" };
            println!(
                "{name:<34}{:>10.3}{beat:>10}{:>10.2}{late:>9}{said}",
                ear.click_ms, ear.bound_ms
            );
        }
        let said = if step < STEP_MAX { "" } else { "  does not hold" };
        println!("largest step while modes change, over that of the tone alone: {step:.2}{said}");
    }
    if hold { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The worse of two runs of the same musician.
fn worse(a: EarFigures, b: EarFigures) -> EarFigures {
    EarFigures {
        bound_ms: a.bound_ms.max(b.bound_ms),
        click_ms: a.click_ms.max(b.click_ms),
        clicks: a.clicks.min(b.clicks),
        beat_ms: a.beat_ms.max(b.beat_ms),
        beats: a.beats.min(b.beats),
        ..a
    }
}

/// A beat of the click within a millisecond, or the bound where a path is longer one way; beats of others within a
/// millisecond of the own click, which is off by what the own clock is.
fn holds(ear: &EarFigures) -> bool {
    let within = if ear.symmetric { 1.0 } else { ear.bound_ms };
    0 < ear.clicks && ear.click_ms < within && ear.beat_ms < 1.0
}

fn as_json(ear: &EarFigures) -> serde_json::Value {
    serde_json::json!({
        "name": ear.name,
        "symmetric": ear.symmetric,
        "click_ms": ear.click_ms,
        "beat_ms": ear.beat_ms,
        "bound_ms": ear.bound_ms,
        "clicks": ear.clicks,
        "beats": ear.beats,
        "beats_late": ear.beats_late,
        "holds": holds(ear),
    })
}

const SEEDS: core::ops::Range<u64> = 501..504;
const SECONDS: f64 = 60.0;

/// Where a tone is cross-faded to itself, a step is up to half as much again as those of the tone.
const STEP_MAX: f64 = 1.6;
