//! What participants are told by RTCP, and what is made of what they tell.

use core::time::Duration;
use std::collections::BTreeSet;

use protocol::control::{Command, Event};
use protocol::id::ParticipantId;
use protocol::limits::DATAGRAM_BYTES_MAX;
use protocol::rtcp::{self, NtpTime, Packet, ReportBlock, SFU_SSRC, SenderInfo, Writer, to_short};
use protocol::rtp::Ssrc;
use protocol::time::Instant;

use super::{Table, add_source, address_of, packet, pair, set_muted, subscribe};
use crate::limits::{RTCP_INTERVAL, RTCP_PACKETS_PER_SECOND_MAX, SOURCES_PER_LINK_MAX};

/// What one participant was told.
#[derive(Debug, Default)]
struct Told {
    datagrams: usize,
    blocks: Vec<ReportBlock>,
    senders: Vec<(Instant, Ssrc, SenderInfo)>,
    gone: Vec<Ssrc>,
}

/// What a participant was told since it was last asked; checks what holds for every packet.
fn told(table: &mut Table, id: u32) -> Told {
    let mut told = Told::default();
    table.reports.retain(|(at, to, bytes)| {
        if *to != address_of(id) {
            return true;
        }
        told.datagrams += 1;
        assert!(bytes.len() <= DATAGRAM_BYTES_MAX - 20, "{} bytes", bytes.len());
        let packets: Vec<_> = rtcp::parse(bytes).expect("written properly").collect();
        assert!(matches!(packets[0], Packet::ReceiverReport { ssrc: SFU_SSRC, .. }));
        assert!(packets.iter().any(|p| matches!(p, Packet::Other { packet_type: 202 })));
        for packet in packets {
            match packet {
                Packet::ReceiverReport { blocks, .. } => told.blocks.extend(blocks),
                Packet::SenderReport { ssrc, info, .. } => told.senders.push((*at, ssrc, info)),
                Packet::Bye(sources) => told.gone.extend(sources),
                Packet::Application { .. } | Packet::Other { .. } => {}
            }
        }
        false
    });
    told
}

