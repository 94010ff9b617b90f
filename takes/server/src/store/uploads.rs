//! Stems as they arrive: bytes at their end, and the word that there are no more.

use std::fs::File;
use std::io::{self, Write as _};
use std::time::{Duration, SystemTime};

use sha2::{Digest as _, Sha256};

use super::jobs::Job;
use super::{Store, lock};
use crate::disk;
use crate::id::{TakeKey, hex};
use crate::limits::UNSYNCED_BYTES_MAX;
use crate::reading;
use crate::record::{Claim, StemRecord, unix_ms};
use crate::refused::{NoSpace, TakeError};
use crate::take::{Stem, Take};
use takes::{StemId, TakeId};

/// How far the end of a stem is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Completion {
    /// It is what the app has.
    Verified,
    /// Its bytes are being read; ask again in a while.
    BeingChecked,
}

impl Store {
    /// How much of a stem is here, and whether it is complete.
    pub fn offset(
        &self,
        take: TakeId,
        key: &TakeKey,
        stem: &StemId,
    ) -> Result<(u64, bool), TakeError> {
        let take = self.opened(take, key)?;
        let take = lock(&take);
        let stem = take.stems.get(stem).ok_or(TakeError::NoStem)?;
        Ok((stem.bytes, stem.record.verified))
    }

    /// Writes bytes to the end of a stem, which is at `offset`; gives where it ends then. All of them
    /// are there, or none.
    pub fn append(
        &self,
        take: TakeId,
        key: &TakeKey,
        stem: &StemId,
        offset: u64,
        bytes: &[u8],
    ) -> Result<u64, TakeError> {
        let take = self.opened(take, key)?;
        let mut take = lock(&take);
        let here = match take.stems.get(stem) {
            Some(stem) if stem.record.claim.is_some() => {
                return Err(TakeError::Complete { offset: stem.bytes });
            }
            Some(stem) => stem.bytes,
            None if self.limits.stems_max <= take.stems.len() => {
                return Err(TakeError::TooManyStems(take.stems.len()));
            }
            None => 0,
        };
        if offset != here {
            return Err(TakeError::WrongOffset { offset: here });
        }
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        let max = self.limits.stem_bytes_max;
        let end = here.checked_add(length).filter(|end| *end <= max);
        let end = end.ok_or(TakeError::StemTooLong(max))?;
        self.reserve(length)?;
        let written = add_stem(&mut take, stem).and_then(|()| write(&take, stem, here, bytes));
        if let Err(error) = written {
            self.release(length);
            return Err(self.explain(error, length));
        }
        let path = take.stem_path(stem);
        let stem = take.stem_mut(stem)?;
        stem.count(bytes, end);
        if here < FACTS_BYTES || here / FACTS_INTERVAL_BYTES != end / FACTS_INTERVAL_BYTES {
            stem.facts = reading::facts(&path, end);
        }
        Ok(end)
    }

    /// The app says that a stem is whole. Where its checksum must be computed anew, since the server
    /// was started in between, this waits so long for it at most.
    pub fn complete(
        &self,
        id: TakeId,
        key: &TakeKey,
        stem_id: &StemId,
        claim: &Claim,
        patience: Duration,
    ) -> Result<Completion, TakeError> {
        let shared = self.opened(id, key)?;
        let mut take = lock(&shared);
        let stem = take.stems.get(stem_id).ok_or(TakeError::NoStem)?;
        let (offset, claimed) = (stem.bytes, claim.length);
        match &stem.record.claim {
            Some(known) if known != claim => return Err(TakeError::Complete { offset }),
            Some(_) if stem.record.verified => return Ok(Completion::Verified),
            Some(_) => {}
            None if offset < claimed => return Err(TakeError::Incomplete { offset, claimed }),
            None if claimed < offset => return self.settle(&mut take, stem_id, claim, None),
            None => {
                File::open(take.stem_path(stem_id))?.sync_all()?;
                if let Some(hash) = stem.hash.clone() {
                    let found = hex(&hash.finalize());
                    return self.settle(&mut take, stem_id, claim, Some(&found));
                }
                let record = StemRecord { claim: Some(claim.clone()), ..stem.record.clone() };
                take.write_stem_record(stem_id, &record)?;
                take.stem_mut(stem_id)?.record = record;
            }
        }
        drop(take);
        let job = Job::Check(id, *stem_id);
        self.jobs.push(job);
        self.jobs.wait_for(&job, patience);
        let take = lock(&shared);
        let stem = take.stems.get(stem_id).ok_or(TakeError::NoStem)?;
        match &stem.record.claim {
            Some(_) if stem.record.verified => Ok(Completion::Verified),
            Some(_) => Ok(Completion::BeingChecked),
            None => Err(TakeError::Mismatch { length: claimed }),
        }
    }

