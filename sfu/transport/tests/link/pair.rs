//! Both ends of a link and the network between them, which all tests share.

use std::net::SocketAddr;
use std::time::Duration;

use protocol::datagram::Kind;
use protocol::rtp::{Packet, PayloadType, Ssrc};
use protocol::signal::LinkParameters;
use protocol::time::Instant;
use transport::{Certificate, IceCredentials, Link, LinkConfig, LinkEvent, LinkState, Role};

const SERVER: ([u8; 4], u16) = ([127, 0, 0, 1], 7882);
pub(crate) const DELAY: Duration = Duration::from_millis(10);

/// Both ends and the network between them.
pub(crate) struct Pair {
    pub(crate) now: Instant,
    pub(crate) server: Link,
    pub(crate) client: Link,
    pub(crate) client_address: SocketAddr,
    pub(crate) server_events: Vec<LinkEvent>,
    pub(crate) client_events: Vec<LinkEvent>,
    /// Arrival, receiver, sender, datagram; in the order of arrival.
    pub(crate) under_way: Vec<(Instant, SocketAddr, SocketAddr, Vec<u8>)>,
    /// Every datagram towards the server, as an eavesdropper has it.
    pub(crate) overheard: Vec<(SocketAddr, Vec<u8>)>,
    /// Of a thousand datagrams, how many are lost.
    pub(crate) lost_permille: u64,
    pub(crate) random: u64,
    pub(crate) restarts: u32,
    pub(crate) fingerprints: [String; 2],
}

pub(crate) fn server_address() -> SocketAddr {
    SocketAddr::from(SERVER)
}

pub(crate) fn parameters(name: &str, restarts: u32, fingerprint: &str) -> LinkParameters {
    LinkParameters {
        ice_ufrag: format!("{name}{restarts}"),
        ice_pwd: format!("the password of {name}, {restarts}"),
        fingerprint: fingerprint.into(),
    }
}

pub(crate) fn configs(certificates: [Certificate; 2]) -> [LinkConfig; 2] {
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

pub(crate) fn certificates() -> [Certificate; 2] {
    [(); 2].map(|()| Certificate::generate().expect("randomness"))
}

impl Pair {
    pub(crate) fn new() -> Self {
        let certificates = certificates();
        let fingerprints = certificates.each_ref().map(|one| one.fingerprint().to_owned());
        let [server, client] = configs(certificates);
        Self::of(&server, &client, fingerprints)
    }

    pub(crate) fn of(server: &LinkConfig, client: &LinkConfig, fingerprints: [String; 2]) -> Self {
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

    pub(crate) fn connected() -> Self {
        let mut pair = Self::new();
        pair.run_until(|pair| {
            pair.server.state() == LinkState::Up && pair.client.state() == LinkState::Up
        });
        pair
    }

    /// xorshift64.
    pub(crate) fn random(&mut self) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random
    }

    pub(crate) fn send(&mut self, from: SocketAddr, to: SocketAddr, datagram: &[u8]) {
        if to == server_address() {
            self.overheard.push((from, datagram.to_vec()));
        }
        if self.lost_permille <= self.random() % 1000 {
            self.under_way.push((self.now + DELAY, to, from, datagram.to_vec()));
        }
    }

    pub(crate) fn collect(&mut self) {
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
    pub(crate) fn step(&mut self) {
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

    pub(crate) fn deliver(&mut self, to: SocketAddr, from: SocketAddr, datagram: &mut [u8]) {
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

    pub(crate) fn run_until(&mut self, mut done: impl FnMut(&mut Self) -> bool) {
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

    pub(crate) fn run_for(&mut self, duration: Duration) {
        let end = self.now + duration;
        self.run_until(|pair| end <= pair.now);
    }

    /// Sends an RTP packet from the server to wherever it believes the client to be.
    pub(crate) fn play(&mut self, number: u16) -> Option<SocketAddr> {
        let packet = Packet {
            marker: false,
            capture_time: None,
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

    pub(crate) fn restart_ice(&mut self) {
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

    pub(crate) fn move_client(&mut self, port: u16) {
        self.client_address.set_port(port);
    }

    pub(crate) fn highest_heard(&mut self) -> Option<u64> {
        self.client.opener_mut()?.highest_index(Ssrc(1))
    }
}
