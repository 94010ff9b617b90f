//! A room that plays in real time while strangers, and members who mean no good, send what they
//! like: nothing of the music is lost, everything else is counted by its cause, and the music is not
//! held up.
//!
//! Quiet moments and attacked ones alternate, so that whatever else the machine does slows both.
//! The music also sets the pace: nothing more is sent before it was heard, so that no queue of the
//! system overflows while the machine stalls.

use std::net::UdpSocket;
use std::time::{Duration, Instant};

use protocol::datagram::Kind;
use sfu::Counters;

use crate::hostile::Random;
use crate::support::{Participant, Stage, source_of};

#[test]
fn an_attack_costs_a_room_no_packet_and_no_time() {
    let mut account = String::new();
    for _ in 0..ATTEMPTS {
        let [quiet, attacked] = play();
        if attacked < quiet * SLOWER_MAX {
            return;
        }
        account += &format!("{attacked:?} with an attack against {quiet:?} without; ");
    }
    panic!("{account}");
}

/// How many times as long forwarding may take under attack: the datagrams in front of a packet are
/// taken and dropped before it, 1 to 2 µs each.
const SLOWER_MAX: u32 = 4;

/// A machine that does something else in all attacked moments and in no quiet ones is rare.
const ATTEMPTS: usize = 3;

/// A room of four plays for some seconds; gives the median time from sending to hearing of the quiet
/// moments and of the attacked ones.
fn play() -> [Duration; 2] {
    const TURNS: usize = 1200;
    /// So long it is quiet, and so long it is not.
    const MOMENT_TURNS: usize = 60;
    let stage = Stage::new();
    let mut all = stage.join_all(&[1, 2, 3, 4], "room");
    stage.connect_all(&all);
    stage.settle(&mut all);
    let mut attack = Attack::new(&mut all);
    stage.run_until(&mut all, |all| all[1..].iter().all(|one| one.heard.len() == 1));
    let mut delays = [Vec::new(), Vec::new()];
    for number in 0..TURNS {
        let attacked = number / MOMENT_TURNS % 2 == 1;
        if number == MOMENT_TURNS {
            // Checks that came before their links were opened, for instance.
            attack.sent.stun = stun_dropped(&stage.sfu.counters().router);
        }
        let began = Instant::now();
        let delay = turn(&stage, &mut all, &mut |all| {
            if attacked {
                attack.strike(&stage, all);
            }
        });
        delays[usize::from(attacked)].push(delay);
        std::thread::sleep(PACKET_TIME.saturating_sub(began.elapsed()));
    }
    let counters = stage.sfu.shutdown();
    assert_eq!(counters.router.forwarded_packets, 3 + 4 * 3 * TURNS as u64);
    assert_eq!(counters.socket.dropped_full + counters.socket.dropped_refused, 0);
    attack.check(&counters.router);
    delays.map(median)
}

const PACKET_TIME: Duration = Duration::from_micros(2500);

/// Everybody plays a packet, after whatever `before` sends, and hears the others'; gives how long
/// that took.
fn turn(
    stage: &Stage,
    all: &mut [Participant],
    before: &mut dyn FnMut(&mut [Participant]),
) -> Duration {
    let others = all.len() - 1;
    for one in all.iter_mut() {
        one.heard.clear();
    }
    before(all);
    let began = Instant::now();
    for one in all.iter_mut() {
        one.play(source_of(one.id), &[7; 80]);
    }
    stage.run_until(all, |all| all.iter().all(|one| one.heard.len() == others));
    began.elapsed()
}

fn median(mut delays: Vec<Duration>) -> Duration {
    delays.sort_unstable();
    delays[delays.len() / 2]
}

/// Everything that may be thrown at a media port by whoever knows its address, and by members.
struct Attack {
    strangers: Vec<UdpSocket>,
    random: Random,
    /// A packet of the music, as an eavesdropper has it.
    overheard: Vec<u8>,
    sent: Sent,
}

