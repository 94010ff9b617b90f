//! What each key does. Pure: a key and a snapshot in, an action out.

use engine::PlayoutMode;
use engine::limits::PLAYOUT_DELAY_FRAMES_MAX;
use engine_device::clock;
use engine_device::session::{Mix, ParticipantView, Request, TrackView, View};
use protocol::id::TrackId;
use protocol::units::Decibels;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use super::{Action, Help, Screen, together};

/// What the keys act on: oneself, or one track of somebody else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Selection {
    /// The own track.
    #[default]
    Oneself,
    /// Somebody's.
    Track(TrackId),
}

/// Every track of everybody else with its publisher, in the order they are shown.
pub(super) fn remote_tracks(view: &View) -> Vec<(&ParticipantView, &TrackView)> {
    view.participants
        .iter()
        .filter(|participant| Some(participant.id) != view.me)
        .flat_map(|participant| participant.tracks.iter().map(move |track| (participant, track)))
        .collect()
}

/// Carries out a key.
#[expect(clippy::wildcard_enum_match_arm, reason = "most keys of a keyboard mean nothing here")]
pub(super) fn handle(screen: &mut Screen, view: &View, key: KeyEvent) -> Option<Action> {
    if key.kind == KeyEventKind::Release {
        return None;
    }
    let tracks = remote_tracks(view);
    let selected = match screen.selection {
        Selection::Oneself => None,
        Selection::Track(id) => tracks.iter().find(|(_, track)| track.id == id),
    };
    let playout = |mode: Option<PlayoutMode>| match selected {
        Some((_, track)) => {
            let mix = Mix { playout: mode, ..track.mix };
            Some(Action::Request(Request::SetMix(track.id, mix)))
        }
        None => Some(Action::Request(Request::SetDefaultPlayout(mode.unwrap_or_default()))),
    };
    let mix = selected.map(|(_, track)| (track.id, track.mix));
    let change = |change: &dyn Fn(&mut Mix)| {
        let (id, mut mix) = mix?;
        change(&mut mix);
        Some(Action::Request(Request::SetMix(id, mix)))
    };
    match key.code {
        KeyCode::Char('c') if key.modifiers.contains(KeyModifiers::CONTROL) => Some(Action::Leave),
        KeyCode::Char('q') => Some(Action::Leave),
        KeyCode::Char('?') | KeyCode::Char('h') => {
            screen.help = match screen.help {
                Help::Shown => Help::Hidden,
                Help::Hidden => Help::Shown,
            };
            None
        }
        KeyCode::Up => {
            screen.selection = step(&tracks, screen.selection, Step::Up);
            None
        }
        KeyCode::Down => {
            screen.selection = step(&tracks, screen.selection, Step::Down);
            None
        }
        KeyCode::Char('m') if selected.is_none() => {
            Some(Action::Request(Request::SetMuted(!view.muted)))
        }
        KeyCode::Char('m') => change(&|mix| mix.muted = !mix.muted),
        KeyCode::Char('s') => change(&|mix| mix.soloed = !mix.soloed),
        KeyCode::Char('+' | '=') => change(&|mix| mix.gain = louder(mix.gain, GAIN_STEP_DB)),
        KeyCode::Char('-') => change(&|mix| mix.gain = louder(mix.gain, -GAIN_STEP_DB)),
        KeyCode::Char('0') => change(&|mix| *mix = Mix::default()),
        KeyCode::Char('d') => playout(match selected {
            Some((_, track)) => next_mode(track.mix.playout),
            None => next_mode(Some(view.default_playout)),
        }),
        KeyCode::Char('[') => playout(Some(fixed(view, selected.copied(), -1))),
        KeyCode::Char(']') => playout(Some(fixed(view, selected.copied(), 1))),
        KeyCode::Char('p') | KeyCode::Right => change(&|mix| mix.pan = moved(mix.pan, PAN_STEP)),
        KeyCode::Char('o') | KeyCode::Left => change(&|mix| mix.pan = moved(mix.pan, -PAN_STEP)),
        _ => together::handle(&mut screen.together, view, key.code, clock::now()),
    }
}

enum Step {
    Up,
    Down,
}

fn step(tracks: &[(&ParticipantView, &TrackView)], selection: Selection, step: Step) -> Selection {
    let rows: Vec<_> = core::iter::once(Selection::Oneself)
        .chain(tracks.iter().map(|(_, track)| Selection::Track(track.id)))
        .collect();
    let at = rows.iter().position(|row| *row == selection).unwrap_or(0);
    let to = match step {
        Step::Up => at.saturating_sub(1),
        Step::Down => (at + 1).min(rows.len() - 1),
    };
    rows[to]
}

/// The playout mode that follows; `None` is what holds for all.
const fn next_mode(mode: Option<PlayoutMode>) -> Option<PlayoutMode> {
    match mode {
        None => Some(PlayoutMode::Automatic),
        Some(PlayoutMode::Automatic) => Some(PlayoutMode::Lower),
        Some(PlayoutMode::Lower) => Some(PlayoutMode::Safer),
        Some(PlayoutMode::Safer | PlayoutMode::Fixed(_)) => None,
    }
}

