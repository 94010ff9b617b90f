//! Paths that change while music plays, over loopback sockets.

use crate::support::{Participant, Stage, source_of};

/// Plays until the other hears it, because what is sent while a path changes may be lost.
fn play_until_heard(stage: &Stage, all: &mut [Participant], payload: u8) {
    stage.run_until(all, |all| {
        let source = source_of(all[0].id);
        all[0].play(source, &[payload]);
        all[1].heard.iter().any(|packet| packet.3 == [payload])
    });
}

#[test]
fn music_goes_on_through_an_ice_restart() {
    let stage = Stage::new();
    let mut all = stage.join_all(&[1, 2], "room");
    stage.connect_all(&all);
    stage.settle(&mut all);
    play_until_heard(&stage, &mut all, 1);
    for round in 2..6 {
        all[0].restart_ice(&stage);
        all[1].restart_ice(&stage);
        // Meanwhile nothing is lost: both ends keep what they had until the new checks are through.
        for _ in 0..20 {
            let source = source_of(all[0].id);
            all[0].play(source, &[round]);
            stage.run_until(&mut all, |_| true);
        }
        let heard =
            |all: &[Participant]| all[1].heard.iter().filter(|packet| packet.3 == [round]).count();
        stage.run_until(&mut all, |all| heard(all) == 20);
        let restarted = stage.now();
        stage.run_until(&mut all, |all| all.iter().all(|one| restarted < one.link.heard()));
    }
    let numbers: Vec<u16> = all[1].heard.iter().map(|packet| packet.1).collect();
    assert!(numbers.windows(2).all(|pair| pair[1] == pair[0] + 1), "{numbers:?}");
}

#[test]
fn both_are_heard_again_from_another_port() {
    let stage = Stage::new();
    let mut all = stage.join_all(&[1, 2], "room");
    stage.connect_all(&all);
    stage.settle(&mut all);
    play_until_heard(&stage, &mut all, 1);
    // A subscriber that moved gets nothing until the server hears its next check, which a restart
    // brings at once.
    all[1].move_away();
    all[1].restart_ice(&stage);
    play_until_heard(&stage, &mut all, 2);
    // A publisher that moved is not believed until then either.
    all[0].move_away();
    play_until_heard(&stage, &mut all, 3);
    let counters = stage.sfu.shutdown();
    assert!(0 < counters.router.dropped_unknown_address);
    assert_eq!(counters.router.dropped_forged, 0);
}
