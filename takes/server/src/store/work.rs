//! What is done in the background, one thing at a time: checksums and exports.

use std::fs::{self, File};
use std::io::{self, Write};
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use super::jobs::Job;
use super::{Store, lock};
use crate::disk;
use crate::export::{self, Export, ReadyExport};
use crate::id::TakeKey;
use crate::making::{self, Contents, Workshop};
use crate::record::unix_ms;
use crate::refused::TakeError;
use crate::take::Take;
use takes::TakeId;

/// What there is to download.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExportAnswer {
    /// This file.
    Ready(ReadyExport),
    /// It is being made.
    Preparing {
        /// How much is done, 0 to 100; none while it waits its turn.
        percent: Option<u8>,
    },
    /// No stem has brought anything yet.
    Empty,
}

impl Store {
    /// The file that is downloaded, or that it is being made from what is there. `is_rest` says that
    /// the rest of one is wanted, for which an older one does.
    pub fn ask_export(
        &self,
        id: TakeId,
        key: &TakeKey,
        is_rest: bool,
        now: SystemTime,
    ) -> Result<ExportAnswer, TakeError> {
        let take = self.opened(id, key)?;
        let mut take = lock(&take);
        match &take.export {
            Export::Waiting => return Ok(ExportAnswer::Preparing { percent: None }),
            Export::Preparing { percent } => {
                return Ok(ExportAnswer::Preparing { percent: Some(*percent) });
            }
            Export::Failed(text) => {
                // Told once; whoever asks again has it tried again.
                let error = TakeError::ExportFailed(text.clone());
                take.export = Export::None;
                return Err(error);
            }
            Export::None | Export::Ready(_) => {}
        }
        let is_good = is_rest || take.current_export(now).is_some();
        if let (Export::Ready(ready), true) = (&mut take.export, is_good) {
            ready.used_unix_ms = unix_ms(now);
            return Ok(ExportAnswer::Ready(ready.clone()));
        }
        if take.stems.values().all(|stem| stem.bytes == 0) {
            return Ok(ExportAnswer::Empty);
        }
        self.want_export(&mut take);
        Ok(ExportAnswer::Preparing { percent: None })
    }

    /// Makes the file that is downloaded, unless there is one, and gives it. Waits as long as that
    /// takes, which is minutes for hours of music.
    pub fn export(&self, id: TakeId) -> Result<ReadyExport, TakeError> {
        let shared = self.found(id)?;
        let mut take = lock(&shared);
        match &take.export {
            Export::Ready(ready) if ready.fingerprint == take.fingerprint() => {
                return Ok(ready.clone());
            }
            Export::Ready(_) => self.drop_export(&mut take),
            Export::None | Export::Waiting | Export::Preparing { .. } | Export::Failed(_) => {}
        }
        take.export = Export::Preparing { percent: 0 };
        drop(take);
        let made = self.make_export(&shared);
        lock(&shared).export = match &made {
            Ok(ready) => Export::Ready(ready.clone()),
            Err(error) => Export::Failed(error.to_string()),
        };
        made
    }

    /// Does what there is to do, until [`Self::close`]. For a thread of its own, of low priority.
    pub fn work(&self) {
        while !self.jobs.is_closed() {
            self.work_once(Duration::from_secs(3600));
        }
    }

    /// Ends [`Self::work`]; an export that is being made is given up.
    pub fn close(&self) {
        self.jobs.close();
    }

    /// Does one thing, if there is one within so long; whether there was.
    pub fn work_once(&self, patience: Duration) -> bool {
        let Some(job) = self.jobs.take(patience) else { return false };
        let done = match job {
            Job::Check(take, stem) => self.check(take, &stem),
            Job::Export(take) => self.export(take).map(drop),
        };
        match (done, job) {
            // Whoever sent it is told.
            (Ok(()) | Err(TakeError::NoTake | TakeError::Mismatch { .. }), _) => {}
            (Err(error), Job::Check(take, _)) => {
                tracing::warn!(%take, %error, "a stem is not checked")
            }
            (Err(error), Job::Export(take)) => tracing::warn!(%take, %error, "no export"),
        }
        self.jobs.finish();
        true
    }

    pub(super) fn export_if_whole(&self, id: TakeId) {
        let Ok(take) = self.found(id) else { return };
        let mut take = lock(&take);
        self.want_export_if_whole(&mut take);
    }

    /// Everything has come: nobody should have to ask.
    pub(super) fn want_export_if_whole(&self, take: &mut Take) {
        if take.is_whole() {
            self.want_export(take);
        }
    }

    fn want_export(&self, take: &mut Take) {
        self.drop_export(take);
        if !matches!(take.export, Export::Preparing { .. }) {
            take.export = Export::Waiting;
        }
        self.jobs.push(Job::Export(take.id));
    }

    fn make_export(&self, shared: &Arc<Mutex<Take>>) -> Result<ReadyExport, TakeError> {
        let take = lock(shared);
        let contents = Contents::of(&take);
        let fingerprint = take.fingerprint();
        let path = export::path(&take.folder, &fingerprint);
        let folder = export::folder(&take.folder);
        drop(take);
        if let Some(short) = self.shortage(0, 0) {
            return Err(short.into());
        }
        // Not with those above it: the take may have been deleted a moment ago.
        let made = fs::create_dir(&folder);
        made.or_else(|error| if folder.is_dir() { Ok(()) } else { Err(error) })?;
        let unfinished = path.with_added_extension("part");
        let mut out = Counted { store: self, file: disk::make_file(&unfinished)?, bytes: 0 };
        let workshop = Workshop { folder: &folder, free_bytes_min: self.limits.free_bytes_min };
        let written = making::write(&contents, workshop, &mut out, &mut |done| {
            if let Export::Preparing { percent } = &mut lock(shared).export {
                *percent = done;
            }
            if self.jobs.is_closed() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        let whole = written.map_err(TakeError::from).and_then(|()| {
            out.file.sync_all()?;
            Ok(disk::rename(&unfinished, &path)?)
        });
        let bytes = out.bytes;
        if let Err(error) = whole {
            self.release(bytes);
            let _ = disk::remove_file(&unfinished);
            return Err(error);
        }
        let now = unix_ms(SystemTime::now());
        Ok(ReadyExport { path, bytes, fingerprint, made_unix_ms: now, used_unix_ms: now })
    }
}

/// A file whose bytes count as used, and which is not written where there is no room.
struct Counted<'a> {
    store: &'a Store,
    file: File,
    bytes: u64,
}

impl Write for Counted<'_> {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        let length = u64::try_from(piece.len()).unwrap_or(u64::MAX);
        self.store.reserve(length).map_err(io::Error::other)?;
        match self.file.write(piece) {
            Ok(written) => {
                let unwritten = piece.len().saturating_sub(written);
                self.store.release(u64::try_from(unwritten).unwrap_or_default());
                self.bytes += length - u64::try_from(unwritten).unwrap_or_default();
                Ok(written)
            }
            Err(error) => {
                self.store.release(length);
                Err(error)
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