/// What was sent, by the cause for which it must be dropped.
#[derive(Debug, Default)]
struct Sent {
    unknown_address: u64,
    unknown_kind: u64,
    unknown_ssrc: u64,
    replayed: u64,
    forged: u64,
    malformed: u64,
    stun: u64,
}

impl Attack {
    fn new(all: &mut [Participant]) -> Self {
        let overheard = all[0].sealed(source_of(all[0].id), &[7; 80]);
        // It has come once, so that it is old whenever it comes again.
        let address = all[0].link.address().expect("the link is up");
        all[0].socket.send_to(&overheard, address).expect("loopback sends");
        let strangers = (0..32).map(|_| UdpSocket::bind("127.0.0.1:0").expect("a free port"));
        Self {
            strangers: strangers.collect(),
            random: Random(11),
            overheard,
            sent: Sent::default(),
        }
    }

    /// Two of each kind, about 6,000 datagrams a second in all.
    fn strike(&mut self, stage: &Stage, all: &mut [Participant]) {
        for _ in 0..2 {
            let send = |socket: &UdpSocket, bytes: &[u8]| {
                socket.send_to(bytes, stage.address).expect("loopback sends");
            };
            let stranger = &self.strangers[self.random.below(self.strangers.len())];
            // From an address that is nobody's, however genuine.
            send(stranger, &self.overheard);
            send(stranger, b"what is this?");
            // Connectivity checks: from one address for one link, and from many for links that
            // there are not.
            let id = all[0].id.0;
            send(&self.strangers[0], &check(&mut self.random, &format!("server{id}r0")));
            send(stranger, &check(&mut self.random, "nobody"));
            // A member, or somebody behind the same address.
            let inside = &all[0].socket;
            send(inside, &self.overheard);
            let mut changed = self.overheard.clone();
            changed[8] ^= 0xff;
            send(inside, &changed);
            send(inside, &self.overheard[..self.random.below(10) + 2]);
            // Its number is new, its tag is not of this packet.
            let mut forged = self.overheard.clone();
            forged[2] ^= 0x10;
            send(inside, &forged);
        }
        self.sent.unknown_address += 2;
        self.sent.unknown_kind += 2;
        self.sent.stun += 4;
        self.sent.replayed += 2;
        self.sent.unknown_ssrc += 2;
        self.sent.malformed += 2;
        self.sent.forged += 2;
    }

    fn check(&self, counters: &Counters) {
        let sent = &self.sent;
        assert_eq!(counters.dropped_unknown_address, sent.unknown_address, "{counters:?}");
        assert_eq!(counters.dropped_unknown_kind, sent.unknown_kind, "{counters:?}");
        assert_eq!(counters.dropped_unknown_ssrc, sent.unknown_ssrc, "{counters:?}");
        assert_eq!(counters.dropped_replayed, sent.replayed, "{counters:?}");
        assert_eq!(counters.dropped_malformed, sent.malformed, "{counters:?}");
        assert_eq!(counters.dropped_forged, sent.forged, "{counters:?}");
        assert_eq!(stun_dropped(counters), sent.stun, "{counters:?}");
        assert!(0 < counters.dropped_stranger_link_rate, "one link was asked too often");
    }
}

fn stun_dropped(counters: &Counters) -> u64 {
    counters.dropped_stun + counters.dropped_stranger_link_rate
}

/// A connectivity check whose password is guessed.
fn check(random: &mut Random, ufrag: &str) -> Vec<u8> {
    let name = format!("{ufrag}:guess");
    let mut check = vec![0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42];
    check.extend(random.next().to_le_bytes());
    check.extend([0; 4]);
    check.extend([0, 6, 0, u8::try_from(name.len()).expect("short")]);
    check.extend(name.as_bytes());
    check.resize(check.len().next_multiple_of(4), 0);
    check.extend([0, 8, 0, 20]);
    check.extend([0; 20]);
    check[3] = u8::try_from(check.len() - 20).expect("short");
    assert_eq!(Kind::of(&check), Kind::Stun);
    check
}
