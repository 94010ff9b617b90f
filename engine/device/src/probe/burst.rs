//! The sound that is played to be found again, and finding it.
//!
//! A chirp: short, broad and unlike its own echo, so that it lines up with what was heard in one place only, to
//! a part of a frame. Whatever a loudspeaker and a room do to single tones moves it little.

/// A chirp of [`BURST_FRAMES`] with a peak of 1.
#[must_use]
pub fn burst() -> Vec<f32> {
    let length = BURST_FRAMES as f64;
    let sample = |frame: usize| {
        let part = frame as f64 / length;
        let seconds = frame as f64 / RATE_HZ;
        let fade = (part * std::f64::consts::PI).sin();
        let phase = FROM_HZ * seconds + (TO_HZ - FROM_HZ) / 2.0 * part * seconds;
        #[expect(clippy::cast_possible_truncation, reason = "a sample needs no more than 24 bits")]
        let sample = (fade * (std::f64::consts::TAU * phase).sin()) as f32;
        sample
    };
    (0..BURST_FRAMES).map(sample).collect()
}

/// A burst in what was heard.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Found {
    /// Frames from the start of what was heard to the burst's.
    pub at_frame: f64,
    /// 1 where there is the burst and nothing else, 0 where there is nothing of it.
    pub similarity: f32,
    /// The same of the next best place: where it is nearly as much, there is an echo.
    pub rival: f32,
    /// The burst's own peak, as a factor of full scale.
    pub peak: f32,
}

/// The place that is most like the burst; `None` where that is not enough to be one. Takes some 50 ms for each
/// second that was heard.
#[must_use]
pub fn find(burst: &[f32], heard: &[f32]) -> Option<Found> {
    let places = heard.len().checked_sub(burst.len())? + 1;
    let burst_energy = energy(burst);
    let products: Vec<f64> =
        (0..places).map(|place| product(burst, &heard[place..place + burst.len()])).collect();
    let mut window = energy(&heard[..burst.len()]);
    let mut similarities = Vec::with_capacity(places);
    for (place, product) in products.iter().enumerate() {
        let all = (window.max(0.0) * burst_energy).sqrt();
        // Rounding may leave a little of what has gone.
        similarities.push(if all < 1e-9 { 0.0 } else { (product.abs() / all).min(1.0) });
        let (gone, comes) = (heard[place], heard.get(place + burst.len()).copied().unwrap_or(0.0));
        window += f64::from(comes).powi(2) - f64::from(gone).powi(2);
    }
    let best = (0..places).max_by(|a, b| similarities[*a].total_cmp(&similarities[*b]))?;
    let others = similarities.iter().enumerate();
    let rival = others.filter(|(place, _)| LOBE_FRAMES < place.abs_diff(best)).map(|(_, s)| *s);
    let rival = rival.fold(0.0, f64::max);
    if similarities[best] < SIMILARITY_MIN {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, reason = "between 0 and 1")]
    let (similarity, rival) = (similarities[best] as f32, rival as f32);
    #[expect(clippy::cast_possible_truncation, reason = "a factor")]
    let peak = (products[best].abs() / burst_energy) as f32;
    Some(Found { at_frame: best as f64 + between(&products, best), similarity, rival, peak })
}

/// Where between the frames the top of a parabola through three products is.
fn between(products: &[f64], best: usize) -> f64 {
    let at = |place: Option<usize>| place.and_then(|place| products.get(place)).map(|p| p.abs());
    let (Some(before), Some(after)) = (at(best.checked_sub(1)), at(Some(best + 1))) else {
        return 0.0;
    };
    let curve = before - 2.0 * products[best].abs() + after;
    if curve < 0.0 { ((before - after) / (2.0 * curve)).clamp(-0.5, 0.5) } else { 0.0 }
}

fn energy(samples: &[f32]) -> f64 {
    samples.iter().map(|sample| f64::from(*sample).powi(2)).sum()
}

