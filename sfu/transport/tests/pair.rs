//! Two ends of a link against each other, in virtual time, over a network that loses, delays and
//! moves addresses. Long because the network and the two ends that all tests share stand here too.

#![expect(clippy::expect_used, reason = "a failure here fails the test, with the reason")]

use std::net::SocketAddr;
use std::time::Duration;

use protocol::datagram::Kind;
use protocol::rtp::{Packet, PayloadType, Ssrc};
use protocol::signal::LinkParameters;
use protocol::time::Instant;
use transport::limits::{
    ADDRESSES_MAX, CLIENT_SILENCE_MAX, EVENTS_MAX, SERVER_SILENCE_MAX, TRANSMITS_MAX,
};
use transport::srtp::Profile;
use transport::{
    Certificate, IceCredentials, Link, LinkConfig, LinkError, LinkEvent, LinkState, Role,
};

const SERVER: ([u8; 4], u16) = ([127, 0, 0, 1], 7882);
const DELAY: Duration = Duration::from_millis(10);

/// Both ends and the network between them.
struct Pair {
    now: Instant,
    server: Link,
    client: Link,
    client_address: SocketAddr,
    server_events: Vec<LinkEvent>,
    client_events: Vec<LinkEvent>,
    /// Arrival, receiver, sender, datagram; in the order of arrival.
    under_way: Vec<(Instant, SocketAddr, SocketAddr, Vec<u8>)>,
    /// Every datagram towards the server, as an eavesdropper has it.
    overheard: Vec<(SocketAddr, Vec<u8>)>,
    /// Of a thousand datagrams, how many are lost.
    lost_permille: u64,
    random: u64,
    restarts: u32,
    fingerprints: [String; 2],
}

fn server_address() -> SocketAddr {
    SocketAddr::from(SERVER)
}

fn parameters(name: &str, restarts: u32, fingerprint: &str) -> LinkParameters {
    LinkParameters {
        ice_ufrag: format!("{name}{restarts}"),
        ice_pwd: format!("the password of {name}, {restarts}"),
        fingerprint: fingerprint.into(),
    }
}

fn configs(certificates: [Certificate; 2]) -> [LinkConfig; 2] {
    let [server, client] = &certificates;
    let server_parameters = parameters("server", 0, server.fingerprint());
    let client_parameters = parameters("client", 0, client.fingerprint());
    [
        LinkConfig {
            role: Role::Server,
            certificate: server.clone(),
            local: IceCredentials::from(&server_parameters),
            remote: client_parameters.clone(),
            remote_candidates: Vec::new(),
            data_channel: true,
        },
        LinkConfig {
            role: Role::Client,
            certificate: client.clone(),
            local: IceCredentials::from(&client_parameters),
            remote: server_parameters,
            remote_candidates: vec![server_address()],
            data_channel: true,
        },
    ]
}

fn certificates() -> [Certificate; 2] {
    [(); 2].map(|()| Certificate::generate().expect("randomness"))
}

impl Pair {
    fn new() -> Self {
        let certificates = certificates();
        let fingerprints = certificates.each_ref().map(|one| one.fingerprint().to_owned());
        let [server, client] = configs(certificates);
        Self::of(&server, &client, fingerprints)
    }

    fn of(server: &LinkConfig, client: &LinkConfig, fingerprints: [String; 2]) -> Self {
        let now = Instant::from_ns(1_000_000_000);
        Self {
            now,
            server: Link::new(server, now).expect("well formed"),
            client: Link::new(client, now).expect("well formed"),
            client_address: SocketAddr::from(([127, 0, 0, 1], 40_000)),
            server_events: Vec::new(),
            client_events: Vec::new(),
            under_way: Vec::new(),
            overheard: Vec::new(),
            lost_permille: 0,
            random: 1,
            restarts: 0,
            fingerprints,
        }
    }

    fn connected() -> Self {
        let mut pair = Self::new();
        pair.run_until(|pair| {
            pair.server.state() == LinkState::Up && pair.client.state() == LinkState::Up
        });
        pair
    }

