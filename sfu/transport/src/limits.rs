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

/// Silence of authenticated STUN after which the SFU takes a link to be down. Browsers check every
/// 2.5 s (Chromium) to 6 s (Firefox, RFC 7675 with its random factor).
pub const SERVER_SILENCE_MAX: Duration = Duration::from_secs(13);

/// The same for a native participant, which checks every [`CLIENT_CHECK_INTERVAL`].
pub const CLIENT_SILENCE_MAX: Duration = Duration::from_secs(4);

/// How often a native participant sends connectivity checks on a working path.
pub const CLIENT_CHECK_INTERVAL: Duration = Duration::from_secs(1);

/// First retransmission of a lost DTLS flight. RFC 6347 §4.2.4.1 wants a second by default and
/// allows less where delay matters; most paths to a musician who can play along take 50 ms.
pub const DTLS_RETRANSMIT_FIRST: Duration = Duration::from_millis(150);

/// Retransmissions of one DTLS flight, each after twice the time before: 38 s in all, about the
/// 40 s after which a handshake is given up.
pub const DTLS_RETRANSMITS_MAX: usize = 7;

/// Bytes that wait in the data channel's send queue: 32 ms at 400 messages of 120 bytes per
/// second. Reached: a message is refused, because later would be too late.
pub const CHANNEL_QUEUE_BYTES_MAX: usize = 64 * 1024;
