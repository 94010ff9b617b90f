//! A `vjam serve` of a test, and what is asked of it.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::{Value, json};

/// A running `vjam serve`.
pub(crate) struct Serve {
    pub(crate) child: Child,
    pub(crate) url: String,
    pub(crate) log: Receiver<String>,
}

/// The command, of this data folder and of nothing else in the environment.
pub(crate) fn vjam(data: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vjam"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("VJAM_") {
            command.env_remove(name);
        }
    }
    command.env_remove("RUST_LOG").env("VJAM_DATA", data);
    command
}

/// A folder that is gone with the test.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    pub(crate) fn new(test: &str) -> Self {
        let name = format!("vjam-cli-{test}-{}", std::process::id());
        Self(std::env::temp_dir().join(name))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

impl Serve {
    pub(crate) fn start(data: &Path, arguments: &[&str]) -> Self {
        let mut child = vjam(data)
            .args(["serve", "--http", "127.0.0.1:0", "--media", "127.0.0.1:0"])
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("vjam starts");
        let stderr = child.stderr.take().expect("piped");
        let (send, log) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                let _ = send.send(line);
            }
        });
        let stdout = child.stdout.take().expect("piped");
        let line = BufReader::new(stdout).lines().next().expect("a line").expect("text");
        let http = line.split(' ').find_map(|word| word.strip_prefix("http=")).expect("an address");
        Self { child, url: format!("http://{http}"), log }
    }

    /// The code in the next mail of the log, where `--dev` has it written there.
    pub(crate) fn code(&self) -> String {
        loop {
            let line = self.log.recv_timeout(Duration::from_secs(20)).expect("a mail in the log");
            let digits = |text: &str| text.len() == 9 && text.as_bytes()[4] == b' ';
            let words: Vec<&str> = line.split("\\n").map(str::trim).collect();
            if let Some(code) = words.into_iter().find(|word| digits(word)) {
                return code.to_owned();
            }
        }
    }

    /// Status and body of an answer.
    pub(crate) fn ask(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &Value,
    ) -> (u16, Value) {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let json = [("content-type", "application/json")];
        let (status, bytes) = self.raw(method, path, &[&json, headers].concat(), body.as_bytes());
        let text = String::from_utf8(bytes).expect("text");
        (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }

    /// Status and bytes of an answer to any bytes.
    pub(crate) fn raw(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> (u16, Vec<u8>) {
        let agent: ureq::Agent =
            ureq::Agent::config_builder().http_status_as_error(false).build().into();
        let mut request =
            ureq::http::Request::builder().method(method).uri(format!("{}{path}", self.url));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(body.to_vec()).expect("a request");
        let mut answer = agent.run(request).expect("it answers");
        let bytes = answer.body_mut().read_to_vec().expect("a body");
        (answer.status().as_u16(), bytes)
    }

    pub(crate) fn post(&self, path: &str, device: &str, body: &Value) -> (u16, Value) {
        self.ask("POST", &format!("/api/v1/social{path}"), &[("vjam-device", device)], body)
    }

    pub(crate) fn account(&self, token: &str) -> (u16, Value) {
        let bearer = format!("Bearer {token}");
        self.ask("GET", "/api/v1/social/account", &[("authorization", &bearer)], &Value::Null)
    }

    /// An account that was just made, with the code of its mail; its session's token.
    pub(crate) fn sign_up(&self, name: &str, code: impl FnOnce() -> String) -> String {
        let device = "ab".repeat(32);
        let (status, age) = self.post("/age", &device, &json!({ "born": "1990-05-17" }));
        assert_eq!(status, 200, "{age}");
        let body = json!({
            "age_token": age["age_token"],
            "email": format!("{name}@example.org"),
            "username": name,
            "password": "correct horse battery",
            "region": "eu",
        });
        let (status, begun) = self.post("/sign-ups", &device, &body);
        assert_eq!(status, 202, "{begun}");
        let path = format!("/sign-ups/{}/verify", begun["sign_up"].as_str().expect("an id"));
        let (status, verified) = self.post(&path, &device, &json!({ "code": code() }));
        assert_eq!(status, 201, "{verified}");
        verified["token"].as_str().expect("a token").to_owned()
    }
}

impl Drop for Serve {
    fn drop(&mut self) {
        // Both fail where the test has ended it already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
