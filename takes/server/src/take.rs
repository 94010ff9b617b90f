//! One take as it rests in its folder: what its records say, and how long its stems are.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use sha2::Sha256;

use crate::disk;
use crate::export::Export;
use crate::id::TakeKey;
use crate::reading::{self, Facts};
use crate::record::{StemRecord, TakeRecord, unix_ms};
use takes::{StemId, TakeId};

/// A take that was read from its folder. Whoever holds it for writing must be the only one.
#[derive(Debug)]
pub(crate) struct Take {
    pub(crate) id: TakeId,
    pub(crate) folder: PathBuf,
    pub(crate) record: TakeRecord,
    pub(crate) stems: BTreeMap<StemId, Stem>,
    pub(crate) export: Export,
    /// What the disk would not write, in words.
    pub(crate) trouble: Option<String>,
}

/// One stem of it.
#[derive(Debug)]
pub(crate) struct Stem {
    pub(crate) record: StemRecord,
    pub(crate) bytes: u64,
    /// When the last bytes came, by the server's clock.
    pub(crate) last_unix_ms: u64,
    /// Of all bytes, where they all came while the server ran.
    pub(crate) hash: Option<Sha256>,
    /// What it says of itself, as far as its beginning is here.
    pub(crate) facts: Option<Facts>,
}

impl Take {
    /// Reads what is in a folder.
    pub(crate) fn load(id: TakeId, folder: &Path) -> io::Result<Self> {
        let record: TakeRecord = disk::read_record(&folder.join(TAKE_FILE))?;
        let mut stems = BTreeMap::new();
        for entry in fs::read_dir(folder)? {
            let name = entry?.file_name();
            let Some(stem) = name.to_str().and_then(|name| name.strip_suffix(STEM_END)) else {
                continue;
            };
            let Ok(stem_id) = stem.parse::<StemId>() else { continue };
            stems.insert(stem_id, Stem::load(folder, &stem_id)?);
        }
        number_the_rest(&mut stems);
        let export = Export::find(folder)?;
        Ok(Self { id, folder: folder.to_owned(), record, stems, export, trouble: None })
    }

    /// Whether the key is the take's own.
    pub(crate) fn is_opened_by(&self, key: &TakeKey) -> bool {
        // A hash is compared, so that how long it takes tells nothing of use.
        self.record.key_sha256 == key.hash()
    }

    /// Whether the folder is still there: `vjam take delete` takes it away under a running server.
    pub(crate) fn is_there(&self) -> bool {
        self.folder.join(TAKE_FILE).exists()
    }

    pub(crate) fn write_record(&self) -> io::Result<()> {
        disk::write_record(&self.folder.join(TAKE_FILE), &self.record)
    }

    pub(crate) fn write_stem_record(&self, id: &StemId, record: &StemRecord) -> io::Result<()> {
        disk::write_record(&self.stem_record_path(id), record)
    }

    pub(crate) fn stem_path(&self, id: &StemId) -> PathBuf {
        stem_path(&self.folder, id)
    }

    fn stem_record_path(&self, id: &StemId) -> PathBuf {
        self.folder.join(format!("{}.json", id))
    }

    /// Bytes of everything that counts.
    pub(crate) fn bytes(&self) -> u64 {
        let stems = self.stems.values().map(|stem| stem.bytes);
        stems.fold(self.export.bytes(), u64::saturating_add)
    }

    /// The number of the next stem.
    pub(crate) fn next_number(&self) -> u32 {
        next_number(&self.stems)
    }

    /// The stems in the order of their coming.
    pub(crate) fn stems_in_order(&self) -> Vec<(&StemId, &Stem)> {
        let mut stems: Vec<_> = self.stems.iter().collect();
        stems.sort_by_key(|(_, stem)| stem.record.number);
        stems
    }
}

impl Stem {
    fn load(folder: &Path, id: &StemId) -> io::Result<Self> {
        let path = stem_path(folder, id);
        let found = fs::metadata(&path)?;
        // A record that is not there, or cut off, costs its checksum and not the stem.
        let record = disk::read_record(&folder.join(format!("{}.json", id)));
        let mut record: StemRecord = record.unwrap_or_default();
        // A power failure may take the last bytes: the app goes on from where they end.
        if record.claim.as_ref().is_some_and(|claim| claim.length != found.len()) {
            (record.claim, record.verified) = (None, false);
        }
        Ok(Self {
            record,
            bytes: found.len(),
            last_unix_ms: unix_ms(found.modified()?),
            hash: None,
            facts: reading::facts(&path, found.len()),
        })
    }
}

/// Gives numbers to stems whose record was lost.
fn number_the_rest(stems: &mut BTreeMap<StemId, Stem>) {
    let mut next = next_number(stems);
    for stem in stems.values_mut().filter(|stem| stem.record.number == 0) {
        stem.record.number = next;
        next = next.saturating_add(1);
    }
}

fn next_number(stems: &BTreeMap<StemId, Stem>) -> u32 {
    stems.values().map(|stem| stem.record.number).max().unwrap_or(0).saturating_add(1)
}

fn stem_path(folder: &Path, id: &StemId) -> PathBuf {
    folder.join(format!("{}{STEM_END}", id))
}

/// The name of the file that describes a take.
pub(crate) const TAKE_FILE: &str = "take.json";

const STEM_END: &str = ".stem";
