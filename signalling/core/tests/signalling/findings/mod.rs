//! What a room is told of its problems: whose they are, when, and that nobody else is blamed.

mod devices;
mod networks;
mod telling;

use core::time::Duration;

use protocol::control::Event;
use protocol::id::{ParticipantId, TrackId};
use protocol::rtp::Ssrc;
use protocol::signal::{
    ClientMessage, DeviceReport, Finding, FindingCode, NetworkReport, ServerMessage, TrackHearing,
};
use signalling::limits::{FINDING_GOES, FINDING_STANDS};

use crate::desk::{App, Desk};
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
            padding_us: None,
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

/// Ben is behind Wi-Fi: he shakes, everybody waits for him, and he for everybody.
fn shake(scene: &mut Scene, jitter_us: u32, wait_us: u32) {
    scene.says[1].network = scene.says[1].network.map(|near| NetworkReport { jitter_us, ..near });
    for (listener, says) in scene.says.iter_mut().enumerate() {
        let own = |other: usize| listener == 1 || other == 1;
        says.hears.iter_mut().filter(|hears| own(hears.0)).for_each(|hears| hears.2 = wait_us);
    }
}
