//! `cargo xtask` is told to end while a program runs: the program ends too, with what it started.

use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

/// Stands in for cargo: brings a child along, and one in a group of its own, like a browser's.
const CARGO: &str = "#!/bin/sh
sleep 600 &
child=$!
setsid sh -c 'echo processes $0 $1 $$; exec sleep 600' $$ $child &
wait
";

#[test]
fn a_signal_ends_the_program_and_all_it_started() {
    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        check(signal);
    }
}

fn check(signal: Signal) {
    let folder =
        Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("as-cargo-{}", signal.as_raw()));
    std::fs::create_dir_all(&folder).expect("a folder for tests");
    let cargo = folder.join("cargo");
    std::fs::write(&cargo, CARGO).expect("a file for tests");
    std::fs::set_permissions(&cargo, PermissionsExt::from_mode(0o755)).expect("it is our file");
    let path = std::env::var("PATH").expect("there is a PATH");
    let mut xtask = Command::new(env!("CARGO_BIN_EXE_xtask"))
        .arg("sim")
        .env("PATH", format!("{}:{path}", folder.display()))
        .stdout(Stdio::piped())
        .spawn()
        .expect("it was just built");
    let mut lines = BufReader::new(xtask.stdout.take().expect("it is piped")).lines();
    let line = lines
        .find_map(|line| line.expect("text").strip_prefix("processes ").map(str::to_owned))
        .expect("the program tells its processes");
    let ids: Vec<&str> = line.split(' ').collect();
    assert_eq!(ids.len(), 3, "{line}");
    assert!(ids.iter().all(|id| lives(id)), "{line}");

    let id = Pid::from_raw(xtask.id().cast_signed()).expect("a process number is not 0");
    kill_process(id, signal).expect("it is our child");
    let status = xtask.wait().expect("it is our child");
    assert_eq!(status.signal(), Some(signal.as_raw()), "{status}");
    let left: Vec<&&str> = ids.iter().filter(|id| lives(id)).collect();
    assert!(left.is_empty(), "{signal:?} left {left:?} of {line}");
}

/// Whether the process is there and has not ended.
fn lives(id: &str) -> bool {
    std::fs::read_to_string(format!("/proc/{id}/stat"))
        .is_ok_and(|stat| !stat.rsplit_once(')').is_some_and(|(_, rest)| rest.starts_with(" Z")))
}
