//! Stems that are cut off, damaged, gone on with and made up.

use proptest::prelude::*;
use protocol::time::RoomTime;

use super::*;
use crate::flac::Decoder;
use crate::limits::RECORD_FRAMES_MAX;
use crate::{StemId, TakeId, pcm};

/// A record with any numbers.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Hostile {
    /// Run, frame, room time; precision, bound and steps.
    Clock((u32, u64, i64, [u32; 3])),
    /// Run, first frame, frames; whether it can be decoded.
    Audio((u32, u64, u16, bool)),
}

/// Appends a record whose checksum holds.
pub(crate) fn put_hostile(what: Hostile, file: &mut Vec<u8>) {
    match what {
        Hostile::Clock((run, frame, at_ns, [precision_ns, bound_ns, steps])) => {
            let at = RoomTime::from_ns(at_ns);
            record::put_clock(
                &ClockReading { run, frame, at, precision_ns, bound_ns, steps },
                file,
            );
        }
        Hostile::Audio((run, first_frame, frames, is_flac)) => {
            record::put_audio(run, first_frame, frames, file, |out| {
                if is_flac {
                    let samples: Vec<i32> = (0..i32::from(frames)).map(|at| at * 2000).collect();
                    crate::flac::Encoder::new(1).encode(&samples, 0, out);
                }
            });
        }
    }
}

fn header() -> Header {
    Header {
        take: TakeId::from_bytes([7; 16]),
        stem: StemId::from_bytes([9; 16]),
        participant: "Zoë \u{0}/..".to_owned(),
        label: String::new(),
        channels: 1,
    }
}

/// The sample of a frame of a run, which says which it is.
fn sample(run: u32, frame: u64) -> f32 {
    let value = (frame * 131 + u64::from(run) * 7919) % 65_536;
    pcm::sample(i32::try_from(value).expect("16 bits") * 100 - 3_000_000)
}

fn play(writer: &mut Writer, run: u32, frames: std::ops::Range<u64>, file: &mut Vec<u8>) {
    let mut first = frames.start;
    while first < frames.end {
        let end = (first + 480).min(frames.end);
        let block: Vec<f32> = (first..end).map(|frame| sample(run, frame)).collect();
        writer.audio(first, &block, file);
        first = end;
    }
}

fn clock(writer: &mut Writer, frame: u64, file: &mut Vec<u8>) {
    writer.clock(frame, RoomTime::from_ns(1_790_000_000_000_000_000), 20_000, 5_000_000, 0, file);
}

/// A second with a gap, and a clock.
fn recorded() -> Vec<u8> {
    let mut file = Vec::new();
    let mut writer = Writer::new(&header(), &mut file).expect("a good header");
    writer.begin_run(&mut file);
    clock(&mut writer, 0, &mut file);
    play(&mut writer, 0, 0..20_000, &mut file);
    play(&mut writer, 0, 30_000..50_000, &mut file);
    writer.flush(&mut file);
    file
}

/// The frames of each run that are there; each is what was played.
fn heard(file: &[u8]) -> (Vec<(u32, u64)>, Ending) {
    let mut reader = Reader::new(file).expect("a header");
    let mut decoder = Decoder::new(reader.header().channels);
    let mut heard = Vec::new();
    while let Some(record) = reader.next_record().expect("memory can be read") {
        let Record::Audio(audio) = record else { continue };
        let decoded = decoder.decode(&audio.flac).expect("a good frame");
        assert_eq!(decoded.len(), usize::from(audio.frames));
        for (frame, value) in (audio.first_frame..).zip(decoded.channel(0)) {
            assert_eq!(pcm::sample(*value), sample(audio.run, frame), "{} {frame}", audio.run);
            heard.push((audio.run, frame));
        }
    }
    (heard, reader.ending().expect("it was read to its end"))
}

fn all(run: u32) -> Vec<(u32, u64)> {
    (0..20_000).chain(30_000..50_000).map(|frame| (run, frame)).collect()
}

