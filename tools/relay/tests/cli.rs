//! The command line of `vjam-relay`, as a process.

use std::io::{BufRead, BufReader, Read};
use std::net::{SocketAddr, UdpSocket};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

fn vjam_relay(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vjam-relay"));
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn refused(arguments: &[&str]) -> String {
    let Output { status, stderr, .. } = vjam_relay(arguments).output().expect("it starts");
    assert!(!status.success());
    String::from_utf8_lossy(&stderr).into_owned()
}

fn socket() -> UdpSocket {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a free port");
    socket.set_read_timeout(Some(Duration::from_secs(10))).expect("a timeout above zero");
    socket
}

#[test]
fn it_relays_until_it_is_told_to_end_and_says_what_happened() {
    let trace = std::env::temp_dir().join(format!("vjam-relay-{}.trace", std::process::id()));
    std::fs::write(&trace, "100\nlost\n").expect("a temporary file");
    let server = socket();
    let target = server.local_addr().expect("bound").to_string();
    let path = trace.to_string_lossy().into_owned();
    let arguments = ["0", &target, "--preset", "wired", "--up", "delay=1ms", "--up-trace", &path];
    let mut child = vjam_relay(&arguments).spawn().expect("it starts");
    let mut lines = BufReader::new(child.stdout.take().expect("piped"));
    let mut said = String::new();
    lines.read_line(&mut said).expect("it says where");
    let address: Option<SocketAddr> = said.split(' ').nth(2).and_then(|word| word.parse().ok());
    let address = address.unwrap_or_else(|| panic!("no address: {said}"));
    let client = socket();
    let mut buffer = [0; 64];
    for byte in 0..4 {
        client.send_to(&[byte], address).expect("it listens");
    }
    let mut from: Vec<(u8, SocketAddr)> = (0..2)
        .map(|_| server.recv_from(&mut buffer).map(|(_, from)| (buffer[0], from)).expect("it came"))
        .collect();
    from.sort();
    assert_eq!([from[0].0, from[1].0], [0, 2], "every second is lost");
    server.send_to(&[9], from[0].1).expect("the relay listens");
    client.recv(&mut buffer).expect("the way back");
    assert_eq!(buffer[0], 9);
    let pid = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw);
    let ended = rustix::process::kill_process(pid.expect("a child"), rustix::process::Signal::TERM);
    ended.expect("it runs");
    assert!(child.wait().expect("it ends").success());
    let mut rest = String::new();
    lines.read_to_string(&mut rest).expect("text");
    assert!(
        rest.contains("1 clients; up: 4 came, 2 lost (50.00 %), 2 sent; down: 1 came"),
        "{rest}"
    );
    std::fs::remove_file(trace).expect("it was there");
}

#[test]
fn what_it_cannot_do_is_said() {
    for (arguments, expected) in [
        (&["0", "127.0.0.1:9", "--delay", "20"][..], "--delay=20: a time is written like 20ms"),
        (&["0", "127.0.0.1:9", "--rate", "1mbit"], "the way up: `rate` needs `queue`"),
        (&["0", "127.0.0.1:9", "--preset", "fog"], "there is no such preset"),
        (&["0", "127.0.0.1:9", "--down", "fog=1"], "`fog` is neither a preset nor"),
        (&["0", "127.0.0.1:9", "--trace", "no/such"], "--trace no/such"),
        (&["192.0.2.1:1", "127.0.0.1:9"], "cannot listen at 192.0.2.1:1"),
        (&["here", "127.0.0.1:9"], "a port of loopback"),
        (&["0"], "TARGET"),
    ] {
        let said = refused(arguments);
        assert!(said.contains(expected), "{arguments:?}: {said}");
    }
}
