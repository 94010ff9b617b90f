//! What a room shares beside the sound: the lead, the click, the mode, takes.

use core::time::Duration;

use protocol::limits::{BAR_BEATS_MAX, CLICK_SEGMENTS_MAX, ROOM_TAKES_MAX};
use protocol::room_state::{BeatStrength, ClickSegment, PlayingMode, RoomState};
use protocol::signal::{ClientMessage, EngineKind, ErrorCode, ServerMessage};
use signalling::{ConnectionId, TakeEvent};

use crate::desk::{App, Desk};

const START_US: i64 = 1_790_000_000_000_000;

fn segment(start_us: i64) -> ClickSegment {
    let beats = vec![BeatStrength::Accent, BeatStrength::Normal, BeatStrength::Normal];
    ClickSegment { start_us, bar: 1, tempo_millibpm: 120_000, unit: 4, beats }
}

/// Every state that somebody was told, oldest first.
fn states(desk: &mut Desk, connection: ConnectionId) -> Vec<RoomState> {
    desk.find(connection, |message| match message {
        ServerMessage::Room { state } => Some(state),
        _ => None,
    })
}

fn click(desk: &mut Desk, app: &App, segments: Vec<ClickSegment>) {
    desk.send(app.connection, ClientMessage::Click { segments });
}

fn start(desk: &mut Desk, app: &App, title: &str) {
    let title = title.to_owned();
    desk.send(app.connection, ClientMessage::StartTake { title, start_us: START_US });
}

fn stop(desk: &mut Desk, app: &App, stop_us: i64) {
    desk.send(app.connection, ClientMessage::StopTake { stop_us });
}

#[test]
fn a_click_reaches_everybody_and_whoever_comes_later() {
    let mut desk = Desk::new();
    let [ana, ben] = ["Ana", "Ben"].map(|name| desk.musician("r", name));
    let elsewhere = desk.musician("other", "Eve");
    for app in [&ana, &ben] {
        assert_eq!(states(&mut desk, app.connection), [RoomState::default()], "nothing yet");
    }
    states(&mut desk, elsewhere.connection);
    click(&mut desk, &ana, vec![segment(START_US)]);
    for app in [&ana, &ben] {
        let told = states(&mut desk, app.connection);
        assert_eq!(told.len(), 1);
        assert_eq!(told[0].click, [segment(START_US)]);
        assert_eq!(told[0].leader, None);
    }
    assert_eq!(states(&mut desk, elsewhere.connection), []);
    let late = desk.join("r", "Cleo");
    assert_eq!(states(&mut desk, late.connection)[0].click, [segment(START_US)]);
    // Whoever comes back is told that it has ended, though there is nothing else to tell.
    desk.drop_connection(late.connection);
    click(&mut desk, &ben, Vec::new());
    let seat = Some(late.seat.as_str());
    let back = desk.join_as("r", "Cleo", EngineKind::Native, &[], seat).expect("the seat is kept");
    assert_eq!(states(&mut desk, back.connection), [RoomState::default()]);
}

#[test]
fn whoever_leads_sets_click_and_mode_and_others_may_take_the_lead() {
    let mut desk = Desk::new();
    let [ana, ben] = ["Ana", "Ben"].map(|name| desk.musician("r", name));
    let lead = |leading| ClientMessage::Lead { leading };
    let mode = |mode| ClientMessage::Mode { mode };
    states(&mut desk, ben.connection);
    desk.send(ana.connection, lead(true));
    assert_eq!(states(&mut desk, ben.connection)[0].leader, Some(ana.id));
    click(&mut desk, &ben, vec![segment(START_US)]);
    desk.send(ben.connection, mode(PlayingMode::Beat));
    assert_eq!(desk.errors(ben.connection), [ErrorCode::NotLeading; 2]);
    desk.send(ana.connection, mode(PlayingMode::Aligned));
    assert_eq!(states(&mut desk, ben.connection)[0].mode, PlayingMode::Aligned);
    // Giving up what somebody else has does nothing.
    desk.send(ben.connection, lead(false));
    assert_eq!(states(&mut desk, ben.connection)[0].leader, Some(ana.id));
    desk.send(ben.connection, lead(true));
    click(&mut desk, &ben, vec![segment(START_US)]);
    assert_eq!(desk.errors(ben.connection), []);
    states(&mut desk, ana.connection);
    desk.send(ben.connection, ClientMessage::Leave {});
    let left = states(&mut desk, ana.connection);
    assert_eq!(left.last().map(|state| (state.leader, state.click.len())), Some((None, 1)));
}

