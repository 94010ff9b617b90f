//! Bounds of one link, each with its arithmetic and with what happens when it is reached.

use core::time::Duration;

/// SSRCs that one half of a link may see in its life. A subscriber of a full room has 124; the rest
/// is for those who come and go. Their indices are never forgotten, which is what keeps a nonce from
/// coming back. Reached: the SSRC is refused; a new link starts afresh.
pub const SSRCS_MAX: usize = 1024;

/// SSRCs for which each half has room from the start, so that the first packet of a stream does not
/// allocate.
pub const SSRCS_EXPECTED: usize = 32;

/// Source addresses from which the STUN of one link may come in its life. `str0m` remembers each
/// for ever; a phone that changes its address every minute has four hours. Reached: STUN from
/// further addresses is dropped, and the link goes down unless an earlier address is heard.
pub const ADDRESSES_MAX: usize = 256;

/// Datagrams that wait for [`crate::Link::poll_transmit`]: a DTLS flight has six, a data channel
/// answers every second message. Reached: the oldest is dropped, as a full socket would.
pub const TRANSMITS_MAX: usize = 64;

/// Events that wait for [`crate::Link::poll_event`], data channel messages most of them: a quarter
/// of a second at 1,000 messages/s. Reached: the oldest message is dropped.
pub const EVENTS_MAX: usize = 256;

/// STUN transactions that a link remembers until its next ICE restart: an hour of checks, or some
/// minutes while paths are sought; 53 kB at most. Reached: the oldest is forgotten, and a copy of
/// that check from elsewhere would be believed.
pub const TRANSACTIONS_MAX: usize = 4096;

/// Silence of authenticated STUN after which the SFU takes a link to be down: when consent to send
/// expires (RFC 7675 §5.1). Firefox checks every 4 to 6 s and does not repeat a check that is lost,
/// so that half of this would take two lost datagrams for an end.
pub const SERVER_SILENCE_MAX: Duration = Duration::from_secs(30);

/// Silence of the nominated path after which an authenticated request from elsewhere takes over
/// without nominating: longer than Chromium's 2.5 s between checks, so that its spare paths do not,
/// and shorter than the least 4 s between those of Firefox, whose very first check from a new port
/// then does.
pub const PATH_SILENCE_MAX: Duration = Duration::from_millis(3500);

/// The same for a native participant, which checks every [`CLIENT_CHECK_INTERVAL`].
pub const CLIENT_SILENCE_MAX: Duration = Duration::from_secs(4);

/// How often a native participant sends connectivity checks on a working path.
pub const CLIENT_CHECK_INTERVAL: Duration = Duration::from_secs(1);

/// First retransmission of a lost DTLS flight. RFC 6347 §4.2.4.1 wants a second by default and
/// allows less where delay matters; most paths to a musician who can play along take 50 ms.
pub const DTLS_RETRANSMIT_FIRST: Duration = Duration::from_millis(150);

/// The longest time between two retransmissions of a DTLS flight, each of which else waits for twice as
/// long as the one before. RFC 6347 §4.2.4.1 lets it grow to 60 s, which serves a congested path: this is
/// at most ten datagrams a second.
pub const DTLS_RETRANSMIT_LONGEST: Duration = Duration::from_secs(1);

/// Retransmissions of one DTLS flight: 26 s in all. Reached: the handshake has failed and the link is
/// over.
pub const DTLS_RETRANSMITS_MAX: usize = 28;

/// How long a DTLS handshake may take. Reached: it has failed and the link is over.
pub const DTLS_HANDSHAKE_MAX: Duration = Duration::from_secs(40);

/// Bytes that wait in the data channel's send queue: 32 ms at 400 messages of 120 bytes per
/// second. Reached: a message is refused, because later would be too late.
pub const CHANNEL_QUEUE_BYTES_MAX: usize = 64 * 1024;

/// Chunks of data channel messages that may lie ahead of the last one that is acknowledged: over a
/// second of both encodings of a track, and more than a sender may have under way. The library
/// keeps those behind a missing one, and sorts them for each that comes. Reached: SCTP packets are
/// dropped, until the missing one comes or is given up.
pub const SCTP_AHEAD_MAX_CHUNKS: u32 = 2048;

/// SCTP INIT chunks that a link takes in its life: one, and its retransmissions. Reached: further
/// ones are dropped.
pub const SCTP_INITS_MAX: u32 = 32;

/// Bytes of a ClientHello that is put together from fragments: Firefox's with a post-quantum key
/// share has about 1,600; some room for what comes. Reached: the fragments are left to the library,
/// which never answers.
pub const HELLO_BYTES_MAX: usize = 8 * 1024;

/// Unanswered checks after which a path is given up; silence is noticed long before. Reached: the
/// path is checked again from the start with the next round.
pub const STUN_RETRANSMITS_MAX: usize = 30;
