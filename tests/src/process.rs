//! Real processes for end-to-end tests: a server, native musicians, and what they print.
//!
//! A process ends with its value, whatever the test does. What it printed is part of every failure
//! message, because nobody can ask it afterwards.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex, OnceLock};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use crate::machine;
use crate::sound::Sound;

/// How long a process may take to say what is expected of it. Generous, since a compiler may be
/// running beside the tests; nothing waits as long if all is well.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// The `vjam` command, built from this tree: once for each test run, unless `VJAM` names one.
pub fn vjam() -> Result<&'static Path> {
    static BINARY: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let built = BINARY.get_or_init(|| build_vjam().map_err(|error| format!("{error:#}")));
    built.as_deref().map_err(|error| anyhow::anyhow!("{error}"))
}

fn build_vjam() -> Result<PathBuf> {
    if let Some(path) = std::env::var_os("VJAM") {
        return Ok(path.into());
    }
    // target/PROFILE/deps/e2e_native-HASH: the command lies two folders up.
    let ourselves = std::env::current_exe()?;
    let folder = ourselves.parent().and_then(Path::parent).context("a test lies in a folder")?;
    let release = folder.file_name().is_some_and(|name| name == "release");
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--package", "vjam"]).args(release.then_some("--release"));
    let output = cargo.current_dir(env!("CARGO_MANIFEST_DIR")).output()?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(folder.join("vjam"))
}

/// A child process that is killed with this value.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    printed: Arc<Printed>,
}

#[derive(Debug, Default)]
struct Printed {
    lines: Mutex<Vec<Line>>,
    more: Condvar,
}

#[derive(Debug)]
struct Line {
    /// When it was read.
    at: Instant,
    text: String,
}

impl Process {
    /// Starts a command; `name` is what failures call it.
    pub fn start(name: &str, command: &mut Command) -> Result<Self> {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.env("NO_COLOR", "1");
        // Nothing of whoever runs the tests is read or sent: stems that wait, a device's calibration.
        for folder in ["XDG_DATA_HOME", "XDG_CONFIG_HOME"] {
            if !command.get_envs().any(|(name, _)| name == folder) {
                command.env(folder, "/nonexistent");
            }
        }
        let mut child = command.spawn().with_context(|| format!("starting {name}"))?;
        machine::watch_process(child.id());
        let printed = Arc::new(Printed::default());
        let outputs: [Option<Box<dyn Read + Send>>; 2] = [
            child.stdout.take().map(|pipe| Box::new(pipe) as _),
            child.stderr.take().map(|pipe| Box::new(pipe) as _),
        ];
        for output in outputs.into_iter().flatten() {
            let printed = Arc::clone(&printed);
            std::thread::spawn(move || printed.collect(output));
        }
        Ok(Self { name: name.to_owned(), child, printed })
    }

    /// Waits for a line in which `find` sees what it looks for.
    pub fn says<T>(&mut self, what: &str, find: impl Fn(&str) -> Option<T>) -> Result<T> {
        self.find(what, |lines| lines.iter().find_map(|line| find(&line.text)))
    }

    /// Waits until so many lines contain some words; gives when the last of them was read.
    pub fn says_times(&mut self, words: &str, times: usize) -> Result<Instant> {
        let what = format!("{words:?} {times} times");
        self.find(&what, |lines| {
            let mut said = lines.iter().filter(|line| line.text.contains(words));
            said.nth(times - 1).map(|line| line.at)
        })
    }

    fn find<T>(&mut self, what: &str, find: impl Fn(&[Line]) -> Option<T>) -> Result<T> {
        let end = Instant::now() + PATIENCE;
        loop {
            // Before the look at what it printed: an ended process prints nothing more.
            let ended = self.child.try_wait()?;
            let lines = self.printed.lines.lock().expect("no reader panics");
            if let Some(found) = find(&lines) {
                return Ok(found);
            }
            let wait = Duration::from_millis(100);
            let (lines, _) = self.printed.more.wait_timeout(lines, wait).expect("no reader panics");
            let found = find(&lines);
            drop(lines);
            if let Some(found) = found {
                return Ok(found);
            }
            if ended.is_some() || end < Instant::now() {
                bail!("{} did not say {what} (ended: {ended:?}):\n{}", self.name, self.printed());
            }
        }
    }

