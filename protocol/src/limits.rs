//! Bounds that more than one part relies on, each with its arithmetic.

/// Bytes of the largest datagram that any part sends or accepts on media: fits one Ethernet frame
/// with IPv6 and UDP headers, tunnels included (1500 - 40 - 8 leaves room).
pub const DATAGRAM_BYTES_MAX: usize = 1400;

/// Bytes of the largest RTP payload: what is left beside header and SRTP tag. 64 frames of stereo
/// PCM are 257 bytes with RED; 20 ms of Opus at 510 kbit/s are 1,275.
pub const PAYLOAD_BYTES_MAX: usize = 1300;

/// Bytes of one data channel message, an RTP packet: fits one SCTP chunk of any browser, because
/// fragments are not put together.
pub const CHANNEL_MESSAGE_BYTES_MAX: u16 = 1024;

/// Bytes of one signalling message. The largest is a Chromium offer with a slot for every stream:
/// 124 of 1 kB, a microphone and a data channel: 127 kB, without the ICE candidates.
pub const SIGNAL_MESSAGE_BYTES_MAX: usize = 192 * 1024;

/// Characters of a room's name.
pub const ROOM_NAME_CHARS_MAX: usize = 64;

/// Seconds in which a pass is to be used.
pub const PASS_LIFE_SECONDS: u32 = 60;

/// Characters of a participant's name.
pub const PARTICIPANT_NAME_CHARS_MAX: usize = 48;

/// Characters of one chat message.
pub const CHAT_TEXT_CHARS_MAX: usize = 2000;

/// Participants in one room: 32 musicians at 400 packets/s each are 397 k packets/s out, about what
/// one core forwards at best.
pub const ROOM_PARTICIPANTS_MAX: usize = 32;

/// Characters of a track's label.
pub const TRACK_LABEL_CHARS_MAX: usize = 32;

/// Tracks of one participant.
pub const PARTICIPANT_TRACKS_MAX: usize = 4;

/// Encodings of one track: one for jam participants, one that everybody plays.
pub const TRACK_ENCODINGS_MAX: usize = 2;

/// Streams that one participant can receive: every track of everybody else.
pub const SUBSCRIBER_STREAMS_MAX: usize = (ROOM_PARTICIPANTS_MAX - 1) * PARTICIPANT_TRACKS_MAX;

/// Stretches of a click that are told at once: the one that is played, the next, and two more where somebody
/// changes tempo within a bar.
pub const CLICK_SEGMENTS_MAX: usize = 4;

/// Beats of a bar.
pub const BAR_BEATS_MAX: usize = 16;

/// The slowest and fastest click, in thousandths of a beat a minute.
pub const TEMPO_MILLIBPM_MIN: u32 = 20_000;
/// The fastest.
pub const TEMPO_MILLIBPM_MAX: u32 = 400_000;

/// Takes that a room remembers; the oldest go, from the room's list only.
pub const ROOM_TAKES_MAX: usize = 32;

/// Characters of a take's title and of a marker.
pub const TAKE_TITLE_CHARS_MAX: usize = 64;
