//! The replay windows of all SSRCs of one half of a link.

use protocol::replay::ReplayWindow;
use protocol::rtp::Ssrc;

use crate::limits::{SSRCS_EXPECTED, SSRCS_MAX};

/// The windows of all SSRCs, sorted: up to ten comparisons find one among a thousand.
#[derive(Debug)]
pub(super) struct Windows {
    entries: Vec<(Ssrc, ReplayWindow)>,
}

impl Windows {
    pub(super) fn new() -> Self {
        Self { entries: Vec::with_capacity(SSRCS_EXPECTED) }
    }

    pub(super) fn get(&self, ssrc: Ssrc) -> Option<&ReplayWindow> {
        let at = self.entries.binary_search_by_key(&ssrc, |entry| entry.0).ok()?;
        Some(&self.entries[at].1)
    }

    /// The window of an SSRC, made where it is missing; `None` at the limit.
    pub(super) fn get_or_insert(&mut self, ssrc: Ssrc) -> Option<&mut ReplayWindow> {
        let at = match self.entries.binary_search_by_key(&ssrc, |entry| entry.0) {
            Ok(at) => at,
            Err(_) if SSRCS_MAX <= self.entries.len() => return None,
            Err(at) => {
                self.entries.insert(at, (ssrc, ReplayWindow::EMPTY));
                at
            }
        };
        Some(&mut self.entries[at].1)
    }

    pub(super) fn has_room(&self) -> bool {
        self.entries.len() < SSRCS_MAX
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_stops_at_its_limit() {
        let mut windows = Windows::new();
        for ssrc in 0..u32::try_from(SSRCS_MAX).expect("small") {
            assert!(windows.get_or_insert(Ssrc(ssrc ^ 0x55)).is_some());
        }
        assert!(windows.get_or_insert(Ssrc(u32::MAX)).is_none());
        assert!(windows.get_or_insert(Ssrc(7)).is_some(), "known ones still work");
    }
}
