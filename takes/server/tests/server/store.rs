//! The store, without anything around it.

use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use takes::export::TempoChange;
use takes::{StemId, TakeId};
use takes_server::limits::{Limits, SILENCE_MAX};
use takes_server::{
    Begin, BeginError, Claim, Completion, NoSpace, StemState, Store, TakeError, TakeKey, offline,
};

use crate::stem::{START, record, stem_id, take_id};

pub(crate) const KEY: &str = "5ec2e75ec2e75ec2e75ec2e75ec2e750";

pub(crate) fn key() -> TakeKey {
    KEY.parse().expect("a key")
}

pub(crate) fn begin(number: u8, room: &str) -> Begin {
    let title = format!("Take {number}");
    Begin { take: take_id(number), key: key(), title, room: room.to_owned(), start: START }
}

/// No floor: how full the disk of whoever runs the tests is has nothing to do with them.
pub(crate) fn limits() -> Limits {
    Limits { free_bytes_min: 0, ..Limits::default() }
}

pub(crate) fn open(data: &Path) -> Store {
    Store::open(data, limits()).expect("a folder of its own")
}

pub(crate) fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a folder")
}

pub(crate) fn claim(bytes: &[u8]) -> Claim {
    use sha2::Digest as _;
    let hash = sha2::Sha256::digest(bytes);
    let sha256 = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    Claim { length: u64::try_from(bytes.len()).expect("short"), sha256 }
}

/// Sends a whole stem and says that it is whole.
pub(crate) fn send(
    store: &Store,
    take: TakeId,
    stem: StemId,
    bytes: &[u8],
) -> Result<Completion, TakeError> {
    let mut offset = 0;
    for piece in bytes.chunks(50_000) {
        offset = store.append(take, &key(), &stem, offset, piece)?;
    }
    store.complete(take, &key(), &stem, &claim(bytes), Duration::ZERO)
}

/// Does everything that waits to be done.
pub(crate) fn work(store: &Store) {
    while store.work_once(Duration::ZERO) {}
}

fn state(store: &Store, take: TakeId, stem: usize, after: Duration) -> StemState {
    let status = store.status(take, &key(), SystemTime::now() + after).expect("there");
    status.stems[stem].state
}

#[test]
fn a_stem_goes_on_where_it_ended_and_is_checked_after_a_restart() {
    let data = folder();
    let (take, stem) = (take_id(1), stem_id(1));
    let bytes = record(take, stem, "Ana", 2);
    let (first, rest) = bytes.split_at(100_000);
    let store = open(data.path());
    store.begin(&begin(1, "r")).expect("room for it");
    store.append(take, &key(), &stem, 0, first).expect("the first part");
    // As a killed process leaves it: nothing is written at the end.
    drop(store);
    let store = open(data.path());
    assert_eq!(store.offset(take, &key(), &stem).expect("there"), (100_000, false));
    store.append(take, &key(), &stem, 100_000, rest).expect("the rest");
    let complete = || store.complete(take, &key(), &stem, &claim(&bytes), Duration::ZERO);
    assert_eq!(complete().expect("to be read"), Completion::BeingChecked);
    assert_eq!(state(&store, take, 0, Duration::ZERO), StemState::Arriving);
    work(&store);
    assert_eq!(complete().expect("read"), Completion::Verified);
    let status = store.status(take, &key(), SystemTime::now()).expect("there");
    let stem = &status.stems[0];
    assert_eq!((stem.name.as_str(), stem.label.as_str()), ("Ana", "mic"));
    assert_eq!((stem.seconds, stem.state), (Some(2.0), StemState::Complete));
}

