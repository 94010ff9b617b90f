//! Eight musicians who share a click: how right it is at each ear, how right the beats of others are in *beat* mode, and
//! whether anything jumps where modes change.
//!
//! Used by a scenario and by `cargo xtask bench room-time`. Clocks of computers and sound cards are off by -150 to
//! 150 ppm, paths take 3 to 30 ms and shake; one of them is longer one way. Its half difference is what nobody
//! can see: those figures stand for themselves.

use core::time::Duration;

use engine::ClickSettings;
use protocol::codec::Codec;
use protocol::room_state::{ClickSegment, PlayingMode, room_time};
use protocol::time::RoomTime;
use relay::weather::{JitterShape, Weather};

use crate::clock::{SoundCard, SystemClock};
use crate::listener::Stretch;
use crate::musician::Musician;
use crate::room::{Room, Seat};

/// What one listener came to.
#[derive(Debug, Clone)]
pub struct EarFigures {
    /// Who.
    pub name: String,
    /// Whether the path is alike both ways, so that everything can be known.
    pub symmetric: bool,
    /// What the room's clock is known to, at most.
    pub bound_ms: f64,
    /// The most that a beat of the click was off at this ear, and how many there were.
    pub click_ms: f64,
    /// How many clicks were heard.
    pub clicks: usize,
    /// The most that a beat of somebody else was off in *beat* mode, by this one's own click.
    pub beat_ms: f64,
    /// How many beats of somebody else were heard.
    pub beats: usize,
    /// How late others were by the click: half a beat is 0.5.
    pub beats_late: f64,
}

/// How fast the click is, and how long each part is listened to.
const TEMPO: u32 = 112_000;
const BEATS: usize = 4;

/// Eight musicians in a room; the first leads and knocks on each beat.
fn musicians() -> Vec<(Musician, bool)> {
    let ppm = [0.0, -150.0, -100.0, -45.0, 30.0, 80.0, 120.0, 150.0];
    let periods = [64, 64, 128, 64, 256, 96, 128, 64];
    let uneven = |ms, us| Weather {
        jitter_shape: JitterShape::Gamma,
        ..Weather::delay_ms(ms).jitter_us(us)
    };
    (0..8)
        .map(|i| {
            let system =
                SystemClock { epoch: Duration::from_secs(1000 * i as u64), drift_ppm: ppm[i] };
            let card = SoundCard {
                period_frames: periods[i],
                drift_ppm: ppm[7 - i],
                wander_ppm: 0.2,
                phase: Duration::from_micros(211 * i as u64),
            };
            let weather = uneven(3 + 4 * i as u64, 250 * i as u64);
            let musician = Musician::new(&format!("Musician {i}"), "harbor-oboe")
                .knocking()
                .on_clock(system)
                .on_card(card)
                // Opus spreads a knock over what its transform covers, 1.3 ms both ways.
                .sends(Codec::Pcm)
                .behind(weather);
            // The last one's way up is 12 ms longer.
            if i == 7 {
                (musician.sends_through(uneven(3 + 28 + 12, 250 * 7)), false)
            } else {
                (musician, true)
            }
        })
        .collect()
}