#[test]
fn clicks_that_nobody_could_play_are_refused() {
    let mut desk = Desk::new();
    let ana = desk.musician("r", "Ana");
    let good = segment(START_US);
    let bad = [
        ClickSegment { start_us: -1, ..good.clone() },
        ClickSegment { start_us: i64::MAX, ..good.clone() },
        ClickSegment { tempo_millibpm: 0, ..good.clone() },
        ClickSegment { tempo_millibpm: 400_001, ..good.clone() },
        ClickSegment { beats: Vec::new(), ..good.clone() },
        ClickSegment { beats: vec![BeatStrength::Normal; BAR_BEATS_MAX + 1], ..good.clone() },
        ClickSegment { unit: 3, ..good.clone() },
        ClickSegment { bar: i32::MIN, ..good.clone() },
    ];
    for segment in bad {
        click(&mut desk, &ana, vec![segment.clone()]);
        desk.wait(Duration::from_secs(1));
        assert_eq!(desk.errors(ana.connection), [ErrorCode::BadClick], "{segment:?}");
    }
    let many = |count| (0..count).map(|at| segment(START_US + at)).collect::<Vec<_>>();
    click(&mut desk, &ana, vec![segment(5), segment(5)]);
    click(&mut desk, &ana, many(i64::try_from(CLICK_SEGMENTS_MAX + 1).expect("few")));
    assert_eq!(desk.errors(ana.connection), [ErrorCode::BadClick; 2]);
    click(&mut desk, &ana, many(i64::try_from(CLICK_SEGMENTS_MAX).expect("few")));
    assert_eq!(states(&mut desk, ana.connection).len(), 1);
}

#[test]
fn a_take_has_a_beginning_marks_and_an_end_and_everybody_knows_the_key() {
    let mut desk = Desk::new();
    let [ana, ben] = ["Ana", "Ben"].map(|name| desk.musician("r", name));
    click(&mut desk, &ana, vec![segment(START_US)]);
    start(&mut desk, &ana, " Autumn ");
    let told = states(&mut desk, ben.connection).pop().expect("a take began").takes;
    let [take] = told.as_slice() else { panic!("{told:?}") };
    assert_eq!((take.title.as_str(), take.started_by.as_str()), ("Autumn", "Ana"));
    assert_eq!((take.start_us, take.stop_us), (START_US, None));
    assert_eq!([take.id.len(), take.key.len()], [32, 32]);
    assert_ne!(take.id, take.key);
    start(&mut desk, &ben, "");
    stop(&mut desk, &ben, START_US - 3_700_000_000);
    assert_eq!(desk.errors(ben.connection), [ErrorCode::BadTake; 2], "one at a time; about now");
    let mark = ClientMessage::MarkTake { at_us: START_US + 7, text: "solo".into() };
    desk.send(ben.connection, mark);
    click(&mut desk, &ana, Vec::new());
    let cleo = desk.musician("r", "Cleo");
    let listener = desk.join("r", "Dora");
    stop(&mut desk, &ben, START_US + 9);
    stop(&mut desk, &ben, START_US + 9);
    assert_eq!(desk.errors(ben.connection), [ErrorCode::BadTake], "it has ended");
    start(&mut desk, &ben, "  ");
    assert_eq!(desk.errors(listener.connection), []);
    let told = states(&mut desk, cleo.connection).pop().expect("another began").takes;
    assert_eq!(told[0].stop_us, Some(START_US + 9));
    assert_eq!((told[1].title.as_str(), told[1].stop_us), ("Take 2", None));
    let events: Vec<String> = desk
        .takes
        .iter()
        .map(|event| match event {
            TakeEvent::Started { take, room, click } => {
                format!("{} begins in {room} with {} tempi", take.title, click.len())
            }
            TakeEvent::Present { name, .. } => name.clone(),
            TakeEvent::Click { click, at_us, .. } => {
                assert!((START_US..START_US + 60_000_000).contains(at_us), "about now: {at_us}");
                format!("{} tempi", click.len())
            }
            TakeEvent::Marked { at_us, text, .. } => format!("{text} {}", at_us - START_US),
            TakeEvent::Stopped { stop_us, .. } => {
                format!("ends {:?}", stop_us.map(|us| us - START_US))
            }
        })
        .collect();
    let began = ["Autumn begins in r with 1 tempi", "Ana", "Ben"];
    let then = ["solo 7", "0 tempi", "Cleo", "ends Some(9)"];
    let again = ["Take 2 begins in r with 0 tempi", "Ana", "Ben", "Cleo"];
    assert_eq!(events, [began.as_slice(), &then, &again].concat());
}

