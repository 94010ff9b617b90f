//! What was concealed of late: whoever learns of a missing frame only after its moment (from a later
//! packet that repeats it) finds here whether waiting longer would have helped.

use protocol::time::MediaTime;

/// Media times at which concealment began or went on, the latest few.
#[derive(Debug, Clone, Copy)]
pub(super) struct Holes {
    begins: [Option<(MediaTime, i64)>; HOLES],
    next: usize,
}

impl Holes {
    pub(super) const fn new() -> Self {
        Self { begins: [None; HOLES], next: 0 }
    }

    /// Notes that so many frames from a media time on were concealed.
    pub(super) fn add(&mut self, begin: MediaTime, frames: i64) {
        if let Some(place) = self.begins.get_mut(self.next) {
            *place = Some((begin, frames));
        }
        self.next = (self.next + 1) % HOLES;
    }

    /// Whether the frame at a media time was concealed; it is told once.
    pub(super) fn forget(&mut self, media_time: MediaTime) -> bool {
        let covers = |hole: &Option<(MediaTime, i64)>| {
            hole.is_some_and(|(begin, frames)| {
                (0..frames).contains(&media_time.frames_since(begin))
            })
        };
        let found = self.begins.iter_mut().find(|hole| covers(hole));
        found.is_some_and(|hole| hole.take().is_some())
    }
}

/// As many as bursts of loss that redundancy can mend, several times over.
const HOLES: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hole_is_told_once_and_the_oldest_is_forgotten() {
        let at = MediaTime::from_frames;
        let mut holes = Holes::new();
        holes.add(at(640), 64);
        assert!(!holes.forget(at(639)) && !holes.forget(at(704)));
        assert!(holes.forget(at(640)));
        assert!(!holes.forget(at(640)));
        (0..9).for_each(|hole| holes.add(at(hole * 64), 64));
        assert!(!holes.forget(at(0)));
        assert!(holes.forget(at(64)) && holes.forget(at(512)));
    }
}
