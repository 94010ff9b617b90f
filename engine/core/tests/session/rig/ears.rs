//! What losses do to a sound, in numbers: noise, color, clicks, pitch.
//!
//! All but [`pitch_cents`] compare two runs of the same plan, with losses and without, sample by
//! sample: what the codec and the delay do to the sound is in both and counts for nothing.

use std::f64::consts::{PI, TAU};
use std::ops::Range;
use std::rc::Rc;

use protocol::codec::Codec;

use super::weather::Weather;
use super::{Plan, run};

/// Somebody who knows how a track sounds without losses.
pub(crate) struct Ears {
    codec: Codec,
    redundant_frames: usize,
    seconds: f64,
    played: Rc<Vec<f32>>,
    clean: Vec<f32>,
    /// The packet's audio is heard so much later than what it was made from, less what the codec
    /// looks ahead.
    delay: usize,
}

/// What somebody heard, against the same without losses.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Harm {
    /// Part of what was played that was invented.
    pub(crate) concealed: f64,
    pub(crate) lost_packets: usize,
    pub(crate) snr_gaps_db: f64,
    pub(crate) snr_db: f64,
    pub(crate) spectral_distance_db: f64,
    pub(crate) clicks: usize,
}

impl Ears {
    /// `weather` without any losses.
    pub(crate) fn new(
        codec: Codec,
        redundant_frames: usize,
        seconds: f64,
        played: Vec<f32>,
        weather: Weather,
    ) -> Self {
        let played = Rc::new(played);
        let (clean, delay) = (Vec::new(), 0);
        let mut ears = Self { codec, redundant_frames, seconds, played, clean, delay };
        ears.clean = ears.listen(weather).left;
        let lookahead = match codec {
            Codec::Opus => 120,
            Codec::Opus64 => 64,
            Codec::Pcm => 0,
        };
        ears.delay = delay_frames(&ears.played, &ears.clean) - lookahead;
        ears
    }

    /// `weather` must take as long as before.
    pub(crate) fn hear(&self, weather: Weather) -> Harm {
        let heard = self.listen(weather);
        let frames = self.codec.codec_frame_frames();
        let start = |packet: &usize| packet * frames + self.delay;
        let settled = heard.lost.iter().map(start).filter(|start| SETTLED <= *start);
        let gaps: Vec<_> = settled.map(|start| start..start + frames).collect();
        let (clean, end) = (&self.clean[SETTLED..], heard.end);
        Harm {
            concealed: end.concealed_frames as f64 / end.played_frames as f64,
            lost_packets: heard.lost.len(),
            snr_gaps_db: snr_db_in(&self.clean, &heard.left, &gaps),
            snr_db: snr_db(clean, &heard.left[SETTLED..]),
            spectral_distance_db: spectral_distance_db(clean, &heard.left[SETTLED..]),
            clicks: clicks(clean, &heard.left[SETTLED..]).len(),
        }
    }

    /// Plays the track through a network.
    pub(crate) fn listen(&self, weather: Weather) -> super::Heard {
        let plan = Plan {
            weather,
            redundant_frames: self.redundant_frames,
            seconds: self.seconds,
            ..Plan::clean(self.codec)
        };
        let played = Rc::clone(&self.played);
        run(plan, move |frame| [played.get(frame).copied().unwrap_or(0.0); 2])
    }
}

/// How much later `heard` is than `played`.
fn delay_frames(played: &[f32], heard: &[f32]) -> usize {
    let played = &played[SETTLED..(SETTLED + 48_000).min(played.len())];
    let likeness = |delay: &usize| {
        let heard = &heard[(SETTLED + delay).min(heard.len())..];
        played.iter().zip(heard).map(|(a, b)| a * b).sum::<f32>()
    };
    (0..4800)
        .map(|delay| (delay, likeness(&delay)))
        .max_by(|a, b| a.1.total_cmp(&b.1))
        .map(|(delay, _)| delay)
        .expect("there are delays")
}