/// A fixed playout delay, so many milliseconds from the one that is: the delay that is wanted of
/// the selected track, or the longest of all of them.
fn fixed(
    view: &View,
    selected: Option<(&ParticipantView, &TrackView)>,
    step_ms: i64,
) -> PlayoutMode {
    let wanted = |track: &TrackView| track.remote.map(|remote| remote.playout_delay_target_frames);
    let (mode, frames) = match selected {
        Some((_, track)) => (track.mix.playout.unwrap_or(view.default_playout), wanted(track)),
        None => {
            let tracks = remote_tracks(view);
            (view.default_playout, tracks.iter().filter_map(|(_, track)| wanted(track)).max())
        }
    };
    let frames = match mode {
        PlayoutMode::Fixed(frames) => frames,
        PlayoutMode::Automatic | PlayoutMode::Lower | PlayoutMode::Safer => frames.unwrap_or(0),
    };
    let ms = (i64::from(frames) + FRAMES_PER_MS / 2) / FRAMES_PER_MS + step_ms;
    let frames = (ms * FRAMES_PER_MS).clamp(0, PLAYOUT_DELAY_FRAMES_MAX);
    PlayoutMode::Fixed(u32::try_from(frames).unwrap_or(0))
}

fn louder(gain: Decibels, step_db: f32) -> Decibels {
    Decibels((gain.0 + step_db).clamp(GAIN_DB_MIN, GAIN_DB_MAX))
}

fn moved(pan: f32, step: f32) -> f32 {
    (pan + step).clamp(-1.0, 1.0)
}

const GAIN_STEP_DB: f32 = 1.0;
const GAIN_DB_MIN: f32 = -60.0;
const GAIN_DB_MAX: f32 = 20.0;
const PAN_STEP: f32 = 0.125;
const FRAMES_PER_MS: i64 = 48;

#[cfg(test)]
pub(super) mod tests {
    use std::collections::VecDeque;

    use engine::{DelayShares, Level, RemoteStats, StreamState};
    use engine_device::durations::DurationSummary;
    use protocol::codec::Codec;
    use protocol::id::ParticipantId;
    use protocol::rtp::Ssrc;
    use protocol::signal::{EngineKind, Presence};

    use super::*;

    pub(in super::super) fn screen() -> Screen {
        Screen {
            title: "http://jam/r/x · Ana".into(),
            notices: VecDeque::new(),
            selection: Selection::Oneself,
            help: Help::Hidden,
            callbacks: DurationSummary::default(),
            together: together::Together::default(),
        }
    }

    /// Ana (that is us), Ben with a track, Cleo with two.
    pub(in super::super) fn view() -> View {
        let participant = |id: u32, name: &str, tracks: &[u32]| ParticipantView {
            id: ParticipantId(id),
            name: name.into(),
            engine: EngineKind::Native,
            presence: Presence::Online,
            tracks: tracks
                .iter()
                .map(|id| TrackView {
                    id: TrackId(*id),
                    label: format!("track{id}"),
                    channels: 1,
                    muted: false,
                    mix: Mix::default(),
                    remote: None,
                    hears_us: None,
                })
                .collect(),
        };
        View {
            me: Some(ParticipantId(1)),
            participants: vec![
                participant(1, "Ana", &[10]),
                participant(2, "Ben", &[20]),
                participant(3, "Cleo", &[30, 31]),
            ],
            ..View::default()
        }
    }

    /// A stream that plays: 144 frames of playout wanted, 120 had.
    pub(in super::super) fn remote() -> RemoteStats {
        RemoteStats {
            ssrc: Ssrc(5),
            state: StreamState::Playing,
            level: Level { peak: Decibels(-30.0), rms: Decibels(-36.0) },
            codec: Some(Codec::Opus64),
            received_packets: 1000,
            lost_packets: 7,
            gaps: 0,
            late_packets: 3,
            reordered_packets: 0,
            duplicate_packets: 0,
            recovered_packets: 2,
            undecodable_packets: 0,
            overrun_packets: 0,
            refused_packets: 0,
            concealed_frames: 480,
            concealed_ms_per_minute: 12.4,
            played_frames: 64_000,
            splices: 5,
            resynchronizations: 0,
            buffer_frames: 96,
            playout_delay_frames: 120,
            playout_delay_target_frames: 144,
            playout: PlayoutMode::Automatic,
            why: DelayShares {
                network_frames: 48,
                callback_frames: 72,
                drift_frames: 24,
                redundancy_frames: 0,
            },
            added_delay_frames: 248,
            drift_ppm: Some(12.34),
            rate_ppm: 20,
            received_packets_per_second: 750,
            mouth_to_device: None,
            padding: core::time::Duration::ZERO,
            wanted_delay: None,
        }
    }