#[test]
fn a_claim_that_nobody_checked_is_checked_after_a_restart() {
    let data = folder();
    let (take, stem) = (take_id(1), stem_id(1));
    let bytes = record(take, stem, "Ana", 1);
    let store = open(data.path());
    store.begin(&begin(1, "r")).expect("room for it");
    store.append(take, &key(), &stem, 0, &bytes[..1000]).expect("a part");
    drop(store);
    let store = open(data.path());
    store.append(take, &key(), &stem, 1000, &bytes[1000..]).expect("the rest");
    let asked = store.complete(take, &key(), &stem, &claim(&bytes), Duration::ZERO);
    assert_eq!(asked.expect("to be read"), Completion::BeingChecked);
    drop(store);
    let store = open(data.path());
    assert_eq!(state(&store, take, 0, Duration::ZERO), StemState::Arriving);
    work(&store);
    assert_eq!(state(&store, take, 0, Duration::ZERO), StemState::Complete);
}

#[test]
fn while_it_arrives_a_stem_says_whose_it_is_and_how_long() {
    let data = folder();
    let store = open(data.path());
    let (take, stem) = (take_id(1), stem_id(1));
    store.begin(&begin(1, "r")).expect("room for it");
    let bytes = record(take, stem, "Ana", 9);
    let half = bytes.len() / 2;
    let mut offset = 0;
    for piece in bytes[..half].chunks(64 * 1024) {
        offset = store.append(take, &key(), &stem, offset, piece).expect("room");
    }
    let told = &store.status(take, &key(), SystemTime::now()).expect("there").stems[0];
    assert_eq!(told.name, "Ana");
    let seconds = told.seconds.expect("its end is there");
    assert!((1.0..=4.6).contains(&seconds), "{seconds} of about 4.5, seldom looked up");
}

#[test]
fn bytes_that_belong_elsewhere_are_refused_with_where_it_ends() {
    let data = folder();
    let store = open(data.path());
    let (take, stem) = (take_id(1), stem_id(1));
    store.begin(&begin(1, "r")).expect("room for it");
    let append = |offset, bytes: &[u8]| store.append(take, &key(), &stem, offset, bytes);
    assert!(matches!(append(5, b"abc"), Err(TakeError::WrongOffset { offset: 0 })));
    assert!(matches!(store.offset(take, &key(), &stem), Err(TakeError::NoStem)));
    assert_eq!(append(0, b"abc").expect("the beginning"), 3);
    for wrong in [0, 2, 4, u64::MAX] {
        assert!(matches!(append(wrong, b"x"), Err(TakeError::WrongOffset { offset: 3 })));
    }
    assert_eq!(append(3, b"").expect("nothing, in the right place"), 3);
    let early = Claim { length: 4, ..claim(b"abc") };
    let early = store.complete(take, &key(), &stem, &early, Duration::ZERO);
    assert!(matches!(early, Err(TakeError::Incomplete { offset: 3, claimed: 4 })), "{early:?}");
}

#[test]
fn a_wrong_checksum_empties_the_stem_and_it_can_be_sent_again() {
    let data = folder();
    let store = open(data.path());
    let (take, stem) = (take_id(1), stem_id(1));
    store.begin(&begin(1, "r")).expect("room for it");
    let bytes = record(take, stem, "Ana", 1);
    let mut damaged = bytes.clone();
    damaged[5000] ^= 1;
    store.append(take, &key(), &stem, 0, &damaged).expect("written");
    let complete = || store.complete(take, &key(), &stem, &claim(&bytes), Duration::ZERO);
    let refused = complete().expect_err("one bit is wrong");
    assert!(refused.to_string().contains("send the stem again"), "{refused}");
    assert_eq!(store.offset(take, &key(), &stem).expect("there"), (0, false));
    assert_eq!(store.used_bytes(), 0, "nothing is kept of it");
    let path = data.path().join("takes").join(take.to_string()).join(format!("{stem}.stem"));
    assert_eq!(fs::metadata(path).expect("there").len(), 0, "nor would it be after a restart");
    assert_eq!(send(&store, take, stem, &bytes).expect("good"), Completion::Verified);
    assert_eq!(complete().expect("said twice"), Completion::Verified);
    let more = store.append(take, &key(), &stem, claim(&bytes).length, b"x");
    assert!(matches!(more, Err(TakeError::Complete { .. })), "{more:?}");
    // And where the checksum is computed from the disk.
    let other = stem_id(2);
    store.append(take, &key(), &other, 0, &damaged[..9000]).expect("written");
    drop(store);
    let store = open(data.path());
    store.append(take, &key(), &other, 9000, &damaged[9000..]).expect("written");
    let complete = || store.complete(take, &key(), &other, &claim(&bytes), Duration::ZERO);
    assert_eq!(complete().expect("to be read"), Completion::BeingChecked);
    work(&store);
    assert_eq!(store.offset(take, &key(), &other).expect("there"), (0, false));
}