/// Signal over noise in dB: how little `heard` differs from `clean`. At most 120.
fn snr_db(clean: &[f32], heard: &[f32]) -> f64 {
    Powers::of(clean, heard).snr_db()
}

/// The same over some ranges only.
fn snr_db_in(clean: &[f32], heard: &[f32], ranges: &[Range<usize>]) -> f64 {
    let mut sum = Powers::default();
    for range in ranges {
        if let (Some(clean), Some(heard)) = (clean.get(range.clone()), heard.get(range.clone())) {
            let powers = Powers::of(clean, heard);
            sum.signal += powers.signal;
            sum.noise += powers.noise;
        }
    }
    sum.snr_db()
}

#[derive(Debug, Clone, Copy, Default)]
struct Powers {
    signal: f64,
    noise: f64,
}

impl Powers {
    fn of(clean: &[f32], heard: &[f32]) -> Self {
        let square = |sample: f32| f64::from(sample) * f64::from(sample);
        let signal = clean.iter().map(|sample| square(*sample)).sum();
        let noise = clean.iter().zip(heard).map(|(clean, heard)| square(clean - heard)).sum();
        Self { signal, noise }
    }

    fn snr_db(self) -> f64 {
        10.0 * (self.signal.max(1e-12) / self.noise.max(self.signal * 1e-12).max(1e-24)).log10()
    }
}

/// Log-spectral distance in dB: over windows of 10.7 ms, the root of the mean squared difference of
/// the two spectra in dB up to 16 kHz; then the mean over all windows. What lies more than 70 dB
/// below the loudest bin of the window counts as lying there.
fn spectral_distance_db(clean: &[f32], heard: &[f32]) -> f64 {
    let windows = clean.windows(SPECTRUM).zip(heard.windows(SPECTRUM)).step_by(SPECTRUM / 2);
    let (mut sum, mut count) = (0.0, 0.0);
    for (clean, heard) in windows {
        count += 1.0;
        if clean == heard {
            continue;
        }
        let (clean, heard) = (spectrum(clean), spectrum(heard));
        let loudest = clean.iter().copied().fold(1e-9, f64::max);
        let db = |power: f64| 10.0 * power.max(loudest * 1e-7).log10();
        let squares = clean.iter().zip(&heard).map(|(a, b)| (db(*a) - db(*b)).powi(2));
        sum += (squares.sum::<f64>() / clean.len() as f64).sqrt();
    }
    sum / count
}

/// Powers of the bins up to 16 kHz, through a Hann window.
fn spectrum(samples: &[f32]) -> Vec<f64> {
    let mut bins: Vec<(f64, f64)> = samples
        .iter()
        .enumerate()
        .map(|(index, sample)| {
            let weight = (PI * (index as f64 + 0.5) / SPECTRUM as f64).sin().powi(2);
            (f64::from(*sample) * weight, 0.0)
        })
        .collect();
    transform(&mut bins);
    bins[1..=SPECTRUM / 3].iter().map(|(re, im)| re * re + im * im).collect()
}

/// The discrete Fourier transform of a power of two of samples, in place.
fn transform(bins: &mut [(f64, f64)]) {
    let count = bins.len();
    let bits = count.trailing_zeros();
    for index in 0..count {
        let other = index.reverse_bits() >> (usize::BITS - bits);
        if index < other {
            bins.swap(index, other);
        }
    }
    let mut half = 1;
    while half < count {
        for (start, k) in (0..count).step_by(2 * half).flat_map(|s| (0..half).map(move |k| (s, k)))
        {
            let (sin, cos) = (-PI * k as f64 / half as f64).sin_cos();
            let (a, b) = (bins[start + k], bins[start + k + half]);
            let turned = (b.0 * cos - b.1 * sin, b.0 * sin + b.1 * cos);
            bins[start + k] = (a.0 + turned.0, a.1 + turned.1);
            bins[start + k + half] = (a.0 - turned.0, a.1 - turned.1);
        }
        half *= 2;
    }
}

