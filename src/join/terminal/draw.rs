//! How the view looks: a header, a row for each track, what was said last, the keys.

use engine_device::audio::AudioStatus;
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
use super::{Help, Screen};

/// Draws everything.
pub(super) fn draw(frame: &mut Frame<'_>, screen: &Screen, view: &View, audio: &AudioStatus) {
    let tracks = remote_tracks(view);
    let rows = u16::try_from(tracks.len() + 4).unwrap_or(u16::MAX);
    let [header, room, notices, keys] = Layout::vertical([
        Constraint::Length(2),
        Constraint::Length(rows),
        Constraint::Min(3),
        Constraint::Length(if screen.help == Help::Shown { 4 } else { 1 }),
    ])
    .areas(frame.area());
    frame.render_widget(Paragraph::new(header_lines(screen, view, audio)), header);
    frame.render_widget(table(screen, view, &tracks), room);
    let height = usize::from(notices.height.saturating_sub(1));
    let skipped = screen.notices.len().saturating_sub(height);
    let lines: Vec<_> = screen.notices.iter().skip(skipped).map(notice_line).collect();
    let block = Block::new().title("─ what happened ".dim());
    frame.render_widget(Paragraph::new(lines).wrap(Wrap { trim: true }).block(block), notices);
    frame.render_widget(Paragraph::new(key_lines(screen.help)).dim(), keys);
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
            "period {} · callback p99 {} µs · xruns {}",
            audio.period_frames, callbacks.p99_us, audio.xruns
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
        ]),
        Line::from(vec![Span::from(uplink).dim(), sound]),
    ]
}

fn table<'a>(
    screen: &Screen,
    view: &'a View,
    tracks: &[(&'a ParticipantView, &'a TrackView)],
) -> Table<'a> {
    let own = Row::new(vec![
        "you".to_owned(),
        meter(view.input.peak),
        if view.muted { "muted".to_owned() } else { String::new() },
        String::new(),
        String::new(),
        String::new(),
        String::new(),
    ]);
    let others = tracks.iter().map(|(participant, track)| remote_row(participant, track));
    let selected = match screen.selection {
        Selection::Oneself => 0,
        Selection::Track(id) => {
            tracks.iter().position(|(_, track)| track.id == id).map_or(0, |at| at + 1)
        }
    };
    let rows = core::iter::once(own).chain(others).enumerate().map(|(at, row)| {
        if at == selected { row.style(Style::new().add_modifier(Modifier::REVERSED)) } else { row }
    });
    let header = ["who", "level", "mix", "codec", "delay", "buffer", "lost / late / concealed"];
    let widths = [
        Constraint::Length(22),
        Constraint::Length(METER_CELLS + 6),
        Constraint::Length(17),
        Constraint::Length(8),
        Constraint::Length(9),
        Constraint::Length(9),
        Constraint::Min(24),
    ];
    Table::new(rows, widths)
        .header(Row::new(header).style(Style::new().fg(Color::Gray)))
        .block(Block::bordered().title(" in the room "))
}

fn remote_row<'a>(participant: &ParticipantView, track: &TrackView) -> Row<'a> {
    let engine = match participant.engine {
        EngineKind::Native => "",
        EngineKind::Browser => " ⌂",
        EngineKind::Standard => " ☏",
    };
    let away = if participant.presence == Presence::Away { " (away)" } else { "" };
    let name = format!("{}{engine}{away}", participant.name);
    let mut mix = vec![format!("{:+.0} dB", track.mix.gain.0)];
    match track.mix.pan {
        pan if pan < 0.0 => mix.push(format!("L{:.0}", pan * -100.0)),
        pan if 0.0 < pan => mix.push(format!("R{:.0}", pan * 100.0)),
        _ => {}
    }
    if track.mix.soloed {
        mix.push("solo".to_owned());
    }
    if track.muted {
        mix.push("muted there".to_owned());
    } else if track.mix.muted {
        mix.push("muted".to_owned());
    }
    let mix = mix.join(" ");
    let Some(remote) = &track.remote else {
        return Row::new(vec![name, "not received".to_owned(), mix]);
    };
    let concealed_ms = to_ms(remote.concealed_frames);
    Row::new(vec![
        name,
        meter(remote.level.peak),
        mix,
        remote.codec.map_or("", |codec| codec.name()).to_owned(),
        format!("{:.1} ms", to_ms(remote.added_delay_frames.into())),
        format!("{:.1} ms", to_ms(remote.buffer_frames.into())),
        format!("{} / {} / {concealed_ms:.0} ms", remote.lost_packets, remote.late_packets),
    ])
}