fn write(write: impl FnOnce(&mut Writer<'_>) -> Option<()>) -> Vec<u8> {
    let mut out = [0; DATAGRAM_BYTES_MAX];
    let mut writer = Writer::new(&mut out);
    write(&mut writer).expect("fits");
    let len = writer.len();
    out[..len].to_vec()
}

fn receiver_report(block: ReportBlock) -> Vec<u8> {
    write(|writer| writer.receiver_report(Ssrc(1), [block]))
}

/// Expected, lost, jitter in microseconds, round trip in milliseconds.
type Downlink = (u32, u32, u32, Option<u32>);

fn downlinks(table: &mut Table, id: u32) -> Vec<Downlink> {
    let events = core::mem::take(&mut table.events).into_iter();
    let told = events.filter_map(|event| match event {
        Event::Downlink {
            participant,
            ssrc: _,
            expected_packets,
            lost_packets,
            jitter_us,
            round_trip_us,
        } if participant.0 == id => {
            let round_trip_ms = round_trip_us.map(|us| (us + 500) / 1000);
            Some((expected_packets, lost_packets, jitter_us, round_trip_ms))
        }
        Event::Downlink { .. }
        | Event::LinkUp { .. }
        | Event::LinkDown { .. }
        | Event::LinkClosed { .. }
        | Event::OverRate { .. }
        | Event::CommandRefused { .. }
        | Event::Uplink { .. }
        | Event::WorkerLoad { .. } => None,
    });
    told.collect()
}

#[test]
fn a_publisher_is_told_what_of_its_stream_arrived() {
    let mut table = pair();
    for number in (65_500..=65_535).chain(0..=99).filter(|number| number % 4 != 0) {
        table.play(1, 11, number);
    }
    table.run(RTCP_INTERVAL);
    let [block] = told(&mut table, 1).blocks[..] else { panic!("one source, one second") };
    assert_eq!((block.ssrc, block.highest_sequence), (Ssrc(11), 65_536 + 99));
    // 256 * 33 / 135. 65,500 is missing too, but nobody can know that it was sent.
    assert_eq!((block.cumulative_lost, block.fraction_lost), (33, 62));
    assert_eq!(block.last_sender_report, 0);
    table.run(RTCP_INTERVAL);
    assert!(told(&mut table, 1).blocks.is_empty(), "nothing came");
}

#[test]
fn a_publishers_clock_comes_back_with_its_age() {
    let mut table = pair();
    table.run(RTCP_INTERVAL);
    let ntp = NtpTime(0x1111_2222_3333_4444);
    let info = SenderInfo { ntp, ..SenderInfo::default() };
    table.take(address_of(1), write(|writer| writer.sender_report(Ssrc(11), &info, [])));
    let mut ages = Vec::new();
    for number in 1..=2 {
        table.play(1, 11, number);
        table.run(RTCP_INTERVAL);
        let [block] = told(&mut table, 1).blocks[..] else { panic!("one source, one second") };
        assert_eq!(block.last_sender_report, 0x2222_3333);
        ages.push(block.since_sender_report);
    }
    assert!(ages[0] <= to_short(RTCP_INTERVAL), "{ages:?}");
    assert_eq!(ages[1] - ages[0], to_short(RTCP_INTERVAL));
}

#[test]
fn a_subscriber_is_told_what_was_sent_under_its_own_numbers() {
    let epoch = NtpTime::from_unix(Duration::from_secs(1_800_000_000));
    let mut table = pair();
    table.router = core::mem::replace(&mut table.router, super::Router::new(())).with_epoch(epoch);
    table.take(address_of(1), packet(11, 500, 1_000_000, &[7; 40]));
    let arrived = table.now;
    table.take(address_of(1), packet(11, 501, 1_000_120, &[7; 60]));
    table.run(RTCP_INTERVAL);
    let [(at, ssrc, info)] = told(&mut table, 2).senders[..] else { panic!("one stream") };
    let base = table.heard(2)[1].timestamp;
    assert_eq!((ssrc, info.packets, info.octets), (Ssrc(21), 2, 100));
    assert_eq!(info.ntp, epoch.at(at));
    let frames = at.saturating_since(arrived).as_nanos() * 48_000 / 1_000_000_000;
    assert_eq!(u128::from(info.rtp_timestamp - base), frames);
    table.run(RTCP_INTERVAL);
    assert!(told(&mut table, 2).senders.is_empty(), "nothing was sent");
    table.command(set_muted(1, 11, true));
    table.play(1, 11, 502);
    table.run(RTCP_INTERVAL);
    assert!(told(&mut table, 2).senders.is_empty(), "it is muted");
}

#[test]
fn a_subscribers_loss_jitter_and_round_trip_are_events() {
    let mut table = pair();
    (0..200).for_each(|number| table.play(1, 11, number));
    table.run(2 * RTCP_INTERVAL);
    let (at, _, info) = told(&mut table, 2).senders[0];
    downlinks(&mut table, 2);
    let lay = table.now.saturating_since(at);
    table.now = table.now + Duration::from_millis(40);
    table.take(
        address_of(2),
        receiver_report(ReportBlock {
            ssrc: Ssrc(21),
            fraction_lost: 0,
            cumulative_lost: 10,
            highest_sequence: 21 + 100,
            jitter: 48,
            last_sender_report: info.ntp.middle(),
            since_sender_report: to_short(lay),
        }),
    );
    table.run(RTCP_INTERVAL);
    assert_eq!(downlinks(&mut table, 2), [(100, 10, 1000, Some(40))]);
    table.run(RTCP_INTERVAL);
    assert_eq!(downlinks(&mut table, 2), [], "told once");
}

#[test]
fn reports_on_streams_of_others_are_ignored() {
    let mut table = pair();
    table.play(1, 11, 1);
    let block = |ssrc| ReportBlock {
        ssrc: Ssrc(ssrc),
        cumulative_lost: 5,
        highest_sequence: 22,
        ..ReportBlock::default()
    };
    // 21 is a stream of 2, not of 1; 11 is a source of 1, not of 2; nobody has 99.
    table.take(address_of(1), receiver_report(block(21)));
    table.take(address_of(2), receiver_report(block(99)));
    let info = SenderInfo { ntp: NtpTime(u64::MAX), ..SenderInfo::default() };
    table.take(address_of(2), write(|writer| writer.sender_report(Ssrc(11), &info, [])));
    table.take(address_of(2), write(|writer| writer.bye([Ssrc(21), Ssrc(11)])));
    assert_eq!(table.router.counters().rtcp_foreign, 3);
    table.play(1, 11, 2);
    assert_eq!(table.heard(2).len(), 2, "a goodbye of somebody else ends nothing");
    table.run(RTCP_INTERVAL);
    assert_eq!(downlinks(&mut table, 1), []);
    assert_eq!(downlinks(&mut table, 2), []);
    assert_eq!(told(&mut table, 1).blocks[0].last_sender_report, 0);
}

#[test]
fn malformed_and_too_many_packets_are_dropped_and_counted() {
    let mut table = pair();
    let good = receiver_report(ReportBlock::default());
    for len in 2..good.len() {
        table.take(address_of(2), good[..len].to_vec());
    }
    let counters = *table.router.counters();
    assert_eq!((counters.dropped_malformed, counters.rtcp_received), (good.len() as u64 - 2, 0));
    let mut lying = good.clone();
    lying[0] |= 31;
    table.take(address_of(2), lying);
    assert_eq!(table.router.counters().dropped_malformed, good.len() as u64 - 1);
    // A bucket holds twice its rate after a rest.
    for _ in 0..3 * RTCP_PACKETS_PER_SECOND_MAX {
        table.take(address_of(2), good.clone());
    }
    let dropped = table.router.counters().dropped_rtcp_rate;
    assert!(u64::from(RTCP_PACKETS_PER_SECOND_MAX) <= dropped);
    table.take(address_of(1), good);
    assert_eq!(table.router.counters().dropped_rtcp_rate, dropped, "others have their own rate");
}

#[test]
fn links_report_once_a_second_each_at_a_time_of_its_own() {
    const MEMBERS: u32 = 16;
    let mut table = Table::of(MEMBERS);
    for id in 1..=MEMBERS {
        table.command(add_source(id, id * 100));
        let next = id % MEMBERS + 1;
        table.command(subscribe(next, id * 100 + 1, id, id * 100));
    }
    let start = table.now;
    for number in 0..500 {
        for id in 1..=MEMBERS {
            table.play(id, id * 100, number);
        }
        table.run(Duration::from_millis(10));
    }
    let moments: BTreeSet<u64> =
        table.reports.iter().map(|report| report.0.as_ns() % 1_000_000_000).collect();
    assert_eq!(moments.len(), usize::try_from(MEMBERS).expect("small"), "each its own, each time");
    let gaps = moments.iter().zip(moments.iter().skip(1)).map(|(a, b)| b - a);
    assert!(gaps.min() > Some(1_000_000), "{moments:?}");
    let seconds = table.now.saturating_since(start).as_secs();
    for id in 1..=MEMBERS {
        assert_eq!(told(&mut table, id).datagrams as u64, seconds);
    }
}

#[test]
fn a_link_with_many_streams_is_told_of_all_of_them() {
    const STREAMS: u32 = 124;
    let sources = u32::try_from(SOURCES_PER_LINK_MAX).expect("small");
    let publishers = STREAMS.div_ceil(sources);
    let mut table = Table::of(publishers + 1);
    for stream in 0..STREAMS {
        let (id, ssrc) = (2 + stream / sources, 1000 + stream);
        table.command(add_source(id, ssrc));
        table.command(subscribe(1, 5000 + stream, id, ssrc));
    }
    for own in 0..sources {
        table.command(add_source(1, 9000 + own));
        table.play(1, 9000 + own, 1);
    }
    for stream in 0..STREAMS {
        table.play(2 + stream / sources, 1000 + stream, 1);
    }
    table.run(RTCP_INTERVAL);
    let told = told(&mut table, 1);
    assert_eq!(told.blocks.len(), SOURCES_PER_LINK_MAX);
    let senders: BTreeSet<Ssrc> = told.senders.iter().map(|sender| sender.1).collect();
    assert_eq!((senders.len(), told.senders.len()), (124, 124));
    assert_eq!(told.datagrams, 5);
}

#[test]
fn only_the_end_of_a_link_is_the_end_of_its_streams() {
    let mut table = pair();
    table.play(1, 11, 1);
    table.command(Command::Unsubscribe { subscriber: ParticipantId(2), stream: Ssrc(21) });
    table.command(subscribe(2, 21, 1, 11));
    table.command(subscribe(2, 22, 1, 11));
    table.command(Command::RemoveSource { participant: ParticipantId(1), ssrc: Ssrc(11) });
    table.run(RTCP_INTERVAL);
    assert_eq!(told(&mut table, 2).gone, []);
    table.command(Command::CloseLink { participant: ParticipantId(2) });
    assert_eq!(told(&mut table, 2).gone, [Ssrc(21), SFU_SSRC], "22 was never heard");
}

#[test]
fn the_ssrc_of_the_sfu_is_nobody_elses() {
    let mut table = pair();
    assert!(table.refused(add_source(1, SFU_SSRC.0)).contains("SFU"));
    assert!(table.refused(subscribe(2, SFU_SSRC.0, 1, 11)).contains("SFU"));
}

#[test]
fn reports_are_written_without_allocating() {
    let mut table = pair();
    table.play(1, 11, 1);
    let due = table.router.reports.poll_timeout().expect("there are links") + RTCP_INTERVAL;
    table.router.handle_timeout(due);
    let report = receiver_report(ReportBlock { ssrc: Ssrc(21), ..ReportBlock::default() });
    let (mut buffer, mut report) = ([0; 1500], report);
    let router = &mut table.router;
    let sent = assert_no_alloc::assert_no_alloc(|| {
        router.handle_datagram(due, address_of(2), &mut report);
        while router.poll_transmit(&mut buffer).is_some() {}
        router.counters().rtcp_sent
    });
    assert_eq!(sent, 2);
}
