//! Processors and processes: who runs where, and what they use.

use std::fs;
use std::io;
use std::time::Duration;

use rustix::process::Pid;
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// Which processors a load and the server it measures run on, so that neither takes time from the
/// other.
#[derive(Debug, Clone)]
pub struct Cores {
    load: Vec<usize>,
    server: Vec<usize>,
}

impl Cores {
    /// The last of the processors that this process may use is the load's, the others are the
    /// server's; `None` where there is only one.
    #[must_use]
    pub fn split() -> Option<Self> {
        let allowed = sched_getaffinity(None).ok()?;
        let cores: Vec<usize> = (0..CpuSet::MAX_CPU).filter(|core| allowed.is_set(*core)).collect();
        let (last, others) = cores.split_last()?;
        (!others.is_empty()).then(|| Self { load: vec![*last], server: others.to_vec() })
    }

    /// Has the calling thread, and those that it starts from then on, run where the load does.
    pub fn enter_load(&self) -> io::Result<()> {
        enter(&self.load)
    }

    /// The same for the server: to be called before it is started.
    pub fn enter_server(&self) -> io::Result<()> {
        enter(&self.server)
    }

    /// How many are the server's.
    #[must_use]
    pub fn server_cores(&self) -> usize {
        self.server.len()
    }
}

fn enter(cores: &[usize]) -> io::Result<()> {
    let mut set = CpuSet::new();
    for core in cores {
        set.set(*core);
    }
    Ok(sched_setaffinity(None, &set)?)
}

/// What a process has used, and has, at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    /// Processor time of all its threads.
    pub cpu: Duration,
    /// Memory that is really there.
    pub resident_bytes: u64,
}

impl Usage {
    /// Of a process that runs.
    pub fn of(pid: Pid) -> io::Result<Self> {
        let folder = format!("/proc/{}", pid.as_raw_nonzero());
        let mut cpu = Duration::ZERO;
        for task in fs::read_dir(format!("{folder}/task"))? {
            // In nanoseconds, where `stat` counts in hundredths of a second. A thread may have ended
            // since the folder was read.
            let Ok(text) = fs::read_to_string(task?.path().join("schedstat")) else { continue };
            let ns = text.split(' ').next().and_then(|ns| ns.parse().ok()).unwrap_or(0);
            cpu += Duration::from_nanos(ns);
        }
        let statm = fs::read_to_string(format!("{folder}/statm"))?;
        let pages: u64 = statm.split(' ').nth(1).and_then(|pages| pages.parse().ok()).unwrap_or(0);
        Ok(Self { cpu, resident_bytes: pages * rustix::param::page_size() as u64 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_uses_what_it_uses() {
        let own = rustix::process::getpid();
        let before = Usage::of(own).expect("we run");
        let ballast = vec![1_u8; 32 << 20];
        let sum: u64 = ballast.iter().map(|byte| u64::from(*byte)).sum();
        let after = Usage::of(own).expect("we run");
        assert_eq!(sum, 32 << 20);
        assert!(before.cpu < after.cpu);
        assert!(before.resident_bytes + (30 << 20) < after.resident_bytes, "{before:?} {after:?}");
    }
}
