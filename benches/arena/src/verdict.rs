//! Who wins: ours, or the best of the others.
//!
//! Delay can always be bought with concealment, so the two are looked at together. In each family ours
//! is held against **one** other, the reference: of those that conceal no more than ours, the one with
//! the least median delay; where every other conceals more, the one that conceals least. "No more" lets
//! a tenth and 5 ms a minute, four packets, pass as the same.
//!
//! Ours **wins** where its median delay is lower than the reference's and it conceals no more. It
//! **loses** where its delay is more than 5 % higher and it does not conceal less. Anything in between
//! is even, and so is less of the one for more of the other, which is **traded**. The gain is how much
//! lower the delay is, in percent of the reference's. All pairs of figures are printed beside it, since
//! a rule like this one hides as much as it shows.

use crate::score::Score;

/// How ours stands in a family.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Verdict {
    /// The reference's place among the others.
    pub(crate) reference: usize,
    pub(crate) outcome: Outcome,
    /// How much lower our delay is, in percent of the reference's.
    pub(crate) gain: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Win,
    Even,
    /// Less delay for more concealment, or the other way round.
    Traded,
    Loss,
}

impl Outcome {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Win => "win",
            Self::Even => "even",
            Self::Traded => "traded",
            Self::Loss => "loss",
        }
    }
}

/// Compares ours with the others; `None` without any.
pub(crate) fn verdict(ours: &Score, others: &[Score]) -> Option<Verdict> {
    let places = || others.iter().enumerate();
    let (reference, theirs) = places()
        .filter(|(_, other)| conceals_no_more(other, ours))
        .min_by(|a, b| a.1.delay.total_cmp(&b.1.delay))
        .or_else(|| places().min_by(|a, b| a.1.concealed.total_cmp(&b.1.concealed)))?;
    let outcome = if ours.delay < theirs.delay {
        if conceals_no_more(ours, theirs) { Outcome::Win } else { Outcome::Traded }
    } else if ours.delay <= theirs.delay * 1.05 {
        Outcome::Even
    } else if conceals_no_more(theirs, ours) {
        Outcome::Loss
    } else {
        Outcome::Traded
    };
    Some(Verdict { reference, outcome, gain: 100.0 * (1.0 - ours.delay / theirs.delay) })
}

fn conceals_no_more(this: &Score, that: &Score) -> bool {
    this.concealed <= that.concealed * 1.1 + 5.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn score(delay: f64, concealed: f64) -> Score {
        Score { delay, concealed, ..Score::default() }
    }

    #[test]
    fn the_quickest_of_those_that_conceal_no_more_is_the_reference() {
        let others = [score(2.0, 100.0), score(10.0, 14.0), score(8.0, 9.0), score(20.0, 0.0)];
        let won = verdict(&score(6.0, 10.0), &others).expect("there are some");
        assert_eq!((won.reference, won.outcome, won.gain), (2, Outcome::Win, 25.0));
        let even = verdict(&score(8.2, 10.0), &others).expect("there are some");
        assert_eq!((even.reference, even.outcome), (2, Outcome::Even));
        let lost = verdict(&score(9.0, 10.0), &others).expect("there are some");
        assert_eq!((lost.reference, lost.outcome), (2, Outcome::Loss));
    }

    #[test]
    fn where_all_conceal_more_it_is_the_one_that_conceals_least() {
        let others = [score(2.0, 100.0), score(5.0, 50.0)];
        let found = verdict(&score(6.0, 1.0), &others).expect("there are some");
        assert_eq!((found.reference, found.outcome), (1, Outcome::Traded));
        let found = verdict(&score(4.0, 1.0), &others).expect("there are some");
        assert_eq!((found.reference, found.outcome), (1, Outcome::Win));
        assert_eq!(verdict(&score(6.0, 1.0), &[]), None);
    }

    #[test]
    fn delay_that_was_bought_with_concealment_is_no_win() {
        let others = [score(8.0, 9.0)];
        let found = verdict(&score(6.0, 40.0), &others).expect("there are some");
        assert_eq!(found.outcome, Outcome::Traded);
    }
}
