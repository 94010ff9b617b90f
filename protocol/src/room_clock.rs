//! The exchange by which a participant learns what a room's clock shows: a question, and the moments at
//! which the SFU received and answered it.
//!
//! Both are RTCP packets of an application of ours (RFC 3550 §6.7): encrypted as RTCP on the native
//! transport, as they are in a data channel message. The clock is the SFU's own, of the worker that carries the
//! room. What surprises: the question holds the asker's own time, which nobody reads but the asker; so nothing
//! must be remembered to understand the answer.

use crate::limits::CHANNEL_MESSAGE_BYTES_MAX;
use crate::rtcp::{NtpTime, Packet, SFU_SSRC, Writer};
use crate::rtp::Ssrc;
use crate::time::{Instant, RoomTime, ShortTime};

/// The SSRC from which participants ask. A stream might have it too: RTCP has keys of its own (RFC 3711
/// §4.3.1).
pub const ASKER_SSRC: Ssrc = Ssrc(0x766a_6171);

/// Bytes of a question and of an answer.
pub const QUESTION_BYTES: usize = 20;
/// See [`QUESTION_BYTES`].
pub const ANSWER_BYTES: usize = 36;

/// A participant's question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Question {
    /// When it was sent, on the participant's clock.
    pub sent: Instant,
}

/// The SFU's answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answer {
    /// When the question was sent, on the participant's clock.
    pub sent: Instant,
    /// When it came to the SFU, on the room's.
    pub received: RoomTime,
    /// When the SFU answered, on the room's.
    pub replied: RoomTime,
}

impl Question {
    /// Reads one; `None` for any other packet.
    #[must_use]
    pub fn read(packet: &Packet<'_>) -> Option<Self> {
        let data = application_data(packet, QUESTION)?.first_chunk::<8>()?;
        Some(Self { sent: Instant::from_ns(u64::from_be_bytes(*data)) })
    }

    /// Writes it; gives the length, or `None` where it does not fit.
    #[must_use]
    pub fn write(&self, out: &mut [u8]) -> Option<usize> {
        let mut writer = Writer::new(out);
        writer.application(QUESTION, ASKER_SSRC, NAME, &self.sent.as_ns().to_be_bytes())?;
        Some(writer.len())
    }
}

impl Answer {
    /// Reads one; `None` for any other packet.
    #[must_use]
    pub fn read(packet: &Packet<'_>) -> Option<Self> {
        let data = application_data(packet, ANSWER)?.first_chunk::<24>()?;
        let number =
            |at: usize| u64::from_be_bytes([0, 1, 2, 3, 4, 5, 6, 7].map(|byte| data[at + byte]));
        Some(Self {
            sent: Instant::from_ns(number(0)),
            received: NtpTime(number(8)).room(),
            replied: NtpTime(number(16)).room(),
        })
    }

    /// Writes it; gives the length, or `None` where it does not fit.
    #[must_use]
    pub fn write(&self, out: &mut [u8]) -> Option<usize> {
        let mut data = [0; 24];
        data[..8].copy_from_slice(&self.sent.as_ns().to_be_bytes());
        data[8..16].copy_from_slice(&NtpTime::from_room(self.received).0.to_be_bytes());
        data[16..].copy_from_slice(&NtpTime::from_room(self.replied).0.to_be_bytes());
        let mut writer = Writer::new(out);
        writer.application(ANSWER, SFU_SSRC, NAME, &data)?;
        Some(writer.len())
    }
}

/// When a frame of a stream was captured, as links with a data channel are told it: a browser's program sees no
/// header extension.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StreamCapture {
    /// The stream.
    pub ssrc: Ssrc,
    /// The frame.
    pub timestamp: u32,
    /// When it was captured, on the room's clock.
    pub capture_time: ShortTime,
}

impl StreamCapture {
    /// Bytes of each in a packet, and of a packet without any.
    pub const BYTES: usize = 12;
    /// See [`Self::BYTES`].
    pub const HEADER_BYTES: usize = 12;

