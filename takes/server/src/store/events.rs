//! What the room tells of a take: its beginning, its end, and what was in between.

use std::collections::BTreeMap;
use std::fs;
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use protocol::time::RoomTime;

use super::{Store, lock};
use crate::disk;
use crate::export::Export;
use crate::id::TakeKey;
use crate::limits::{
    MARKER_CHARS_MAX, MARKERS_MAX, NAME_CHARS_MAX, PRESENT_MAX, SEGMENTS_MAX, TITLE_CHARS_MAX,
};
use crate::record::{ClickSegment, Marker, Present, TakeRecord, clean, unix_ms};
use crate::refused::{BeginError, TakeError};
use crate::take::Take;
use takes::TakeId;
use takes::export::TempoChange;
use takes::limits::{BEATS_PER_BAR_MAX, TEMPO_MILLI_BPM};

/// What a take begins with.
#[derive(Debug, Clone)]
pub struct Begin {
    /// Its name, at random.
    pub take: TakeId,
    /// What opens it, at random.
    pub key: TakeKey,
    /// For people.
    pub title: String,
    /// The room's name.
    pub room: String,
    /// From when on it records, on the room's clock.
    pub start: RoomTime,
}

impl Store {
    /// A take begins.
    pub fn begin(&self, begin: &Begin) -> Result<(), BeginError> {
        self.standing().admit(&begin.room)?;
        let record = TakeRecord {
            key_sha256: begin.key.hash(),
            title: clean(&begin.title, TITLE_CHARS_MAX),
            room: clean(&begin.room, TITLE_CHARS_MAX),
            begun_unix_ms: unix_ms(SystemTime::now()),
            start_room_ns: begin.start.as_ns(),
            stop_room_ns: None,
            stopped_unix_ms: None,
            interrupted: false,
            markers: Vec::new(),
            click: Vec::new(),
            present: BTreeMap::new(),
            left_out: Vec::new(),
        };
        let (id, folder) = (begin.take, self.root.join(begin.take.to_string()));
        if folder.exists() {
            return Err(BeginError::Exists(id));
        }
        disk::make_folder(&folder)?;
        let (stems, export) = (BTreeMap::new(), Export::None);
        let take = Take { id, folder, record, stems, export, trouble: None };
        if let Err(error) = take.write_record() {
            let _ = fs::remove_dir_all(&take.folder);
            return Err(error.into());
        }
        lock(&self.takes).insert(id, Arc::new(Mutex::new(take)));
        Ok(())
    }

    /// The take ends.
    pub fn stop(&self, take: TakeId, at: RoomTime) -> Result<(), TakeError> {
        self.change(take, |record| {
            record.stop_room_ns = Some(at.as_ns());
            record.stopped_unix_ms = Some(unix_ms(SystemTime::now()));
        })?;
        self.export_if_whole(take);
        Ok(())
    }

    /// Everybody is gone, and nobody ended it.
    pub fn abandon(&self, take: TakeId) -> Result<(), TakeError> {
        self.change(take, |record| {
            record.interrupted = true;
            record.stopped_unix_ms = Some(unix_ms(SystemTime::now()));
        })?;
        self.export_if_whole(take);
        Ok(())
    }

    /// Somebody marked a moment.
    pub fn mark(&self, take: TakeId, at: RoomTime, text: &str) -> Result<(), TakeError> {
        self.change(take, |record| {
            if record.markers.len() < MARKERS_MAX {
                let text = clean(text, MARKER_CHARS_MAX);
                record.markers.push(Marker { at_room_ns: at.as_ns(), text });
            } else {
                record.leave_out(format!("markers beyond the first {MARKERS_MAX} are not kept"));
            }
        })
    }

    /// The tempo map is this, as a whole. What cannot be played is left out, since an export with it
    /// would be refused.
    pub fn click(&self, take: TakeId, changes: &[TempoChange]) -> Result<(), TakeError> {
        self.change(take, |record| {
            record.click.clear();
            for change in changes.iter().take(SEGMENTS_MAX).filter(|change| is_possible(change)) {
                let at_room_ns = change.at.as_ns();
                if record.click.last().is_none_or(|last| last.at_room_ns < at_room_ns) {
                    record.click.push(ClickSegment {
                        at_room_ns,
                        milli_bpm: change.milli_bpm,
                        beats_per_bar: change.beats_per_bar,
                        first_bar: change.first_bar,
                        accents: change.accents,
                        silent: change.silent,
                        end_room_ns: change.end.map(RoomTime::as_ns),
                    });
                }
            }
            if record.click.len() < changes.len() {
                record.leave_out(format!(
                    "some changes of tempo are not kept: beyond the first {SEGMENTS_MAX}, or impossible"
                ));
            }
        })
    }

    /// Somebody is in the room while the take runs.
    pub fn present(&self, take: TakeId, participant: u64, name: &str) -> Result<(), TakeError> {
        self.change(take, |record| {
            let is_known = record.present.contains_key(&participant);
            if is_known || record.present.len() < PRESENT_MAX {
                let name = clean(name, NAME_CHARS_MAX);
                record.present.insert(participant, Present { name });
            } else {
                record.leave_out(format!("of those present, {PRESENT_MAX} are remembered"));
            }
        })
    }

    /// Changes a record, on the disk too. What the disk does not take holds until the end of the
    /// process, and the take says so.
    fn change(&self, id: TakeId, change: impl FnOnce(&mut TakeRecord)) -> Result<(), TakeError> {
        let take = self.found(id)?;
        let mut take = lock(&take);
        change(&mut take.record);
        let written = take.write_record();
        take.trouble = written.as_ref().err().map(|error| {
            format!("what happened in the take could not be written to the server's disk: {error}")
        });
        Ok(written?)
    }
}

fn is_possible(change: &TempoChange) -> bool {
    TEMPO_MILLI_BPM.contains(&change.milli_bpm)
        && (1..=BEATS_PER_BAR_MAX).contains(&change.beats_per_bar)
}

impl TakeRecord {
    fn leave_out(&mut self, text: String) {
        if !self.left_out.contains(&text) {
            self.left_out.push(text);
        }
    }
}
