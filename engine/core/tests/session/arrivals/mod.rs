//! Packets in any order, at any time, with any numbers: what holds whatever comes, and how soon it is over.
//!
//! A musician's tone goes through some seconds of everything that can go wrong, more than any network
//! does: forms that change, timestamps that jump, numbers that start anew, heaps and holes, while the
//! listener's callbacks come in any size and the device stands still. Then the same musician plays on, calmly,
//! and beside it one whom nothing has happened to, for comparison.

mod hostile;
mod publisher;

use std::collections::BTreeMap;

use assert_no_alloc::assert_no_alloc;
use engine::limits::{AHEAD_FRAMES_MAX, PACKET_FRAMES_MAX, PLAYOUT_DELAY_FRAMES_MAX};
use engine::{
    Channels, IncomingError, Mute, RemoteStats, Session, SessionConfig, StreamState, session,
};
use proptest::prelude::*;
use protocol::codec::Codec;
use protocol::rtp::Ssrc;
use protocol::time::Instant;

use crate::arrivals::publisher::{Form, Publisher};
use crate::rig::listen::disturbances;
use crate::rig::weather::Random;
use crate::rig::{RATE, to_ns};

const CHAOS: Ssrc = Ssrc(1);
const CALM: Ssrc = Ssrc(2);

/// Frames that were invented and left out, as few as in two of the longest codec frames of our own.
const INVENTED_AHEAD: u64 = 240;

/// A stretch of a stream.
#[derive(Debug, Clone)]
struct Segment {
    form: Form,
    frames: usize,
    /// Before it begins.
    pause_frames: usize,
    jump_frames: Option<i32>,
    restart: Option<u16>,
    jitter_ms: f64,
    /// Packets arrive together at multiples of this.
    heap_ms: f64,
    loss: f64,
    duplication: f64,
    seed: u64,
}

/// What a listener's device does.
#[derive(Debug, Clone)]
struct Device {
    /// One after the other, over and over.
    periods: Vec<usize>,
    /// After so many callbacks it stands still for so many ms.
    stop: Option<(usize, f64)>,
    calm_period: usize,
}

fn forms() -> impl Strategy<Value = Form> {
    let ours = (0..3_usize, 0..3_usize).prop_map(|(codec, redundant_frames)| {
        let codec = Codec::ALL[codec];
        // `opus` goes as plain RTP, which has no room for repeated frames.
        Form::Ours(codec, if codec == Codec::Opus { 0 } else { redundant_frames })
    });
    let long = proptest::sample::select(vec![120, 240, 480, 960, 1920, 2880]).prop_map(Form::Opus);
    prop_oneof![ours, long]
}

fn segments() -> impl Strategy<Value = Segment> {
    let jumps = prop_oneof![any::<i32>(), -100_000..100_000_i32, -2000..2000_i32];
    let begins = (
        forms(),
        2000..48_000_usize,
        prop_oneof![Just(0), 0..48_000_usize],
        proptest::option::of(jumps),
        proptest::option::of(any::<u16>()),
    );
    let weather = (
        prop_oneof![Just(0.0), 0.0..300.0_f64],
        prop_oneof![Just(0.0), 0.0..700.0_f64],
        prop_oneof![Just(0.0), 0.0..0.9_f64],
        prop_oneof![Just(0.0), 0.0..0.9_f64],
        any::<u64>(),
    );
    (begins, weather).prop_map(|(begins, weather)| Segment {
        form: begins.0,
        frames: begins.1,
        pause_frames: begins.2,
        jump_frames: begins.3,
        restart: begins.4,
        jitter_ms: weather.0,
        heap_ms: weather.1,
        loss: weather.2,
        duplication: weather.3,
        seed: weather.4,
    })
}

fn devices() -> impl Strategy<Value = Device> {
    let period = prop_oneof![Just(64), 1..600_usize, 1..8192_usize];
    let stop = proptest::option::of((0..200_usize, 0.0..3000.0_f64));
    let calm = proptest::sample::select(vec![32, 64, 100, 128, 256, 480]);
    (proptest::collection::vec(period, 1..6), stop, calm)
        .prop_map(|(periods, stop, calm_period)| Device { periods, stop, calm_period })
}

