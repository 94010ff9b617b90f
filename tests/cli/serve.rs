//! `vjam serve` as a process: starts on free ports, serves, says no clearly, says goodbye.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tungstenite::stream::MaybeTlsStream;
use tungstenite::{Message, WebSocket, connect};

/// A running `vjam serve` with a data folder of its own.
struct Serve {
    child: Child,
    lines: Vec<String>,
    http: SocketAddr,
    media: SocketAddr,
    data: PathBuf,
}

fn command(data: &PathBuf) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vjam"));
    command.arg("serve").arg("--data").arg(data).env_remove("RUST_LOG");
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("VJAM_") {
            command.env_remove(name);
        }
    }
    command
}

fn data_folder(test: &str) -> PathBuf {
    std::env::temp_dir().join(format!("vjam-serve-{test}-{}", std::process::id()))
}

/// The value of `name=` in the first line.
fn address(line: &str, name: &str) -> SocketAddr {
    let word = line.split(' ').find_map(|word| word.strip_prefix(name)?.strip_prefix('='));
    word.expect("the address is named").parse().expect("an address")
}

impl Serve {
    fn start(test: &str, arguments: &[&str]) -> Self {
        let data = data_folder(test);
        let mut child = command(&data)
            .args(["--http", "127.0.0.1:0", "--media", "127.0.0.1:0"])
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .expect("vjam starts");
        let stdout = child.stdout.take().expect("piped");
        let lines = BufReader::new(stdout).lines().take(2).collect::<Result<Vec<_>, _>>();
        let lines = lines.expect("two lines of text");
        assert!(lines[0].starts_with("vjam listening "), "{lines:?}");
        let (http, media) = (address(&lines[0], "http"), address(&lines[0], "media"));
        Self { child, lines, http, media, data }
    }

    fn get(&self, path: &str) -> String {
        let mut stream = TcpStream::connect(self.http).expect("it listens");
        write!(stream, "GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", self.http)
            .expect("written");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("read");
        String::from_utf8_lossy(&answer).into_owned()
    }

    fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        kill_process(pid.expect("a process id"), signal).expect("the child is there");
    }

    fn wait(mut self) -> ExitStatus {
        self.child.wait().expect("the child ends")
    }
}

impl Drop for Serve {
    fn drop(&mut self) {
        // Both fail where the test has ended it already.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.data);
    }
}