#[test]
fn a_take_ends_when_everybody_is_gone_and_a_room_remembers_the_latest() {
    let mut desk = Desk::new();
    let ana = desk.musician("r", "Ana");
    for number in 0..i64::try_from(ROOM_TAKES_MAX).expect("few") + 2 {
        start(&mut desk, &ana, "");
        desk.wait(Duration::from_secs(1));
        stop(&mut desk, &ana, START_US + number);
        desk.wait(Duration::from_secs(1));
    }
    start(&mut desk, &ana, "last");
    let takes = states(&mut desk, ana.connection).pop().expect("told").takes;
    assert_eq!(takes.len(), ROOM_TAKES_MAX);
    assert_eq!((takes[0].title.as_str(), takes[31].title.as_str()), ("Take 4", "last"));
    desk.takes.clear();
    desk.send(ana.connection, ClientMessage::Leave {});
    let stopped = TakeEvent::Stopped { take: takes[31].id.clone(), stop_us: None };
    assert_eq!(desk.takes, [stopped]);
    let again = desk.musician("r", "Eve");
    let told = states(&mut desk, again.connection);
    assert_eq!(told, [RoomState::default()], "nothing of them is left to strangers");
}

#[test]
fn changes_of_a_room_have_a_limit() {
    let mut desk = Desk::new();
    let ana = desk.musician("r", "Ana");
    desk.wait(Duration::from_secs(10));
    for _ in 0..60 {
        desk.send(ana.connection, ClientMessage::Mode { mode: PlayingMode::Tight });
    }
    let changed = states(&mut desk, ana.connection).len();
    assert!((40..=50).contains(&changed), "20 at once and 4 a second for 6 s: {changed}");
}

#[test]
fn nobody_can_begin_a_take_at_another_time() {
    let mut desk = Desk::new();
    let ana = desk.musician("r", "Ana");
    for start_us in [0, START_US - 3_700_000_000, START_US + 3_700_000_000, i64::MAX] {
        let title = String::new();
        desk.send(ana.connection, ClientMessage::StartTake { title, start_us });
    }
    assert_eq!(desk.errors(ana.connection), [ErrorCode::BadTake; 4]);
    // One that was to begin later and is ended before is empty.
    let (title, start_us) = (String::new(), START_US + 60_000_000);
    desk.send(ana.connection, ClientMessage::StartTake { title, start_us });
    stop(&mut desk, &ana, START_US);
    let take = states(&mut desk, ana.connection).pop().expect("told").takes.pop();
    assert_eq!(take.and_then(|take| take.stop_us), Some(start_us));
}