#[test]
fn what_was_played_is_read_back_with_its_gap() {
    let mut file = recorded();
    assert_eq!(heard(&file), (all(0), Ending::Open));
    let summary = inspect(&file[..]).expect("a stem");
    assert_eq!(summary.header, header());
    assert_eq!(summary.frames(), 40_000);
    assert_eq!(summary.runs[0].missing_frames(), 10_000);
    assert_eq!(summary.runs[0].clock_readings, 1);
    let mut writer = Writer::resume(&summary);
    writer.begin_run(&mut file);
    writer.end(&mut file);
    assert_eq!(heard(&file), (all(0), Ending::Complete));
}

#[test]
fn cut_off_anywhere_it_lacks_no_more_than_one_record() {
    let file = recorded();
    let (whole, _) = heard(&file);
    let mut longest = 0;
    for cut in (0..file.len()).step_by(61).chain(file.len() - 40..file.len()) {
        let Ok(reader) = Reader::new(&file[..cut]) else {
            assert!(cut < 120, "the header is short, and {cut} bytes hold it");
            continue;
        };
        drop(reader);
        let (frames, ending) = heard(&file[..cut]);
        assert_eq!(frames, whole[..frames.len()]);
        match ending {
            Ending::Cut { at_byte } => assert!(at_byte < u64::try_from(cut).expect("small")),
            Ending::Open => {}
            Ending::Complete | Ending::GivenUp { .. } => panic!("cut at {cut}: {ending:?}"),
        }
        assert!(longest <= frames.len(), "more is never less");
        longest = frames.len();
    }
    assert!(whole.len() - longest <= usize::from(RECORD_FRAMES_MAX));
}

#[test]
fn a_crash_loses_less_than_a_tenth_of_a_second() {
    let mut file = Vec::new();
    let mut writer = Writer::new(&header(), &mut file).expect("a good header");
    for played in 1..200 {
        play(&mut writer, 0, (played - 1) * 480..played * 480, &mut file);
        let kept = inspect(&file[..]).expect("a stem").frames();
        assert!(played * 480 - kept < 4800, "{played}: {kept}");
    }
}

#[test]
fn a_rejoin_goes_on_behind_whatever_a_crash_left() {
    let whole = recorded();
    for cut in [whole.len() - 1, whole.len() - 5000, whole.len() / 2, whole.len()] {
        let mut file = whole[..cut].to_vec();
        let (before, _) = heard(&file);
        let summary = inspect(&file[..]).expect("a stem");
        let mut writer = Writer::resume(&summary);
        writer.begin_run(&mut file);
        play(&mut writer, 1, 0..20_000, &mut file);
        play(&mut writer, 1, 30_000..50_000, &mut file);
        writer.end(&mut file);
        let (frames, ending) = heard(&file);
        assert_eq!(ending, Ending::Complete);
        assert_eq!(frames, [before, all(1)].concat());
        let again = inspect(&file[..]).expect("a stem");
        assert_eq!(again.runs_begun, 2);
        assert_eq!(again.damaged_bytes == 0, cut == whole.len());
    }
}

#[test]
fn damage_in_the_middle_costs_the_records_that_it_hits() {
    let file = recorded();
    for at in (200..file.len() - 200).step_by(997) {
        let mut damaged = file.clone();
        damaged[at..at + 100].fill(0);
        let (frames, _) = heard(&damaged);
        assert!(all(0).len() - frames.len() <= 3 * usize::from(RECORD_FRAMES_MAX), "at {at}");
    }
}

#[test]
fn frames_that_come_again_are_ignored() {
    let mut file = Vec::new();
    let mut writer = Writer::new(&header(), &mut file).expect("a good header");
    play(&mut writer, 0, 0..10_000, &mut file);
    play(&mut writer, 0, 9_000..20_000, &mut file);
    play(&mut writer, 0, 500..600, &mut file);
    play(&mut writer, 0, 30_000..50_000, &mut file);
    writer.end(&mut file);
    assert_eq!(heard(&file).0, all(0));
    let counts = writer.counts();
    assert_eq!((counts.repeated_frames, counts.missing_frames), (1100, 10_000));
}

#[test]
fn a_device_that_counts_from_elsewhere_has_no_gap() {
    let mut file = Vec::new();
    let mut writer = Writer::new(&header(), &mut file).expect("a good header");
    play(&mut writer, 0, 5_000_000..5_010_000, &mut file);
    writer.end(&mut file);
    assert_eq!(writer.counts().missing_frames, 0);
    assert_eq!(inspect(&file[..]).expect("a stem").runs[0].missing_frames(), 0);
}