    /// xorshift64.
    fn random(&mut self) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random
    }

    fn send(&mut self, from: SocketAddr, to: SocketAddr, datagram: &[u8]) {
        if to == server_address() {
            self.overheard.push((from, datagram.to_vec()));
        }
        if self.lost_permille <= self.random() % 1000 {
            self.under_way.push((self.now + DELAY, to, from, datagram.to_vec()));
        }
    }

    fn collect(&mut self) {
        let mut buffer = [0; 1500];
        while let Some(transmit) = self.server.poll_transmit(&mut buffer) {
            self.send(server_address(), transmit.to, &buffer[..transmit.len]);
        }
        while let Some(transmit) = self.client.poll_transmit(&mut buffer) {
            self.send(self.client_address, transmit.to, &buffer[..transmit.len]);
        }
        self.server_events.extend(core::iter::from_fn(|| self.server.poll_event()));
        self.client_events.extend(core::iter::from_fn(|| self.client.poll_event()));
    }

    /// Jumps to the next moment at which something happens, and lets it.
    fn step(&mut self) {
        self.collect();
        let arrival = self.under_way.first().map(|datagram| datagram.0);
        let timers = [self.server.poll_timeout(), self.client.poll_timeout(), arrival];
        let next = timers.into_iter().flatten().min().expect("a link always has a timer");
        self.now = self.now.max(next);
        while self.under_way.first().is_some_and(|datagram| datagram.0 <= self.now) {
            let (_, to, from, mut datagram) = self.under_way.remove(0);
            self.deliver(to, from, &mut datagram);
        }
        for link in [&mut self.server, &mut self.client] {
            if link.poll_timeout().is_some_and(|due| due <= self.now) {
                link.handle_timeout(self.now);
            }
        }
        self.collect();
    }

    fn deliver(&mut self, to: SocketAddr, from: SocketAddr, datagram: &mut [u8]) {
        let link = if to == server_address() {
            &mut self.server
        } else if to == self.client_address {
            &mut self.client
        } else {
            return;
        };
        if Kind::of(datagram) == Kind::Rtp {
            link.opener_mut().expect("keys are there").open(datagram).expect("is genuine");
        } else {
            link.handle_datagram(self.now, from, datagram);
        }
    }

    fn run_until(&mut self, mut done: impl FnMut(&mut Self) -> bool) {
        let deadline = self.now + Duration::from_secs(60);
        while !done(self) {
            assert!(
                self.now < deadline,
                "never came: {:?} {:?} {:?} {:?}",
                self.server,
                self.client,
                self.server_events,
                self.client_events
            );
            self.step();
        }
    }

    fn run_for(&mut self, duration: Duration) {
        let end = self.now + duration;
        self.run_until(|pair| end <= pair.now);
    }

    /// Sends an RTP packet from the server to wherever it believes the client to be.
    fn play(&mut self, number: u16) -> Option<SocketAddr> {
        let packet = Packet {
            marker: false,
            payload_type: PayloadType::OPUS,
            sequence_number: number,
            timestamp: 0,
            ssrc: Ssrc(1),
            payload: b"audio",
        };
        let mut buffer = [0; 100];
        let len = packet.write(&mut buffer).expect("fits");
        let len = self.server.sealer_mut()?.seal(&mut buffer, len).expect("numbers rise");
        let to = self.server.address()?;
        self.send(server_address(), to, &buffer[..len]);
        Some(to)
    }

    fn restart_ice(&mut self) {
        self.restarts += 1;
        let server = parameters("server", self.restarts, &self.fingerprints[0]);
        let client = parameters("client", self.restarts, &self.fingerprints[1]);
        self.server
            .restart_ice(self.now, IceCredentials::from(&server), &client, &[])
            .expect("well formed");
        self.client
            .restart_ice(self.now, IceCredentials::from(&client), &server, &[])
            .expect("well formed");
    }

    fn move_client(&mut self, port: u16) {
        self.client_address.set_port(port);
    }

    fn highest_heard(&mut self) -> Option<u64> {
        self.client.opener_mut()?.highest_index(Ssrc(1))
    }
}

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
    for seed in 1..=20 {
        let mut pair = Pair::new();
        pair.random = seed;
        pair.lost_permille = 250;
        pair.run_until(|pair| {
            pair.server.state() == LinkState::Up && pair.client.state() == LinkState::Up
        });
    }
}

#[test]
fn data_channel_messages_go_both_ways() {
    let mut pair = Pair::connected();
    let open = |events: &[LinkEvent]| events.contains(&LinkEvent::ChannelOpen);
    pair.run_until(|pair| open(&pair.server_events) && open(&pair.client_events));
    pair.client.send_channel(b"to the server").expect("open");
    pair.server.send_channel(b"to the client").expect("open");
    let to_server = LinkEvent::ChannelMessage(b"to the server".to_vec());
    let to_client = LinkEvent::ChannelMessage(b"to the client".to_vec());
    pair.run_until(|pair| {
        pair.server_events.contains(&to_server) && pair.client_events.contains(&to_client)
    });
}

#[test]
fn a_full_data_channel_refuses() {
    let mut pair = Pair::connected();
    pair.run_until(|pair| pair.client_events.contains(&LinkEvent::ChannelOpen));
    let refused = (0..10_000).find(|_| pair.client.send_channel(&[7; 1000]).is_err());
    let limit = transport::limits::CHANNEL_QUEUE_BYTES_MAX / 1000;
    assert!(refused.is_some_and(|sent| sent <= limit + 1), "{refused:?}");
}

#[test]
fn messages_that_nobody_takes_push_out_the_oldest() {
    let mut pair = Pair::connected();
    pair.run_until(|pair| pair.client_events.contains(&LinkEvent::ChannelOpen));
    let mut buffer = [0; 1500];
    let messages = u16::try_from(EVENTS_MAX).expect("small") + 10;
    for number in 0..messages {
        while pair.client.send_channel(&number.to_be_bytes()).is_err() {
            pair.now = pair.now + DELAY;
            pair.client.handle_timeout(pair.now);
        }
        // Both ways, but the server's events stay where they are.
        while let Some(transmit) = pair.client.poll_transmit(&mut buffer) {
            let from = pair.client_address;
            pair.server.handle_datagram(pair.now, from, &buffer[..transmit.len]);
        }
        while let Some(transmit) = pair.server.poll_transmit(&mut buffer) {
            pair.client.handle_datagram(pair.now, server_address(), &buffer[..transmit.len]);
        }
    }
    let events: Vec<LinkEvent> = core::iter::from_fn(|| pair.server.poll_event()).collect();
    assert_eq!(events.len(), EVENTS_MAX);
    let last = LinkEvent::ChannelMessage((messages - 1).to_be_bytes().to_vec());
    assert_eq!(events.last(), Some(&last));
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
    pair.run_for(Duration::from_secs(3));
    let thief = SocketAddr::from(([198, 51, 100, 66], 6));
    let checks: Vec<Vec<u8>> = pair
        .overheard
        .iter()
        .filter(|(_, bytes)| Kind::of(bytes) == Kind::Stun)
        .map(|(_, bytes)| bytes.clone())
        .collect();
    // Whoever is faster than the original is not somebody else: let the last one arrive.
    pair.run_for(2 * DELAY);
    for check in checks {
        assert!(!pair.server.handle_datagram(pair.now, thief, &check));
    }
    assert_eq!(pair.server.address(), Some(pair.client_address));
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
