//! How the view looks: a header, a row for each track, what was said last, the keys.

use engine::{Relief, StreamState};
use engine_device::audio::{AudioStatus, Rates};
use engine_device::session::{Notice, ParticipantView, Reach, TrackView, View};
use engine_device::stats::to_ms;
use protocol::signal::{EngineKind, Presence};
use protocol::units::Decibels;
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout};
use ratatui::style::{Color, Modifier, Style, Stylize};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Paragraph, Row, Table, Wrap};

use super::keys::{Selection, remote_tracks};
use super::{Help, Screen, details, findings, together};

/// Draws everything. What is cut where the terminal is small: first what happened, then the pane
/// of the selected track, then what holds the room back.
pub(super) fn draw(frame: &mut Frame<'_>, screen: &Screen, view: &View, audio: &AudioStatus) {
    let tracks = remote_tracks(view);
    let shared = together::line(view);
    let header_rows = if shared.is_some() { HEADER_ROWS + 1 } else { HEADER_ROWS };
    let rows = u16::try_from(tracks.len() + 4).unwrap_or(u16::MAX);
    let key_rows = if screen.help == Help::Shown { 5 } else { 1 };
    let others = header_rows.saturating_add(rows) + NOTICES_ROWS_MIN + key_rows;
    let (finding_rows, finding_lines) = findings::lines(view, frame.area().width);
    let fits_more = |rows: u16| others.saturating_add(rows) <= frame.area().height;
    let finding_rows = if fits_more(finding_rows) { finding_rows } else { 0 };
    let fits = fits_more(finding_rows + details::ROWS);
    let [header, found, room, pane, notices, keys] = Layout::vertical([
        Constraint::Length(header_rows),
        Constraint::Length(finding_rows),
        Constraint::Length(rows),
        Constraint::Length(if fits { details::ROWS } else { 0 }),
        Constraint::Min(NOTICES_ROWS_MIN),
        Constraint::Length(key_rows),
    ])
    .areas(frame.area());
    let mut lines = header_lines(screen, view, audio);
    lines.extend(shared);
    frame.render_widget(Paragraph::new(lines), header);
    frame.render_widget(Paragraph::new(finding_lines).wrap(Wrap { trim: true }), found);
    let selected = match screen.selection {
        Selection::Oneself => None,
        Selection::Track(id) => tracks.iter().position(|(_, track)| track.id == id),
    };
    let columns = if frame.area().width < WIDE { Columns::Few } else { Columns::All };
    frame.render_widget(table(columns, view, &tracks, selected), room);
    let of = selected.and_then(|at| tracks.get(at).copied());
    frame.render_widget(details::details(view, of), pane);
    let height = usize::from(notices.height.saturating_sub(1));
    let skipped = screen.notices.len().saturating_sub(height);
    let lines: Vec<_> = screen.notices.iter().skip(skipped).map(notice_line).collect();
    let block = Block::new().title("─ what happened ".dim());
    frame.render_widget(Paragraph::new(lines).wrap(Wrap { trim: true }).block(block), notices);
    frame.render_widget(Paragraph::new(key_lines(screen.help)).dim(), keys);
}

/// Which columns there is room for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Columns {
    /// Those that tell whether one can play, in 80 columns; the pane has the rest.
    Few,
    All,
}

fn header_lines<'a>(screen: &'a Screen, view: &View, audio: &AudioStatus) -> Vec<Line<'a>> {
    let reach = |what: &str, reach: Reach| match reach {
        Reach::Connected => Span::from(format!("{what} ✓ ")).green(),
        Reach::Connecting => Span::from(format!("{what} … ")).yellow(),
    };
    let codecs: Vec<_> = view.encodings.iter().map(|codec| codec.name()).collect();
    let uplink = view.uplink.map_or_else(String::new, |uplink| {
        let jitter_ms = f64::from(uplink.jitter_us) / 1000.0;
        let lost = uplink.lost_packets;
        format!("uplink: {lost} lost/s, jitter {jitter_ms:.1} ms · ")
    });
    let callbacks = screen.callbacks;
    let sound = match &audio.ended {
        Some(reason) => Span::from(format!("no sound: {reason}")).red(),
        None => Span::from(format!(
            "{}period {} · callback p99 {} µs · xruns {}",
            rate_words(&audio.rates),
            audio.period_frames,
            callbacks.p99_us,
            audio.xruns
        ))
        .dim(),
    };
    vec![
        Line::from(vec![
            Span::from(screen.title.as_str()).bold(),
            "  ".into(),
            reach("room", view.signalling),
            reach("media", view.media),
            Span::from(if codecs.is_empty() {
                String::new()
            } else {
                format!("sending {}", codecs.join(" + "))
            }),
            Span::from(view.reason.as_ref().map_or_else(String::new, |why| format!(" ({why})")))
                .dim(),
        ]),
        Line::from(vec![Span::from(relief_words(view)).red(), Span::from(uplink).dim(), sound]),
    ]
}

