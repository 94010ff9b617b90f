//! How many earlier codec frames each packet repeats, steered by the loss on the uplink.
//!
//! Redundancy costs bits, not delay: on a clean network there is none. What surprises: it follows
//! loss up within two seconds and down only after a minute, because every change starts the
//! encoder anew.

use core::time::Duration;

use protocol::time::Instant;

/// The policy.
#[derive(Debug, Default)]
pub(super) struct Redundancy {
    frames: usize,
    /// Loss of the last seconds in thousandths, newest first.
    recent: [u32; SECONDS as usize],
    last_loss: Option<Instant>,
}

impl Redundancy {
    /// Codec frames that each packet repeats at the moment.
    pub(super) fn frames(&self) -> usize {
        self.frames
    }

    /// One second's report. Says whether [`Self::frames`] has changed.
    pub(super) fn handle_uplink(&mut self, now: Instant, received: u32, lost: u32) -> bool {
        let whole = u64::from(received) + u64::from(lost);
        let permille = u64::from(lost) * 1000 / whole.max(1);
        self.recent.rotate_right(1);
        self.recent[0] = u32::try_from(permille).unwrap_or(1000).max(u32::from(0 < lost));
        if 0 < lost {
            self.last_loss = Some(now);
        }
        let lossy_seconds = self.recent.iter().filter(|permille| 0 < **permille).count();
        let mean_permille = self.recent.iter().sum::<u32>() / SECONDS;
        let wanted = match (lossy_seconds, mean_permille) {
            (0 | 1, _) => 0,
            (_, 0..DEEP_PERMILLE) => 1,
            _ => 2,
        };
        let quiet = self.last_loss.is_none_or(|last| QUIET < now.saturating_since(last));
        let before = self.frames;
        if self.frames < wanted || quiet {
            self.frames = wanted;
        }
        self.frames != before
    }
}

/// Seconds that are looked back on.
const SECONDS: u32 = 5;

/// From this mean loss on, two packets in a row are lost often enough to repeat two.
const DEEP_PERMILLE: u32 = 5;

/// How long there must have been no loss at all before redundancy goes.
const QUIET: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depth_follows_loss_up_at_once_and_down_after_a_minute() {
        let mut redundancy = Redundancy::default();
        let mut after = |second: u64, lost: u32| {
            redundancy.handle_uplink(Instant::from_ns(second * 1_000_000_000), 750 - lost, lost);
            redundancy.frames()
        };
        assert_eq!(after(0, 0), 0);
        assert_eq!(after(1, 3), 0, "one second is an accident");
        assert_eq!(after(2, 1), 1);
        assert_eq!(after(3, 30), 2);
        assert!((4..=63).all(|second| after(second, 0) == 2));
        assert_eq!(after(64, 0), 0);
    }
}