    /// Everything printed so far.
    #[must_use]
    pub fn printed(&self) -> String {
        let lines = self.printed.lines.lock().expect("no reader panics");
        lines.iter().flat_map(|line| [&line.text, "\n"]).collect()
    }

    /// Asks it to end (SIGTERM) and waits until it has.
    pub fn terminate(&mut self) -> Result<ExitStatus> {
        // The child is not reaped yet, so the number is still its own.
        let sent = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status()?;
        ensure!(sent.success(), "SIGTERM to {} failed", self.name);
        self.wait()
    }

    /// Ends it at once, as a crash would.
    pub fn kill(&mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Waits until it ends by itself.
    pub fn wait(&mut self) -> Result<ExitStatus> {
        let end = Instant::now() + PATIENCE + Duration::from_secs(30);
        while Instant::now() < end {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status);
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        bail!("{} does not end:\n{}", self.name, self.printed())
    }

    /// Whether it still runs.
    pub fn is_running(&mut self) -> Result<bool> {
        Ok(self.child.try_wait()?.is_none())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to end.
        drop(self.child.kill());
        drop(self.child.wait());
        machine::forget_process(self.child.id());
        if std::thread::panicking() {
            eprintln!("--- {} printed:\n{}", self.name, self.printed());
        }
    }
}

impl Printed {
    fn collect(&self, output: Box<dyn Read + Send>) {
        for line in BufReader::new(output).split(b'\n') {
            let Ok(line) = line else { return };
            let text = String::from_utf8_lossy(&line).into_owned();
            let line = Line { at: Instant::now(), text };
            self.lines.lock().expect("no reader panics").push(line);
            self.more.notify_all();
        }
    }
}

/// A running `vjam serve` on loopback, on ports that were free.
#[derive(Debug)]
pub struct Server {
    /// The process.
    pub process: Process,
    /// Where HTTP and WebSocket are taken.
    pub http: SocketAddr,
    /// Where media is taken.
    pub media: SocketAddr,
    data: tempfile::TempDir,
}

impl Server {
    /// Starts one with more arguments than the addresses.
    pub fn start(arguments: &[&str]) -> Result<Self> {
        let free = "127.0.0.1:0".parse().expect("an address");
        Self::start_at(free, free, tempfile::tempdir()?, arguments)
    }

    /// Starts it again where it was, after it ended.
    pub fn start_again(self) -> Result<Self> {
        let Self { http, media, data, process } = self;
        drop(process);
        Self::start_at(http, media, data, &[])
    }

    fn start_at(
        http: SocketAddr,
        media: SocketAddr,
        data: tempfile::TempDir,
        arguments: &[&str],
    ) -> Result<Self> {
        let mut command = Command::new(vjam()?);
        command.args(["serve", "--http", &http.to_string(), "--media", &media.to_string()]);
        command.arg("--data").arg(data.path()).args(arguments);
        let mut process = Process::start("vjam serve", &mut command)?;
        let http = process.says("where it listens", |line| address_after(line, "http"))?;
        let media = process.says("where it takes media", |line| address_after(line, "media"))?;
        Ok(Self { process, http, media, data })
    }

    /// The link of a room.
    #[must_use]
    pub fn link(&self, room: &str) -> String {
        format!("http://{}/r/{room}", self.http)
    }

    /// The folder of its data.
    #[must_use]
    pub fn data(&self) -> &Path {
        self.data.path()
    }

