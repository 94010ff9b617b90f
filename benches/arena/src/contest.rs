//! Plays every trace to every algorithm, on as many threads as there are processors.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::Context as _;

use crate::family::Family;
use crate::limit::Limit;
use crate::ours::Ours;
use crate::peers::jacktrip::JackTrip;
use crate::peers::jamulus::Jamulus;
use crate::peers::neteq::NetEq;
use crate::peers::sonobus::SonoBus;
use crate::play;
use crate::score::Score;
use crate::trace::{Plan, Trace};
use crate::verdict::{Verdict, verdict};

/// Who plays: ours first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Algorithm {
    Ours,
    Jamulus,
    JackTrip,
    SonoBus,
    NetEq,
}

impl Algorithm {
    pub(crate) const ALL: [Self; 5] =
        [Self::Ours, Self::Jamulus, Self::JackTrip, Self::SonoBus, Self::NetEq];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ours => "ours",
            Self::Jamulus => "jamulus",
            Self::JackTrip => "jacktrip",
            Self::SonoBus => "sonobus",
            Self::NetEq => "neteq",
        }
    }
}

/// Publisher's clocks against the listener's, in ppm.
pub(crate) const DRIFTS: [f64; 3] = [0.0, 60.0, -180.0];

/// All that was played of one family.
pub(crate) struct Contest {
    pub(crate) family: &'static Family,
    /// Each algorithm's figures, one for each of [`DRIFTS`].
    pub(crate) entries: [Entry; Algorithm::ALL.len()],
    /// What other constant delays would conceal on the first of them: pairs of delay and concealment.
    pub(crate) curve: Vec<(f64, f64)>,
}

#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Entry {
    pub(crate) scores: [Score; DRIFTS.len()],
    /// The best constant delay that conceals no more than this one did.
    pub(crate) limits: [f64; DRIFTS.len()],
}

impl Entry {
    pub(crate) fn mean(&self) -> Score {
        Score::mean(&self.scores)
    }

    pub(crate) fn limit(&self) -> f64 {
        self.limits.iter().sum::<f64>() / self.limits.len() as f64
    }

    /// How many more breaks an hour there are with clocks that differ than with clocks that do not.
    pub(crate) fn drift_breaks(&self) -> f64 {
        let [even, fast, slow] = self.scores.map(|score| score.breaks);
        ((fast + slow) / 2.0 - even) * 60.0
    }
}

impl Contest {
    /// How far our delay is above the limit, in percent of it.
    pub(crate) fn above_limit(&self) -> f64 {
        let [ours, ..] = &self.entries;
        100.0 * (ours.mean().delay / ours.limit() - 1.0)
    }

    /// The reference and how ours stands against it.
    pub(crate) fn verdict(&self) -> Option<(Algorithm, Verdict)> {
        let [ours, others @ ..] = self.entries;
        let verdict = verdict(&ours.mean(), &others.map(|entry| entry.mean()))?;
        Some((*Algorithm::ALL.get(verdict.reference + 1)?, verdict))
    }
}

/// One algorithm on one trace.
struct Task {
    family: usize,
    drift: usize,
    algorithm: usize,
}

/// Plays some families.
pub(crate) fn contest(families: &[&'static Family], plan: &Plan) -> anyhow::Result<Vec<Contest>> {
    let mut tasks = Vec::new();
    for family in 0..families.len() {
        for drift in 0..DRIFTS.len() {
            // The slow ones first, or the last of them would keep one thread busy alone.
            let algorithms = (0..Algorithm::ALL.len()).rev();
            tasks.extend(algorithms.map(|algorithm| Task { family, drift, algorithm }));
        }
    }
    let next = AtomicUsize::new(0);
    let played = Mutex::new(Vec::new());
    let threads = std::thread::available_parallelism()?.get();
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|_| {
                scope.spawn(|| {
                    while let Some(task) = tasks.get(next.fetch_add(1, Ordering::Relaxed)) {
                        let plan = Plan { drift_ppm: DRIFTS[task.drift], ..*plan };
                        let trace = Trace::new(families[task.family], &plan);
                        let score = play(&trace, Algorithm::ALL[task.algorithm], plan.seed)?;
                        let mut played = played.lock().ok().context("a thread gave up")?;
                        played.push((task, score));
                    }
                    anyhow::Ok(())
                })
            })
            .collect();
        for worker in workers {
            worker.join().ok().context("a thread gave up")??;
        }
        anyhow::Ok(())
    })?;
    let mut contests: Vec<Contest> = families.iter().copied().map(Contest::new).collect();
    for (task, score) in played.into_inner().ok().context("a thread gave up")? {
        contests[task.family].entries[task.algorithm].scores[task.drift] = score;
    }
    for contest in &mut contests {
        contest.find_limits(plan);
    }
    Ok(contests)
}

impl Contest {
    fn new(family: &'static Family) -> Self {
        Self { family, entries: [Entry::default(); Algorithm::ALL.len()], curve: Vec::new() }
    }

    fn find_limits(&mut self, plan: &Plan) {
        for (index, drift_ppm) in DRIFTS.into_iter().enumerate() {
            let limit = Limit::new(&Trace::new(self.family, &Plan { drift_ppm, ..*plan }));
            for entry in &mut self.entries {
                entry.limits[index] = limit.delay(entry.scores[index].concealed);
            }
            if index == 0 {
                let delays = (0_u32..60).map(|step| 1.5 * 1.12_f64.powi(step.cast_signed()));
                let longest = limit.delay(0.0);
                let delays = delays.take_while(|delay| *delay <= longest).chain([longest]);
                self.curve = delays.map(|delay| (delay, limit.concealed(delay))).collect();
            }
        }
    }
}

fn play(trace: &Trace, algorithm: Algorithm, seed: u64) -> anyhow::Result<Score> {
    let pieces = match algorithm {
        Algorithm::Ours => play::sound(trace, &mut Ours::new(seed)?),
        Algorithm::Jamulus => play::said(trace, &mut Jamulus::new()),
        Algorithm::JackTrip => play::said(trace, &mut JackTrip::new()),
        // As quick as packets ever are, there and back.
        Algorithm::SonoBus => play::said(trace, &mut SonoBus::new(2.0 * trace.least)),
        Algorithm::NetEq => play::said(trace, &mut NetEq::new()?),
    };
    Ok(Score::new(trace, &pieces))
}
