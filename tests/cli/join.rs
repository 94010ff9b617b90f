//! `vjam join` and `vjam devices` as processes: what they say, how they leave, what they exit with.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};

use serde_json::{Value, json};
use tungstenite::stream::MaybeTlsStream;
use tungstenite::{Message, WebSocket, connect};

/// A running `vjam serve`, and a folder of the test's own.
struct Serve {
    child: Child,
    http: String,
    folder: PathBuf,
}

/// The command without the settings of whoever runs the test.
fn vjam() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vjam"));
    command.env_remove("RUST_LOG");
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("VJAM_") {
            command.env_remove(name);
        }
    }
    command
}

impl Serve {
    fn start(test: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("vjam-join-{test}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("the temporary folder can be written");
        let mut child = vjam()
            .args(["serve", "--http", "127.0.0.1:0", "--media", "127.0.0.1:0", "--data"])
            .arg(&folder)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("vjam starts");
        let line = BufReader::new(child.stdout.take().expect("piped")).lines().next();
        let line = line.expect("a line").expect("text");
        let http = line.split(' ').find_map(|word| word.strip_prefix("http="));
        Self { child, http: http.expect("the address is named").to_owned(), folder }
    }

    fn path(&self, name: &str) -> String {
        self.folder.join(name).display().to_string()
    }

    fn link(&self) -> String {
        format!("http://{}/r/x", self.http)
    }

    /// Runs `vjam join` with files for a sound card until it ends by itself.
    fn join(&self, arguments: &[&str]) -> Output {
        let mut command = vjam();
        command.args(["join", &self.link(), "--headless", "--name", "Ana", "--audio", "file"]);
        command.args(arguments).output().expect("vjam starts")
    }

    /// Somebody else in the room.
    fn watch(&self) -> Watcher {
        let url = format!("ws://{}/api/v1/ws", self.http);
        let (mut socket, _) = connect(url).expect("a WebSocket");
        let join = json!({"type": "join", "version": 1, "room": "x", "name": "Watcher",
            "capabilities": {"engine": "native", "decodes": []}});
        socket.send(Message::text(join.to_string())).expect("open");
        let mut watcher = Watcher(socket);
        watcher.wait_for("joined");
        watcher
    }
}

impl Drop for Serve {
    fn drop(&mut self) {
        // All three fail only where somebody was faster.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

struct Watcher(WebSocket<MaybeTlsStream<std::net::TcpStream>>);

impl Watcher {
    fn wait_for(&mut self, kind: &str) -> Value {
        loop {
            let Message::Text(text) = self.0.read().expect("open") else { continue };
            let message: Value = serde_json::from_str(&text).expect("JSON");
            if message["type"] == kind {
                return message;
            }
        }
    }
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn statistics_that_cannot_be_written_are_said_once_and_nobody_is_left_with_a_ghost() {
    let serve = Serve::start("stats");
    let mut watcher = serve.watch();
    let heard = serve.path("heard.wav");
    let output = serve.join(&["--output", &heard, "--stats", "/dev/full", "--duration", "2.5"]);
    let said = stderr(&output);
    assert!(output.status.success(), "{said}");
    assert_eq!(said.matches("statistics could not be written").count(), 1, "{said}");
    assert_eq!(watcher.wait_for("participant_left")["reason"], "left");
    assert!(std::fs::metadata(heard).is_ok_and(|file| 2 * 8 * 48_000 < file.len()));
}

#[test]
fn an_output_that_cannot_be_written_is_an_error() {
    let serve = Serve::start("full");
    let output = serve.join(&["--output", "/dev/full", "--duration", "1"]);
    assert!(!output.status.success());
    assert!(stderr(&output).contains("/dev/full: No space left on device"), "{}", stderr(&output));
}

#[test]
fn statistics_tell_of_the_track_as_it_was_asked_for() {
    let serve = Serve::start("stereo");
    let (heard, stats) = (serve.path("heard.wav"), serve.path("stats"));
    let mut asked = vec!["--output", &heard, "--stats", &stats, "--duration", "2.5"];
    asked.extend(["--channels", "2", "--bitrate", "128k", "--codec", "opus"]);
    let mut watcher = serve.watch();
    let output = serve.join(&asked);
    assert!(output.status.success(), "{}", stderr(&output));
    let track = std::iter::repeat_with(|| watcher.wait_for("participant"))
        .find_map(|message| message["participant"]["tracks"].get(0).cloned());
    assert_eq!(track.expect("it is published")["channels"], 2);
    let lines = std::fs::read_to_string(&stats).expect("it was written");
    let last: Value = serde_json::from_str(lines.lines().last().expect("a line")).expect("JSON");
    assert!(lines.lines().count() >= 2 && last["media_up"] == true, "{lines}");
}

#[test]
fn devices_are_listed_and_the_lack_of_them_is_said() {
    let output = vjam().arg("devices").output().expect("vjam starts");
    assert!(output.status.success(), "{}", stderr(&output));
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.starts_with("JACK (`--audio jack`)\n  "), "{text}");
}

/// `vjam join` under a terminal that `script` (Debian package bsdutils) makes, which has no size
/// until it is given one; types `keys` once the view shows `ready`. Gives everything that came on
/// the screen, and whether it ended well.
fn in_a_terminal(arguments: &str, ready: &str, keys: &str) -> (String, bool) {
    let vjam = env!("CARGO_BIN_EXE_vjam");
    // A key that is not taken ends it badly, rather than never.
    let patience = "timeout --foreground 30";
    let line = format!("stty rows 30 cols 110 && exec {patience} {vjam} join {arguments}");
    let mut child = Command::new("script")
        .args(["--quiet", "--return", "--command", &line, "/dev/null"])
        .env("TERM", "xterm")
        .env_remove("RUST_LOG")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("script is on every Debian machine");
    let mut input = child.stdin.take().expect("piped");
    let mut output = child.stdout.take().expect("piped");
    let mut shown = String::new();
    let mut typed = false;
    let mut buffer = [0; 4096];
    loop {
        let read = std::io::Read::read(&mut output, &mut buffer).expect("the pipe is there");
        if read == 0 {
            break;
        }
        shown.push_str(&String::from_utf8_lossy(&buffer[..read]));
        if !typed && shown.contains(ready) {
            typed = true;
            input.write_all(keys.as_bytes()).expect("it reads keys");
        }
    }
    (shown, child.wait().expect("it is our child").success())
}

#[test]
fn the_view_is_left_with_a_key_and_the_terminal_is_given_back() {
    let serve = Serve::start("view");
    let mut watcher = serve.watch();
    let heard = serve.path("heard.wav");
    let arguments = format!("{} --name Ana --audio file --output {heard}", serve.link());
    let (shown, well) = in_a_terminal(&arguments, "media", "?mq");
    assert!(well, "{shown}");
    assert!(shown.contains("what happened"), "{shown}");
    assert!(shown.contains("hide"), "the first key explains the others: {shown}");
    assert!(shown.contains(LEFT_VIEW), "{shown}");
    assert_eq!(watcher.wait_for("participant_left")["reason"], "left");
}

#[test]
fn what_alsa_prints_does_not_scribble_over_the_view_but_our_error_is_read() {
    let serve = Serve::start("quiet");
    let arguments = format!("{} --name Ana --input-device nowhere --audio default", serve.link());
    let (shown, well) = in_a_terminal(&arguments, "\0", "");
    assert!(!well && !shown.contains("ALSA lib"), "{shown}");
    let after = shown.rsplit_once(LEFT_VIEW).expect("the view was there").1;
    assert!(after.contains("vjam: "), "{shown}");
}

/// What a terminal is sent to show what it showed before the view.
const LEFT_VIEW: &str = "\u{1b}[?1049l";
