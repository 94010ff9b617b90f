//! What a recorded network did, datagram by datagram.
//!
//! A trace is text, a line for each datagram: its delay in microseconds, or `lost`. Lines that are
//! empty or start with `#` say nothing. What surprises: a line is a datagram and not a moment, so a
//! trace that was recorded at one pace is another network at another pace.

use core::time::Duration;
use std::sync::Arc;

use crate::weather::DELAY_MAX;

/// What became of datagrams, one after the other; after the last comes the first again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trace(Arc<[Fate]>);

/// What becomes of one datagram.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It never arrives.
    Lost,
    /// It arrives so much later.
    Delayed(Duration),
}

/// Why a text is no trace.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MalformedTrace {
    /// A line that is neither.
    #[error(
        "line {line} is neither a delay of at most a minute in microseconds nor `lost`: {text}"
    )]
    Line {
        /// Counted from 1.
        line: usize,
        /// Its beginning.
        text: String,
    },
    /// Nothing but comments.
    #[error("there is no datagram in it")]
    Empty,
    /// More than [`DATAGRAMS_MAX`].
    #[error("it has more than {DATAGRAMS_MAX} datagrams")]
    TooLong,
}

/// Some three hours at 750 datagrams a second, and 160 MB of memory.
pub const DATAGRAMS_MAX: usize = 10_000_000;

impl Trace {
    /// Reads the lines of a trace.
    ///
    /// # Errors
    ///
    /// Says which line is wrong, or that there is none.
    pub fn parse(text: &str) -> Result<Self, MalformedTrace> {
        let mut fates = Vec::new();
        for (line, number) in text.lines().zip(1..) {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            if fates.len() == DATAGRAMS_MAX {
                return Err(MalformedTrace::TooLong);
            }
            let fate = Fate::parse(line).ok_or_else(|| MalformedTrace::Line {
                line: number,
                text: line.chars().take(40).collect(),
            })?;
            fates.push(fate);
        }
        if fates.is_empty() {
            return Err(MalformedTrace::Empty);
        }
        Ok(Self(fates.into()))
    }

    /// What becomes of datagram number `n`, counted from 0.
    pub(crate) fn fate(&self, n: usize) -> Fate {
        n.checked_rem(self.0.len()).and_then(|n| self.0.get(n)).copied().unwrap_or(Fate::Lost)
    }
}

impl Fate {
    fn parse(line: &str) -> Option<Self> {
        if line == "lost" {
            return Some(Self::Lost);
        }
        let us: f64 = line.parse().ok()?;
        let delay = Duration::try_from_secs_f64(us / 1e6).ok()?;
        (delay <= DELAY_MAX).then_some(Self::Delayed(delay))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_datagram_and_the_first_follows_the_last() {
        let trace = Trace::parse("# recorded\n1500\nlost\n\n 20.5 \n").expect("it is a trace");
        let fates: Vec<Fate> = (0..4).map(|n| trace.fate(n)).collect();
        let us = |us: f64| Fate::Delayed(Duration::from_secs_f64(us / 1e6));
        assert_eq!(fates, [us(1500.0), Fate::Lost, us(20.5), us(1500.0)]);
    }

    #[test]
    fn what_is_no_trace_says_where() {
        let wrong = |text: &str| Trace::parse(text).expect_err("it is no trace").to_string();
        assert!(wrong("1\n# a\n-5").starts_with("line 3 is neither"));
        assert!(wrong("inf").starts_with("line 1"));
        assert!(wrong("60000001").starts_with("line 1"));
        assert!(wrong(&"x".repeat(99)).len() < 140);
        assert_eq!(wrong("# nothing"), "there is no datagram in it");
    }
}
