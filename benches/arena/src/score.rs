//! What there is to say about how a trace was played.

use crate::play::{Piece, concealed_by_timing};
use crate::trace::{Mark, MarkKind, PERIOD, Trace};

/// How one algorithm played one trace, or the mean over some.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Score {
    /// Half of the music is heard later than this after the trace's least delay, in ms.
    pub(crate) delay: f64,
    /// A twentieth of it is.
    pub(crate) delay_p95: f64,
    /// Invented milliseconds in a minute.
    pub(crate) concealed: f64,
    /// What they must have been, going by when packets came.
    pub(crate) concealed_by_timing: f64,
    /// Moments in a minute at which what is heard does not simply go on, concealed ones included.
    pub(crate) breaks: f64,
    /// Seconds from a change for the worse, or from the end of an outage, until half a second was heard
    /// without a break.
    pub(crate) smooth_after: Option<f64>,
    /// Seconds from a change for the better, or from the end of an outage, until the delay was within a
    /// period of what it had been.
    pub(crate) back_after: Option<f64>,
}

impl Score {
    pub(crate) fn new(trace: &Trace, pieces: &[Piece]) -> Self {
        let measured: Vec<Piece> = pieces
            .iter()
            .filter(|piece| trace.from <= piece.at && piece.at < trace.to)
            .copied()
            .collect();
        let minutes = (trace.to - trace.from) / 60_000.0;
        let mut delays: Vec<f64> = measured.iter().filter_map(|piece| piece.delay).collect();
        delays.sort_by(f64::total_cmp);
        let concealed: f64 = measured.iter().map(|piece| piece.concealed).sum();
        Self {
            delay: quantile(&delays, 0.5),
            delay_p95: quantile(&delays, 0.95),
            concealed: concealed / minutes,
            concealed_by_timing: concealed_by_timing(trace, &measured) / minutes,
            breaks: breaks(&measured) as f64 / minutes,
            smooth_after: middle(smooth_after(trace, &measured)),
            back_after: middle(back_after(trace, &measured)),
        }
    }

    /// The mean of each figure.
    pub(crate) fn mean(scores: &[Self]) -> Self {
        let mean = |figure: fn(&Self) -> f64| {
            scores.iter().map(figure).sum::<f64>() / scores.len().max(1) as f64
        };
        let known = |figure: fn(&Self) -> Option<f64>| {
            let known: Vec<f64> = scores.iter().filter_map(figure).collect();
            (!known.is_empty()).then(|| known.iter().sum::<f64>() / known.len() as f64)
        };
        Self {
            delay: mean(|score| score.delay),
            delay_p95: mean(|score| score.delay_p95),
            concealed: mean(|score| score.concealed),
            concealed_by_timing: mean(|score| score.concealed_by_timing),
            breaks: mean(|score| score.breaks),
            smooth_after: known(|score| score.smooth_after),
            back_after: known(|score| score.back_after),
        }
    }
}

/// How many stretches of broken pieces there are; those less than 10 ms apart are one to the ear.
fn breaks(pieces: &[Piece]) -> usize {
    let mut count = 0;
    let mut until = f64::NEG_INFINITY;
    for piece in pieces.iter().filter(|piece| piece.broken) {
        if until + 10.0 < piece.at {
            count += 1;
        }
        until = piece.at + piece.length;
    }
    count
}

/// Seconds from each change for the worse until half a second goes by unbroken.
fn smooth_after(trace: &Trace, pieces: &[Piece]) -> Vec<f64> {
    let after = |mark: &Mark, end: f64| {
        let mut since = mark.at;
        for piece in between(pieces, mark.at, end) {
            if since + 500.0 <= piece.at {
                return since - mark.at;
            }
            if piece.broken {
                since = piece.at + piece.length;
            }
        }
        since - mark.at
    };
    stretches(trace)
        .filter(|(mark, _)| mark.kind != MarkKind::Better)
        .map(|(mark, end)| after(mark, end) / 1000.0)
        .collect()
}