/// A listener of two musicians, in virtual time.
struct Room {
    listener: Session,
    publisher: Publisher,
    other: Option<Publisher>,
    /// Packets under way by arrival and a number of their own.
    flying: BTreeMap<(u64, u64), Vec<u8>>,
    thrown: u64,
    /// Of the stream that suffers: those that were taken, duplicates included.
    handed: u64,
    /// When the listener's next callback comes.
    due_ns: u64,
    callbacks: usize,
    left: Vec<f32>,
    /// The statistics after the callback before.
    before: RemoteStats,
}

impl Room {
    fn new(form: Form) -> Self {
        let mut listener = session(&SessionConfig::default()).expect("valid");
        listener.control.add_remote(CHAOS, Channels::Mono).expect("the first remote");
        let before = listener.control.remotes().next().expect("the first remote");
        Self {
            listener,
            publisher: Publisher::new(CHAOS, form),
            other: None,
            flying: BTreeMap::new(),
            thrown: 0,
            handed: 0,
            due_ns: 0,
            callbacks: 0,
            left: Vec::new(),
            before,
        }
    }

    fn throw(&mut self, at_ns: u64, packet: Vec<u8>) {
        self.thrown += 1;
        self.flying.insert((at_ns, self.thrown), packet);
    }

    fn suffer(&mut self, segment: &Segment, device: &Device) {
        let mut random = Random(segment.seed);
        self.publisher.change(segment.form);
        self.publisher.pause(segment.pause_frames);
        if let Some(frames) = segment.jump_frames {
            self.publisher.jump(frames);
        }
        if let Some(number) = segment.restart {
            self.publisher.restart(number);
        }
        let end = self.publisher.played() + segment.frames;
        while self.publisher.played() < end {
            for packet in self.publisher.play() {
                let sent_ms = self.publisher.played() as f64 / RATE * 1e3;
                let copies = 1 + usize::from(random.part() < segment.duplication);
                if random.part() < segment.loss {
                    continue;
                }
                for _ in 0..copies {
                    let arrival_ms = sent_ms + segment.jitter_ms * random.part();
                    let heaps = if 0.0 < segment.heap_ms {
                        (arrival_ms / segment.heap_ms).ceil() * segment.heap_ms
                    } else {
                        arrival_ms
                    };
                    self.throw(to_ns(heaps / 1e3), packet.clone());
                }
            }
            self.listen(to_ns(self.publisher.played() as f64 / RATE), device, None);
        }
    }

