//! Which suspicions have stood for long enough to be told, and which are gone for long enough not to be.
//!
//! A suspicion is told once it was strong for some seconds on end, and from then on until neither a strong nor a weak
//! one was there for some more; its sentence keeps its number while that hardly changes, or only for a moment. So that
//! nobody reads a sentence that is gone the next second.

use std::collections::BTreeMap;

use protocol::id::ParticipantId;
use protocol::signal::{Finding, FindingCode, Severity};
use protocol::time::Instant;

use super::rules::{Strength, Suspicion};
use super::words;
use crate::limits::{
    FINDING_CHANGES_PERCENT, FINDING_GOES, FINDING_STANDS, FINDINGS_MAX, SERIOUS_US,
};

/// What is suspected, and what of it is told.
#[derive(Debug, Clone, Default)]
pub(super) struct Standing {
    cases: BTreeMap<(FindingCode, Option<ParticipantId>), Case>,
    /// Which of what is wrong with somebody's network is told.
    leading: BTreeMap<ParticipantId, FindingCode>,
}

#[derive(Debug, Clone, Copy)]
struct Case {
    /// Since when it is strong without a break; `None` for one that is told and weak.
    strong_since: Option<Instant>,
    seen: Instant,
    is_told: bool,
    /// What its sentence says, and since when that is not true without a break.
    shown: Suspicion,
    untrue_since: Option<Instant>,
}

impl Standing {
    /// Takes what is suspected at the moment; who is not among `names` is not there.
    pub(super) fn take(
        &mut self,
        now: Instant,
        found: &[Suspicion],
        names: &BTreeMap<ParticipantId, &str>,
    ) {
        for suspicion in found {
            let key = (suspicion.code, suspicion.about);
            let case = self.cases.entry(key).or_insert(Case {
                strong_since: None,
                seen: now,
                is_told: false,
                shown: *suspicion,
                untrue_since: None,
            });
            case.seen = now;
            let differs = suspicion.differs_from(&case.shown);
            case.untrue_since = differs.then(|| case.untrue_since.unwrap_or(now));
            if !case.is_told || has_stood(case.untrue_since, now) {
                case.shown = *suspicion;
                case.untrue_since = None;
            }
            case.strong_since = match suspicion.strength {
                Strength::Strong => Some(case.strong_since.unwrap_or(now)),
                Strength::Weak => None,
            };
            case.is_told |= has_stood(case.strong_since, now);
        }
        self.cases.retain(|(_, about), case| {
            if case.seen != now {
                case.strong_since = None;
            }
            let is_there = about.is_none_or(|about| names.contains_key(&about));
            let stays = case.strong_since.is_some() || case.is_told;
            is_there && stays && now < case.seen + FINDING_GOES
        });
        self.lead();
    }

    /// Chooses among what is wrong with each network, which has one cure.
    fn lead(&mut self) {
        let before = core::mem::take(&mut self.leading);
        let mut most: BTreeMap<ParticipantId, (u64, FindingCode)> = BTreeMap::new();
        for ((code, about), case) in &self.cases {
            let Some(about) = about.filter(|_| case.is_told && is_of_network(*code)) else {
                continue;
            };
            // What is told stays, unless something else is clearly worse.
            let weight = if before.get(&about) == Some(code) { 3 } else { 2 };
            let cost = weight * u64::from(case.shown.cost_us);
            most.entry(about)
                .and_modify(|most| *most = (*most).max((cost, *code)))
                .or_insert((cost, *code));
        }
        self.leading = most.into_iter().map(|(about, (_, code))| (about, code)).collect();
    }

    /// Whether something else about the same network is told instead.
    fn is_led(&self, suspicion: &Suspicion) -> bool {
        let leading = suspicion.about.and_then(|about| self.leading.get(&about));
        is_of_network(suspicion.code) && leading != Some(&suspicion.code)
    }

    /// What is told: what there is most to win by first, at most [`FINDINGS_MAX`].
    pub(super) fn findings(&self, names: &BTreeMap<ParticipantId, &str>) -> Vec<Finding> {
        let told = self.cases.values().filter(|case| case.is_told).map(|case| case.shown);
        let mut told: Vec<_> = told.filter(|suspicion| !self.is_led(suspicion)).collect();
        // Stable: equal ones stay in the order of their codes.
        told.sort_by_key(|suspicion| core::cmp::Reverse(suspicion.cost_us));
        let finding = |suspicion: Suspicion| Finding {
            code: suspicion.code,
            about: suspicion.about,
            severity: if suspicion.cost_us < SERIOUS_US {
                Severity::Slight
            } else {
                Severity::Serious
            },
            text: words::sentence(&suspicion, names),
        };
        told.into_iter().take(FINDINGS_MAX).map(finding).collect()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.cases.is_empty()
    }
}

/// Whether a better way to the server is the cure.
fn is_of_network(code: FindingCode) -> bool {
    matches!(code, FindingCode::ShakyNetwork | FindingCode::UplinkLoss | FindingCode::DownlinkLoss)
}

fn has_stood(since: Option<Instant>, now: Instant) -> bool {
    since.is_some_and(|since| since + FINDING_STANDS <= now)
}

impl Suspicion {
    /// Whether a sentence about `shown` is not true any more.
    fn differs_from(&self, shown: &Self) -> bool {
        let changes = |now: u32, shown: u32| {
            let least = u64::from(shown) * FINDING_CHANGES_PERCENT / 100;
            least < u64::from(now.abs_diff(shown))
        };
        self.kind != shown.kind
            || changes(self.value, shown.value)
            || changes(self.cost_us, shown.cost_us)
    }
}
