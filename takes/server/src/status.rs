//! A take as it is told to people and their programs.

use std::time::{Duration, SystemTime};

use serde::Serialize;

use crate::export::Export;
use crate::limits::{Limits, SILENCE_MAX};
use crate::record::unix_ms;
use crate::take::{Stem, Take};

/// A take, without its secrets: neither its key nor the names of its stems can be had from it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Status {
    /// Its name.
    pub take: String,
    /// For people.
    pub title: String,
    /// The room it was played in.
    pub room: String,
    /// When it began by the server's clock, in milliseconds since 1970.
    pub started_unix_ms: u64,
    /// How long it is; none while it runs, and where nobody told of its end.
    pub seconds: Option<f64>,
    /// Whether it runs.
    pub running: bool,
    /// When the server deletes it, in milliseconds since 1970.
    pub kept_until_unix_ms: u64,
    /// Bytes of everything that the server keeps of it.
    pub bytes: u64,
    /// Its stems, and those that are missed.
    pub stems: Vec<StemStatus>,
    /// Moments that somebody marked.
    pub markers: Vec<MarkerStatus>,
    /// How far the download is.
    pub export: ExportStatus,
    /// What is wrong, in words; empty where nothing is.
    pub problems: Vec<String>,
}

/// One stem.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StemStatus {
    /// Which of the take's stems it is, from 1; none where nothing of it came.
    pub number: Option<u32>,
    /// Whose it is; empty as long as its beginning has not told.
    pub name: String,
    /// Of the track; empty as long as its beginning has not told.
    pub label: String,
    /// Bytes that came.
    pub bytes: u64,
    /// Seconds of sound in them, about, until the stem is complete.
    pub seconds: Option<f64>,
    /// How it is with it.
    pub state: StemState,
}

/// How it is with a stem.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum StemState {
    /// More should come.
    Arriving,
    /// All of it came, as its app has it.
    Complete,
    /// More should have come, and nothing did for [`SILENCE_MAX`]. It can go on.
    Missing,
    /// All of it came, and part of it or all cannot be read.
    Damaged,
}

/// A moment that somebody marked.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MarkerStatus {
    /// After the beginning of the take.
    pub at_seconds: f64,
    /// For people.
    pub text: String,
}

/// How far the download is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "lowercase")]
pub enum ExportStatus {
    /// There is none until somebody asks for it, or everything has come.
    Waiting,
    /// It is being made.
    Preparing {
        /// How much is done, 0 to 100.
        percent: u8,
    },
    /// It can be downloaded.
    Ready {
        /// Its length.
        bytes: u64,
        /// Whether everything that came since is in it, too.
        newest: bool,
    },
    /// It could not be made.
    Failed {
        /// Why, and what to do.
        text: String,
    },
}

impl Status {
    pub(crate) fn of(take: &Take, limits: &Limits, now: SystemTime) -> Self {
        let now_ms = unix_ms(now);
        let record = &take.record;
        let running = record.stop_room_ns.is_none() && !record.interrupted;
        let mut stems: Vec<_> = take
            .stems_in_order()
            .into_iter()
            .map(|(_, stem)| StemStatus::of(stem, now_ms))
            .collect();
        let since = record.stopped_unix_ms.unwrap_or(record.begun_unix_ms);
        let state = match is_silent(since, now_ms) && !running {
            true => StemState::Missing,
            false => StemState::Arriving,
        };
        stems.extend(take.absent().map(|name| StemStatus::absent(name, state)));
        let kept_ms = u64::from(limits.days_kept).saturating_mul(MS_A_DAY);
        let mut status = Self {
            take: take.id.to_string(),
            title: record.title.clone(),
            room: record.room.clone(),
            started_unix_ms: record.begun_unix_ms,
            seconds: record.stop_room_ns.map(|stop| seconds_between(record.start_room_ns, stop)),
            running,
            kept_until_unix_ms: record.begun_unix_ms.saturating_add(kept_ms),
            bytes: take.bytes(),
            stems,
            markers: record
                .markers
                .iter()
                .map(|marker| MarkerStatus {
                    at_seconds: seconds_between(record.start_room_ns, marker.at_room_ns),
                    text: marker.text.clone(),
                })
                .collect(),
            export: ExportStatus::of(take),
            problems: Vec::new(),
        };
        status.problems = status.find_problems(take);
        status
    }

