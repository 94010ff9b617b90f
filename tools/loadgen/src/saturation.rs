//! How much a server carries: rooms are added until it does not deliver everything in time any more.

use std::fmt;
use std::time::Duration;

use serde::Serialize;
use signalling_client::RoomLink;

use crate::band::{Band, LoadError};
use crate::joining::JoinError;
use crate::report::Report;
use crate::server::Server;
use crate::steady::{Plan, RunError, fill, measure, usage};

/// What a server carried at most.
#[derive(Debug, Clone, Serialize)]
pub struct Saturation {
    /// The last step that was carried; the first one, if none was.
    #[serde(flatten)]
    pub report: Report,
    /// Whether it was.
    pub carried: bool,
    /// What ended it.
    pub limit: Limit,
    /// The step that was too much, if there was one.
    pub beyond: Option<Report>,
}

/// What keeps a load from growing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Limit {
    /// The server lost packets or was late.
    Server,
    /// The load could not play or hear any more.
    Generator,
    /// The server lets nobody else in.
    Admission,
}

/// Starts with the rooms of the plan and adds more, one step after the other, each as long as the
/// plan says. `see` is told of every step.
pub fn saturate(
    link: &RoomLink,
    mut server: Option<&mut Server>,
    plan: &Plan,
    mut see: impl FnMut(&Report),
) -> Result<Saturation, RunError> {
    let empty = usage(&mut server)?;
    let mut band = Band::new(link, plan.rate)?;
    let mut plan = *plan;
    let mut filled = 0;
    let mut best: Option<Report> = None;
    loop {
        match (fill(&mut band, filled..plan.rooms, plan.members), &best) {
            (Ok(()), _) => {}
            (Err(LoadError::Join { reason: JoinError::Full(_), .. }), Some(best)) => {
                let (report, beyond) = (best.clone(), None);
                return Ok(Saturation { report, carried: true, limit: Limit::Admission, beyond });
            }
            (Err(error), _) => return Err(error.into()),
        }
        filled = plan.rooms;
        if best.is_none() {
            band.hear_each_other()?;
        }
        let mut attempt = || {
            band.play(SETTLING)?;
            let report = measure(&mut band, link, &mut server, &plan, empty)?;
            see(&report);
            Ok::<_, RunError>(report)
        };
        let mut report = attempt()?;
        if !report.is_carried() {
            // The machine may have had something else to do for a moment.
            report = attempt()?;
        }
        let next = plan.rooms + (plan.rooms / STEP).max(1);
        let limit = if report.is_at_own_limit() {
            Some(Limit::Generator)
        } else if !report.is_carried() {
            Some(Limit::Server)
        } else if PARTICIPANTS_MAX < next * plan.members {
            Some(Limit::Admission)
        } else {
            None
        };
        let Some(limit) = limit else {
            best = Some(report);
            plan.rooms = next;
            continue;
        };
        let carried = best.is_some() || report.is_carried();
        let beyond = Some(report.clone());
        return Ok(Saturation { report: best.unwrap_or(report), carried, limit, beyond });
    }
}

impl fmt::Display for Saturation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { report, carried, limit, beyond } = self;
        let why = match limit {
            Limit::Server => "lost packets or delivered them late",
            Limit::Generator => "were as many as this load can play and hear itself",
            Limit::Admission => "were as many as the server lets in",
        };
        let last = if *carried { "The last step that was carried:" } else { "Not even carried:" };
        let last_step = beyond.as_ref().unwrap_or(report);
        writeln!(f, "\n{} rooms of {} {why}. {last}", last_step.rooms, last_step.members)?;
        report.fmt(f)
    }
}

/// Rooms are added in parts of those that are there.
const STEP: u32 = 12;

/// How long everybody plays before a step is measured.
const SETTLING: Duration = Duration::from_millis(500);

/// What `vjam serve` takes at most.
const PARTICIPANTS_MAX: u32 = 1024;