#[test]
fn the_key_of_another_take_opens_nothing() {
    let data = folder();
    let store = open(data.path());
    let other: TakeKey = "0123456789abcdef0123456789abcdef".parse().expect("a key");
    store.begin(&begin(1, "r")).expect("room for it");
    store.begin(&Begin { key: other, ..begin(2, "r") }).expect("room for it");
    let (take, stem) = (take_id(1), stem_id(1));
    store.append(take, &key(), &stem, 0, b"abc").expect("its own key");
    let now = SystemTime::now();
    let refused = [
        store.append(take, &other, &stem, 3, b"d").map(drop),
        store.offset(take, &other, &stem).map(drop),
        store.complete(take, &other, &stem, &claim(b"abc"), Duration::ZERO).map(drop),
        store.status(take, &other, now).map(drop),
        store.ask_export(take, &other, false, now).map(drop),
    ];
    for refused in refused {
        assert!(matches!(refused, Err(TakeError::WrongKey)), "{refused:?}");
    }
    assert_eq!(store.offset(take, &key(), &stem).expect("there"), (3, false));
}

#[test]
fn nobody_who_reads_the_disk_learns_the_key() {
    let data = folder();
    let store = open(data.path());
    store.begin(&begin(1, "r")).expect("room for it");
    let bytes = record(take_id(1), stem_id(1), "Ana", 1);
    send(&store, take_id(1), stem_id(1), &bytes).expect("good");
    let mut folders = vec![data.path().to_owned()];
    let mut files = 0;
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("ours") {
            let path = entry.expect("ours").path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            files += 1;
            let text = String::from_utf8_lossy(&fs::read(&path).expect("ours")).into_owned();
            assert!(!text.contains(KEY), "{}", path.display());
        }
    }
    assert!(4 <= files, "the lock, the take, the stem and its record");
    let told = serde_json::to_string(&store.list(SystemTime::now())).expect("JSON");
    assert!(!told.contains(&stem_id(1).to_string()), "a stem's name is its app's secret");
}

#[test]
fn a_full_quota_is_said_and_what_is_there_is_good() {
    let data = folder();
    let small = Limits { quota_bytes: 700_000, ..limits() };
    let store = Store::open(data.path(), small).expect("a folder of its own");
    let (take, stem) = (take_id(1), stem_id(1));
    store.begin(&begin(1, "r")).expect("room for it");
    store.begin(&begin(2, "r")).expect("room for it");
    let piece = vec![7; 400_000];
    store.append(take, &key(), &stem, 0, &piece).expect("half");
    store.append(take_id(2), &key(), &stem, 0, &piece[..200_000]).expect("nearly all");
    let refused = store.append(take, &key(), &stem, 400_000, &piece).expect_err("full");
    assert!(matches!(refused, TakeError::NoSpace(NoSpace::Quota { quota: 700_000 })));
    assert!(refused.to_string().contains("--takes-quota"), "{refused}");
    assert_eq!(store.offset(take, &key(), &stem).expect("there"), (400_000, false));
    assert!(matches!(store.begin(&begin(3, "r")), Err(BeginError::NoSpace(_))));
    store.delete(take_id(2)).expect("there");
    store.append(take, &key(), &stem, 400_000, &piece[..300_000]).expect("there is room again");
    assert_eq!(store.used_bytes(), 700_000);
}

