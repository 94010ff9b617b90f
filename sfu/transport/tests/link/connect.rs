//! Links that come up, go down and end.

use std::net::SocketAddr;
use std::time::Duration;

use protocol::time::Instant;
use transport::limits::{
    CLIENT_SILENCE_MAX, DTLS_HANDSHAKE_MAX, DTLS_RETRANSMITS_MAX, SERVER_SILENCE_MAX,
};
use transport::srtp::Profile;
use transport::{Certificate, IceCredentials, Link, LinkConfig, LinkError, LinkEvent, LinkState};

use crate::handmade::{Handmade, USE_CANDIDATE, request};
use crate::pair::{DELAY, Pair, certificates, configs, server_address};

#[test]
fn both_ends_come_up_with_gcm_keys_within_ten_one_way_delays() {
    let mut pair = Pair::new();
    let started = pair.now;
    pair.run_until(|pair| {
        pair.server.state() == LinkState::Up && pair.client.state() == LinkState::Up
    });
    let took = pair.now.saturating_since(started);
    assert!(took <= 10 * DELAY + Duration::from_millis(60), "{took:?}");
    let profile = pair.server.sealer_mut().map(|sealer| sealer.profile());
    assert_eq!(profile, Some(Profile::AeadAes256Gcm));
    assert_eq!(pair.server.address(), Some(pair.client_address));
    assert_eq!(pair.client.address(), Some(server_address()));
    assert_eq!(pair.server_events, [LinkEvent::Up]);
}

#[test]
fn both_ends_come_up_whatever_is_lost() {
    for seed in 1..=100 {
        let mut pair = Pair::new();
        (pair.random, pair.lost_permille) = (seed, 250);
        pair.run_until(|pair| {
            let closed = [pair.server.state(), pair.client.state()].contains(&LinkState::Closed);
            assert!(!closed, "given up with seed {seed}");
            pair.server.state() == LinkState::Up && pair.client.state() == LinkState::Up
        });
    }
}

#[test]
fn silence_takes_a_link_down_and_checks_bring_it_back() {
    let mut pair = Pair::connected();
    pair.lost_permille = 1000;
    let lost = pair.now;
    pair.run_until(|pair| pair.client.state() == LinkState::Down);
    let noticed = pair.now.saturating_since(lost);
    assert!(noticed <= CLIENT_SILENCE_MAX, "{noticed:?}");
    pair.run_until(|pair| pair.server.state() == LinkState::Down);
    assert!(pair.now.saturating_since(lost) <= SERVER_SILENCE_MAX);
    // Longer than ICE itself would try.
    for _ in 0..5 {
        pair.run_for(Duration::from_secs(50));
    }
    pair.lost_permille = 0;
    let mended = pair.now;
    pair.run_until(|pair| {
        pair.server.state() == LinkState::Up && pair.client.state() == LinkState::Up
    });
    assert!(pair.now.saturating_since(mended) <= Duration::from_secs(4));
    pair.play(7);
    pair.run_for(Duration::from_millis(100));
    assert_eq!(pair.highest_heard(), Some(7));
}

#[test]
fn a_quiet_link_seldom_wakes_its_server() {
    let mut pair = Pair::connected();
    pair.run_for(Duration::from_secs(5));
    let end = pair.now + Duration::from_secs(60);
    let mut wakes = 0;
    while pair.now < end {
        let due = pair.server.poll_timeout();
        pair.step();
        wakes += u32::from(due.is_some_and(|due| due <= pair.now));
    }
    // A thousand links must not keep a core busy by being there.
    assert!(wakes <= 2 * 60, "{wakes} in a minute");
}

#[test]
fn closing_tells_the_other_end() {
    let mut pair = Pair::connected();
    pair.server.close();
    pair.run_until(|pair| pair.client_events.contains(&LinkEvent::Closed));
    assert_eq!(pair.client.state(), LinkState::Closed);
}

