//! What a musician hears of other people's crashes: a server that dies and comes back, a
//! participant that dies, a server that is told to stop.

use protocol::codec::Codec;
use tests::machine::in_real_time;
use tests::process::{FileMusician, Server};

use crate::ears::{Ears, music};

#[test]
fn musicians_come_back_by_themselves_after_the_server_was_killed() {
    in_real_time(|machine| {
        let mut server = Server::start(&[]).expect("the server starts");
        let (piano, oboe) = (music("late-bus-piano", 60), music("harbor-oboe", 60));
        let (link, arguments) = (server.link("r"), ["--codec", "opus-64"]);
        let mut ann = FileMusician::join(&link, "Ann", &piano, &arguments).expect("it starts");
        let mut bob = FileMusician::join(&link, "Bob", &oboe, &arguments).expect("it starts");
        ann.plays_ms("Bob", 1000.0).expect("they play");
        bob.plays_ms("Ann", 1000.0).expect("they play");
        server.process.kill().expect("it can be killed");
        let _server = server.start_again().expect("the server starts again where it was");
        for musician in [&mut ann, &mut bob] {
            musician.process.says_times("media link up", 2).expect("it comes back");
        }
        // Another server, another stream: counted from the beginning.
        ann.plays_ms("Bob", 6000.0).expect("they play again");
        bob.plays_ms("Ann", 6000.0).expect("they play again");
        let (ann, bob) = (ann.leave().expect("it ends well"), bob.leave().expect("it ends well"));
        for (who, heard, played) in [("Ann", ann, &oboe), ("Bob", bob, &piano)] {
            let ears = Ears::new(&heard, 6)?.at_the_end(5);
            ears.must_hear(who, played, Codec::Opus64, machine)?;
        }
        Ok(())
    });
}

#[test]
fn a_musician_who_dies_leaves_the_others_playing() {
    in_real_time(|machine| {
        let server = Server::start(&[]).expect("the server starts");
        let tracks = ["late-bus-piano", "harbor-oboe", "seven-stairs-bass"];
        let [piano, oboe, bass] = tracks.map(|track| music(track, 60));
        let (link, arguments) = (server.link("r"), ["--codec", "opus-64"]);
        let mut ann = FileMusician::join(&link, "Ann", &piano, &arguments).expect("it starts");
        let mut bob = FileMusician::join(&link, "Bob", &oboe, &arguments).expect("it starts");
        let mut cid = FileMusician::join(&link, "Cid", &bass, &arguments).expect("it starts");
        ann.plays_ms("Cid", 1000.0).expect("they play");
        bob.plays_ms("Cid", 1000.0).expect("they play");
        cid.process.kill().expect("it can be killed");
        // Five more seconds, and as much again in which Cid's seat is still kept.
        let before = 1000.0;
        ann.plays_ms("Bob", before + 8000.0).expect("they play on");
        bob.plays_ms("Ann", before + 8000.0).expect("they play on");
        let (ann, bob) = (ann.leave().expect("it ends well"), bob.leave().expect("it ends well"));
        // What came after the crash is the other one alone.
        for (who, heard, played) in [("Ann", ann, &oboe), ("Bob", bob, &piano)] {
            let ears = Ears::new(&heard, 8)?.at_the_end(5);
            ears.must_hear(who, played, Codec::Opus64, machine)?;
        }
        Ok(())
    });
}

#[test]
fn a_server_that_is_told_to_stop_tells_everybody() {
    in_real_time(|_| {
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
        Ok(())
    });
}
