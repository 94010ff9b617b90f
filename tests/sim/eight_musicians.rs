//! A full band: eight musicians on eight different sound cards, and everybody hears all the others.

use core::time::Duration;

use protocol::codec::Codec;
use relay::weather::Weather;
use tests::clock::SoundCard;
use tests::musician::Musician;
use tests::room::{Room, Seat};
use tests::sound::MUSIC;

fn band(room: &mut Room, drifts_ppm: [f64; 8], jitter_us: u64) -> Vec<Seat> {
    (0..8)
        .map(|i| {
            let card = SoundCard {
                period_frames: [64, 128, 64, 256, 96, 64, 480, 128][i],
                drift_ppm: drifts_ppm[i],
                wander_ppm: 0.1,
                phase: Duration::from_micros(137 * i as u64),
            };
            let name = format!("Musician {i}");
            let weather = Weather::delay_ms(i as u64).jitter_us(jitter_us * i as u64);
            // Seven of them together would reach the limiter.
            let musician = Musician::new(&name, MUSIC[i]).at_level_db(-12.0).sends(Codec::Pcm);
            room.join(musician.on_card(card).behind(weather))
        })
        .collect()
}

#[test]
fn eight_musicians_hear_all_others_and_never_themselves() {
    let mut room = Room::new(61);
    // To take a mix apart, the instruments must not wander apart: by half a frame in three seconds
    // at most, and without changes of the playout delay.
    let band = band(&mut room, [0.0, 0.1, -0.1, 0.0, 0.2, -0.2, 0.1, -0.1], 0);
    room.play_seconds(2.0);
    let stretch = room.play_seconds(3.0);
    for (i, listener) in band.iter().enumerate() {
        let mix = room.mix(*listener, &band, &stretch);
        for (j, part) in mix.parts.iter().enumerate() {
            if i == j {
                assert!(part.gain_db < -25.0, "musician {i} hears themselves: {mix:?}");
            } else {
                assert!(part.gain_db.abs() < 1.5, "musician {i} misses {j}: {mix:?}");
            }
        }
        assert!(mix.explained > 0.9, "musician {i} hears something else: {mix:?}");
    }
}

#[test]
fn a_minute_of_eight_has_no_gap() {
    let mut room = Room::new(62);
    let band = band(&mut room, [0.0, 20.0, -35.0, 5.0, 60.0, -12.0, 33.0, -50.0], 50);
    room.play_seconds(1.0);
    // One listens to one alone, so that every moment of the minute can be looked at.
    let (listener, source) = (band[5], band[3]);
    room.solo(listener, source);
    let minute = room.play_seconds(60.0);
    let heard = room.heard(listener, source, &minute);
    assert!(heard.correlation() > 0.95, "{}", heard.correlation());
    assert_eq!(heard.gaps(), Duration::ZERO);
    assert_eq!(heard.clicks(), 0);
    for listener in &band {
        for source in band.iter().filter(|source| *source != listener) {
            let stats = room.stats(*listener, *source).expect("there is a stream");
            let concealed = stats.concealed_frames as f64 / stats.played_frames as f64;
            assert!(concealed < 1e-3, "{stats:?}");
            assert_eq!(stats.overrun_packets, 0, "{stats:?}");
        }
    }
}
