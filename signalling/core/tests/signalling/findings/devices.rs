//! Sound cards, headphones, computers and players.

use protocol::codec::Codec;
use protocol::signal::{ClientMessage, EngineKind, FindingCode, ServerMessage};

use super::{GOES, Scene, check};
use crate::desk::AUTO;

#[test]
fn a_sound_card_with_long_periods_is_named_with_what_to_set() {
    check(
        |scene| {
            scene.says[1].device.period_us = Some(21_333);
            scene.says[1].device.output_latency_us = Some(42_667);
            // The others wait because his packets come in heaps, and of his network nothing is known.
            scene.says[1].network = None;
            for listener in [0, 2] {
                scene.says[listener]
                    .hears
                    .iter_mut()
                    .filter(|hears| hears.0 == 1)
                    .for_each(|hears| hears.2 = 20_500);
            }
        },
        FindingCode::LargePeriod,
        "Ben's sound card works in periods of 21.3 ms, which costs 43 ms in and out: set it to 128 frames \
         (`--period 128`, or `jackd -p 128`).",
    );
}

#[test]
fn headphones_without_a_cable_are_named() {
    check(
        |scene| scene.says[1].device.output_latency_us = Some(190_000),
        FindingCode::SlowDevice,
        "Ben's headphones or loudspeakers hold sound for 187 ms, as Bluetooth does: connect them by cable.",
    );
}

#[test]
fn a_microphone_without_a_cable_is_named() {
    check(
        |scene| scene.says[1].device.input_latency_us = Some(120_000),
        FindingCode::SlowDevice,
        "Ben's microphone is 117 ms late by itself, as Bluetooth is: connect one by cable.",
    );
}

#[test]
fn a_sound_system_that_holds_sound_is_named() {
    check(
        |scene| scene.says[1].device.output_latency_us = Some(60_000),
        FindingCode::SlowDevice,
        "Ben's sound system holds sound for 57 ms on its way out: play through JACK, or another device of \
         `vjam devices`.",
    );
}

#[test]
fn a_computer_that_is_too_slow_is_named() {
    check(
        |scene| scene.says[1].device.left_out = 2,
        FindingCode::SlowComputer,
        "Ben's computer is too slow for everybody and leaves 2 out: close other programs there, or set a longer \
         period.",
    );
    check(
        |scene| scene.says[1].device.load_permille = Some(720),
        FindingCode::SlowComputer,
        "Ben's computer spends 72 % of its time on sound, close to too much: close other programs there.",
    );
}

#[test]
fn a_computer_that_is_often_too_late_for_its_sound_card_is_named() {
    let mut scene = Scene::new(["Ana", "Ben", "Cleo"]);
    // What a device misses as it is opened is nobody's problem.
    scene.says[1].device.missed = 4;
    scene.second();
    scene.says[1].device.missed = 0;
    scene.seconds(12);
    assert_eq!((scene.codes(), scene.messages), (Vec::new(), 0));
    scene.says[1].device.missed = 2;
    scene.seconds(10);
    assert_eq!(scene.codes(), [(FindingCode::SlowComputer, Some(scene.id(1)))]);
    assert!(scene.told[0].text.contains("too late for its sound card"), "{:?}", scene.told);
}

#[test]
fn more_delay_than_anything_needs_is_whose_who_asked_for_it() {
    check(
        |scene| scene.says[1].spare_us = Some(25_000),
        FindingCode::ChosenDelay,
        "Ben has asked for 25 ms more delay than anything needs: set “Delay” to automatic (`--playout automatic`).",
    );
}

#[test]
fn a_browsers_own_player_is_named_and_its_lines_are_judged_by_the_sfu() {
    let mut scene = Scene::new(["Ana", "Ben"]);
    let dora = scene.desk.join_as("r", "Dora", EngineKind::Standard, &[], None).expect("let in");
    scene.seconds(8);
    assert_eq!(scene.codes(), [(FindingCode::OrdinaryPlayer, Some(dora.id))]);
    assert_eq!(
        scene.told[0].text,
        "Dora plays through the browser's own player, about 50 ms late: open the page in a current Chrome, Edge or Firefox."
    );
    // A newcomer knows at once.
    let late = scene.desk.join("r", "Eve");
    let told = scene.desk.find(late.connection, |message| match message {
        ServerMessage::Findings { findings } => Some(findings),
        _ => None,
    });
    assert_eq!(told, [scene.told.clone()]);
    // Who leaves is not spoken of any more.
    scene.desk.send(dora.connection, ClientMessage::Leave {});
    scene.seconds(2);
    assert_eq!(scene.codes(), []);
}

#[test]
fn a_browser_that_sends_long_packets_is_named() {
    let mut scene = Scene::new(["Ana", "Ben"]);
    let dora = scene.desk.join_as("r", "Dora", EngineKind::Browser, AUTO, None).expect("let in");
    scene.desk.publish(&dora, "mic", &[Codec::Opus], &[Codec::Opus], 900).expect("published");
    scene.seconds(8);
    assert_eq!(scene.codes(), [(FindingCode::LongPackets, Some(dora.id))]);
    scene.desk.publish(&dora, "mic", AUTO, AUTO, 910).expect("published");
    scene.seconds(GOES + 2);
    assert_eq!(scene.codes(), []);
}
