//! Clicks: jumps in the heard wave where the played one had none.

/// A jump.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Click {
    /// Where, in the heard sound.
    pub at_frame: usize,
    /// How far the wave bent there, in full scale.
    pub bend: f32,
}

/// What the wave does within this many frames of the place excuses what is heard: a transform
/// codec smears an attack over its frame.
const AROUND_FRAMES: usize = 240;
/// A bend this much larger than any of the source nearby is a click.
const TIMES: f32 = 4.0;
/// Bends below this are not heard as clicks whatever the source does: -26 dB of full scale.
const BEND_MIN: f32 = 0.05;

/// Finds clicks; both sounds lined up and equally long.
///
/// A jump of height h shows as a second difference of h; a sine of 1 kHz at full scale has one of
/// only 0.017. Where the track jumps, the lined-up sound does, too: that is ours and no excuse.
pub(super) fn clicks(played_as_heard: &[f32], heard: &[f32], jumps: &[usize]) -> Vec<Click> {
    let mut played_bends = bends(played_as_heard);
    for jump in jumps {
        let (from, to) = (jump.saturating_sub(1), (jump + 1).min(played_bends.len()));
        played_bends[from.min(to)..to].fill(0.0);
    }
    let excuse = largest_around(&played_bends, AROUND_FRAMES);
    let mut out: Vec<Click> = Vec::new();
    for (i, (bend, excuse)) in bends(heard).into_iter().zip(excuse).enumerate() {
        if bend < BEND_MIN || bend < TIMES * excuse {
            continue;
        }
        match out.last_mut() {
            Some(click) if i < click.at_frame + AROUND_FRAMES => click.bend = click.bend.max(bend),
            _ => out.push(Click { at_frame: i, bend }),
        }
    }
    out
}

/// The absolute second difference around each sample.
fn bends(samples: &[f32]) -> Vec<f32> {
    let middle = samples.windows(3).map(|w| (w[0] - 2.0 * w[1] + w[2]).abs());
    core::iter::once(0.0).chain(middle).chain(core::iter::once(0.0)).collect()
}

/// The largest value within `reach` of each place, looked up blockwise: never less than the true
/// one, and from no farther than twice the reach.
fn largest_around(values: &[f32], reach: usize) -> Vec<f32> {
    let largest: Vec<f32> =
        values.chunks(reach).map(|chunk| chunk.iter().copied().fold(0.0, f32::max)).collect();
    let block = |i: usize| {
        let from = (i / reach).saturating_sub(1);
        let to = (i / reach + 2).min(largest.len());
        largest[from..to].iter().copied().fold(0.0, f32::max)
    };
    (0..values.len()).map(block).collect()
}
