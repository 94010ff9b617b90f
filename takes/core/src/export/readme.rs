//! The page for people that lies beside the sound.

use std::fmt::Write;

use super::date::Date;
use super::names::line;
use super::report::{Report, StemReport};
use super::take::{Take, bpm, seconds};

/// `README.txt`.
pub(super) fn readme(take: &Take, report: &Report) -> String {
    let mut page = String::new();
    let title = line(&take.title);
    let title = if title.is_empty() { "Take" } else { &title };
    let date = Date::of(take.start).text();
    let length = clock(report.seconds);
    say(&mut page, format_args!("{title}\nRecorded {date}, {length} long.\n"));
    say(
        &mut page,
        format_args!(
            "All files start at the same moment and are equally long: FLAC, 48 kHz, 24 bits. Lay them at the start of\n\
             any project, or open Take.rpp (REAPER) or Take.dawproject from this folder. Markers.txt holds the markers\n\
             as labels of Audacity; Click.flac is what the click played, muted in both projects.\n"
        ),
    );
    if report.mix_gain_db < 0.0 {
        let db = -report.mix_gain_db;
        say(
            &mut page,
            format_args!(
                "Mix.flac is all stems together, made {db:.1} dB quieter so that it does not clip.\n"
            ),
        );
    } else {
        say(&mut page, format_args!("Mix.flac is all stems together, as loud as they are.\n"));
    }
    put_tempo(take, &mut page);
    say(&mut page, format_args!("Stems\n"));
    for stem in &report.stems {
        put_stem(stem, &mut page);
    }
    page
}

/// What the click was, where there was one.
fn put_tempo(take: &Take, page: &mut String) {
    let length = take.stop.ns_since(take.start);
    let mut told = 0;
    for (at, change) in take.tempo.iter().enumerate() {
        let at_ns = change.at.ns_since(take.start);
        let next_ns = take.tempo.get(at + 1).map_or(i64::MAX, |next| next.at.ns_since(take.start));
        let end_ns = change.end.map_or(i64::MAX, |end| end.ns_since(take.start)).min(next_ns);
        // Over before the take begins, or not begun when it ends.
        if length <= at_ns || end_ns <= 0 {
            continue;
        }
        if told == 0 {
            say(page, format_args!("Click\n"));
        }
        told += 1;
        if told <= TEMPO_LINES_MAX {
            let (bar, at, bpm) = (change.first_bar, seconds(at_ns), bpm(change));
            let beats = change.beats_per_bar;
            let ends = end_ns < next_ns.min(length);
            let until = if ends { format!(", until {} s", seconds(end_ns)) } else { String::new() };
            say(page, format_args!("  Bar {bar} at {at} s: {bpm} bpm, {beats} beats a bar{until}"));
        }
    }
    if TEMPO_LINES_MAX < told {
        say(page, format_args!("  and {} more changes", told - TEMPO_LINES_MAX));
    }
    if told != 0 {
        page.push('\n');
    }
}

fn put_stem(stem: &StemReport, page: &mut String) {
    match &stem.file {
        Some(file) => say(page, format_args!("{file}")),
        None => say(page, format_args!("{} (no file)", stem.title)),
    }
    for problem in &stem.problems {
        say(page, format_args!("  ! {problem}"));
    }
    if stem.file.is_some() {
        let recorded = clock(stem.coverage.recorded_s);
        say(page, format_args!("  {recorded} recorded."));
        let clocking = stem.clocking;
        if 0 < clocking.readings {
            say(
                page,
                format_args!(
                    "  Its clock was {:+.1} ppm off, which is corrected. It is known to {:.2} ms if the network was\n  \
                     alike in both directions, and to {:.1} ms in any case.",
                    clocking.drift_ppm,
                    clocking.precision_us / 1000.0,
                    clocking.bound_us / 1000.0
                ),
            );
        }
    }
    page.push('\n');
}

/// Appends lines.
fn say(page: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    let _ = writeln!(page, "{text}");
}

/// Minutes, seconds and hundredths.
fn clock(seconds: f64) -> String {
    let hundredths = crate::align::floor(seconds * 100.0 + 0.5);
    format!("{}:{:02}.{:02}", hundredths / 6000, hundredths / 100 % 60, hundredths % 100)
}

/// Changes of tempo that are listed.
const TEMPO_LINES_MAX: usize = 50;

#[cfg(test)]
mod tests {
    use protocol::time::RoomTime;

    use super::super::take::TempoChange;
    use super::*;

    #[test]
    fn a_click_is_told_where_it_was_heard() {
        let start = RoomTime::from_ns(1_790_000_000_000_000_000);
        let change = |at_s: i64, first_bar, end_s: Option<i64>| TempoChange {
            at: start.plus_ns(at_s * 1_000_000_000),
            milli_bpm: 90_000,
            beats_per_bar: 3,
            first_bar,
            accents: 1,
            silent: 0,
            end: end_s.map(|end| start.plus_ns(end * 1_000_000_000)),
        };
        let take = Take {
            title: String::new(),
            start,
            stop: start.plus_ns(20_000_000_000),
            tempo: vec![
                // Over before the take, ended in it, still there when it ends, and after it.
                change(-9, 1, Some(-2)),
                change(2, 2, Some(7)),
                change(9, 3, Some(25)),
                change(21, 4, None),
            ],
            markers: Vec::new(),
            stems: Vec::new(),
        };
        let mut page = String::new();
        put_tempo(&take, &mut page);
        let told = "Click\n\n  Bar 2 at 2.000000 s: 90.000 bpm, 3 beats a bar, until 7.000000 s\n  \
                    Bar 3 at 9.000000 s: 90.000 bpm, 3 beats a bar\n\n";
        assert_eq!(page, told);
    }
}
