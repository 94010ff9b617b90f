//! The engine's listening half, by well-formed packets: what a publisher may send whose software is broken
//! or who means harm, since nothing on the way looks into a payload.
//!
//! [`super::engine()`] has packets of any bytes, of which nearly all are refused at the door. Here each is
//! taken, and what is arbitrary is which, when, how long, how numbered and in what order.

use core::time::Duration;

use engine::limits::{AHEAD_FRAMES_MAX, PACKET_FRAMES_MAX, PLAYOUT_DELAY_FRAMES_MAX};
use engine::{Channels, PlayoutMode, RemoteStats, Session, SessionConfig, StreamState};
use protocol::red::{self, Block};
use protocol::rtp::{Packet, PayloadType, Ssrc};
use protocol::time::Instant;
use relay::random::Random;

const SOURCE: Ssrc = Ssrc(11);

/// Instructions of four bytes: packets of every codec and length, at once or put aside; those put aside, in
/// any order and more than once; heaps of packets; callbacks of any size; jumps of timestamps and numbers;
/// time that passes here or there; what the listener wants. In the end a musician plays for two and a half
/// seconds, and of the last half nothing is missing.
pub fn arrivals(bytes: &[u8]) {
    let mut room = Room::new();
    for instruction in bytes.as_chunks::<4>().0.iter().take(INSTRUCTIONS_MAX) {
        room.follow(*instruction);
    }
    room.must_play();
}

/// Programs of random instructions, for a corpus.
pub(super) fn programs(count: u64, instructions: usize) -> Vec<Vec<u8>> {
    let program = |seed| {
        let mut random = Random::from_seed(seed);
        (0..instructions).flat_map(|_| random.next_u64().to_le_bytes()[..4].to_vec()).collect()
    };
    (0..count).map(program).collect()
}

/// A listener, and one who publishes for it.
struct Room {
    listener: Session,
    /// Device time and media time, in frames.
    now: u64,
    media: u32,
    sequence_number: u16,
    random: Random,
    /// Packets that come later.
    aside: Vec<Vec<u8>>,
    /// The latest payloads, which packets repeat: media time, codec, bytes.
    sent: Vec<(u32, PayloadType, Vec<u8>)>,
    /// Packets that were taken.
    handed: u64,
}

impl Room {
    fn new() -> Self {
        let mut listener = engine::session(&SessionConfig::default()).expect("valid");
        listener.control.add_remote(SOURCE, Channels::Mono).expect("the first remote");
        Self {
            listener,
            now: 0,
            media: 0,
            sequence_number: 0,
            random: Random::from_seed(1),
            aside: Vec::new(),
            sent: Vec::new(),
            handed: 0,
        }
    }

    fn follow(&mut self, [operation, a, b, c]: [u8; 4]) {
        let wide = u16::from_le_bytes([a, b]);
        match operation % 12 {
            0..3 => {
                let packet = self.packet(a, c);
                if b.is_multiple_of(4) && self.aside.len() < ASIDE_MAX {
                    self.aside.push(packet);
                } else {
                    self.hand(&packet);
                }
            }
            3 => {
                if !self.aside.is_empty() {
                    let packet = self.aside.swap_remove(usize::from(a) % self.aside.len());
                    (0..=b % 3).for_each(|_| self.hand(&packet));
                }
            }
            4 => (0..c).for_each(|_| {
                let packet = self.packet(a, b);
                self.hand(&packet);
            }),
            5 => self.call_back(1 + usize::from(wide) % PERIOD_MAX),
            6 => (0..c % 16).for_each(|_| self.call_back(1 + usize::from(a))),
            7 => {
                let far = i32::from_le_bytes([0, a, b, c]) >> (8 * (c % 3));
                self.media = self.media.wrapping_add_signed(far);
            }
            8 => self.sequence_number = self.sequence_number.wrapping_add(wide),
            9 => {
                // Captured there and lost, or the device here stood still.
                let frames = u32::from(wide) % 96_000;
                if c.is_multiple_of(2) {
                    self.media = self.media.wrapping_add(frames);
                } else {
                    self.now += u64::from(frames);
                }
            }
            10 => (0..c % 64).for_each(|_| {
                let before = self.media;
                let packet = self.packet(a, b);
                self.hand(&packet);
                let frames = usize::try_from(self.media.wrapping_sub(before)).unwrap_or(64);
                self.call_back(frames);
            }),
            _ => {
                let mode = match a % 4 {
                    0 => PlayoutMode::Automatic,
                    1 => PlayoutMode::Lower,
                    2 => PlayoutMode::Safer,
                    _ => PlayoutMode::Fixed(u32::from(wide).min(24_000)),
                };
                self.listener.control.set_playout(SOURCE, mode).expect("a remote, and a delay");
            }
        }
    }

