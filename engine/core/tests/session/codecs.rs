//! Codecs that change while they play, that play side by side, and that strangers send.

use engine::{Channels, Encoding, StreamState, session};
use protocol::codec::Codec;
use protocol::red;
use protocol::rtp::{Packet, PayloadType, Ssrc};
use protocol::time::Instant;

use crate::rig::listen::{disturbances, fit, tone};
use crate::rig::{Plan, Rig, SSRC};

#[test]
fn a_publisher_changes_codecs_without_a_gap() {
    let mut rig = Rig::new(Plan::clean(Codec::Opus64), tone);
    let order = [Codec::Opus, Codec::Pcm, Codec::Opus64, Codec::Pcm, Codec::Opus, Codec::Opus64];
    let mut seconds = 1.0;
    rig.run_until(seconds);
    for codec in order {
        let encodings = [Encoding::new(codec, SSRC)];
        rig.sender.control.set_encodings(&encodings).expect("a valid encoding");
        seconds += 1.0;
        rig.run_until(seconds);
        assert_eq!(rig.stats().codec, Some(codec));
    }
    let heard = rig.into_heard();
    // The timeline has no hole: going from 64-frame to 120-frame packets needs a longer playout
    // delay at first, which is where a few frames may be invented.
    assert!(heard.end.concealed_frames <= 6 * 120, "{:?}", heard.end);
    assert_eq!(heard.end.state, StreamState::Playing);
    // The tone shifts by the codecs' look-ahead, which may be half a period: then it is softer in
    // the middle of the cross-fade. Otherwise it is there all the time.
    for (index, window) in heard.left[14_400..].chunks_exact(120).enumerate() {
        let fit = fit(window, index * 120);
        assert!(0.1 < fit.amplitude, "nearly silent at {} ms", 300.0 + index as f64 * 2.5);
    }
    let events = disturbances(&heard.left[14_400..], 14_400, 0.5);
    assert!(events.len() <= 12, "{events:?}");
    let apart = |event: &usize| (event % 48_000) < 14_400;
    assert!(events.iter().all(apart), "only near the changes: {events:?}");
}

#[test]
fn an_encoding_beside_another_leaves_it_alone() {
    let packets = |second: Option<Encoding>| {
        let config = engine::SessionConfig { seed: 9, ..Default::default() };
        let mut sender = session(&config).expect("a valid configuration");
        let first = Encoding::new(Codec::Opus64, SSRC);
        sender.control.set_encodings(&[first]).expect("valid");
        let mut seen = Vec::new();
        for block in 0..600 {
            if block == 200
                && let Some(second) = second
            {
                sender.control.set_encodings(&[first, second]).expect("valid");
            }
            let input: Vec<f32> = (block * 64..block * 64 + 64).map(|n| tone(n)[0]).collect();
            let queued = sender.capture.capture(&[&input]);
            let mut out = [0; 1400];
            let mut count = 0;
            while let Some(len) = sender.outgoing.poll_packet(&mut out) {
                seen.push(out[..len].to_vec());
                count += 1;
            }
            assert_eq!(queued, count);
        }
        seen
    };
    let alone = packets(None);
    let opus = Encoding::new(Codec::Opus, Ssrc(77));
    let both = packets(Some(opus));
    let ssrc = |packet: &&Vec<u8>| Packet::parse(packet).expect("well formed").ssrc;
    assert!(both.iter().filter(|packet| ssrc(packet) == SSRC).eq(&alone));
    let second: Vec<_> = both.iter().filter(|packet| ssrc(packet) == Ssrc(77)).collect();
    assert!((210..=214).contains(&second.len()), "{}", second.len());
    for pair in second.windows(2) {
        let [a, b] = [0, 1].map(|index| Packet::parse(pair[index]).expect("well formed"));
        assert_eq!(b.timestamp.wrapping_sub(a.timestamp), 120);
        assert_eq!(b.sequence_number.wrapping_sub(a.sequence_number), 1);
        assert_eq!((a.payload_type, a.payload.len()), (PayloadType::OPUS, 30));
    }
}

