//! Random plans: whatever the network and the clocks do, some things always hold.

use engine::Channels;
use proptest::prelude::*;
use protocol::codec::Codec;

use crate::rig::listen::tone;
use crate::rig::weather::Weather;
use crate::rig::{Heard, Plan, run};

/// Something that can be made anew, since a plan is used up.
#[derive(Debug, Clone)]
struct Recipe {
    codec: usize,
    stereo: bool,
    redundant_frames: usize,
    periods: (usize, usize),
    drift_ppm: f64,
    phase_frames: f64,
    delay_ms: f64,
    jitter_ms: f64,
    spikes: (f64, f64),
    loss: f64,
    burst_packets: f64,
    duplication: f64,
    reorder: (f64, f64),
    stall: Option<(f64, f64)>,
    outage: Option<(f64, f64)>,
    detour: Option<(f64, f64, f64)>,
    seed: u64,
}

fn recipes() -> impl Strategy<Value = Recipe> {
    let span = |ms: f64| {
        proptest::option::of((200.0..2500.0_f64, 1.0..ms).prop_map(|(at, long)| (at, at + long)))
    };
    let shape = (0..3_usize, any::<bool>(), 0..3_usize, 1..600_usize, 1..600_usize);
    let clocks = (-500.0..500.0_f64, 0.0..64.0_f64, any::<u64>());
    let jitter = (0.0..100.0_f64, 0.0..15.0_f64, 0.0..3.0_f64, 0.0..200.0_f64);
    let faults = (0.0..0.2_f64, 0.0..20.0_f64, 0.0..0.2_f64, 0.0..0.2_f64, 0.0..50.0_f64);
    let events = (span(700.0), span(1500.0), span(1000.0), -20.0..400.0_f64);
    (shape, clocks, jitter, faults, events).prop_map(|(shape, clocks, jitter, faults, events)| {
        Recipe {
            codec: shape.0,
            stereo: shape.1,
            redundant_frames: shape.2,
            periods: (shape.3, shape.4),
            drift_ppm: clocks.0,
            phase_frames: clocks.1,
            seed: clocks.2,
            delay_ms: jitter.0 + 20.0,
            jitter_ms: jitter.1,
            spikes: (jitter.2, jitter.3),
            loss: faults.0,
            burst_packets: faults.1,
            duplication: faults.2,
            reorder: (faults.3, faults.4),
            stall: events.0,
            outage: events.1,
            detour: events.2.map(|(from, until)| (from, until, events.3)),
        }
    })
}

fn play(recipe: &Recipe) -> Heard {
    let jitter = Weather::jitter(
        recipe.seed,
        recipe.delay_ms,
        recipe.jitter_ms,
        recipe.spikes.0,
        recipe.spikes.1,
    );
    let weather = Weather {
        loss: recipe.loss,
        burst_packets: recipe.burst_packets,
        duplication: recipe.duplication,
        reorder: recipe.reorder,
        stall: recipe.stall,
        outage: recipe.outage,
        detour: recipe.detour,
        ..jitter
    };
    let codec = Codec::ALL[recipe.codec];
    let plan = Plan {
        channels: if recipe.stereo { Channels::Stereo } else { Channels::Mono },
        bitrate: 128_000,
        redundant_frames: recipe.redundant_frames,
        sender_period: recipe.periods.0,
        receiver_period: recipe.periods.1,
        drift_ppm: recipe.drift_ppm,
        phase_frames: recipe.phase_frames,
        weather,
        seconds: 3.0,
        seed: recipe.seed,
        ..Plan::clean(codec)
    };
    run(plan, tone)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn any_weather_is_survived(recipe in recipes()) {
        let heard = play(&recipe);
        let again = play(&recipe);
        // The same bits, and the same books.
        prop_assert!(heard.left == again.left && heard.right == again.right);
        prop_assert_eq!(heard.end, again.end);
        prop_assert!(heard.left.iter().chain(&heard.right).all(|sample| sample.abs() <= 1.0));
        for stats in &heard.history {
            prop_assert!(stats.concealed_frames <= stats.played_frames);
            // Half a second at most, and what a long period adds.
            prop_assert!(stats.buffer_frames <= 24_000 + 4 * 600 + 4096, "{:?}", stats);
            prop_assert!(stats.playout_delay_target_frames <= 24_000 + 4 * 600 + 4096, "{:?}", stats);
            prop_assert!(stats.late_packets <= stats.received_packets);
            prop_assert_eq!(stats.undecodable_packets, 0);
        }
        let packets = u64::try_from(heard.sent).expect("few");
        let end = heard.end;
        prop_assert!(end.received_packets + end.lost_packets <= packets, "{:?}", end);
        prop_assert!(end.duplicate_packets <= end.received_packets, "{:?}", end);
    }
}
