//! What the windows of the delay estimator are too slow for: a network that starts to shake, a queue that
//! fills, a loss that waiting would mend. Each of these fails where its part of the engine does nothing.

use protocol::codec::Codec;

use crate::rig::listen::tone;
use crate::rig::weather::Weather;
use crate::rig::{Heard, Plan, run};

/// When something happens, by the clock of who plays.
const AT_MS: usize = 4000;

/// Milliseconds invented between two moments, by the clock of who hears.
fn concealed_ms(heard: &Heard, from_ms: usize, to_ms: usize) -> u64 {
    let at = |ms: usize| heard.history[ms / 100 - 1].concealed_frames;
    (at(to_ms) - at(from_ms)) / 48
}

/// A way of 5 ms, and from [`AT_MS`] on what is added to it, by the milliseconds since.
fn track(added: impl Fn(usize) -> f64) -> Weather {
    let at = |ms: usize| 5.0 + ms.checked_sub(AT_MS).map_or(0.0, &added);
    Weather { track: (0..20_000).map(at).collect(), ..Weather::constant(0.0) }
}

fn hear(codec: Codec, redundant_frames: usize, weather: Weather) -> Heard {
    run(Plan { weather, redundant_frames, seconds: 8.0, ..Plan::clean(codec) }, tone)
}

#[test]
fn a_network_that_starts_to_shake_is_believed_at_the_third_late_callback() {
    for codec in Codec::ALL {
        // 4 ms longer for 4 ms out of 12. The estimator alone takes 150 ms, and 85 ms of sound with it.
        let heard = hear(codec, 0, track(|ms| if ms % 12 < 4 { 4.0 } else { 0.0 }));
        let invented = concealed_ms(&heard, AT_MS, AT_MS + 1000);
        assert!((1..50).contains(&invented), "{codec}: {invented} ms {:?}", heard.end);
    }
}

#[test]
fn a_queue_that_fills_is_run_ahead_of() {
    for codec in Codec::ALL {
        // 50 ms longer within a second. Without foresight some 200 ms are invented.
        let heard = hear(codec, 0, track(|ms| 0.05 * ms.min(1000) as f64));
        let invented = concealed_ms(&heard, AT_MS, AT_MS + 1500);
        assert!((1..100).contains(&invented), "{codec}: {invented} ms {:?}", heard.end);
    }
}

#[test]
fn a_queue_that_fills_slowly_is_run_ahead_of_further_each_time() {
    for codec in Codec::ALL {
        // 40 ms longer within two seconds. Ahead by as much each time, 113 to 182 ms are invented.
        let heard = hear(codec, 0, track(|ms| 0.02 * ms.min(2000) as f64));
        let invented = concealed_ms(&heard, AT_MS, AT_MS + 3000);
        let most = if codec == Codec::Opus { 140 } else { 80 };
        assert!((1..most).contains(&invented), "{codec}: {invented} ms {:?}", heard.end);
    }
}

#[test]
fn what_is_repeated_is_waited_for_where_packets_are_lost() {
    for codec in [Codec::Opus64, Codec::Pcm] {
        let heard = hear(codec, 1, Weather::constant(5.0).losing(0.05, 1.0, 1));
        let (settled, end) = (&heard.history[19], &heard.end);
        let lost = end.lost_packets - settled.lost_packets;
        let recovered = end.recovered_packets - settled.recovered_packets;
        assert!(100 < lost && 9 * lost < 10 * recovered, "{codec}: {recovered} of {lost}");
        assert!(0 < end.why.redundancy_frames, "{codec}: {:?}", end.why);
        // Where nothing is lost nobody waits for it.
        let calm = hear(codec, 1, Weather::constant(5.0)).end;
        assert_eq!(calm.why.redundancy_frames, 0, "{codec}: {:?}", calm.why);
        let longer = end.playout_delay_frames - calm.playout_delay_frames;
        assert!((32..=96).contains(&longer), "{codec}: by {longer} frames");
    }
}
