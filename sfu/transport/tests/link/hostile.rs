//! Datagrams of people who mean no good.

use std::net::SocketAddr;
use std::time::Duration;

use protocol::datagram::Kind;
use transport::LinkState;
use transport::limits::TRANSMITS_MAX;

use crate::handmade::{Handmade, USE_CANDIDATE};
use crate::pair::Pair;

/// xorshift64: a seed repeats a run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound as u64).expect("below a usize")
    }

    /// Cuts a datagram, or changes, adds or removes a few bytes of it.
    fn mutilate(&mut self, bytes: &mut Vec<u8>) {
        for _ in 0..=self.below(3) {
            let at = self.below(bytes.len().max(1)).min(bytes.len());
            let byte = self.next().to_le_bytes()[0];
            match self.below(8) {
                0 => bytes.truncate(at),
                1 => bytes.insert(at, byte),
                2 if at < bytes.len() => drop(bytes.remove(at)),
                3 => bytes.iter_mut().skip(at).take(3).for_each(|byte| *byte = 0xff),
                4 => bytes.iter_mut().skip(at).take(3).for_each(|byte| *byte = 0),
                _ => bytes.iter_mut().skip(at).take(1).for_each(|old| *old = byte),
            }
        }
    }
}

#[test]
fn datagrams_that_nobody_takes_are_bounded() {
    let mut pair = Pair::connected();
    let check = pair.overheard.iter().rfind(|(_, bytes)| Kind::of(bytes) == Kind::Stun);
    let (from, check) = check.expect("checks were sent").clone();
    for _ in 0..2 * TRANSMITS_MAX {
        assert!(pair.server.handle_datagram(pair.now, from, &check), "sent again, as checks are");
    }
    let mut buffer = [0; 1500];
    let answers = core::iter::from_fn(|| pair.server.poll_transmit(&mut buffer)).count();
    assert_eq!(answers, TRANSMITS_MAX);
}

#[test]
fn hostile_datagrams_change_nothing() {
    let mut pair = Pair::connected();
    let stranger = SocketAddr::from(([198, 51, 100, 66], 6));
    let samples: Vec<Vec<u8>> = pair.overheard.iter().map(|(_, bytes)| bytes.clone()).collect();
    for round in 0..20_000_u32 {
        let sample = usize::try_from(pair.random()).expect("64 bits") % samples.len();
        let mut bytes = samples[sample].clone();
        let cut = usize::try_from(pair.random()).expect("64 bits") % (bytes.len() + 1);
        if round % 2 == 0 {
            bytes.truncate(cut);
        } else if let Some(byte) = bytes.get_mut(cut) {
            *byte = pair.random().to_le_bytes()[0];
        }
        // From the client's own address, too: forged.
        let from = if round % 3 == 0 { stranger } else { pair.client_address };
        pair.server.handle_datagram(pair.now, from, &bytes);
    }
    pair.collect();
    assert_eq!(pair.server.address(), Some(pair.client_address));
    pair.run_for(Duration::from_secs(5));
    assert_eq!(pair.server.state(), LinkState::Up);
    pair.play(1);
    pair.run_for(Duration::from_millis(100));
    assert_eq!(pair.highest_heard(), Some(1));
}

/// A handshake of which one datagram of the participant is changed.
fn check_changed_handshake(seed: u64) {
    let mut random = Random(seed);
    let mut participant = Handmade::new();
    assert!(participant.check(USE_CANDIDATE));
    participant.begin_handshake();
    let changed = random.below(6);
    let mut sent = 0;
    let mut idle = 0;
    while idle < 3 {
        let datagrams = participant.dtls_datagrams();
        idle = if datagrams.is_empty() && !participant.take() { idle + 1 } else { 0 };
        for mut datagram in datagrams {
            if sent == changed {
                random.mutilate(&mut datagram);
            }
            sent += 1;
            let (now, from) = (participant.now, participant.address);
            participant.server.handle_datagram(now, from, &datagram);
        }
    }
    // Whatever became of the link, it can be asked and closed.
    participant.pass(Duration::from_secs(1));
    participant.server.close();
}

#[test]
fn a_handshake_that_is_changed_anywhere_panics_nobody() {
    for seed in 1..=1000 {
        check_changed_handshake(seed);
    }
}
