//! How fast virtual time passes: a simulated minute is mostly the engines' own work.
//!
//! An engine that plays with seven others in `opus-64` encodes 750 codec frames a second at some
//! 10 µs and decodes 5,250 at some 3 µs: eight of them need about 11 s for a minute, whatever the
//! world around them costs. So what is bounded is the world: against engines alone, in one process.

use core::time::Duration;

use engine::{Channels, Encoding, Session, SessionConfig};
use protocol::codec::Codec;
use protocol::limits::DATAGRAM_BYTES_MAX;
use protocol::rtp::Ssrc;
use protocol::time::Instant;
use relay::weather::Weather;
use rustix::time::{ClockId, clock_gettime};
use tests::musician::Musician;
use tests::room::Room;
use tests::sound::{MUSIC, Sound};

/// Seconds of virtual time that are measured.
const SECONDS: u32 = 20;

/// What this thread has used of a processor.
fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    let seconds = u64::try_from(time.tv_sec).expect("not negative");
    Duration::new(seconds, u32::try_from(time.tv_nsec).expect("below a second"))
}

/// Processor time that musicians in a simulated room need for a second of music.
fn in_a_room(musicians: usize, codec: Codec) -> Duration {
    let mut room = Room::new(181);
    for (i, track) in MUSIC.iter().take(musicians).enumerate() {
        let musician = Musician::new(&format!("Musician {i}"), track).sends(codec);
        room.join(musician.behind(Weather::delay_ms(5).jitter_us(100)));
    }
    room.play_seconds(1.0);
    let start = cpu_time();
    room.play_seconds(f64::from(SECONDS));
    (cpu_time() - start) / SECONDS
}

/// Processor time that the engines alone need, with nothing between them.
fn engines_alone(musicians: usize, codec: Codec) -> Duration {
    let ssrc = |i: usize| Ssrc(u32::try_from(i + 1).expect("a few"));
    let engine = |i: usize| {
        let seed = u64::from(ssrc(i).0);
        let config = SessionConfig { period_frames_max: 64, seed, ..SessionConfig::default() };
        let mut session = engine::session(&config).expect("a period that any card has");
        session.control.set_encodings(&[Encoding::new(codec, ssrc(i))]).expect("any codec");
        for other in (0..musicians).filter(|other| *other != i) {
            session.control.add_remote(ssrc(other), Channels::Mono).expect("a new remote");
        }
        session
    };
    let mut engines: Vec<Session> = (0..musicians).map(engine).collect();
    let load = |track: &&str| Sound::music(track).expect("the track is in tests/music").to_mono();
    let music: Vec<Vec<f32>> = MUSIC.iter().take(musicians).map(load).collect();
    let (mut left, mut right) = ([0.0; 64], [0.0; 64]);
    let mut packets = Vec::new();
    let mut buffer = [0; DATAGRAM_BYTES_MAX];
    let start = cpu_time();
    for period in 0..u64::from(SECONDS) * 750 {
        let now = Instant::from_ns(period * 1_000_000_000 / 750);
        let from = usize::try_from(period * 64).expect("short");
        for (i, engine) in engines.iter_mut().enumerate() {
            let from = from % (music[i].len() - 64);
            engine.capture.capture(&[&music[i][from..from + 64]]);
            engine.render.render(now, &mut [&mut left, &mut right]);
            while let Some(len) = engine.outgoing.poll_packet(&mut buffer) {
                packets.push((i, buffer[..len].to_vec()));
            }
        }
        for (from, packet) in packets.drain(..) {
            for (i, engine) in engines.iter_mut().enumerate() {
                if i != from {
                    engine.incoming.handle_packet(now, &packet).expect("it is played");
                }
            }
        }
    }
    (cpu_time() - start) / SECONDS
}

#[test]
fn the_world_costs_little_beside_the_engines() {
    for (musicians, codec) in
        [(2, Codec::Pcm), (2, Codec::Opus64), (2, Codec::Opus), (8, Codec::Pcm), (8, Codec::Opus64)]
    {
        let alone = engines_alone(musicians, codec);
        let room = in_a_room(musicians, codec);
        let minute = |second: Duration| (60 * second).as_millis();
        let (room_ms, alone_ms) = (minute(room), minute(alone));
        eprintln!("{musicians} in {codec}: a minute takes {room_ms} ms, its engines {alone_ms} ms");
        // PCM costs the engine next to nothing, so there the world is most of it.
        assert!(room < 4 * alone, "{musicians} in {codec}: {room_ms} ms, {alone_ms} ms of engines");
    }
}