    /// Writes a packet that tells of some streams; gives the length, or `None` where they do not fit.
    #[must_use]
    pub fn write(captures: &[Self], out: &mut [u8]) -> Option<usize> {
        let mut data = [0; Self::BYTES * CAPTURES_MAX];
        let data = data.get_mut(..Self::BYTES * captures.len())?;
        for (place, capture) in data.chunks_exact_mut(Self::BYTES).zip(captures) {
            let [a, b, c] = capture.capture_time.to_bytes();
            place[..4].copy_from_slice(&capture.ssrc.0.to_be_bytes());
            place[4..8].copy_from_slice(&capture.timestamp.to_be_bytes());
            place[8..].copy_from_slice(&[0, a, b, c]);
        }
        let mut writer = Writer::new(out);
        writer.application(CAPTURES, SFU_SSRC, NAME, data)?;
        Some(writer.len())
    }

    /// Reads what a packet tells; nothing of any other packet.
    pub fn read<'a>(packet: &Packet<'a>) -> impl Iterator<Item = Self> + use<'a> {
        let data = application_data(packet, CAPTURES).unwrap_or_default();
        data.chunks_exact(Self::BYTES).map(|entry| {
            let word = |at: usize| u32::from_be_bytes([0, 1, 2, 3].map(|byte| entry[at + byte]));
            Self {
                ssrc: Ssrc(word(0)),
                timestamp: word(4),
                capture_time: ShortTime::from_bytes([entry[9], entry[10], entry[11]]),
            }
        })
    }
}

/// Streams that one packet can tell of, so that it fits a data channel message.
pub const CAPTURES_MAX: usize = 80;

const _: () = assert!(
    StreamCapture::HEADER_BYTES + CAPTURES_MAX * StreamCapture::BYTES
        <= CHANNEL_MESSAGE_BYTES_MAX as usize
);

fn application_data<'a>(packet: &Packet<'a>, wanted: u8) -> Option<&'a [u8]> {
    if let Packet::Application { subtype, name: NAME, data, .. } = *packet
        && subtype == wanted
    {
        Some(data)
    } else {
        None
    }
}

const NAME: [u8; 4] = *b"vjrc";
const QUESTION: u8 = 0;
const ANSWER: u8 = 1;
const CAPTURES: u8 = 2;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rtcp;

    #[test]
    fn question_and_answer_are_read_back_and_not_taken_for_each_other() {
        let question = Question { sent: Instant::from_ns(0x0123_4567_89ab) };
        let answer = Answer {
            sent: question.sent,
            received: RoomTime::from_ns(1_790_000_000_000_000_000),
            replied: RoomTime::from_ns(1_790_000_000_000_030_000),
        };
        let mut out = [0; 64];
        let asked = question.write(&mut out).expect("fits");
        assert_eq!(asked, QUESTION_BYTES);
        let packet = rtcp::parse(&out[..asked]).expect("well formed").next().expect("one");
        assert_eq!((Question::read(&packet), Answer::read(&packet)), (Some(question), None));
        let answered = answer.write(&mut out).expect("fits");
        assert_eq!(answered, ANSWER_BYTES);
        let packet = rtcp::parse(&out[..answered]).expect("well formed").next().expect("one");
        assert_eq!(Question::read(&packet), None);
        let read = Answer::read(&packet).expect("an answer");
        assert_eq!(read.sent, answer.sent);
        for (read, said) in [(read.received, answer.received), (read.replied, answer.replied)] {
            assert!(read.ns_since(said).abs() <= 1, "{read:?} {said:?}");
        }
        assert_eq!(question.write(&mut out[..19]), None);
    }

    #[test]
    fn captures_of_streams_are_read_back() {
        let capture = |ssrc| StreamCapture {
            ssrc: Ssrc(ssrc),
            timestamp: u32::MAX - ssrc,
            capture_time: ShortTime::from_bytes([1, 2, 3]),
        };
        let mut out = [0; 1024];
        for count in [0, 1, 80] {
            let captures: Vec<_> = (0..count).map(capture).collect();
            let len = StreamCapture::write(&captures, &mut out).expect("fits");
            assert_eq!(len, 12 + 12 * captures.len());
            let packet = rtcp::parse(&out[..len]).expect("well formed").next().expect("one");
            assert!(StreamCapture::read(&packet).eq(captures));
            assert_eq!(Question::read(&packet), None);
        }
        let too_many: Vec<_> = (0..81).map(capture).collect();
        assert_eq!(StreamCapture::write(&too_many, &mut out), None);
    }
}
