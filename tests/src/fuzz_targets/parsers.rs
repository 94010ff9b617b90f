//! Pure parsers: what they accept must be consistent, what they refuse must be refused quietly.

use protocol::rtp::Packet;
use protocol::{red as red_payload, rtcp as rtcp_packet, rtp as rtp_packet};
use signalling_client::RoomLink;

/// [`protocol::rtp`]: an accepted packet's payload lies inside it and survives a round trip.
pub fn rtp(bytes: &[u8]) {
    let start = rtp_packet::header_bytes(bytes);
    let Ok(packet) = Packet::parse(bytes) else { return };
    let start = start.expect("what parses as a whole has a header");
    assert!(start + packet.payload.len() <= bytes.len());
    let extension = packet.capture_time.map_or(0, |_| rtp_packet::CAPTURE_TIME_BYTES);
    let mut out = vec![0; rtp_packet::HEADER_BYTES + extension + packet.payload.len()];
    let len = packet.write(&mut out).expect("there is exactly enough room");
    assert_eq!(Packet::parse(&out[..len]), Ok(packet));
}

/// [`protocol::rtcp`]: the parts of an accepted compound packet lie inside it, and its reports survive
/// a round trip.
pub fn rtcp(bytes: &[u8]) {
    use rtcp_packet::{Packet, Writer, parse};
    let Ok(packets) = parse(bytes) else { return };
    // Nothing grows but what is left out: profile extensions, reasons of farewells, padding.
    let mut out = vec![0; bytes.len()];
    let mut writer = Writer::new(&mut out);
    for packet in packets.clone() {
        match packet {
            Packet::SenderReport { ssrc, info, blocks } => {
                writer.sender_report(ssrc, &info, blocks)
            }
            Packet::ReceiverReport { ssrc, blocks } => writer.receiver_report(ssrc, blocks),
            Packet::Bye(sources) => writer.bye(sources),
            Packet::Application { subtype, ssrc, name, data } => {
                writer.application(subtype, ssrc, name, data)
            }
            Packet::Other { .. } => Some(()),
        }
        .expect("it fitted before");
    }
    let len = writer.len();
    if 0 < len {
        let written = parse(&out[..len]).expect("what was written is well formed");
        let known = packets.filter(|packet| !matches!(packet, Packet::Other { .. }));
        let told = |packets: Vec<Packet<'_>>| format!("{packets:?}");
        assert_eq!(told(written.collect()), told(known.collect()));
    }
}

/// [`protocol::red`]: the blocks of an accepted payload lie inside it, in order.
pub fn red(bytes: &[u8]) {
    let Ok(blocks) = red_payload::parse(bytes) else { return };
    let blocks: Vec<_> = blocks.collect();
    assert!((1..=red_payload::BLOCKS_MAX).contains(&blocks.len()));
    let audio: usize = blocks.iter().map(|block| block.bytes.len()).sum();
    assert!(audio + blocks.len() <= bytes.len(), "headers and blocks exceed the payload");
    assert_eq!(blocks.last().map(|block| block.age_frames), Some(0));
}

/// [`RoomLink`]: an accepted link means the same after being written out again.
pub fn room_link(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let Ok(link) = RoomLink::parse(&text) else { return };
    assert_eq!(RoomLink::parse(&link.to_string()), Ok(link.clone()), "{link}");
}
