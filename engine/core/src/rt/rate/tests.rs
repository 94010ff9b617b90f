//! What conversion does to tones, how long it takes, and that no frame is gained or lost.

use core::f64::consts::TAU;

use proptest::prelude::*;

use super::*;

/// What is found on sound cards, and what is not but has a simple ratio.
const RATES_HZ: [u32; 10] =
    [32_000, 44_100, 47_952, 50_000, 64_000, 88_200, 96_000, 176_400, 192_000, 36_000];

/// The engine frames that an input makes of a signal that comes in blocks of these lengths, in turn.
fn captured(input: &mut DeviceInput, blocks: &[usize], signal: &[f32]) -> Vec<f32> {
    let (mut engine, mut at) = (Vec::new(), 0);
    for block in blocks.iter().cycle() {
        if at == signal.len() {
            return engine;
        }
        let end = signal.len().min(at + block);
        input.capture(&[&signal[at..end]], |frames| engine.extend_from_slice(frames[0]));
        at = end;
    }
    engine
}

/// The device frames that an output makes of an engine signal, as many as it is enough for.
fn rendered(output: &mut DeviceOutput, blocks: &[usize], signal: &[f32]) -> Vec<f32> {
    let (mut device, mut at) = (Vec::new(), 0);
    for block in blocks.iter().cycle() {
        let (mut left, mut right) = (vec![9.0; *block], vec![9.0; *block]);
        let mut enough = true;
        output.render(&mut [&mut left, &mut right], |frames| {
            let end = at + frames[0].len();
            enough = end <= signal.len();
            for channel in frames {
                let from = signal.get(at..end).unwrap_or_default();
                channel.iter_mut().zip(from).for_each(|(sample, from)| *sample = *from);
            }
            at = end;
        });
        if !enough {
            break;
        }
        assert_eq!(left, right);
        device.append(&mut left);
    }
    device
}

fn sine(hz: f64, rate_hz: u32, frames: usize) -> Vec<f32> {
    let angle = |frame: usize| to_f64(frame) * hz / f64::from(rate_hz) * TAU;
    #[expect(clippy::cast_possible_truncation, reason = "a sample")]
    (0..frames).map(|frame| angle(frame).sin() as f32).collect()
}

fn to_f64(count: usize) -> f64 {
    u32::try_from(count).map_or(0.0, f64::from)
}

/// What becomes of a sine: its level, how loud everything else is, and how much later it comes than
/// frames of the same number do.
struct Heard {
    gain_db: f64,
    foreign_db: f64,
    delay_s: f64,
}

fn fit(samples: &[f32], hz: f64, rate_hz: u32) -> Heard {
    // As many as whole turns are, or nearly: then sine and cosine are independent.
    let skipped = 400;
    let (mut cc, mut ss, mut cs, mut xc, mut xs, mut energy) = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0);
    for (frame, sample) in samples.iter().enumerate().skip(skipped) {
        let x = f64::from(*sample);
        let (s, c) = (to_f64(frame) * hz / f64::from(rate_hz) * TAU).sin_cos();
        cc += c * c;
        ss += s * s;
        cs += c * s;
        xc += x * c;
        xs += x * s;
        energy += x * x;
    }
    let det = cc * ss - cs * cs;
    let (a, b) = ((xc * ss - xs * cs) / det, (xs * cc - xc * cs) / det);
    let foreign = (energy - a * xc - b * xs).max(1e-12) / to_f64(samples.len() - skipped) * 2.0;
    Heard {
        gain_db: 20.0 * a.hypot(b).log10(),
        foreign_db: 10.0 * foreign.log10(),
        delay_s: -a.atan2(b) / TAU / hz,
    }
}

/// A second and a bit of a sine through one half of a device.
fn through(rate_hz: u32, hz: f64, half: Half) -> Heard {
    let blocks = [64];
    match half {
        Half::Input => {
            let mut input = DeviceInput::new(rate_hz).expect("a simple ratio");
            let signal = sine(hz, rate_hz, to_usize(rate_hz) / 2);
            fit(&captured(&mut input, &blocks, &signal), hz, ENGINE_HZ)
        }
        Half::Output => {
            let mut output = DeviceOutput::new(rate_hz).expect("a simple ratio");
            let signal = sine(hz, ENGINE_HZ, to_usize(ENGINE_HZ) / 2);
            fit(&rendered(&mut output, &blocks, &signal), hz, rate_hz)
        }
    }
}