/// In lanes, because a sum in order cannot be done several at a time.
fn product(a: &[f32], b: &[f32]) -> f64 {
    let mut lanes = [0.0_f32; 16];
    let (a, b) = (a.chunks_exact(16), b.chunks_exact(16));
    let rest = a.remainder().iter().zip(b.remainder()).map(|(a, b)| f64::from(a * b));
    let rest: f64 = rest.sum();
    for (a, b) in a.zip(b) {
        for ((lane, a), b) in lanes.iter_mut().zip(a).zip(b) {
            *lane += a * b;
        }
    }
    rest + lanes.iter().map(|lane| f64::from(*lane)).sum::<f64>()
}

/// How long a burst is: 85 ms.
pub const BURST_FRAMES: usize = 4096;

const RATE_HZ: f64 = 48_000.0;

/// What small loudspeakers and telephones' microphones can do.
const FROM_HZ: f64 = 300.0;
const TO_HZ: f64 = 9000.0;

/// Chance alone is as alike as 0.1 in a second of noise; a loudspeaker and a room leave 0.4 and more.
const SIMILARITY_MIN: f64 = 0.25;

/// A burst is unlike itself from 2 ms on.
const LOBE_FRAMES: usize = 96;

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(frames: usize, seed: u32) -> Vec<f32> {
        let mut state = seed;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / (1 << 23) as f32 - 1.0
        };
        (0..frames).map(|_| next()).collect()
    }

    /// What is heard of a burst that comes after so many frames and a part of one.
    fn late(frames: usize, part: f32, gain: f32, of_noise: f32) -> Vec<f32> {
        let burst = burst();
        let mut heard = noise(24_000, 7);
        heard.iter_mut().for_each(|sample| *sample *= of_noise);
        for (index, pair) in [0.0].iter().chain(&burst).zip(burst.iter().chain(&[0.0])).enumerate()
        {
            // Halfway between two samples: good to a hundredth of a frame below 9 kHz, where there is little.
            let (before, now) = pair;
            heard[frames + index] += gain * (now * (1.0 - part) + before * part);
        }
        heard
    }

    #[test]
    fn a_burst_is_found_to_a_tenth_of_a_frame_in_noise_and_upside_down() {
        let burst = burst();
        for (frames, part, gain, of_noise) in [
            (1234, 0.0, 0.1, 0.0),
            (1234, 0.3, 0.1, 0.01),
            (500, 0.75, -0.02, 0.02),
            (0, 0.0, 1e-4, 0.0),
        ] {
            let found = find(&burst, &late(frames, part, gain, of_noise)).expect("it is there");
            let truth = frames as f64 + f64::from(part);
            assert!((found.at_frame - truth).abs() < 0.1, "{truth}: {found:?}");
            assert!((found.peak - gain.abs()).abs() < 0.1 * gain.abs(), "{gain}: {found:?}");
            assert!(found.rival < 0.5 * found.similarity, "{found:?}");
        }
    }

    #[test]
    fn what_is_no_burst_is_not_taken_for_one() {
        let burst = burst();
        assert_eq!(find(&burst, &[0.0; 24_000]), None);
        assert_eq!(find(&burst, &[0.5; 100]), None, "shorter than a burst");
        for seed in 0..4 {
            assert_eq!(find(&burst, &noise(48_000, seed)), None);
        }
        let hum = |hz: f32| {
            (0..24_000).map(move |n| (n as f32 * hz / 48_000.0 * std::f32::consts::TAU).sin())
        };
        for hz in [50.0, 440.0, 1000.0, 4650.0] {
            assert_eq!(find(&burst, &hum(hz).collect::<Vec<_>>()), None, "{hz} Hz");
        }
    }

    #[test]
    fn an_echo_is_a_rival() {
        let mut heard = late(1000, 0.0, 0.1, 0.0);
        let echo = late(3000, 0.0, 0.09, 0.0);
        heard.iter_mut().zip(&echo).for_each(|(sample, echo)| *sample += echo);
        let found = find(&burst(), &heard).expect("it is there");
        assert!(0.8 * found.similarity < found.rival, "{found:?}");
    }
}