/// Where the wave bends as it does not in `clean`: the second difference is at least -26 dB of full
/// scale, and four times the largest of `clean` within 5 ms.
fn clicks(clean: &[f32], heard: &[f32]) -> Vec<usize> {
    let excuses: Vec<f32> = bends(clean)
        .collect::<Vec<_>>()
        .chunks(CLICK_REACH)
        .map(|chunk| chunk.iter().copied().fold(0.0, f32::max))
        .collect();
    let mut found: Vec<usize> = Vec::new();
    for (at, bend) in bends(heard).enumerate() {
        let chunk = at / CLICK_REACH;
        let around = &excuses[chunk.saturating_sub(1)..(chunk + 2).min(excuses.len())];
        let excuse = around.iter().copied().fold(0.0, f32::max);
        let apart = found.last().is_none_or(|last| last + CLICK_REACH < at);
        if 0.05 <= bend && 4.0 * excuse <= bend && apart {
            found.push(at);
        }
    }
    found
}

/// The absolute second differences.
pub(crate) fn bends(samples: &[f32]) -> impl Iterator<Item = f32> {
    samples.windows(3).map(|w| (w[0] - 2.0 * w[1] + w[2]).abs())
}

/// How far the pitch of a sine strays at most, in cents, over windows of 20 ms; and where.
///
/// The sine's phase is measured every millisecond over 5 ms, and its mean frequency over 20 ms is how
/// far that phase has come. Places where less than half of the usual amplitude is heard are passed
/// over: what has no sound has no pitch.
pub(crate) fn pitch_cents(heard: &[f32], hz: f64, amplitude: f64) -> (f64, usize) {
    let phases: Vec<Option<f64>> = (0..)
        .map(|ms| ms * 48)
        .map_while(|at| heard.get(at..at + PHASE_WINDOW).map(|window| (at, window)))
        .map(|(at, window)| phase(window, at, hz, amplitude))
        .collect();
    // The phase against that of the true frequency, without its jumps by a whole turn.
    let mut strays: Vec<Option<f64>> = Vec::with_capacity(phases.len());
    let mut turned = 0.0;
    let mut last: Option<f64> = None;
    for phase in phases {
        if let (Some(phase), Some(last)) = (phase, last) {
            let step = phase - last;
            turned += step - (step / TAU).round() * TAU;
        }
        strays.push(phase.map(|_| turned));
        last = phase.or(last);
    }
    let mut worst = (0.0, 0);
    for (ms, pair) in strays.windows(PITCH_MS + 1).enumerate() {
        if pair.iter().any(Option::is_none) {
            continue;
        }
        let (Some(first), Some(last)) = (pair[0], pair[PITCH_MS]) else { continue };
        let stray_hz = (last - first) / TAU / (PITCH_MS as f64 / 1000.0);
        let cents = 1200.0 * ((hz + stray_hz) / hz).max(1e-9).log2();
        if worst.0 < cents.abs() {
            worst = (cents.abs(), ms * 48);
        }
    }
    worst
}

/// The phase at which a sine is heard, against one that began with the recording; `None` where it
/// is not.
fn phase(window: &[f32], start: usize, hz: f64, amplitude: f64) -> Option<f64> {
    let (mut re, mut im) = (0.0, 0.0);
    for (index, sample) in window.iter().enumerate() {
        let weight = (PI * (index as f64 + 0.5) / PHASE_WINDOW as f64).sin().powi(2);
        let (sin, cos) = ((start + index) as f64 * hz / 48_000.0 * TAU).sin_cos();
        re += f64::from(*sample) * weight * cos;
        im -= f64::from(*sample) * weight * sin;
    }
    // A Hann window halves a sine, and so does looking at one of its two sides.
    let found = re.hypot(im) * 4.0 / PHASE_WINDOW as f64;
    (amplitude / 2.0 < found).then(|| im.atan2(re))
}

/// What comes before is for settling.
const SETTLED: usize = 48_000;

const SPECTRUM: usize = 512;
const CLICK_REACH: usize = 240;
const PHASE_WINDOW: usize = 240;
const PITCH_MS: usize = 20;
