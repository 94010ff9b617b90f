//! What is made of stems for people to download.

use std::fs;
use std::io::{Cursor, Read as _};
use std::path::Path;
use std::time::{Duration, SystemTime};

use takes_server::limits::{EXPORT_FRESH, EXPORT_KEPT, Limits};
use takes_server::{ExportAnswer, ExportStatus, NoSpace, ReadyExport, Store, TakeError, offline};

use crate::stem::{START, record, stem_id, take_id};
use crate::store::{begin, claim, folder, key, limits, open, send, work};

/// Names in an archive without its folder, and the page for people.
pub(crate) fn unpack(bytes: &[u8]) -> (Vec<String>, String) {
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).expect("an archive");
    let mut names = Vec::new();
    let mut page = String::new();
    for at in 0..archive.len() {
        let mut file = archive.by_index(at).expect("a file");
        let name = file.name().expect("UTF-8").rsplit('/').next().expect("a name").to_owned();
        let mut content = Vec::new();
        file.read_to_end(&mut content).expect("its checksum holds");
        if name == "README.txt" {
            page = String::from_utf8(content).expect("text");
        }
        names.push(name);
    }
    (names, page)
}

/// A take that has ended, with one good stem.
fn take_with_ana(store: &Store) {
    store.begin(&begin(1, "r")).expect("room for it");
    store.present(take_id(1), 1, "Ana").expect("there");
    store.stop(take_id(1), START.plus_ns(2_000_000_000)).expect("there");
    let bytes = record(take_id(1), stem_id(1), "Ana", 2);
    send(store, take_id(1), stem_id(1), &bytes).expect("good");
}

fn ask(store: &Store, after: Duration) -> ExportAnswer {
    let now = SystemTime::now() + after;
    store.ask_export(take_id(1), &key(), false, now).expect("there")
}

fn ready(answer: ExportAnswer) -> ReadyExport {
    match answer {
        ExportAnswer::Ready(ready) => ready,
        other @ (ExportAnswer::Preparing { .. } | ExportAnswer::Empty) => panic!("{other:?}"),
    }
}

fn exports(data: &Path) -> usize {
    let folder = data.join("takes").join(take_id(1).to_string()).join("export");
    fs::read_dir(folder).map_or(0, Iterator::count)
}

#[test]
fn what_is_whole_is_made_without_being_asked_for() {
    let data = folder();
    let store = open(data.path());
    store.begin(&begin(2, "r")).expect("another one");
    take_with_ana(&store);
    work(&store);
    let status = store.status(take_id(1), &key(), SystemTime::now()).expect("there");
    let made = ready(ask(&store, Duration::ZERO));
    assert_eq!(status.export, ExportStatus::Ready { bytes: made.bytes, newest: true });
    let (names, page) = unpack(&fs::read(&made.path).expect("there"));
    assert!(names.iter().any(|name| name.contains("Ana") && name.ends_with(".flac")), "{names:?}");
    assert!(!page.contains('!'), "nothing is wrong: {page}");
    assert!(!page.contains(&stem_id(1).to_string()), "a stem's name is its app's secret");
    let other = store.status(take_id(2), &key(), SystemTime::now()).expect("there");
    assert_eq!(other.export, ExportStatus::Waiting);
}

#[test]
fn what_is_missing_or_damaged_is_said_and_the_rest_is_good() {
    let data = folder();
    let store = open(data.path());
    store.begin(&begin(1, "r")).expect("room for it");
    assert_eq!(ask(&store, Duration::ZERO), ExportAnswer::Empty);
    for (number, name) in [(1, "Ana"), (2, "Ben"), (3, "Cy")] {
        store.present(take_id(1), number, name).expect("there");
    }
    store.stop(take_id(1), START.plus_ns(2_000_000_000)).expect("there");
    let ana = record(take_id(1), stem_id(1), "Ana", 2);
    send(&store, take_id(1), stem_id(1), &ana).expect("good");
    send(&store, take_id(1), stem_id(2), &[0x5a; 100_000]).expect("the checksum is right");
    let ben = record(take_id(1), stem_id(3), "Ben", 2);
    store.append(take_id(1), &key(), &stem_id(3), 0, &ben[..120_000]).expect("half of it");
    work(&store);
    assert_eq!(exports(data.path()), 0, "more should come, and nobody has asked");
    assert_eq!(ask(&store, Duration::ZERO), ExportAnswer::Preparing { percent: None });
    work(&store);
    let first = ready(ask(&store, Duration::ZERO));
    let (names, page) = unpack(&fs::read(&first.path).expect("there"));
    for name in ["Ana", "Ben", "Mix.flac"] {
        assert!(names.iter().any(|file| file.contains(name)), "no {name} in {names:?}");
    }
    for said in ["Stem 2", "this is no stem", "Cy", "never arrived", "120000 bytes came"] {
        assert!(page.contains(said), "no {said:?} in {page}");
    }
    // The rest of Ben arrives: handed out is the first one for a while, then another is made.
    store.append(take_id(1), &key(), &stem_id(3), 120_000, &ben[120_000..]).expect("the rest");
    let whole = claim(&ben);
    store.complete(take_id(1), &key(), &stem_id(3), &whole, Duration::ZERO).expect("good");
    assert_eq!(ready(ask(&store, Duration::ZERO)).path, first.path);
    let status = store.status(take_id(1), &key(), SystemTime::now()).expect("there");
    assert!(matches!(status.export, ExportStatus::Ready { newest: false, .. }), "{status:?}");
    let later = EXPORT_FRESH + Duration::from_secs(1);
    assert_eq!(ask(&store, later), ExportAnswer::Preparing { percent: None });
    work(&store);
    let second = ready(ask(&store, later));
    assert_ne!(second.path, first.path);
    assert_eq!(exports(data.path()), 1, "one is enough");
    let (_, page) = unpack(&fs::read(&second.path).expect("there"));
    assert!(!page.contains("bytes came"), "{page}");
}