    /// The next packet: its codec and length by `form`, what it repeats by `repeats`.
    fn packet(&mut self, form: u8, repeats: u8) -> Vec<u8> {
        let (payload_type, frames, payload) = self.payload(form);
        let mut blocks: Vec<Block<'_>> = Vec::new();
        for (media, payload_type, bytes) in self.sent.iter().rev().take(usize::from(repeats % 4)) {
            let age = self.media.wrapping_sub(*media).wrapping_add(u32::from(repeats / 64));
            let Ok(age_frames) = u16::try_from(age) else { continue };
            if 0 < age_frames && age_frames < 1 << 14 {
                blocks.insert(0, Block { payload_type: *payload_type, age_frames, bytes });
            }
        }
        blocks.push(Block { payload_type, age_frames: 0, bytes: &payload });
        let mut out = [0; 2048];
        let bare = payload_type == PayloadType::OPUS && blocks.len() == 1;
        let packet = if bare {
            self.wrap(PayloadType::OPUS, &payload)
        } else {
            let len = red::write(&blocks, &mut out).expect("short blocks");
            self.wrap(PayloadType::RED, &out[..len])
        };
        if self.sent.len() == 3 {
            self.sent.remove(0);
        }
        self.sent.push((self.media, payload_type, payload));
        self.media = self.media.wrapping_add(frames);
        self.sequence_number = self.sequence_number.wrapping_add(1);
        packet
    }

    /// Codec, frames and bytes of a codec frame of noise; PCM is a tone.
    fn payload(&mut self, form: u8) -> (PayloadType, u32, Vec<u8>) {
        let mut noise = |len| (0..len).map(|_| self.random.next_u64().to_le_bytes()[0]).collect();
        match form % 8 {
            0 | 1 => (PayloadType::PCM, 64, tone(self.media)),
            2 | 3 => (PayloadType::OPUS_64, 64, noise(16)),
            // The first byte of Opus says how long it is (RFC 6716 section 3.1): 2.5 to 20 ms of music, or
            // 40 and 60 of speech.
            length => {
                let of = [(28, 120), (29, 240), (31, 960), (3, 2880)];
                let (config, frames): (u8, u32) = of[usize::from(length - 4)];
                let mut bytes: Vec<u8> = noise(1 + usize::from(form / 8));
                bytes[0] = config << 3;
                (PayloadType::OPUS, frames, bytes)
            }
        }
    }

    fn wrap(&self, payload_type: PayloadType, payload: &[u8]) -> Vec<u8> {
        let packet = Packet {
            marker: false,
            capture_time: None,
            payload_type,
            sequence_number: self.sequence_number,
            timestamp: self.media,
            ssrc: SOURCE,
            payload,
        };
        let mut bytes = [0; 2048];
        let len = packet.write(&mut bytes).expect("it fits");
        bytes[..len].to_vec()
    }

    fn hand(&mut self, packet: &[u8]) {
        // A full queue is counted; everything else is taken.
        let taken = self.listener.incoming.handle_packet(self.instant(), packet);
        let refused = taken.is_err_and(|error| error != engine::IncomingError::ExhaustedQueue);
        // Three blocks may be more than a payload's bytes.
        assert!(!refused || 1300 < packet.len() - 12, "{taken:?}");
        self.handed += u64::from(!refused);
    }

