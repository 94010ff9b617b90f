//! The room's clock: questions for the time are answered, on the way they came.
//!
//! It is the worker's own clock, counted from the epoch of [`Router::with_epoch`], so that all rooms of a
//! worker share it. What surprises: the moment of the answer is when it was handled. Until it has left some
//! microseconds go by, more only where music is sent first; they count as the network's, and participants
//! believe the fastest answers.

use protocol::limits::CHANNEL_MESSAGE_BYTES_MAX;
use protocol::room_clock::{ANSWER_BYTES, Answer, CAPTURES_MAX, Question, StreamCapture};
use protocol::rtcp::{self, Packet};
use protocol::time::Instant;

use super::rtcp::unsealed;
use super::{Outgoing, Router};
use crate::limits::ANSWERS_MAX;
use crate::member::MemberKey;
use crate::transport::Link;

impl<L: Link> Router<L> {
    /// What is to be answered to a packet that arrived earlier; `None` for what is no question.
    pub(super) fn answer(
        &self,
        now: Instant,
        arrived: Instant,
        packet: &Packet<'_>,
    ) -> Option<Answer> {
        let Question { sent } = Question::read(packet)?;
        let (received, replied) = (self.epoch.at(arrived).room(), self.epoch.at(now).room());
        Some(Answer { sent, received, replied })
    }

    /// Has an answer sent as RTCP.
    pub(super) fn queue_answer(&mut self, key: MemberKey, answer: Answer) {
        if ANSWERS_MAX <= self.asked.len() {
            self.asked.pop_front();
        }
        self.asked.push_back((key, answer));
    }

    /// The next answer, written into `buffer`.
    pub(super) fn poll_answer(&mut self, buffer: &mut [u8]) -> Option<Outgoing> {
        while let Some((key, answer)) = self.asked.pop_front() {
            let Some(member) = self.members.get_mut(key) else { continue };
            let Some(to) = member.link.address().filter(|_| member.up) else { continue };
            let Some(len) = answer.write(unsealed(buffer)) else { continue };
            if let Ok(len) = member.link.seal_rtcp(buffer, len) {
                self.counters.rtcp_sent += 1;
                return Some(Outgoing { to, len, arrived: None });
            }
        }
        None
    }

    /// Tells a link with a data channel when the streams that it receives were captured.
    pub(super) fn tell_captures(&mut self, now: Instant, key: MemberKey) {
        let Some(member) = self.members.get_mut(key) else { return };
        let mut is_told = false;
        for streams in member.streams.chunks(CAPTURES_MAX) {
            let mut captures = [StreamCapture::default(); CAPTURES_MAX];
            let mut count = 0;
            for (ssrc, stream) in streams {
                let stream = self.streams.get_mut(*stream);
                let Some((timestamp, capture_time)) = stream.and_then(|s| s.captured.take()) else {
                    continue;
                };
                captures[count] = StreamCapture { ssrc: *ssrc, timestamp, capture_time };
                count += 1;
            }
            let mut message = [0; CHANNEL_MESSAGE_BYTES_MAX as usize];
            let len = StreamCapture::write(&captures[..count], &mut message);
            // A native link has no channel, and reads the header extension.
            is_told |= 0 < count
                && len.is_some_and(|len| member.link.send_message(&message[..len]).is_ok());
        }
        if is_told {
            self.pump(now, key);
        }
    }

    /// Takes RTCP that came as a data channel message; a question is answered by another one.
    pub(super) fn handle_rtcp_message(&mut self, now: Instant, key: MemberKey, message: &[u8]) {
        let Some(member) = self.members.get_mut(key) else { return };
        if !member.rtcp_rate.admit(now) {
            self.counters.dropped_rtcp_rate += 1;
            return;
        }
        let Ok(packets) = rtcp::parse(message) else {
            self.counters.dropped_malformed += 1;
            return;
        };
        self.counters.rtcp_received += 1;
        let answer = packets.into_iter().find_map(|packet| self.answer(now, now, &packet));
        let mut bytes = [0; ANSWER_BYTES];
        let len = answer.and_then(|answer| answer.write(&mut bytes));
        if let (Some(len), Some(member)) = (len, self.members.get_mut(key)) {
            // What does not go out is asked for again.
            let _ = member.link.send_message(&bytes[..len]);
        }
    }
}
