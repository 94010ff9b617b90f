//! Counts tests by reading the closing lines of the runners that ran them.

use std::fmt;

/// How many tests passed and failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Tally {
    pub(crate) passed: usize,
    pub(crate) failed: usize,
}

impl Tally {
    /// Adds what a line of output says, if it is a closing line.
    pub(crate) fn read(&mut self, line: &str) {
        let line = plain(line);
        let line = line.trim();
        if let Some(rest) = line.strip_prefix("test result: ") {
            // cargo test: `test result: ok. 4 passed; 0 failed; 0 ignored; ...`
            self.add(counts(rest));
        } else if let Some(rest) = line.strip_prefix("Tests ") {
            // vitest: `Tests  1 failed | 24 passed (25)`
            self.add(counts(rest));
        } else if let Some(rest) = line.strip_prefix("ℹ pass ").or(line.strip_prefix("# pass ")) {
            self.passed += rest.parse::<usize>().unwrap_or(0);
        } else if let Some(rest) = line.strip_prefix("ℹ fail ").or(line.strip_prefix("# fail ")) {
            self.failed += rest.parse::<usize>().unwrap_or(0);
        } else if line.starts_with(|first: char| first.is_ascii_digit())
            && line.contains(" passed, ")
        {
            self.add(counts(line));
        }
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
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
    Tally { passed: before("passed").unwrap_or(0), failed: before("failed").unwrap_or(0) }
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
        assert_eq!(tally, Tally { passed, failed }, "{lines:?}");
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
    fn other_lines_count_nothing() {
        check(&["running 4 tests", "test a ... ok", "", "a packet passed, twice"], 0, 0);
    }
}
