//! Bounds of signalling, each with its arithmetic and with what happens when it is reached.
//!
//! Bounds that other parts rely on too (sizes of names and messages, participants of a room) are
//! in [`protocol::limits`].

use core::time::Duration;

use protocol::codec::Codec;
use protocol::limits::ROOM_PARTICIPANTS_MAX;

/// The bounds that depend on the machine. Reaching one is [`protocol::signal::ErrorCode::ServerFull`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// WebSockets at once, joined or not.
    pub connections_max: usize,
    /// Participants in all rooms, kept seats included.
    pub participants_max: usize,
    /// Rooms with at least one seat.
    pub rooms_max: usize,
    /// Participants from one [`crate::AddressBlock`], kept seats included, so that one household
    /// cannot shut the server for all. The shell bounds connections by it too.
    pub per_address_max: usize,
}

impl Default for Limits {
    /// One small machine: one SFU core forwards about 400 k packets/s, which is 800 musicians in
    /// duos at 400 packets/s; some connections more, for those who are joining. Two full rooms
    /// may play from one school.
    fn default() -> Self {
        Self {
            connections_max: 1000,
            participants_max: 800,
            rooms_max: 400,
            per_address_max: 2 * ROOM_PARTICIPANTS_MAX,
        }
    }
}

/// Packets per second, in and out, that a room counts for at least: a duo in 1.33 ms packets, where
/// each sends 750 and hears 750. Without it a crowd of rooms with one in each would be let in, and
/// their partners not.
pub const ROOM_PACKETS_PER_SECOND_MIN: u32 = 4 * Codec::Opus64.packets_per_second();

/// A worker that is busy for more of its time than this takes no more music, whatever was counted:
/// beyond some 85 % packets wait for each other longer than they are worked on. Reached: `server_full`
/// for whoever comes, and nothing for those who are there.
pub const WORKER_BUSY_PERMILLE_MAX: u16 = 850;

/// How long a connection may take to send `join`; then it is told `timed_out`.
pub const JOIN_DEADLINE: Duration = Duration::from_secs(10);

/// How long nothing may come from a connection; then it is told `timed_out`. The shell pings
/// every ten seconds, so two lost pings are forgiven.
pub const SILENCE_MAX: Duration = Duration::from_secs(30);

/// How long a seat is kept for a participant whose WebSocket is gone; then others are told `lost`.
pub const SEAT_KEPT: Duration = Duration::from_secs(15);

/// How long a ticket holds.
pub const TICKET_LIFE: Duration = Duration::from_secs(30);

/// How often a participant who is online is given a fresh ticket: early enough for the message
/// to arrive over a stalled connection.
pub const TICKET_RENEWAL: Duration = Duration::from_secs(20);

/// Messages of one connection: 20 a second, 60 at once. Beyond, a message is not looked at
/// (`too_fast`).
pub const MESSAGES: Rate = Rate { burst: 60, one_each: Duration::from_millis(50) };

/// Chat messages of one connection: 2 a second, 10 at once. Beyond, `too_fast`.
pub const CHAT_MESSAGES: Rate = Rate { burst: 10, one_each: Duration::from_millis(500) };

/// Changes of what a room shares, of one participant: 4 a second, 20 at once, so that tempo can be turned and tapped.
/// Beyond, `too_fast`.
pub const ROOM_CHANGES: Rate = Rate { burst: 20, one_each: Duration::from_millis(250) };

/// Words of one connection on how it hears the others: 1 a second and a little more, for clocks differ, 4 at once. Each goes to everybody in the room:
/// 2 kB to 31 others in a full one. Beyond, `too_fast`.
pub const HEARINGS: Rate = Rate { burst: 4, one_each: Duration::from_millis(900) };

/// Words of one connection on what its own sound takes around: one each 4 s, 4 at once. Nobody is told until somebody
/// looks. Beyond, `too_fast`.
pub const AROUNDS: Rate = Rate { burst: 4, one_each: Duration::from_secs(4) };

/// Looks of one connection at a room: one each 2 s, 5 at once, within the 10 s that it has to join. Somebody who guesses
/// names of rooms gets as far by joining. Beyond, `too_fast`.
pub const LOOKS: Rate = Rate { burst: 5, one_each: Duration::from_secs(2) };

/// Joins of one connection that somebody was asked about: 5 at once, one each 2 s, for whoever gets
/// the password right at the third try. Each costs a look into a database. Beyond, `too_fast`.
pub const JOINS: Rate = Rate { burst: 5, one_each: Duration::from_secs(2) };

/// How long whoever was taken out of a room stays out.
pub const REMOVED_FOR: Duration = Duration::from_secs(600);

/// Those whom a room remembers who were taken out, and as many who left silenced; the oldest are
/// forgotten.
pub const REMEMBERED_MAX: usize = 64;

/// Media links opened by one participant, restarts not counted: 10 at once, then one each three
/// seconds. Each costs the SFU a DTLS handshake, about a millisecond. Beyond, `too_fast`.
pub const LINKS: Rate = Rate { burst: 10, one_each: Duration::from_secs(3) };

/// Tracks published and unpublished by one participant: 40 at once, then 4 a second. Each is up to
/// 130 commands in a full room. Beyond, `too_fast`.
pub const PUBLICATIONS: Rate = Rate { burst: 40, one_each: Duration::from_millis(250) };

/// Packets per second of an ordinary player's track: Opus of 10 ms, the least that browsers send.
/// Beyond, the SFU drops packets (`over_rate`).
pub const STANDARD_PACKETS_PER_SECOND_MAX: u32 = 100;

