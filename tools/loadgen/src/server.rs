//! A server process of the load's own, which ends with it.

use std::io::{self, BufRead, BufReader};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use thiserror::Error;

use crate::machine::{Cores, Usage};

/// A running server.
#[derive(Debug)]
pub struct Server {
    child: Child,
    pid: Pid,
    http: SocketAddr,
    data: PathBuf,
}

/// Why there is no server.
#[derive(Debug, Error)]
pub enum ServerError {
    /// The program does not start.
    #[error("{program} does not start: {reason}")]
    Start {
        /// Which.
        program: String,
        /// What the system said.
        reason: io::Error,
    },
    /// It ended, or said something else than where it listens.
    #[error("the server said {0:?} instead of where it listens; its log is above")]
    Unclear(String),
    /// It has ended.
    #[error("the server has ended")]
    Ended,
}

impl Server {
    /// Starts `program serve` on ports that are free, with room for as many participants as it can
    /// take, and waits until it listens.
    pub fn start(program: &std::path::Path, cores: Option<&Cores>) -> Result<Self, ServerError> {
        let start = |reason| ServerError::Start { program: program.display().to_string(), reason };
        let data = std::env::temp_dir().join(format!("vjam-load-{}", std::process::id()));
        if let Some(cores) = cores {
            cores.enter_server().map_err(start)?;
        }
        let mut command = Command::new(program);
        command.args(["serve", "--http", "127.0.0.1:0", "--media", "127.0.0.1:0", "--data"]);
        command.arg(&data).stdin(Stdio::null()).stdout(Stdio::piped());
        for (setting, value) in LIMITS {
            command.env(setting, value);
        }
        if std::env::var_os("RUST_LOG").is_none() {
            command.env("RUST_LOG", "warn,vjam::serve=error");
        }
        let child = command.spawn();
        if let Some(cores) = cores {
            cores.enter_load().map_err(start)?;
        }
        let mut child = child.map_err(start)?;
        let pid = Pid::from_child(&child);
        let mut line = String::new();
        if let Some(stdout) = child.stdout.as_mut() {
            // What follows is for people, and little enough to lie in the pipe.
            BufReader::new(stdout).read_line(&mut line).map_err(start)?;
        }
        let http = line.split(' ').find_map(|word| word.strip_prefix("http=")?.parse().ok());
        // Made before it is known where it listens, so that it ends in any case.
        let server = Self { child, pid, http: http.unwrap_or(([0; 4], 0).into()), data };
        match http {
            Some(_) => Ok(server),
            None => Err(ServerError::Unclear(line.trim_end().to_owned())),
        }
    }

    /// Where it listens, as a link to a room.
    #[must_use]
    pub fn link(&self) -> String {
        format!("http://{}/r/load", self.http)
    }

    /// What it uses.
    pub fn usage(&mut self) -> Result<Usage, ServerError> {
        match self.child.try_wait() {
            Ok(None) => Usage::of(self.pid).map_err(|_| ServerError::Ended),
            Ok(Some(_)) | Err(_) => Err(ServerError::Ended),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Not reaped yet, so the number is still its own.
        let _ = kill_process(self.pid, Signal::TERM);
        let end = Instant::now() + PATIENCE;
        while Instant::now() < end && matches!(self.child.try_wait(), Ok(None)) {
            std::thread::sleep(Duration::from_millis(10));
        }
        // Nothing happens to one that has ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.data);
    }
}

/// As many as media takes, and as much as it can; everybody comes from one address here.
const LIMITS: [(&str, &str); 5] = [
    ("VJAM_CONNECTIONS_MAX", "1100"),
    ("VJAM_PARTICIPANTS_MAX", "1024"),
    ("VJAM_ROOMS_MAX", "1024"),
    ("VJAM_PER_ADDRESS_MAX", "1100"),
    ("VJAM_WORKER_PACKETS_MAX", "100000000"),
];

/// How long it may say goodbye.
const PATIENCE: Duration = Duration::from_secs(5);