#[test]
fn a_link_that_is_over_refuses_an_ice_restart() {
    let mut pair = Pair::connected();
    pair.server.close();
    let parameters = crate::pair::parameters("again", 1, "");
    let local = IceCredentials::from(&parameters);
    let restarted = pair.server.restart_ice(pair.now, local, &parameters, &[]);
    assert_eq!(restarted, Err(LinkError::Closed));
}

#[test]
fn a_handshake_that_is_not_answered_is_given_up() {
    let mut participant = Handmade::new();
    assert!(participant.check(USE_CANDIDATE));
    participant.begin_handshake();
    // The ClientHello arrives, and nothing after it, while checks go on.
    for datagram in participant.dtls_datagrams() {
        let (now, from) = (participant.now, participant.address);
        participant.server.handle_datagram(now, from, &datagram);
    }
    let started = participant.now;
    assert_eq!(participant.pass_unheard(), 1 + DTLS_RETRANSMITS_MAX);
    assert!(participant.now.saturating_since(started) <= DTLS_HANDSHAKE_MAX);
    assert_eq!(participant.server.poll_event(), Some(LinkEvent::Closed));
}

#[test]
fn a_certificate_that_was_not_announced_is_refused() {
    let [server, client] = certificates();
    let [server_config, mut client_config] = configs([server, client]);
    // Right credentials, wrong person.
    client_config.certificate = Certificate::generate().expect("randomness");
    let mut pair = Pair::of(&server_config, &client_config, [String::new(), String::new()]);
    pair.run_until(|pair| pair.server.state() == LinkState::Closed);
    assert!(pair.server.sealer_mut().is_none());
    assert_eq!(pair.server_events, [LinkEvent::Closed]);
}

#[test]
fn a_wrong_password_gets_no_answer() {
    let [server_config, mut client_config] = configs(certificates());
    client_config.remote.ice_pwd = "some other password entirely".into();
    let mut pair = Pair::of(&server_config, &client_config, [String::new(), String::new()]);
    pair.run_for(Duration::from_secs(10));
    assert_eq!(pair.server.state(), LinkState::Connecting);
    assert_eq!(pair.server.address(), None);
}

#[test]
fn malformed_parameters_are_refused() {
    let [server, client] = configs(certificates());
    let refused = |change: fn(&mut LinkConfig)| {
        let mut config = server.clone();
        change(&mut config);
        Link::new(&config, Instant::ZERO).err()
    };
    assert_eq!(refused(|c| c.local.pwd = "short".into()), Some(LinkError::MalformedCredentials));
    assert_eq!(refused(|c| c.remote.ice_ufrag = "a".into()), Some(LinkError::MalformedCredentials));
    assert_eq!(
        refused(|c| c.remote.fingerprint = "AB:CD".into()),
        Some(LinkError::MalformedFingerprint)
    );
    assert!(Link::new(&client, Instant::ZERO).is_ok());
}

#[test]
fn a_participant_answers_the_checks_of_a_server_that_makes_some() {
    let mut pair = Pair::connected();
    let address = pair.client.address();
    // ICE-CONTROLLED.
    let attributes = [0x80, 0x29, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8];
    let mut check = request(1, ["client", "server"], &attributes);
    let mut buffer = [0; 1500];
    while pair.client.poll_transmit(&mut buffer).is_some() {}
    let elsewhere = SocketAddr::from(([127, 0, 0, 1], 9));
    assert!(!pair.client.handle_datagram(pair.now, elsewhere, &check), "no candidate");
    assert!(pair.client.handle_datagram(pair.now, server_address(), &check));
    let answer = pair.client.poll_transmit(&mut buffer).expect("an answer");
    assert_eq!((answer.to, &buffer[..2]), (server_address(), &[1, 1][..]));
    assert_eq!(pair.client.address(), address);
    let last = check.len() - 1;
    check[last] ^= 1;
    assert!(!pair.client.handle_datagram(pair.now, server_address(), &check), "forged");
    assert_eq!(pair.client.poll_transmit(&mut buffer), None);
}
