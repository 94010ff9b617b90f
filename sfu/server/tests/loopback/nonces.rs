//! No (key, SSRC, index) is ever sealed twice: what an eavesdropper between server and subscribers
//! collects, over everything that signalling can do.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use protocol::control::Command;
use protocol::datagram::Kind;
use protocol::id::ParticipantId;
use protocol::replay::ReplayWindow;
use protocol::rtcp::{self, SFU_SSRC};
use protocol::rtp::Ssrc;

use crate::hostile::Random;
use crate::memory::{Memory, source_of, stream_of};

#[test]
fn no_index_is_sealed_twice_whatever_signalling_does() {
    for seed in 1..=5 {
        check(seed);
    }
}

fn check(seed: u64) {
    const MEMBERS: u32 = 4;
    let mut random = Random(seed);
    let mut memory = Memory::of(MEMBERS);
    memory.recording = true;
    let mut publishing: BTreeSet<u32> = (1..=MEMBERS).collect();
    for _ in 0..3000 {
        let mut somebody = || u32::try_from(random.below(4)).expect("small") + 1;
        let (one, other) = (somebody(), somebody());
        let stream = stream_of(one, u32::try_from(random.below(4)).expect("small") + 1);
        match random.below(40) {
            0 => {
                let unsubscribe = Command::Unsubscribe { subscriber: ParticipantId(one), stream };
                memory.command(unsubscribe);
            }
            // Puts whatever source behind whatever stream.
            1..=3 => memory.subscribe(one, stream, other, source_of(other)),
            4 => {
                let (participant, ssrc) = (ParticipantId(one), source_of(one));
                memory.command(Command::RemoveSource { participant, ssrc });
                publishing.remove(&one);
            }
            5 | 6 => {
                memory.publish(one, source_of(one));
                publishing.insert(one);
            }
            7 => {
                let muted = random.below(2) == 0;
                let (participant, ssrc) = (ParticipantId(one), source_of(one));
                memory.command(Command::SetMuted { participant, ssrc, muted });
            }
            8 => memory.restart_ice(one),
            9 if random.below(10) == 0 => {
                // Leaves and comes back over a new link, with the same SSRCs and new keys.
                memory.command(Command::CloseLink { participant: ParticipantId(one) });
                memory.join(one, "room");
                publishing.remove(&one);
            }
            10 => memory.run(Duration::from_millis(700)),
            _ => {
                // Reordered now and then, repeated now and then.
                let from = memory.members[&one].address;
                let mut packets = [
                    memory.sealed(one, source_of(one), b"a"),
                    memory.sealed(one, source_of(one), b"b"),
                ];
                if random.below(4) == 0 {
                    packets.reverse();
                }
                for packet in &packets {
                    for _ in 0..=random.below(2) {
                        memory.take(from, &mut packet.clone());
                    }
                }
            }
        }
    }
    let mut seen = BTreeSet::new();
    let mut windows: BTreeMap<(u16, Ssrc), ReplayWindow> = BTreeMap::new();
    for (to, bytes) in memory.sent.iter().filter(|(_, bytes)| Kind::of(bytes) == Kind::Rtp) {
        // Every link here has its own port, so the port stands for the key.
        let ssrc = Ssrc(u32::from_be_bytes([bytes[8], bytes[9], bytes[10], bytes[11]]));
        let window = windows.entry((to.port(), ssrc)).or_insert(ReplayWindow::EMPTY);
        let index = window.extend(u16::from_be_bytes([bytes[2], bytes[3]]));
        assert!(seen.insert((to.port(), ssrc, index)), "seed {seed}: {ssrc:?} {index:?} to {to}");
        assert!(window.is_fresh(index), "seed {seed}");
        window.mark(index);
    }
    assert!(1000 < seen.len(), "seed {seed}: too little was forwarded to mean anything");
    // SRTCP has keys of its own, and an SSRC of its own: it shares nothing with the streams.
    let mut reported = BTreeSet::new();
    for (to, bytes) in memory.sent.iter().filter(|(_, bytes)| Kind::of(bytes) == Kind::Rtcp) {
        let ssrc = Ssrc(u32::from_be_bytes([bytes[4], bytes[5], bytes[6], bytes[7]]));
        assert_eq!(ssrc, SFU_SSRC, "seed {seed}");
        // With AES-GCM the index is the last word, under the bit that says that it is encrypted.
        let index = bytes.last_chunk::<4>().expect("longer than that");
        let index = u32::from_be_bytes(*index) & 0x7fff_ffff;
        assert!(reported.insert((to.port(), index)), "seed {seed}: report {index} to {to}");
    }
    assert!(100 < reported.len(), "seed {seed}: {} reports", reported.len());
    assert!(seen.iter().all(|(_, ssrc, _)| *ssrc != SFU_SSRC), "seed {seed}");
    for member in memory.members.values() {
        assert_eq!(member.unopened, [], "seed {seed}");
        for report in &member.reports {
            assert!(rtcp::parse(report).is_ok(), "seed {seed}");
        }
    }
}