/// What is missing because this machine is too slow.
fn relief_words(view: &View) -> String {
    match view.relief {
        Relief::Nothing | Relief::Unheard => String::new(),
        Relief::Remotes(remotes) => format!("too slow: {remotes} left out · "),
    }
}

/// The device's rate where it is converted; the usual one needs no word.
fn rate_words(rates: &Rates) -> String {
    let Rates { input_hz, output_hz, .. } = *rates;
    if rates.is_native() {
        String::new()
    } else if input_hz == output_hz {
        format!("{output_hz} Hz (converted) · ")
    } else {
        format!("{input_hz} Hz in, {output_hz} Hz out (converted) · ")
    }
}

fn table<'a>(
    columns: Columns,
    view: &'a View,
    tracks: &[(&'a ParticipantView, &'a TrackView)],
    selected: Option<usize>,
) -> Table<'a> {
    let own = vec![
        "you".to_owned(),
        meter(view.input.peak, columns),
        if view.muted { "muted".to_owned() } else { String::new() },
    ];
    let others = tracks.iter().map(|(participant, track)| cells(participant, track, columns));
    let selected = selected.map_or(0, |at| at + 1);
    let rows = core::iter::once(own).chain(others).enumerate().map(|(at, cells)| {
        let row = Row::new(cells);
        if at == selected { row.style(Style::new().add_modifier(Modifier::REVERSED)) } else { row }
    });
    let header: &[_] = match columns {
        Columns::Few => &["who", "level", "mix", "playout", "mode", "concealed"],
        Columns::All => &[
            "who",
            "level",
            "mix",
            "playout",
            "mode",
            "concealed",
            "delay",
            "codec",
            "lost/late/recovered",
        ],
    };
    let widths: &[_] = match columns {
        Columns::Few => &[14, 12, 16, 12, 9, 10],
        Columns::All => &[14, 14, 16, 12, 9, 10, 8, 8, 19],
    };
    let widths = widths.iter().enumerate().map(|(column, width)| match column {
        0 => Constraint::Min(*width),
        _ => Constraint::Length(*width),
    });
    Table::new(rows, widths)
        .header(Row::new(header.to_vec()).style(Style::new().fg(Color::Gray)))
        .block(Block::bordered().title(" in the room "))
}

fn cells(participant: &ParticipantView, track: &TrackView, columns: Columns) -> Vec<String> {
    let engine = match participant.engine {
        EngineKind::Native => "",
        EngineKind::Browser => " ⌂",
        EngineKind::Standard => " ☏",
    };
    let away = if participant.presence == Presence::Away { " (away)" } else { "" };
    let name = format!("{}{engine}{away}", participant.name);
    let mix = mix_words(track);
    let Some(remote) = &track.remote else {
        return vec![name, "not received".to_owned(), mix];
    };
    let ms = |frames: u32| to_ms(frames.into());
    let (now, wanted) = (ms(remote.playout_delay_frames), ms(remote.playout_delay_target_frames));
    let mut cells = vec![
        name,
        meter(remote.level.peak, columns),
        mix,
        format!("{now:.1}→{wanted:.1} ms"),
        remote.playout.to_string(),
        format!("{}/min", details::concealed_words(remote)),
    ];
    if columns == Columns::All {
        let (lost, late) = (remote.lost_packets, remote.late_packets);
        cells.extend([
            format!("{:.1} ms", ms(remote.added_delay_frames)),
            remote.codec.map_or("", |codec| codec.name()).to_owned(),
            format!("{lost} / {late} / {}", remote.recovered_packets),
        ]);
    }
    cells
}

/// How a track is mixed; what its publisher stopped is mixed no way.
fn mix_words(track: &TrackView) -> String {
    if track.muted {
        return "muted there".to_owned();
    }
    if track.remote.as_ref().is_some_and(|remote| remote.state == StreamState::LeftOut) {
        return "left out".to_owned();
    }
    let mut mix = vec![format!("{:+.0} dB", track.mix.gain.0)];
    match track.mix.pan {
        pan if pan < 0.0 => mix.push(format!("L{:.0}", pan * -100.0)),
        pan if 0.0 < pan => mix.push(format!("R{:.0}", pan * 100.0)),
        _ => {}
    }
    if track.mix.muted {
        mix.push("muted".to_owned());
    } else if track.mix.soloed {
        mix.push("solo".to_owned());
    }
    mix.join(" ")
}

