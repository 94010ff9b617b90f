//! What a person reads while a routine works.
//!
//! Everything goes to standard output, one whole line at a time, so that the order against the
//! output of programs stays as it happened.

use std::io::{IsTerminal, Write};
use std::time::Duration;

/// Prints one line (or several) to standard output.
pub(crate) fn say(text: &str) {
    let mut out = std::io::stdout().lock();
    // A reader that went away is no reason to stop the work.
    let _ = writeln!(out, "{text}").and_then(|()| out.flush());
}

/// Prints a heading that can be found again when scrolling through a long log.
pub(crate) fn heading(title: &str) {
    let line = "━".repeat(72_usize.saturating_sub(title.chars().count() + 4));
    say(&format!("\n━━ {} {line}", bold(title)));
}

/// Whether a person watches, rather than a log file.
pub(crate) fn is_terminal() -> bool {
    std::io::stdout().is_terminal()
}

/// `1m05s` or `3.2s`: long enough to compare, short enough to read.
pub(crate) fn duration(elapsed: Duration) -> String {
    let seconds = elapsed.as_secs();
    if seconds < 60 {
        format!("{:.1}s", elapsed.as_secs_f64())
    } else {
        format!("{}m{:02}s", seconds / 60, seconds % 60)
    }
}

fn bold(text: &str) -> String {
    if is_terminal() { format!("\x1b[1m{text}\x1b[0m") } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_at_a_glance() {
        assert_eq!(duration(Duration::from_millis(3_240)), "3.2s");
        assert_eq!(duration(Duration::from_secs(65)), "1m05s");
        assert_eq!(duration(Duration::from_secs(3_600)), "60m00s");
    }
}
