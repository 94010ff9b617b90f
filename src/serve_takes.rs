//! What signalling says of takes, told to the store that keeps them.
//!
//! What surprises: signalling tells the click as it goes on from here, and a take wants to know what it was
//! all along; so what is over is kept here.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use protocol::id::RoomId;
use protocol::room_state::{BeatStrength, ClickSegment, Take, room_time};
use protocol::signal::EngineKind;
use protocol::time::RoomTime;
use signalling::TakeEvent;
use signalling_server::TakeKeeper;
use takes::TakeId;
use takes::export::TempoChange;
use takes_server::{Begin, Takes};

/// The store as signalling's shell sees it.
pub(crate) struct Keeper {
    takes: Takes,
    /// The click of each take that runs, from its beginning on.
    clicks: Mutex<BTreeMap<TakeId, Vec<TempoChange>>>,
}

impl Keeper {
    pub(crate) const fn new(takes: Takes) -> Self {
        Self { takes, clicks: Mutex::new(BTreeMap::new()) }
    }

    /// From a moment on it is this.
    fn follow_click(&self, take: TakeId, at: RoomTime, segments: &[ClickSegment]) {
        let mut clicks = self.clicks.lock().unwrap_or_else(PoisonError::into_inner);
        let changes = clicks.entry(take).or_default();
        if let Some(first) = segments.first() {
            let from = room_time(first.start_us);
            changes.retain(|change| change.at < from);
        }
        for change in changes.iter_mut() {
            change.end.get_or_insert(at);
        }
        // What ended before it began was never heard.
        changes.retain(|change| change.end.is_none_or(|end| change.at < end));
        changes.extend(segments.iter().map(tempo_change));
        // More changes than an archive may have: the oldest have been heard for longest.
        let beyond = changes.len().saturating_sub(takes::limits::TEMPO_CHANGES_MAX);
        changes.drain(..beyond);
        self.takes.click(take, changes.clone());
    }
}

impl TakeKeeper for Keeper {
    fn admit(&self, room: Option<&RoomId>) -> Result<(), String> {
        let room = room.map(ToString::to_string).unwrap_or_default();
        self.takes.admit(&room).map_err(|error| error.to_string())
    }

    fn handle(&self, event: TakeEvent) {
        match event {
            TakeEvent::Started { take: Take { id, key, title, start_us, .. }, room, click } => {
                let (Ok(take), Ok(key)) = (id.parse(), key.parse()) else { return };
                let (room, start) = (room.to_string(), room_time(start_us));
                self.takes.started(Begin { take, key, title, room, start });
                if !click.is_empty() {
                    self.follow_click(take, start, &click);
                }
            }
            TakeEvent::Present { take, participant, name, engine } => {
                // An ordinary player records nothing, so nothing of theirs is missed.
                if let (Ok(take), true) = (take.parse(), engine != EngineKind::Standard) {
                    self.takes.present(take, participant.0.into(), name);
                }
            }
            TakeEvent::Click { take, click, at_us } => {
                if let Ok(take) = take.parse() {
                    self.follow_click(take, room_time(at_us), &click);
                }
            }
            TakeEvent::Marked { take, at_us, text } => {
                if let Ok(take) = take.parse() {
                    self.takes.marked(take, room_time(at_us), text);
                }
            }
            TakeEvent::Stopped { take, stop_us } => {
                let Ok(take) = take.parse::<TakeId>() else { return };
                self.clicks.lock().unwrap_or_else(PoisonError::into_inner).remove(&take);
                match stop_us {
                    Some(stop_us) => self.takes.stopped(take, room_time(stop_us)),
                    None => self.takes.abandoned(take),
                }
            }
        }
    }
}

fn tempo_change(segment: &ClickSegment) -> TempoChange {
    let of = |strength| {
        let beats = segment.beats.iter().take(takes::limits::BEATS_PER_BAR_MAX.into()).enumerate();
        beats.fold(0, |bits, (beat, is)| bits | u64::from(*is == strength) << beat)
    };
    TempoChange {
        at: room_time(segment.start_us),
        milli_bpm: segment.tempo_millibpm,
        beats_per_bar: u8::try_from(segment.beats.len()).unwrap_or(u8::MAX),
        // Bars that are counted in have no number of their own in an archive.
        first_bar: u32::try_from(segment.bar).unwrap_or(0),
        accents: of(BeatStrength::Accent),
        silent: of(BeatStrength::Silent),
        end: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segment(start_us: i64, bar: i32) -> ClickSegment {
        let beats = vec![BeatStrength::Accent, BeatStrength::Silent, BeatStrength::Accent];
        ClickSegment { start_us, bar, tempo_millibpm: 90_000, unit: 4, beats }
    }

    #[test]
    fn what_the_click_was_is_kept_for_as_long_as_the_take_runs() {
        let keeper = Keeper::new(Takes::off("a test".to_owned()));
        let take: TakeId = "0123456789abcdef0123456789abcdef".parse().expect("an id");
        let laid_out = |keeper: &Keeper| {
            let clicks = keeper.clicks.lock().expect("nobody panicked");
            let told = clicks.get(&take).into_iter().flatten();
            told.map(|c| (c.at, c.first_bar, c.end)).collect::<Vec<_>>()
        };
        let at = room_time;
        keeper.follow_click(take, at(0), &[segment(1_000, 0), segment(9_000, 3)]);
        assert_eq!(laid_out(&keeper), [(at(1_000), 0, None), (at(9_000), 3, None)]);
        // Changed before its second part began; then it goes on with that alone.
        keeper.follow_click(take, at(2_000), &[segment(1_000, 0), segment(7_000, 2)]);
        keeper.follow_click(take, at(7_500), &[segment(7_000, 2), segment(8_000, 3)]);
        let heard = [(at(1_000), 0, Some(at(7_500))), (at(7_000), 2, None), (at(8_000), 3, None)];
        assert_eq!(laid_out(&keeper), heard);
        // It ends before its last part begins, and another one begins later.
        keeper.follow_click(take, at(7_900), &[]);
        keeper.follow_click(take, at(8_500), &[segment(9_000, 0)]);
        let [first, second, _] = heard;
        let ended = [first, (second.0, 2, Some(at(7_900))), (at(9_000), 0, None)];
        assert_eq!(laid_out(&keeper), ended);
        let clicks = keeper.clicks.lock().expect("nobody panicked").clone();
        assert_eq!((clicks[&take][0].accents, clicks[&take][0].silent), (0b101, 0b010));
        assert!(keeper.admit(None).expect_err("off").contains("a test"));
        keeper.handle(TakeEvent::Stopped { take: take.to_string(), stop_us: Some(5) });
        assert_eq!(laid_out(&keeper), []);
    }
}
