//! Good weather: as early as it holds, and not a frame disturbed.

use engine::StreamState;
use protocol::codec::Codec;

use crate::rig::listen::{Combo, disturbances, fit, tone};
use crate::rig::weather::Weather;
use crate::rig::{Plan, run};

/// Runs segments of chirp and tone; gives every burst's delay in frames, checking that nothing was
/// concealed and no tone disturbed (but once, where periods are long).
fn delays(plan: Plan) -> Vec<usize> {
    let combo = Combo::new(5, 1);
    let samples = combo.samples.clone();
    let plan_is_short = plan.sender_period.max(plan.receiver_period) <= 128;
    let plan = Plan { seconds: 5.0, ..plan };
    let what = format!("{} {} {}", plan.codec, plan.sender_period, plan.receiver_period);
    let heard = run(plan, move |frame| [samples.get(frame).copied().unwrap_or(0.0); 2]);
    let end = heard.end;
    // The pattern of packets against long periods repeats too seldom to be seen at once.
    let unseen = 0;
    assert!(end.concealed_frames <= unseen, "{what} {end:?}");
    assert!(end.late_packets <= unseen / 60 && end.lost_packets == 0, "{what} {end:?}");
    assert_eq!(heard.end.state, StreamState::Playing);
    // The first burst may fall into the silent start.
    let delays: Vec<usize> = combo
        .delays(&heard.left)
        .into_iter()
        .skip(1)
        .map(|delay| delay.unwrap_or_else(|| panic!("{what}: a burst was not recognised")))
        .collect();
    assert!(12 < delays.len());
    let (events, _) = combo.disturbances(&heard.left, delays[1], 0);
    assert!(events == 0 || !plan_is_short, "{what}");
    delays
}

#[test]
fn in_step_packets_are_played_at_the_callback_after_they_came() {
    for (codec, period_and_codec) in [
        // One period on the way, plus what the codec holds back.
        (Codec::Pcm, 64),
        (Codec::Opus64, 64 + 64),
        // 120 does not divide into 64: the worst packet of the pattern waits 112 longer.
        (Codec::Opus, 64 + 112 + 120),
    ] {
        let delays = delays(Plan::clean(codec));
        assert!(delays.iter().all(|delay| *delay == period_and_codec), "{codec} {delays:?}");
    }
}

#[test]
fn any_phase_between_the_devices_costs_at_most_one_period() {
    for phase in [0.0, 10.0, 20.0, 40.0, 63.0] {
        let plan = Plan { phase_frames: phase, ..Plan::clean(Codec::Pcm) };
        let delays = delays(plan);
        // Counted from the receiver's own frame zero, which is `phase` later.
        let worst = delays.iter().max().expect("some");
        assert!(*worst <= 64 + 64, "{phase} {delays:?}");
        assert!(delays.iter().all(|delay| delay == worst), "{phase} {delays:?}");
    }
}

#[test]
fn periods_of_any_length_go_together() {
    for (sender, receiver) in [(16, 64), (64, 16), (128, 128), (441, 480), (64, 1024), (1024, 64)] {
        for codec in Codec::ALL {
            let plan = Plan {
                sender_period: sender,
                receiver_period: receiver,
                weather: Weather::constant(1.0),
                ..Plan::clean(codec)
            };
            let delays = delays(plan);
            // Frames wait for their period's end, cross the network (48), and wait for the next
            // callback; the codec's frame and look-ahead come on top.
            let most = sender + 48 + receiver + 2 * codec.codec_frame_frames() + 64;
            assert!(delays.iter().all(|delay| *delay <= most), "{codec} {sender} {delays:?}");
        }
    }
}

#[test]
fn a_tone_comes_through_whole_and_at_its_level() {
    for codec in Codec::ALL {
        let heard = run(Plan::clean(codec), tone);
        let settled = &heard.left[14_400..];
        assert_eq!(disturbances(settled, 14_400, 0.5), Vec::<usize>::new(), "{codec}");
        // Stricter than the ear: phase steps and everything that is not the tone.
        let mut last: Option<f64> = None;
        let (mut step_max, mut foreign) = (0.0_f64, 0.0_f64);
        let windows = settled.chunks_exact(480).enumerate();
        for (index, window) in windows {
            let fit = fit(window, 14_400 + index * 480);
            step_max = step_max.max(last.map_or(0.0, |last| (fit.phase - last).abs().min(6.0)));
            foreign = foreign.max(fit.foreign);
            last = Some(fit.phase);
        }
        // 16 bytes for 64 frames leave some noise.
        let (step, noise) = if codec == Codec::Opus64 { (0.1, 0.005) } else { (0.05, 0.003) };
        assert!(step_max < step && foreign < noise, "{codec}: {step_max} rad, {foreign}");
        assert_eq!(heard.left, heard.right);
        assert!((heard.end.level.peak.0 - -6.0).abs() < 0.6, "{:?}", heard.end.level);
        assert!((heard.end.level.rms.0 - -9.0).abs() < 0.5, "{:?}", heard.end.level);
    }
}

#[test]
fn statistics_say_what_is() {
    let heard = run(Plan::clean(Codec::Opus64), tone);
    let end = heard.end;
    assert_eq!(end.codec, Some(Codec::Opus64));
    assert!((748..=752).contains(&end.received_packets_per_second), "{end:?}");
    assert!(heard.sent.abs_diff(usize::try_from(end.received_packets).expect("few")) <= 1);
    // A packet waits 64 frames less the 0.3 ms (14 frames) it takes.
    assert!((48..=51).contains(&end.playout_delay_frames), "{end:?}");
    assert_eq!(end.playout_delay_target_frames, end.playout_delay_frames);
    assert_eq!(end.added_delay_frames, end.playout_delay_frames + 64 + 64);
    assert_eq!((end.splices, end.resynchronizations), (0, 0));
}

#[test]
fn the_same_plan_sounds_the_same_to_the_bit() {
    let bits = |seed| {
        let plan = Plan { weather: Weather::bad(seed), seed, ..Plan::clean(Codec::Opus64) };
        let heard = run(plan, tone);
        heard.left.iter().map(|sample| sample.to_bits()).collect::<Vec<_>>()
    };
    assert!(bits(5) == bits(5));
    assert!(bits(5) != bits(6));
}
