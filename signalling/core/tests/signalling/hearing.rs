//! How each hears the others, and that the room is told of it.

use core::time::Duration;

use protocol::id::{ParticipantId, TrackId};
use protocol::limits::SUBSCRIBER_STREAMS_MAX;
use protocol::signal::{ClientMessage, ErrorCode, ServerMessage, TrackHearing};

use crate::desk::{App, Desk};

/// Who hears whom, and how late.
type Told = (ParticipantId, Vec<(TrackId, Option<u32>)>);

/// What somebody was told of who hears whom, and how late.
fn told(desk: &mut Desk, app: &App) -> Vec<Told> {
    desk.find(app.connection, |message| match message {
        ServerMessage::Hearing { listener, tracks } => {
            Some((listener, tracks.iter().map(|t| (t.track, t.delay_us)).collect()))
        }
        _ => None,
    })
}

fn hears(track: TrackId, delay_us: Option<u32>) -> TrackHearing {
    TrackHearing {
        track,
        delay_us,
        padding_us: None,
        lost_permille: 0,
        concealed_permille: 0,
        network_us: None,
        spare_us: None,
    }
}

fn tell(desk: &mut Desk, app: &App, tracks: Vec<TrackHearing>) {
    let told = ClientMessage::Hearing { tracks, device: None, network: None };
    desk.send(app.connection, told);
}

/// The first track of each, in the order of the apps.
pub(crate) fn tracks<const N: usize>(desk: &mut Desk, apps: &[App; N]) -> [TrackId; N] {
    let streams = desk.find(apps[0].connection, |message| match message {
        ServerMessage::Participant { participant } => {
            Some((participant.id, participant.tracks.first()?.id))
        }
        ServerMessage::Published { track, .. } => Some((apps[0].id, track)),
        _ => None,
    });
    core::array::from_fn(|at| {
        let of = streams.iter().rev().find(|(id, _)| *id == apps[at].id);
        of.expect("everybody has published").1
    })
}

#[test]
fn the_room_is_told_how_somebody_hears_the_others() {
    let mut desk = Desk::new();
    let apps = ["Ana", "Ben"].map(|name| desk.musician("r", name));
    let elsewhere = desk.musician("other", "Eve");
    let [ana, ben] = &apps;
    let [of_ana, of_ben] = tracks(&mut desk, &apps);
    tell(&mut desk, ben, vec![hears(of_ana, Some(23_000))]);
    let expected = vec![(ben.id, vec![(of_ana, Some(23_000))])];
    assert_eq!(told(&mut desk, ana), expected);
    assert_eq!(told(&mut desk, ben), expected, "the one table for all");
    assert_eq!(told(&mut desk, &elsewhere), []);
    // One's own, one that is not there, and one twice are left out.
    let odd = vec![hears(of_ben, Some(1)), hears(of_ana, None), hears(TrackId(999), None)];
    tell(&mut desk, ben, [odd, vec![hears(of_ana, Some(5))]].concat());
    assert_eq!(told(&mut desk, ana), [(ben.id, vec![(of_ana, None)])]);
    assert!(desk.errors(ben.connection).is_empty());
}

#[test]
fn too_often_and_too_much_is_refused() {
    let mut desk = Desk::new();
    let apps = ["Ana", "Ben"].map(|name| desk.musician("r", name));
    let [ana, ben] = &apps;
    let [of_ana, _] = tracks(&mut desk, &apps);
    for _ in 0..6 {
        tell(&mut desk, ben, vec![hears(of_ana, Some(1))]);
    }
    assert_eq!(told(&mut desk, ana).len(), 4);
    assert_eq!(desk.errors(ben.connection), [ErrorCode::TooFast; 2]);
    desk.wait(Duration::from_secs(1));
    tell(&mut desk, ben, vec![hears(of_ana, Some(1)); SUBSCRIBER_STREAMS_MAX + 1]);
    assert_eq!(desk.errors(ben.connection), [ErrorCode::TooMany]);
    tell(&mut desk, ben, vec![hears(of_ana, Some(1)); SUBSCRIBER_STREAMS_MAX]);
    assert_eq!(told(&mut desk, ana), [(ben.id, vec![(of_ana, Some(1))])]);
}
