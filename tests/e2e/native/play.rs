//! Playing together in good weather: two and three musicians, every codec.

use protocol::codec::Codec;
use tests::machine::in_real_time;
use tests::process::{FileMusician, Server};
use tests::sound::Sound;

use crate::ears::{Ears, music};

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
fn check_duo(asked: &str, sent: Codec, plays: [&str; 2]) {
    in_real_time(|machine| {
        let server = Server::start(&[]).expect("the server starts");
        let [first, second] = plays.map(|track| music(track, SECONDS));
        let heard = play(&server, "duo", &[("Ann", &first), ("Bob", &second)], asked);
        heard[0].must_hear("Ann hears Bob", &second, sent, machine);
        heard[1].must_hear("Bob hears Ann", &first, sent, machine);
        heard[0].must_not_hear("Ann", &first, &[&second]);
        heard[1].must_not_hear("Bob", &second, &[&first]);
    });
}

#[test]
fn two_musicians_hear_each_other_in_opus() {
    check_duo("opus", Codec::Opus, ["late-bus-piano", "harbor-oboe"]);
}

#[test]
fn two_musicians_hear_each_other_in_opus_64() {
    check_duo("opus-64", Codec::Opus64, ["harbor-strings", "seven-stairs-guitar"]);
}

#[test]
fn two_musicians_hear_each_other_in_pcm() {
    check_duo("pcm", Codec::Pcm, ["late-bus-drums", "harbor-harp"]);
}

#[test]
fn left_to_itself_the_codec_is_opus_64() {
    in_real_time(|_| {
        let server = Server::start(&[]).expect("the server starts");
        let (guitar, bass) = (music("seven-stairs-guitar", 6), music("seven-stairs-bass", 6));
        let arguments = ["--duration", "6"];
        let ann = FileMusician::join(&server.link("auto"), "Ann", &guitar, &arguments);
        let bob = FileMusician::join(&server.link("auto"), "Bob", &bass, &arguments);
        let (mut ann, _bob) = (ann.expect("it starts"), bob.expect("it starts"));
        ann.process.wait().expect("it plays to the end");
        let stats = ann.stats().expect("statistics are written");
        // The last line may be of the moment in which they had parted.
        let line = &stats[stats.len() - 2];
        assert_eq!(line["encodings"], serde_json::json!(["opus-64"]), "{line}");
        assert_eq!(line["remotes"][0]["codec"], "opus-64", "{line}");
    });
}

#[test]
fn three_musicians_hear_each_other_and_another_room_hears_nothing() {
    in_real_time(|_| {
        let server = Server::start(&[]).expect("the server starts");
        let tracks = ["late-bus-piano", "harbor-oboe", "seven-stairs-bass"];
        let [piano, oboe, bass] = tracks.map(|track| music(track, SECONDS));
        let (elsewhere, harp) = (server.link("elsewhere"), music("harbor-harp", SECONDS));
        let eve = FileMusician::join(&elsewhere, "Eve", &harp, &["--duration", "10"]);
        let eve = eve.expect("it starts");
        let everybody = [("Ann", &piano), ("Bob", &oboe), ("Cid", &bass)];
        let heard = play(&server, "trio", &everybody, "opus-64");
        for (ears, (name, own)) in heard.iter().zip(&everybody) {
            let others = everybody.iter().filter(|(other, _)| other != name);
            let others: Vec<&Sound> = others.map(|(_, plays)| *plays).collect();
            ears.must_not_hear(name, own, &others);
        }
        let heard = eve.heard().expect("a recording of silence").to_mono();
        assert!(heard.iter().all(|sample| *sample == 0.0), "Eve hears another room");
    });
}
