//! Which worker of the SFU a room lives on, and whether there is one for another room.
//!
//! A room stays where it was placed for as long as it lives. What it costs is counted in packets per
//! second, taken in and handed out, from what is published and who hears it; what a worker measured
//! counts where it is more. What surprises: a room that is still small is counted as a duo, so that
//! those who come next find it served.

use protocol::control::WorkerDescription;
use protocol::id::WorkerId;

use crate::limits::{ROOM_PACKETS_PER_SECOND_MIN, WORKER_BUSY_PERMILLE_MAX};

/// What every worker has to do.
#[derive(Debug, Clone)]
pub(crate) struct Placement {
    workers: Vec<Worker>,
}

#[derive(Debug, Clone, Copy)]
struct Worker {
    packets_per_second_max: u32,
    /// Of its rooms, as they were counted last.
    counted: u32,
    /// As it told itself.
    measured: u32,
    busy_permille: u16,
}

impl Worker {
    fn load(&self) -> u32 {
        self.counted.max(self.measured)
    }

    /// Whether so many packets more per second fit.
    fn fits(&self, more: u32) -> bool {
        self.busy_permille < WORKER_BUSY_PERMILLE_MAX
            && self.load().saturating_add(more) <= self.packets_per_second_max
    }
}

impl Placement {
    pub(crate) fn new(workers: &[WorkerDescription]) -> Self {
        let idle = |worker: &WorkerDescription| Worker {
            packets_per_second_max: worker.packets_per_second_max,
            counted: 0,
            measured: 0,
            busy_permille: 0,
        };
        Self { workers: workers.iter().map(idle).collect() }
    }

    /// The least loaded worker, with a new room on it; `None` where no worker has room for one.
    pub(crate) fn place(&mut self) -> Option<WorkerId> {
        let workers = self.workers.iter_mut().enumerate();
        let fitting = workers.filter(|(_, worker)| worker.fits(ROOM_PACKETS_PER_SECOND_MIN));
        let (at, worker) = fitting.min_by_key(|(_, worker)| worker.load())?;
        worker.counted = worker.counted.saturating_add(ROOM_PACKETS_PER_SECOND_MIN);
        u16::try_from(at).ok().map(WorkerId)
    }

    /// Whether there is a worker for another room.
    pub(crate) fn takes_rooms(&self) -> bool {
        self.workers.iter().any(|worker| worker.fits(ROOM_PACKETS_PER_SECOND_MIN))
    }

    /// A room costs `now` what it cost `before` until now; 0 for one that is gone.
    pub(crate) fn count(&mut self, worker: WorkerId, before: u32, now: u32) {
        if let Some(worker) = self.workers.get_mut(usize::from(worker.0)) {
            worker.counted = worker.counted.saturating_sub(before).saturating_add(now);
        }
    }

    /// Whether a room on a worker may grow by so much.
    pub(crate) fn may_grow(&self, worker: WorkerId, more: u32) -> bool {
        self.workers.get(usize::from(worker.0)).is_some_and(|worker| worker.fits(more))
    }

    /// A worker told how busy it is.
    pub(crate) fn measure(&mut self, worker: WorkerId, packets_per_second: u32, busy: u16) {
        if let Some(worker) = self.workers.get_mut(usize::from(worker.0)) {
            worker.measured = packets_per_second;
            worker.busy_permille = busy;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn placement(maxima: &[u32]) -> Placement {
        let worker =
            |max: &u32| WorkerDescription { candidates: Vec::new(), packets_per_second_max: *max };
        Placement::new(&maxima.iter().map(worker).collect::<Vec<_>>())
    }

    #[test]
    fn rooms_go_where_there_is_least_to_do() {
        let mut placement = placement(&[1_000_000, 1_000_000]);
        assert_eq!(placement.place(), Some(WorkerId(0)));
        assert_eq!(placement.place(), Some(WorkerId(1)));
        placement.count(WorkerId(0), ROOM_PACKETS_PER_SECOND_MIN, 48_000);
        assert_eq!(placement.place(), Some(WorkerId(1)));
        assert_eq!(placement.place(), Some(WorkerId(1)));
        placement.measure(WorkerId(1), 60_000, 100);
        assert_eq!(placement.place(), Some(WorkerId(0)));
    }

    #[test]
    fn a_full_worker_takes_no_room_and_no_growth() {
        let mut placement = placement(&[2 * ROOM_PACKETS_PER_SECOND_MIN]);
        let room = ROOM_PACKETS_PER_SECOND_MIN;
        assert!(placement.place().is_some() && placement.place().is_some());
        assert_eq!(placement.place(), None);
        assert!(!placement.may_grow(WorkerId(0), 1));
        placement.count(WorkerId(0), room, 0);
        assert!(placement.may_grow(WorkerId(0), room));
        placement.measure(WorkerId(0), 0, WORKER_BUSY_PERMILLE_MAX);
        assert_eq!(placement.place(), None, "it is busy, whatever was counted");
    }
}
