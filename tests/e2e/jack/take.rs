//! A take of two musicians, one of whom is killed in the middle of it and comes back: what is exported lines up, and
//! holds what was played.

use std::io::Read as _;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use tests::listen::{align, level_db};
use tests::machine::{TimingFault, in_real_time};
use tests::process::{Process, Server, vjam};
use tests::sound::{RATE_HZ, Sound};

use crate::leader::Leader;
use crate::meter::Player;
use crate::{PERIOD_FRAMES, jackd, join};

/// When Bob is killed, how long what is played lasts, and what of each second is compared at once: JACK's clock and the room's
/// part by a hundred ppm, a frame in 0.2 s.
const KILLED: usize = 6;
const SECONDS: usize = 18;
const PIECE_FRAMES: usize = RATE_HZ / 4;

pub(crate) fn a_take_survives_a_kill_and_lines_up() {
    in_real_time(|machine| {
        let jack = jackd::Server::start(48_000, PERIOD_FRAMES);
        let server = Server::start(&[]).expect("the server starts");
        let folder = tempfile::tempdir().expect("a temporary folder");
        let musician = |name: &str| {
            join(&server, name, |command| {
                command.arg("--takes").arg(folder.path().join(name));
            })
        };
        let (mut ann, mut bob) = (musician("Ann"), musician("Bob"));
        // As well as they will ever know the time.
        std::thread::sleep(Duration::from_secs(4));
        let played = noise(SECONDS * RATE_HZ);
        let player = Player::new(played.clone());
        for port in ["Ann:in_1", "Bob:in_1"] {
            player.connect(port);
        }
        let mut leader = Leader::join(&server.link("jack"));
        let take = leader.start_take();
        for musician in [&mut ann, &mut bob] {
            let records = |line: &str| line.contains("records: Test").then_some(());
            musician.says("that it is recorded", records).expect("it heard of the take");
        }
        player.start();
        std::thread::sleep(Duration::from_secs(KILLED as u64));
        bob.kill().expect("it runs");
        let mut bob = musician("Bob");
        player.connect("Bob:in_1");
        player.wait();
        leader.stop_take();
        for musician in [&mut ann, &mut bob] {
            let sent = |line: &str| line.contains("part of Test is at the server").then_some(());
            musician.says("that its stem has arrived", sent).expect("it is sent");
        }
        leader.leave();
        jack.stop();
        let archive = folder.path().join("take.zip");
        export(&server, &take, &archive);
        let [ann, bob] = ["Ann", "Bob"].map(|name| stem(&archive, folder.path(), name));
        judge(&played, &ann, &bob, !machine.stalls().is_empty())
    });
}

/// Both have what was played, but for what Bob lost, and at the same place.
fn judge(played: &[f32], ann: &[f32], bob: &[f32], stalled: bool) -> Result<(), TimingFault> {
    let (alike_min, apart_ms_max) = if stalled { STALLED } else { (ALIKE, APART_MS_MAX) };
    let lags = 0..i64::try_from(8 * RATE_HZ).expect("a number");
    let place = |stem: &[f32], from: usize| {
        let piece = &played[from * RATE_HZ..][..PIECE_FRAMES];
        let stem = &stem[from * RATE_HZ..];
        align(piece, stem, lags.clone()).map(|peak| (peak.lag, peak.correlation))
    };
    let mut apart = Vec::new();
    for from in 1..SECONDS - 4 {
        let (ann, bob) = (place(ann, from), place(bob, from));
        let missing = (KILLED - 1..KILLED + 6).contains(&from);
        let Some((ann_lag, correlation)) = ann else {
            return Err(TimingFault(format!("nothing of second {from} is in Ann's stem")));
        };
        if correlation < alike_min {
            return Err(TimingFault(format!("second {from}: correlation {correlation:.3}")));
        }
        match bob {
            Some((lag, alike)) if alike_min < alike => {
                apart.push(lag.abs_diff(ann_lag));
            }
            _ if missing => {}
            _ => return Err(TimingFault(format!("second {from} of Bob's is missing: {bob:?}"))),
        }
    }
    apart.sort_unstable();
    let ms = |at: usize| apart.get(at).map_or(f64::INFINITY, |frames| *frames as f64 / 48.0);
    let (half, all) = (ms(apart.len() / 2), ms(apart.len().saturating_sub(1)));
    eprintln!(
        "a take with a kill and a rejoin: {} pieces of two stems, half of them within {half:.3} ms of each other, all \
         within {all:.3}; Ann's {:.1} dBFS, Bob's {:.1}",
        apart.len(),
        level_db(ann),
        level_db(bob)
    );
    if apart_ms_max < half || apart.len() < 6 {
        return Err(TimingFault(format!("{half:.3} ms apart in {} pieces", apart.len())));
    }
    Ok(())
}

/// A sound that is like itself at no other place.
fn noise(frames: usize) -> Vec<f32> {
    let mut random = relay::random::Random::from_seed(7);
    #[expect(clippy::cast_possible_truncation, reason = "between -1 and 1")]
    let mut sample = || 2.0 * random.unit() as f32 - 1.0;
    let white: Vec<f32> = (0..frames + SMOOTHED).map(|_| sample()).collect();
    white.windows(SMOOTHED).take(frames).map(|some| some.iter().sum::<f32>() / 8.0).collect()
}

/// What is the same sound; another piece of it is alike by 0.1. Where the driver stood still, a part of a piece is moved.
const ALIKE: f64 = 0.7;

/// JACK's dummy driver keeps time by sleeping: where the machine stands still it leaves out up to three milliseconds, and
/// counts no frame for them. No line through readings of the clock follows such steps closely. Sound cards do not
/// do that; how well stems of clocks line up is `takes`' to show.
const APART_MS_MAX: f64 = 1.0;

/// Both of these where the machine stood still, again and again: a piece with several such steps.
const STALLED: (f64, f64) = (0.5, 4.0);

/// Frames over which noise is smoothed, so that a frame more or less leaves it alike.
const SMOOTHED: usize = 16;

fn export(server: &Server, take: &str, archive: &Path) {
    let mut command = Command::new(vjam().expect("vjam builds"));
    command.args(["take", "export", take]).arg(archive).arg("--data").arg(server.data());
    let mut export = Process::start("vjam take", &mut command).expect("it starts");
    assert!(export.wait().expect("it ends").success(), "{}", export.printed());
}

/// What is in the archive of somebody.
fn stem(archive: &Path, folder: &Path, name: &str) -> Vec<f32> {
    let file = std::fs::File::open(archive).expect("it was exported");
    let mut archive = zip::ZipArchive::new(file).expect("it is an archive");
    let names: Vec<String> =
        archive.file_names().filter_map(|name| Some(name.ok()?.into_owned())).collect();
    let is_stem = |file: &&String| file.contains(name) && file.ends_with(".flac");
    let found = names.iter().find(is_stem).unwrap_or_else(|| panic!("{name}: {names:?}"));
    let mut flac = Vec::new();
    archive.by_name(found).expect("it is there").read_to_end(&mut flac).expect("it is whole");
    let path = folder.join(format!("{name}.flac"));
    std::fs::write(&path, flac).expect("a folder of ours");
    Sound::read_flac(&path).expect("a FLAC file").to_mono()
}
