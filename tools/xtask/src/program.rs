//! Runs one program, and keeps telling that it works.
//!
//! Two ways: `live` passes every line on as it comes, `quiet` keeps the lines and shows them only
//! when the program fails. Either way, after ten seconds of silence a line says what is going on.
//!
//! Each leads a process group of its own. When it takes too long, or somebody presses Ctrl-C, it ends
//! with all it has started: test programs, servers, browsers.
//!
//! What surprises: a program may end while a grandchild still holds its output open (a browser that
//! outlived its test). We wait for the program, not for the end of its output.

use std::collections::VecDeque;
use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use rustix::process::Signal;

use crate::console;
use crate::family::Family;
use crate::interrupt;

/// How a program's output is treated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Show {
    Live,
    Quiet,
}

/// A program about to be run.
pub(crate) struct Program {
    command: Command,
    shown: String,
    show: Show,
    limit: Option<Duration>,
}

impl Program {
    /// A program, found in `PATH`, with its arguments.
    pub(crate) fn new<A: AsRef<OsStr>>(name: &str, arguments: impl IntoIterator<Item = A>) -> Self {
        let mut command = Command::new(name);
        command.args(arguments).stdin(Stdio::null());
        // `cargo run`, which started us, describes *this* package in these; a build script that
        // looks at them would build everything again after every change of caller.
        for (key, _) in std::env::vars_os() {
            let own = key.to_str().is_some_and(|key| {
                key.starts_with("CARGO_PKG_") || key.starts_with("CARGO_MANIFEST_")
            });
            if own {
                command.env_remove(key);
            }
        }
        let shown = words(&command);
        Self { command, shown, show: Show::Live, limit: None }
    }

    /// Adds arguments.
    pub(crate) fn args<A: AsRef<OsStr>>(mut self, arguments: impl IntoIterator<Item = A>) -> Self {
        self.command.args(arguments);
        self.shown = words(&self.command);
        self
    }

    /// Keeps the output, and shows its end only if the program fails.
    pub(crate) fn quiet(mut self) -> Self {
        self.show = Show::Quiet;
        self
    }

    /// Ends the program, as failed, when it takes longer.
    pub(crate) fn limit(mut self, limit: Duration) -> Self {
        self.limit = Some(limit);
        self
    }

    /// Sets an environment variable.
    pub(crate) fn env(mut self, key: &str, value: &str) -> Self {
        self.command.env(key, value);
        self
    }

    /// Runs in this folder instead of the project's.
    pub(crate) fn within(mut self, folder: &str) -> Self {
        self.command.current_dir(folder);
        self.shown = format!("{} (in {folder}/)", self.shown);
        self
    }

    /// Runs to the end; an exit code other than 0 is an error.
    pub(crate) fn run(self) -> anyhow::Result<()> {
        self.observe(|_| ()).and_then(|end| end.succeeded())
    }

    /// Runs to the end, and hands every line of output to `see` as well. The end may be a failure,
    /// which is the caller's to judge.
    pub(crate) fn observe(mut self, see: impl FnMut(&str)) -> anyhow::Result<End> {
        interrupt::obey();
        console::say(&format!("$ {}", self.shown));
        if self.show == Show::Live && console::is_terminal() {
            // Through our pipe these would believe that nobody sees colors.
            self.command.env("CARGO_TERM_COLOR", "always").env("FORCE_COLOR", "1");
        }
        self.command.stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
        let mut child =
            self.command.spawn().with_context(|| format!("cannot start `{}`", self.shown))?;
        let (sender, lines) = channel();
        if let Some(out) = child.stdout.take() {
            forward_lines(out, sender.clone());
        }
        if let Some(err) = child.stderr.take() {
            forward_lines(err, sender);
        }
        self.attend(child, &lines, see)
    }

