//! A routine as a row of named steps, with a table of how long each took at the end.

use std::time::{Duration, Instant};

use anyhow::bail;

use crate::console;
use crate::interrupt;
use crate::tally::Tally;

/// What came of a step.
struct Done {
    title: String,
    elapsed: Duration,
    failure: Option<String>,
    tally: Tally,
}

/// The steps taken so far.
pub(crate) struct Steps {
    started: Instant,
    done: Vec<Done>,
    remarks: Vec<String>,
}

impl Steps {
    pub(crate) fn new() -> Self {
        Self { started: Instant::now(), done: Vec::new(), remarks: Vec::new() }
    }

    /// Takes a step that later steps stand on: returns its error.
    pub(crate) fn need(
        &mut self,
        title: &str,
        work: impl FnOnce() -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        self.take(title, |_| work());
        if self.done.last().is_some_and(|done| done.failure.is_some()) {
            bail!("stopped at: {title}");
        }
        Ok(())
    }

    /// Takes a step that proves something: its failure is counted and shown, and the rest still runs.
    pub(crate) fn prove(
        &mut self,
        title: &str,
        work: impl FnOnce(&mut Tally) -> anyhow::Result<()>,
    ) {
        self.take(title, work);
    }

    /// Adds a line to the summary that is no step's own.
    pub(crate) fn remark(&mut self, remark: String) {
        self.remarks.push(remark);
    }

    /// Prints the table and the totals; an error if any step failed.
    pub(crate) fn finish(self) -> anyhow::Result<()> {
        console::heading("summary");
        let width = self.done.iter().map(|done| done.title.chars().count()).max().unwrap_or(0);
        let mut total = Tally::default();
        for done in &self.done {
            let mark = if done.failure.is_some() { "FAILED" } else { "ok" };
            let pad = " ".repeat(width - done.title.chars().count());
            let elapsed = console::duration(done.elapsed);
            console::say(&format!("{}{pad}  {elapsed:>7}  {mark:<6}  {}", done.title, done.tally));
            total.add(&done.tally);
        }
        console::say(&format!("in all {}", console::duration(self.started.elapsed())));
        for remark in &self.remarks {
            console::say(remark);
        }
        for done in &self.done {
            if let Some(failure) = &done.failure {
                let first = failure.lines().next().unwrap_or_default();
                console::say(&format!("\n{}: {first}", done.title));
                done.tally.reports.iter().for_each(|line| console::say(line));
            }
        }
        console::say(&format!("\n{} passed, {} failed", total.passed, total.failed));
        self.judge()
    }

    fn judge(&self) -> anyhow::Result<()> {
        match self.done.iter().filter(|done| done.failure.is_some()).count() {
            0 => Ok(()),
            failures => bail!("{failures} of {} steps failed", self.done.len()),
        }
    }

    fn take(&mut self, title: &str, work: impl FnOnce(&mut Tally) -> anyhow::Result<()>) {
        console::heading(title);
        let started = Instant::now();
        let mut tally = Tally::default();
        let result = work(&mut tally);
        // What Ctrl-C broke is no finding.
        interrupt::obey();
        let failure = result.err().map(|error| format!("{error:#}"));
        // A step that failed without a failing test, because something did not compile, say.
        if failure.is_some() && tally.failed == 0 {
            tally.failed = 1;
        }
        let elapsed = started.elapsed();
        match &failure {
            None => console::say(&format!("done in {}", console::duration(elapsed))),
            Some(failure) => console::say(&format!("FAILED: {failure}")),
        }
        self.done.push(Done { title: title.to_owned(), elapsed, failure, tally });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_proof_fails_the_whole_but_not_the_next_step() {
        let mut steps = Steps::new();
        let mut ran = false;
        steps.prove("first", |_| bail!("no"));
        steps.prove("second", |_| {
            ran = true;
            Ok(())
        });
        assert!(ran);
        let error = steps.judge().expect_err("one failed");
        assert_eq!(error.to_string(), "1 of 2 steps failed");
    }

    #[test]
    fn a_failed_need_is_returned() {
        let mut steps = Steps::new();
        let error = steps.need("ground", || bail!("no")).expect_err("it failed");
        assert_eq!(error.to_string(), "stopped at: ground");
    }
}
