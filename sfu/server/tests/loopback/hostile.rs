//! Datagrams from people who mean no good, and the music of the others meanwhile.

use std::net::SocketAddr;
use std::time::Duration;

use protocol::datagram::Kind;
use protocol::id::ParticipantId;
use transport::LinkState;

use crate::memory::{Memory, source_of, stream_of};
use crate::support::Stage;

const STRANGER: ([u8; 4], u16) = ([203, 0, 113, 66], 6);

/// xorshift64: a seed repeats a run.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound as u64).expect("below a usize")
    }
}

/// Plays one packet of 1 and checks that 2 and 3 heard it and that 1 did not.
fn check_music(memory: &mut Memory, payload: &[u8]) {
    let heard = |memory: &Memory, id: u32| memory.members[&id].heard.len();
    let before = [1, 2, 3].map(|id| heard(memory, id));
    memory.play(1, payload);
    let after = [1, 2, 3].map(|id| heard(memory, id));
    assert_eq!(after, [before[0], before[1] + 1, before[2] + 1]);
    let last = memory.members[&2].heard.last().expect("just heard");
    assert_eq!((last.0, last.2.as_slice()), (stream_of(2, 1), payload));
}

#[test]
fn mutilated_and_forged_datagrams_cost_nobody_a_packet() {
    let mut memory = Memory::of(3);
    memory.recording = true;
    memory.restart_ice(2);
    memory.run(Duration::from_secs(3));
    let mut samples: Vec<Vec<u8>> = memory.sent.drain(..).map(|(_, bytes)| bytes).collect();
    memory.recording = false;
    for _ in 0..10 {
        samples.push(memory.sealed(3, source_of(3), &[9; 100]));
    }
    let addresses = [
        SocketAddr::from(STRANGER),
        memory.members[&1].address,
        memory.members[&2].address,
        memory.members[&3].address,
    ];
    let mut random = Random(1);
    for round in 0..30_000_u32 {
        let mut bytes = samples[random.below(samples.len())].clone();
        match random.below(4) {
            0 => bytes.truncate(random.below(bytes.len() + 1)),
            1 => {
                for _ in 0..=random.below(4) {
                    let at = random.below(bytes.len());
                    bytes[at] ^= 1 << random.below(8);
                }
            }
            2 => bytes = (0..random.below(1600)).map(|_| random.next().to_le_bytes()[0]).collect(),
            // As it was, from wherever.
            _ => {}
        }
        let from = addresses[random.below(addresses.len())];
        // The only thing that may be believed is a genuine packet of 3 from 3.
        memory.take(from, &mut bytes);
        if round % 500 == 0 {
            // Control datagrams are limited per second.
            memory.run(Duration::from_millis(500));
            check_music(&mut memory, &round.to_be_bytes());
        }
    }
    for member in memory.members.values() {
        assert_eq!(member.link.state(), LinkState::Up);
        assert_eq!(member.unopened, []);
    }
    assert!(0 < memory.router.counters().dropped_forged);
}

#[test]
fn a_packet_is_heard_once_however_often_it_arrives_and_only_from_its_publisher() {
    let mut memory = Memory::of(3);
    let packet = memory.sealed(1, source_of(1), b"once");
    let elsewhere = [SocketAddr::from(STRANGER), memory.members[&2].address];
    for from in elsewhere {
        memory.take(from, &mut packet.clone());
    }
    assert!(memory.members[&2].heard.is_empty() && memory.members[&3].heard.is_empty());
    let publisher = memory.members[&1].address;
    for _ in 0..3 {
        memory.take(publisher, &mut packet.clone());
    }
    assert_eq!(memory.members[&2].heard.len(), 1);
    assert_eq!(memory.members[&3].heard.len(), 1);
    let counters = memory.router.counters();
    assert_eq!(counters.dropped_replayed, 2);
    assert_eq!(counters.dropped_unknown_address, 1);
    assert_eq!(counters.dropped_unknown_ssrc, 1);
}

#[test]
fn a_participant_who_forges_the_address_of_another_takes_nothing_from_it() {
    let mut memory = Memory::of(3);
    let victim = memory.members[&1].address;
    // Participant 3 restarts and sends its genuine new checks from the address of 1.
    let own = memory.members[&3].address;
    memory.members.get_mut(&3).expect("joined").address = victim;
    memory.restart_ice(3);
    memory.run(Duration::from_millis(300));
    memory.members.get_mut(&3).expect("joined").address = own;
    assert!(0 < memory.router.counters().dropped_address_held);
    check_music(&mut memory, b"as before");
}

