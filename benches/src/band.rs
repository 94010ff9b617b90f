//! A musician who hears others: what a callback is measured with.

use engine::{Channels, Encoding, Session, SessionConfig, session};
use protocol::codec::Codec;
use protocol::limits::DATAGRAM_BYTES_MAX;
use protocol::rtp::Ssrc;
use protocol::time::Instant;
use protocol::units::Bitrate;

/// Frames of a period.
pub const PERIOD: usize = 64;

/// A musician who hears others, and what the others send.
#[derive(Debug)]
pub struct Band {
    own: Session,
    others: Vec<Session>,
    input: [[f32; PERIOD]; 2],
    periods: u64,
    /// One packet in so many does not arrive.
    pub lost_one_in: Option<u64>,
}

impl Band {
    /// So many others play, all in stereo; all is settled when it returns.
    #[must_use]
    pub fn new(remotes: u32, codec: Codec) -> Self {
        let config = SessionConfig { channels: Channels::Stereo, ..SessionConfig::default() };
        let publish = |ssrc| {
            let mut session = session(&config).expect("a valid configuration");
            let bitrate = Bitrate(128_000);
            let encoding = Encoding { bitrate, ..Encoding::new(codec, Ssrc(ssrc)) };
            session.control.set_encodings(&[encoding]).expect("a valid encoding");
            session
        };
        let mut own = publish(0);
        let others = (1..=remotes).map(publish).collect();
        for ssrc in 1..=remotes {
            own.control.add_remote(Ssrc(ssrc), Channels::Stereo).expect("room");
        }
        let sample = |n: usize| (0.1 * n as f32).sin() * 0.1 + (0.037 * n as f32).sin() * 0.1;
        let input = [0, 7].map(|shift| core::array::from_fn(|n| sample(n + shift)));
        let mut band = Self { own, others, input, periods: 0, lost_one_in: None };
        for _ in 0..2000 {
            band.receive();
            band.callback();
        }
        band
    }

    /// Everything between two callbacks: not measured.
    pub fn receive(&mut self) {
        self.periods += 1;
        let now = Instant::from_ns(self.periods * 4_000_000 / 3 - 1_000_000);
        let mut packet = [0; DATAGRAM_BYTES_MAX];
        for (number, other) in (0_u64..).zip(&mut self.others) {
            // Nobody plays the same thing at the same time, nor is anybody's period in step.
            self.input.iter_mut().for_each(|channel| channel.rotate_left(5));
            let [left, right] = &self.input;
            other.capture.capture(&[left, right]);
            while let Some(len) = other.outgoing.poll_packet(&mut packet) {
                if self.lost_one_in.is_none_or(|n| !(self.periods + number).is_multiple_of(n)) {
                    let result = self.own.incoming.handle_packet(now, &packet[..len]);
                    result.expect("a known remote");
                }
            }
        }
        while self.own.outgoing.poll_packet(&mut packet).is_some() {}
    }

    /// One callback, input and output; gives a frame of what is heard, so that nothing is left out.
    pub fn callback(&mut self) -> f32 {
        let now = Instant::from_ns(self.periods * 4_000_000 / 3);
        let [left, right] = &self.input;
        self.own.capture.capture(&[left, right]);
        let (mut out_left, mut out_right) = ([0.0; PERIOD], [0.0; PERIOD]);
        self.own.render.render(now, &mut [&mut out_left, &mut out_right]);
        out_left[0] + out_right[0]
    }
}