    fn find_problems(&self, take: &Take) -> Vec<String> {
        let mut problems = Vec::new();
        for stem in &self.stems {
            let whose = stem.whose();
            match stem.state {
                StemState::Arriving | StemState::Complete => {}
                StemState::Missing if stem.bytes == 0 => problems.push(format!(
                    "nothing of {whose} has come: their app sends it once it runs again and is \
                     online; the rest of the take is good"
                )),
                StemState::Missing => problems.push(format!(
                    "{whose} has stopped coming: their app goes on once it runs again and is \
                     online; what came is good, and so is the rest of the take"
                )),
                StemState::Damaged => {
                    let damage = stem.number.and_then(|number| take.damage(number));
                    let damage = damage.unwrap_or("it cannot be read");
                    problems.push(format!("{whose}: {damage}; the rest of the take is good"));
                }
            }
        }
        if take.record.interrupted && take.record.stop_room_ns.is_none() {
            problems
                .push("the server stopped during the take, so it ends with its stems".to_owned());
        }
        if let ExportStatus::Failed { text } = &self.export {
            problems.push(format!("the download could not be made: {text}"));
        }
        problems.extend(take.record.left_out.iter().cloned());
        problems.extend(take.trouble.clone());
        problems
    }
}

impl StemStatus {
    fn of(stem: &Stem, now_ms: u64) -> Self {
        let record = &stem.record;
        let state = match (record.verified, &record.damage) {
            (true, Some(_)) => StemState::Damaged,
            (true, None) => StemState::Complete,
            (false, _) if is_silent(stem.last_unix_ms, now_ms) => StemState::Missing,
            (false, _) => StemState::Arriving,
        };
        let facts = stem.facts.clone();
        let frames = record.frames.or(facts.as_ref().map(|facts| facts.frames));
        let (name, label) = facts.map(|facts| (facts.name, facts.label)).unwrap_or_default();
        Self {
            number: Some(record.number),
            name,
            label,
            bytes: stem.bytes,
            seconds: frames.map(seconds_of),
            state,
        }
    }

    fn absent(name: &str, state: StemState) -> Self {
        let (name, label) = (name.to_owned(), String::new());
        Self { number: None, name, label, bytes: 0, seconds: None, state }
    }

    /// For a sentence.
    fn whose(&self) -> String {
        match (self.name.as_str(), self.label.as_str(), self.number) {
            ("", _, Some(number)) => format!("stem {number}"),
            ("", _, None) => "a stem".to_owned(),
            (name, "", _) => name.to_owned(),
            (name, label, _) => format!("{name} ({label})"),
        }
    }
}

impl ExportStatus {
    fn of(take: &Take) -> Self {
        match &take.export {
            Export::None | Export::Waiting => Self::Waiting,
            Export::Preparing { percent } => Self::Preparing { percent: *percent },
            Export::Ready(ready) => {
                let newest = ready.fingerprint == take.fingerprint();
                Self::Ready { bytes: ready.bytes, newest }
            }
            Export::Failed(text) => Self::Failed { text: text.clone() },
        }
    }
}

impl Take {
    fn damage(&self, number: u32) -> Option<&str> {
        let stem = self.stems.values().find(|stem| stem.record.number == number)?;
        stem.record.damage.as_deref()
    }
}

fn is_silent(since_ms: u64, now_ms: u64) -> bool {
    SILENCE_MAX < Duration::from_millis(now_ms.saturating_sub(since_ms))
}

fn seconds_between(from_ns: i64, to_ns: i64) -> f64 {
    let ns = to_ns.saturating_sub(from_ns);
    let whole = Duration::from_nanos(ns.unsigned_abs()).as_secs_f64();
    if ns < 0 { -whole } else { whole }
}

fn seconds_of(frames: u64) -> f64 {
    Duration::from_nanos(frames.saturating_mul(1_000_000) / 48).as_secs_f64()
}

const MS_A_DAY: u64 = 24 * 3600 * 1000;
