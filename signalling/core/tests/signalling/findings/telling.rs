//! When and how it is told: no flicker, the worst first, nothing absurd.

use protocol::signal::{ClientMessage, DeviceReport, FindingCode, NetworkReport, Severity};
use signalling::limits::FINDINGS_MAX;

use super::{GOES, Scene, shake};

#[test]
fn what_wavers_around_a_threshold_is_told_once_and_numbers_do_not_flicker() {
    let mut scene = Scene::new(["Ana", "Ben", "Cleo"]);
    let wavers = [14_000, 15_200, 12_800, 2_200, 14_500, 1_000, 1_200, 15_000];
    for at in 0..120 {
        // The first eight seconds are steady.
        let jitter_us = if at < 8 { 14_000 } else { wavers[at % wavers.len()] };
        shake(&mut scene, jitter_us, 12_000);
        scene.second();
    }
    assert_eq!(scene.codes(), [(FindingCode::ShakyNetwork, Some(scene.id(1)))]);
    assert!(scene.messages <= 20, "{} messages", scene.messages);
    // And what is bad for two seconds at a time was never told.
    let mut scene = Scene::new(["Ana", "Ben", "Cleo"]);
    for at in 0..60 {
        shake(&mut scene, if at % 4 < 2 { 14_000 } else { 400 }, 12_000);
        scene.second();
    }
    assert_eq!((scene.codes(), scene.messages), (Vec::new(), 0));
}

#[test]
fn the_worst_comes_first_and_the_least_of_many_are_left_out() {
    let mut scene = Scene::new(["Ana", "Ben", "Cleo", "Dan"]);
    for (at, says) in scene.says.iter_mut().enumerate() {
        let more = u32::try_from(at).expect("few") * 1_000;
        says.device.period_us = Some(6_000 + more);
        says.device.output_latency_us = Some(80_000 + 10 * more);
    }
    scene.seconds(10);
    assert_eq!(scene.told.len(), FINDINGS_MAX);
    let expected = [3, 2, 1, 0].map(|at| (FindingCode::SlowDevice, Some(scene.id(at))));
    assert_eq!(scene.codes()[..4], expected);
    assert_eq!(scene.codes()[4], (FindingCode::LargePeriod, Some(scene.id(3))));
    let severities: Vec<_> = scene.told.iter().map(|finding| finding.severity).collect();
    assert_eq!(severities[3..], [Severity::Serious, Severity::Slight]);
}

#[test]
fn absurd_numbers_are_not_believed_and_blame_nobody_else() {
    let mut scene = Scene::new(["Ana", "Ben", "Cleo", "Dan"]);
    scene.says[1].device = DeviceReport {
        period_us: Some(u32::MAX),
        input_latency_us: Some(u32::MAX),
        output_latency_us: Some(u32::MAX),
        missed: 0,
        load_permille: Some(0),
        left_out: 0,
    };
    scene.says[1].network = Some(NetworkReport { round_trip_us: u32::MAX, jitter_us: u32::MAX });
    scene.says[1].spare_us = Some(u32::MAX);
    scene.says[1].hears.iter_mut().for_each(|hears| hears.2 = u32::MAX);
    scene.seconds(12);
    assert_eq!(scene.codes(), []);
    // What he says of himself, as far as it can be, is about him alone.
    scene.says[1].device.left_out = u32::MAX;
    scene.says[1].device.missed = u32::MAX;
    scene.says[1].device.load_permille = Some(u16::MAX);
    scene.says[1].hears.iter_mut().for_each(|hears| (hears.1, hears.2) = (u16::MAX, 1_999_999));
    scene.seconds(12);
    assert!(scene.codes().iter().all(|(_, about)| *about == Some(scene.id(1))), "{:?}", scene.told);
    assert!(!scene.told.is_empty());
}

#[test]
fn long_names_are_cut_and_whoever_is_alone_is_left_in_peace() {
    let mut scene = Scene::new(["Wolfgang Amadeus Theophilus Mozart of Salzburg", "Ben"]);
    scene.says[0].device.period_us = Some(21_333);
    scene.seconds(6);
    let text = &scene.told[0].text;
    assert!(text.starts_with("Wolfgang Amadeus Theoph…'s sound card"), "{text}");
    let ben = scene.apps.remove(1);
    scene.desk.send(ben.connection, ClientMessage::Leave {});
    scene.seconds(GOES + 2);
    assert_eq!(scene.codes(), []);
}

#[test]
fn a_room_that_says_nothing_any_more_is_not_looked_at() {
    let mut scene = Scene::new(["Ana", "Ben"]);
    scene.says[1].device.period_us = Some(21_333);
    scene.seconds(6);
    assert_eq!(scene.codes().len(), 1);
    scene.desk.wait_alive(30);
    scene.listen();
    assert_eq!(scene.codes(), []);
    let wake = scene.desk.core.poll_timeout().expect("tickets at least").1;
    assert_ne!(wake, signalling::Wake::Findings);
}
