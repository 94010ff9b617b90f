//! The file that is downloaded: where it lies, whether it is still what the take is, and its making.
//!
//! It lies in the folder `export` of its take under a name that says what is in it, so that one from
//! before a restart is found again, and is written under another name until it is whole.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use sha2::{Digest as _, Sha256};

use crate::disk;
use crate::id::hex;
use crate::limits::EXPORT_FRESH;
use crate::record::unix_ms;
use crate::take::Take;

/// How far the export of a take is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Export {
    /// Nobody has asked for one, or the last one is gone.
    None,
    /// It waits its turn.
    Waiting,
    /// It is being written.
    Preparing {
        /// How much is done, 0 to 100.
        percent: u8,
    },
    /// It can be downloaded.
    Ready(ReadyExport),
    /// It could not be made, and why.
    Failed(String),
}

/// An export that is whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadyExport {
    /// The file. It may go at any time; whoever has it open reads on.
    pub path: PathBuf,
    /// Its length.
    pub bytes: u64,
    /// What is in it: another one has another.
    pub fingerprint: String,
    /// When it was made, by the server's clock.
    pub(crate) made_unix_ms: u64,
    /// When it was last asked for.
    pub(crate) used_unix_ms: u64,
}

impl Export {
    /// The one that lies there from before.
    pub(crate) fn find(folder: &Path) -> io::Result<Self> {
        let entries = match fs::read_dir(folder.join(FOLDER)) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::None),
            Err(error) => return Err(error),
        };
        let mut newest: Option<ReadyExport> = None;
        for entry in entries {
            let entry = entry?;
            let name = entry.file_name();
            let Some(fingerprint) = name.to_str().and_then(|name| name.strip_suffix(END)) else {
                continue;
            };
            let found = entry.metadata()?;
            let made_unix_ms = unix_ms(found.modified()?);
            if newest.as_ref().is_none_or(|newest| newest.made_unix_ms < made_unix_ms) {
                newest = Some(ReadyExport {
                    path: entry.path(),
                    bytes: found.len(),
                    fingerprint: fingerprint.to_owned(),
                    made_unix_ms,
                    used_unix_ms: made_unix_ms,
                });
            }
        }
        Ok(newest.map_or(Self::None, Self::Ready))
    }

    /// Bytes on the disk.
    pub(crate) fn bytes(&self) -> u64 {
        match self {
            Self::Ready(ready) => ready.bytes,
            Self::None | Self::Waiting | Self::Preparing { .. } | Self::Failed(_) => 0,
        }
    }
}

impl Take {
    /// What an export of the take as it is would hold.
    pub(crate) fn fingerprint(&self) -> String {
        let mut hash = Sha256::new();
        let mut add = |text: &str| {
            hash.update(text.len().to_le_bytes());
            hash.update(text);
        };
        add(&serde_json::to_string(&self.record).unwrap_or_default());
        for (_, stem) in self.stems_in_order() {
            add(&format!("{} {} {}", stem.record.number, stem.bytes, stem.record.verified));
        }
        hex(hash.finalize().get(..16).unwrap_or_default())
    }

    /// The export, if it holds what the take is, or did a moment ago: while stems arrive it would
    /// never be the newest.
    pub(crate) fn current_export(&self, now: SystemTime) -> Option<&ReadyExport> {
        let Export::Ready(ready) = &self.export else { return None };
        let age_ms = unix_ms(now).saturating_sub(ready.made_unix_ms);
        let fresh = u128::from(age_ms) < EXPORT_FRESH.as_millis();
        (fresh || ready.fingerprint == self.fingerprint()).then_some(ready)
    }

    /// Whether everything that should come has come.
    pub(crate) fn is_whole(&self) -> bool {
        let all_verified = self.stems.values().all(|stem| stem.record.verified);
        self.record.stop_room_ns.is_some()
            && !self.stems.is_empty()
            && all_verified
            && self.absent().next().is_none()
    }

    /// Those who were there and of whom nothing has come, by their names, each once.
    pub(crate) fn absent(&self) -> impl Iterator<Item = &str> {
        let facts = self.stems.values().filter_map(|stem| stem.facts.as_ref());
        let come: BTreeSet<&str> = facts.map(|facts| facts.name.as_str()).collect();
        let present = self.record.present.values().map(|present| present.name.as_str());
        let missed: BTreeSet<&str> = present.filter(|name| !come.contains(name)).collect();
        missed.into_iter()
    }
}

/// Where exports of a take lie.
pub(crate) fn folder(take: &Path) -> PathBuf {
    take.join(FOLDER)
}

/// Where the export with that in it belongs.
pub(crate) fn path(take: &Path, fingerprint: &str) -> PathBuf {
    folder(take).join(format!("{fingerprint}{END}"))
}

/// Deletes what an export that was not finished left.
pub(crate) fn clear_unfinished(take: &Path) -> io::Result<()> {
    match fs::read_dir(folder(take)) {
        Ok(entries) => {
            for entry in entries {
                let path = entry?.path();
                if path.extension().is_none_or(|end| end != END.trim_start_matches('.')) {
                    disk::remove_file(&path)?;
                }
            }
            Ok(())
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

const FOLDER: &str = "export";

const END: &str = ".zip";
