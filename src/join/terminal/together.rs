//! What everybody in the room shares: the click, the playing mode, takes. Their keys, and the line that shows them.

use engine::{Click, ClickSettings, Taps};
use engine_device::clock;
use engine_device::session::{Request, View};
use protocol::limits::{BAR_BEATS_MAX, TEMPO_MILLIBPM_MAX, TEMPO_MILLIBPM_MIN};
use protocol::room_state::{ClickSegment, PlayingMode, Take, room_time};
use protocol::time::{Instant, RoomTime};
use protocol::units::Decibels;
use ratatui::crossterm::event::KeyCode;
use ratatui::style::Stylize;
use ratatui::text::{Line, Span};

use super::Action;

/// What a musician has set that the room does not know of yet.
pub(super) struct Together {
    /// The click that is begun by the next press.
    settings: ClickSettings,
    taps: Taps,
}

impl Default for Together {
    fn default() -> Self {
        Self { settings: ClickSettings::new(120_000, 4), taps: Taps::default() }
    }
}

/// Carries out a key that concerns the whole room.
#[expect(clippy::wildcard_enum_match_arm, reason = "most keys of a keyboard mean nothing here")]
pub(super) fn handle(
    together: &mut Together,
    view: &View,
    key: KeyCode,
    now: Instant,
) -> Option<Action> {
    let running = view.shared.click.last();
    if let Some(ClickSegment { tempo_millibpm, unit, beats, .. }) = running {
        let (tempo_millibpm, unit, beats) = (*tempo_millibpm, *unit, beats.clone());
        together.settings = ClickSettings { tempo_millibpm, unit, beats };
    }
    let settings = &mut together.settings;
    let request = match key {
        KeyCode::Char('c') if running.is_some() => Request::EndClick,
        KeyCode::Char('c') => Request::SetClick(settings.clone(), COUNT_IN_BARS),
        KeyCode::Char(key @ (',' | '.')) => {
            let tempo = settings.tempo_millibpm;
            let tempo = if key == ',' {
                tempo - TEMPO_STEP.min(tempo)
            } else {
                tempo.saturating_add(TEMPO_STEP)
            };
            settings.tempo_millibpm = tempo.clamp(TEMPO_MILLIBPM_MIN, TEMPO_MILLIBPM_MAX);
            Request::SetClick(settings.clone(), COUNT_IN_BARS)
        }
        KeyCode::Char('t') => {
            settings.tempo_millibpm = together.taps.tap(now)?;
            Request::SetClick(settings.clone(), COUNT_IN_BARS)
        }
        KeyCode::Char('b') => {
            let beats = settings.beats.len() % BAR_BEATS_MAX + 1;
            *settings = ClickSettings {
                unit: settings.unit,
                ..ClickSettings::new(settings.tempo_millibpm, beats)
            };
            Request::SetClick(settings.clone(), COUNT_IN_BARS)
        }
        KeyCode::Char('n') => Request::SetClickGain(next_gain(view.click_gain)),
        KeyCode::Char('w') => Request::SetMode(next_mode(view.shared.mode)),
        KeyCode::Char('W') => Request::SetOwnMode(match view.own_mode {
            None => Some(PlayingMode::Tight),
            Some(PlayingMode::Beat) => None,
            Some(mode) => Some(next_mode(mode)),
        }),
        KeyCode::Char('l') => Request::Lead(view.me != view.shared.leader),
        KeyCode::Char('r') => match running_take(view) {
            Some(_) => Request::StopTake,
            None => Request::StartTake(String::new()),
        },
        KeyCode::Char('x') if running_take(view).is_some() => Request::MarkTake("mark".to_owned()),
        _ => return None,
    };
    Some(Action::Request(request))
}

/// The click, the mode and the take, where there is one of them.
pub(super) fn line(view: &View) -> Option<Line<'static>> {
    let now = view.room_clock.map(|(mapping, _)| mapping.room(clock::now()));
    let parts = [click_words(view, now), mode_words(view), leader_words(view)];
    let text: Vec<_> = parts.into_iter().flatten().collect();
    let take = running_take(view);
    if text.is_empty() && take.is_none() {
        return None;
    }
    let mut spans = Vec::new();
    if let Some(take) = take {
        spans.push(
            Span::from(format!("● records {}{}  ", take.title, take_time(take, now))).red().bold(),
        );
    }
    spans.push(Span::from(text.join(" · ")));
    Some(Line::from(spans))
}

