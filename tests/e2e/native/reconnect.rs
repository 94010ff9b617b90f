//! What a musician hears of other people's crashes: a server that dies and comes back, a
//! participant that dies, a server that is told to stop.

use std::time::Duration;

use protocol::codec::Codec;
use tests::machine::in_real_time;
use tests::process::{FileMusician, Server};

use crate::ears::{Ears, music};

#[test]
fn musicians_come_back_by_themselves_after_the_server_was_killed() {
    in_real_time(|machine| {
        let mut server = Server::start(&[]).expect("the server starts");
        let (piano, oboe) = (music("late-bus-piano", 20), music("harbor-oboe", 20));
        let arguments = ["--duration", "18", "--codec", "opus-64"];
        let link = server.link("r");
        let ann = FileMusician::join(&link, "Ann", &piano, &arguments).expect("it starts");
        let bob = FileMusician::join(&link, "Bob", &oboe, &arguments).expect("it starts");
        std::thread::sleep(Duration::from_secs(4));
        server.process.kill().expect("it can be killed");
        let _server = server.start_again().expect("the server starts again where it was");
        for (who, musician, played) in [("Ann", ann, &oboe), ("Bob", bob, &piano)] {
            let heard = musician.heard().expect("it plays to the end");
            Ears::new(&heard).at_the_end(5).must_hear(who, played, Codec::Opus64, machine);
        }
    });
}

#[test]
fn a_musician_who_dies_leaves_the_others_playing() {
    in_real_time(|machine| {
        let server = Server::start(&[]).expect("the server starts");
        let tracks = ["late-bus-piano", "harbor-oboe", "seven-stairs-bass"];
        let [piano, oboe, bass] = tracks.map(|track| music(track, 11));
        let arguments = ["--duration", "10", "--codec", "opus-64"];
        let link = server.link("r");
        let ann = FileMusician::join(&link, "Ann", &piano, &arguments).expect("it starts");
        let bob = FileMusician::join(&link, "Bob", &oboe, &arguments).expect("it starts");
        let mut cid = FileMusician::join(&link, "Cid", &bass, &arguments).expect("it starts");
        std::thread::sleep(Duration::from_secs(3));
        cid.process.kill().expect("it can be killed");
        let (ann, bob) = (ann.heard().expect("it plays on"), bob.heard().expect("it plays on"));
        // What came after the crash is the other one alone.
        Ears::new(&ann).at_the_end(5).must_hear("Ann", &oboe, Codec::Opus64, machine);
        Ears::new(&bob).at_the_end(5).must_hear("Bob", &piano, Codec::Opus64, machine);
    });
}

#[test]
fn a_server_that_is_told_to_stop_tells_everybody() {
    let mut server = Server::start(&[]).expect("the server starts");
    let piano = music("late-bus-piano", 5);
    let ann = FileMusician::join(&server.link("r"), "Ann", &piano, &["--duration", "60"]);
    let mut ann = ann.expect("it starts");
    let joined = |line: &str| line.contains("link up").then_some(());
    ann.process.says("that it is in the room", joined).expect("it joins");
    let status = server.process.terminate().expect("it ends");
    assert!(status.success(), "{status}: {}", server.process.printed());
    let told = |line: &str| line.contains("the server stops").then_some(());
    ann.process.says("that the server stops", told).expect("it was told");
    assert!(ann.process.is_running().expect("it can be asked"), "it waits for the server");
    assert!(ann.process.terminate().expect("it ends").success());
}
