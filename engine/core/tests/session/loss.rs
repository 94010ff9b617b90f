//! What losses sound like, in decibels: concealment, redundancy, and no clicks.
//!
//! The bounds lie 1 to 3 dB below what `cargo run --release -p engine --example ears` prints, so that
//! they hold for these few seconds of three instruments; silence in place of what is lost would have
//! 0 dB in the gaps.

use protocol::codec::Codec;

use crate::rig::ears::{Ears, Harm, bends};
use crate::rig::listen::tone;
use crate::rig::music::{MUSIC, music};
use crate::rig::weather::Weather;
use crate::rig::{Plan, run};

/// Piano, oboe, guitar.
const TRACKS: [&str; 3] = [MUSIC[0], MUSIC[4], MUSIC[6]];

const SECONDS: f64 = 5.0;

fn ears(codec: Codec, redundant_frames: usize, weather: fn() -> Weather) -> Vec<Ears> {
    let listener = |track| Ears::new(codec, redundant_frames, SECONDS, music(track), weather());
    TRACKS.into_iter().map(listener).collect()
}

/// The mean over the tracks.
fn harm(ears: &[Ears], weather: fn() -> Weather, loss: f64, burst_packets: f64) -> Harm {
    let heard: Vec<Harm> = (1..)
        .zip(ears)
        .map(|(seed, ears)| ears.hear(weather().losing(loss, burst_packets, seed)))
        .collect();
    let mean = |part: fn(&Harm) -> f64| heard.iter().map(part).sum::<f64>() / heard.len() as f64;
    Harm {
        concealed: mean(|harm| harm.concealed),
        lost_packets: heard.iter().map(|harm| harm.lost_packets).sum(),
        snr_gaps_db: mean(|harm| harm.snr_gaps_db),
        snr_db: mean(|harm| harm.snr_db),
        spectral_distance_db: mean(|harm| harm.spectral_distance_db),
        clicks: heard.iter().map(|harm| harm.clicks).sum(),
    }
}

fn steady() -> Weather {
    Weather::constant(5.0)
}

fn swaying() -> Weather {
    Weather::swaying(5.0, 6.0)
}

#[test]
fn music_goes_on_through_gaps_and_never_clicks() {
    for (codec, gaps_db, bursts_db, snr_db) in
        [(Codec::Pcm, 9.0, 8.0, 18.0), (Codec::Opus64, 4.0, 3.0, 7.0), (Codec::Opus, 1.5, 1.0, 4.5)]
    {
        let ears = ears(codec, 0, steady);
        let single = harm(&ears, steady, 0.05, 1.0);
        assert!(100 < single.lost_packets, "{codec} {single:?}");
        assert!(gaps_db <= single.snr_gaps_db && snr_db <= single.snr_db, "{codec} {single:?}");
        let bursts = harm(&ears, steady, 0.05, 3.0);
        assert!(bursts_db <= bursts.snr_gaps_db, "{codec} {bursts:?}");
        let many = harm(&ears, steady, 0.10, 1.0);
        assert!(many.snr_db < single.snr_db, "{codec}: {many:?} {single:?}");
        // Repetition, which suits a tone in Opus, clicks in music now and then.
        let clicks_max = if codec == Codec::Pcm { 0 } else { 4 };
        let clicks = [single.clicks, bursts.clicks, many.clicks];
        assert!(clicks.iter().all(|clicks| *clicks <= clicks_max), "{codec}: {clicks:?}");
    }
}

#[test]
fn repeated_frames_take_the_place_of_invented_ones() {
    // `opus` goes as plain RTP, which has no room for repeated frames.
    for codec in [Codec::Opus64, Codec::Pcm] {
        let heard = [0, 1, 2].map(|redundant_frames| {
            let ears = ears(codec, redundant_frames, swaying);
            (harm(&ears, swaying, 0.05, 1.0), harm(&ears, swaying, 0.05, 2.0))
        });
        let [none, one, two] = heard.map(|(single, _)| single);
        assert!(one.concealed < none.concealed / 2.0, "{codec}: {none:?} {one:?}");
        assert!(two.concealed < none.concealed / 2.0, "{codec}: {none:?} {two:?}");
        let [none, one, two] = heard.map(|(_, bursts)| bursts);
        assert!(one.concealed < none.concealed, "{codec}: {none:?} {one:?}");
        assert!(two.concealed < one.concealed, "{codec}: {one:?} {two:?}");
    }
}

#[test]
fn a_tone_is_heard_through_losses_as_it_was_played() {
    for (codec, snr_db) in [(Codec::Pcm, 40.0), (Codec::Opus64, 15.0), (Codec::Opus, 10.0)] {
        let played: Vec<f32> = (0..5 * 48_000).map(|frame| tone(frame)[0]).collect();
        let ears = Ears::new(codec, 0, SECONDS, played, steady());
        for burst in [1.0, 2.0] {
            let heard = ears.hear(steady().losing(0.03, burst, 1));
            assert!(snr_db <= heard.snr_db, "{codec} {burst} {heard:?}");
        }
    }
}

#[test]
fn a_gap_of_any_length_bends_the_wave_no_more_than_it_bends_itself() {
    for codec in Codec::ALL {
        for lost_ms in [1.0, 3.0, 8.0, 20.0, 50.0, 70.0, 200.0] {
            let outage = Some((2000.0, 2000.0 + lost_ms));
            let weather = Weather { outage, ..Weather::constant(5.0) };
            let heard = run(Plan { weather, ..Plan::clean(codec) }, tone);
            // A tone of 1031 Hz and amplitude 1/2 has second differences of 0.0091 at most.
            let sharpest = bends(&heard.left[48_000..]).fold(0.0, f32::max);
            assert!(sharpest < 0.02, "{codec} {lost_ms} ms: {sharpest}");
        }
    }
}