    fn instant(&self) -> Instant {
        Instant::ZERO + Duration::from_nanos(self.now * 62_500 / 3)
    }

    fn call_back(&mut self, frames: usize) {
        let (mut left, mut right) = ([0.0_f32; PERIOD_MAX], [0.0_f32; PERIOD_MAX]);
        let (left, right) = (&mut left[..frames], &mut right[..frames]);
        let before = self.stats();
        let now = self.instant();
        self.listener.render.render(now, &mut [&mut *left, &mut *right]);
        self.listener.control.poll();
        self.now += u64::try_from(frames).expect("short");
        let is_sound = |sample: &f32| sample.is_finite() && sample.abs() <= 1.0;
        assert!(left.iter().chain(&*right).all(is_sound));
        self.check(&before, frames);
    }

    fn check(&self, before: &RemoteStats, frames: usize) {
        let now = self.stats();
        let played = now.played_frames - before.played_frames;
        assert!(played <= u64::try_from(frames).expect("short"), "{before:?} {now:?}");
        // What is invented is counted before it is played, and may be left out after all.
        let made = now.played_frames + u64::from(now.buffer_frames) + INVENTED_AHEAD;
        assert!(now.concealed_frames <= made, "{before:?} {now:?}");
        let known = now.received_packets + now.duplicate_packets;
        assert!(known <= self.handed, "{} {now:?}", self.handed);
        assert!(self.handed <= known + now.refused_packets, "{} {now:?}", self.handed);
        assert!(now.late_packets <= now.received_packets, "{now:?}");
        let longest = i64::try_from(2 * frames + 2 * PACKET_FRAMES_MAX).expect("short");
        let within = |frames: u32, most: i64| i64::from(frames) <= most + longest;
        assert!(within(now.playout_delay_target_frames, PLAYOUT_DELAY_FRAMES_MAX), "{now:?}");
        assert!(within(now.buffer_frames, 2 * AHEAD_FRAMES_MAX), "{now:?}");
    }

    fn stats(&self) -> RemoteStats {
        self.listener.control.remotes().next().expect("it was added")
    }

    fn must_play(&mut self) {
        let automatic = PlayoutMode::Automatic;
        self.listener.control.set_playout(SOURCE, automatic).expect("a remote");
        // Numbers that are nobody's: near the latest, those that came before are taken for repeated.
        self.sequence_number = self.sequence_number.wrapping_add(1 << 15);
        self.play_calmly(96_000);
        let before = self.stats();
        self.play_calmly(24_000);
        let after = self.stats();
        let events = |stats: &RemoteStats| {
            let unheard = stats.late_packets + stats.refused_packets + stats.lost_packets;
            (stats.concealed_frames, unheard, stats.resynchronizations)
        };
        assert_eq!(events(&before), events(&after), "{before:?} {after:?}");
        assert_eq!(after.state, StreamState::Playing, "{after:?}");
        assert_eq!(after.played_frames - before.played_frames, 24_000, "{after:?}");
    }

    fn play_calmly(&mut self, frames: u32) {
        for _ in 0..frames / 64 {
            let packet = self.packet(0, 0);
            self.hand(&packet);
            self.call_back(64);
        }
    }
}

/// A codec frame of a tone of 375 Hz, as PCM.
fn tone(media: u32) -> Vec<u8> {
    let sample = |frame: u32| {
        let turn = f64::from(media.wrapping_add(frame) % 128) / 128.0;
        #[expect(clippy::cast_possible_truncation, reason = "half of full scale")]
        let sample = ((turn * core::f64::consts::TAU).sin() * 16_384.0) as i16;
        sample.to_be_bytes()
    };
    (0..64).flat_map(sample).collect()
}

/// What the longest input comes to: some ten seconds.
const INSTRUCTIONS_MAX: usize = 200;

/// Frames that were invented and left out, as few as in two of the longest codec frames of our own.
const INVENTED_AHEAD: u64 = 240;

/// Packets that are put aside at once.
const ASIDE_MAX: usize = 64;

/// Frames in the longest callback.
const PERIOD_MAX: usize = 8192;
