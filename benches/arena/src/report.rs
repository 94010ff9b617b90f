//! What is printed: a table for people, a line of JSON for programs.

use std::fmt::Write as _;

use crate::contest::{Algorithm, Contest, DRIFTS, Entry};
use crate::family::Nature;
use crate::score::{Score, quantile};
use crate::verdict::Outcome;

/// Whether each pair of clocks gets a line of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Detail {
    Families,
    Traces,
}

/// The sum of all families.
pub(crate) struct Tally {
    pub(crate) wins: usize,
    pub(crate) losses: usize,
    /// Of the gains in percent.
    pub(crate) gain_median: f64,
}

impl Tally {
    pub(crate) fn new(contests: &[Contest]) -> Self {
        let verdicts = contests.iter().filter_map(Contest::verdict);
        let verdicts: Vec<_> = verdicts.map(|(_, verdict)| verdict).collect();
        let count =
            |outcome: Outcome| verdicts.iter().filter(|verdict| verdict.outcome == outcome).count();
        let mut gains: Vec<f64> = verdicts.iter().map(|verdict| verdict.gain).collect();
        gains.sort_by(f64::total_cmp);
        Self {
            wins: count(Outcome::Win),
            losses: count(Outcome::Loss),
            gain_median: quantile(&gains, 0.5),
        }
    }
}

/// The table.
pub(crate) fn table(contests: &[Contest], detail: Detail) -> String {
    let mut text = format!(
        "{:<18}{:<10}{:>9}{:>9}{:>9}{:>12}{:>10}{:>10}{:>8}{:>9}\n",
        "",
        "",
        "delay ms",
        "limit",
        "p95 ms",
        "concealed/m",
        "breaks/m",
        "smooth s",
        "back s",
        "drift/h"
    );
    for contest in contests {
        for (index, (algorithm, entry)) in Algorithm::ALL.iter().zip(&contest.entries).enumerate() {
            let family = if index == 0 { contest.family.name } else { "" };
            let drift = format!("{:.0}", entry.drift_breaks());
            row(&mut text, [family, algorithm.name(), &drift], &entry.mean(), entry.limit());
            if detail == Detail::Traces {
                let traces = entry.scores.iter().zip(&entry.limits);
                for (ppm, (score, limit)) in DRIFTS.iter().zip(traces) {
                    row(&mut text, [&format!("{ppm:+} ppm"), "", ""], score, *limit);
                }
            }
        }
        if let Some((reference, verdict)) = contest.verdict() {
            let _ = writeln!(
                text,
                "{:<18}{}: {:.0} % less than {}, {:+.0} % of the limit\n",
                "",
                verdict.outcome.name(),
                verdict.gain,
                reference.name(),
                contest.above_limit()
            );
        }
    }
    let tally = Tally::new(contests);
    let _ = writeln!(
        text,
        "{} of {} won, {} lost, {:.0} % less delay (median over families)",
        tally.wins,
        contests.len(),
        tally.losses,
        tally.gain_median
    );
    text
}

fn row(text: &mut String, [family, name, drift]: [&str; 3], score: &Score, limit: f64) {
    let seconds = |value: Option<f64>| value.map_or(String::new(), |value| format!("{value:.2}"));
    let _ = writeln!(
        text,
        "{family:<18}{name:<10}{:>9.2}{limit:>9.2}{:>9.2}{:>12.1}{:>10.1}{:>10}{:>8}{drift:>9}",
        score.delay,
        score.delay_p95,
        score.concealed,
        score.breaks,
        seconds(score.smooth_after),
        seconds(score.back_after),
    );
}

/// One line of JSON.
pub(crate) fn json(contests: &[Contest], seconds: u32, seed: u64) -> String {
    let tally = Tally::new(contests);
    let families: Vec<String> = contests.iter().map(family_json).collect();
    format!(
        "{{\"seconds\":{seconds},\"seed\":{seed},\"families\":{{{}}},\"wins\":{},\"losses\":{},\
         \"gain_percent_median\":{:.1}}}",
        families.join(","),
        tally.wins,
        tally.losses,
        tally.gain_median
    )
}

fn family_json(contest: &Contest) -> String {
    let mut fields = Vec::new();
    for (algorithm, entry) in Algorithm::ALL.iter().zip(&contest.entries) {
        fields.push(format!("\"{}\":{}", algorithm.name(), entry_json(entry)));
    }
    let stationary = contest.family.nature == Nature::Stationary;
    fields.push(format!("\"stationary\":{stationary}"));
    if let Some((reference, verdict)) = contest.verdict() {
        fields.push(format!(
            "\"reference\":\"{}\",\"outcome\":\"{}\",\"gain_percent\":{:.1}",
            reference.name(),
            verdict.outcome.name(),
            verdict.gain
        ));
    }
    format!("\"{}\":{{{}}}", contest.family.name, fields.join(","))
}

fn entry_json(entry: &Entry) -> String {
    let score = entry.mean();
    let seconds = |value: Option<f64>| value.map_or("null".to_owned(), |v| format!("{v:.3}"));
    format!(
        "{{\"delay_ms\":{:.3},\"limit_ms\":{:.3},\"delay_p95_ms\":{:.3},\"concealed_ms_per_min\":{:.2},\
         \"concealed_by_timing_ms_per_min\":{:.2},\"breaks_per_min\":{:.2},\"smooth_after_s\":{},\
         \"back_after_s\":{},\"drift_breaks_per_hour\":{:.1}}}",
        score.delay,
        entry.limit(),
        score.delay_p95,
        score.concealed,
        score.concealed_by_timing,
        score.breaks,
        seconds(score.smooth_after),
        seconds(score.back_after),
        entry.drift_breaks()
    )
}
