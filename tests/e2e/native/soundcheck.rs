//! `vjam check` and `vjam calibrate` with files for a sound card: what they find, what they say of it, what they exit
//! with. With a real device they are in `tests/e2e/jack`.

use std::path::Path;
use std::process::Command;

use serde_json::Value;
use tests::machine::{TimingFault, in_real_time};
use tests::process::{FileMusician, Process, Server, vjam};
use tests::sound::{RATE_HZ, Sound};

use crate::ears::music;

/// Runs a command of vjam on a sound until it ends; gives whether all was well, and what it printed.
fn run(arguments: &[&str], plays: &Sound, home: &Path) -> (bool, String) {
    let input = home.join("plays.wav");
    plays.write_wav(&input).expect("the folder is ours");
    let mut command = Command::new(vjam().expect("vjam builds"));
    command.args(arguments).args(["--audio", "file", "--input"]).arg(&input);
    command.env("XDG_CONFIG_HOME", home);
    let mut process = Process::start("vjam", &mut command).expect("it starts");
    let status = process.wait().expect("it ends by itself");
    (status.success(), process.printed())
}

fn noise(peak: f32, seconds: usize) -> Sound {
    let mut state = 1_u32;
    let next = |_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        peak * ((state >> 8) as f32 / (1 << 23) as f32 - 1.0)
    };
    Sound::mono((0..seconds * RATE_HZ).map(next).collect())
}

#[test]
fn a_check_ends_in_what_it_would_be_with_who_is_there() {
    in_real_time(|_| {
        let home = tempfile::tempdir().expect("a temporary folder");
        let server = Server::start(&[]).expect("the server starts");
        let (link, piano) = (server.link("stage"), music("late-bus-piano", 60));
        let mut ann = FileMusician::join(&link, "Ann", &piano, &[]).expect("it starts");
        // By then her program knows how far the server is.
        ann.plays_on_until(6).expect("it plays on");
        let (good, printed) =
            run(&["check", &link, "--json"], &music("late-bus-drums", 60), home.path());
        ann.leave().expect("it leaves");
        // Between what is said to people before it and after it.
        let json = printed.split_once("\n{\n").map(|(_, rest)| format!("{{\n{rest}"));
        let json = json.unwrap_or_else(|| panic!("no JSON: {printed}"));
        let report: Value = serde_json::Deserializer::from_str(&json)
            .into_iter()
            .next()
            .and_then(Result::ok)
            .unwrap_or_else(|| panic!("no JSON: {printed}"));
        let company = &report["company"];
        assert_eq!((company[0]["name"].as_str(), company[1].as_str()), (Some("Ann"), None));
        let words = company[0]["words"].as_str().expect("text");
        assert!(words.starts_with("you and Ann: ") && words.contains(" ms, "), "{printed}");
        assert_eq!(report["verdict"][0], words);
        let steps = report["steps"].as_array().expect("steps");
        let names: Vec<_> = steps.iter().map(|step| step["name"].as_str()).collect();
        assert_eq!(names, ["device", "level", "feedback", "network"].map(Some));
        assert_eq!(report["good"], good);
        // Whatever is late is this machine's fault: nothing is between the two.
        let network = &report["network"];
        let sent = network["sent_packets_per_second"].as_f64().expect("a number");
        let delay = company[0]["delay_ms"].as_f64().expect("a number");
        if !good || 30.0 < delay || (sent - 750.0).abs() > 50.0 {
            return Err(TimingFault(printed));
        }
        Ok(())
    });
}

#[test]
fn silence_and_a_server_that_is_not_there_are_two_things_to_do() {
    let home = tempfile::tempdir().expect("a temporary folder");
    let silence = Sound::mono(vec![0.0; RATE_HZ]);
    let (good, printed) = run(&["check", "http://127.0.0.1:1"], &silence, home.path());
    assert!(!good, "{printed}");
    assert!(printed.contains("→ nothing at all comes in: the input is muted"), "{printed}");
    assert!(printed.contains("→ 127.0.0.1:1 cannot be reached"), "{printed}");
    assert!(
        printed.contains("2 things have to be done") || printed.contains("3 things"),
        "{printed}"
    );
}

#[test]
fn nothing_is_calibrated_on_noise_or_silence() {
    let home = tempfile::tempdir().expect("a temporary folder");
    for (sound, says) in [
        (noise(0.3, 20), "vjam: the input is loud by itself (-15 dBFS)"),
        (
            noise(0.003, 20),
            "vjam: the input lives (-55 dBFS), but nothing of what is played comes back",
        ),
        (Sound::mono(vec![0.0; RATE_HZ]), "vjam: nothing at all comes in"),
    ] {
        let (good, printed) = run(&["calibrate"], &sound, home.path());
        assert!(!good && printed.contains(says), "{says}: {printed}");
        assert!(printed.contains("Connect output 1 to input 1 with a cable"), "{printed}");
    }
    let (good, printed) = run(&["calibrate", "--list"], &noise(0.1, 1), home.path());
    assert!(good && printed.contains("Nothing was calibrated yet"), "{printed}");
}
