//! Counts tests by reading the closing lines of the runners that ran them, and keeps what failed
//! tests said, so that the summary can end with it.

use std::fmt;

/// How many tests passed and failed, and what the failed ones said.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Tally {
    pub(crate) passed: usize,
    pub(crate) failed: usize,
    /// The reports of failed tests, as their runner wrote them, shortened.
    pub(crate) reports: Vec<String>,
    /// How many lines of a report are still to come.
    wanted: usize,
}

/// More of one test's report is left to the log.
const REPORT_LINES_MAX: usize = 16;
/// More of all reports are left to the log: whoever broke everything knows it.
const LINES_MAX: usize = 200;

impl Tally {
    /// Adds what a line of output says, if it is a closing line.
    pub(crate) fn read(&mut self, line: &str) {
        let line = plain(line);
        self.report(&line);
        let line = line.trim();
        if let Some(rest) = line.strip_prefix("test result: ") {
            // cargo test: `test result: ok. 4 passed; 0 failed; 0 ignored; ...`
            self.add(&counts(rest));
        } else if let Some(rest) = line.strip_prefix("Tests ") {
            // vitest: `Tests  1 failed | 24 passed (25)`
            self.add(&counts(rest));
        } else if let Some(rest) = line.strip_prefix("ℹ pass ").or(line.strip_prefix("# pass ")) {
            self.passed += rest.parse::<usize>().unwrap_or(0);
        } else if let Some(rest) = line.strip_prefix("ℹ fail ").or(line.strip_prefix("# fail ")) {
            self.failed += rest.parse::<usize>().unwrap_or(0);
        } else if line.starts_with(|first: char| first.is_ascii_digit())
            && line.contains(" passed, ")
        {
            self.add(&counts(line));
        }
    }

    pub(crate) fn add(&mut self, other: &Self) {
        self.passed += other.passed;
        self.failed += other.failed;
    }

    /// Keeps a line, if it belongs to the report of a failed test.
    fn report(&mut self, line: &str) {
        let text = line.trim();
        // cargo test: `---- NAME stdout ----`; node: `not ok 4 - NAME`; vitest: `FAIL  FILE > NAME`
        let begins = text.starts_with("---- ") && text.ends_with(" stdout ----")
            || text.starts_with("not ok ")
            || text.starts_with("FAIL  ");
        // What no harness reports: a test program that has none, or one that was aborted.
        let ends_program = text.starts_with("thread '") && text.contains(" panicked at ")
            || text.contains("process didn't exit successfully");
        if begins || ends_program && self.wanted == 0 {
            self.wanted = REPORT_LINES_MAX;
        } else if text == "failures:" || text.starts_with("ok ") {
            self.wanted = 0;
        }
        if 0 < self.wanted && !text.is_empty() && self.reports.len() < LINES_MAX {
            self.wanted -= 1;
            self.reports.push(line.trim_end().to_owned());
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.passed, self.failed) {
            (0, 0) => Ok(()),
            (passed, 0) => write!(f, "{passed} passed"),
            (passed, failed) => write!(f, "{passed} passed, {failed} failed"),
        }
    }
}

/// Numbers in front of the words `passed` and `failed`.
fn counts(text: &str) -> Tally {
    let words: Vec<&str> =
        text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let before = |wanted: &str| {
        let at = words.iter().position(|word| *word == wanted)?;
        words.get(at.checked_sub(1)?)?.parse::<usize>().ok()
    };
    Tally {
        passed: before("passed").unwrap_or(0),
        failed: before("failed").unwrap_or(0),
        ..Tally::default()
    }
}

/// The line without terminal colors.
fn plain(line: &str) -> String {
    let mut text = String::with_capacity(line.len());
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        if c == '\x1b' {
            // A color is ESC [ digits and semicolons, m.
            for c in chars.by_ref() {
                if c.is_ascii_alphabetic() {
                    break;
                }
            }
        } else {
            text.push(c);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(lines: &[&str], passed: usize, failed: usize) {
        let mut tally = Tally::default();
        for line in lines {
            tally.read(line);
        }
        assert_eq!((tally.passed, tally.failed), (passed, failed), "{lines:?}");
    }

    #[test]
    fn closing_lines_of_every_runner_are_counted() {
        check(&["test result: ok. 4 passed; 0 failed; 0 ignored; 0 measured"], 4, 0);
        check(&["test result: \x1b[31mFAILED\x1b[0m. 3 passed; 1 failed; 0 ignored"], 3, 1);
        check(&["      Tests  1 failed | 24 passed (25)"], 24, 1);
        check(
            &["\x1b[2m      Tests \x1b[22m \x1b[1m\x1b[32m25 passed\x1b[39m\x1b[22m (25)"],
            25,
            0,
        );
        check(&["ℹ pass 7", "ℹ fail 2"], 7, 2);
        check(&["# pass 7", "# fail 0"], 7, 0);
        check(&["12 passed, 1 failed"], 12, 1);
    }

    #[test]
    fn what_failed_tests_said_is_kept() {
        let mut tally = Tally::default();
        let said = [
            "test play::a ... FAILED",
            "failures:",
            "---- play::a stdout ----",
            "thread 'play::a' panicked at tests/play.rs:4:9:",
            "",
            "one click",
            "failures:",
            "    play::a",
            "not ok 2 - two browsers",
            "  error: 'a gap'",
            "ok 3 - three browsers",
            "  duration_ms: 4",
            "thread 'main' panicked at tests/jack.rs:4:9:",
            "no server",
            "  process didn't exit successfully: `jack` (exit status: 101)",
        ];
        said.iter().for_each(|line| tally.read(line));
        let kept = [
            "---- play::a stdout ----",
            "thread 'play::a' panicked at tests/play.rs:4:9:",
            "one click",
            "not ok 2 - two browsers",
            "  error: 'a gap'",
            "thread 'main' panicked at tests/jack.rs:4:9:",
            "no server",
            "  process didn't exit successfully: `jack` (exit status: 101)",
        ];
        assert_eq!(tally.reports, kept);
    }

    #[test]
    fn long_reports_are_cut() {
        let mut tally = Tally::default();
        tally.read("not ok 1 - a");
        (0..REPORT_LINES_MAX * 2).for_each(|at| tally.read(&format!("line {at}")));
        assert_eq!(tally.reports.len(), REPORT_LINES_MAX);
    }

    #[test]
    fn other_lines_count_nothing() {
        check(&["running 4 tests", "test a ... ok", "", "a packet passed, twice"], 0, 0);
    }
}