#[derive(Debug, Clone, Copy)]
enum Half {
    Input,
    Output,
}

#[test]
fn tones_pass_as_they_are_to_18_khz() {
    for rate_hz in RATES_HZ {
        // Of a rate that has no 18 kHz, as much of what it has.
        let top = (0.41 * f64::from(rate_hz)).min(18_000.0);
        for half in [Half::Input, Half::Output] {
            for hz in [20.0, 440.0, 5000.0, 10_000.0, 0.9 * top, 0.94 * top, top] {
                let heard = through(rate_hz, hz, half);
                let what = format!("{rate_hz} {half:?} {hz} Hz");
                let (gain_max, foreign_max) =
                    if hz < 0.95 * top { (0.03, -60.0) } else { (0.1, -50.0) };
                assert!(heard.gain_db.abs() < gain_max, "{what}: {} dB", heard.gain_db);
                assert!(heard.foreign_db < foreign_max, "{what}: {} dB", heard.foreign_db);
            }
        }
    }
}

#[test]
fn tones_that_the_engine_cannot_have_are_not_heard_as_others() {
    for rate_hz in [64_000, 88_200, 96_000, 176_400, 192_000] {
        // 30 kHz would become 18.
        for hz in (300..rate_hz / 200).step_by(11).map(|hundred| f64::from(hundred) * 100.0) {
            let heard = through(rate_hz, hz, Half::Input);
            // It is fitted at its own frequency, where the mirror falls too.
            let level_db = heard.gain_db.max(heard.foreign_db);
            let level_max = if hz < 30_500.0 { -50.0 } else { -60.0 };
            assert!(level_db < level_max, "{rate_hz} {hz} Hz: {level_db} dB");
        }
    }
}

#[test]
fn nothing_is_louder_than_it_was() {
    for rate_hz in RATES_HZ {
        for half in [Half::Input, Half::Output] {
            let from_hz = if matches!(half, Half::Input) { rate_hz } else { ENGINE_HZ };
            for step in 1..=24 {
                let hz = f64::from(from_hz) * f64::from(step) * 0.0199;
                let heard = through(rate_hz, hz, half);
                let what = format!("{rate_hz} {half:?} {hz} Hz");
                assert!(heard.gain_db < 0.5, "{what}: {} dB", heard.gain_db);
            }
        }
    }
}

#[test]
fn the_delay_is_as_long_as_it_is_said_to_be() {
    for rate_hz in RATES_HZ {
        let input = DeviceInput::new(rate_hz).expect("a simple ratio").delay().as_secs_f64();
        let output = DeviceOutput::new(rate_hz).expect("a simple ratio").delay().as_secs_f64();
        for hz in [200.0, 1000.0] {
            let [found_in, found_out] =
                [Half::Input, Half::Output].map(|half| through(rate_hz, hz, half).delay_s);
            assert!((found_in - input).abs() < 2e-7, "{rate_hz} in: {found_in} s, said {input}");
            assert!((found_out - output).abs() < 2e-7, "{rate_hz} out: {found_out}, said {output}");
        }
    }
    let ms = |rate_hz| {
        let input = DeviceInput::new(rate_hz).expect("a simple ratio").delay();
        let output = DeviceOutput::new(rate_hz).expect("a simple ratio").delay();
        (input + output).as_secs_f64() * 1e3
    };
    let (cd, studio) = (ms(44_100), ms(96_000));
    assert!(cd < 0.25 && studio < 0.22, "{cd} and {studio} ms both ways");
}