    /// A WebSocket's address.
    #[must_use]
    pub fn websocket(&self) -> String {
        format!("ws://{}/api/v1/ws", self.http)
    }
}

/// The first `127.0.0.1:PORT` behind a word.
fn address_after(line: &str, word: &str) -> Option<SocketAddr> {
    let rest = &line[line.find(word)? + word.len()..];
    let rest = &rest[rest.find("127.0.0.1:")?..];
    let end = rest.find(|c: char| !c.is_ascii_digit() && !".:".contains(c)).unwrap_or(rest.len());
    rest[..end].parse().ok()
}

/// What somebody heard.
#[derive(Debug)]
pub struct Recording {
    /// From the start of their audio on.
    pub sound: Sound,
    /// When that was, give or take what a process takes to say so.
    pub began: Instant,
}

/// A running `vjam join --audio file`.
#[derive(Debug)]
pub struct FileMusician {
    /// The process.
    pub process: Process,
    folder: tempfile::TempDir,
}

impl FileMusician {
    /// Joins, plays a sound once, and writes down what is heard.
    pub fn join(link: &str, name: &str, plays: &Sound, arguments: &[&str]) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let input = folder.path().join("played.wav");
        plays.write_wav(&input)?;
        let mut command = Command::new(vjam()?);
        command.args(["join", link, "--name", name, "--headless", "--audio", "file"]);
        command.arg("--input").arg(input).arg("--output").arg(folder.path().join("heard.wav"));
        command.arg("--stats").arg(folder.path().join("stats.jsonl")).args(arguments);
        let process = Process::start(&format!("vjam join ({name})"), &mut command)?;
        Ok(Self { process, folder })
    }

    /// Waits until it has ended and gives what it heard.
    pub fn heard(&mut self) -> Result<Recording> {
        let status = self.process.wait()?;
        ensure!(status.success(), "ended with {status}:\n{}", self.process.printed());
        let began = self.process.says_times("audio: files", 1)?;
        Ok(Recording { sound: Sound::read_wav(&self.folder.path().join("heard.wav"))?, began })
    }

    /// Asks it to leave and gives what it heard.
    pub fn leave(&mut self) -> Result<Recording> {
        self.process.terminate()?;
        self.heard()
    }

    /// Waits until its statistics show so much music of somebody's stream as played.
    pub fn plays_ms(&mut self, name: &str, ms: f64) -> Result<()> {
        self.shows(&format!("{ms} ms of {name}"), |stats| {
            let remotes = stats.last().and_then(|line| line["remotes"].as_array()).into_iter();
            let mut of_name = remotes.flatten().filter(|remote| remote["name"] == name);
            of_name.any(|remote| remote["played_ms"].as_f64().is_some_and(|played| ms <= played))
        })
    }

    /// Waits until it has written so many lines of statistics, one each second.
    pub fn plays_on_until(&mut self, lines: usize) -> Result<()> {
        self.shows(&format!("{lines} lines"), |stats| lines <= stats.len())
    }

    fn shows(&mut self, what: &str, shown: impl Fn(&[serde_json::Value]) -> bool) -> Result<()> {
        let end = Instant::now() + PATIENCE;
        loop {
            // Before the look: an ended process writes nothing more.
            let running = self.process.is_running()?;
            let stats = self.stats()?;
            if shown(&stats) {
                return Ok(());
            }
            if !running || end < Instant::now() {
                let last = stats.last();
                bail!("its statistics do not show {what} (running: {running}): {last:?}");
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// The lines of `--stats` so far.
    pub fn stats(&self) -> Result<Vec<serde_json::Value>> {
        let path = self.folder.path().join("stats.jsonl");
        // Not there before the first moments are over.
        let text = if path.exists() { std::fs::read_to_string(path)? } else { String::new() };
        // The last line may be half written.
        Ok(text.lines().map_while(|line| serde_json::from_str(line).ok()).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_process_says_is_heard_and_its_end_is_noticed() {
        let mut command = Command::new("sh");
        command
            .args(["-c", "echo listening on http://127.0.0.1:81/x; echo bad >&2; exec sleep 60"]);
        let mut process = Process::start("sh", &mut command).expect("there is a shell");
        let address = process.says("its address", |line| address_after(line, "http"));
        assert_eq!(address.expect("it said so").port(), 81);
        process.says("bad", |line| (line == "bad").then_some(())).expect("standard error, too");
        assert!(process.is_running().expect("it can be asked"));
        assert!(!process.terminate().expect("it ends").success());
        let gone = process.says("more", |line| (line == "more").then_some(()));
        assert!(gone.expect_err("it has ended").to_string().contains("did not say more"));
    }
}