#[test]
fn a_nearly_full_disk_is_left_alone_until_there_is_room() {
    let data = folder();
    let (take, stem) = (take_id(1), stem_id(1));
    let store = open(data.path());
    store.begin(&begin(1, "r")).expect("room for it");
    store.append(take, &key(), &stem, 0, b"abc").expect("room for it");
    drop(store);
    let nearly_full = Limits { free_bytes_min: u64::MAX, ..limits() };
    let store = Store::open(data.path(), nearly_full).expect("what is there can be read");
    let refused = store.append(take, &key(), &stem, 3, b"def").expect_err("full");
    assert!(refused.to_string().contains("disk is nearly full"), "{refused}");
    assert!(matches!(store.begin(&begin(2, "r")), Err(BeginError::NoSpace(_))));
    assert_eq!(store.used_bytes(), 3);
    drop(store);
    assert_eq!(open(data.path()).append(take, &key(), &stem, 3, b"def").expect("room"), 6);
}

#[test]
fn there_are_no_more_than_may_be() {
    let data = folder();
    let few = Limits {
        takes_max: 3,
        takes_per_room_max: 2,
        stems_max: 2,
        stem_bytes_max: 10,
        ..limits()
    };
    let store = Store::open(data.path(), few).expect("a folder of its own");
    store.begin(&begin(1, "a")).expect("one");
    store.begin(&begin(2, "a")).expect("two");
    assert!(matches!(store.begin(&begin(1, "b")), Err(BeginError::Exists(_))));
    assert!(matches!(store.begin(&begin(3, "a")), Err(BeginError::RoomFull(2))));
    store.begin(&begin(3, "b")).expect("another room's");
    assert!(matches!(store.begin(&begin(4, "c")), Err(BeginError::ServerFull(3))));
    let append = |stem, offset, bytes: &[u8]| {
        store.append(take_id(1), &key(), &stem_id(stem), offset, bytes)
    };
    append(1, 0, b"0123456789").expect("as long as it may be");
    assert!(matches!(append(1, 10, b"x"), Err(TakeError::StemTooLong(10))));
    append(2, 0, b"x").expect("a second one");
    assert!(matches!(append(3, 0, b"x"), Err(TakeError::TooManyStems(2))));
}

#[test]
fn a_take_is_told_as_it_was_after_a_restart() {
    let data = folder();
    let store = open(data.path());
    let take = take_id(1);
    let title = format!("  Blue\u{7}{}", "x".repeat(200));
    store.begin(&Begin { title, ..begin(1, "blue-note") }).expect("room for it");
    store.present(take, 7, "Ana").expect("there");
    store.present(take, 8, "Ben").expect("there");
    store.mark(take, START.plus_ns(2_500_000_000), "solo").expect("there");
    let beat = TempoChange {
        at: START,
        milli_bpm: 120_000,
        beats_per_bar: 4,
        first_bar: 1,
        accents: 0b101,
        silent: 0b10,
        end: Some(START.plus_ns(9)),
    };
    store.click(take, &[beat]).expect("there");
    store.stop(take, START.plus_ns(61_000_000_000)).expect("there");
    let bytes = record(take, stem_id(1), "Ana", 1);
    send(&store, take, stem_id(1), &bytes).expect("good");
    work(&store);
    let now = SystemTime::now();
    let before = store.status(take, &key(), now).expect("there");
    drop(store);
    let store = open(data.path());
    let after = store.status(take, &key(), now).expect("there");
    assert_eq!(after, before);
    assert_eq!(after.title.chars().count(), 100 - 2, "cut, and without white space before it");
    assert!(after.title.starts_with("Bluex"), "{}", after.title);
    assert_eq!((after.seconds, after.running), (Some(61.0), false));
    assert_eq!((after.markers[0].at_seconds, after.markers[0].text.as_str()), (2.5, "solo"));
    let stems: Vec<_> = after.stems.iter().map(|stem| (stem.name.as_str(), stem.state)).collect();
    assert_eq!(stems, [("Ana", StemState::Complete), ("Ben", StemState::Arriving)]);
    assert_eq!(store.list(now), std::slice::from_ref(&after));
    let offline = offline::list(data.path(), &limits(), now).expect("read beside the server");
    assert_eq!(offline, [after]);
}

