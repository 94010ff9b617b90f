//! Bounds of one router, each with its arithmetic and with what happens when it is reached.

use core::time::Duration;

use protocol::limits::{
    PARTICIPANT_TRACKS_MAX, ROOM_PARTICIPANTS_MAX, SUBSCRIBER_STREAMS_MAX, TRACK_ENCODINGS_MAX,
};

/// Links of one router. One core forwards about 300 k packets/s: some 14 rooms of 8, so this is ten
/// times what it could serve. Reached: `OpenLink` is refused.
pub const LINKS_MAX: usize = 1024;

/// Sources of one participant: every track in every encoding, and as many again while encodings
/// are exchanged. Reached: `AddSource` is refused.
pub const SOURCES_PER_LINK_MAX: usize = 2 * PARTICIPANT_TRACKS_MAX * TRACK_ENCODINGS_MAX;

/// Streams to one participant that carry something at the same time, and as many again while slots
/// are exchanged. Reached: `Subscribe` is refused.
pub const STREAMS_PER_LINK_MAX: usize = 2 * SUBSCRIBER_STREAMS_MAX;

/// Streams to one participant whose numbering is remembered, carrying or not. As many as a link may
/// ever seal. Reached: `Subscribe` is refused.
pub const STREAMS_REMEMBERED_PER_LINK_MAX: usize = 1024;

/// Subscribers of one source: everybody else in a full room, twice over while slots are exchanged.
/// Reached: `Subscribe` is refused.
pub const SUBSCRIBERS_PER_SOURCE_MAX: usize = 2 * ROOM_PARTICIPANTS_MAX;

/// Addresses at which one participant is known at a time: a browser checks from each of its
/// interfaces in both IP versions. Reached: the one that was silent longest is forgotten.
pub const ADDRESSES_PER_LINK_MAX: usize = 8;

/// How long an address stays with its participant after the last authentic STUN from it. Whoever
/// forges that address cannot take it away meanwhile; who really got it (a NAT gave it on) waits.
pub const ADDRESS_HELD: Duration = Duration::from_secs(7);

/// Packets per second that a source may declare: the fastest track sends 750. Reached: `AddSource`
/// is refused.
pub const SOURCE_PACKETS_PER_SECOND_MAX: u32 = 1000;

/// The part of its declared rate that a source may send beyond it: sound cards differ from the
/// nominal rate by 500 ppm at worst, and this is thirty times that. Reached: packets are dropped and
/// counted, and [`protocol::control::Event::OverRate`] says so once a second.
pub const SOURCE_RATE_TOLERANCE_DIVISOR: u32 = 64;

/// What of a source may come at once, of its declared rate: half a second, held up by a network and
/// let go. Reached: as above.
pub const SOURCE_BURST: Duration = Duration::from_millis(500);

/// Numbers that may be missing from a source before a packet counts as astray: four seconds of the
/// fastest track (`MAX_DROPOUT` of RFC 3550 A.1). Reached: dropped, unless the next one follows it.
pub const SOURCE_AHEAD_PACKETS_MAX: u64 = 3000;

/// STUN and DTLS datagrams per second of one link, from its own addresses: data channel messages of two encodings and
/// their acknowledgements. Reached: datagrams are dropped.
pub const CONTROL_DATAGRAMS_PER_SECOND_MAX: u32 = 3000;

/// STUN per second from addresses that belong to nobody yet, all together: 200 joining at once
/// with ten checks each. Reached: dropped, which a joining participant makes good 100 ms later.
pub const STRANGER_STUN_PER_SECOND_MAX: u32 = 2000;

/// STUN per second for one link from addresses that are not its own: a browser seeking paths from
/// [`ADDRESSES_PER_LINK_MAX`] addresses, a dozen checks each. Whoever knows a ufrag uses up no more
/// than this of what all joining participants share. Reached: dropped.
pub const STRANGER_STUN_PER_LINK_PER_SECOND_MAX: u32 = 100;

/// Numbers of a source that may go by without one being sent to a subscriber, who takes no such
/// payloads for instance. Reached: the next one that is sent is joined on, so that the gap never
/// comes near the 32,768 at which the subscriber would lose count (RFC 3711 §3.3.1).
pub const UNSENT_GAP_PACKETS_MAX: u64 = 16_384;

/// Opened packets that wait for [`crate::Router::poll_transmit`]; two batches of the server.
/// Reached: the oldest is dropped.
pub const PENDING_PACKETS_MAX: usize = 64;

/// Events that wait for [`crate::Router::poll_event`]: a minute of reports of a full router.
/// Reached: the oldest is dropped and counted.
pub const EVENTS_MAX: usize = 65_536;

/// Datagrams of closed links that wait to be sent: one or two for each link, should all close at
/// once. Reached: the oldest is dropped.
pub const FAREWELLS_MAX: usize = 2 * LINKS_MAX;

/// RTCP packets per second of one link: a browser reports on each of 124 streams in packets
/// of their own, every second or two, and on its microphones. Reached: dropped.
pub const RTCP_PACKETS_PER_SECOND_MAX: u32 = 500;

/// Answers to questions for the time that wait to be sent: a datagram has one at most, and four batches of them are
/// handled before anything else is. Reached: the oldest is dropped, and asked for again.
pub const ANSWERS_MAX: usize = 256;

/// How often each link is sent RTCP. A link of a full room gets 124 sender reports in four datagrams
/// of 1.4 kB; one of 8 musicians gets one of 400 bytes, beside 5,250 datagrams of music.
pub const RTCP_INTERVAL: Duration = Duration::from_secs(1);

/// Streams in one compound RTCP packet: a source description names 31, the SFU itself among them.
/// Beyond, there is another packet.
pub const RTCP_STREAMS_MAX: usize = 30;

/// Streams whose end is told when a link closes: what fits one datagram. Beyond, the rest ends with
/// the link.
pub const RTCP_FAREWELL_STREAMS_MAX: usize = 240;

/// The least time between two rounds over all links' timers: a round over a thousand links takes
/// some 20 µs, and nothing in them is finer than the 20 ms of a delayed acknowledgement.
pub const TIMER_ROUND_INTERVAL_MIN: Duration = Duration::from_millis(5);

/// How often sources are reported.
pub const REPORT_INTERVAL: Duration = Duration::from_secs(1);
