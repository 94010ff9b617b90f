//! What a room is told of its problems: whose they are, when, and that nobody else is blamed.

use core::time::Duration;

use protocol::codec::Codec;
use protocol::control::Event;
use protocol::id::{ParticipantId, TrackId};
use protocol::rtp::Ssrc;
use protocol::signal::{
    ClientMessage, DeviceReport, EngineKind, Finding, FindingCode, NetworkReport, ServerMessage,
    Severity, TrackHearing,
};
use signalling::limits::{FINDING_GOES, FINDING_STANDS, FINDINGS_MAX};

use crate::desk::{AUTO, App, Desk};
use crate::hearing::tracks;

/// What somebody's app says each second, of everybody alike where it hears them.
#[derive(Debug, Clone, Default)]
struct Says {
    device: DeviceReport,
    network: Option<NetworkReport>,
    /// Of each other: lost in a thousand, and the wait because of jitter.
    hears: Vec<(usize, u16, u32)>,
    spare_us: Option<u32>,
    /// What the SFU says: lost packets of 750, and the jitter.
    uplink: Option<(u32, u32)>,
}

fn near() -> NetworkReport {
    NetworkReport { round_trip_us: 12_000, jitter_us: 400 }
}

/// A room of native musicians on cables, with 64 frames each.
struct Scene {
    desk: Desk,
    apps: Vec<App>,
    tracks: Vec<TrackId>,
    says: Vec<Says>,
    /// What the room was told last, and how often.
    told: Vec<Finding>,
    messages: usize,
}

impl Scene {
    fn new<const N: usize>(names: [&str; N]) -> Self {
        let mut desk = Desk::new();
        let apps = names.map(|name| desk.musician("r", name));
        let tracks = tracks(&mut desk, &apps).to_vec();
        let good = |own: usize| Says {
            device: DeviceReport {
                period_us: Some(1_333),
                input_latency_us: Some(2_700),
                output_latency_us: Some(4_000),
                load_permille: Some(90),
                ..DeviceReport::default()
            },
            network: Some(near()),
            hears: (0..N).filter(|other| *other != own).map(|other| (other, 0, 900)).collect(),
            spare_us: None,
            uplink: Some((0, 200)),
        };
        let says = (0..N).map(good).collect();
        Self { desk, apps: apps.to_vec(), tracks, says, told: Vec::new(), messages: 0 }
    }

    /// A second in which everybody says what they say.
    fn second(&mut self) {
        for at in 0..self.apps.len() {
            self.speak(at);
        }
        let spent = Duration::from_millis(100) * u32::try_from(self.apps.len()).expect("few");
        self.desk.wait(Duration::from_secs(1).saturating_sub(spent));
        self.listen();
    }

    fn seconds(&mut self, seconds: u64) {
        (0..seconds).for_each(|_| self.second());
    }

    fn speak(&mut self, at: usize) {
        let Says { device, network, hears, spare_us, uplink } = self.says[at].clone();
        let tracks = hears.into_iter().map(|(other, lost_permille, network_us)| TrackHearing {
            track: self.tracks[other],
            delay_us: Some(20_000),
            lost_permille,
            concealed_permille: 0,
            network_us: Some(network_us),
            spare_us,
        });
        let tracks = tracks.collect();
        let told = ClientMessage::Hearing { tracks, device: Some(device), network };
        self.desk.send(self.apps[at].connection, told);
        if let Some((lost_packets, jitter_us)) = uplink {
            self.desk.sfu_event(&Event::Uplink {
                participant: self.apps[at].id,
                track: self.tracks[at],
                ssrc: Ssrc(100 * self.apps[at].id.0),
                received_packets: 750 - lost_packets,
                lost_packets,
                jitter_us,
            });
        }
    }

    /// What came of it; the first is told what all the others are.
    fn listen(&mut self) {
        let mut all = self.apps.iter().map(|app| {
            self.desk.find(app.connection, |message| match message {
                ServerMessage::Findings { findings } => Some(findings),
                _ => None,
            })
        });
        let first = all.next().expect("somebody is there");
        all.for_each(|other| assert_eq!(other, first, "the same words for everybody"));
        self.messages += first.len();
        assert!(first.len() <= 1, "once a second is enough");
        if let Some(told) = first.into_iter().next_back() {
            self.told = told;
        }
    }

    fn codes(&self) -> Vec<(FindingCode, Option<ParticipantId>)> {
        self.told.iter().map(|finding| (finding.code, finding.about)).collect()
    }

    fn id(&self, at: usize) -> ParticipantId {
        self.apps[at].id
    }
}

const STANDS: u64 = FINDING_STANDS.as_secs();
const GOES: u64 = FINDING_GOES.as_secs();

/// Something is wrong with Ben, from one second to the next, and then not any more.
fn check(wrong: impl Fn(&mut Scene), code: FindingCode, text: &str) {
    let mut scene = Scene::new(["Ana", "Ben", "Cleo"]);
    scene.seconds(20);
    assert_eq!((scene.codes(), scene.messages), (Vec::new(), 0), "all is well");
    let well = scene.says.clone();
    wrong(&mut scene);
    scene.seconds(STANDS);
    assert_eq!(scene.codes(), [], "{code:?} may be over in a moment");
    // What is lost is an average of some seconds.
    scene.seconds(16);
    assert_eq!(scene.codes(), [(code, Some(scene.id(1)))], "{:?}", scene.told);
    assert_eq!(scene.told[0].text, text);
    assert!(text.chars().count() <= 165, "{} characters: {text}", text.chars().count());
    let messages = scene.messages;
    scene.seconds(20);
    assert_eq!(scene.messages, messages, "nothing changed");
    scene.says = well;
    scene.seconds(GOES - 2);
    assert_eq!(scene.codes().len(), 1, "it may come back");
    scene.seconds(14);
    assert_eq!(scene.codes(), []);
}

#[test]
fn a_sound_card_with_long_periods_is_named_with_what_to_set() {
    check(
        |scene| {
            scene.says[1].device.period_us = Some(21_333);
            scene.says[1].device.output_latency_us = Some(42_667);
            // The others wait because his packets come in heaps, and so does he for himself.
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

/// Ben is behind Wi-Fi: he shakes, everybody waits for him, and he for everybody.
fn shake(scene: &mut Scene, jitter_us: u32, wait_us: u32) {
    scene.says[1].network = scene.says[1].network.map(|near| NetworkReport { jitter_us, ..near });
    for (listener, says) in scene.says.iter_mut().enumerate() {
        let own = |other: usize| listener == 1 || other == 1;
        says.hears.iter_mut().filter(|hears| own(hears.0)).for_each(|hears| hears.2 = wait_us);
    }
}

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
        "Ben is 62 ms from the server and back, which is distance and nobody's fault: a server in the middle helps.",
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