#[test]
fn every_packet_of_a_track_has_one_size() {
    for codec in Codec::ALL {
        for redundant_frames in [0, 1, 2] {
            let mut sender = session(&engine::SessionConfig::default()).expect("valid");
            let encoding = Encoding { redundant_frames, ..Encoding::new(codec, SSRC) };
            sender.control.set_encodings(&[encoding]).expect("valid");
            let mut sizes = Vec::new();
            for block in 0..400 {
                let loud = if block % 100 < 50 { 1.0 } else { 0.0 };
                let input: Vec<f32> = (block * 64..block * 64 + 64)
                    .map(|n| loud * tone(n)[0] + loud * tone(n * n)[0])
                    .collect();
                sender.capture.capture(&[&input]);
                let mut out = [0; 1400];
                while let Some(len) = sender.outgoing.poll_packet(&mut out) {
                    sizes.push(len);
                }
            }
            let steady = &sizes[2..];
            assert!(steady.iter().all(|size| *size == steady[0]), "{codec} {redundant_frames}");
        }
    }
}

#[test]
fn a_codec_change_starts_where_the_other_ended_to_the_frame() {
    let mut sender = session(&engine::SessionConfig::default()).expect("valid");
    let mut ends: Option<u32> = None;
    let codecs = [Codec::Opus, Codec::Opus64, Codec::Pcm, Codec::Opus, Codec::Pcm];
    for (number, codec) in codecs.into_iter().enumerate() {
        let ssrc = Ssrc(u32::try_from(number).expect("small"));
        sender.control.set_encodings(&[Encoding::new(codec, ssrc)]).expect("valid");
        for _ in 0..37 {
            sender.capture.capture(&[&[0.1; 50]]);
            let mut out = [0; 1400];
            while let Some(len) = sender.outgoing.poll_packet(&mut out) {
                let packet = Packet::parse(&out[..len]).expect("well formed");
                assert!(ends.is_none_or(|end| end == packet.timestamp), "{codec}");
                let step = u32::try_from(codec.codec_frame_frames()).expect("small");
                ends = Some(packet.timestamp.wrapping_add(step));
            }
        }
    }
}

#[test]
fn frames_that_the_device_lost_leave_a_hole_in_media_time() {
    let mut sender = session(&engine::SessionConfig::default()).expect("valid");
    sender.control.set_encodings(&[Encoding::new(Codec::Opus, SSRC)]).expect("valid");
    let mut seen = Vec::new();
    for block in 0..20 {
        if block == 10 {
            sender.capture.skip(1000);
        }
        sender.capture.capture(&[&[0.1; 64]]);
        let mut out = [0; 1400];
        while let Some(len) = sender.outgoing.poll_packet(&mut out) {
            let packet = Packet::parse(&out[..len]).expect("well formed");
            seen.push((packet.timestamp, packet.marker));
        }
    }
    // Five packets of the first 640 frames, whose last 40 are lost with the gap; then five more.
    let at = |frames: u32| seen[0].0.wrapping_add(frames);
    assert_eq!(seen.len(), 10);
    assert_eq!(seen[4], (at(480), false));
    assert_eq!(seen[5], (at(1640), true));
    assert_eq!(seen[9], (at(2120), false));
}

/// Sends what an ordinary WebRTC client sends: Opus of so many frames in the application for
/// music, bare or as RED.
fn ordinary_client(frames: usize, as_red: bool) {
    let mut encoder =
        opus::Encoder::new(48_000, opus::Channels::Stereo, opus::Application::Audio).expect("made");
    encoder.set_bitrate(opus::Bitrate::Bits(256_000)).expect("valid");
    let mut receiver = session(&engine::SessionConfig::default()).expect("valid");
    receiver.control.add_remote(SSRC, Channels::Stereo).expect("the first");
    let (mut left, mut right) = (vec![0.0; 64], vec![0.0; 64]);
    let mut heard = Vec::new();
    let mut sent = 0;
    for block in 0..2250_u64 {
        let now = Instant::from_ns(block * 4_000_000 / 3);
        // The packet that ends before this callback comes 0.3 ms before it.
        while (sent + 1) * frames <= usize::try_from(block).expect("small") * 64 {
            let at = sent * frames;
            let input: Vec<f32> = (at..at + frames).flat_map(tone).collect();
            let mut coded = [0; 1300];
            let len = encoder.encode_float(&input, &mut coded).expect("encodes");
            let mut payload = [0; 1301];
            let (payload_type, len) = if as_red {
                let block = red::write_primary(PayloadType::OPUS, &coded[..len], &mut payload);
                (PayloadType::RED, block.expect("fits"))
            } else {
                payload[..len].copy_from_slice(&coded[..len]);
                (PayloadType::OPUS, len)
            };
            let packet = Packet {
                marker: sent == 0,
                capture_time: None,
                payload_type,
                sequence_number: u16::try_from(sent).expect("few"),
                timestamp: u32::try_from(at).expect("short").wrapping_sub(5000),
                ssrc: SSRC,
                payload: &payload[..len],
            };
            let mut bytes = [0; 1400];
            let len = packet.write(&mut bytes).expect("fits");
            let arrival = Instant::from_ns(now.as_ns() - 300_000);
            receiver.incoming.handle_packet(arrival, &bytes[..len]).expect("a good packet");
            sent += 1;
        }
        receiver.render.render(now, &mut [&mut left, &mut right]);
        heard.extend_from_slice(&left);
    }
    let stats = receiver.control.remotes().next().expect("one");
    assert_eq!((stats.concealed_frames, stats.late_packets, stats.splices), (0, 0, 0), "{stats:?}");
    assert_eq!(disturbances(&heard[24_000..], 24_000, 0.5), Vec::<usize>::new(), "{frames}");
    assert!(usize::try_from(stats.buffer_frames).expect("small") <= frames + 64, "{stats:?}");
}

