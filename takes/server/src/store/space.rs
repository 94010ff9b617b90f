//! Room on the disk: what is used, what may be, and what goes when more is needed.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime};

use super::{Store, lock};
use crate::disk;
use crate::export::Export;
use crate::limits::{EXPORT_KEPT, Limits};
use crate::offline;
use crate::record::unix_ms;
use crate::refused::{BeginError, NoSpace};
use crate::take::Take;

impl Store {
    /// Bytes of all stems and exports.
    pub fn used_bytes(&self) -> u64 {
        // Relaxed: a count by itself.
        self.used.load(Ordering::Relaxed)
    }

    /// Deletes takes that are too old, exports that nobody wants, and forgets what others deleted.
    /// Gives how many takes are gone. Called every [`crate::limits::SWEEP_INTERVAL`].
    pub fn sweep(&self, now: SystemTime) -> usize {
        let kept = Duration::from_secs(u64::from(self.limits.days_kept) * SECONDS_A_DAY);
        let age_ms = |since: u64| u128::from(unix_ms(now).saturating_sub(since));
        let mut gone = 0;
        for take in self.all() {
            let mut take = lock(&take);
            if !take.is_there() {
                self.forget(&take);
                gone += 1;
                continue;
            }
            if kept.as_millis() < age_ms(take.record.begun_unix_ms) {
                match offline::delete(&take.folder) {
                    Ok(()) => {
                        self.forget(&take);
                        gone += 1;
                    }
                    Err(error) => tracing::warn!(id = %take.id, %error, "cannot delete a take"),
                }
                continue;
            }
            let is_unused = matches!(&take.export,
                Export::Ready(ready) if EXPORT_KEPT.as_millis() < age_ms(ready.used_unix_ms));
            if is_unused {
                self.drop_export(&mut take);
            }
        }
        gone
    }

    /// What a take that wants to begin is told.
    pub(crate) fn standing(&self) -> Standing {
        let mut standing = Standing { limits: self.limits, ..Standing::default() };
        let mut evictable = false;
        for take in self.all() {
            let take = lock(&take);
            standing.takes += 1;
            *standing.of_rooms.entry(take.record.room.clone()).or_default() += 1;
            evictable |= matches!(take.export, Export::Ready(_));
        }
        standing.short = self.shortage(BEGIN_BYTES, BEGIN_BYTES).filter(|_| !evictable);
        standing
    }

    /// Counts so many bytes as used, which [`Self::release`] undoes. Exports make way.
    pub(super) fn reserve(&self, bytes: u64) -> Result<(), NoSpace> {
        self.used.fetch_add(bytes, Ordering::Relaxed);
        while let Some(short) = self.shortage(0, bytes) {
            if !self.drop_oldest_export() {
                self.release(bytes);
                return Err(short);
            }
        }
        Ok(())
    }

    pub(super) fn release(&self, bytes: u64) {
        self.used.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// What is short when so many bytes are written that are not, of which some are not counted either.
    pub(super) fn shortage(&self, uncounted: u64, unwritten: u64) -> Option<NoSpace> {
        let quota = self.limits.quota_bytes;
        if quota < self.used_bytes().saturating_add(uncounted) {
            return Some(NoSpace::Quota { quota });
        }
        // Where the disk does not say, writing will.
        let free = disk::free_bytes(&self.root).ok()?;
        let is_short = free < self.limits.free_bytes_min.saturating_add(unwritten);
        is_short.then_some(NoSpace::Disk { free })
    }

    pub(super) fn drop_export(&self, take: &mut Take) {
        if let Export::Ready(ready) = &take.export {
            if let Err(error) = disk::remove_file(&ready.path) {
                tracing::warn!(id = %take.id, %error, "cannot delete an export");
            }
            self.release(ready.bytes);
            take.export = Export::None;
        }
    }

    /// Whether there was one. Takes that somebody works on are passed over: this is called by
    /// threads that hold one.
    fn drop_oldest_export(&self) -> bool {
        let takes = self.all();
        let free = takes.iter().filter_map(|take| take.try_lock().ok());
        let used = free.filter_map(|take| match take.export {
            Export::Ready(ref ready) => Some((ready.used_unix_ms, take)),
            Export::None | Export::Waiting | Export::Preparing { .. } | Export::Failed(_) => None,
        });
        let Some((_, mut oldest)) = used.min_by_key(|(used_unix_ms, _)| *used_unix_ms) else {
            return false;
        };
        self.drop_export(&mut oldest);
        true
    }
}

/// How many takes there are, and whether there is room: what can be told without the disk.
#[derive(Debug, Clone, Default)]
pub(crate) struct Standing {
    limits: Limits,
    takes: usize,
    of_rooms: BTreeMap<String, usize>,
    short: Option<NoSpace>,
}

impl Standing {
    /// Whether a take may begin in this room.
    pub(crate) fn admit(&self, room: &str) -> Result<(), BeginError> {
        if self.limits.takes_max <= self.takes {
            return Err(BeginError::ServerFull(self.takes));
        }
        let of_room = self.of_rooms.get(room).copied().unwrap_or(0);
        if self.limits.takes_per_room_max <= of_room {
            return Err(BeginError::RoomFull(of_room));
        }
        self.short.map_or(Ok(()), |short| Err(short.into()))
    }
}

/// One second of one stem, so that a full disk is noticed before anybody plays.
const BEGIN_BYTES: u64 = 48_000 * 2 * 3;

const SECONDS_A_DAY: u64 = 24 * 3600;
