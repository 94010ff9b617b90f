//! A load that stays as it is: everybody joins, plays, and is counted.

use std::ops::Range;
use std::time::Duration;

use signalling_client::RoomLink;

use crate::band::{Band, LoadError};
use crate::clock;
use crate::machine::Usage;
use crate::metrics::Metrics;
use crate::report::{Beside, Report};
use crate::server::{Server, ServerError};
use crate::tally::Tally;

/// How much.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// Rooms.
    pub rooms: u32,
    /// Participants of each.
    pub members: u32,
    /// Packets a second of each publisher.
    pub rate: u32,
    /// How long it is measured, after a second that is not.
    pub duration: Duration,
}

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The load cannot go on.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The server is gone.
    #[error(transparent)]
    Server(#[from] ServerError),
}

/// Puts the load on the server that `link` names; `server` is its process, where it is the load's
/// own.
pub fn run(
    link: &RoomLink,
    mut server: Option<&mut Server>,
    plan: &Plan,
) -> Result<Report, RunError> {
    let empty = usage(&mut server)?;
    let mut band = Band::new(link, plan.rate)?;
    fill(&mut band, 0..plan.rooms, plan.members)?;
    band.hear_each_other()?;
    band.play(WARM_UP)?;
    measure(&mut band, link, &mut server, plan, empty)
}

/// Lets so many participants join each of the rooms.
pub(crate) fn fill(band: &mut Band, rooms: Range<u32>, members: u32) -> Result<(), LoadError> {
    for room in rooms {
        for _ in 0..members {
            band.join(room)?;
        }
    }
    Ok(())
}

/// Counts what a band plays as it is; `empty` is what the server used before anybody came.
pub(crate) fn measure(
    band: &mut Band,
    link: &RoomLink,
    server: &mut Option<&mut Server>,
    plan: &Plan,
    empty: Option<Usage>,
) -> Result<Report, RunError> {
    measure_tally(band, link, server, plan, empty).map(|(report, _, _)| report)
}

/// The same with all that was counted, and what the server said of itself meanwhile.
pub(crate) fn measure_tally(
    band: &mut Band,
    link: &RoomLink,
    server: &mut Option<&mut Server>,
    plan: &Plan,
    empty: Option<Usage>,
) -> Result<(Report, Tally, Option<Metrics>), RunError> {
    // What is under way arrives and is counted before the first look, so that what the server says
    // it dropped between two looks are the very packets that are counted here.
    band.pause()?;
    band.play(SILENCE)?;
    let said_before = Metrics::ask(link);
    let (before, own_before) = (usage(server)?, clock::process_cpu());
    band.begin()?;
    band.play(plan.duration)?;
    let (after, own_after) = (usage(server)?, clock::process_cpu());
    let tally = band.end()?;
    let said = Metrics::ask(link).zip(said_before).map(|(after, before)| after.since(&before));
    band.resume()?;
    // The whole process, where it is ours; what its workers say they used, where it is not.
    let own_process =
        before.zip(after).map(|(before, after)| (after.cpu - before.cpu).as_secs_f64());
    let server_cpu = own_process.or_else(|| said.as_ref().map(|said| said.cpu_seconds));
    let participants = band.len().max(1) as u64;
    let beside = Beside {
        rooms: plan.rooms,
        members: plan.members,
        rate: plan.rate,
        server_cpu,
        server_bytes_per_participant: empty.zip(after).map(|(empty, after)| {
            after.resident_bytes.saturating_sub(empty.resident_bytes) / participants
        }),
        generator_cpu: (own_after - own_before).as_secs_f64(),
    };
    Ok((Report::new(&tally, &beside, said.as_ref()), tally, said))
}

pub(crate) fn usage(server: &mut Option<&mut Server>) -> Result<Option<Usage>, ServerError> {
    server.as_mut().map(|server| server.usage()).transpose()
}

/// How long nobody plays before it is counted: a server under load has sent everything by then, its
/// counts are a tenth of a second old at most, and its window is still as wide as it was.
const SILENCE: Duration = Duration::from_millis(250);

/// How long everybody plays before it is measured.
pub(crate) const WARM_UP: Duration = Duration::from_secs(1);