    /// Plays packets of one form, 5 ms each on the way, for so many seconds.
    fn calm(&mut self, seconds: f64, device: &Device) {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "seconds")]
        let end = self.publisher.played() + (seconds * RATE) as usize;
        while self.publisher.played() < end {
            let at_ns = |publisher: &Publisher| to_ns(publisher.played() as f64 / RATE + 0.005);
            for packet in self.publisher.play() {
                self.throw(at_ns(&self.publisher), packet);
            }
            let others = self.other.as_mut().map(Publisher::play).unwrap_or_default();
            for packet in others {
                self.throw(at_ns(&self.publisher), packet);
            }
            let until_ns = to_ns(self.publisher.played() as f64 / RATE);
            self.listen(until_ns, device, Some(device.calm_period));
        }
    }

    /// Lets the listener's time pass.
    fn listen(&mut self, until_ns: u64, device: &Device, period: Option<usize>) {
        while self.due_ns < until_ns {
            while let Some(first) = self.flying.first_entry()
                && first.key().0 <= self.due_ns
            {
                let ((at, _), packet) = first.remove_entry();
                let incoming = &mut self.listener.incoming;
                let now = Instant::from_ns(at);
                let taken = assert_no_alloc(|| incoming.handle_packet(now, &packet));
                assert!(matches!(taken, Ok(()) | Err(IncomingError::ExhaustedQueue)), "{taken:?}");
                self.handed += u64::from(packet[8..12] == CHAOS.0.to_be_bytes());
            }
            let frames = period.unwrap_or(device.periods[self.callbacks % device.periods.len()]);
            self.call_back(frames);
            self.due_ns += to_ns(frames as f64 / RATE);
            let stop = device.stop.filter(|(at, _)| period.is_none() && *at == self.callbacks);
            if let Some((_, ms)) = stop {
                self.due_ns += to_ns(ms / 1e3);
            }
            self.callbacks += 1;
        }
    }

    fn call_back(&mut self, frames: usize) {
        let (mut left, mut right) = (vec![0.0; frames], vec![0.0; frames]);
        let (render, now) = (&mut self.listener.render, Instant::from_ns(self.due_ns));
        assert_no_alloc(|| render.render(now, &mut [&mut left, &mut right]));
        let is_sound = |sample: &f32| sample.abs() <= 1.0 && !sample.is_subnormal();
        assert!(left.iter().chain(&right).all(is_sound), "full scale, and a number");
        self.left.append(&mut left);
        if self.callbacks.is_multiple_of(64) {
            self.listener.control.poll();
        }
        self.check(frames);
    }

    /// What holds after every callback.
    fn check(&mut self, frames: usize) {
        let (before, now) = (self.before, self.stats());
        self.before = now;
        let period = u64::try_from(frames).expect("small");
        let played = now.played_frames - before.played_frames;
        assert!(played <= period, "{before:?} {now:?}");
        if before.state == StreamState::Playing && now.state == StreamState::Playing {
            assert_eq!(played, period, "{before:?} {now:?}");
        }
        // What is invented is counted before it is played, and may be left out after all.
        let made = now.played_frames + u64::from(now.buffer_frames) + INVENTED_AHEAD;
        assert!(now.concealed_frames <= made, "{before:?} {now:?}");
        // What came is accounted for: played, late, refused, of no use, or too much.
        let thrown = now.late_packets + now.undecodable_packets;
        assert!(thrown <= now.received_packets, "{now:?}");
        let known = now.received_packets + now.duplicate_packets;
        assert!(known <= self.handed, "{} {now:?}", self.handed);
        assert!(self.handed <= known + now.refused_packets, "{} {now:?}", self.handed);
        assert_eq!(now.undecodable_packets, 0, "{now:?}");
        // Delay is bounded, in time.
        let longest = i64::try_from(2 * frames + 2 * PACKET_FRAMES_MAX).expect("small");
        let within = |frames: u32, most: i64| i64::from(frames) <= most + longest;
        assert!(within(now.playout_delay_target_frames, PLAYOUT_DELAY_FRAMES_MAX), "{now:?}");
        assert!(within(now.buffer_frames, 2 * AHEAD_FRAMES_MAX), "{now:?}");
    }

    fn stats(&self) -> RemoteStats {
        self.listener.control.remotes().next().expect("the first remote")
    }

    fn other_stats(&self) -> RemoteStats {
        self.listener.control.remotes().nth(1).expect("the second remote")
    }
}

fn play(segments: &[Segment], device: &Device, calm: Codec) {
    let calm = Form::Ours(calm, 0);
    let mut room = Room::new(calm);
    for segment in segments {
        room.suffer(segment, device);
    }
    room.publisher.change(calm);
    // Near the latest, numbers that came before are taken for repeated.
    room.publisher.renumber();
    let mut other = Publisher::new(CALM, calm);
    other.pause(room.publisher.played());
    room.other = Some(other);
    room.listener.control.add_remote(CALM, Channels::Mono).expect("the second remote");
    room.listener.control.set_muted(CALM, Mute::Muted).expect("it was added");
    // What is still under way arrives within a second; and a device that stands still hears no calm.
    let asleep = room.due_ns as f64 / 1e9 - room.publisher.played() as f64 / RATE;
    room.calm(3.0 + asleep.max(0.0), device);
    let two_seconds_later = room.stats();
    let at = room.left.len();
    room.calm(17.0, device);
    let (end, other) = (room.stats(), room.other_stats());
    let events = |stats: &RemoteStats| {
        let unheard = stats.late_packets + stats.refused_packets + stats.overrun_packets;
        (stats.concealed_frames, unheard, stats.lost_packets, stats.resynchronizations)
    };
    assert_eq!(events(&two_seconds_later), events(&end), "{two_seconds_later:?} {end:?}");
    assert_eq!(end.state, StreamState::Playing);
    // What 16 s of calm have shown is all that is known.
    let longer = i64::from(end.playout_delay_frames) - i64::from(other.playout_delay_frames);
    assert!(longer <= 32, "{longer}: {end:?} {other:?}");
    let last_second = room.left.len() - 48_000;
    assert!(at < last_second);
    assert_eq!(disturbances(&room.left[last_second..], last_second, 0.5), Vec::<usize>::new());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn any_arrivals_are_survived_and_two_calm_seconds_later_forgotten(
        segments in proptest::collection::vec(segments(), 1..6),
        device in devices(),
        calm in proptest::sample::select(Codec::ALL.to_vec()),
    ) {
        play(&segments, &device, calm);
    }
}