#[test]
fn opus_of_any_duration_is_played_without_a_seam() {
    for frames in [120, 240, 480, 960, 1920, 2880] {
        ordinary_client(frames, false);
    }
    ordinary_client(960, true);
}

#[test]
fn a_muted_publisher_fades_out_and_in_and_nothing_counts_as_lost() {
    for codec in Codec::ALL {
        let mut rig = Rig::new(Plan::clean(codec), tone);
        rig.run_until(1.0);
        rig.sender.control.set_input_muted(engine::Mute::Muted).expect("takes commands");
        rig.run_until(2.0);
        let muted = rig.stats();
        assert_eq!(muted.state, StreamState::Idle, "{codec}");
        let sent_before = muted.received_packets;
        rig.run_until(3.0);
        assert_eq!(rig.stats().received_packets, sent_before, "{codec}: nothing is sent");
        rig.sender.control.set_input_muted(engine::Mute::Open).expect("takes commands");
        rig.run_until(4.0);
        let heard = rig.into_heard();
        let end = heard.end;
        assert_eq!((end.lost_packets, end.late_packets), (0, 0), "{codec} {end:?}");
        assert_eq!(end.concealed_frames, 0, "{codec}: the end was silence: {end:?}");
        assert!(heard.left[52_800..140_000].iter().all(|sample| sample.abs() < 1e-3), "{codec}");
        let events = disturbances(&heard.left[150_000..], 150_000, 0.5);
        assert!(events.is_empty(), "{codec} {events:?}");
        let bend = |w: &[f32]| (w[0] - 2.0 * w[1] + w[2]).abs();
        let sharpest = heard.left[24_000..].windows(3).map(bend).fold(0.0, f32::max);
        assert!(sharpest < 0.08, "{codec}: {sharpest}");
    }
}

#[test]
fn what_cannot_be_encoded_is_refused_by_name() {
    use engine::EncodingError as Error;
    let mut session = session(&engine::SessionConfig::default()).expect("valid");
    let control = &mut session.control;
    let base = Encoding::new(Codec::Opus64, Ssrc(1));
    let other = |ssrc| Encoding { ssrc: Ssrc(ssrc), ..base };
    let mut check = |encodings: &[Encoding], error| {
        assert_eq!(control.set_encodings(encodings), Err(error));
    };
    check(&[base, other(2), other(3)], Error::ExhaustedEncodings(3));
    check(&[base, base], Error::MisuseSameSsrc(Ssrc(1)));
    let bitrate = protocol::units::Bitrate(1);
    check(&[Encoding { bitrate, ..base }], Error::MisuseBitrate(bitrate));
    check(&[Encoding { redundant_frames: 3, ..base }], Error::MisuseRedundancy(3));
    let mut no_red = base;
    no_red.payload_types.red = None;
    check(&[no_red], Error::MisuseNoRed(Codec::Opus64));
    for ssrc in 0..32 {
        assert_eq!(control.set_encodings(&[other(ssrc)]), Ok(()));
        session.capture.capture(&[&[0.0; 64]]);
    }
    assert_eq!(
        control.set_encodings(&[other(32)]),
        Err(Error::ExhaustedSources { ssrc: Ssrc(32) })
    );
    assert_eq!(control.set_encodings(&[other(31)]), Ok(()));
}
