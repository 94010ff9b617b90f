//! Somebody who plays a tone in packets of any form: every codec, any packet time, from one frame to the
//! next another one, and with whatever numbers on them.

use engine::{Encoding, Session, SessionConfig, session};
use protocol::codec::Codec;
use protocol::rtp::{Packet, PayloadType, Ssrc};

use crate::rig::listen::tone;

/// How sound is put into packets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// As an engine does, with so many repeated frames.
    Ours(Codec, usize),
    /// In ordinary Opus packets of so many frames: 120, 240, 480, 960, 1920 or 2880.
    Opus(usize),
}

/// Packets of a steady tone, mono.
pub(crate) struct Publisher {
    ssrc: Ssrc,
    session: Session,
    opus: opus::Encoder,
    form: Form,
    /// Frames played so far, which is the media time but for what is [shifted](Self::jump).
    played: usize,
    /// The latest form's first timestamp as the session counts, and as it is sent.
    base: Option<(u32, u32)>,
    shifted: u32,
    sequence_number: u16,
    /// How loud it plays, beside [`tone`].
    pub(crate) gain: f32,
}

impl Publisher {
    pub(crate) fn new(ssrc: Ssrc, form: Form) -> Self {
        let mono = opus::Channels::Mono;
        let mut publisher = Self {
            ssrc,
            session: session(&SessionConfig::default()).expect("valid"),
            opus: opus::Encoder::new(48_000, mono, opus::Application::LowDelay).expect("made"),
            form,
            played: 0,
            base: None,
            shifted: 0,
            sequence_number: 0,
            gain: 1.0,
        };
        publisher.change(form);
        publisher
    }

    /// Plays on in another form.
    pub(crate) fn change(&mut self, form: Form) {
        if let Form::Ours(codec, redundant_frames) = form {
            let encoding = Encoding { redundant_frames, ..Encoding::new(codec, self.ssrc) };
            self.session.control.set_encodings(&[encoding]).expect("valid");
        }
        self.form = form;
        self.base = None;
    }

    /// Has timestamps jump by so many frames.
    pub(crate) fn jump(&mut self, frames: i32) {
        self.shifted = self.shifted.wrapping_add_signed(frames);
    }

    /// Numbers packets from here on.
    pub(crate) fn restart(&mut self, sequence_number: u16) {
        self.sequence_number = sequence_number;
    }

    /// Numbers packets from here on as none before them.
    pub(crate) fn renumber(&mut self) {
        self.sequence_number = self.sequence_number.wrapping_add(1 << 15);
    }

    /// Lets time pass in which nothing is captured.
    pub(crate) fn pause(&mut self, frames: usize) {
        self.played += frames;
        self.base = None;
    }

    /// Plays so many packets in no time.
    pub(crate) fn race(&mut self, packets: usize) -> Vec<Vec<u8>> {
        let start = self.played;
        let packets = (0..packets).flat_map(|_| self.play()).collect();
        self.shifted = self.shifted.wrapping_add(to_u32(self.played - start));
        self.played = start;
        self.base = None;
        packets
    }

    /// Frames captured so far, pauses included.
    pub(crate) const fn played(&self) -> usize {
        self.played
    }

    /// Captures what the next packet takes, or a little less, and gives the packets that are full.
    pub(crate) fn play(&mut self) -> Vec<Vec<u8>> {
        let frames = match self.form {
            Form::Ours(codec, _) => codec.codec_frame_frames(),
            Form::Opus(frames) => frames,
        };
        let start = self.played;
        let sound: Vec<f32> =
            (start..start + frames).map(|frame| self.gain * tone(frame)[0]).collect();
        self.played += frames;
        if let Form::Opus(_) = self.form {
            let mut payload = [0; 1275];
            let len = self.opus.encode_float(&sound, &mut payload).expect("a legal length");
            return vec![self.wrap(PayloadType::OPUS, to_u32(start), &payload[..len])];
        }
        self.session.capture.capture(&[&sound]);
        self.session.control.poll();
        let (mut packets, mut bytes) = (Vec::new(), [0; 1400]);
        while let Some(len) = self.session.outgoing.poll_packet(&mut bytes) {
            let packet = Packet::parse(&bytes[..len]).expect("our own");
            let (from, to) = *self.base.get_or_insert((packet.timestamp, to_u32(start)));
            let timestamp = packet.timestamp.wrapping_sub(from).wrapping_add(to);
            packets.push(self.wrap(packet.payload_type, timestamp, packet.payload));
        }
        packets
    }

    fn wrap(&mut self, payload_type: PayloadType, timestamp: u32, payload: &[u8]) -> Vec<u8> {
        let packet = Packet {
            marker: false,
            capture_time: None,
            payload_type,
            sequence_number: self.sequence_number,
            timestamp: timestamp.wrapping_add(self.shifted),
            ssrc: self.ssrc,
            payload,
        };
        self.sequence_number = self.sequence_number.wrapping_add(1);
        let mut bytes = [0; 1400];
        let len = packet.write(&mut bytes).expect("it fits");
        bytes[..len].to_vec()
    }
}

#[expect(clippy::cast_possible_truncation, reason = "timestamps wrap")]
fn to_u32(frames: usize) -> u32 {
    frames as u32
}