#[test]
fn an_export_is_kept_over_a_restart_and_for_as_long_as_somebody_wants_it() {
    let data = folder();
    let store = open(data.path());
    take_with_ana(&store);
    work(&store);
    let before = ready(ask(&store, Duration::ZERO));
    drop(store);
    let store = open(data.path());
    let after = ready(ask(&store, Duration::ZERO));
    assert_eq!((&after.path, after.bytes), (&before.path, before.bytes));
    assert_eq!(store.export(take_id(1)).expect("it is there").path, before.path);
    let with_export = store.used_bytes();
    let later = EXPORT_KEPT + Duration::from_secs(1);
    store.sweep(SystemTime::now());
    assert_eq!(exports(data.path()), 1);
    store.sweep(SystemTime::now() + later);
    assert_eq!(exports(data.path()), 0);
    assert_eq!(store.used_bytes(), with_export - before.bytes);
    assert_eq!(ask(&store, later), ExportAnswer::Preparing { percent: None });
}

#[test]
fn exports_make_way_for_stems() {
    let data = folder();
    let store = open(data.path());
    take_with_ana(&store);
    work(&store);
    let used = store.used_bytes();
    drop(store);
    let small = Limits { quota_bytes: used + 1000, ..limits() };
    let store = Store::open(data.path(), small).expect("a folder of its own");
    store.begin(&begin(2, "r")).expect("there is an export that can go");
    store.append(take_id(2), &key(), &stem_id(1), 0, &[1; 1000]).expect("room");
    assert_eq!(exports(data.path()), 1, "there was room");
    store.append(take_id(2), &key(), &stem_id(1), 1000, &[1]).expect("the export goes");
    assert_eq!(exports(data.path()), 0);
    let status = store.status(take_id(1), &key(), SystemTime::now()).expect("there");
    assert_eq!(status.export, ExportStatus::Waiting);
}

#[test]
fn an_export_without_room_is_said_and_tried_again() {
    let data = folder();
    let store = open(data.path());
    take_with_ana(&store);
    let stems = store.used_bytes();
    drop(store);
    let small = Limits { quota_bytes: stems + 5000, ..limits() };
    let store = Store::open(data.path(), small).expect("a folder of its own");
    work(&store);
    assert_eq!(store.used_bytes(), stems, "nothing of it is left");
    assert_eq!(exports(data.path()), 0);
    let status = store.status(take_id(1), &key(), SystemTime::now()).expect("there");
    let told = status.problems.join("\n");
    assert!(told.contains("could not be made") && told.contains("--takes-quota"), "{told}");
    let asked = store.ask_export(take_id(1), &key(), false, SystemTime::now());
    let Err(TakeError::ExportFailed(text)) = asked else { panic!("{asked:?}") };
    assert!(text.contains("--takes-quota"), "{text}");
    assert_eq!(ask(&store, Duration::ZERO), ExportAnswer::Preparing { percent: None });
    drop(store);
    // The disk, where scratch files stop as well.
    let nearly_full = Limits { free_bytes_min: u64::MAX, ..limits() };
    let store = Store::open(data.path(), nearly_full).expect("a folder of its own");
    let short = store.export(take_id(1)).expect_err("no room");
    assert!(matches!(short, TakeError::NoSpace(NoSpace::Disk { .. })), "{short:?}");
    let to = data.path().join("out.zip");
    let short = offline::export(data.path(), &nearly_full, take_id(1), &to, |_| {});
    assert!(matches!(short, Err(TakeError::NoSpace(NoSpace::Disk { .. }))), "{short:?}");
    assert!(!to.exists(), "nothing is left of it");
}

#[test]
fn a_take_that_nobody_ended_is_as_long_as_its_stems() {
    let data = folder();
    let store = open(data.path());
    store.begin(&begin(1, "r")).expect("room for it");
    let bytes = record(take_id(1), stem_id(1), "Ana", 3);
    send(&store, take_id(1), stem_id(1), &bytes).expect("good");
    drop(store);
    let store = open(data.path());
    work(&store);
    let made = store.export(take_id(1)).expect("what is there");
    let (_, page) = unpack(&fs::read(made.path).expect("there"));
    assert!(page.contains("0:03.00 long"), "{page}");
}
