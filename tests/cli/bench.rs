//! `vjam bench sfu` as a process: measures a server of its own, or another, or says why not.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;

fn bench(arguments: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vjam"));
    command.args(["bench", "sfu"]).args(arguments.split(' ')).output().expect("vjam starts")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A server that takes so many participants, and ends with this value.
struct Serve {
    child: Child,
    http: String,
    data: std::path::PathBuf,
}

impl Serve {
    fn start(test: &str, participants_max: &str) -> Self {
        let data = std::env::temp_dir().join(format!("vjam-bench-{test}-{}", std::process::id()));
        let mut command = Command::new(env!("CARGO_BIN_EXE_vjam"));
        command.args(["serve", "--http", "127.0.0.1:0", "--media", "127.0.0.1:0", "--data"]);
        command.arg(&data).env("VJAM_PARTICIPANTS_MAX", participants_max).stdout(Stdio::piped());
        let mut child = command.spawn().expect("vjam starts");
        let mut line = String::new();
        let stdout = child.stdout.as_mut().expect("piped");
        BufReader::new(stdout).read_line(&mut line).expect("a line of text");
        let http = line.split(' ').find_map(|word| word.strip_prefix("http=")).expect("named");
        let http = format!("http://{http}");
        Self { child, http, data }
    }
}

impl Drop for Serve {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
        drop(std::fs::remove_dir_all(&self.data));
    }
}

/// One line of JSON, in which everybody heard everybody.
fn check(output: &Output) -> Value {
    let (said, log) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{said}{log}");
    assert_eq!(said.lines().count(), 1, "{said}");
    let report: Value = serde_json::from_str(&said).expect("JSON");
    // 3 publishers, 100 packets/s each, to 2 others; a stall of the machine may cost some.
    let forwarded = report["forwarded_pps"].as_f64().expect("it is there");
    assert!((200.0..=660.0).contains(&forwarded), "{said}");
    for name in ["p50", "p99", "p999"] {
        assert!(report["delay_us"][name].as_f64().is_some_and(|us| 0.0 < us), "{name}: {said}");
    }
    for name in ["server_cpu_us_per_packet", "server_calls_per_packet", "generator_cpu"] {
        assert!(report[name].as_f64().is_some_and(|value| 0.0 < value), "{name}: {said}");
    }
    assert!(report["lost"].is_u64(), "{said}");
    assert_eq!(report["faults"]["corrupted"], 0, "{said}");
    report
}

#[test]
fn a_server_of_its_own_is_started_and_measured() {
    let report = check(&bench("--rooms 1 --members 3 --rate 100 --seconds 1 --json"));
    assert!(report["server_bytes_per_participant"].is_u64(), "{report}");
    assert_eq!(report["losses"]["unexplained"], 0, "{report}");
}

#[test]
fn an_overload_says_how_loss_is_spread_and_how_old_what_is_sent() {
    let report = check(&bench("--overload --rooms 1 --members 3 --rate 100 --seconds 1 --json"));
    let number = |name: &str| report.pointer(name).and_then(Value::as_f64);
    let lost = number("/lost_part").unwrap_or_else(|| panic!("{report}"));
    for spread in ["/lost_part_of_rooms", "/lost_part_of_subscribers"] {
        let [least, most] = ["min", "max"].map(|end| number(&format!("{spread}/{end}")));
        assert!(least.is_some_and(|least| least <= lost), "{report}");
        assert!(most.is_some_and(|most| lost <= most && most <= 1.0), "{report}");
    }
    for name in ["stale", "late", "unread", "unsent"] {
        let dropped = number(&format!("/dropped_{name}"));
        assert!(dropped.is_some_and(|value| 0.0 <= value), "{name}: {report}");
    }
    assert!(number("/sent_older_than/1").is_some_and(|value| 0.0 <= value), "{report}");
}

#[test]
fn a_server_that_runs_is_measured_and_goes_on() {
    let mut server = Serve::start("runs", "3");
    let address = server.http.clone();
    let report = check(&bench(&format!(
        "--server {address} --rooms 1 --members 3 --rate 100 --seconds 1 --json"
    )));
    assert!(report["server_bytes_per_participant"].is_null(), "it cannot be seen from outside");
    assert!(server.child.try_wait().expect("it can be asked").is_none(), "the server goes on");
    // Everybody has left rather than gone away: their seats are not kept.
    let again = check(&bench(&format!(
        "--server {address} --rooms 1 --members 3 --rate 100 --seconds 1 --json"
    )));
    assert_eq!(again["members"], 3, "{again}");
}

#[test]
fn a_server_that_lets_too_few_in_is_named_with_its_setting() {
    let server = Serve::start("few", "2");
    let output = bench(&format!("--server {} --rooms 1 --members 4 --seconds 1", server.http));
    assert!(!output.status.success());
    let log = text(&output.stderr);
    assert!(log.contains("participant 3") && log.contains("participants_max"), "{log}");
}

#[test]
fn a_load_of_nobody_is_refused() {
    for wrong in ["--rooms 0", "--members 1", "--rate 0", "--rate 401", "--server nowhere"] {
        let output = bench(&format!("{wrong} --seconds 1"));
        assert!(!output.status.success() && output.stdout.is_empty(), "{wrong}");
    }
}
