//! Takes on a server that is killed, and `vjam take` beside it.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread::JoinHandle;

use protocol::time::RoomTime;
use serde_json::Value;
use takes_server::limits::Limits;
use takes_server::{Begin, Store};
use ureq::Agent;
use ureq::http::{Request, Response};

const TAKE: &str = "01010101010101010101010101010101";
const STEM: &str = "a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1";
const KEY: &str = "5ec2e75ec2e75ec2e75ec2e75ec2e750";

/// A data folder in which takes have begun, as if a room had recorded them; gone with the test.
struct Data(PathBuf);

/// A running `vjam serve`, and what it logs.
struct Serve {
    child: Child,
    http: String,
    log: Option<JoinHandle<String>>,
}

impl Data {
    fn new(test: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("vjam-take-{test}-{}", std::process::id()));
        let data = Self(folder);
        let store = Store::open(&data.0, Limits { free_bytes_min: 0, ..Limits::default() });
        let store = store.expect("a folder of its own");
        for take in [TAKE, "02020202020202020202020202020202"] {
            let begin = Begin {
                take: take.parse().expect("a name"),
                key: KEY.parse().expect("a key"),
                title: "Blue / take".to_owned(),
                room: "blue-note".to_owned(),
                start: RoomTime::from_ns(1_790_000_000_000_000_000),
            };
            store.begin(&begin).expect("room for it");
        }
        data
    }

    fn serve(&self, arguments: &[&str]) -> Serve {
        Serve::start(&self.0, arguments)
    }

    fn take(&self, arguments: &[&str]) -> Output {
        let mut command = vjam("take");
        command.args(arguments).arg("--data").arg(&self.0);
        command.output().expect("vjam starts")
    }

    /// What `vjam take` says where it does what it is asked for.
    fn told(&self, arguments: &[&str]) -> String {
        let output = self.take(arguments);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("text")
    }
}