/// A level from -60 to 0 dBFS as a bar, with its number.
fn meter(level: Decibels, columns: Columns) -> String {
    let cells: u16 = if columns == Columns::All { 9 } else { 7 };
    let part = ((level.0 + 60.0) / 60.0).clamp(0.0, 1.0);
    let full = (part * f32::from(cells)).round();
    let bar: String =
        (0..cells).map(|cell| if f32::from(cell) < full { '█' } else { '·' }).collect();
    if level.0 <= -99.5 { bar } else { format!("{bar} {:>4.0}", level.0) }
}

fn notice_line(notice: &Notice) -> Line<'_> {
    match notice {
        Notice::Fact(text) => Line::from(text.as_str()),
        Notice::Warning(text) => Line::from(text.as_str()).yellow(),
        Notice::Chat { name, text } => {
            Line::from(vec![Span::from(name.as_str()).bold(), ": ".into(), text.as_str().into()])
        }
    }
}

fn key_lines(help: Help) -> Vec<Line<'static>> {
    match help {
        Help::Hidden => vec![Line::from(
            "↑↓ select  m mute  +- gain  s solo  d delay  c click  r record  ? help  q leave",
        )],
        Help::Shown => vec![
            Line::from(
                "↑↓ select  m mute: you for all, others for you  s solo  +- gain  op pan  0 reset",
            ),
            Line::from(
                "d  delay: automatic, lower, safer    [ ]  fixed delay, 1 ms shorter, longer",
            ),
            Line::from(
                "c  click on, off  , .  tempo  t  tap  b  beats  n  its level here  l  lead",
            ),
            Line::from(
                "w W  tight, aligned, beat: room, you    r  record everybody    x  mark the take",
            ),
            Line::from("⌂ in a browser  ☏ ordinary WebRTC    ?  hide this      q  leave"),
        ],
    }
}

const HEADER_ROWS: u16 = 2;
const NOTICES_ROWS_MIN: u16 = 3;

/// Columns of a terminal that has room for the whole table.
const WIDE: u16 = 120;

#[cfg(test)]
mod tests {
    use engine::{PlayoutMode, RemoteStats};
    use engine_device::session::Mix;
    use protocol::codec::Codec;
    use ratatui::Terminal;
    use ratatui::backend::TestBackend;

    use super::super::keys::tests::{remote, screen, view};
    use super::*;

    fn drawn(screen: &Screen, view: &View) -> String {
        let audio = AudioStatus { period_frames: 64, xruns: 2, ..AudioStatus::default() };
        drawn_with(screen, view, &audio, (120, 24))
    }

    fn drawn_with(
        screen: &Screen,
        view: &View,
        audio: &AudioStatus,
        (columns, rows): (u16, u16),
    ) -> String {
        let mut terminal =
            Terminal::new(TestBackend::new(columns, rows)).expect("no real terminal");
        terminal.draw(|frame| draw(frame, screen, view, audio)).expect("no real terminal");
        terminal.backend().to_string()
    }

    fn contains(shown: &str, parts: &[&str]) {
        for part in parts {
            assert!(shown.contains(part), "{part} is missing in\n{shown}");
        }
    }

    #[test]
    fn a_rate_is_shown_where_it_is_converted() {
        let shown = |input_hz, output_hz| {
            let rates = Rates::new(input_hz, output_hz).expect("simple ratios");
            let audio = AudioStatus { period_frames: 64, rates, ..AudioStatus::default() };
            drawn_with(&screen(), &view(), &audio, (120, 24))
        };
        assert!(!shown(48_000, 48_000).contains("Hz"));
        contains(&shown(44_100, 44_100), &["44100 Hz (converted) · period 64"]);
        contains(&shown(44_100, 48_000), &["44100 Hz in, 48000 Hz out (converted) · period 64"]);
    }

    #[test]
    fn everybody_is_shown_with_what_a_musician_asks() {
        let (mut screen, mut view) = (screen(), view());
        view.participants[1].tracks[0].remote = Some(remote());
        view.participants[1].tracks[0].mix.gain = Decibels(-3.0);
        screen.notices.push_back(Notice::Chat { name: "Ben".into(), text: "ready?".into() });
        let shown = drawn(&screen, &view);
        let parts = [
            "http://jam/r/x · Ana",
            "period 64",
            "xruns 2",
            "you",
            "█████····  -30",
            "-3 dB",
            "2.5→3.0 ms",
            "automatic",
            "12 ms/min",
            "5.2 ms",
            "opus-64",
            "7 / 3 / 2",
            "Cleo",
            "not received",
            "automatic for everybody",
            "Ben: ready?",
            "q leave",
        ];
        contains(&shown, &parts);
    }