/// Seconds from each change for the better until the delay is what it was.
fn back_after(trace: &Trace, pieces: &[Piece]) -> Vec<f64> {
    let mut before = None;
    let mut found = Vec::new();
    for (mark, end) in stretches(trace) {
        if mark.kind != MarkKind::Better {
            // Before an outage, not before its end.
            let until = mark.at - if mark.kind == MarkKind::Back { 300.0 } else { 0.0 };
            before = delay(between(pieces, until - 5000.0, until));
        }
        if mark.kind == MarkKind::Worse {
            continue;
        }
        let Some(before) = before else { continue };
        let mut at = mark.at;
        while at < end {
            let now = delay(between(pieces, at, at + 200.0));
            if now.is_some_and(|now| now <= before + PERIOD) {
                break;
            }
            at += 100.0;
        }
        found.push((at.min(end) - mark.at) / 1000.0);
    }
    found
}

/// The marks that are measured, each with the end of what follows it.
fn stretches(trace: &Trace) -> impl Iterator<Item = (&Mark, f64)> {
    let ends = trace.marks.iter().skip(1).map(|mark| mark.at).chain([trace.to]);
    trace.marks.iter().zip(ends).filter(|(mark, _)| trace.from <= mark.at)
}

fn between(pieces: &[Piece], from: f64, to: f64) -> &[Piece] {
    let first = pieces.partition_point(|piece| piece.at < from);
    let last = pieces.partition_point(|piece| piece.at < to);
    pieces.get(first..last).unwrap_or_default()
}

fn delay(pieces: &[Piece]) -> Option<f64> {
    middle(pieces.iter().filter_map(|piece| piece.delay).collect())
}

fn middle(mut numbers: Vec<f64>) -> Option<f64> {
    numbers.sort_by(f64::total_cmp);
    (!numbers.is_empty()).then(|| quantile(&numbers, 0.5))
}

/// Of sorted numbers; nothing is nothing.
pub(crate) fn quantile(sorted: &[f64], part: f64) -> f64 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an index")]
    let index = (part * sorted.len().saturating_sub(1) as f64).round() as usize;
    sorted.get(index).copied().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::family::FAMILIES;
    use crate::trace::Plan;

    fn trace(marks: Vec<Mark>) -> Trace {
        let plan = Plan { measured: 60_000.0, settle: 0.0, seed: 1, drift_ppm: 0.0 };
        let mut trace = Trace::new(&FAMILIES[0], &plan);
        trace.marks = marks;
        trace
    }

    /// Pieces of 10 ms for a minute.
    fn pieces(delay: impl Fn(f64) -> f64, broken: impl Fn(f64) -> bool) -> Vec<Piece> {
        let piece = |index: u32| {
            let at = f64::from(index) * 10.0;
            let broken = broken(at);
            Piece {
                at,
                length: 10.0,
                delay: (!broken).then(|| delay(at)),
                concealed: if broken { 5.0 } else { 0.0 },
                broken,
            }
        };
        (0..6000).map(piece).collect()
    }

    #[test]
    fn concealment_and_breaks_are_counted_by_the_minute() {
        // 20 ms every second.
        let pieces = pieces(|_| 3.0, |at| at % 1000.0 < 20.0);
        let score = Score::new(&trace(Vec::new()), &pieces);
        assert_eq!((score.delay, score.delay_p95), (3.0, 3.0));
        assert_eq!(score.concealed, 600.0);
        assert_eq!(score.breaks, 60.0);
        assert_eq!((score.smooth_after, score.back_after), (None, None));
    }

    #[test]
    fn a_step_is_told_by_when_it_is_over() {
        let marks = vec![
            Mark { at: 20_000.0, kind: MarkKind::Worse },
            Mark { at: 40_000.0, kind: MarkKind::Better },
        ];
        let delay = |at: f64| if (20_000.0..43_000.0).contains(&at) { 18.0 } else { 3.0 };
        let pieces = pieces(delay, |at| (20_100.0..20_400.0).contains(&at));
        let score = Score::new(&trace(marks), &pieces);
        assert_eq!(score.smooth_after, Some(0.4));
        let back = score.back_after.expect("it is known");
        assert!((2.8..=3.0).contains(&back), "{back}");
    }

    #[test]
    fn what_never_recovers_takes_until_the_end() {
        let marks = vec![Mark { at: 50_000.0, kind: MarkKind::Back }];
        let delay = |at: f64| if 50_000.0 <= at { 18.0 } else { 3.0 };
        let score = Score::new(&trace(marks), &pieces(delay, |at| 50_000.0 <= at));
        assert_eq!((score.smooth_after, score.back_after), (Some(10.0), Some(10.0)));
    }
}
