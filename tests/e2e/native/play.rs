//! Playing together in good weather: two and three musicians, every codec.

use protocol::codec::Codec;
use tests::listen::{compare, level_db};
use tests::machine::in_real_time;
use tests::process::{FileMusician, Recording, Server};
use tests::sound::{RATE_HZ, Sound};

use crate::ears::{Ears, music};

const SECONDS: usize = 11;

/// Everybody joins one room and plays; gives what each heard.
fn play(server: &Server, room: &str, bands: &[(&str, &Sound)], codec: &str) -> Vec<Recording> {
    let seconds = (SECONDS + 1).to_string();
    let arguments = ["--codec", codec, "--duration", &seconds];
    let join = |(name, plays): &(&str, &Sound)| {
        FileMusician::join(&server.link(room), name, plays, &arguments).expect("it starts")
    };
    let musicians: Vec<FileMusician> = bands.iter().map(join).collect();
    let hear = |mut musician: FileMusician| musician.heard().expect("it plays to the end");
    musicians.into_iter().map(hear).collect()
}

/// Two musicians hear each other's music and never their own.
fn check_duo(asked: &str, sent: Codec, plays: [&str; 2]) {
    in_real_time(|machine| {
        let server = Server::start(&[]).expect("the server starts");
        let [first, second] = plays.map(|track| music(track, SECONDS));
        let heard = play(&server, "duo", &[("Ann", &first), ("Bob", &second)], asked);
        let [ann, bob] = [&heard[0], &heard[1]].map(|heard| Ears::new(heard, SECONDS - 1));
        let (ann, bob) = (ann?, bob?);
        ann.must_not_hear("Ann", &first, &[&second]);
        bob.must_not_hear("Bob", &second, &[&first]);
        ann.must_hear("Ann hears Bob", &second, sent, machine)?;
        bob.must_hear("Bob hears Ann", &first, sent, machine)
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
fn one_who_plays_to_somebody_silent_hears_silence() {
    in_real_time(|machine| {
        let server = Server::start(&[]).expect("the server starts");
        let (piano, silence) = (music("late-bus-piano", 8), Sound::mono(vec![0.0; 8 * RATE_HZ]));
        let heard = play(&server, "r", &[("Ann", &piano), ("Bob", &silence)], "opus-64");
        Ears::must_hear_nothing("Ann", &heard[0]);
        let bob = Ears::new(&heard[1], 7)?;
        bob.must_hear("Bob hears Ann", &piano, Codec::Opus64, machine)
    });
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
        Ok(())
    });
}

#[test]
fn everybody_learns_the_rooms_time_and_how_well_it_is_known() {
    in_real_time(|_| {
        let server = Server::start(&[]).expect("the server starts");
        let (guitar, bass) = (music("seven-stairs-guitar", 6), music("seven-stairs-bass", 6));
        let ann = FileMusician::join(&server.link("time"), "Ann", &guitar, &["--duration", "6"]);
        let bob = FileMusician::join(&server.link("time"), "Bob", &bass, &["--duration", "6"]);
        for musician in [ann, bob] {
            let mut musician = musician.expect("it starts");
            musician.process.wait().expect("it plays to the end");
            let stats = musician.stats().expect("statistics are written");
            let clock = &stats.last().expect("a line for each second")["room_clock"];
            let of = |field: &str| clock[field].as_f64().expect("a number");
            // The server is on this machine, whose time of day all three can read.
            let off_ms = of("ahead_of_wall_ms").abs();
            assert!(off_ms < of("bound_ms") + 0.5, "{clock}");
            assert!(of("precision_ms") < of("bound_ms") + 0.1, "{clock}");
            assert_eq!((&clock["settled"], of("steps")), (&true.into(), 0.0), "{clock}");
            assert!(100.0 < of("exchanges") && of("rate_ppm").abs() < 50.0, "{clock}");
        }
        Ok(())
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
        let mut eve = eve.expect("it starts");
        let everybody = [("Ann", &piano), ("Bob", &oboe), ("Cid", &bass)];
        let heard = play(&server, "trio", &everybody, "opus-64");
        Ears::must_hear_nothing("Eve", &eve.heard().expect("a recording of silence"));
        for (heard, (name, own)) in heard.iter().zip(&everybody) {
            let others = everybody.iter().filter(|(other, _)| other != name);
            let others: Vec<&Sound> = others.map(|(_, plays)| *plays).collect();
            Ears::new(heard, SECONDS - 1)?.must_not_hear(name, own, &others);
        }
        Ok(())
    });
}

#[test]
fn stereo_stays_stereo_at_the_bitrate_that_was_asked_for() {
    in_real_time(|machine| {
        let server = Server::start(&[]).expect("the server starts");
        // Two instruments, one on each side.
        let sides =
            ["seven-stairs-vibraphone", "seven-stairs-guitar"].map(|t| music(t, 8).to_mono());
        let plays = Sound { channels: sides.to_vec() };
        let arguments = ["--duration", "9", "--codec", "opus"];
        let wide = [&arguments[..], &["--channels", "2", "--bitrate", "160k"]].concat();
        let ann = FileMusician::join(&server.link("r"), "Ann", &plays, &wide);
        let bob = music("harbor-oboe", 8);
        let bob = FileMusician::join(&server.link("r"), "Bob", &bob, &arguments);
        let (mut ann, mut bob) = (ann.expect("it starts"), bob.expect("it starts"));
        let heard = bob.heard().expect("it plays to the end");
        ann.heard().expect("it plays to the end");

        // 160 kbit/s are 50 bytes in each 2.5 ms; RTP takes 12, the tag of SRTP 16, and the capture time 8 once
        // the room's time is known. What ICE and DTLS add in eight seconds is less than a byte for each
        // packet; each question for the time has 40.
        let stats = ann.stats().expect("statistics are written");
        let line = stats.last().expect("a line for each second");
        let of = |field: &str| line[field].as_f64().expect("a number");
        let asked = line["room_clock"]["exchanges"].as_f64().expect("the time was told");
        let bytes = (of("sent_bytes") - 40.0 * asked) / of("sent_packets");
        assert!((83.0..88.0).contains(&bytes), "{bytes} bytes for each packet: {line}");

        let both = Recording { sound: heard.sound.clone(), began: heard.began };
        Ears::new(&both, 7)?.must_hear("Bob", &plays, Codec::Opus, machine)?;
        let reach = i64::try_from(4 * RATE_HZ).expect("a number");
        for (side, played) in heard.sound.channels.iter().zip(&sides) {
            let hearing = compare(played, side, -reach..reach).expect("each on its side");
            assert!(0.8 < hearing.correlation, "{} ({} dB)", hearing.correlation, level_db(side));
        }
        Ok(())
    });
}
