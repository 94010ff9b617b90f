//! Everything that can happen in a room happens while the callbacks run under the guard.

use assert_no_alloc::assert_no_alloc;
use engine::{Channels, Encoding, Mute, Session, SessionConfig, session};
use protocol::codec::Codec;
use protocol::rtp::Ssrc;
use protocol::time::Instant;

use crate::rig::listen::tone;
use crate::rig::weather::Random;

/// A musician who publishes, and the packets of that track.
struct Musician {
    session: Session,
    ssrc: Ssrc,
}

#[test]
fn no_callback_allocates_whatever_happens() {
    let mut random = Random(1);
    let mut listener = session(&SessionConfig::default()).expect("valid");
    let mut musicians: Vec<Musician> = Vec::new();
    let mut next_ssrc = 0;
    for block in 0..6000_u64 {
        let now = Instant::from_ns(block * 4_000_000 / 3);
        if block % 97 == 0 && musicians.len() < 15 {
            let config = SessionConfig {
                channels: Channels::Stereo,
                seed: random.next(),
                ..Default::default()
            };
            let session = session(&config).expect("valid");
            let ssrc = Ssrc(next_ssrc);
            next_ssrc += 1;
            listener.control.add_remote(ssrc, Channels::Stereo).expect("room");
            musicians.push(Musician { session, ssrc });
        }
        if block % 531 == 530 {
            let place = usize::try_from(random.next()).unwrap_or(0) % musicians.len();
            let gone = musicians.remove(place);
            listener.control.remove_remote(gone.ssrc).expect("there");
        }
        for musician in &mut musicians {
            let chance = random.next() % 400;
            let control = &mut musician.session.control;
            if chance < 3 || block % 97 == 0 {
                let codec = Codec::ALL[usize::try_from(random.next() % 3).expect("small")];
                let encoding = Encoding {
                    redundant_frames: usize::try_from(random.next() % 3).expect("small"),
                    ..Encoding::new(codec, musician.ssrc)
                };
                control.set_encodings(&[encoding]).expect("valid");
            } else if chance == 3 {
                control.set_input_muted(Mute::Muted).expect("takes commands");
            } else if chance < 6 {
                control.set_input_muted(Mute::Open).expect("takes commands");
            }
            let at = usize::try_from(block).expect("small") * 64;
            let input: Vec<f32> = (at..at + 64).map(|n| 0.1 * tone(n)[0]).collect();
            let capture = &mut musician.session.capture;
            assert_no_alloc(|| capture.capture(&[&input, &input]));
            let mut packet = [0; 1400];
            while let Some(len) = musician.session.outgoing.poll_packet(&mut packet) {
                if !random.next().is_multiple_of(50) {
                    let incoming = &mut listener.incoming;
                    // Not even the receiving thread allocates for a packet.
                    let result = assert_no_alloc(|| incoming.handle_packet(now, &packet[..len]));
                    result.expect("a known remote");
                }
            }
        }
        let frames = [64, 64, 64, 1, 500, 64][usize::try_from(block % 6).expect("small")];
        let (mut left, mut right) = (vec![0.0; frames], vec![0.0; frames]);
        let render = &mut listener.render;
        assert_no_alloc(|| render.render(now, &mut [&mut left, &mut right]));
        assert!(left.iter().chain(&right).all(|sample| sample.abs() <= 1.0));
        if block % 50 == 0 {
            listener.control.poll();
        }
    }
    assert!(10 < musicians.len());
    assert!(listener.control.remotes().any(|remote| 0 < remote.concealed_frames));
}

#[test]
fn a_callback_that_was_away_drops_what_is_too_much_and_goes_on() {
    let mut sender = session(&SessionConfig::default()).expect("valid");
    let mut receiver = session(&SessionConfig::default()).expect("valid");
    let ssrc = Ssrc(1);
    sender.control.set_encodings(&[Encoding::new(Codec::Pcm, ssrc)]).expect("valid");
    receiver.control.add_remote(ssrc, Channels::Mono).expect("room");
    let mut refused = 0;
    for _ in 0..10_000 {
        sender.capture.capture(&[&[0.5; 64]]);
        let mut packet = [0; 1400];
        while let Some(len) = sender.outgoing.poll_packet(&mut packet) {
            let result = receiver.incoming.handle_packet(Instant::ZERO, &packet[..len]);
            refused += u64::from(result == Err(engine::IncomingError::ExhaustedQueue));
        }
    }
    assert_eq!(refused, 10_000 - 4096);
    let (mut left, mut right) = ([0.0; 64], [0.0; 64]);
    let render = &mut receiver.render;
    assert_no_alloc(|| render.render(Instant::ZERO, &mut [&mut left, &mut right]));
    let stats = receiver.control.remotes().next().expect("one");
    assert!(refused < stats.overrun_packets, "{stats:?}");
    // The sending side has its own limit.
    for _ in 0..1000 {
        sender.capture.capture(&[&[0.5; 64]]);
    }
    assert_eq!(sender.control.stats().outgoing_overrun_frames, 1000 - 512);
}

#[test]
fn controls_refuse_when_no_callback_takes_commands() {
    let mut session = session(&SessionConfig::default()).expect("valid");
    let mut taken = 0;
    while session.control.set_input_muted(Mute::Muted).is_ok() {
        taken += 1;
    }
    assert_eq!(taken, 256 + 4096);
    session.capture.capture(&[&[0.0; 64]]);
    assert!(session.control.set_input_muted(Mute::Open).is_err());
    session.control.poll();
    assert!(session.control.set_input_muted(Mute::Open).is_ok());
}

#[test]
fn a_session_is_refused_what_it_could_not_do() {
    let with = |period_frames_max, complexity| {
        let config = SessionConfig { period_frames_max, complexity, ..Default::default() };
        session(&config).map(|_| ())
    };
    assert_eq!(with(1, 10), Ok(()));
    assert_eq!(with(0, 4), Err(engine::SessionError::MisusePeriod(0)));
    assert_eq!(with(8193, 4), Err(engine::SessionError::MisusePeriod(8193)));
    assert_eq!(with(64, 11), Err(engine::SessionError::MisuseComplexity(11)));
}