#[test]
fn junk_at_a_real_socket_costs_nobody_a_packet() {
    let stage = Stage::new();
    let mut all = stage.join_all(&[1, 2], "room");
    stage.connect_all(&all);
    stage.settle(&mut all);
    let stranger = std::net::UdpSocket::bind("127.0.0.1:0").expect("a free port");
    let mut random = Random(7);
    for round in 0..200_u8 {
        let mut junk: Vec<u8> =
            (0..random.below(1600)).map(|_| random.next().to_le_bytes()[0]).collect();
        if let Some(first) = junk.first_mut() {
            *first = [0, 1, 22, 23, 0x80, 0x90, 255][random.below(7)];
        }
        stranger.send_to(&junk, stage.address).expect("loopback sends");
        let source = crate::support::source_of(ParticipantId(1));
        all[0].play(source, &[round]);
        stage.run_until(&mut all, |all| all[1].heard.len() == usize::from(round) + 1);
    }
    let counters = stage.sfu.shutdown().router;
    assert_eq!(counters.forwarded_packets, 200);
    let dropped = counters.dropped_unknown_address
        + counters.dropped_stun
        + counters.dropped_unknown_kind
        + counters.dropped_malformed;
    assert!(150 < dropped, "{counters:?}");
}

#[test]
fn a_flood_of_stun_leaves_those_who_are_here_alone() {
    let mut memory = Memory::of(3);
    let mut random = Random(3);
    memory.recording = true;
    memory.run(Duration::from_secs(2));
    memory.recording = false;
    // Checks for a link that exists, with a password that is guessed.
    let mut check = vec![0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42];
    check.extend([0; 12]);
    let name = b"server1.1:client1.1";
    let padded = name.len().next_multiple_of(4);
    check.extend([0, 6, 0, u8::try_from(name.len()).expect("short")]);
    check.extend(name);
    check.resize(check.len() + padded - name.len(), 0);
    check.extend([0, 8, 0, 20]);
    check.extend([0; 20]);
    let body = u8::try_from(check.len() - 20).expect("short");
    check[3] = body;
    assert_eq!(Kind::of(&check), Kind::Stun);
    for _ in 0..20_000 {
        let port = u16::try_from(1024 + random.below(60_000)).expect("a port");
        check[8..16].copy_from_slice(&random.next().to_le_bytes());
        memory.take(SocketAddr::from(([203, 0, 113, 9], port)), &mut check.clone());
    }
    let counters = *memory.router.counters();
    assert_eq!(counters.dropped_stun + counters.dropped_stranger_link_rate, 20_000);
    assert!(19_000 < counters.dropped_stranger_link_rate);
    assert_eq!(counters.dropped_stranger_rate + counters.dropped_control_rate, 0);
    check_music(&mut memory, b"still here");
    memory.join(4, "room");
    memory.run(Duration::from_secs(20));
    assert!(memory.members.values().all(|member| member.link.state() == LinkState::Up));
}

#[test]
fn a_subscriber_who_is_not_there_any_more_costs_the_others_nothing() {
    let mut memory = Memory::of(3);
    check_music(&mut memory, b"to both");
    // Gone without a word: packets are sent after it until its consent has expired (RFC 7675).
    let gone = memory.members.remove(&3).expect("joined");
    memory.run(Duration::from_secs(10));
    memory.play(1, b"to one");
    assert_eq!(memory.router.counters().unsent_link_down, 0);
    memory.run(Duration::from_secs(21));
    memory.recording = true;
    for number in 0..100_u8 {
        memory.play(1, &[number]);
        let (stream, _, payload) = memory.members[&2].heard.last().expect("heard");
        assert_eq!((*stream, payload.as_slice()), (stream_of(2, 1), &[number][..]));
    }
    assert_eq!(memory.router.counters().unsent_link_down, 100);
    assert!(memory.sent.iter().all(|(to, _)| *to != gone.address), "nothing is sent to nobody");
}

#[test]
fn a_subscriber_who_does_not_read_costs_the_others_nothing() {
    let stage = Stage::new();
    let mut all = stage.join_all(&[1, 2, 3], "room");
    stage.connect_all(&all);
    stage.settle(&mut all);
    // Its socket stays open and takes what it has room for: some hundred of these, which are as many
    // as a source may send at once.
    let _deaf = all.pop().expect("three");
    let source = crate::support::source_of(ParticipantId(1));
    for number in 0..450_usize {
        all[0].play(source, &[7; 1000]);
        stage.run_until(&mut all, |all| all[1].heard.len() == number + 1);
    }
    let counters = stage.sfu.shutdown();
    assert_eq!(counters.router.forwarded_packets, 900);
    assert_eq!(counters.socket.dropped_full + counters.socket.dropped_refused, 0);
}
