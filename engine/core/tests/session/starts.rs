//! A stream's first moments: what is heard if the network fails it then.

use protocol::codec::Codec;

use crate::rig::listen::{disturbances, fit, tone};
use crate::rig::weather::Weather;
use crate::rig::{Plan, run};

/// How long packets are on the way.
const WAY_MS: f64 = 5.0;

#[test]
fn a_stall_right_after_the_start_repeats_nothing_that_was_invented() {
    for codec in Codec::ALL {
        for begin_ms in [0, 10, 20, 30, 35, 45, 60, 100, 300] {
            for length_ms in [25, 40, 90] {
                let (begin, end) = (f64::from(begin_ms), f64::from(begin_ms + length_ms));
                let weather = Weather { stall: Some((begin, end)), ..Weather::constant(WAY_MS) };
                let heard = run(Plan { weather, ..Plan::clean(codec) }, tone);
                let what = format!("{codec} {begin_ms} ms, for {length_ms} ms: {:?}", heard.end);
                // From where nothing is left of what came before the stall to where what it held arrives.
                #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "ms")]
                let [gap, over] = [begin + 2.0 * WAY_MS, end].map(|ms| (ms * 48.0) as usize);
                let loudness = |from: usize| fit(&heard.left[from..from + 96], from).amplitude;
                let mut softest = 1.0_f64;
                for from in (gap + 96..over.saturating_sub(96)).step_by(48) {
                    let now = loudness(from);
                    assert!(now < 1.2 * softest.max(0.02), "{what}: louder at {from}");
                    softest = softest.min(now);
                }
                // Then the music goes on, and is whole again soon.
                assert_eq!(disturbances(&heard.left[120_000..], 120_000, 0.5), Vec::<usize>::new());
            }
        }
    }
}
