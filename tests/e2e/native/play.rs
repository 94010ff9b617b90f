//! Playing together in good weather: two and three musicians, every codec.

use protocol::codec::Codec;
use tests::process::{FileMusician, Server};
use tests::sound::Sound;

use crate::ears::{Ears, alone, music};

const SECONDS: usize = 11;

/// Everybody joins one room and plays; gives what each heard.
fn play(server: &Server, room: &str, bands: &[(&str, &Sound)], codec: &str) -> Vec<Ears> {
    let seconds = (SECONDS + 1).to_string();
    let arguments = ["--codec", codec, "--duration", &seconds];
    let join = |(name, plays): &(&str, &Sound)| {
        FileMusician::join(&server.link(room), name, plays, &arguments).expect("it starts")
    };
    let musicians: Vec<FileMusician> = bands.iter().map(join).collect();
    let hear = |musician: FileMusician| Ears::new(&musician.heard().expect("it plays to the end"));
    musicians.into_iter().map(hear).collect()
}

/// Two musicians hear each other's music and never their own.
fn check_duo(asked: &str, sent: Codec, piano: &str, bass: &str) {
    let _alone = alone();
    let server = Server::start(&[]).expect("the server starts");
    let (piano, bass) = (music(piano, SECONDS), music(bass, SECONDS));
    let heard = play(&server, "duo", &[("Ann", &piano), ("Bob", &bass)], asked);
    heard[0].must_hear("Ann hears Bob", &bass, sent);
    heard[1].must_hear("Bob hears Ann", &piano, sent);
    heard[0].must_not_hear("Ann", &piano, &[&bass]);
    heard[1].must_not_hear("Bob", &bass, &[&piano]);
}

#[test]
fn two_musicians_hear_each_other_in_opus() {
    check_duo("opus", Codec::Opus, "late-bus-piano", "harbor-oboe");
}

#[test]
fn two_musicians_hear_each_other_in_opus_64() {
    check_duo("opus-64", Codec::Opus64, "harbor-strings", "seven-stairs-guitar");
}

#[test]
fn two_musicians_hear_each_other_in_pcm() {
    check_duo("pcm", Codec::Pcm, "late-bus-drums", "harbor-harp");
}

#[test]
fn left_to_itself_the_codec_is_opus_64() {
    let _alone = alone();
    let server = Server::start(&[]).expect("the server starts");
    let (guitar, bass) = (music("seven-stairs-guitar", 6), music("seven-stairs-bass", 6));
    let arguments = ["--duration", "7"];
    let ann = FileMusician::join(&server.link("auto"), "Ann", &guitar, &arguments);
    let bob = FileMusician::join(&server.link("auto"), "Bob", &bass, &arguments);
    let (mut ann, bob) = (ann.expect("it starts"), bob.expect("it starts"));
    ann.process.wait().expect("it plays to the end");
    let stats = ann.stats().expect("statistics are written");
    let last = stats.last().expect("a line each second").to_string();
    assert!(last.contains("\"opus-64\""), "{last}");
    drop(bob);
}

#[test]
fn three_musicians_hear_each_other_and_another_room_hears_nothing() {
    let _alone = alone();
    let server = Server::start(&[]).expect("the server starts");
    let tracks = ["late-bus-piano", "harbor-oboe", "seven-stairs-bass"];
    let [piano, oboe, bass] = tracks.map(|track| music(track, SECONDS));
    let seconds = (SECONDS + 1).to_string();
    let nobody = FileMusician::join(
        &server.link("elsewhere"),
        "Eve",
        &music("harbor-harp", SECONDS),
        &["--duration", &seconds],
    );
    let mut nobody = nobody.expect("it starts");
    let everybody = [("Ann", &piano), ("Bob", &oboe), ("Cid", &bass)];
    let heard = play(&server, "trio", &everybody, "opus-64");
    for (i, (name, own)) in everybody.iter().enumerate() {
        let others = everybody.iter().filter(|(other, _)| other != name);
        let others: Vec<&Sound> = others.map(|(_, plays)| *plays).collect();
        heard[i].must_not_hear(name, own, &others);
    }
    nobody.process.wait().expect("it plays to the end");
    let heard = nobody.heard_so_far().expect("a recording of silence").to_mono();
    assert!(heard.iter().all(|sample| *sample == 0.0), "Eve hears another room");
}
