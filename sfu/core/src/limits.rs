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

/// Packets per second of one source: the fastest track sends 750. Reached: packets are dropped.
pub const SOURCE_PACKETS_PER_SECOND_MAX: u32 = 1000;

/// Packets of one source that may come at once: half a second, held up by a network and let go.
pub const SOURCE_BURST_PACKETS_MAX: u32 = 500;

/// STUN and DTLS datagrams per second of one link: data channel messages of two encodings and
/// their acknowledgements. Reached: datagrams are dropped.
pub const CONTROL_DATAGRAMS_PER_SECOND_MAX: u32 = 3000;

/// STUN per second from addresses that belong to nobody yet, all together: 200 joining at once
/// with ten checks each. Reached: dropped, which a joining participant makes good 100 ms later.
pub const STRANGER_STUN_PER_SECOND_MAX: u32 = 2000;

/// Opened packets that wait for [`crate::Router::poll_transmit`]; two batches of the server.
/// Reached: the oldest is dropped.
pub const PENDING_PACKETS_MAX: usize = 64;

/// Events that wait for [`crate::Router::poll_event`]: a minute of reports of a full router.
/// Reached: the oldest is dropped and counted.
pub const EVENTS_MAX: usize = 65_536;

/// Datagrams of closed links that wait to be sent: one or two for each link, should all close at
/// once. Reached: the oldest is dropped.
pub const FAREWELLS_MAX: usize = 2 * LINKS_MAX;

/// The least time between two rounds over all links' timers: a round over a thousand links takes
/// some 20 µs, and nothing in them is finer than the 20 ms of a delayed acknowledgement.
pub const TIMER_ROUND_INTERVAL_MIN: Duration = Duration::from_millis(5);

/// How often sources are reported.
pub const REPORT_INTERVAL: Duration = Duration::from_secs(1);