/// A level from -60 to 0 dBFS as a bar, with its number.
fn meter(level: Decibels) -> String {
    let part = ((level.0 + 60.0) / 60.0).clamp(0.0, 1.0);
    let full = (part * f32::from(METER_CELLS)).round();
    let bar: String =
        (0..METER_CELLS).map(|cell| if f32::from(cell) < full { '█' } else { '·' }).collect();
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
        Help::Hidden => {
            vec![Line::from("↑↓ select  m mute  +/- gain  o/p pan  s solo  ? help  q leave")]
        }
        Help::Shown => vec![
            Line::from(
                "↑ ↓  select yourself or somebody's track      m  mute: yourself for all, others for you",
            ),
            Line::from("+ -  gain of the selected track, 1 dB         s  hear only soloed tracks"),
            Line::from(
                "o p  pan left, right                          0  gain, pan, mute, solo as at the start",
            ),
            Line::from("⌂ plays in a browser  ☏ ordinary WebRTC       ?  hide this      q  leave"),
        ],
    }
}

const METER_CELLS: u16 = 12;

#[cfg(test)]
mod tests {
    use engine::{Level, RemoteStats, StreamState};
    use protocol::codec::Codec;
    use protocol::rtp::Ssrc;
    use ratatui::Terminal;
    use ratatui::backend::TestBackend;

    use super::super::keys::tests::{screen, view};
    use super::*;

    fn remote() -> RemoteStats {
        RemoteStats {
            ssrc: Ssrc(5),
            state: StreamState::Playing,
            level: Level { peak: Decibels(-30.0), rms: Decibels(-36.0) },
            codec: Some(Codec::Opus64),
            received_packets: 1000,
            lost_packets: 7,
            late_packets: 3,
            reordered_packets: 0,
            duplicate_packets: 0,
            recovered_packets: 0,
            undecodable_packets: 0,
            overrun_packets: 0,
            concealed_frames: 480,
            played_frames: 64_000,
            splices: 0,
            resynchronizations: 0,
            buffer_frames: 96,
            playout_delay_frames: 64,
            playout_delay_target_frames: 64,
            added_delay_frames: 192,
            drift_ppm: None,
            received_packets_per_second: 750,
        }
    }

    fn drawn(screen: &Screen, view: &View) -> String {
        let mut terminal = Terminal::new(TestBackend::new(110, 20)).expect("no real terminal");
        let audio = AudioStatus { period_frames: 64, xruns: 2, ended: None };
        terminal.draw(|frame| draw(frame, screen, view, &audio)).expect("no real terminal");
        terminal.backend().to_string()
    }

    #[test]
    fn everybody_is_shown_with_what_a_musician_asks() {
        let (mut screen, mut view) = (screen(), view());
        view.participants[1].tracks[0].remote = Some(remote());
        view.participants[1].tracks[0].mix.gain = Decibels(-3.0);
        screen.notices.push_back(Notice::Chat { name: "Ben".into(), text: "ready?".into() });
        let shown = drawn(&screen, &view);
        for part in [
            "http://jam/r/x · Ana",
            "period 64",
            "xruns 2",
            "you",
            "██████······  -30",
            "-3 dB",
            "opus-64",
            "4.0 ms",
            "2.0 ms",
            "7 / 3 / 10 ms",
            "Cleo",
            "not received",
            "Ben: ready?",
            "q leave",
        ] {
            assert!(shown.contains(part), "{part} is missing in\n{shown}");
        }
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
