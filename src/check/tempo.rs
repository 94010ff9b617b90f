//! What a delay means for musicians, in words (`docs/soundcheck.md` says where the rule comes from).

use core::time::Duration;

/// How well two can play with a delay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Playable {
    /// As with a few steps between them.
    AnyTempo,
    /// Up to a tempo without thinking of it.
    Comfortable(u32),
    /// Up to a tempo, if one keeps time and the other follows.
    OneLeads(u32),
    /// Not in time.
    TooLate,
}

impl Playable {
    /// Judges the delay from one's microphone to the other's loudspeaker.
    pub(super) fn of(delay: Duration) -> Self {
        let bpm = bpm_max(delay);
        if ANY_TEMPO_BPM <= bpm {
            Self::AnyTempo
        } else if delay <= COMFORTABLE_MAX {
            Self::Comfortable(bpm)
        } else if delay <= ONE_LEADS_MAX {
            Self::OneLeads(bpm)
        } else {
            Self::TooLate
        }
    }

    /// In words, after a delay.
    pub(super) fn words(self) -> String {
        match self {
            Self::AnyTempo => "comfortable at any tempo".to_owned(),
            Self::Comfortable(bpm) => format!("comfortable up to {bpm} bpm"),
            Self::OneLeads(bpm) => {
                format!("up to {bpm} bpm if one keeps time and the other follows")
            }
            Self::TooLate => "too late to play in time".to_owned(),
        }
    }

    /// Whether nothing has to be done.
    pub(super) fn is_good(self) -> bool {
        matches!(self, Self::AnyTempo | Self::Comfortable(_))
    }
}

/// The tempo, in steps of 5, at which the delay is a sixteenth of a beat.
fn bpm_max(delay: Duration) -> u32 {
    let us = u64::try_from(delay.as_micros()).unwrap_or(u64::MAX).max(1);
    let bpm = 60_000_000 / us / PARTS_OF_A_BEAT;
    u32::try_from(bpm / 5 * 5).unwrap_or(u32::MAX)
}

/// A delay of this part of a beat is within what ensembles are apart in one room.
const PARTS_OF_A_BEAT: u64 = 16;

/// Faster than anybody counts.
const ANY_TEMPO_BPM: u32 = 240;

/// The end of 20 to 30 ms, where ensembles begin to drag.
const COMFORTABLE_MAX: Duration = Duration::from_millis(30);

/// A sixteenth of a beat at 60 bpm.
const ONE_LEADS_MAX: Duration = Duration::from_micros(62_500);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delay_is_comfortable_up_to_a_tempo() {
        let of = |ms| Playable::of(Duration::from_millis(ms));
        assert_eq!((of(0), of(15)), (Playable::AnyTempo, Playable::AnyTempo));
        assert_eq!((of(16), of(23)), (Playable::Comfortable(230), Playable::Comfortable(160)));
        assert_eq!((of(30), of(31)), (Playable::Comfortable(125), Playable::OneLeads(120)));
        assert_eq!(
            (of(62), of(63), of(5000)),
            (Playable::OneLeads(60), Playable::TooLate, Playable::TooLate)
        );
        assert!(of(23).is_good() && !of(40).is_good());
        assert_eq!(of(23).words(), "comfortable up to 160 bpm");
    }
}
