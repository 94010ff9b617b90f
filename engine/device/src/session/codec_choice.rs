//! Which codecs are offered to signalling, and when `auto` steps back from `opus-64` to `opus`.
//!
//! `opus-64` needs 750 packets a second where `opus` needs 400. Some uplinks (Wi-Fi, old routers)
//! carry the bits but not the packets: then a good part of them is lost, all the time. The server's
//! `uplink` reports show it. Going back is tried cautiously, since every try is heard when it
//! fails. Ordinary loss of a percent or two is the jitter buffer's business, not ours.

use core::time::Duration;

use protocol::codec::Codec;
use protocol::time::Instant;

/// What the musician asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CodecChoice {
    /// `opus-64` where everybody decodes it and the uplink carries it, else `opus`.
    Auto,
    /// This one, whatever the uplink does.
    Only(Codec),
}

impl CodecChoice {
    /// Every codec that may have to be sent: those asked for, and `opus` for ordinary players.
    #[must_use]
    pub fn sources(self) -> Vec<Codec> {
        match self {
            Self::Auto | Self::Only(Codec::Opus64) => vec![Codec::Opus64, Codec::Opus],
            Self::Only(Codec::Opus) => vec![Codec::Opus],
            Self::Only(Codec::Pcm) => vec![Codec::Pcm, Codec::Opus],
        }
    }
}

/// What is offered at the moment, steered by how the uplink does.
#[derive(Debug)]
pub(crate) struct Offer {
    choice: CodecChoice,
    state: State,
    bad_seconds: u32,
    wait: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// What was asked for, since then.
    Preferred { since: Option<Instant> },
    /// `opus`, until then.
    SteppedBack { until: Instant },
}

impl Offer {
    pub(crate) fn new(choice: CodecChoice) -> Self {
        let state = State::Preferred { since: None };
        Self { choice, state, bad_seconds: 0, wait: WAIT_MIN }
    }

    /// The codecs to publish, most wanted first.
    pub(crate) fn codecs(&self) -> Vec<Codec> {
        match (self.choice, self.state) {
            (CodecChoice::Only(codec), _) => vec![codec],
            (CodecChoice::Auto, State::Preferred { .. }) => vec![Codec::Opus64, Codec::Opus],
            (CodecChoice::Auto, State::SteppedBack { .. }) => vec![Codec::Opus],
        }
    }

    /// One second's report on one encoding. Gives the reason when the offer has changed.
    pub(crate) fn handle_uplink(
        &mut self,
        now: Instant,
        codec: Codec,
        received_packets: u32,
        lost_packets: u32,
    ) -> Option<String> {
        if self.choice != CodecChoice::Auto {
            return None;
        }
        let loss_percent = percent(lost_packets, received_packets.saturating_add(lost_packets));
        match self.state {
            State::Preferred { since } if codec == Codec::Opus64 => {
                self.state = State::Preferred { since: since.or(Some(now)) };
                self.bad_seconds = if loss_percent < BAD_PERCENT {
                    self.bad_seconds.saturating_sub(1)
                } else {
                    self.bad_seconds + 1
                };
                if self.bad_seconds < BAD_SECONDS {
                    self.forgive(now);
                    return None;
                }
                self.bad_seconds = 0;
                let until = now + self.wait;
                self.wait = (self.wait * 2).min(WAIT_MAX);
                self.state = State::SteppedBack { until };
                Some(format!(
                    "the uplink loses {loss_percent} % of 750 packets a second: sending opus \
                     (400 packets a second) instead of opus-64"
                ))
            }
            State::SteppedBack { until } if until <= now && loss_percent < GOOD_PERCENT => {
                self.state = State::Preferred { since: None };
                Some("the uplink is clean: trying opus-64 again".to_owned())
            }
            State::Preferred { .. } | State::SteppedBack { .. } => None,
        }
    }

    /// After a long good time the next step back is as short as the first.
    fn forgive(&mut self, now: Instant) {
        if let State::Preferred { since: Some(since) } = self.state
            && FORGIVEN_AFTER < now.saturating_since(since)
        {
            self.wait = WAIT_MIN;
        }
    }
}

fn percent(part: u32, whole: u32) -> u32 {
    u32::try_from(u64::from(part) * 100 / u64::from(whole.max(1))).unwrap_or(100)
}

/// Loss that no redundancy hides; a network that only has weather stays well below.
const BAD_PERCENT: u32 = 5;

/// Loss that shows nothing wrong.
const GOOD_PERCENT: u32 = 1;

/// Bad seconds (good ones subtracted) before stepping back: shorter outages pass by themselves.
const BAD_SECONDS: u32 = 3;

/// First and longest time before `opus-64` is tried again.
const WAIT_MIN: Duration = Duration::from_secs(30);
const WAIT_MAX: Duration = Duration::from_secs(600);

/// How long `opus-64` must have held for the wait to start over.
const FORGIVEN_AFTER: Duration = Duration::from_secs(300);

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Instant {
        Instant::from_ns(seconds * 1_000_000_000)
    }

    fn bad(offer: &mut Offer, seconds: core::ops::Range<u64>) -> Option<u64> {
        seconds
            .into_iter()
            .find(|second| offer.handle_uplink(at(*second), Codec::Opus64, 600, 150).is_some())
    }

    #[test]
    fn sources_always_have_opus_for_ordinary_players() {
        assert_eq!(CodecChoice::Auto.sources(), [Codec::Opus64, Codec::Opus]);
        assert_eq!(CodecChoice::Only(Codec::Pcm).sources(), [Codec::Pcm, Codec::Opus]);
        assert_eq!(CodecChoice::Only(Codec::Opus).sources(), [Codec::Opus]);
    }

    #[test]
    fn an_uplink_that_loses_packets_all_the_time_gets_fewer() {
        let mut offer = Offer::new(CodecChoice::Auto);
        assert_eq!(offer.codecs(), [Codec::Opus64, Codec::Opus]);
        assert_eq!(bad(&mut offer, 0..10), Some(2));
        assert_eq!(offer.codecs(), [Codec::Opus]);
    }

    #[test]
    fn weather_and_single_outages_change_nothing() {
        let mut offer = Offer::new(CodecChoice::Auto);
        for second in 0..100 {
            let lost = if second % 3 == 0 { 400 } else { 20 };
            assert_eq!(offer.handle_uplink(at(second), Codec::Opus64, 700, lost), None);
        }
    }

    #[test]
    fn what_was_asked_for_by_name_is_kept() {
        let mut offer = Offer::new(CodecChoice::Only(Codec::Opus64));
        assert_eq!(bad(&mut offer, 0..100), None);
        assert_eq!(offer.codecs(), [Codec::Opus64]);
    }

    #[test]
    fn each_try_that_fails_makes_the_next_one_later() {
        let mut offer = Offer::new(CodecChoice::Auto);
        bad(&mut offer, 0..3);
        let back = (3..1000)
            .find(|second| offer.handle_uplink(at(*second), Codec::Opus, 400, 0).is_some());
        assert_eq!(back, Some(2 + 30));
        assert_eq!(bad(&mut offer, 33..40), Some(35));
        let back = (36..1000)
            .find(|second| offer.handle_uplink(at(*second), Codec::Opus, 400, 0).is_some());
        assert_eq!(back, Some(35 + 60));
    }
}