    /// Reads a stem whose checksum was not computed as it came, then what is in it. The take is free
    /// meanwhile.
    pub(super) fn check(&self, id: TakeId, stem_id: &StemId) -> Result<(), TakeError> {
        let shared = self.found(id)?;
        let take = lock(&shared);
        let stem = take.stems.get(stem_id).ok_or(TakeError::NoStem)?;
        let Some(claim) = stem.record.claim.clone().filter(|_| stem.is_to_be_checked()) else {
            return Ok(());
        };
        let (path, is_verified) = (take.stem_path(stem_id), stem.record.verified);
        drop(take);
        if !is_verified {
            let found = hex(&disk::hash(&path, claim.length)?.finalize());
            self.settle(&mut lock(&shared), stem_id, &claim, Some(&found))?;
        }
        let (frames, damage) = reading::read(&path)?;
        let mut take = lock(&shared);
        let known = &take.stem_mut(stem_id)?.record;
        let record = StemRecord { frames: Some(frames), damage, ..known.clone() };
        take.write_stem_record(stem_id, &record)?;
        take.stem_mut(stem_id)?.record = record;
        self.want_export_if_whole(&mut take);
        Ok(())
    }

    /// Keeps a stem that is what it was said to be, and empties one that is not.
    fn settle(
        &self,
        take: &mut Take,
        stem_id: &StemId,
        claim: &Claim,
        found_sha256: Option<&str>,
    ) -> Result<Completion, TakeError> {
        let stem = take.stems.get(stem_id).ok_or(TakeError::NoStem)?;
        let is_good = found_sha256 == Some(claim.sha256.as_str());
        let record = StemRecord {
            claim: is_good.then(|| claim.clone()),
            verified: is_good,
            ..stem.record.clone()
        };
        let length = stem.bytes;
        if !is_good {
            // Before the record: an empty stem without a claim is what a crash in between leaves.
            File::options().write(true).open(take.stem_path(stem_id))?.set_len(0)?;
            self.release(length);
            let stem = take.stem_mut(stem_id)?;
            (stem.bytes, stem.hash, stem.facts) = (0, None, None);
        }
        take.write_stem_record(stem_id, &record)?;
        take.stem_mut(stem_id)?.record = record;
        if is_good {
            self.jobs.push(Job::Check(take.id, *stem_id));
            Ok(Completion::Verified)
        } else {
            Err(TakeError::Mismatch { length })
        }
    }

    /// What the disk's refusal means.
    fn explain(&self, error: io::Error, bytes: u64) -> TakeError {
        let kind = error.kind();
        if kind == io::ErrorKind::StorageFull || kind == io::ErrorKind::QuotaExceeded {
            let free = disk::free_bytes(&self.root).unwrap_or(bytes);
            return NoSpace::Disk { free }.into();
        }
        // The folder was deleted a moment ago.
        if kind == io::ErrorKind::NotFound { TakeError::NoTake } else { error.into() }
    }
}

impl Take {
    fn stem_mut(&mut self, stem: &StemId) -> Result<&mut Stem, TakeError> {
        self.stems.get_mut(stem).ok_or(TakeError::NoStem)
    }
}

impl Stem {
    /// Whether its app has said what it is, and nobody has looked.
    pub(super) fn is_to_be_checked(&self) -> bool {
        self.record.claim.is_some() && !(self.record.verified && self.record.frames.is_some())
    }

    fn count(&mut self, bytes: &[u8], end: u64) {
        if self.bytes == 0 {
            self.hash = Some(Sha256::new());
        }
        if let Some(hash) = &mut self.hash {
            hash.update(bytes);
        }
        (self.bytes, self.last_unix_ms) = (end, unix_ms(SystemTime::now()));
    }
}

/// The stem is one of the take's, from its first bytes on.
fn add_stem(take: &mut Take, stem: &StemId) -> io::Result<()> {
    if take.stems.contains_key(stem) {
        return Ok(());
    }
    let record = StemRecord { number: take.next_number(), ..StemRecord::default() };
    take.write_stem_record(stem, &record)?;
    disk::open_to_append(&take.stem_path(stem))?;
    let last_unix_ms = unix_ms(SystemTime::now());
    let added = Stem { record, bytes: 0, last_unix_ms, hash: None, facts: None };
    take.stems.insert(*stem, added);
    Ok(())
}

/// Writes at the end, which is at `here` whatever an earlier failure left behind it.
fn write(take: &Take, stem: &StemId, here: u64, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::options().append(true).open(take.stem_path(stem))?;
    if file.metadata()?.len() != here {
        file.set_len(here)?;
    }
    let end = here.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
    let written = file.write_all(bytes).and_then(|()| {
        let is_due = here / UNSYNCED_BYTES_MAX != end / UNSYNCED_BYTES_MAX;
        if is_due { file.sync_data() } else { Ok(()) }
    });
    written.inspect_err(|_| {
        let _ = file.set_len(here);
    })
}

/// Bytes of a stem that surely hold its header.
const FACTS_BYTES: u64 = 4096;

/// How often what a stem says of itself is looked up while it arrives: every second or two
/// of sound.
const FACTS_INTERVAL_BYTES: u64 = 256 * 1024;
