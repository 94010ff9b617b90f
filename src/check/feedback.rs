//! How much of one's own loudspeaker comes back through the microphone: others would hear themselves, late.

use core::time::Duration;

use super::report::{FeedbackFigures, Step, tenths};
use crate::device::{Heard, Side, Trial};

/// Plays quiet bursts on both sides and listens.
pub(super) fn measure(trial: &mut Trial) -> anyhow::Result<FeedbackFigures> {
    let mut loudest: Option<(f32, Option<Duration>)> = None;
    let mut hears = false;
    for level_dbfs in LEVELS_DBFS {
        let Heard { found, outcome } = trial.play_burst(level_dbfs, Side::Both, WAIT)?;
        hears |= SILENT_DBFS < outcome.peak_dbfs;
        let Some(found) = found else { continue };
        let returned_db = 20.0 * found.peak.max(1e-6).log10() - level_dbfs;
        if loudest.is_none_or(|(before, _)| before < returned_db) {
            loudest = Some((returned_db, outcome.round_trip));
        }
    }
    Ok(FeedbackFigures {
        hears,
        returned_db: loudest.map(|(returned_db, _)| returned_db),
        round_trip_ms: loudest
            .and_then(|(_, round_trip)| round_trip)
            .map(|round_trip| tenths(round_trip.as_secs_f64() * 1e3)),
    })
}

/// Judges it.
pub(super) fn judge(figures: FeedbackFigures) -> Step {
    let step = |good, found: String, todo: Option<&str>| {
        let todo = todo.map(str::to_owned).into_iter().collect();
        Step { name: "feedback", good, found, todo }
    };
    let Some(returned_db) = figures.returned_db else {
        let found = if figures.hears {
            "nothing of what was played comes back"
        } else {
            "the input is silent, which says nothing of the loudspeaker"
        };
        return step(true, found.to_owned(), None);
    };
    let after = figures.round_trip_ms.map_or_else(String::new, |ms| format!(" after {ms:.1} ms"));
    let found = format!("what was played comes back{after}, {:.0} dB quieter", -returned_db);
    if CABLE_DB < returned_db {
        let todo = "what goes out comes in again unchanged: take the cable out, or turn off loopback (`Stereo Mix`, \
                    `Monitor of …`) in the sound settings";
        step(false, found, Some(todo))
    } else if LOUD_DB < returned_db {
        step(
            false,
            found,
            Some("use headphones: the others would hear themselves, and it may howl"),
        )
    } else {
        step(true, found, None)
    }
}

/// Of the bursts: as a quiet word, and twice as loud.
const LEVELS_DBFS: [f32; 2] = [-36.0, -24.0];

/// Longer than Bluetooth takes.
const WAIT: Duration = Duration::from_millis(500);

/// The last bit of 16.
const SILENT_DBFS: f32 = -96.0;

/// Louder than this it is no loudspeaker.
const CABLE_DB: f32 = -3.0;

/// An echo of oneself that is quieter than this is covered by what is played.
const LOUD_DB: f32 = -40.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headphones_are_asked_for_where_a_loudspeaker_is_heard() {
        let of = |returned_db| {
            let round_trip_ms = Some(12.3);
            let step = judge(FeedbackFigures { hears: true, returned_db, round_trip_ms });
            (step.good, step.todo.join(""))
        };
        assert_eq!(of(None), (true, String::new()));
        assert_eq!(of(Some(-55.0)), (true, String::new()));
        let (good, todo) = of(Some(-20.0));
        assert!(!good && todo.starts_with("use headphones"));
        let (good, todo) = of(Some(0.0));
        assert!(!good && todo.contains("loopback"));
    }
}
