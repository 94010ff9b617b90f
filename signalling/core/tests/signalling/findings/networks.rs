//! Jitter, loss and distance: whose way to the server it is.

use protocol::control::Event;
use protocol::rtp::Ssrc;
use protocol::signal::{FindingCode, NetworkReport};

use super::{GOES, STANDS, Scene, check, near, shake};

#[test]
fn whose_way_to_the_server_shakes_is_named() {
    check(
        |scene| shake(scene, 14_000, 12_000),
        FindingCode::ShakyNetwork,
        "Ben's connection shakes by 14 ms, as Wi-Fi does: use a network cable, and stop what else fills the line.",
    );
}

#[test]
fn who_shakes_and_does_not_say_so_is_told_by_what_the_others_wait_for() {
    check(
        |scene| {
            shake(scene, 14_000, 12_000);
            scene.says[1].network = None;
        },
        FindingCode::ShakyNetwork,
        "Ben's connection shakes by 12 ms, as Wi-Fi does: use a network cable, and stop what else fills the line.",
    );
}

#[test]
fn of_two_who_wait_for_each_other_the_one_is_named_who_shakes() {
    let mut scene = Scene::new(["Ana", "Ben"]);
    shake(&mut scene, 9_000, 8_000);
    scene.seconds(10);
    assert_eq!(scene.codes(), [(FindingCode::ShakyNetwork, Some(scene.id(1)))]);
}

#[test]
fn a_way_that_shakes_without_making_anybody_wait_is_nobodys_business() {
    let mut scene = Scene::new(["Ana", "Ben", "Cleo"]);
    shake(&mut scene, 14_000, 3_500);
    scene.seconds(10);
    assert_eq!(scene.codes(), []);
}

/// Ben's packets are lost on the way to the server: the SFU sees it, and everybody misses them.
#[test]
fn what_is_lost_before_the_server_is_the_publishers_and_not_the_listeners() {
    check(
        |scene| {
            scene.says[1].uplink = Some((23, 200));
            for listener in [0, 2] {
                scene.says[listener]
                    .hears
                    .iter_mut()
                    .filter(|hears| hears.0 == 1)
                    .for_each(|hears| hears.1 = 31);
            }
        },
        FindingCode::UplinkLoss,
        "3 % of what Ben sends is lost before the server, so everybody misses it: use a network cable, and \
         stop uploads.",
    );
}

#[test]
fn what_the_server_drops_because_it_is_too_much_is_no_loss() {
    let mut scene = Scene::new(["Ana", "Ben"]);
    for _ in 0..10 {
        scene.says[1].uplink = Some((500, 200));
        scene.second();
        let (participant, ssrc) = (scene.id(1), Ssrc(100 * scene.id(1).0));
        scene.desk.sfu_event(&Event::OverRate {
            participant,
            track: scene.tracks[1],
            ssrc,
            dropped_packets: 500,
        });
    }
    assert_eq!(scene.codes(), []);
}

#[test]
fn one_network_has_one_cure_and_one_sentence() {
    let mut scene = Scene::new(["Ana", "Ben", "Cleo"]);
    shake(&mut scene, 14_000, 12_000);
    scene.says[1].uplink = Some((15, 200));
    scene.says[1].hears.iter_mut().for_each(|hears| hears.1 = 15);
    scene.seconds(20);
    // 2 % count as 20 ms.
    assert_eq!(scene.codes(), [(FindingCode::UplinkLoss, Some(scene.id(1)))]);
    let messages = scene.messages;
    // A little worse is not enough for another sentence, twice as bad is.
    shake(&mut scene, 14_000, 24_000);
    scene.seconds(10);
    assert_eq!(scene.messages, messages);
    shake(&mut scene, 14_000, 45_000);
    scene.seconds(10);
    assert_eq!(scene.codes(), [(FindingCode::ShakyNetwork, Some(scene.id(1)))]);
}

#[test]
fn what_only_one_misses_is_lost_after_the_server() {
    check(
        |scene| scene.says[1].hears.iter_mut().for_each(|hears| hears.1 = 30),
        FindingCode::DownlinkLoss,
        "3 % of what Ben should hear is lost after the server: use a network cable there, and stop downloads.",
    );
}

#[test]
fn of_two_the_loss_is_where_the_server_says_it_is() {
    let mut scene = Scene::new(["Ana", "Ben"]);
    scene.says[0].uplink = Some((30, 200));
    scene.says[1].hears[0].1 = 40;
    scene.seconds(12);
    assert_eq!(scene.codes(), [(FindingCode::UplinkLoss, Some(scene.id(0)))]);
}

#[test]
fn who_is_far_away_is_named_without_blame() {
    check(
        |scene| {
            scene.says[1].network = Some(NetworkReport { round_trip_us: 62_000, ..near() });
        },
        FindingCode::FarAway,
        "Ben is 62 ms from the server and back, which is distance and nobody's fault: a server in the middle helps, or the mode \"beat\".",
    );
}

#[test]
fn where_everybody_is_far_it_is_the_server_that_is() {
    let mut scene = Scene::new(["Ana", "Ben", "Cleo"]);
    for (says, ms) in scene.says.iter_mut().zip([80, 62, 71]) {
        says.network = Some(NetworkReport { round_trip_us: 1000 * ms, ..near() });
    }
    scene.seconds(10);
    assert_eq!(scene.codes(), [(FindingCode::FarServer, None)]);
    assert!(scene.told[0].text.starts_with("The server is 62 ms"), "{:?}", scene.told);
    // As long as one may be near, it is those who are far.
    scene.says[2].network = None;
    scene.seconds(GOES + STANDS + 2);
    assert_eq!(scene.codes(), [0, 1].map(|at| (FindingCode::FarAway, Some(scene.id(at)))));
}

#[test]
fn where_everybody_waits_for_everybody_nobody_is_named() {
    let mut scene = Scene::new(["Ana", "Ben", "Cleo"]);
    for says in &mut scene.says {
        says.network = None;
        says.hears.iter_mut().for_each(|hears| hears.2 = 12_000);
    }
    scene.seconds(12);
    assert_eq!(scene.codes(), []);
}

#[test]
fn what_one_misses_of_one_alone_may_be_anybodys() {
    let mut scene = Scene::new(["Ana", "Ben", "Cleo"]);
    scene.says[1].hears[0].1 = 50;
    scene.seconds(12);
    assert_eq!(scene.codes(), []);
}