impl Drop for Data {
    fn drop(&mut self) {
        // Whoever looks after a failure finds the log instead.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// The command without the settings of whoever runs the test.
fn vjam(word: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vjam"));
    let foreign = |name: &std::ffi::OsString| name.to_string_lossy().starts_with("VJAM_");
    for name in std::env::vars_os().map(|(name, _)| name).filter(foreign) {
        command.env_remove(name);
    }
    command.env_remove("RUST_LOG").arg(word);
    command
}

impl Serve {
    fn start(data: &Path, arguments: &[&str]) -> Self {
        let mut command = vjam("serve");
        command.args(["--http", "127.0.0.1:0", "--media", "127.0.0.1:0", "--workers", "1"]);
        command.arg("--data").arg(data).args(arguments).env("RUST_LOG", "trace");
        let mut child =
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
        // Read all the while, or it would wait for somebody to.
        let mut stderr = child.stderr.take().expect("piped");
        let log = std::thread::spawn(move || {
            let mut bytes = Vec::new();
            stderr.read_to_end(&mut bytes).expect("read");
            String::from_utf8_lossy(&bytes).into_owned()
        });
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("piped")).read_line(&mut line).expect("a line");
        let http = line.split(' ').find_map(|word| word.strip_prefix("http="));
        Self { child, http: http.expect("the address is named").to_owned(), log: Some(log) }
    }

    /// Ends it as `kill -9` does; gives what it has logged.
    fn kill(mut self) -> String {
        self.child.kill().expect("it runs");
        self.log.take().expect("not joined yet").join().expect("read")
    }

    fn ask(
        &self,
        method: &str,
        path: &str,
        offset: Option<usize>,
        body: &[u8],
    ) -> Response<String> {
        let agent: Agent = Agent::config_builder().http_status_as_error(false).build().into();
        let mut request = Request::builder()
            .method(method)
            .uri(format!("http://{}/api/v1/takes/{TAKE}{path}", self.http))
            .header("authorization", format!("Bearer {KEY}"));
        if let Some(offset) = offset {
            request = request.header("upload-offset", offset);
        }
        let answer = match body {
            [] => agent.run(request.body(()).expect("a good request")),
            _ => agent.run(request.body(body).expect("a good request")),
        };
        answer.expect("an answer").map(|mut body| body.read_to_string().expect("text"))
    }

    fn offset(&self) -> Option<usize> {
        let head = self.ask("HEAD", &format!("/stems/{STEM}"), None, b"");
        head.headers().get("upload-offset")?.to_str().ok()?.parse().ok()
    }
}

impl Drop for Serve {
    fn drop(&mut self) {
        // Both fail where the test has ended it already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A stem of which `vjam take` can say whose it is.
fn stem() -> Vec<u8> {
    let header = takes::stem::Header {
        take: TAKE.parse().expect("a name"),
        stem: STEM.parse().expect("a name"),
        participant: "Ana".to_owned(),
        label: "mic".to_owned(),
        channels: 1,
    };
    let mut bytes = Vec::new();
    let mut writer = takes::stem::Writer::new(&header, &mut bytes).expect("a good header");
    writer.begin_run(&mut bytes);
    let start = RoomTime::from_ns(1_790_000_000_000_000_000);
    writer.clock(0, start, 1_000, 50_000, 0, &mut bytes);
    writer.audio(0, &vec![0.25; 96_000], &mut bytes);
    writer.end(&mut bytes);
    bytes
}

#[test]
fn a_server_that_is_killed_has_what_it_answered_for() {
    let data = Data::new("killed");
    let bytes = stem();
    let path = format!("/stems/{STEM}");
    let half = bytes.len() / 2;
    let serve = data.serve(&[]);
    assert_eq!(serve.ask("PATCH", &path, Some(0), &bytes[..half]).status(), 204);
    let log = serve.kill();
    for secret in [KEY, STEM] {
        assert!(!log.contains(secret), "a secret is in the log: {log}");
    }
    let serve = data.serve(&[]);
    assert_eq!(serve.offset(), Some(half));
    assert_eq!(serve.ask("PATCH", &path, Some(half), &bytes[half..]).status(), 204);
    let claim = format!(r#"{{"length":{},"sha256":"{}"}}"#, bytes.len(), sha256(&bytes));
    let done = serve.ask("POST", &format!("{path}/complete"), None, claim.as_bytes());
    assert_eq!(done.status(), 204, "{}", done.body());
    // Beside the server that has it open.
    let listed: Value = serde_json::from_str(&data.told(&["list", "--json"])).expect("JSON");
    assert_eq!(listed.as_array().map(Vec::len), Some(2), "{listed}");
    assert_eq!(listed[0]["take"], TAKE);
    assert_eq!(listed[0]["stems"][0]["state"], "complete", "{listed}");
    let text = data.told(&["list"]);
    assert!(text.contains("Ana (mic)") && text.contains("blue-note"), "{text}");
    let zip = data.0.join("take.zip");
    let told = data.told(&["export", "01", zip.to_str().expect("plain")]);
    assert!(told.contains("take.zip"), "{told}");
    let zip = std::fs::read(zip).expect("written");
    assert!(zip.starts_with(b"PK\x03\x04"), "an archive");
    assert!(zip.windows(8).any(|bytes| bytes == b"Ana - mi"), "with Ana's stem");
    drop(serve);
    let serve = data.serve(&[]);
    assert_eq!(serve.offset(), Some(bytes.len()));
    assert!(data.told(&["delete", &TAKE[..4]]).contains("is deleted"));
    let gone = serve.ask("HEAD", &path, None, b"");
    assert_eq!(gone.status(), 404, "a running server knows at once");
}

#[test]
fn what_vjam_take_cannot_do_it_says() {
    let data = Data::new("wrong");
    let refused = |arguments: &[&str]| {
        let output = data.take(arguments);
        assert!(!output.status.success(), "{arguments:?} should be refused");
        String::from_utf8(output.stderr).expect("text")
    };
    assert!(refused(&["delete", "ff"]).contains("no take ff"));
    assert!(refused(&["delete", "0"]).contains("2 takes begin with 0"));
    assert!(refused(&["export", "ff"]).contains("vjam take list"));
    let there = data.0.join("there.zip");
    std::fs::write(&there, b"mine").expect("ours");
    let error = refused(&["export", "01", there.to_str().expect("plain")]);
    assert!(error.contains("is there already"), "{error}");
    assert_eq!(std::fs::read(&there).expect("there"), b"mine");
    let none = Data(data.0.join("nothing"));
    assert!(none.told(&["list"]).contains("There are no takes in"));
    assert_eq!(none.told(&["list", "--json"]).trim(), "[]");
}

#[test]
fn a_server_without_takes_plays_on_and_says_why() {
    let data = Data::new("off");
    let off = data.serve(&["--takes", "off"]);
    let answer = off.ask("GET", "", None, b"");
    assert_eq!(answer.status(), 503);
    assert!(answer.body().contains("turned them off"), "{}", answer.body());
    // Another server has the folder.
    let first = data.serve(&[]);
    assert_eq!(first.ask("GET", "", None, b"").status(), 200);
    let second = data.serve(&[]);
    let answer = second.ask("GET", "", None, b"");
    assert_eq!(answer.status(), 503);
    assert!(answer.body().contains("another vjam"), "{}", answer.body());
    assert!(second.kill().contains("no takes: the data folder cannot be used"));
    // It cannot be made at all: a file stands in its place.
    let file = data.0.join("file");
    std::fs::write(&file, b"").expect("ours");
    let broken = Serve::start(&file.join("deeper"), &[]);
    assert_eq!(broken.ask("GET", "", None, b"").status(), 503);
    let log = broken.kill();
    assert!(log.contains("choose another with --data"), "{log}");
}

fn sha256(bytes: &[u8]) -> String {
    use sha2::Digest as _;
    sha2::Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
