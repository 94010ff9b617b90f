//! A relay between real sockets, both ends in hand.

use core::time::Duration;
use std::collections::BTreeSet;

use super::carrier::CLIENTS_MAX;
use super::*;

fn socket() -> UdpSocket {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    socket.set_read_timeout(Some(PATIENCE)).expect("a timeout above zero");
    socket
}

/// What comes in time; nothing is waited for as long if all is well.
const PATIENCE: Duration = Duration::from_secs(10);

/// A server that sends back what it gets, and a relay before it.
struct Echo {
    relay: Relay,
    server: UdpSocket,
}

impl Echo {
    fn behind(ways: [Way; 2]) -> Self {
        let server = socket();
        let target = server.local_addr().expect("bound");
        let listen = (Ipv4Addr::LOCALHOST, 0).into();
        let relay = Relay::start(Settings { listen, target, ways, seed: 1 });
        Self { relay: relay.expect("it starts"), server }
    }

    /// Sends each byte from a client to the server and back; gives those that reached the server.
    fn send(&self, client: &UdpSocket, bytes: core::ops::Range<u8>) -> Vec<u8> {
        let sent = bytes.len() as u64;
        let before = self.relay.counts().ways[0];
        for byte in bytes {
            client.send_to(&[byte], self.relay.address()).expect("the relay listens");
        }
        let end = std::time::Instant::now() + PATIENCE;
        let mut got = Vec::new();
        loop {
            let up = self.relay.counts().ways[0];
            let [arrived, lost] = [up.arrived - before.arrived, up.lost - before.lost];
            if arrived == sent && got.len() as u64 == arrived - lost {
                return got;
            }
            assert!(std::time::Instant::now() < end, "{up:?}, {} of {sent} came", got.len());
            if (got.len() as u64) < arrived - lost {
                let mut buffer = [0; 64];
                let (len, from) = self.server.recv_from(&mut buffer).expect("it is under way");
                self.server.send_to(&buffer[..len], from).expect("the relay listens");
                got.extend(&buffer[..len]);
            }
        }
    }
}

fn both(weather: Weather) -> [Way; 2] {
    let way = Way { weather, trace: None };
    [way.clone(), way]
}

fn receive(client: &UdpSocket) -> u8 {
    let mut buffer = [0; 64];
    assert_eq!(client.recv(&mut buffer).expect("it is under way"), 1);
    buffer[0]
}

#[test]
fn a_relay_delays_both_ways_and_loses_nothing_of_itself() {
    let echo = Echo::behind(both(Weather::delay_ms(15)));
    let client = socket();
    let sent = std::time::Instant::now();
    assert_eq!(echo.send(&client, 0..200), (0..200).collect::<Vec<u8>>());
    let back: Vec<u8> = (0..200).map(|_| receive(&client)).collect();
    assert!(sent.elapsed() >= Duration::from_millis(30));
    assert_eq!(back, (0..200).collect::<Vec<u8>>());
    let counts = echo.relay.counts();
    let each = WayCounts { arrived: 200, delivered: 200, ..WayCounts::default() };
    assert_eq!((counts.ways, counts.clients), ([each; 2], 1));
    assert_eq!(echo.relay.forwarded(), 400);
}

#[test]
fn directions_have_weather_of_their_own_and_a_seed_repeats_it() {
    let up = Way { weather: Weather::default().loss(0.3), trace: None };
    let down = Way { weather: Weather::default().duplicate(1.0), trace: None };
    let run = || {
        let echo = Echo::behind([up.clone(), down.clone()]);
        let client = socket();
        // Twice as many would not fit into a socket that nobody reads meanwhile.
        let got = echo.send(&client, 0..100);
        let back: Vec<u8> = (0..2 * got.len()).map(|_| receive(&client)).collect();
        let twice: Vec<u8> = got.iter().flat_map(|byte| [*byte; 2]).collect();
        let sorted = |mut bytes: Vec<u8>| {
            bytes.sort_unstable();
            bytes
        };
        assert_eq!(sorted(back), sorted(twice));
        got
    };
    let got = run();
    assert!((50..90).contains(&got.len()), "{}", got.len());
    assert_eq!(got, run());
}

