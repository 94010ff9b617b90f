//! Musicians in virtual time, for tests: what they record on clocks of their own, and whether it is where they played
//! it.

use protocol::time::RoomTime;

use crate::align::to_f64;
use crate::stem::{Header, Writer};
use crate::{StemId, TakeId};

/// A musician in virtual time, who plays a click every five seconds of room time.
pub(crate) struct Musician {
    /// By how much the device is faster than the room.
    pub(crate) drift_ppm: f64,
    /// By how much that changes within ten minutes, and back.
    pub(crate) wander_ppm: f64,
    /// What the room's clock is thought to be ahead, beside jitter, at a time.
    pub(crate) off_ns: fn(f64) -> f64,
    /// Seconds that are not recorded, within runs.
    pub(crate) stalls: &'static [(f64, f64)],
    /// Seconds in which the program is away; then a run begins.
    pub(crate) away: &'static [(f64, f64)],
    /// Seconds in which nobody knows what the clock shows.
    pub(crate) unknown: &'static [(f64, f64)],
    pub(crate) seed: u32,
}

pub(crate) const SOUND: Musician = Musician {
    drift_ppm: 0.0,
    wander_ppm: 0.0,
    off_ns: |_| 0.0,
    stalls: &[],
    away: &[],
    unknown: &[],
    seed: 1,
};

/// Eight for ten minutes: clocks that drift and wander, a room's clock that settles late, is set, or is not known for a
/// while, a device that stalls, programs that are away.
pub(crate) const EIGHT: [Musician; 8] = [
    Musician { drift_ppm: -150.0, wander_ppm: 2.0, ..SOUND },
    Musician { drift_ppm: 150.0, wander_ppm: -2.0, ..SOUND },
    Musician { drift_ppm: -90.0, off_ns: settles, ..SOUND },
    Musician { drift_ppm: 60.0, off_ns: is_set, ..SOUND },
    Musician { drift_ppm: -20.0, stalls: &[(121.0, 121.3), (333.0, 341.0)], ..SOUND },
    Musician { drift_ppm: 10.0, away: &[(200.0, 230.0)], ..SOUND },
    Musician { drift_ppm: 110.0, unknown: &[(-10.0, 60.0), (400.0, 470.0)], ..SOUND },
    Musician { drift_ppm: -130.0, wander_ppm: 1.0, away: &[(-2.0, 40.0)], ..SOUND },
];

fn settles(at_s: f64) -> f64 {
    if at_s < 8.0 { (8.0 - at_s) * 1e6 } else { 0.0 }
}

fn is_set(at_s: f64) -> f64 {
    if (250.0..330.0).contains(&at_s) { 6e6 } else { 0.0 }
}

/// When the take begins, and how far into it the device was opened.
pub(crate) const START: RoomTime = RoomTime::from_ns(1_790_000_000_123_456_789);
const OPENED_S: f64 = -1.3;

impl Musician {
    /// The device's frame, counted from when it was opened first, at a second of the take.
    fn frame(&self, at_s: f64) -> f64 {
        let turn = std::f64::consts::TAU / 600.0;
        let wandered = |s: f64| -self.wander_ppm / turn * (s * turn).cos();
        let off_us = self.drift_ppm * (at_s - OPENED_S) + wandered(at_s) - wandered(OPENED_S);
        (at_s - OPENED_S + off_us * 1e-6) * 48_000.0
    }

    /// The stem of so many seconds of a take.
    pub(crate) fn record(&self, seconds: f64) -> Vec<u8> {
        let mut file = Vec::new();
        let header = Header {
            take: TakeId::from_bytes([1; 16]),
            stem: StemId::from_bytes([2; 16]),
            participant: "Ann".to_owned(),
            label: "voice".to_owned(),
            channels: 1,
        };
        let mut writer = Writer::new(&header, &mut file).expect("a good header");
        writer.begin_run(&mut file);
        let mut origin = 0;
        let mut random = self.seed;
        let mut click = 0;
        let mut click_at = self.frame(CLICK_FIRST_S);
        let within = |at_s: f64, spans: &[(f64, f64)]| {
            spans.iter().any(|(from, to)| (*from..*to).contains(&at_s))
        };
        let mut was_away = false;
        let mut at_s = OPENED_S;
        let mut first = 0;
        while at_s < seconds + 2.0 {
            let end = first + 480;
            let block: Vec<f32> =
                (first..end).map(|frame| sample(to_f64(frame) - click_at)).collect();
            if click_at + 600.0 < to_f64(end) {
                click += 1;
                click_at = self.frame(CLICK_FIRST_S + f64::from(click) * CLICK_EVERY_S);
            }
            let is_away = within(at_s, self.away);
            if was_away && !is_away {
                writer.begin_run(&mut file);
                origin = first;
            }
            was_away = is_away;
            if !is_away && !within(at_s, self.stalls) {
                writer.audio(first - origin, &block, &mut file);
            }
            if first % 48_000 == 0 && !is_away && !within(at_s, self.unknown) {
                random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let jitter_ns = f64::from(random >> 16) / 65_536.0 * 300_000.0 - 150_000.0;
                // The room's time at a frame: by bisection, as the frame at a time is what is known.
                let (mut low, mut high) = (at_s - 1.0, at_s + 1.0);
                for _ in 0..60 {
                    let middle = (low + high) / 2.0;
                    if self.frame(middle) < to_f64(first) { low = middle } else { high = middle }
                }
                let ns = (low * 1e9 + jitter_ns + (self.off_ns)(at_s)).round();
                #[expect(clippy::cast_possible_truncation, reason = "ten minutes of ns")]
                let room = START.plus_ns(ns as i64);
                writer.clock(first - origin, room, 100_000, 6_000_000, 0, &mut file);
            }
            first = end;
            at_s += 0.01;
        }
        writer.end(&mut file);
        file
    }
}

const CLICK_FIRST_S: f64 = 2.5;
const CLICK_EVERY_S: f64 = 5.0;

/// A click: a bell of 20 frames' width, whose middle can be told to a hundredth of a frame.
fn sample(from_middle: f64) -> f32 {
    let x = from_middle / 20.0;
    #[expect(clippy::cast_possible_truncation, reason = "a sample")]
    if x.abs() < 6.0 { (0.5 * (-x * x).exp()) as f32 } else { 0.0 }
}

/// By how many milliseconds each click that is there is off: its number, and the centre of its energy.
pub(crate) fn clicks_off_ms(sound: &[f32]) -> Vec<(u32, f64)> {
    let mut off = Vec::new();
    for click in 0_u32.. {
        let expected = (CLICK_FIRST_S + f64::from(click) * CLICK_EVERY_S) * 48_000.0;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a place")]
        let middle = expected.round() as usize;
        let Some(around) = sound.get(middle - 4800..middle + 4800) else { return off };
        let (mut energy, mut moment) = (0.0, 0.0);
        for (at, sample) in (0_u32..).zip(around) {
            let power = f64::from(*sample).powi(2);
            energy += power;
            moment += power * f64::from(at);
        }
        if 1.0 < energy {
            off.push((click, (moment / energy - 4800.0) / 48.0));
        }
    }
    off
}