    /// Runs to the end and returns what it wrote to standard output.
    pub(crate) fn output(mut self) -> anyhow::Result<String> {
        let output =
            self.command.output().with_context(|| format!("cannot start `{}`", self.shown))?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            bail!("`{}` failed ({}): {}", self.shown, output.status, said.trim());
        }
        String::from_utf8(output.stdout)
            .with_context(|| format!("`{}` wrote something that is not text", self.shown))
    }

    /// Runs to the end and returns what it wrote to standard error.
    pub(crate) fn errors(mut self) -> anyhow::Result<String> {
        let output =
            self.command.output().with_context(|| format!("cannot start `{}`", self.shown))?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        if !output.status.success() {
            bail!("`{}` failed ({}): {}", self.shown, output.status, said.trim());
        }
        Ok(said)
    }

    /// Whether it could be started and ended well; what it wrote is thrown away.
    pub(crate) fn works(mut self) -> bool {
        let status = self.command.stdout(Stdio::null()).stderr(Stdio::null()).status();
        status.is_ok_and(|status| status.success())
    }

    fn attend(
        self,
        mut child: Child,
        lines: &Receiver<String>,
        mut see: impl FnMut(&str),
    ) -> anyhow::Result<End> {
        let started = Instant::now();
        let mut heard = started;
        let mut tail = VecDeque::new();
        let mut take = |line: String, tail: &mut VecDeque<String>| {
            see(&line);
            if self.show == Show::Live {
                console::say(&line);
            }
            if tail.len() == TAIL_LINES_MAX {
                tail.pop_front();
            }
            tail.push_back(line);
        };
        let status = loop {
            match lines.recv_timeout(POLL) {
                Ok(line) => {
                    if self.show == Show::Live {
                        heard = Instant::now();
                    }
                    take(line, &mut tail);
                    continue;
                }
                Err(RecvTimeoutError::Timeout) => {}
                // Both pipes are closed: only the end itself is missing.
                Err(RecvTimeoutError::Disconnected) => std::thread::sleep(POLL / 4),
            }
            if let Some(status) = child.try_wait().context("cannot wait for a program")? {
                break Some(status);
            }
            if HEARTBEAT <= heard.elapsed() {
                heard = Instant::now();
                // Who sees every line wants to know what they belong to; who sees none, the last one.
                let at = if self.show == Show::Live { Some(&self.shown) } else { tail.back() };
                console::say(&heartbeat(started.elapsed(), at));
            }
            if let Some(signal) = interrupt::asked() {
                console::say(&format!("ending `{}`", self.shown));
                Family::of(&child).end(signal, GRACE);
                interrupt::obey();
            }
            if self.limit.is_some_and(|limit| limit < started.elapsed()) {
                Family::of(&child).end(Signal::TERM, GRACE);
                if child.try_wait().context("cannot wait for a program")?.is_none() {
                    bail!("`{}` takes too long, and cannot be ended", self.shown);
                }
                break None;
            }
        };
        while let Ok(line) = lines.recv_timeout(LAST_WORDS) {
            take(line, &mut tail);
        }
        let kept = if self.show == Show::Quiet { tail.into() } else { Vec::new() };
        Ok(End { shown: self.shown, status, kept, elapsed: started.elapsed() })
    }
}

/// How a program ended.
pub(crate) struct End {
    shown: String,
    /// None when it was ended because it took too long.
    status: Option<ExitStatus>,
    kept: Vec<String>,
    elapsed: Duration,
}

impl End {
    /// An error unless the program exited with 0 in time; shows what a quiet program said.
    pub(crate) fn succeeded(self) -> anyhow::Result<()> {
        let reason = match self.status {
            Some(status) if status.success() => return Ok(()),
            Some(status) => status.to_string(),
            None => format!("ended after {}", console::duration(self.elapsed)),
        };
        for line in &self.kept {
            console::say(&format!("  │ {line}"));
        }
        bail!("`{}` failed: {reason}", self.shown)
    }
}

/// Whether a program of this name lies in `PATH`.
pub(crate) fn is_in_path(name: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(name).is_file())
}

fn heartbeat(elapsed: Duration, at: Option<&String>) -> String {
    let at: String = at.map_or("", |line| line.trim()).chars().take(80).collect();
    format!("  … {}  {at}", console::duration(elapsed)).trim_end().to_owned()
}

fn forward_lines(from: impl Read + Send + 'static, to: Sender<String>) {
    std::thread::spawn(move || {
        let mut reader = BufReader::new(from);
        let mut bytes = Vec::new();
        while matches!(reader.read_until(b'\n', &mut bytes), Ok(1..)) {
            let line = String::from_utf8_lossy(&bytes);
            if to.send(line.trim_end_matches(['\n', '\r']).to_owned()).is_err() {
                break;
            }
            bytes.clear();
        }
    });
}

fn words(command: &Command) -> String {
    let mut words = vec![command.get_program().to_string_lossy().into_owned()];
    words.extend(command.get_args().map(|word| word.to_string_lossy().into_owned()));
    words.join(" ")
}

/// A person who sees nothing for longer begins to wonder.
const HEARTBEAT: Duration = Duration::from_secs(10);
const POLL: Duration = Duration::from_millis(100);
/// How long output is still read once the program has ended.
const LAST_WORDS: Duration = Duration::from_millis(300);
/// How long a program that was asked to end may put things in order.
const GRACE: Duration = Duration::from_secs(5);
const TAIL_LINES_MAX: usize = 60;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_seen_and_failure_is_an_error() {
        let mut seen = Vec::new();
        let end = Program::new("printf", ["one\\ntwo"])
            .quiet()
            .observe(|line| seen.push(line.to_owned()))
            .expect("printf starts");
        assert_eq!(seen, ["one", "two"]);
        end.succeeded().expect("printf succeeds");
        let error = Program::new("false", [""; 0]).quiet().run().expect_err("false fails");
        assert!(error.to_string().contains("false"), "{error}");
    }

    #[test]
    fn a_program_over_its_limit_is_ended() {
        let program = Program::new("sleep", ["600"]).quiet().limit(Duration::from_millis(50));
        let error = program.run().expect_err("it was ended");
        assert!(error.to_string().contains("ended after"), "{error}");
    }

    #[test]
    fn a_missing_program_is_named() {
        let error = Program::new("no-such-program", ["x"]).quiet().run().expect_err("not there");
        assert!(format!("{error:#}").contains("no-such-program x"), "{error:#}");
        assert!(!is_in_path("no-such-program"));
        assert!(is_in_path("cat"));
    }
}
