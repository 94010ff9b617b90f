//! Archives as they are downloaded: of musicians in virtual time, of stems that fail, with names that do harm.

use std::io::{self, Cursor, Read};
use std::ops::ControlFlow;

use md5::{Digest, Md5};
use protocol::time::RoomTime;

use super::*;
use crate::virtual_musician::{EIGHT, Musician, SOUND, START, clicks_off_ms};

/// Stems in memory.
struct Memory {
    stems: Vec<Content>,
    /// When `progress` ends the export.
    ends_at: f64,
    progress: Vec<f64>,
}

#[derive(Clone)]
enum Content {
    Bytes(Vec<u8>),
    Never,
    /// Good the first time, and cut short by an error the second.
    Fails(Vec<u8>, bool),
}

struct Failing(Cursor<Vec<u8>>);

impl Read for Failing {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        match self.0.read(out)? {
            0 => Err(io::Error::other("the disk is gone")),
            read => Ok(read),
        }
    }
}

impl Host for Memory {
    fn open(&mut self, stem: usize) -> io::Result<Option<Box<dyn Read>>> {
        Ok(match &mut self.stems[stem] {
            Content::Bytes(bytes) => Some(Box::new(Cursor::new(bytes.clone()))),
            Content::Never => None,
            Content::Fails(bytes, was_read) => {
                let length = if *was_read { bytes.len() / 2 } else { bytes.len() };
                let bytes = Cursor::new(bytes[..length].to_vec());
                let again = std::mem::replace(was_read, true);
                Some(if again { Box::new(Failing(bytes)) } else { Box::new(bytes) })
            }
        })
    }

    fn scratch(&mut self) -> io::Result<Box<dyn Scratch>> {
        Ok(Box::new(Cursor::new(Vec::new())))
    }

