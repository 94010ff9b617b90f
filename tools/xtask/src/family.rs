//! The processes that a program has brought along, and how all of them are ended.
//!
//! A program leads a process group of its own. Its family are the processes of that group and
//! whatever descends from one of them, because a browser driver puts its browser into another
//! group. Read from /proc.
//!
//! What surprises: a process once seen is remembered, since with its parent's end the kernel forgets
//! whose it was. The leader must not be waited for meanwhile: as long as it is not, nobody else is
//! given its number.

use std::collections::BTreeSet;
use std::process::Child;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// A program and all it has started.
pub(crate) struct Family {
    leader: i32,
    seen: BTreeSet<Process>,
}

/// One process. Its number alone would not do: numbers are given away again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Process {
    id: i32,
    /// In clock ticks since the machine's start.
    started: u64,
}

/// What /proc says of a process.
#[derive(Debug, PartialEq, Eq)]
struct Entry {
    process: Process,
    parent: i32,
    group: i32,
    /// It has ended, and its parent has not looked yet.
    has_ended: bool,
}

impl Family {
    /// The family of a program that was started with `process_group(0)`.
    pub(crate) fn of(leader: &Child) -> Self {
        Self { leader: leader.id().cast_signed(), seen: BTreeSet::new() }
    }

    /// Asks every process to end with `signal`, ends whatever is left after `grace`, and comes back
    /// when nothing is, or nothing can be done about it: it belongs to somebody else.
    pub(crate) fn end(mut self, signal: Signal, grace: Duration) {
        let asked = Instant::now();
        let mut told = BTreeSet::new();
        loop {
            let living = self.living();
            let elapsed = asked.elapsed();
            if living.is_empty() || grace + KILL_WAIT < elapsed {
                return;
            }
            let is_over = grace < elapsed;
            for process in living {
                if let Some(id) = Pid::from_raw(process.id)
                    && (is_over || told.insert(process))
                {
                    // Between the look and the signal it may have ended by itself.
                    let _ = kill_process(id, if is_over { Signal::KILL } else { signal });
                }
            }
            std::thread::sleep(POLL);
        }
    }

    /// The members that have not ended; looks for new ones.
    fn living(&mut self) -> Vec<Process> {
        let entries = entries();
        loop {
            let before = self.seen.len();
            for entry in &entries {
                let parent_is_ours = self.seen.iter().any(|seen| seen.id == entry.parent);
                if entry.group == self.leader || parent_is_ours {
                    self.seen.insert(entry.process);
                }
            }
            if self.seen.len() == before {
                break;
            }
        }
        // Who is gone must not adopt the children of whoever gets its number.
        let there: BTreeSet<Process> = entries.iter().map(|entry| entry.process).collect();
        self.seen.retain(|seen| there.contains(seen));
        let living = entries.iter().filter(|entry| !entry.has_ended).map(|entry| entry.process);
        living.filter(|process| self.seen.contains(process)).collect()
    }
}

/// All processes of the machine that can be seen.
fn entries() -> Vec<Entry> {
    let Ok(folder) = std::fs::read_dir("/proc") else {
        return Vec::new();
    };
    let numbers = folder.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let read = |id: i32| parse(id, &std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?);
    numbers.filter_map(read).collect()
}

/// Reads `/proc/ID/stat` (proc_pid_stat(5)): the name, in parentheses, may contain anything.
fn parse(id: i32, stat: &str) -> Option<Entry> {
    let (_, rest) = stat.rsplit_once(')')?;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    Some(Entry {
        process: Process { id, started: fields.get(19)?.parse().ok()? },
        parent: fields.get(1)?.parse().ok()?,
        group: fields.get(2)?.parse().ok()?,
        has_ended: matches!(*fields.first()?, "Z" | "X"),
    })
}

const POLL: Duration = Duration::from_millis(20);
/// How long a killed process may take to be gone.
const KILL_WAIT: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader};
    use std::os::unix::process::CommandExt;
    use std::process::{Command, Stdio};

    use super::*;

    /// Starts a shell that prints a line for each process it has brought along, then ends them all:
    /// none of them may be left.
    fn check(script: &str, processes: usize, grace: Duration) {
        let mut child = Command::new("sh")
            .args(["-c", script])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .expect("there is a shell");
        let out = BufReader::new(child.stdout.take().expect("it is piped"));
        let ids: Vec<i32> = out
            .lines()
            .take(processes)
            .map(|line| line.expect("text").trim().parse().expect("a process number"))
            .collect();
        let lives = |id: i32| entries().iter().any(|e| e.process.id == id && !e.has_ended);
        assert_eq!(ids.len(), processes);
        assert!(ids.iter().all(|id| lives(*id)), "{ids:?}");
        Family::of(&child).end(Signal::TERM, grace);
        let left: Vec<i32> = ids.into_iter().filter(|id| lives(*id)).collect();
        assert_eq!(left, [0; 0], "{script}");
        child.try_wait().expect("it is our child").expect("the leader has ended");
    }

    #[test]
    fn children_end_with_their_program() {
        check("sleep 600 & echo $!; sleep 600 & echo $!; wait", 2, LONG);
    }

    #[test]
    fn a_child_in_a_group_of_its_own_ends_too() {
        check("setsid sh -c 'echo $$; sleep 600 & echo $!; wait' & wait", 2, LONG);
    }

    #[test]
    fn an_orphan_of_the_group_ends_too() {
        check("sh -c 'sleep 600 & echo $!'; sleep 600 & echo $!; wait", 2, LONG);
    }

    #[test]
    fn who_does_not_listen_is_killed() {
        let script = "trap '' TERM; sleep 600 & echo $!; echo $$; wait";
        check(script, 2, Duration::from_millis(50));
    }

    #[test]
    fn names_with_parentheses_are_read() {
        let stat = "7 (a) b (c)) S 3 5 5 0 -1 4194304 1 2 3 4 5 6 7 8 20 0 1 0 4711 9 9";
        let process = Process { id: 7, started: 4711 };
        assert_eq!(parse(7, stat), Some(Entry { process, parent: 3, group: 5, has_ended: false }));
    }

    /// More than any of this takes; what listens is not kept waiting for it.
    const LONG: Duration = Duration::from_secs(60);
}