#[test]
fn a_stem_has_so_many_runs_and_says_what_it_refuses() {
    let mut file = Vec::new();
    let mut writer = Writer::new(&header(), &mut file).expect("a good header");
    for _ in 0..crate::limits::RUNS_MAX + 3 {
        writer.begin_run(&mut file);
    }
    writer.audio(0, &[0.5; 10], &mut file);
    writer.end(&mut file);
    assert_eq!(writer.counts().refused_frames, 10);
    assert_eq!(inspect(&file[..]).expect("a stem").frames(), 0);
}

#[test]
fn an_hour_of_frames_is_counted_to_the_frame() {
    let mut file = Vec::new();
    let mut writer = Writer::new(&header(), &mut file).expect("a good header");
    let hour = 3600 * 48_000;
    for second in 0..3600 {
        writer.audio(second * 48_000, &[0.0; 48_000], &mut file);
    }
    writer.audio(23 * hour, &[0.25; 7], &mut file);
    writer.end(&mut file);
    let summary = inspect(&file[..]).expect("a stem");
    assert_eq!(summary.frames(), hour + 7);
    assert_eq!(summary.runs[0].end_frame, 23 * hour + 7);
    assert_eq!(summary.runs[0].missing_frames(), 22 * hour);
}

#[test]
fn another_file_is_told_from_a_damaged_one() {
    assert!(matches!(Reader::new(&b"RIFF...."[..]), Err(ReadError::NoStem)));
    assert!(matches!(Reader::new(&b"vjam"[..]), Err(ReadError::NoStem)));
    let mut file = recorded();
    file[20] ^= 1;
    assert!(matches!(Reader::new(&file[..]), Err(ReadError::Damaged)));
    let tall = Header { channels: 3, ..header() };
    assert!(matches!(Writer::new(&tall, &mut file), Err(HeaderRefused::Channels(3))));
}

#[test]
fn marks_without_records_are_given_up_in_time() {
    let mut file = recorded();
    // Each claims to be as long as a record may be.
    for _ in 0..200_000 {
        file.extend([0xa7, b'v', b'j', b'A', 0, 0xbf, 0, 0]);
    }
    let (frames, ending) = heard(&file);
    assert_eq!(frames, all(0));
    assert!(matches!(ending, Ending::GivenUp { .. }), "{ending:?}");
}

/// Records in any order, with any numbers and checksums that hold.
fn any_record() -> impl Strategy<Value = (u8, Vec<u8>)> {
    let kinds = prop::sample::select(b"HRCAEZ".to_vec());
    let small = prop::collection::vec(prop_oneof![3 => Just(0_u8), 1 => any::<u8>()], 0..60);
    (kinds, small)
}

proptest! {
    #[test]
    fn no_records_break_the_reader(
        records in prop::collection::vec(any_record(), 0..30),
        noise in prop::collection::vec(any::<u8>(), 0..200),
        at in 0..1000_usize,
    ) {
        let mut file = recorded();
        file.truncate(9000);
        for (kind, payload) in records {
            record::put(kind, &mut file, |out| out.extend(payload));
        }
        let at = at.min(file.len());
        file.splice(at..at, noise);
        if let Ok(mut reader) = Reader::new(&file[..]) {
            let (mut run, mut next) = (0, 0);
            let mut decoder = Decoder::new(1);
            while let Some(record) = reader.next_record().expect("memory can be read") {
                if let Record::Audio(audio) = record {
                    prop_assert!(run < audio.run || next <= audio.first_frame);
                    (run, next) = (audio.run, audio.first_frame + u64::from(audio.frames));
                    let _ = decoder.decode(&audio.flac);
                }
            }
            prop_assert!(inspect(&file[..]).is_ok());
        }
    }

    #[test]
    fn no_bytes_break_the_reader(
        bytes in prop::collection::vec(any::<u8>(), 0..400),
        from in 0..200_usize,
    ) {
        let mut file = recorded();
        file.truncate(from);
        file.extend(bytes);
        let _ = inspect(&file[..]);
    }
}
