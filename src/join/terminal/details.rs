//! The pane under the table: why the selected track sounds as late, and as whole, as it does.

use core::time::Duration;

use engine::{PlayoutMode, RemoteStats, RoomClockStats};
use engine_device::session::{ParticipantView, TrackView, View};
use engine_device::stats::to_ms;
use protocol::signal::TrackHearing;
use ratatui::style::Stylize;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Paragraph};

/// Rows of the pane: a title and what is below it.
pub(super) const ROWS: u16 = 6;

/// The pane of a track of somebody else, or (`None`) of oneself. Lines have at most 80 columns.
pub(super) fn details<'a>(
    view: &View,
    selected: Option<(&ParticipantView, &TrackView)>,
) -> Paragraph<'a> {
    let (title, lines) = match selected {
        None => ("you".to_owned(), own_lines(view)),
        Some((participant, track)) => {
            let title = format!("{} · {}", participant.name, track.label);
            let lines = match &track.remote {
                None => vec![Line::from("not received")],
                Some(remote) => remote_lines(view, track, remote),
            };
            (title, lines)
        }
    };
    Paragraph::new(lines).block(Block::new().title(format!("─ {title} ").dim()))
}

fn own_lines(view: &View) -> Vec<Line<'static>> {
    let mode = view.default_playout;
    vec![
        line("playout", format!("{mode} for everybody who has no mode of their own")),
        line("", "d for automatic, lower (less delay, more risk), safer".to_owned()),
        line("", "[ ] for a fixed delay, 1 ms shorter or longer".to_owned()),
        line("room clock", room_clock_words(view.room_clock.map(|(_, stats)| stats))),
    ]
}

fn remote_lines(view: &View, track: &TrackView, remote: &RemoteStats) -> Vec<Line<'static>> {
    let ms = |frames: u32| format!("{:.1}", to_ms(frames.into()));
    let whose = if track.mix.playout.is_none() { ", as for all" } else { "" };
    let mode = track.mix.playout.unwrap_or(view.default_playout);
    let why = remote.why;
    let codec = remote.codec.map_or("no codec yet", |codec| codec.name());
    let clock = remote.drift_ppm.map_or_else(
        || "clock not known yet".to_owned(),
        |drift_ppm| format!("clock {drift_ppm:+.1} ppm"),
    );
    vec![
        line(
            "playout",
            format!(
                "{} ms now, {} ms wanted; {}{whose}",
                ms(remote.playout_delay_frames),
                ms(remote.playout_delay_target_frames),
                mode_words(mode),
            ),
        ),
        line(
            "because",
            format!(
                "network {} + callbacks {} + drift {} + redundancy {} ms",
                ms(why.network_frames),
                ms(why.callback_frames),
                ms(why.drift_frames),
                ms(why.redundancy_frames),
            ),
        ),
        line(
            "concealed",
            format!(
                "{} in the latest minute; packets: {} lost, {} late, {} recovered",
                concealed_words(remote),
                remote.lost_packets,
                remote.late_packets,
                remote.recovered_packets,
            ),
        ),
        line("ears", ears_words(remote, track.hears_us)),
        line(
            "stream",
            format!(
                "{codec}; adds {} ms; {clock}, played at {:+} ppm; {} splices",
                ms(remote.added_delay_frames),
                remote.rate_ppm,
                remote.splices,
            ),
        ),
    ]
}

/// How well the clock is known that everybody in the room shares.
fn room_clock_words(stats: Option<RoomClockStats>) -> String {
    let Some(stats) = stats else { return "not known yet".to_owned() };
    let ms = |duration: Duration| duration.as_secs_f64() * 1e3;
    let learning = if stats.settled { "" } else { "; being learned" };
    let usual = ms(stats.precision).max(0.1);
    format!("known to {usual:.1} ms; to {:.1} whatever the network does{learning}", ms(stats.bound))
}

/// How late each hears the other, from microphone to loudspeaker.
fn ears_words(remote: &RemoteStats, hears_us: Option<TrackHearing>) -> String {
    let ms = |delay: Option<Duration>| {
        delay.map_or_else(|| "–".to_owned(), |delay| format!("{:.1}", delay.as_secs_f64() * 1e3))
    };
    let there = hears_us.and_then(|hearing| hearing.delay_us);
    let there = ms(there.map(|us| Duration::from_micros(us.into())));
    let lost = hears_us.map_or(0.0, |hearing| f64::from(hearing.lost_permille) / 10.0);
    format!(
        "heard after {} ms; hears you after {there} ms, {lost:.1} % lost",
        ms(remote.mouth_to_device)
    )
}

/// What steers a delay, with what that means where the word does not say it.
fn mode_words(mode: PlayoutMode) -> String {
    match mode {
        PlayoutMode::Automatic | PlayoutMode::Safer => mode.to_string(),
        PlayoutMode::Lower => "lower delay".to_owned(),
        PlayoutMode::Fixed(_) => format!("fixed at {mode}"),
    }
}

/// What was concealed in the latest minute, in six columns or less of number and unit.
pub(super) fn concealed_words(remote: &RemoteStats) -> String {
    let ms = remote.concealed_ms_per_minute;
    if ms < 1000.0 { format!("{ms:.0} ms") } else { format!("{:.1} s", ms / 1000.0) }
}

fn line(name: &str, text: String) -> Line<'static> {
    Line::from(vec![Span::from(format!("{name:<11}")).dim(), Span::from(text)])
}