#[test]
fn who_was_there_and_sends_nothing_is_missed_after_a_while_by_name() {
    let data = folder();
    let store = open(data.path());
    let take = take_id(1);
    store.begin(&begin(1, "r")).expect("room for it");
    store.present(take, 1, "Ana").expect("there");
    store.present(take, 2, "Ben").expect("there");
    let bytes = record(take, stem_id(1), "Ana", 1);
    store.append(take, &key(), &stem_id(1), 0, &bytes[..50_000]).expect("a part");
    let late = SILENCE_MAX + Duration::from_secs(1);
    assert_eq!(state(&store, take, 1, late), StemState::Arriving, "the take still runs");
    store.stop(take, START.plus_ns(1_000_000_000)).expect("there");
    assert_eq!(state(&store, take, 1, Duration::ZERO), StemState::Arriving);
    assert_eq!(state(&store, take, 0, late), StemState::Missing);
    assert_eq!(state(&store, take, 1, late), StemState::Missing);
    let status = store.status(take, &key(), SystemTime::now() + late).expect("there");
    assert!(status.problems[0].starts_with("Ana (mic) has stopped"), "{:?}", status.problems);
    assert!(status.problems[1].starts_with("nothing of Ben"), "{:?}", status.problems);
    // Ana's laptop wakes up.
    store.append(take, &key(), &stem_id(1), 50_000, &bytes[50_000..]).expect("the rest");
    assert_eq!(state(&store, take, 0, Duration::ZERO), StemState::Arriving);
}

#[test]
fn what_is_no_stem_is_damaged_and_the_rest_is_good() {
    let data = folder();
    let store = open(data.path());
    let take = take_id(1);
    store.begin(&begin(1, "r")).expect("room for it");
    let good = record(take, stem_id(1), "Ana", 1);
    send(&store, take, stem_id(1), &good).expect("good");
    send(&store, take, stem_id(2), &[0x5a; 100_000]).expect("the checksum is right");
    let mut half = record(take, stem_id(3), "Cy", 3);
    half[100_000..250_000].fill(0);
    send(&store, take, stem_id(3), &half).expect("the checksum is right");
    work(&store);
    let status = store.status(take, &key(), SystemTime::now()).expect("there");
    let states: Vec<_> = status.stems.iter().map(|stem| stem.state).collect();
    assert_eq!(states, [StemState::Complete, StemState::Damaged, StemState::Damaged]);
    assert!(status.problems[0].starts_with("stem 2: this is no stem"), "{:?}", status.problems);
    assert!(status.problems[1].starts_with("Cy (mic): "), "{:?}", status.problems);
    assert!(status.problems[1].contains("bytes cannot be read"), "{:?}", status.problems);
}

#[test]
fn a_take_that_is_too_old_goes_and_another_stays() {
    let data = folder();
    let store = open(data.path());
    store.begin(&begin(1, "r")).expect("room for it");
    store.append(take_id(1), &key(), &stem_id(1), 0, b"abc").expect("room for it");
    let day = Duration::from_secs(24 * 3600);
    assert_eq!(store.sweep(SystemTime::now() + 29 * day), 0);
    assert_eq!(store.sweep(SystemTime::now() + 31 * day), 1);
    assert!(matches!(store.offset(take_id(1), &key(), &stem_id(1)), Err(TakeError::NoTake)));
    assert_eq!(store.used_bytes(), 0);
    let left: Vec<_> = fs::read_dir(data.path().join("takes")).expect("ours").collect();
    assert_eq!(left.len(), 1, "the lock: {left:?}");
}

