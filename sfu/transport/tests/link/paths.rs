//! Addresses that change, and who may change them.

use std::net::SocketAddr;
use std::time::Duration;

use protocol::datagram::Kind;
use transport::limits::ADDRESSES_MAX;
use transport::{LinkEvent, LinkState};

use crate::handmade::{Handmade, USE_CANDIDATE};
use crate::pair::{DELAY, Pair};

const THIEF: ([u8; 4], u16) = ([198, 51, 100, 66], 6);

#[test]
fn an_ice_restart_keeps_keys_and_indices() {
    let mut pair = Pair::connected();
    pair.play(100);
    pair.restart_ice();
    pair.play(101);
    let restarted = pair.now;
    pair.run_until(|pair| restarted < pair.client.heard());
    assert!(pair.now.saturating_since(restarted) <= 4 * DELAY, "checks at once");
    pair.play(102);
    pair.run_for(Duration::from_secs(20));
    assert_eq!(pair.highest_heard(), Some(102));
    assert_eq!(pair.server_events.iter().filter(|event| **event == LinkEvent::Up).count(), 1);
    assert_eq!(pair.server.state(), LinkState::Up);
    // Once more: the second restart must not depend on the first.
    pair.restart_ice();
    pair.run_for(Duration::from_secs(20));
    assert_eq!(pair.server.state(), LinkState::Up);
    assert_eq!(pair.client.state(), LinkState::Up);
    assert!(!pair.server_events.contains(&LinkEvent::Down));
}

#[test]
fn old_credentials_are_dead_after_a_restart() {
    let mut pair = Pair::connected();
    let old = pair.overheard.iter().rfind(|(_, bytes)| Kind::of(bytes) == Kind::Stun);
    let (_, old) = old.expect("checks were sent").clone();
    pair.restart_ice();
    pair.run_for(Duration::from_secs(1));
    assert!(!pair.server.handle_datagram(pair.now, pair.client_address, &old));
}

#[test]
fn the_server_follows_a_client_whose_address_changes() {
    let mut pair = Pair::connected();
    pair.move_client(40_001);
    let moved = pair.now;
    pair.run_until(|pair| pair.server.address() == Some(pair.client_address));
    assert!(pair.now.saturating_since(moved) <= Duration::from_millis(1_100), "one check");
    assert_eq!(pair.play(100), Some(pair.client_address));
    pair.run_for(Duration::from_millis(100));
    assert_eq!(pair.highest_heard(), Some(100));
    // The data channel goes there as well.
    pair.run_until(|pair| pair.client_events.contains(&LinkEvent::ChannelOpen));
    pair.server.send_channel(b"here?").expect("open");
    let message = LinkEvent::ChannelMessage(b"here?".to_vec());
    pair.run_until(|pair| pair.client_events.contains(&message));
}

#[test]
fn a_check_that_somebody_else_repeats_moves_nothing() {
    let mut pair = Pair::connected();
    // More than three minutes of checks: the first of them, too.
    pair.run_for(Duration::from_secs(50));
    for _ in 0..3 {
        pair.run_for(Duration::from_secs(50));
    }
    let checks: Vec<Vec<u8>> = pair
        .overheard
        .iter()
        .filter(|(_, bytes)| Kind::of(bytes) == Kind::Stun)
        .map(|(_, bytes)| bytes.clone())
        .collect();
    assert!(200 <= checks.len(), "{}", checks.len());
    // Whoever is faster than the original is not somebody else: let the last one arrive.
    pair.run_for(2 * DELAY);
    for check in &checks {
        assert!(!pair.server.handle_datagram(pair.now, THIEF.into(), check));
    }
    assert_eq!(pair.server.address(), Some(pair.client_address));
    // Copies from as many addresses as a link may have use none of them up.
    for port in 0..2 * u16::try_from(ADDRESSES_MAX).expect("small") {
        let thief = SocketAddr::from((THIEF.0, 1000 + port));
        assert!(!pair.server.handle_datagram(pair.now, thief, &checks[0]));
    }
    pair.move_client(40_001);
    pair.run_for(Duration::from_secs(2));
    assert_eq!(pair.server.address(), Some(pair.client_address));
    // Nor do copies with the address of old bring the link back there.
    let left = SocketAddr::from((pair.client_address.ip(), 40_000));
    for check in &checks {
        pair.server.handle_datagram(pair.now, left, check);
    }
    assert_eq!(pair.server.address(), Some(pair.client_address));
}

#[test]
fn copies_do_not_keep_a_link_up_whose_participant_is_gone() {
    let mut participant = Handmade::new();
    let check = participant.request(USE_CANDIDATE);
    let address = participant.address;
    assert!(participant.server.handle_datagram(participant.now, address, &check));
    participant.handshake();
    for _ in 0..40 {
        participant.pass(Duration::from_secs(1));
        participant.server.handle_datagram(participant.now, address, &check);
    }
    assert_eq!(participant.server.state(), LinkState::Down);
}

#[test]
fn a_participant_that_never_nominates_again_is_followed_once_its_old_path_is_silent() {
    let mut participant = Handmade::connected();
    let old = participant.address;
    // Firefox checks every 4 to 6 s; then its NAT changes the port, which it does not notice.
    for seconds in [4, 6, 5] {
        participant.pass(Duration::from_secs(seconds));
        assert!(participant.check(&[]));
    }
    assert_eq!(participant.server.address(), Some(old));
    participant.address.set_port(40_001);
    participant.pass(Duration::from_secs(4));
    assert!(participant.check(&[]));
    assert_eq!(participant.server.address(), Some(participant.address));
    // And back, should it have been a spare path after all.
    participant.address = old;
    assert!(participant.check(USE_CANDIDATE));
    assert_eq!(participant.server.address(), Some(old));
}

#[test]
fn a_spare_path_does_not_take_over_while_the_nominated_one_is_heard() {
    let mut participant = Handmade::connected();
    let nominated = participant.address;
    let spare = SocketAddr::from(([192, 0, 2, 9], 40_001));
    for _ in 0..20 {
        // Chromium checks every 2.5 s, here without nominating.
        participant.pass(Duration::from_millis(2500));
        participant.address = spare;
        assert!(participant.check(&[]));
        assert_eq!(participant.server.address(), Some(nominated));
        participant.address = nominated;
        assert!(participant.check(&[]));
    }
}

#[test]
fn nothing_is_sent_to_an_address_before_one_is_nominated() {
    let mut participant = Handmade::new();
    for _ in 0..3 {
        assert!(participant.check(&[]));
        participant.pass(Duration::from_secs(5));
    }
    assert_eq!(participant.server.address(), None);
}

#[test]
fn addresses_beyond_the_limit_are_not_believed() {
    let mut pair = Pair::connected();
    for port in 0..300_u16 {
        let before = pair.server.address();
        pair.move_client(50_000 + port);
        pair.run_for(Duration::from_millis(1_100));
        if usize::from(port) + 2 <= ADDRESSES_MAX {
            assert_eq!(pair.server.address(), Some(pair.client_address), "{port}");
        } else {
            assert_eq!(pair.server.address(), before, "{port}");
        }
    }
}