/// Runs with arguments that it cannot run with; gives what it says.
fn refused(test: &str, arguments: &[&str]) -> String {
    let data = data_folder(test);
    let output = command(&data).args(arguments).output().expect("vjam starts");
    let _ = std::fs::remove_dir_all(&data);
    assert!(!output.status.success(), "{arguments:?} should be refused");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// An app that has said `join` and reads JSON.
struct App(WebSocket<MaybeTlsStream<TcpStream>>);

impl App {
    fn join(http: SocketAddr, room: &str) -> Self {
        let (socket, _) = connect(format!("ws://{http}/api/v1/ws")).expect("a WebSocket");
        let mut app = Self(socket);
        app.send(&json!({"type": "join", "version": 1, "room": room, "name": "Ana",
            "capabilities": {"engine": "native", "decodes": []}}));
        app
    }

    fn send(&mut self, message: &Value) {
        self.0.send(Message::text(message.to_string())).expect("open");
    }

    /// The next message; `{"closed": code}` at the end.
    fn next(&mut self) -> Value {
        loop {
            match self.0.read() {
                Ok(Message::Text(text)) => return serde_json::from_str(&text).expect("JSON"),
                Ok(Message::Close(frame)) => {
                    return json!({"closed": frame.map(|frame| u16::from(frame.code))});
                }
                Ok(_) => {}
                Err(error) => panic!("{error}"),
            }
        }
    }

    /// The next message of that type.
    fn find(&mut self, kind: &str) -> Value {
        loop {
            let message = self.next();
            assert!(message.get("closed").is_none(), "closed before a {kind} came: {message}");
            if message["type"] == kind {
                return message;
            }
        }
    }
}

#[test]
fn a_musician_joins_and_is_told_when_the_server_stops() {
    for signal in [Signal::TERM, Signal::INT] {
        let serve = Serve::start("stops", &[]);
        assert_ne!((serve.http.port(), serve.media.port()), (0, 0));
        let mut ana = App::join(serve.http, "r");
        let joined = ana.find("joined");
        // The link opens on the media address that was named.
        let link = json!({"ice_ufrag": "abcd", "ice_pwd": "x".repeat(22),
            "fingerprint": vec!["AB"; 32].join(":")});
        let description = json!({"kind": "direct", "candidates": [], "link": link});
        let ticket = &joined["ticket"];
        ana.send(&json!({"type": "connect", "ticket": ticket, "description": description}));
        let candidates = &ana.find("connected")["description"]["candidates"];
        assert_eq!(candidates, &json!([serve.media.to_string()]));
        let mut ben = App::join(serve.http, "another");
        ben.find("joined");
        serve.signal(signal);
        for app in [&mut ana, &mut ben] {
            let bye = app.find("bye");
            assert_eq!(bye["reason"], "server_closing");
            assert!(bye["text"].as_str().is_some_and(|text| text.contains("stops")), "{bye}");
            assert_eq!(app.next(), json!({"closed": 1001}));
        }
        drop((ana, ben));
        assert!(serve.wait().success(), "{signal:?} ends it well");
    }
}

#[test]
fn what_people_say_is_not_logged_whatever_is_asked_for() {
    let data = data_folder("log");
    let mut child = command(&data)
        .args(["--http", "127.0.0.1:0", "--media", "127.0.0.1:0"])
        .env("RUST_LOG", "trace,tungstenite::protocol=trace,tungstenite=trace")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("vjam starts");
    // Read all the while, or it would wait for somebody to.
    let mut stderr = child.stderr.take().expect("piped");
    let log = std::thread::spawn(move || {
        let mut text = Vec::new();
        stderr.read_to_end(&mut text).expect("read");
        String::from_utf8_lossy(&text).into_owned()
    });
    let mut first = String::new();
    BufReader::new(child.stdout.take().expect("piped")).read_line(&mut first).expect("a line");
    let mut ana = App::join(address(first.trim(), "http"), "the-secret-room");
    let joined = ana.find("joined");
    ana.send(&json!({"type": "chat", "text": "the secret riff"}));
    ana.find("chat");
    ana.send(&json!({"type": "leave"}));
    ana.find("bye");
    child.kill().expect("ours");
    child.wait().expect("ended");
    std::fs::remove_dir_all(data).expect("ours");
    let log = log.join().expect("read");
    assert!(log.contains("TRACE"), "it was asked for: {log}");
    let text = |key: &str| joined[key].as_str().expect("text").to_owned();
    for secret in ["the secret riff", &text("seat"), &text("ticket")] {
        assert!(!log.contains(secret), "{secret} is in the log");
    }
}

#[test]
fn the_app_is_served_isolated() {
    let serve = Serve::start("app", &[]);
    let page = serve.get("/r/blue-note");
    assert!(page.starts_with("HTTP/1.1 200") && page.contains("<!doctype html"), "{page}");
    assert!(page.contains("cross-origin-embedder-policy: require-corp"));
    assert!(serve.get("/api/v1/version").contains(env!("CARGO_PKG_VERSION")));
    assert!(serve.lines[1].contains(&format!("http://{}/", serve.http)), "{:?}", serve.lines);
}

#[test]
fn dev_prints_a_link_that_is_ready_to_play() {
    let serve = Serve::start("dev", &["--dev"]);
    let link = serve.lines[1].rsplit(' ').next().expect("a link").to_owned();
    let room = link.strip_prefix(&format!("http://{}", serve.http)).expect("its own address");
    assert!(room.starts_with("/r/"), "{room}");
    assert!(serve.get(room).starts_with("HTTP/1.1 200"));
}

#[test]
fn every_worker_has_a_port_and_tells_what_it_does() {
    let serve = Serve::start("metrics", &["--workers", "3"]);
    // A machine that is busy just then takes no rooms until it is calm.
    let mut told: Vec<String> = Vec::new();
    for _ in 0..100 {
        told = serve.get("/metrics").lines().map(str::to_owned).collect();
        if told.iter().any(|line| line == "vjam_takes_rooms 1") {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    for line in [
        "vjam_rooms 0",
        "vjam_takes_rooms 1",
        "vjam_forwarded_packets_total{worker=\"2\"} 0",
        "vjam_dropped_total{worker=\"0\",cause=\"stale\"} 0",
        "vjam_dropped_total{worker=\"0\",cause=\"late\"} 0",
        "vjam_socket_wait_seconds_count{worker=\"2\"} 0",
        "vjam_forwarding_delay_seconds_bucket{le=\"0.00025\",worker=\"1\"} 0",
        "# EOF",
    ] {
        assert!(told.iter().any(|told| told == line), "no {line} in {told:#?}");
    }
    assert!(serve.get("/readyz").starts_with("HTTP/1.1 200"));
    let error = refused("ports", &["--media", "127.0.0.1:65535", "--workers", "2"]);
    assert!(error.contains("65535") && error.contains("--workers"), "{error}");
}

#[test]
fn an_advertised_address_is_what_participants_are_told() {
    let data = data_folder("advertise");
    let file = std::env::temp_dir().join(format!("vjam-serve-{}.toml", std::process::id()));
    std::fs::write(&file, "rooms_max = 1\n").expect("a file");
    let mut child = command(&data)
        .env("VJAM_HTTP", "127.0.0.1:0")
        .env("VJAM_MEDIA", "127.0.0.1:0")
        .env("VJAM_CONFIG", &file)
        .args(["--advertise", "203.0.113.5:7882"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("vjam starts");
    let mut first = String::new();
    BufReader::new(child.stdout.take().expect("piped")).read_line(&mut first).expect("a line");
    assert_ne!(address(first.trim(), "http").port(), 0);
    let stderr = BufReader::new(child.stderr.take().expect("piped"));
    let mut lines = stderr.lines().map_while(Result::ok);
    assert!(lines.any(|line| line.contains("203.0.113.5:7882")), "the log names it");
    let http = address(first.trim(), "http");
    let mut ana = App::join(http, "a");
    ana.find("joined");
    assert_eq!(App::join(http, "b").find("error")["code"], "server_full", "the file says one room");
    child.kill().expect("ours");
    child.wait().expect("ended");
    std::fs::remove_file(file).expect("ours");
    std::fs::remove_dir_all(data).expect("ours");
}

#[test]
fn what_cannot_be_is_said_clearly() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let http = taken.local_addr().expect("bound").to_string();
    let error = refused("port", &["--http", &http, "--media", "127.0.0.1:0"]);
    assert!(error.contains(&http) && error.contains("--http"), "{error}");
    let taken = UdpSocket::bind("127.0.0.1:0").expect("a port");
    let media = taken.local_addr().expect("bound").to_string();
    let error = refused("media", &["--http", "127.0.0.1:0", "--media", &media]);
    assert!(error.contains(&media) && error.contains("--media"), "{error}");
    let error = refused("file", &["--config", "/nonexistent/vjam.toml"]);
    assert!(error.contains("/nonexistent/vjam.toml"), "{error}");
    let error = refused("advertise", &["--advertise", "0.0.0.0:1"]);
    assert!(error.contains("0.0.0.0:1"), "{error}");
    let error = refused("origin", &["--origin", "jam.example"]);
    assert!(error.contains("jam.example"), "{error}");
}

#[test]
fn an_unknown_key_in_the_file_is_named() {
    let file = std::env::temp_dir().join(format!("vjam-serve-key-{}.toml", std::process::id()));
    std::fs::write(&file, "htpt = \"127.0.0.1:1\"\n").expect("a file");
    let error = refused("key", &["--config", file.to_str().expect("plain ASCII")]);
    std::fs::remove_file(&file).expect("ours");
    assert!(error.contains("htpt"), "{error}");
}