#[test]
fn a_trace_is_replayed() {
    let trace = Trace::parse("20000\nlost\n0\n").expect("it is one");
    let up = Way { weather: Weather::default(), trace: Some(trace) };
    let echo = Echo::behind([up, Way::default()]);
    // The second is lost, and the third overtakes the first.
    assert_eq!(echo.send(&socket(), 0..3), [2, 0]);
}

#[test]
fn a_cut_loses_everything_until_it_is_over() {
    let echo = Echo::behind(both(Weather::default()));
    let client = socket();
    assert_eq!(echo.send(&client, 0..3).len(), 3);
    echo.relay.cut();
    assert_eq!(echo.send(&client, 0..3), []);
    // Somebody who comes meanwhile is cut off, too.
    let newcomer = socket();
    assert_eq!(echo.send(&newcomer, 0..3), []);
    echo.relay.restore();
    assert_eq!(echo.send(&client, 0..3).len(), 3);
    echo.relay.cut_for(PATIENCE);
    assert_eq!(echo.send(&newcomer, 0..3), []);
}

#[test]
fn weather_changes_while_it_runs() {
    let echo = Echo::behind(both(Weather::default().loss(1.0)));
    let client = socket();
    assert_eq!(echo.send(&client, 0..9), []);
    echo.relay.set_weather(Weather::default());
    assert_eq!(echo.send(&client, 0..9).len(), 9);
}

#[test]
fn the_server_sees_clients_apart_and_there_are_not_too_many() {
    let echo = Echo::behind(both(Weather::default()));
    let clients: Vec<UdpSocket> = (0..=CLIENTS_MAX).map(|_| socket()).collect();
    let mut seen = BTreeSet::new();
    for client in &clients[..CLIENTS_MAX] {
        client.send_to(&[7], echo.relay.address()).expect("the relay listens");
        let (_, from) = echo.server.recv_from(&mut [0; 64]).expect("it is under way");
        seen.insert(from);
    }
    assert_eq!(seen.len(), CLIENTS_MAX);
    // One too many, and one that is known.
    clients[CLIENTS_MAX].send_to(&[8], echo.relay.address()).expect("the relay listens");
    clients[0].send_to(&[9], echo.relay.address()).expect("the relay listens");
    let mut buffer = [0; 64];
    echo.server.recv_from(&mut buffer).expect("it is under way");
    assert_eq!((buffer[0], echo.relay.counts().refused), (9, 1));
}

#[test]
fn a_server_that_is_gone_does_not_end_the_relay() {
    let Echo { relay, server } = Echo::behind(both(Weather::default()));
    let target = server.local_addr().expect("bound");
    drop(server);
    let client = socket();
    for _ in 0..20 {
        client.send_to(&[1], relay.address()).expect("the relay listens");
    }
    let server = UdpSocket::bind(target).expect("it was free a moment ago");
    server.set_read_timeout(Some(PATIENCE)).expect("a timeout above zero");
    client.send_to(&[2], relay.address()).expect("the relay listens");
    let mut buffer = [0; 64];
    while buffer[0] != 2 {
        server.recv(&mut buffer).expect("it comes through again");
    }
    assert!(relay.is_running());
    assert!(relay.end().is_ok());
}

#[test]
fn an_address_that_is_taken_is_told() {
    let taken = socket();
    let listen = taken.local_addr().expect("bound");
    let settings = Settings { listen, target: listen, ways: both(Weather::default()), seed: 1 };
    let error = Relay::start(settings).expect_err("it is taken").to_string();
    assert!(error.starts_with(&format!("cannot listen at {listen}: ")), "{error}");
}
