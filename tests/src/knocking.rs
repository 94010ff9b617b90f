//! Somebody who plays nothing but a knock on each beat of the click.

use engine::{Click, RoomMapping};
use protocol::time::{Instant, RoomTime};

/// Somebody who knocks on each beat.
#[derive(Debug, Default)]
pub(crate) struct Knocking {
    /// Samples of the latest knock so far.
    samples: usize,
    /// The beat that it was on.
    on: Option<RoomTime>,
}

impl Knocking {
    /// Plays into a period that was at the microphone from `at` to `until`.
    pub(crate) fn play(
        &mut self,
        click: &Click,
        mapping: &RoomMapping,
        at: Instant,
        until: Instant,
        input: &mut [f32],
    ) {
        let (from, until) = (mapping.room(at), mapping.room(until));
        let beat = click.next_beat(from).filter(|beat| beat.at < until && self.on != Some(beat.at));
        let first = beat.map(|beat| {
            let share = beat.at.ns_since(from) as f64 / until.ns_since(from) as f64;
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a period")]
            let first = (share * input.len() as f64) as usize;
            self.on = Some(beat.at);
            first
        });
        for (index, sample) in input.iter_mut().enumerate() {
            if Some(index) == first {
                self.samples = KNOCK_SAMPLES;
            }
            *sample = KNOCK_LEVEL * self.samples as f32 / KNOCK_SAMPLES as f32;
            self.samples = self.samples.saturating_sub(1);
        }
    }
}

/// A knock falls from here to silence in half a millisecond.
const KNOCK_LEVEL: f32 = 0.7;
const KNOCK_SAMPLES: usize = 24;