    #[test]
    fn whom_a_slow_machine_leaves_out_is_told_where_it_is_seen() {
        let (screen, mut view) = (screen(), view());
        view.relief = Relief::Remotes(1);
        let remote = RemoteStats { state: StreamState::LeftOut, ..remote() };
        view.participants[1].tracks[0].remote = Some(remote);
        let shown = drawn_with(&screen, &view, &AudioStatus::default(), (80, 24));
        contains(&shown, &["too slow: 1 left out · period", "left out     "]);
        view.relief = Relief::Unheard;
        assert!(!drawn(&screen, &view).contains("too slow"));
    }

    #[test]
    fn eighty_columns_hold_a_whole_line_for_everybody_and_why_the_delay_is_what_it_is() {
        let (mut screen, mut view) = (screen(), view());
        screen.selection = Selection::Track(view.participants[1].tracks[0].id);
        let mut busy = remote();
        busy.playout = PlayoutMode::Fixed(579);
        busy.playout_delay_frames = 1190;
        busy.playout_delay_target_frames = 579;
        busy.concealed_ms_per_minute = 12_345.0;
        view.default_playout = PlayoutMode::Lower;
        view.participants[1].name = "Ben of the band".into();
        view.participants[1].tracks[0].remote = Some(busy);
        let mix = Mix { gain: Decibels(-12.0), pan: 1.0, soloed: true, ..Mix::default() };
        view.participants[1].tracks[0].mix = Mix { playout: Some(PlayoutMode::Fixed(579)), ..mix };
        view.participants[2].tracks[1].remote = Some(RemoteStats { drift_ppm: None, ..remote() });
        let shown = drawn_with(&screen, &view, &AudioStatus::default(), (80, 24));
        let row =
            "│Ben of the ban ████···  -30 -12 dB R100 solo 24.8→12.1 ms 12.06ms   12.3 s/min│";
        let parts = [
            row,
            "Ben of the band · track20",
            "24.8 ms now, 12.1 ms wanted; fixed at 12.06ms",
            "network 1.0 + callbacks 1.5 + drift 0.5 + redundancy 0.0 ms",
            "12.3 s in the latest minute; packets: 7 lost, 3 late, 2 recovered",
            "opus-64; adds 5.2 ms; clock +12.3 ppm, played at +20 ppm; 5 splices",
        ];
        contains(&shown, &parts);
        screen.selection = Selection::Track(view.participants[2].tracks[1].id);
        let shown = drawn_with(&screen, &view, &AudioStatus::default(), (80, 24));
        let parts = ["3.0 ms wanted; lower delay, as for all", "clock not known yet"];
        contains(&shown, &parts);
        screen.help = Help::Shown;
        let shown = drawn_with(&screen, &view, &AudioStatus::default(), (80, 24));
        contains(&shown, &["others for you", "1 ms shorter, longer", "as for all"]);
    }

    #[test]
    fn a_small_terminal_keeps_people_and_news_and_gives_up_the_pane() {
        let (mut screen, mut view) = (screen(), view());
        view.participants[1].tracks[0].remote = Some(remote());
        screen.notices.push_back(Notice::Fact("newest".into()));
        let shown = drawn_with(&screen, &view, &AudioStatus::default(), (80, 14));
        contains(&shown, &["Ben", "Cleo", "newest", "q leave"]);
        assert!(!shown.contains("for everybody"), "{shown}");
    }

    #[test]
    fn the_header_says_why_that_is_sent_and_why_there_is_no_sound() {
        let mut view = view();
        view.encodings = vec![Codec::Opus64, Codec::Opus];
        view.reason = Some("Cleo plays opus only".into());
        let audio = AudioStatus { ended: Some("unplugged".into()), ..AudioStatus::default() };
        let shown = drawn_with(&screen(), &view, &audio, (120, 24));
        for part in ["sending opus-64 + opus (Cleo plays opus only)", "no sound: unplugged"] {
            assert!(shown.contains(part), "{part} is missing in\n{shown}");
        }
        assert!(drawn(&screen(), &view).contains("xruns 2"));
    }

    #[test]
    fn the_newest_notices_are_kept_in_sight() {
        let mut screen = screen();
        for number in 0..50 {
            screen.notices.push_back(Notice::Fact(format!("notice {number}")));
        }
        let shown = drawn(&screen, &view());
        assert!(shown.contains("notice 49") && !shown.contains("notice 10 "), "{shown}");
    }
}
