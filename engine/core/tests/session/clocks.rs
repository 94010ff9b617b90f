//! Two sound cards never agree on what a second is.

use protocol::codec::Codec;

use crate::rig::listen::{disturbances, tone};
use crate::rig::weather::Weather;
use crate::rig::{Heard, Plan, Rig, run};

fn minute(codec: Codec, drift_ppm: f64, weather: Weather) -> Heard {
    let plan = Plan { drift_ppm, weather, seconds: 60.0, ..Plan::clean(codec) };
    run(plan, tone)
}

#[test]
fn clocks_200_ppm_apart_neither_starve_nor_pile_up() {
    for codec in Codec::ALL {
        for drift_ppm in [-200.0, 200.0] {
            let heard = minute(codec, drift_ppm, Weather::constant(2.0));
            let end = heard.end;
            let what = format!("{codec} {drift_ppm} {end:?}");
            // 576 frames too many or too few, in splices of at least half a millisecond.
            assert!(end.splices <= 30, "{what}");
            // A packet now and then, where the clocks' periods slide past each other.
            assert!(end.concealed_frames <= 10 * 64, "{what}");
            let delays = heard.history[20..].iter().map(|stats| stats.playout_delay_frames);
            assert!(delays.max().expect("a minute") <= 64 + 112 + 64 + 24, "{what}");
            let found = f64::from(end.drift_ppm.expect("a minute was seen"));
            assert!((found - drift_ppm).abs() < 5.0, "{what}");
            // The tone's pitch is off by the drift, which its fit does not notice; splices may be
            // noticed, seldom.
            let disturbed = disturbances(&heard.left[96_000..], 96_000, 0.5).len();
            assert!(disturbed <= 15, "{what}: {disturbed} disturbances");
        }
    }
}

#[test]
fn drift_is_measured_through_jitter() {
    let heard = minute(Codec::Opus64, 100.0, Weather::jitter(4, 10.0, 2.0, 0.0, 0.0));
    let found = heard.end.drift_ppm.expect("a minute was seen");
    assert!((found - 100.0).abs() < 25.0, "{found}");
    assert_eq!(heard.history[100].drift_ppm, None);
}

#[test]
fn a_device_that_stopped_plays_on_where_the_music_is() {
    for (codec, lost_ms) in [(Codec::Opus64, 20.0), (Codec::Opus, 20.0), (Codec::Pcm, 2000.0)] {
        let mut rig = Rig::new(Plan::clean(codec), tone);
        rig.run_until(3.0);
        let before = rig.stats();
        rig.phase_frames += lost_ms * 48.0;
        rig.run_until(5.0);
        let after = rig.stats();
        // What piled up meanwhile is left out, not played: the delay is what it was.
        assert!(
            after.playout_delay_frames <= before.playout_delay_frames + 96,
            "{codec}: {before:?} {after:?}"
        );
        let heard = rig.into_heard();
        let at = 48_000 * 9 / 2;
        assert!(disturbances(&heard.left[at..], at, 0.5).is_empty(), "{codec}");
    }
}
