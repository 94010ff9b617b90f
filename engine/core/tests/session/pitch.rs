//! Pitch while the playout delay moves.

use protocol::codec::Codec;

use crate::rig::ears::pitch_cents;
use crate::rig::weather::Weather;
use crate::rig::{Heard, Plan, run};

const HZ: f64 = 1000.0;

/// Half a percent.
const CENTS_MAX: f64 = 9.0;

/// A steady sine of 1 kHz.
fn sine(frame: usize) -> [f32; 2] {
    #[expect(clippy::cast_possible_truncation, reason = "a sample")]
    let sample = (0.5 * (frame as f64 * HZ / 48_000.0 * std::f64::consts::TAU).sin()) as f32;
    [sample; 2]
}

/// Hears the sine through a network that is quiet, shakes from 6 s to 12 s, and is quiet again.
fn through_a_spell(codec: Codec, sd_ms: f64, seed: u64) -> Heard {
    let weather = Weather::spell(seed, 10.0, sd_ms, 6000, 12_000);
    run(Plan { weather, seconds: 40.0, seed, ..Plan::clean(codec) }, sine)
}

#[test]
fn pitch_bends_little_while_jitter_begins_and_ends() {
    for codec in Codec::ALL {
        for sd_ms in [1.0, 3.0] {
            let heard = through_a_spell(codec, sd_ms, 1);
            let delay = |tenth: usize| heard.history[tenth].playout_delay_frames;
            let (before, during, after) = (delay(55), delay(118), delay(395));
            assert!(before + 48 < during && after + 48 < during, "{before} {during} {after}");
            // Where something is invented or spliced there is no pitch to speak of.
            let calm = |n: &usize| {
                let [before, after] = [n - 2, *n].map(|at| &heard.history[at]);
                before.concealed_frames == after.concealed_frames && before.splices == after.splices
            };
            for tenth in (10..heard.history.len()).filter(calm) {
                let place = tenth * 4800..(tenth + 1) * 4800;
                let Some(part) = heard.left.get(place) else { break };
                let (cents, at) = pitch_cents(part, HZ, 0.5);
                assert!(cents <= CENTS_MAX, "{codec} {sd_ms} ms: {cents} cents at {tenth} + {at}");
            }
        }
    }
}

#[test]
fn a_bend_of_pitch_is_measured_in_cents() {
    let bent = |cents: f64| -> Vec<f32> {
        let mut turns = 0.0;
        let sample = |frame: usize| {
            let bent = (24_000..36_000).contains(&frame);
            let hz = if bent { HZ * (cents / 1200.0).exp2() } else { HZ };
            turns += hz / 48_000.0;
            #[expect(clippy::cast_possible_truncation, reason = "a sample")]
            let sample = (0.5 * (turns * std::f64::consts::TAU).sin()) as f32;
            sample
        };
        (0..96_000).map(sample).collect()
    };
    for cents in [0.0, 2.0, 9.0, 40.0] {
        let (found, at) = pitch_cents(&bent(cents), HZ, 0.5);
        assert!((found - cents).abs() < 0.05, "{found} for {cents}");
        assert!(cents < 1.0 || (23_000..37_000).contains(&at), "{at}");
    }
}