    fn press(screen: &mut Screen, view: &View, keys: &str) -> Vec<Action> {
        keys.chars()
            .filter_map(|key| {
                let code = match key {
                    '↑' => KeyCode::Up,
                    '↓' => KeyCode::Down,
                    key => KeyCode::Char(key),
                };
                handle(screen, view, KeyEvent::new(code, KeyModifiers::NONE))
            })
            .collect()
    }

    #[test]
    fn m_mutes_oneself_until_somebody_else_is_selected() {
        let (mut screen, view) = (screen(), view());
        let own = Action::Request(Request::SetMuted(true));
        assert_eq!(press(&mut screen, &view, "m"), [own]);
        let muted = Mix { muted: true, ..Mix::default() };
        let ben = Action::Request(Request::SetMix(TrackId(20), muted));
        assert_eq!(press(&mut screen, &view, "↓m"), [ben]);
    }

    #[test]
    fn arrows_stop_at_both_ends_and_a_track_that_is_gone_is_no_trap() {
        let (mut screen, mut view) = (screen(), view());
        press(&mut screen, &view, "↓↓↓↓↓");
        assert_eq!(screen.selection, Selection::Track(TrackId(31)));
        view.participants.truncate(2);
        press(&mut screen, &view, "↓");
        assert_eq!(screen.selection, Selection::Track(TrackId(20)));
        press(&mut screen, &view, "↑↑↑");
        assert_eq!(screen.selection, Selection::Oneself);
    }

    #[test]
    fn gain_and_pan_move_in_steps_within_their_ranges() {
        let (mut screen, mut view) = (screen(), view());
        press(&mut screen, &view, "↓");
        for key in ["+", "p"].repeat(50) {
            for action in press(&mut screen, &view, key) {
                let Action::Request(Request::SetMix(_, mix)) = action else { panic!("{action:?}") };
                view.participants[1].tracks[0].mix = mix;
            }
        }
        let mix = view.participants[1].tracks[0].mix;
        assert_eq!((mix.gain, mix.pan), (Decibels(20.0), 1.0));
        let reset = Action::Request(Request::SetMix(TrackId(20), Mix::default()));
        assert_eq!(press(&mut screen, &view, "0"), [reset]);
    }

    /// The playout modes that keys ask for of Ben's track, each applied before the next key.
    fn modes(keys: &str) -> Vec<Option<PlayoutMode>> {
        let (mut screen, mut view) = (screen(), view());
        view.participants[1].tracks[0].remote = Some(remote());
        press(&mut screen, &view, "↓");
        let mut modes = Vec::new();
        for key in keys.chars() {
            for action in press(&mut screen, &view, &key.to_string()) {
                let Action::Request(Request::SetMix(_, mix)) = action else { panic!("{action:?}") };
                view.participants[1].tracks[0].mix = mix;
                modes.push(mix.playout);
            }
        }
        modes
    }

    #[test]
    fn d_goes_round_the_modes_and_brackets_set_a_delay_from_the_one_that_is() {
        use PlayoutMode::{Automatic, Fixed, Lower, Safer};
        assert_eq!(modes("dddd"), [Some(Automatic), Some(Lower), Some(Safer), None]);
        // 144 frames are wanted, which is 3 ms.
        assert_eq!(modes("]]["), [Some(Fixed(192)), Some(Fixed(240)), Some(Fixed(192))]);
        assert_eq!(modes("[[[["), [96, 48, 0, 0].map(|frames| Some(Fixed(frames))));
        assert_eq!(modes("]d"), [Some(Fixed(192)), None]);
        assert_eq!(modes(&"]".repeat(600)).last(), Some(&Some(Fixed(24_000))));
    }

    #[test]
    fn with_oneself_selected_the_playout_mode_is_everybodys() {
        let (mut screen, mut view) = (screen(), view());
        let default = |mode| Action::Request(Request::SetDefaultPlayout(mode));
        assert_eq!(press(&mut screen, &view, "d"), [default(PlayoutMode::Lower)]);
        view.default_playout = PlayoutMode::Safer;
        assert_eq!(press(&mut screen, &view, "d"), [default(PlayoutMode::Automatic)]);
        view.participants[2].tracks[1].remote = Some(remote());
        assert_eq!(press(&mut screen, &view, "]"), [default(PlayoutMode::Fixed(192))]);
        view.default_playout = PlayoutMode::Fixed(480);
        assert_eq!(press(&mut screen, &view, "["), [default(PlayoutMode::Fixed(432))]);
    }

    #[test]
    fn gain_of_oneself_does_nothing_and_q_leaves() {
        let (mut screen, view) = (screen(), view());
        assert_eq!(press(&mut screen, &view, "+-sp?"), []);
        assert_eq!(screen.help, Help::Shown);
        assert_eq!(press(&mut screen, &view, "q"), [Action::Leave]);
    }
}