fn click_words(view: &View, now: Option<RoomTime>) -> Option<String> {
    let segments = &view.shared.click;
    let click = Click::new(segments).ok()?;
    let beat = now.and_then(|now| click.beat_at(now));
    let begun = |segment: &&ClickSegment| now.is_none_or(|now| room_time(segment.start_us) <= now);
    let played = segments.iter().rev().find(begun).or(segments.first())?;
    let place = match beat {
        Some(beat) if beat.bar < 1 => format!(" in {}", beat.beat + 1),
        Some(beat) => format!(" bar {} beat {}", beat.bar, beat.beat + 1),
        None => " begins".to_owned(),
    };
    let tempo = f64::from(played.tempo_millibpm) / 1000.0;
    let level = match view.click_gain {
        None => " (silent here)".to_owned(),
        Some(Decibels(0.0)) => String::new(),
        Some(gain) => format!(" ({:+.0} dB)", gain.0),
    };
    Some(format!("click {tempo} {}/{}{place}{level}", played.beats.len(), played.unit))
}

fn mode_words(view: &View) -> Option<String> {
    let name = |mode| match mode {
        PlayingMode::Tight => "tight",
        PlayingMode::Aligned => "aligned",
        PlayingMode::Beat => "by the beat",
    };
    match (view.own_mode, view.shared.mode) {
        (None, PlayingMode::Tight) => None,
        (None, mode) => Some(name(mode).to_owned()),
        (Some(own), room) => Some(format!("{} (the room {})", name(own), name(room))),
    }
}

fn leader_words(view: &View) -> Option<String> {
    let leader = view.shared.leader?;
    if Some(leader) == view.me {
        return Some("you lead".to_owned());
    }
    let leader = view.participants.iter().find(|participant| participant.id == leader)?;
    Some(format!("{} leads", leader.name))
}

fn running_take(view: &View) -> Option<&Take> {
    view.shared.takes.iter().find(|take| take.stop_us.is_none())
}

fn take_time(take: &Take, now: Option<RoomTime>) -> String {
    let passed = now.map_or(0, |now| now.ns_since(room_time(take.start_us)).max(0));
    let seconds = passed / 1_000_000_000;
    format!(" {}:{:02}", seconds / 60, seconds % 60)
}

const fn next_mode(mode: PlayingMode) -> PlayingMode {
    match mode {
        PlayingMode::Tight => PlayingMode::Aligned,
        PlayingMode::Aligned => PlayingMode::Beat,
        PlayingMode::Beat => PlayingMode::Tight,
    }
}

/// Quieter each time, then silence, then loud again.
fn next_gain(gain: Option<Decibels>) -> Option<Decibels> {
    match gain {
        None => Some(Decibels(6.0)),
        Some(Decibels(gain)) if GAIN_DB_MIN < gain => Some(Decibels(gain - 6.0)),
        Some(_) => None,
    }
}

/// A bar to get ready.
const COUNT_IN_BARS: u8 = 1;

/// One beat a minute.
const TEMPO_STEP: u32 = 1_000;

const GAIN_DB_MIN: f32 = -18.0;

#[cfg(test)]
mod tests {
    use engine::RoomMapping;
    use protocol::id::ParticipantId;
    use protocol::room_state::{BeatStrength, RoomState};

    use super::super::keys::tests::view;
    use super::*;

    fn press(together: &mut Together, view: &View, key: char) -> Option<Request> {
        match handle(together, view, KeyCode::Char(key), Instant::ZERO)? {
            Action::Request(request) => Some(request),
            Action::Leave => panic!("no key here leaves"),
        }
    }

    fn with_click(mut view: View) -> View {
        let beats = vec![BeatStrength::Accent, BeatStrength::Normal, BeatStrength::Normal];
        let tempo_millibpm = 96_500;
        view.shared.click =
            vec![ClickSegment { start_us: 1_000_000, bar: 0, tempo_millibpm, unit: 4, beats }];
        view
    }

