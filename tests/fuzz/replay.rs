//! Replays every target's corpus and some thousand mutations of it, in every test run.
//!
//! `cargo xtask fuzz TARGET` explores with libFuzzer; whatever it finds is added to the corpus and
//! becomes a named test beside the code at fault. A failure here prints the input.

use std::path::Path;
use std::time::{Duration, Instant};

use protocol::codec::Codec;
use tests::fuzz_targets::{Mutator, TARGETS, Target, engine_seed, is_usable_offer};

/// Mutations of each target; and the time after which a slow target is left alone, because what
/// counts is that all are tried in every run.
const MUTATIONS: usize = 4_000;
const TIME_MAX: Duration = Duration::from_secs(3);

fn corpus(name: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(name);
    let entries = std::fs::read_dir(&folder).unwrap_or_else(|e| panic!("{folder:?}: {e}"));
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("readable").path()).collect();
    // The order of a folder is nobody's seed.
    paths.sort();
    let read = |path| std::fs::read(path).expect("a corpus file can be read");
    paths.iter().map(read).collect()
}

fn run(name: &str, target: Target, input: &[u8]) {
    let outcome = std::panic::catch_unwind(|| target(input));
    assert!(outcome.is_ok(), "{name} failed on {} bytes: {}", input.len(), input.escape_ascii());
}

fn replay(name: &str) {
    let (_, target) = TARGETS.into_iter().find(|(other, _)| *other == name).expect("a target");
    let mut corpus = corpus(name);
    if name == "engine" {
        // Made by today's encoders, so that mutations start from what decodes.
        corpus.extend(Codec::ALL.map(engine_seed));
    }
    assert!(!corpus.is_empty(), "{name} has no corpus");
    for input in &corpus {
        run(name, target, input);
    }
    let seed = std::env::var("VJAM_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1);
    let mut mutator = Mutator::from_seed(seed);
    let started = Instant::now();
    let mut tried = 0;
    while tried < MUTATIONS && started.elapsed() < TIME_MAX {
        run(name, target, &mutator.next(&corpus));
        tried += 1;
    }
    eprintln!("{name}: {} inputs, {tried} mutations in {:?}", corpus.len(), started.elapsed());
    assert!(50 < tried, "{name} is too slow to be fuzzed: {tried} inputs in {TIME_MAX:?}");
}

macro_rules! replays {
    ($($name:ident),*) => {
        $(#[test] fn $name() { replay(stringify!($name)); })*

        #[test]
        fn every_target_is_replayed() {
            let mut names: Vec<&str> = TARGETS.iter().map(|(name, _)| *name).collect();
            let mut replayed = vec![$(stringify!($name)),*];
            names.sort_unstable();
            replayed.sort_unstable();
            assert_eq!(names, replayed);
        }
    };
}

replays!(engine, red, room_link, router, rtp, sdp, signalling, ticket);

#[test]
fn offers_of_chromium_and_firefox_are_usable() {
    let offers = corpus("sdp");
    for offer in &offers {
        let offer = core::str::from_utf8(offer).expect("SDP is text");
        assert!(is_usable_offer(offer), "{offer}");
        assert!(!is_usable_offer(&offer.replace("a=fingerprint", "a=x-fingerprint")));
    }
}