/// How often a participant is told that packets were dropped for their rate; the SFU says so each
/// second. Beyond, nothing is said.
pub const OVER_RATE_TOLD: Rate = Rate { burst: 1, one_each: Duration::from_secs(10) };

/// Malformed messages of one connection, one forgiven each ten seconds. Beyond, `misbehaved`.
pub const MALFORMED_MESSAGES: Rate = Rate { burst: 10, one_each: Duration::from_secs(10) };

/// Messages refused as too fast, one forgiven each second. Beyond, `misbehaved`.
pub const HURRIED_MESSAGES: Rate = Rate { burst: 50, one_each: Duration::from_secs(1) };

/// Messages of a room's chat that a newcomer is shown; the oldest go.
pub const CHAT_HISTORY_MESSAGES_MAX: usize = 100;

/// Bytes of text in them; the oldest go. A hundred messages of the greatest length would be
/// 800 kB in every `joined`.
pub const CHAT_HISTORY_BYTES_MAX: usize = 64 * 1024;

/// The m-lines of an SDP offer: a slot for every stream, microphone, data channel, some spare.
pub const M_LINES_MAX: usize = protocol::limits::SUBSCRIBER_STREAMS_MAX + 4;

/// Lines of an SDP offer. Chromium writes about 25 for an m-line.
pub const SDP_LINES_MAX: usize = 64 * M_LINES_MAX;

/// Characters of an m-line's name. Browsers count from 0; others use short words. Beyond,
/// `bad_description`.
pub const MID_CHARS_MAX: usize = 32;

/// SSRCs that the microphones of an offer announce: one for each, and one for a retransmission that
/// nobody uses. Beyond, `too_many`.
pub const SDP_SSRCS_MAX: usize = 4 * protocol::limits::PARTICIPANT_TRACKS_MAX;

/// Slots that one link ever has, those of m-lines that are gone included: as many SSRCs as the SFU
/// remembers for a link. Beyond, `too_many`.
pub const LINK_SLOTS_EVER_MAX: usize = 1024;

/// Slots are asked for in steps of this size, so that not every newcomer costs a renegotiation.
pub const SLOTS_STEP: usize = 4;

/// Characters of an error's text; a parser's may quote what it read.
pub const ERROR_TEXT_CHARS_MAX: usize = 300;

/// Names that a publisher is told in one reason; the others are counted.
pub const REASON_NAMES_MAX: usize = 3;

/// Lost packets in a thousand from which on packets repeat the codec frame before. 3 of the 750
/// that an `opus-64` track sends in a second: 1.33 ms concealed three times a second is hardly heard,
/// and repeating costs everybody else nothing but the publisher a third more bits (a frame of 21
/// bytes and 4 of header, on a packet of 78 bytes with its IP, UDP, RTP and SRTP headers).
pub const REDUNDANCY_PERMILLE: u64 = 4;

/// Lost packets in a thousand from which on they repeat the two frames before. At 4 % of random
/// loss two in a row are lost 1.2 times a second, which one repetition does not mend.
pub const REDUNDANCY_DEEP_PERMILLE: u64 = 40;

/// Mean length of a run of lost packets, in tenths, from which on two frames are repeated, however
/// rare they are.
pub const REDUNDANCY_RUN_TENTHS: u64 = 15;

/// How long packets go on repeating after the last second whose loss asked for it. Loss comes in
/// spells (Wi-Fi, a neighbor's upload) that are seconds apart, and each beginning of one is heard.
pub const REDUNDANCY_CALM: Duration = Duration::from_secs(15);

/// How often a room's findings are concluded anew, and told where they changed: as often as apps tell.
pub const FINDINGS_EVERY: Duration = Duration::from_secs(1);

/// Findings that a room is told at once; of more, those that cost least are left out. A page has room for a handful
/// of sentences, and each is 250 bytes to everybody.
pub const FINDINGS_MAX: usize = 5;

/// How long something must be wrong on end before it is told: a moment of bad weather is nobody's to mend.
pub const FINDING_STANDS: Duration = Duration::from_secs(3);

/// How long nothing must be wrong before it is not told any more: Wi-Fi that is bad every few seconds is bad, and an app in a
/// full room speaks once in four.
pub const FINDING_GOES: Duration = Duration::from_secs(8);

/// By how much a number must have changed for its sentence to change.
pub const FINDING_CHANGES_PERCENT: u64 = 20;

/// Delay to win from which on a finding is serious: two thirds of the 30 ms that playing in time bears.
pub const SERIOUS_US: u32 = 20_000;

/// Characters of a name within a finding; the rest is cut.
pub const FINDING_NAME_CHARS_MAX: usize = 24;

/// How long what an app said of itself counts: two of its words may be lost in a full room, where it speaks once in
/// four seconds.
pub const ACCOUNT_OLD: Duration = Duration::from_secs(10);

/// How long what the SFU said of an uplink counts; it speaks once a second while packets come.
pub const UPLINK_OLD: Duration = Duration::from_secs(4);

/// A period, latency, round trip or wait that is longer is not believed: the room's clock takes no answer after 2 s either.
pub const BELIEVED_US_MAX: u32 = 2_000_000;

/// How often something may happen: a token bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// How many at once after a rest.
    pub burst: u32,
    /// How long it takes until one more is allowed.
    pub one_each: Duration,
}

const _: () = assert!(2 <= ROOM_PARTICIPANTS_MAX, "a jam needs two");
