//! A JACK server of the test's own: dummy driver, its own shared memory, its own name.
//!
//! JACK knows at most eight servers per machine and keeps entries of killed ones in /dev/shm, so
//! [`enter_own_namespace`] runs the whole test under a private /dev/shm, and servers are ended
//! with SIGTERM, never killed.

use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use engine_device::audio::JackClient;

/// A running `jackd`; ends with the value.
pub(crate) struct Server(Child);

/// Starts the test binary again where /dev/shm and the JACK server's name are its own, with a
/// few more variables in its environment.
///
/// Call first thing in `main`, before there are threads. Comes back only in the new process.
pub(crate) fn enter_own_namespace(variables: &[(&str, &str)]) {
    if std::env::var_os(INSIDE).is_some() {
        return;
    }
    let owner = std::fs::metadata("/proc/self").expect("Linux has /proc");
    let root = owner.uid() == 0;
    let me = std::env::current_exe().expect("the test binary has a path");
    let options: &[&str] = if root { &["--mount"] } else { &["--mount", "--map-root-user"] };
    must_be_permitted(options);
    let script = "mount -t tmpfs tmpfs /dev/shm && exec \"$0\" \"$@\"";
    let error = Command::new("unshare")
        .args(options)
        .args(["sh", "-c", script])
        .arg(me)
        .args(std::env::args_os().skip(1))
        .env(INSIDE, "1")
        .envs(variables.iter().copied())
        .env("JACK_DEFAULT_SERVER", NAME)
        .env("JACK_NO_START_SERVER", "1")
        .env("JACK_NO_AUDIO_RESERVATION", "1")
        .exec();
    panic!("`unshare` cannot be run again: {error}");
}

/// Tries the namespace before it is needed, because nothing can be said once `exec` has succeeded.
fn must_be_permitted(options: &[&str]) {
    let script = "mount -t tmpfs tmpfs /dev/shm";
    let tried = Command::new("unshare").args(options).args(["sh", "-c", script]).output();
    match tried {
        Ok(output) if output.status.success() => {}
        Ok(output) => panic!(
            "this machine permits no mount namespace (a container without CAP_SYS_ADMIN?), which \
             tests with JACK need: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        ),
        Err(error) => panic!("`unshare` (Debian package util-linux) cannot be run: {error}"),
    }
}

impl Server {
    /// Starts a server with the dummy driver and waits until it answers.
    pub(crate) fn start(rate_hz: u32, period_frames: u32) -> Self {
        // Real time where it is allowed: a measurement on a busy machine needs it.
        let priority = if may_run_real_time() { "-R" } else { "-r" };
        Self::start_with(priority, rate_hz, period_frames)
    }

    /// The same with `-R` (real-time priority) or `-r` (ordinary).
    pub(crate) fn start_with(priority: &str, rate_hz: u32, period_frames: u32) -> Self {
        let mut command = Command::new("jackd");
        command.args(["-n", NAME]);
        command.args([priority, "-P70"]);
        command.args(["-d", "dummy", "-C2", "-P2"]);
        command.args([format!("-r{rate_hz}"), format!("-p{period_frames}")]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().unwrap_or_else(|error| {
            panic!(
                "jackd cannot be run ({error}): install it with `apt install jackd2`, or let \
                 `cargo xtask test` do it"
            )
        });
        let mut server = Self(child);
        wait_for("the JACK server", || {
            if let Some(status) = server.0.try_wait().expect("it is our child") {
                panic!("jackd ended by itself: {status}");
            }
            engine_device::audio::find_server().ok()
        });
        server
    }

    /// Ends the server as an operator would, and waits until it is gone.
    pub(crate) fn stop(self) {}
}

impl Drop for Server {
    fn drop(&mut self) {
        // One that has ended by itself is reaped by this question: its number may be another's.
        if !matches!(self.0.try_wait(), Ok(None)) {
            return;
        }
        let kill = format!("kill -TERM {}", self.0.id());
        let told = Command::new("sh").args(["-c", &kill]).status();
        let told = told.is_ok_and(|status| status.success());
        let start = Instant::now();
        while told && start.elapsed() < PATIENCE {
            if !matches!(self.0.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        // Its entry in /dev/shm stays, which goes with the namespace.
        drop(self.0.kill());
        drop(self.0.wait());
        assert!(std::thread::panicking(), "jackd did not end when it was told to (told: {told})");
    }
}

/// Asks until there is an answer, for ten seconds at most.
pub(crate) fn wait_for<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(start.elapsed() < PATIENCE, "{what} did not come");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Puts a test's own client into the server's graph. Not by the `jack` crate, whose callbacks abort the
/// process where JACK ends a thread within one.
pub(crate) fn activate(
    client: jack::Client,
    process: impl FnMut(&jack::ProcessScope) + Send + 'static,
) -> JackClient {
    JackClient::start(client, Box::new(process), Box::new(|_| ())).expect("the server runs")
}

pub(crate) fn may_run_real_time() -> bool {
    std::thread::spawn(|| engine_device::priority::raise(engine_device::priority::Role::Audio))
        .join()
        .expect("it does not panic")
        .is_ok()
}

/// Runs the tests that the command line names, or all of them, and counts them, as the usual
/// harness would. A test that fails says why at once, and the others still run.
pub(crate) fn run(tests: &[(&str, fn())]) {
    let wanted: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with('-')).collect();
    let (mut passed, mut failed) = (0, 0);
    for (name, test) in tests {
        if wanted.is_empty() || wanted.iter().any(|part| name.contains(part.as_str())) {
            let result = std::panic::catch_unwind(test);
            let outcome = if result.is_ok() { &mut passed } else { &mut failed };
            *outcome += 1;
            eprintln!("test {name} ... {}", if result.is_ok() { "ok" } else { "FAILED" });
        }
    }
    let outcome = if failed == 0 { "ok" } else { "FAILED" };
    eprintln!("test result: {outcome}. {passed} passed; {failed} failed");
    if 0 < failed {
        // What `cargo test` gives for failed tests.
        std::process::exit(101);
    }
}

/// A machine on which JACK takes longer is broken.
const PATIENCE: Duration = Duration::from_secs(10);

/// Set in the process that has its own namespace.
const INSIDE: &str = "VJAM_TEST_JACK_NAMESPACE";

/// The only server in the namespace.
const NAME: &str = "vjam-test";