    #[test]
    fn keys_start_change_and_end_the_click_that_is() {
        let (mut together, quiet) = (Together::default(), view());
        let slower = ClickSettings::new(119_000, 4);
        assert_eq!(press(&mut together, &quiet, ','), Some(Request::SetClick(slower.clone(), 1)));
        assert_eq!(press(&mut together, &quiet, 'c'), Some(Request::SetClick(slower, 1)));
        let running = with_click(view());
        assert_eq!(press(&mut together, &running, 'c'), Some(Request::EndClick));
        let faster = ClickSettings::new(97_500, 3);
        assert_eq!(press(&mut together, &running, '.'), Some(Request::SetClick(faster, 1)));
        let four = ClickSettings::new(96_500, 4);
        assert_eq!(press(&mut together, &running, 'b'), Some(Request::SetClick(four, 1)));
        let tap = |together: &mut Together, ms: u64| {
            handle(together, &running, KeyCode::Char('t'), Instant::from_ns(ms * 1_000_000))
        };
        assert_eq!(tap(&mut together, 5_000), None);
        let tapped = Request::SetClick(ClickSettings::new(150_000, 3), 1);
        assert_eq!(tap(&mut together, 5_400), Some(Action::Request(tapped)));
    }

    #[test]
    fn keys_set_level_mode_lead_and_takes() {
        let (mut together, mut view) = (Together::default(), view());
        let levels: Vec<_> = (0..6)
            .map(|_| {
                let Some(Request::SetClickGain(gain)) = press(&mut together, &view, 'n') else {
                    panic!("a level");
                };
                view.click_gain = gain;
                gain.map(|gain| gain.0)
            })
            .collect();
        assert_eq!(levels, [Some(-6.0), Some(-12.0), Some(-18.0), None, Some(6.0), Some(0.0)]);
        let aligned = Request::SetMode(PlayingMode::Aligned);
        assert_eq!(press(&mut together, &view, 'w'), Some(aligned));
        view.own_mode = Some(PlayingMode::Beat);
        assert_eq!(press(&mut together, &view, 'W'), Some(Request::SetOwnMode(None)));
        assert_eq!(press(&mut together, &view, 'l'), Some(Request::Lead(true)));
        view.shared.leader = view.me;
        assert_eq!(press(&mut together, &view, 'l'), Some(Request::Lead(false)));
        assert_eq!(press(&mut together, &view, 'x'), None, "nothing records");
        assert_eq!(press(&mut together, &view, 'r'), Some(Request::StartTake(String::new())));
        view.shared.takes = vec![take()];
        assert_eq!(press(&mut together, &view, 'r'), Some(Request::StopTake));
        assert_eq!(press(&mut together, &view, 'x'), Some(Request::MarkTake("mark".into())));
        assert_eq!(press(&mut together, &view, 'z'), None);
    }

    fn take() -> Take {
        let [id, key] = [0; 2].map(|_| "0".repeat(32));
        let (title, started_by) = ("Take 1".into(), "Ben".into());
        Take { id, key, title, started_by, start_us: 1_000_000, stop_us: None }
    }

    #[test]
    fn the_line_says_what_is_shared_and_is_not_there_where_nothing_is() {
        assert!(line(&view()).is_none());
        let mut view = with_click(view());
        let text = |view: &View| line(view).map(|line| line.to_string()).unwrap_or_default();
        assert_eq!(text(&view), "click 96.5 3/4 begins");
        view.click_gain = None;
        view.own_mode = Some(PlayingMode::Tight);
        view.shared = RoomState {
            mode: PlayingMode::Beat,
            leader: Some(ParticipantId(2)),
            takes: vec![take()],
            ..view.shared
        };
        let shown = "● records Take 1 0:00  click 96.5 3/4 begins (silent here) · tight (the room by the \
                     beat) · Ben leads";
        assert_eq!(text(&view), shown);
        // 66 s after both began: 106 beats of 0.62 s, in bars of three, the first of them counted in.
        let now = RoomMapping::new(Instant::ZERO, RoomTime::from_ns(67_000_000_000), 0.0);
        let beat = click_words(&view, Some(now.room(Instant::ZERO)));
        assert_eq!(beat.as_deref(), Some("click 96.5 3/4 bar 35 beat 2 (silent here)"));
        assert_eq!(take_time(&take(), Some(now.room(Instant::ZERO))), " 1:06");
    }
}
