//! Two musicians, each with a program of their own, hear one click: at both outputs at the same moment.

use std::time::Duration;

use tests::machine::{TimingFault, in_real_time};
use tests::process::Server;

use crate::leader::Leader;
use crate::meter::play_and_record;
use crate::{PERIOD_FRAMES, jackd, join};

const TEMPO: u32 = 150_000;
const SECONDS: usize = 8;

pub(crate) fn two_musicians_hear_one_click() {
    in_real_time(|_| {
        let jack = jackd::Server::start(48_000, PERIOD_FRAMES);
        let server = Server::start(&[]).expect("the server starts");
        let [_ann, _bob] = ["Ann", "Bob"].map(|name| join(&server, name, |_| {}));
        // Bob comes three seconds before the click is listened to: as well as he will ever know the time.
        std::thread::sleep(Duration::from_secs(3));
        let mut leader = Leader::join(&server.link("jack"));
        leader.start_click(TEMPO);
        // Nothing is played into Ann: JACK delays one of two ports where there is a loop.
        let silence = vec![0.0; SECONDS * 48_000];
        let heard = play_and_record(None, ["Ann:out_1", "Bob:out_1"], silence);
        jack.stop();
        let [ann, bob] = heard.each_ref().map(|heard| onsets(heard));
        let beats = SECONDS * 150 / 60;
        if ann.len() + 3 < beats || bob.len() + 3 < beats {
            return Err(TimingFault(format!("{beats} beats: {ann:?}, {bob:?}")));
        }
        let beat_frames = 48_000 * 60 / 150;
        let apart = |at: &usize| {
            let nearest = bob.iter().min_by_key(|other| at.abs_diff(**other));
            nearest.map_or(beat_frames, |other| at.abs_diff(*other))
        };
        // The first and the last may have been cut off for one of them.
        let inner = &ann[1..ann.len() - 1];
        let mut apart: Vec<usize> = inner.iter().map(apart).collect();
        apart.sort_unstable();
        // Where the driver stands still, a beat is played when it goes on: most, not all, are looked at.
        let most = apart[apart.len() * 3 / 4];
        let ms = |frames: usize| frames as f64 / 48.0;
        eprintln!(
            "the click of two programs: {} beats, half of them within {:.3} ms of each other, most within {:.3}, \
             all within {:.3}",
            inner.len(),
            ms(apart[apart.len() / 2]),
            ms(most),
            ms(apart[apart.len() - 1]),
        );
        if 1.0 < ms(most) {
            return Err(TimingFault(format!("{:.2} ms apart", ms(most))));
        }
        leader.leave();
        Ok(())
    });
}

/// The frames at which strokes begin.
fn onsets(heard: &[f32]) -> Vec<usize> {
    let mut onsets = Vec::new();
    let mut quiet = 0;
    for (index, sample) in heard.iter().enumerate() {
        if sample.abs() < 1e-3 {
            quiet += 1;
        } else {
            if 2_400 < quiet {
                onsets.push(index);
            }
            quiet = 0;
        }
    }
    onsets
}
