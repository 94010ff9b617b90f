//! What holds the room back, under the header: the worst two sentences, and how many more there are.

use engine_device::session::View;
use protocol::signal::Severity;
use ratatui::style::Stylize;
use ratatui::text::{Line, Span};

/// The lines, and how many rows they take at most in a terminal of that width.
pub(super) fn lines(view: &View, width: u16) -> (u16, Vec<Line<'_>>) {
    let width = usize::from(width).max(1);
    let more = view.findings.len().saturating_sub(SHOWN_MAX);
    let mut rows = 0;
    let mut lines = Vec::new();
    for (at, finding) in view.findings.iter().take(SHOWN_MAX).enumerate() {
        let mark =
            if finding.about.is_some() && finding.about == view.me { "▲ you: " } else { "▲ " };
        let is_last = at + 1 == SHOWN_MAX;
        let rest = if is_last && 0 < more { format!(" (and {more} more)") } else { String::new() };
        let chars: usize =
            [mark, &finding.text, &rest].map(|text| text.chars().count()).iter().sum();
        // A row ends before the word that does not fit: a tenth is left empty, and a word of twelve.
        rows += (chars + chars / 10 + 12).div_ceil(width).min(chars.max(1));
        let text = Span::from(finding.text.as_str());
        let text = match finding.severity {
            Severity::Slight => text,
            Severity::Serious => text.yellow(),
        };
        lines.push(Line::from(vec![mark.into(), text, Span::from(rest).dim()]));
    }
    (u16::try_from(rows).unwrap_or(u16::MAX), lines)
}

const SHOWN_MAX: usize = 2;

#[cfg(test)]
mod tests {
    use protocol::id::ParticipantId;
    use protocol::signal::{Finding, FindingCode};
    use ratatui::buffer::Buffer;
    use ratatui::layout::Rect;
    use ratatui::widgets::{Paragraph, Widget as _, Wrap};

    use super::*;

    fn finding(text: &str) -> Finding {
        let (code, severity) = (FindingCode::FarAway, Severity::Serious);
        Finding { code, about: Some(ParticipantId(1)), severity, text: text.to_owned() }
    }

    #[test]
    fn the_worst_two_are_shown_whole_in_any_width() {
        let long = "Ben's connection shakes by 14 ms, as Wi-Fi does: use a network cable, and stop \
                    what else fills the line.";
        let view = View {
            me: Some(ParticipantId(1)),
            findings: vec![finding(long), finding("Cleo is far."), finding("x"), finding("y")],
            ..View::default()
        };
        for width in [40, 80, 100, 200] {
            let (rows, lines) = lines(&view, width);
            let area = Rect::new(0, 0, width, rows);
            let mut buffer = Buffer::empty(area);
            Paragraph::new(lines).wrap(Wrap { trim: true }).render(area, &mut buffer);
            let shown: String = buffer.content.iter().map(ratatui::buffer::Cell::symbol).collect();
            let words: Vec<_> = shown.split_whitespace().collect();
            let shown = words.join(" ");
            assert!(shown.starts_with("▲ you: Ben's connection shakes"), "{width}: {shown}");
            assert!(shown.ends_with("Cleo is far. (and 2 more)"), "{width}: {shown}");
        }
        let nothing = View::default();
        let (rows, lines) = lines(&nothing, 80);
        assert_eq!((rows, lines.len()), (0, 0));
    }
}