#[test]
fn an_hour_of_blocks_has_exactly_the_frames_of_an_hour() {
    for rate_hz in RATES_HZ {
        let mut input = DeviceInput::new(rate_hz).expect("a simple ratio");
        let mut output = DeviceOutput::new(rate_hz).expect("a simple ratio");
        let (mut made, mut used, mut passed) = (0, 0, 0);
        let blocks = [64, 64, 1, 441, 64, 0, 4096, 3];
        let hour = 3600 * to_usize(rate_hz);
        let silence = [0.0; 4096];
        let (mut left, mut right) = ([0.0; 4096], [0.0; 4096]);
        for block in blocks.iter().cycle() {
            // A device that loses most of what it could have played, or the test would take long.
            let lost = if *block == 4096 { 1_000_003.min(hour - passed) } else { 0 };
            made += input.skip(lost);
            used += output.skip(lost);
            let block = (*block).min(hour - passed - lost);
            passed += lost + block;
            input.capture(&[&silence[..block]], |frames| made += frames[0].len());
            let mut place = [&mut left[..block], &mut right[..block]];
            output.render(&mut place, |frames| used += frames[0].len());
            assert_eq!(made, used, "{rate_hz} after {passed} frames");
            let exact = passed * 48_000;
            let far = (used * to_usize(rate_hz)).abs_diff(exact);
            assert!(far <= to_usize(rate_hz.max(ENGINE_HZ)), "{rate_hz} after {passed}: {used}");
            if passed == hour {
                break;
            }
        }
        assert!(used.abs_diff(3600 * 48_000) <= 1, "{rate_hz}: {used}");
    }
}

#[test]
fn a_period_of_64_is_69_or_70_frames_at_44_100_hz() {
    let mut input = DeviceInput::new(44_100).expect("a simple ratio");
    let mut counts = [0; 2];
    for _ in 0..1000 {
        input.capture(&[&[0.0; 64]], |frames| counts[frames[0].len() - 69] += 1);
    }
    // 64 * 48,000 / 44,100 = 69.66.
    assert!((655..=665).contains(&counts[1]) && counts[0] + counts[1] == 1000, "{counts:?}");
}

#[test]
fn at_the_engines_rate_blocks_are_handed_on_as_they_are() {
    let mut input = DeviceInput::new(48_000).expect("the engine's own");
    let mut output = DeviceOutput::new(48_000).expect("the engine's own");
    let block = [0.5; 10_000];
    let mut seen = 0;
    input.capture(&[&block, &block], |frames| {
        assert!(core::ptr::eq(frames[0].as_ptr(), block.as_ptr()) && frames[1].len() == 10_000);
        seen += 1;
    });
    let mut place = [0.0; 10_000];
    let address = place.as_ptr();
    output.render(&mut [&mut place], |frames| {
        assert!(core::ptr::eq(frames[0].as_ptr(), address) && frames[0].len() == 10_000);
        seen += 1;
    });
    assert_eq!((seen, input.skip(7), output.skip(9)), (2, 7, 9));
    assert_eq!(input.delay() + output.delay(), core::time::Duration::ZERO);
}

#[test]
fn rates_that_are_not_converted_are_told_with_those_that_are() {
    let text = |rate_hz| {
        let error = DeviceInput::new(rate_hz).expect_err("it is refused");
        assert_eq!(DeviceOutput::new(rate_hz).err(), Some(error));
        error.to_string()
    };
    let range = "Hz cannot be converted to 48000 Hz, only 32000 to 192000 Hz can";
    for rate_hz in [0, 22_050, 192_001, u32::MAX] {
        assert_eq!(text(rate_hz), format!("{rate_hz} {range}"));
    }
    let ratio = "Hz cannot be converted to 48000 Hz, only what is in a simple ratio to it can, such \
                 as 44100 and 96000 Hz";
    assert_eq!(text(44_101), format!("44101 {ratio}"));
}

#[test]
fn a_block_longer_than_the_engine_takes_comes_in_parts() {
    for rate_hz in [32_000, 44_100, 96_000] {
        let mut input = DeviceInput::new(rate_hz).expect("a simple ratio");
        let mut output = DeviceOutput::new(rate_hz).expect("a simple ratio");
        let (mut made, mut used) = (Vec::new(), Vec::new());
        let mut place = vec![9.0; 50_000];
        input.capture(&[&place.clone()], |frames| made.push(frames[0].len()));
        output.render(&mut [&mut place], |frames| {
            used.push(frames[0].len());
            frames[0].fill(0.0);
        });
        assert_eq!(made, used);
        assert!(1 < made.len() && made.iter().all(|part| *part <= 8192), "{made:?}");
        assert!(place.iter().all(|sample| *sample == 0.0));
    }
}

