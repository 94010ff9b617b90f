//! A take as it is downloaded, opened by others' programs: ffprobe and ffmpeg, and readers of the two project
//! formats (`check_projects.py`).
//!
//! `cargo xtask e2e` installs what this needs: ffmpeg, Python, and what `requirements.txt` names.

use std::fs;
use std::io::{Cursor, Read};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::Command;

use protocol::time::RoomTime;
use takes::export::{Host, Marker, Scratch, StemEntry, Take, TempoChange, export};
use takes::stem::{Header, Writer};
use takes::{StemId, TakeId};

#[test]
fn a_take_is_opened_by_other_programs() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let archive = folder.path().join("take.zip");
    let mut bytes = Vec::new();
    let report = export(&take(), &mut Memory, &mut bytes).expect("an export");
    fs::write(&archive, &bytes).expect("room for ten seconds");
    let unpacked = unpack(&bytes, folder.path());

    let sounds = sounds(&unpacked);
    assert_eq!(sounds.len(), 5, "three stems, the click and the mix: {sounds:?}");
    for sound in &sounds {
        check_sound(sound);
    }
    let stereo = probe(&unpacked.join("02 Bob _ Söhne - keys.flac"), "channels");
    assert_eq!(stereo, "2");
    let title = probe_tag(&unpacked.join("02 Bob _ Söhne - keys.flac"), "TITLE");
    assert_eq!(title, report.stems[1].title);

    let mut check = Command::new("python3");
    check.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/e2e/takes/check_projects.py")).arg(&archive);
    check.env("PYTHONPATH", concat!(env!("CARGO_TARGET_TMPDIR"), "/../python"));
    let output = check.output().expect("Python 3 is missing: `cargo xtask e2e` installs it");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
}

/// Ten seconds of three musicians, the second in stereo, with a name that no format takes as it is; the fourth
/// never arrived.
fn take() -> Take {
    let change = |at_ms: i64, milli_bpm, beats_per_bar| TempoChange {
        at: START.plus_ns(at_ms * 1_000_000),
        milli_bpm,
        beats_per_bar,
        first_bar: 1,
        accents: 1,
        silent: 0,
        end: None,
    };
    let marker = |at_ms: i64, text: &str| Marker {
        at: START.plus_ns(at_ms * 1_000_000),
        text: text.to_owned(),
    };
    Take {
        title: "Monday <&> \"one\"".to_owned(),
        start: START,
        stop: START.plus_ns(SECONDS * 1_000_000_000),
        tempo: vec![change(-300, 120_000, 4), change(5_000, 93_500, 3)],
        markers: vec![marker(0, "Intro"), marker(4_500, "It's \"here\" `now` > & <")],
        stems: STEMS
            .iter()
            .map(|&(participant, label, _)| StemEntry {
                participant: participant.to_owned(),
                label: label.to_owned(),
                note: None,
            })
            .collect(),
    }
}

const START: RoomTime = RoomTime::from_ns(1_790_000_000_000_000_000);
const SECONDS: i64 = 10;
/// Participant, label and channels; none where it never arrived.
const STEMS: [(&str, &str, u8); 4] = [
    ("Ann", "voice", 1),
    ("Bob | Söhne", "keys", 2),
    ("> FILE \"x\"", "' `", 1),
    ("Di", "bass", 0),
];

struct Memory;

impl Host for Memory {
    fn open(&mut self, stem: usize) -> std::io::Result<Option<Box<dyn Read>>> {
        let (participant, label, channels) = STEMS[stem];
        if channels == 0 {
            return Ok(None);
        }
        Ok(Some(Box::new(Cursor::new(record(participant, label, channels)))))
    }

    fn scratch(&mut self) -> std::io::Result<Box<dyn Scratch>> {
        Ok(Box::new(tempfile::tempfile()?))
    }

    fn progress(&mut self, _: f64) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}

/// A stem of noise, whose device is exactly right.
fn record(participant: &str, label: &str, channels: u8) -> Vec<u8> {
    let mut file = Vec::new();
    let header = Header {
        take: TakeId::from_bytes([1; 16]),
        stem: StemId::from_bytes([2; 16]),
        participant: participant.to_owned(),
        label: label.to_owned(),
        channels,
    };
    let mut writer = Writer::new(&header, &mut file).expect("a good header");
    let mut random = 1_u32;
    for second in 0..SECONDS {
        let frame = u64::try_from(second).expect("from 0 on") * 48_000;
        let block: Vec<f32> = (0..48_000 * usize::from(channels))
            .map(|_| {
                random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                f32::from(u16::try_from(random >> 16).expect("16 bits")) / 65_536.0 - 0.5
            })
            .collect();
        writer.audio(frame, &block, &mut file);
        writer.clock(frame, START.plus_ns(second * 1_000_000_000), 50_000, 5_000_000, 0, &mut file);
    }
    writer.end(&mut file);
    file
}

/// Unpacks an archive; gives the one folder in it.
fn unpack(bytes: &[u8], to: &Path) -> PathBuf {
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).expect("an archive");
    archive.extract(to).expect("room for ten seconds");
    to.join("Monday _&_ _one_")
}

fn sounds(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("the archive has one folder");
    let paths = entries.map(|entry| entry.expect("it can be read").path());
    let mut sounds: Vec<PathBuf> = paths
        .filter(|path| path.extension().is_some_and(|extension| extension == "flac"))
        .collect();
    sounds.sort();
    sounds
}

/// What ffprobe says of a file, and whether ffmpeg decodes all of it without a complaint.
fn check_sound(path: &Path) {
    let said = [
        ("codec_name", "flac"),
        ("sample_rate", "48000"),
        ("bits_per_raw_sample", "24"),
        ("duration_ts", "480000"),
    ];
    for (entry, expected) in said {
        assert_eq!(probe(path, entry), expected, "{entry} of {}", path.display());
    }
    let mut decode = Command::new("ffmpeg");
    decode.args(["-nostdin", "-v", "warning", "-err_detect", "explode", "-i"]);
    let output = decode.arg(path).args(["-f", "null", "-"]).output().expect(NO_FFMPEG);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.is_empty(), "{}: {said}", path.display());
}

fn probe(path: &Path, entry: &str) -> String {
    ask(path, &format!("stream={entry}"))
}

fn probe_tag(path: &Path, tag: &str) -> String {
    ask(path, &format!("format_tags={tag}"))
}

fn ask(path: &Path, entries: &str) -> String {
    let mut probe = Command::new("ffprobe");
    probe.args(["-v", "error", "-show_entries", entries, "-of", "default=nk=1:nw=1"]).arg(path);
    let output = probe.output().expect(NO_FFMPEG);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

const NO_FFMPEG: &str = "ffmpeg is missing: `cargo xtask e2e` installs it";
