//! What everybody in a scenario must have heard, checked with the same rules everywhere.

use std::sync::{Mutex, MutexGuard, PoisonError};

use protocol::codec::Codec;
use tests::listen::{Hearing, compare, correlation_min, level_db, unmix};
use tests::sound::{RATE_HZ, Sound};

/// Frames after the first sound in which people still come in.
const SETTLING_FRAMES: usize = RATE_HZ;

/// Holds back other scenarios for as long as it lives.
pub(crate) fn alone() -> MutexGuard<'static, ()> {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    // A scenario that failed has ended all the same.
    ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A track of `tests/music`, over and over for so many seconds.
pub(crate) fn music(track: &str, seconds: usize) -> Sound {
    let sound = Sound::music(track).expect("the track is in tests/music");
    sound.looped(seconds * RATE_HZ)
}

/// What somebody heard of one other participant who played alone.
pub(crate) struct Ears {
    pub(crate) heard: Vec<f32>,
}

impl Ears {
    pub(crate) fn new(heard: &Sound) -> Self {
        Self { heard: heard.to_mono() }
    }

    /// The part in which everybody is there: from a second after the first sound to the last one.
    fn settled(&self) -> &[f32] {
        const WINDOW: usize = 480;
        let loud = |window: &[f32]| -60.0 < level_db(window);
        let first = self.heard.chunks(WINDOW).position(loud).unwrap_or(0) * WINDOW;
        let last = self.heard.chunks(WINDOW).rposition(loud).unwrap_or(0) * WINDOW;
        let from = (first + SETTLING_FRAMES).min(last);
        &self.heard[from..last]
    }

    /// Compares with what was played.
    pub(crate) fn hear(&self, played: &Sound) -> Hearing {
        let settled = self.settled();
        assert!(
            5 * RATE_HZ <= settled.len(),
            "only {} frames of sound in {}",
            settled.len(),
            self.heard.len()
        );
        let played = played.to_mono();
        // The music repeats every ten seconds: look only where the first time round can be.
        let whole = i64::try_from(played.len()).expect("a recording is short");
        compare(&played, settled, -whole..whole).expect("what was heard is not what was played")
    }

    /// Asserts that what was played was heard: alike, whole, without clicks, at its level.
    pub(crate) fn must_hear(&self, who: &str, played: &Sound, codec: Codec) -> Hearing {
        let hearing = self.hear(played);
        let worst = hearing.worst_segment();
        eprintln!(
            "{who}, {codec}: correlation {:.4} (worst {worst:?}), level {:+.1} dB, {} gap frames, \
             {} clicks",
            hearing.correlation,
            hearing.level_db,
            hearing.gap_frames(),
            hearing.clicks.len(),
        );
        assert!(
            correlation_min(codec) <= hearing.correlation,
            "{who}: correlation {}",
            hearing.correlation
        );
        assert_eq!(hearing.gaps, [], "{who}");
        assert!(hearing.level_db.abs() < 1.0, "{who}: {} dB", hearing.level_db);
        hearing
    }

    /// Asserts that the sound contains each of `present` at about its level, and nothing of `own`.
    pub(crate) fn must_not_hear(&self, who: &str, own: &Sound, present: &[&Sound]) {
        let settled = self.settled();
        let piece = &settled[..settled.len().min(5 * RATE_HZ)];
        let own = own.to_mono();
        let present: Vec<Vec<f32>> = present.iter().map(|sound| sound.to_mono()).collect();
        let mut sources: Vec<&[f32]> = present.iter().map(Vec::as_slice).collect();
        sources.push(&own);
        let longest = sources.iter().map(|source| source.len()).max().unwrap_or(0);
        let longest = i64::try_from(longest).expect("a recording is short");
        let mix = unmix(&sources, piece, -longest..1);
        let (myself, others) = mix.parts.split_last().expect("there are sources");
        assert!(myself.gain_db < -25.0, "{who} hears themselves: {mix:?}");
        for part in others {
            assert!(part.gain_db.abs() < 2.0, "{who} does not hear everybody: {mix:?}");
        }
    }
}