#[test]
fn a_second_channel_takes_over_the_past_of_the_only_one() {
    let mut input = DeviceInput::new(44_100).expect("a simple ratio");
    let level = [0.5; 200];
    input.capture(&[&level], |frames| assert_eq!(frames.len(), 1));
    input.capture(&[&level, &level], |frames| {
        assert_eq!(frames.len(), 2);
        assert!(frames.iter().all(|channel| (channel[0] - 0.5).abs() < 1e-3), "{frames:?}");
    });
}

#[test]
fn what_is_no_sound_is_silence_and_nothing_turns_denormal() {
    for rate_hz in [44_100, 96_000] {
        let mut input = DeviceInput::new(rate_hz).expect("a simple ratio");
        let mut block = [1e-39; 64];
        block[7] = f32::NAN;
        for _ in 0..4 {
            input.capture(&[&block], |frames| assert!(frames[0].iter().all(|s| *s == 0.0)));
        }
        // An impulse dies away to nothing, and to nothing else.
        input.capture(&[&[1e-9; 1]], |_| ());
        for _ in 0..4 {
            input.capture(&[&[0.0; 64]], |frames| {
                assert!(frames[0].iter().all(|sample| !sample.is_subnormal()), "{frames:?}");
            });
        }
    }
}

fn rates() -> impl Strategy<Value = u32> {
    (0..RATES_HZ.len()).prop_map(|index| RATES_HZ[index])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn blocks_of_any_length_make_the_same_sound(
        rate_hz in rates(),
        blocks in proptest::collection::vec(0..700_usize, 1..12),
    ) {
        prop_assume!(blocks.iter().any(|block| 0 < *block));
        let signal = sine(997.0, 48_000, 5000);
        let input = || DeviceInput::new(rate_hz).expect("a simple ratio");
        let made = captured(&mut input(), &blocks, &signal);
        prop_assert!(made == captured(&mut input(), &[64], &signal));
        let output = || DeviceOutput::new(rate_hz).expect("a simple ratio");
        let (played, steady) =
            (rendered(&mut output(), &blocks, &signal), rendered(&mut output(), &[1], &signal));
        let both = played.len().min(steady.len());
        prop_assert!(played[..both] == steady[..both]);
        // In parts, and with frames that get lost between, in and out never part.
        let (mut input, mut output) = (input(), output());
        let mut places = [vec![0.0; 700], vec![0.0; 700]];
        for (turn, block) in blocks.iter().enumerate() {
            let lost = if turn % 3 == 1 { 13 * block } else { 0 };
            prop_assert_eq!(input.skip(lost), output.skip(lost));
            let (mut made, mut used) = (0, 0);
            input.capture(&[&signal[..*block]], |frames| made += frames[0].len());
            let [left, right] = &mut places;
            let mut place = [&mut left[..*block], &mut right[..*block]];
            output.render(&mut place, |frames| used += frames[0].len());
            prop_assert_eq!(made, used);
        }
    }

    #[test]
    fn a_gap_is_as_long_as_the_frames_that_were_lost(
        rate_hz in rates(),
        before in 0..3000_usize,
        lost in 0..3000_usize,
    ) {
        let after = sine(997.0, 48_000, 2000);
        let before = vec![0.25; before];
        let gap = vec![0.0; lost];
        let mut input = DeviceInput::new(rate_hz).expect("a simple ratio");
        let mut heard = captured(&mut input, &[64], &before);
        heard.resize(heard.len() + input.skip(lost), 0.0);
        heard.append(&mut captured(&mut input, &[64], &after));
        let mut whole = DeviceInput::new(rate_hz).expect("a simple ratio");
        let expected = captured(&mut whole, &[64], &[before, gap, after].concat());
        prop_assert_eq!(heard.len(), expected.len());
        // What a filter still remembers of before is cut off.
        let tail = heard.len() - (2000 * 48_000 / to_usize(rate_hz) - 60);
        prop_assert!(heard[tail..] == expected[tail..]);
    }
}
