//! Whether what comes in is neither too quiet nor too loud.

use engine_device::probe::rms_dbfs;
use protocol::units::Decibels;

use super::report::{LevelFigures, Step};

/// Measures what was heard, at 48 kHz.
pub(super) fn measure(samples: &[f32]) -> LevelFigures {
    let peak = samples.iter().fold(0.0_f32, |peak, sample| peak.max(sample.abs()));
    let mut parts: Vec<f32> = samples.chunks(PART_FRAMES).map(rms_dbfs).collect();
    parts.sort_by(f32::total_cmp);
    let floor_dbfs = parts.get(parts.len() / 10).copied().unwrap_or(-100.0);
    let full = |pair: &[f32]| FULL <= pair[0].abs() && FULL <= pair[1].abs();
    // One sample may reach full scale by itself; two in a row are cut off.
    let clipped = samples.windows(2).filter(|pair| full(pair)).count();
    LevelFigures { peak_dbfs: Decibels::from_factor(peak).0, floor_dbfs, clipped }
}

/// Judges it.
pub(super) fn judge(figures: LevelFigures) -> Step {
    let LevelFigures { peak_dbfs, floor_dbfs, clipped } = figures;
    let mut todo = Vec::new();
    if peak_dbfs <= SILENT_DBFS {
        todo.push(
            "nothing at all comes in: the input is muted, another one, or this program may not use the microphone"
                .to_owned(),
        );
    } else if 0 < clipped {
        todo.push("it is cut off at full scale: turn the input down by 10 dB or more".to_owned());
    } else if HOT_DBFS < peak_dbfs {
        let by = peak_dbfs - TARGET_DBFS;
        todo.push(format!("there is no room left above it: turn the input down by {by:.0} dB"));
    } else if peak_dbfs < QUIET_DBFS {
        let by = TARGET_DBFS - peak_dbfs;
        todo.push(format!(
            "too quiet: turn the input up by {by:.0} dB, come closer, or choose the right input"
        ));
    }
    if SILENT_DBFS < peak_dbfs && clipped == 0 && NOISY_DBFS < floor_dbfs {
        todo.push(format!(
            "it is never quiet ({floor_dbfs:.0} dBFS): if that is not the music, look for a hum, a fan, or too much gain"
        ));
    }
    let found = if peak_dbfs <= SILENT_DBFS {
        "silence".to_owned()
    } else {
        format!("loudest {peak_dbfs:.0} dBFS, quietest {floor_dbfs:.0} dBFS")
    };
    Step { name: "level", good: todo.is_empty(), found, todo }
}

const PART_FRAMES: usize = 2400;

const FULL: f32 = 0.999;

/// The last bit of 16.
const SILENT_DBFS: f32 = -96.0;
const QUIET_DBFS: f32 = -36.0;
const TARGET_DBFS: f32 = -12.0;
const HOT_DBFS: f32 = -1.5;

/// A tenth of the time at least nobody plays.
const NOISY_DBFS: f32 = -40.0;

#[cfg(test)]
mod tests {
    use super::*;

    /// Half of five seconds of a tone of this peak over noise of that peak.
    fn words(peak: f32, noise: f32) -> String {
        let sample = |frame: usize| {
            let tone = if frame < 120_000 { (frame as f32 * 0.06).sin() * peak } else { 0.0 };
            let noise = if frame.is_multiple_of(2) { noise } else { -noise };
            (tone + noise).clamp(-1.0, 1.0)
        };
        let samples: Vec<f32> = (0..240_000).map(sample).collect();
        judge(measure(&samples)).todo.join("; ")
    }

    #[test]
    fn what_has_to_be_done_is_said_with_a_number() {
        assert_eq!(words(0.25, 0.0001), "");
        assert!(words(0.0, 0.0).starts_with("nothing at all comes in"));
        assert!(words(0.004, 0.0001).contains("turn the input up by 36 dB"));
        assert!(words(0.95, 0.0).contains("turn the input down by 12 dB"));
        assert!(words(3.0, 0.0).contains("cut off at full scale"));
        assert!(words(0.25, 0.02).starts_with("it is never quiet (-34 dBFS)"));
    }
}
