//! Replays every target's corpus and some thousand mutations of it, in every test run.
//!
//! `cargo xtask fuzz TARGET` explores with libFuzzer; whatever it finds is added to the corpus and
//! becomes a named test beside the code at fault. A failure here prints the input.

use std::path::Path;

use tests::fuzz_targets::{Mutator, TARGETS, Target, is_usable_offer, seeds};

/// Mutations of each target: what a few seconds are enough for. Those that play a world around
/// every input, or shake hands with real keys, get fewer.
fn mutations(name: &str) -> usize {
    match name {
        "arrivals" | "link" => 300,
        "worker" => 60,
        "engine" | "router" | "sdp" | "signalling" | "ticket" => 1_500,
        _ => 10_000,
    }
}

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
    corpus.extend(seeds(name));
    assert!(!corpus.is_empty(), "{name} has no corpus");
    for input in &corpus {
        run(name, target, input);
    }
    let seed = std::env::var("VJAM_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1);
    let mut mutator = Mutator::from_seed(seed);
    for _ in 0..mutations(name) {
        run(name, target, &mutator.next(&corpus));
    }
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

replays!(
    arrivals,
    client_messages,
    engine,
    link,
    red,
    room_link,
    router,
    rtcp,
    rtp,
    sdp,
    signalling,
    srtp,
    stun,
    ticket,
    worker
);

#[test]
fn offers_of_chromium_and_firefox_are_usable() {
    let offers = corpus("sdp");
    for offer in &offers {
        let offer = core::str::from_utf8(offer).expect("SDP is text");
        assert!(is_usable_offer(offer), "{offer}");
        assert!(!is_usable_offer(&offer.replace("a=fingerprint", "a=x-fingerprint")));
    }
}