/// Plays it through, each part for so long.
#[must_use]
pub fn measure(seed: u64, seconds: f64) -> Vec<EarFigures> {
    let mut room = Room::new(seed);
    let musicians = musicians();
    let seats: Vec<Seat> =
        musicians.iter().map(|(musician, _)| room.join(musician.clone())).collect();
    let leader = seats[0];
    room.play_seconds(6.0);
    for seat in &seats {
        room.set_muted(*seat, true);
    }
    room.set_click(leader, ClickSettings::new(TEMPO, BEATS));
    room.play_seconds(3.0);
    let stretch = room.play_seconds(seconds);
    let click = room.shared(leader).click.clone();
    let clicks: Vec<(f64, usize)> =
        seats.iter().map(|seat| worst_ms(&room, *seat, &stretch, &click, 1.0, 0.0)).collect();
    // Only the leader is heard, and no click.
    for seat in &seats {
        room.hear_click(*seat, false);
    }
    room.set_muted(leader, false);
    room.set_mode(leader, PlayingMode::Beat);
    room.play_seconds(20.0);
    let stretch = room.play_seconds(seconds);
    musicians
        .iter()
        .zip(&seats)
        .zip(clicks)
        .map(|(((_, symmetric), seat), (click_ms, clicks))| {
            let (error_ms, stats) = room.clock_error_ms(*seat).expect("they were told");
            let late = room.stats(*seat, leader).and_then(|stats| stats.wanted_delay);
            let beat = Duration::from_secs_f64(60_000.0 / f64::from(TEMPO));
            let beats_late = late.map_or(0.0, |late| late.as_secs_f64() / beat.as_secs_f64());
            // By their own click, which is off by what their clock is.
            let (beat_ms, beats) = worst_ms(&room, *seat, &stretch, &click, 0.5, error_ms);
            EarFigures {
                name: format!("musician {}", seat.number()),
                symmetric: *symmetric,
                bound_ms: stats.bound.as_secs_f64() * 1e3,
                click_ms,
                clicks,
                beat_ms,
                beats,
                beats_late,
            }
        })
        .collect()
}

/// By how much sounds at somebody's ear are off the click's grid at most, of so many beats each, in ms, and how many
/// sounds there were. `ahead_ms` is what the ear's own grid is ahead.
fn worst_ms(
    room: &Room,
    seat: Seat,
    stretch: &Stretch,
    click: &[ClickSegment],
    grid_beats: f64,
    ahead_ms: f64,
) -> (f64, usize) {
    let start = room_time(click.first().expect("a click runs").start_us);
    let grid_ms = grid_beats * 60e6 / f64::from(TEMPO);
    let onsets = room.onsets(seat, stretch, 0.02);
    let off = |at: &RoomTime| {
        let ms = at.ns_since(start) as f64 * 1e-6 + ahead_ms;
        let off = ms.rem_euclid(grid_ms);
        off.min(grid_ms - off)
    };
    (onsets.iter().map(off).fold(0.0, f64::max), onsets.len())
}

/// The largest step of a tone's samples while the room's mode changes again and again, over the largest of the tone
/// alone: 1 is none that could be heard.
#[must_use]
pub fn largest_step_in_mode_changes(seed: u64) -> f64 {
    let mut room = Room::new(seed);
    let hz = 300.0;
    let step = core::f32::consts::TAU * hz / 48_000.0;
    let tone: Vec<f32> = (0..160).map(|frame| 0.4 * (step * frame as f32).sin()).collect();
    let weather = Weather::delay_ms(9).jitter_us(150);
    let player = Musician::new("Ann", "harbor-oboe").playing(tone).sends(Codec::Pcm);
    let ann = room.join(player.behind(weather));
    let silent = |name| Musician::new(name, "harbor-oboe").knocking().sends(Codec::Pcm);
    let bob = room.join(silent("Bob").behind(weather));
    let far = room.join(silent("Cleo").behind(Weather::delay_ms(40).jitter_us(150)));
    room.play_seconds(5.0);
    for seat in [bob, far] {
        room.set_muted(seat, true);
        room.hear_click(seat, false);
    }
    room.hear_click(ann, false);
    room.set_click(ann, ClickSettings::new(100_000, 4));
    let stretch = room.play_seconds(3.0);
    let alone = room.largest_step(bob, &stretch);
    let start = room.elapsed();
    use PlayingMode::{Aligned, Beat, Tight};
    for (index, mode) in (0..).zip([Aligned, Tight, Beat, Aligned, Beat, Tight]) {
        room.set_mode(ann, mode);
        room.play_seconds(3.0);
        if mode == Beat {
            room.set_click(ann, ClickSettings::new(100_000 + 20_000 * index, 4));
            room.play_seconds(4.0);
        }
    }
    f64::from(room.largest_step(bob, &(start..room.elapsed())) / alone)
}