    fn progress(&mut self, done: f64) -> ControlFlow<()> {
        self.progress.push(done);
        if self.ends_at <= done { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

fn take(seconds: u32, names: &[(&str, &str)]) -> Take {
    let entry = |&(participant, label): &(&str, &str)| StemEntry {
        participant: participant.to_owned(),
        label: label.to_owned(),
        note: None,
    };
    Take {
        title: "Monday/1".to_owned(),
        start: START,
        stop: START.plus_ns(i64::from(seconds) * 1_000_000_000),
        tempo: vec![TempoChange {
            at: START.plus_ns(500_000_000),
            milli_bpm: 120_000,
            beats_per_bar: 4,
            first_bar: 1,
            accents: 1,
            silent: 0,
            end: None,
        }],
        markers: vec![Marker { at: START.plus_ns(3_250_000_000), text: "Solo\t<2>".to_owned() }],
        stems: names.iter().map(entry).collect(),
    }
}

fn memory(stems: Vec<Content>) -> Memory {
    Memory { stems, ends_at: 2.0, progress: Vec::new() }
}

/// Everything in an archive, by name.
struct Unpacked(Vec<(String, Vec<u8>)>);

impl Unpacked {
    fn of(take: &Take, host: &mut Memory) -> (Self, Report) {
        let mut bytes = Vec::new();
        let report = export(take, host, &mut bytes).expect("an export");
        (Self::read(&bytes), report)
    }

    fn read(bytes: &[u8]) -> Self {
        let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).expect("an archive");
        let files = (0..archive.len()).map(|at| {
            let mut file = archive.by_index(at).expect("a file");
            let path = file.enclosed_name().expect("a name that stays in its folder");
            let mut content = Vec::new();
            file.read_to_end(&mut content).expect("its checksum holds");
            (path.to_str().expect("UTF-8").to_owned(), content)
        });
        Self(files.collect())
    }

    fn names(&self) -> Vec<&str> {
        self.0.iter().map(|(name, _)| name.as_str()).collect()
    }

    fn file(&self, name: &str) -> &[u8] {
        let found = self.0.iter().find(|(there, _)| there.ends_with(name));
        &found.unwrap_or_else(|| panic!("{name} is missing: {:?}", self.names())).1
    }

    fn text(&self, name: &str) -> &str {
        std::str::from_utf8(self.file(name)).expect("UTF-8")
    }

    /// Decodes a FLAC file and checks what its head says.
    fn sound(&self, name: &str) -> Vec<f32> {
        let mut reader = claxon::FlacReader::new(Cursor::new(self.file(name))).expect("FLAC");
        let info = reader.streaminfo();
        assert_eq!((info.sample_rate, info.bits_per_sample), (48_000, 24));
        assert_eq!((info.min_block_size, info.max_block_size), (4096, 4096));
        let samples: Vec<i32> = reader.samples().map(|sample| sample.expect("a frame")).collect();
        assert_eq!(
            info.samples,
            u64::try_from(samples.len()).ok().map(|all| all / u64::from(info.channels))
        );
        let mut digest = Md5::new();
        samples.iter().for_each(|sample| digest.update(&sample.to_le_bytes()[..3]));
        assert_eq!(info.md5sum[..], digest.finalize()[..], "{name}");
        samples.iter().map(|sample| crate::pcm::sample(*sample)).collect()
    }
}

#[test]
fn eight_musicians_stay_together_for_ten_minutes() {
    let stems = (1..)
        .zip(EIGHT)
        .map(|(seed, musician)| Content::Bytes(Musician { seed, ..musician }.record(600.0)));
    let (archive, report) =
        Unpacked::of(&take(600, &[("Ann", "voice"); 8]), &mut memory(stems.collect()));
    // For each click, how early and how late it is heard.
    let mut clicks = vec![(0.0_f64, 0.0_f64); 120];
    for stem in &report.stems {
        let sound = archive.sound(stem.file.as_ref().expect("it is there"));
        assert_eq!(sound.len(), 600 * 48_000);
        let off = clicks_off_ms(&sound);
        assert!(100 < off.len(), "{}", off.len());
        for (click, off_ms) in off {
            let (early, late) = &mut clicks[usize::try_from(click).expect("of 120")];
            (*early, *late) = (early.min(off_ms), late.max(off_ms));
        }
    }
    let apart = clicks.iter().map(|(early, late)| late - early).fold(0.0, f64::max);
    assert!(apart < 0.1, "{apart} ms apart");
}

#[test]
fn an_archive_holds_all_that_was_promised() {
    let take = take(12, &[("Ann", "voice"), ("Ann", "voice"), ("Bob & \"Co\"", "")]);
    let stems = vec![
        Content::Bytes(SOUND.record(12.0)),
        Content::Bytes(SOUND.record(7.0)),
        Content::Bytes(Musician { drift_ppm: 80.0, ..SOUND }.record(12.0)),
    ];
    let mut host = memory(stems);
    let (archive, report) = Unpacked::of(&take, &mut host);
    assert_eq!(
        archive.names(),
        [
            "Monday_1/README.txt",
            "Monday_1/Markers.txt",
            "Monday_1/Take.rpp",
            "Monday_1/Take.dawproject",
            "Monday_1/01 Ann - voice.flac",
            "Monday_1/02 Ann - voice.flac",
            "Monday_1/03 Bob & _Co_.flac",
            "Monday_1/Click.flac",
            "Monday_1/Mix.flac",
        ]
    );
    for name in ["01 Ann - voice.flac", "Click.flac", "Mix.flac"] {
        assert_eq!(archive.sound(name).len(), 12 * 48_000, "{name}");
    }
    assert_eq!(archive.text("Markers.txt"), "3.250000\t3.250000\tSolo <2>\n");
    // Three clicks of half the height at the same time are too loud.
    let mix = archive.sound("Mix.flac");
    let loudest = mix.iter().fold(0.0_f32, |loudest, sample| loudest.max(sample.abs()));
    assert!((loudest - 0.9886).abs() < 1e-4, "{loudest}");
    assert!(-3.7 < report.mix_gain_db && report.mix_gain_db < -3.5, "{}", report.mix_gain_db);
    assert!((report.stems[1].coverage.early_s - 3.0).abs() < 0.02);
    let readme = archive.text("README.txt");
    for part in [
        "Recorded 2026-09-21 14:13 UTC, 0:12.00 long",
        "3.6 dB quieter",
        "Bar 1 at 0.500000 s: 120.000 bpm, 4 beats a bar\n",
        "! 2.99 s at the end are silent",
        "ppm off",
    ] {
        assert!(readme.contains(part), "{part}\n{readme}");
    }
    assert!(host.progress.is_sorted() && host.progress.last() == Some(&1.0));
}

#[test]
fn what_fails_is_said_and_the_rest_is_good() {
    let names = [("Ann", "a"), ("Bob", "b"), ("Cy", "c"), ("Di", "d"), ("Ed", "e")];
    let mut take = take(20, &names);
    take.stems[1].note = Some("The disk of their computer was full after 8 s".to_owned());
    let whole = SOUND.record(20.0);
    let mut host = memory(vec![
        Content::Bytes(whole.clone()),
        Content::Never,
        Content::Bytes(whole[..whole.len() / 2].to_vec()),
        Content::Bytes(b"not a stem at all".to_vec()),
        Content::Fails(whole, false),
    ]);
    let (archive, report) = Unpacked::of(&take, &mut host);
    let problems: Vec<String> = report.stems.iter().map(|stem| stem.problems.join("|")).collect();
    assert_eq!(problems[0], "");
    assert_eq!(problems[1], "The disk of their computer was full after 8 s.|It never arrived.");
    assert!(problems[2].contains("breaks off"), "{}", problems[2]);
    assert!(problems[2].contains("s at the end are silent"), "{}", problems[2]);
    assert!(problems[3].contains("this is no stem"), "{}", problems[3]);
    assert!(problems[4].contains("the disk is gone"), "{}", problems[4]);
    for problem in problems.iter().flat_map(|problems| problems.split('|')) {
        assert!(archive.text("README.txt").contains(problem), "{problem}");
    }
    let files: Vec<Option<&str>> = report.stems.iter().map(|stem| stem.file.as_deref()).collect();
    assert_eq!(
        files,
        [Some("01 Ann - a.flac"), None, Some("03 Cy - c.flac"), None, Some("05 Ed - e.flac")]
    );
    let off = clicks_off_ms(&archive.sound("01 Ann - a.flac"));
    assert_eq!(off.len(), 4);
    assert_eq!(archive.sound("05 Ed - e.flac").len(), 20 * 48_000);
    let tracks = archive.text("Take.rpp").matches("<TRACK").count();
    assert_eq!(tracks, 4, "three stems and the click");
}

#[test]
fn nothing_that_arrived_still_makes_an_archive() {
    let mut take = take(2, &[("Ann", "a")]);
    take.tempo.clear();
    let (archive, report) = Unpacked::of(&take, &mut memory(vec![Content::Never]));
    assert_eq!(report.stems[0].file, None);
    assert!(archive.text("README.txt").contains("Ann - a (no file)\n  ! It never arrived."));
    assert!(!archive.names().iter().any(|name| name.ends_with(".flac")));
}

#[test]
fn an_export_ends_when_it_is_told_to() {
    for ends_at in [0.0, 0.3, 0.82, 0.95, 1.0] {
        let mut host = Memory { ends_at, ..memory(vec![Content::Bytes(SOUND.record(5.0))]) };
        let result = export(&take(5, &[("Ann", "a")]), &mut host, &mut io::sink());
        assert!(matches!(result, Err(ExportError::Cancelled)), "{ends_at}: {result:?}");
    }
}

#[test]
fn an_archive_that_cannot_be_written_is_an_error() {
    let mut small = [0_u8; 5000];
    let mut host = memory(vec![Content::Bytes(SOUND.record(5.0))]);
    let result = export(&take(5, &[("Ann", "a")]), &mut host, &mut &mut small[..]);
    assert!(matches!(result, Err(ExportError::Output(_))), "{result:?}");
}

#[test]
fn takes_that_cannot_be_are_refused() {
    let refused = |change: fn(&mut Take)| {
        let mut take = take(5, &[("Ann", "a")]);
        change(&mut take);
        match export(&take, &mut memory(vec![Content::Never]), &mut io::sink()) {
            Err(ExportError::Refused(refused)) => refused,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(refused(|take| take.stop = take.start), TakeRefused::Empty);
    assert_eq!(refused(|take| take.start = RoomTime::from_ns(0)), TakeRefused::TooLong);
    assert_eq!(refused(|take| take.stems = vec![StemEntry::default(); 65]), TakeRefused::Stems(65));
    assert_eq!(refused(|take| take.tempo = vec![take.tempo[0]; 5000]), TakeRefused::TooMuch);
    assert_eq!(refused(|take| take.tempo[0].milli_bpm = 0), TakeRefused::Tempo(0));
    assert_eq!(refused(|take| take.tempo[0].beats_per_bar = 0), TakeRefused::Tempo(0));
    assert_eq!(refused(|take| take.tempo.push(take.tempo[0])), TakeRefused::Tempo(1));
}
