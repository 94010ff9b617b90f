//! Delay against concealment as an SVG: a panel for each family, a point for each algorithm, and the
//! line of the best constant delays.

use std::fmt::Write as _;

use crate::contest::{Algorithm, Contest};

/// Draws all families.
pub(crate) fn svg(contests: &[Contest]) -> String {
    let rows = contests.len().div_ceil(COLUMNS);
    let (width, height) = (COLUMNS as f64 * PANEL.0, rows as f64 * PANEL.1 + LEGEND);
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" \
         font-family=\"sans-serif\" font-size=\"11\">\n<rect width=\"{width}\" \
         height=\"{height}\" fill=\"white\"/>\n"
    );
    for (index, contest) in contests.iter().enumerate() {
        let left = (index % COLUMNS) as f64 * PANEL.0;
        let top = (index / COLUMNS) as f64 * PANEL.1;
        let _ = writeln!(text, "<g transform=\"translate({left} {top})\">");
        panel(&mut text, contest);
        text.push_str("</g>\n");
    }
    let y = rows as f64 * PANEL.1 + LEGEND / 2.0;
    for (index, algorithm) in Algorithm::ALL.iter().enumerate() {
        let x = MARGIN + index as f64 * 90.0;
        let (color, name) = (color(*algorithm), algorithm.name());
        let _ = writeln!(text, "<circle cx=\"{x}\" cy=\"{y}\" r=\"5\" fill=\"{color}\"/>");
        let _ = writeln!(text, "<text x=\"{}\" y=\"{}\">{name}</text>", x + 9.0, y + 4.0);
    }
    let _ = writeln!(
        text,
        "<text x=\"{}\" y=\"{}\">line: the best constant delay in hindsight; down and left is \
         better</text>\n</svg>",
        MARGIN + Algorithm::ALL.len() as f64 * 90.0,
        y + 4.0
    );
    text
}

fn panel(text: &mut String, contest: &Contest) {
    let (right, bottom) = (PANEL.0 - MARGIN / 2.0, PANEL.1 - MARGIN);
    let name = contest.family.name;
    let _ = writeln!(text, "<text x=\"{MARGIN}\" y=\"16\" font-weight=\"bold\">{name}</text>");
    for (decade, label) in [1.0, 10.0, 100.0].into_iter().zip(["1", "10", "100 ms"]) {
        let x = x(decade);
        let _ = writeln!(
            text,
            "<path d=\"M{x:.1} 24V{bottom}\" stroke=\"#ddd\"/><text x=\"{x:.1}\" y=\"{}\" \
             text-anchor=\"middle\">{label}</text>",
            bottom + 14.0
        );
    }
    for (decade, label) in [0.1, 10.0, 1000.0].into_iter().zip(["0.1", "10", "1000 ms/min"]) {
        let y = y(decade);
        let _ = writeln!(
            text,
            "<path d=\"M{MARGIN} {y:.1}H{right}\" stroke=\"#ddd\"/><text x=\"{}\" y=\"{:.1}\" \
             fill=\"#666\">{label}</text>",
            MARGIN + 2.0,
            y - 3.0
        );
    }
    let _ =
        writeln!(text, "<path d=\"M{MARGIN} 24V{bottom}H{right}\" fill=\"none\" stroke=\"#666\"/>");
    let line = contest.curve.iter().enumerate().map(|(index, (delay, concealed))| {
        let pen = if index == 0 { "M" } else { "L" };
        format!("{pen}{:.1} {:.1}", x(*delay), y(*concealed))
    });
    let line = line.collect::<String>();
    let _ = writeln!(text, "<path d=\"{line}\" fill=\"none\" stroke=\"#333\"/>");
    for (algorithm, entry) in Algorithm::ALL.iter().zip(&contest.entries) {
        let score = entry.mean();
        let _ = writeln!(
            text,
            "<circle cx=\"{:.1}\" cy=\"{:.1}\" r=\"5\" fill=\"{}\"><title>{}: {:.2} ms, {:.1} \
             ms/min</title></circle>",
            x(score.delay),
            y(score.concealed),
            color(*algorithm),
            algorithm.name(),
            score.delay,
            score.concealed
        );
    }
}

/// From 0.5 to 300 ms, by decades.
fn x(delay: f64) -> f64 {
    let part = (delay.clamp(0.5, 300.0) / 0.5).log10() / 600_f64.log10();
    MARGIN + part * (PANEL.0 - 1.5 * MARGIN)
}

/// From 0.1 ms a minute, and anything less, to 10 s.
fn y(concealed: f64) -> f64 {
    let part = (concealed.clamp(0.1, 10_000.0) / 0.1).log10() / 5.0;
    PANEL.1 - MARGIN - part * (PANEL.1 - MARGIN - 24.0)
}

fn color(algorithm: Algorithm) -> &'static str {
    match algorithm {
        Algorithm::Ours => "#d62728",
        Algorithm::Jamulus => "#1f77b4",
        Algorithm::JackTrip => "#2ca02c",
        Algorithm::SonoBus => "#ff7f0e",
        Algorithm::NetEq => "#9467bd",
    }
}

const COLUMNS: usize = 5;
const PANEL: (f64, f64) = (240.0, 200.0);
const MARGIN: f64 = 24.0;
const LEGEND: f64 = 30.0;
