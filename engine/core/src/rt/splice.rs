//! Where two stretches of audio resemble each other most: the place for a cross-fade.
//!
//! Normalised cross-correlation, first on every fourth sample (of a smoothed signal), then exactly
//! around the best place found. That is some 20,000 multiplications at most, about 5 µs, where the
//! exact search everywhere would be 250,000.

/// A place in the searched region.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Match {
    /// Where the region resembles the template, in frames from its start.
    pub(crate) index: usize,
    /// From -1 (upside down) over 0 (nothing in common) to 1 (the same, but for loudness).
    pub(crate) likeness: f32,
}

/// Which of several alike places is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Preference {
    /// The one most alike, wherever it is.
    Alike,
    /// One late in the region, unless an earlier one is clearly more alike.
    Late,
}

/// Finds where `region` resembles `template` most. `None` where the region is shorter than the
/// template or either is longer than what a search is made for.
pub(crate) fn find(template: &[f32], region: &[f32], preference: Preference) -> Option<Match> {
    if region.len() < template.len()
        || TEMPLATE_FRAMES_MAX < template.len()
        || REGION_FRAMES_MAX < region.len()
        || template.is_empty()
    {
        return None;
    }
    let mut coarse_template = [0.0; TEMPLATE_FRAMES_MAX / COARSE];
    let mut coarse_region = [0.0; REGION_FRAMES_MAX / COARSE];
    let coarse_template = smooth(template, &mut coarse_template);
    let coarse_region = smooth(region, &mut coarse_region);
    let last = region.len() - template.len();
    let bonus = match preference {
        Preference::Alike => 0.0,
        Preference::Late => LATE_BONUS_PER_FRAME,
    };
    let coarse_bonus = bonus * COARSE_F32;
    let coarse = best(coarse_template, coarse_region, 0, last / COARSE, coarse_bonus)?;
    let around = coarse.index * COARSE;
    best(template, region, around.saturating_sub(COARSE), (around + COARSE).min(last), bonus)
}

/// Means of four samples at a time.
fn smooth<'a>(samples: &[f32], out: &'a mut [f32]) -> &'a [f32] {
    let whole = samples.len() / COARSE;
    for (out, four) in out.iter_mut().zip(samples.chunks_exact(COARSE)) {
        *out = four.iter().sum();
    }
    out.get(..whole).unwrap_or_default()
}

/// The most alike place between two indices, both included; each step towards the end adds
/// `bonus` to how alike it seems.
fn best(template: &[f32], region: &[f32], first: usize, last: usize, bonus: f32) -> Option<Match> {
    let power = dot(template, template);
    let mut best: Option<Match> = None;
    let mut seems_best = f32::NEG_INFINITY;
    let mut sum_of_bonus = 0.0;
    for index in first..=last {
        let Some(candidate) = region.get(index..index + template.len()) else { break };
        let likeness = likeness_with(power, template, candidate);
        if seems_best < likeness + sum_of_bonus {
            seems_best = likeness + sum_of_bonus;
            best = Some(Match { index, likeness });
        }
        sum_of_bonus += bonus;
    }
    best
}

/// How much two stretches of the same length resemble each other, as in [`Match::likeness`].
pub(crate) fn likeness(a: &[f32], b: &[f32]) -> f32 {
    likeness_with(dot(a, a), a, b)
}

fn likeness_with(power: f32, a: &[f32], b: &[f32]) -> f32 {
    let scale = power * dot(b, b);
    // Two silences are alike.
    if scale < SILENT_POWER {
        return if power < SILENT_POWER { 1.0 } else { 0.0 };
    }
    dot(a, b) / scale.sqrt()
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    // Eight sums side by side, which the compiler turns into vector instructions.
    let (a8, a_rest) = a.as_chunks::<8>();
    let (b8, b_rest) = b.as_chunks::<8>();
    let mut sums = [0.0_f32; 8];
    for (a, b) in a8.iter().zip(b8) {
        for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
            *sum += a * b;
        }
    }
    let rest: f32 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
    sums.iter().sum::<f32>() + rest
}

/// Frames of the longest template.
pub(crate) const TEMPLATE_FRAMES_MAX: usize = 256;

/// Frames of the longest region.
pub(crate) const REGION_FRAMES_MAX: usize = 1536;

const COARSE: usize = 4;

const COARSE_F32: f32 = 4.0;

/// A match 10 ms nearer to the end may be 0.25 less alike.
const LATE_BONUS_PER_FRAME: f32 = 0.25 / 480.0;

/// Power below which a template counts as silence (-100 dB, 64 frames, times the same).
const SILENT_POWER: f32 = 1e-9;

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(frames: usize, period: f32) -> Vec<f32> {
        (0..frames)
            .map(|n| f32::from(u16::try_from(n).expect("short")))
            .map(|n| (n / period * core::f32::consts::TAU).sin())
            .collect()
    }

    #[test]
    fn a_tone_is_found_a_whole_number_of_periods_away() {
        let signal = tone(1200, 46.55);
        let found = find(&signal[..128], &signal[60..800], Preference::Alike).expect("fits");
        let periods = f32::from(u16::try_from(found.index + 60).expect("short")) / 46.55;
        assert!((periods - periods.round()).abs() < 0.012, "{periods}");
        assert!(0.99 < found.likeness);
    }

    #[test]
    fn a_burst_is_found_where_it_is() {
        let mut region = vec![0.0; 500];
        let chirp = |n: usize| f32::from(u16::try_from(n * n).expect("short")) / 900.0;
        let burst: Vec<f32> = (0..100).map(|n| chirp(n).sin()).collect();
        region[301..401].copy_from_slice(&burst);
        assert_eq!(find(&burst, &region, Preference::Alike).map(|found| found.index), Some(301));
    }

    #[test]
    fn silence_resembles_silence_and_nothing_else() {
        let likeness = |template: &[f32]| {
            find(template, &[0.0; 100], Preference::Alike).map(|found| found.likeness)
        };
        assert_eq!(likeness(&[0.0; 64]), Some(1.0));
        assert_eq!(likeness(&tone(64, 20.0)), Some(0.0));
    }

    #[test]
    fn of_equal_matches_the_late_one_is_preferred_on_request() {
        let signal = tone(800, 50.0);
        let late = find(&signal[..100], &signal[100..], Preference::Late).expect("fits");
        assert_eq!(late.index, 600);
        assert_eq!(find(&[0.0; 64], &[0.0; 100], Preference::Late).map(|m| m.index), Some(36));
    }

    #[test]
    fn what_does_not_fit_is_not_searched() {
        assert_eq!(find(&[0.0; 64], &[0.0; 63], Preference::Alike), None);
        assert_eq!(find(&[0.0; 257], &[0.0; 1000], Preference::Alike), None);
        assert_eq!(find(&[0.0; 64], &[0.0; 1537], Preference::Alike), None);
    }
}
