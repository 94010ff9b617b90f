//! Hostile bytes on every open door while two musicians play: they keep hearing each other, and
//! the server keeps running.

use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use protocol::codec::Codec;
use relay::random::Random;
use tests::machine::in_real_time;
use tests::process::{FileMusician, Server};
use tungstenite::{Message, WebSocket};

use crate::ears::{Ears, music};

#[test]
fn two_musicians_hear_each_other_while_others_attack_every_door() {
    in_real_time(|machine| {
        let mut server = Server::start(&[]).expect("the server starts");
        let (piano, oboe) = (music("late-bus-piano", 11), music("harbor-oboe", 11));
        let arguments = ["--duration", "12", "--codec", "opus-64"];
        let link = server.link("r");
        let mut ann = FileMusician::join(&link, "Ann", &piano, &arguments).expect("it starts");
        let mut bob = FileMusician::join(&link, "Bob", &oboe, &arguments).expect("it starts");

        let ended = Arc::new(AtomicBool::new(false));
        let (media, http, websocket) = (server.media, server.http, server.websocket());
        let attacks = [
            attack(&ended, move |seed| send_datagrams(media, seed)),
            attack(&ended, move |seed| send_messages(&websocket, seed)),
            attack(&ended, move |seed| send_bytes(http, seed)),
        ];
        let (ann, bob) = (ann.heard().expect("it plays on"), bob.heard().expect("it plays on"));
        ended.store(true, Ordering::Relaxed);
        for attack in attacks {
            let rounds = attack.join().expect("an attacker does not panic");
            assert!(10 < rounds, "an attack that hardly happened proves nothing: {rounds}");
        }
        assert!(server.process.is_running().expect("it can be asked"), "the server ended");
        assert!(!server.process.printed().contains("panicked"), "{}", server.process.printed());
        Ears::new(&ann, 10)?.must_hear("Ann", &oboe, Codec::Opus64, machine)?;
        Ears::new(&bob, 10)?.must_hear("Bob", &piano, Codec::Opus64, machine)
    });
}

/// Attacks until told to end; gives the number of rounds.
fn attack(ended: &Arc<AtomicBool>, round: impl Fn(u64) + Send + 'static) -> JoinHandle<u64> {
    let ended = Arc::clone(ended);
    std::thread::spawn(move || {
        let mut rounds = 0;
        while !ended.load(Ordering::Relaxed) {
            round(rounds);
            rounds += 1;
            // Some hundred attacks a second: enough to find a fault, and the musicians on the same
            // two cores are not simply starved.
            std::thread::sleep(Duration::from_millis(10));
        }
        rounds
    })
}

/// Datagrams that look like STUN, DTLS, RTP and RTCP from the front, and like nothing behind.
fn send_datagrams(media: SocketAddr, seed: u64) {
    let mut random = Random::from_seed(seed);
    let socket = UdpSocket::bind(("127.0.0.1", 0)).expect("a free port");
    for first in [0_u8, 1, 20, 22, 23, 63, 64, 127, 128, 144, 191, 192, 255] {
        let mut bytes: Vec<u8> =
            (0..random.below(1500)).map(|_| random_byte(&mut random)).collect();
        bytes.insert(0, first);
        // A buffer that is full for a moment is no fault.
        drop(socket.send_to(&bytes, media));
    }
    drop(socket.send_to(&stun_request(&mut random), media));
    drop(socket.send_to(&[], media));
}

/// A well formed binding request for a user nobody knows, its integrity made up.
fn stun_request(random: &mut Random) -> Vec<u8> {
    let user = b"nobody:knows";
    let mut bytes = vec![0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42];
    bytes.extend((0..12).map(|_| random_byte(random)));
    bytes.extend([0, 6, 0, 12]);
    bytes.extend(user);
    bytes.extend([0, 8, 0, 20]);
    bytes.extend((0..20).map(|_| random_byte(random)));
    let len = u16::try_from(bytes.len() - 20).expect("a short message");
    bytes[2..4].copy_from_slice(&len.to_be_bytes());
    bytes
}

/// Opens a WebSocket and says what nobody should.
fn send_messages(address: &str, seed: u64) {
    let mut random = Random::from_seed(seed);
    let Ok((mut socket, _)) = tungstenite::connect(address) else { return };
    let join = r#"{"type":"join","version":1,"room":"r","name":"Eve","capabilities":{"engine":"native","decodes":[]}}"#;
    let hostile = match random.below(9) {
        0 => vec![Message::text("{")],
        1 => vec![Message::binary(vec![0_u8; 1000])],
        2 => vec![Message::text(format!(r#"{{"type":"chat","text":"{}"}}"#, "x".repeat(300_000)))],
        3 => vec![Message::text("[".repeat(100_000))],
        4 => vec![Message::text(r#"{"type":"leave"}"#), Message::text(r#"{"type":"leave"}"#)],
        5 => vec![Message::text(join), Message::text(join)],
        6 => vec![
            Message::text(join),
            Message::text(
                r#"{"type":"connect","ticket":"media.r.1.9999999999999.00","description":{"kind":"direct","link":{"ice_ufrag":"x","ice_pwd":"y","fingerprint":"z"},"candidates":[]}}"#,
            ),
        ],
        7 => vec![
            Message::text(join),
            Message::text(
                r#"{"type":"publish","label":"x","channels":9,"codecs":[],"sources":[]}"#,
            ),
            Message::text(r#"{"type":"mute","track":1,"muted":true}"#),
            Message::text(r#"{"type":"unpublish","track":1}"#),
        ],
        _ => {
            (0..100).map(|i| Message::text(format!(r#"{{"type":"ping","request":{i}}}"#))).collect()
        }
    };
    for message in hostile {
        if socket.send(message).is_err() {
            return;
        }
    }
    read_some(&mut socket);
}

/// Reads what is answered, so that the attacker is not merely a slow reader, and goes away.
fn read_some(socket: &mut WebSocket<tungstenite::stream::MaybeTlsStream<TcpStream>>) {
    if let tungstenite::stream::MaybeTlsStream::Plain(stream) = socket.get_mut() {
        stream.set_read_timeout(Some(Duration::from_millis(30))).expect("a timeout above zero");
    }
    while socket.read().is_ok() {}
}

/// Bytes that are no HTTP, and HTTP that stops in the middle.
fn send_bytes(http: SocketAddr, seed: u64) {
    use std::io::Write;
    let mut random = Random::from_seed(seed);
    let Ok(mut stream) = TcpStream::connect(http) else { return };
    let bytes: Vec<u8> = match random.below(3) {
        0 => (0..random.below(4000)).map(|_| random_byte(&mut random)).collect(),
        1 => b"GET /api/v1/ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n".to_vec(),
        _ => b"GET /../../../../etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n".to_vec(),
    };
    // The server may have hung up already, which is its right.
    drop(stream.write_all(&bytes));
}

fn random_byte(random: &mut Random) -> u8 {
    random.next_u64().to_le_bytes()[0]
}