#[test]
fn a_take_that_another_process_deletes_is_gone_at_once() {
    let data = folder();
    let store = open(data.path());
    store.begin(&begin(1, "r")).expect("room for it");
    store.append(take_id(1), &key(), &stem_id(1), 0, b"abc").expect("room for it");
    offline::delete_take(data.path(), take_id(1)).expect("there");
    let gone = store.append(take_id(1), &key(), &stem_id(1), 3, b"def");
    assert!(matches!(gone, Err(TakeError::NoTake)), "{gone:?}");
    assert!(store.list(SystemTime::now()).is_empty());
    assert_eq!(store.used_bytes(), 0);
    assert!(!data.path().join("takes").join(take_id(1).to_string()).exists());
    store.begin(&begin(1, "r")).expect("the name is free again");
}

#[test]
fn two_servers_do_not_share_a_folder() {
    let data = folder();
    let store = open(data.path());
    let error = Store::open(data.path(), limits()).expect_err("it is taken").to_string();
    assert!(error.contains("another vjam") && error.contains("--data"), "{error}");
    drop(store);
    open(data.path());
}

#[test]
fn what_an_unexpected_end_leaves_is_put_right() {
    let data = folder();
    let (take, stem) = (take_id(1), stem_id(1));
    let bytes = record(take, stem, "Ana", 1);
    let store = open(data.path());
    store.begin(&begin(1, "r")).expect("room for it");
    send(&store, take, stem, &bytes).expect("good");
    send(&store, take, stem_id(2), &bytes).expect("good");
    drop(store);
    let takes = data.path().join("takes");
    let folder = takes.join(take.to_string());
    // Half a record, half an export, half a deletion, half a beginning, and no record of a take.
    fs::write(folder.join("take.json.tmp"), b"{").expect("ours");
    fs::create_dir_all(folder.join("export")).expect("ours");
    fs::write(folder.join("export/abc.zip.part"), b"PK").expect("ours");
    fs::create_dir_all(takes.join(".deleted-x/export")).expect("ours");
    fs::create_dir(takes.join(take_id(2).to_string())).expect("ours");
    fs::create_dir(takes.join(take_id(3).to_string())).expect("ours");
    fs::write(takes.join(take_id(3).to_string()).join("take.json"), b"{").expect("ours");
    // And a power failure, which took the end of a stem, and the record of another.
    let file = fs::File::options().write(true).open(folder.join(format!("{stem}.stem")));
    file.expect("ours").set_len(40_000).expect("ours");
    fs::write(folder.join(format!("{}.json", stem_id(2))), b"{\"num").expect("ours");
    let store = open(data.path());
    assert!(!folder.join("take.json.tmp").exists());
    assert!(!folder.join("export/abc.zip.part").exists());
    assert!(!takes.join(".deleted-x").exists());
    assert!(!takes.join(take_id(2).to_string()).exists());
    assert!(takes.join(take_id(3).to_string()).exists(), "what cannot be read is left alone");
    let listed = store.list(SystemTime::now());
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].stems.len(), 2);
    assert!(listed[0].problems.iter().any(|text| text.contains("the server stopped")));
    for (stem, here) in [(stem, 40_000), (stem_id(2), bytes.len())] {
        let offset = u64::try_from(here).expect("short");
        assert_eq!(store.offset(take, &key(), &stem).expect("there"), (offset, false));
        store.append(take, &key(), &stem, offset, &bytes[here..]).expect("it goes on");
        let asked = store.complete(take, &key(), &stem, &claim(&bytes), Duration::ZERO);
        assert_eq!(asked.expect("to be read"), Completion::BeingChecked);
    }
    work(&store);
    assert!(store.offset(take, &key(), &stem).expect("there").1);
    assert!(store.offset(take, &key(), &stem_id(2)).expect("there").1);
}
